"""The gate of a port: passes reads and permitted writes, holds the others."""

from . import copy_map
from ._compiled import compiled

__all__ = ["decide", "look", "refuses", "show", "step"]


@compiled
def refuses(u, adr, we):
    """Whether an access is answered with an error: a write to the kept image, or to the map."""
    p = u.params
    if not we:
        return False
    place = adr - p.memory_base
    if p.in_memory and 0 <= place < p.beats and (
            0 <= (place >> p.beat_bits) - p.map_first < p.map_blocks):
        return True
    kept = u.life.active or u.life.ended != 0
    return kept and not p.separate and 0 <= adr - p.shadow_base < p.beats


@compiled
def look(g, u, a, row):
    """Reads a row of the map; it is there in the next clock, or in the one behind that."""
    g.reads = 1
    g.read_row = row
    g.read_bits = copy_map.read(u, a, row)
    if u.params.map_latency == 1:
        show(g, u)


@compiled
def show(g, u):
    """The row that was read is there."""
    if g.reads:
        g.row_known = 1
        g.row = g.read_row
        g.row_bits = g.read_bits
    g.reads = 0


@compiled
def decide(g, i, u):
    """Whether the access on the bus is held, refused, or stands at the memory's port."""
    w, p, port = u.wires, u.params, i.port
    w.hold[port] = 0
    w.refuse[port] = 0
    w.asks[port] = 0
    w.looks[port] = 0
    w.permits[port] = 0
    if not i.current:
        return
    w.comes |= not g.settled and not g.refusing
    w.refuse[port] = refuses(u, i.adr, i.we)
    if i.we and u.life.active and not w.refuse[port]:
        place = i.adr - p.memory_base
        if 0 <= place < p.beats:
            block = place >> p.beat_bits
            copied = g.row_known and g.row == block >> 5 and g.row_bits >> (block & 31) & 1
            w.permits[port] = (g.granted_valid and g.granted >> p.beat_bits == block
                               and (g.granted_whole or g.granted == place))
            w.hold[port] = not copied and not w.permits[port]
            w.looks[port] = not g.looked and (w.hold[port] or not p.in_memory)
    w.asks[port] = not w.hold[port] and not w.refuse[port] and not g.refusing


@compiled
def step(g, i, u, a):
    """The clock's end. Returns whether the initiator's access is taken without the memory."""
    w, p, port = u.wires, u.params, i.port
    hold = w.hold[port]
    place = i.adr - p.memory_base
    # In the classic form the access is taken with its answer, a clock later
    refusing = g.refusing
    refused = w.refuse[port] and g.in_flight == 0 and not refusing
    show(g, u)
    if w.looks[port]:
        look(g, u, a, place >> p.beat_bits >> 5)
    # Nothing was found out that may end the hold: the port is not kept free for it
    seen = g.looked if p.map_latency == 1 else g.seen
    g.settled = hold and seen and not w.granted[port]
    g.seen = hold and g.looked
    g.looked = hold
    if w.granted[port]:
        g.ask_valid = 0
        if not w.permits[port]:     # also when the write that asked has gone on already
            g.granted = g.ask
            g.granted_whole = w.whole and w.asker == port
            g.granted_valid = 1
    elif hold and not g.ask_valid:
        g.ask_valid = 1
        g.ask = place
    if not u.life.active:
        g.ask_valid = 0
        g.granted_valid = 0
        g.row_known = 0
    if not p.pipelined:
        g.refusing = refused
        return refusing
    answered = w.answer == port
    g.in_flight += w.taken[port] - answered
    if u.life.active:
        if answered and g.due:
            g.due -= 1
    else:
        g.due = g.in_flight
    g.refusing = refused
    return refused
