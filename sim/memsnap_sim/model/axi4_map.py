"""The port of a copy map in the memory on AXI4: a read and a write are never in flight together."""

from ._compiled import compiled

__all__ = ["decide", "offers", "offers_data", "ready", "step"]

_READ, _WRITE = 0, 1


@compiled
def decide(u):
    """Whether the request at hand is offered to the memory."""
    w, x = u.wires, u.axi4_map
    free = not x.reading and (x.we or x.writes == 0)
    w.map_offers = x.valid and (x.begun or free and x.pending <= u.params.max_in_flight)


@compiled
def offers(u, way):
    """Whether an address of this direction is offered."""
    x = u.axi4_map
    if not u.wires.map_offers or x.we != way:
        return False
    return not x.addressed or way == _READ


@compiled
def offers_data(u):
    """Whether a write's data is offered."""
    x = u.axi4_map
    return u.wires.map_offers and x.we and not x.sent


@compiled
def ready(u, read, written, given):
    """Whether a new request is taken; the arguments say what the memory takes of the one at hand:
    a read's address, a write's, its data."""
    w, x = u.wires, u.axi4_map
    if x.we:
        w.map_done = w.map_offers and (x.addressed or written) and (x.sent or given)
    else:
        w.map_done = w.map_offers and read
    w.map_ready = (not x.valid or w.map_done) and x.pending <= u.params.max_in_flight


@compiled
def step(u, read, written, address, given):
    """The clock's end: of answers, and of what was taken (an address, data)."""
    w, q, x = u.wires, u.requests, u.axi4_map
    begins = w.map_offers and not x.begun
    x.begun = w.map_offers and not w.map_done
    x.addressed = (x.addressed or address and x.we) and not w.map_done
    x.sent = (x.sent or given) and not w.map_done
    taken = q.valid and w.map_ready
    x.pending += taken - (read or written)
    x.writes += (begins and x.we) - written
    x.reading = (x.reading or begins and not x.we) and not read
    if taken:
        x.valid = 1
        x.we = q.we
        x.row = q.row
    elif w.map_done:
        x.valid = 0
