"""The arbiter on AXI4: initiators, copier and copy map on one port, each direction on its own."""

from . import axi4_copy, axi4_initiator, axi4_map, axi4_skid
from ._compiled import compiled
from .state import AXI4_WRITES, GATE, MAP, NOBODY, READ, WRITE

__all__ = ["decide", "step"]

_READ, _WRITE = 0, 1


@compiled
def _next_gate(asks, turn, ports):
    """The gate with an address, the next behind the last that was served; or nobody."""
    for ahead in range(1, ports + 1):
        port = (turn + ahead) % ports
        if asks[port]:
            return port
    return NOBODY


@compiled
def _choose(gate, copier, copier_first, of_map, map_first, user):
    """Whose address is offered; the copier is known as ``user``."""
    if of_map and map_first:
        return MAP
    if copier and copier_first:
        return user
    if gate != NOBODY:
        return gate
    if copier:
        return user
    return MAP if of_map else NOBODY


@compiled
def _gives(u, owner):
    """Whether there is data for the memory from one whose turn it is."""
    if owner == WRITE:
        return axi4_copy.offers_data(u)
    if owner == MAP:
        return axi4_map.offers_data(u)
    return axi4_initiator.offers_data(u.axi4_initiator[owner]) and not u.axi4_gate[owner].dropping


@compiled
def decide(u):
    """Whose addresses, and whose data, go to the memory in this clock."""
    b, w, p = u.axi4_arbiter, u.wires, u.params
    reads = axi4_skid.decide(u.axi4_skid[_READ], p.read_port, u.axi4_read_runs)
    writes = axi4_skid.decide(u.axi4_skid[_WRITE], p.write_port, u.axi4_write_runs)
    map_first = u.sequencer.map_urgent
    w.owners[_READ] = _choose(
        _next_gate(w.reads, b.turn[_READ], p.ports), reads, b.due[_READ] or u.reader.waits,
        axi4_map.offers(u, _READ), b.due[_READ] or map_first, READ)
    w.owners[_WRITE] = NOBODY
    owner = _choose(
        _next_gate(w.claims, b.turn[_WRITE], p.ports), writes, b.due[_WRITE],
        axi4_map.offers(u, _WRITE), b.due[_WRITE] or map_first, WRITE)
    # One that claims the channel may not have an address for it
    if b.count != AXI4_WRITES and (owner >= READ or owner >= GATE and w.asks[owner]):
        w.owners[_WRITE] = owner
    for port in range(p.ports):
        w.reads_taken[port] = w.owners[_READ] == port
        w.taken[port] = w.owners[_WRITE] == port
    # Data may pass with its address, but not the map's
    w.data = NOBODY
    if b.count:
        w.data = b.order[b.first % AXI4_WRITES]
    elif w.owners[_WRITE] != MAP:
        w.data = w.owners[_WRITE]
    if w.data != NOBODY and not _gives(u, w.data):
        w.data = NOBODY


@compiled
def _count_denied(b, way, waits, share, owner):
    if not waits or owner >= READ:
        b.denied[way] = 0
        b.due[way] = 0
    else:
        due = share != 0 and b.denied[way] + 1 >= share
        b.denied[way] += not b.due[way]
        b.due[way] = due


@compiled
def step(u, last):
    """The clock's end; ``last``: the data that passes is the last of its write."""
    b, w, p = u.axi4_arbiter, u.wires, u.params
    reads, writes = u.axi4_skid[_READ].offers, u.axi4_skid[_WRITE].offers
    _count_denied(b, _READ, reads or axi4_map.offers(u, _READ), p.share, w.owners[_READ])
    _count_denied(b, _WRITE, writes or axi4_map.offers(u, _WRITE), p.share, w.owners[_WRITE])
    for way in range(2):
        if GATE <= w.owners[way] < READ:
            b.turn[way] = w.owners[way]
    axi4_skid.step(u.axi4_skid[_READ], w.owners[_READ] == READ)
    axi4_skid.step(u.axi4_skid[_WRITE], w.owners[_WRITE] == WRITE)
    if w.owners[_WRITE] != NOBODY:
        b.order[(b.first + b.count) % AXI4_WRITES] = w.owners[_WRITE]
        b.count += 1
    b.count -= last
    b.first += last
