"""The arbiter: initiators, copier's reads and copier's writes on one memory port."""

from ._compiled import compiled
from .memory import take
from .state import GATE, READ, WRITE

__all__ = ["decide", "step"]


@compiled
def decide(u, gate):
    """Who has the memory's port in this clock; ``gate`` says that an initiator's request stands."""
    b, w, p = u.arbiter, u.wires, u.params
    read = u.reader.valid
    write = u.buffer.offered and not p.separate
    first = u.reader.wanted or b.due
    w.owner = GATE
    if read and first:
        w.owner = READ
    elif write and (first or not gate):
        w.owner = WRITE
    elif read and not gate:
        w.owner = READ
    room = u.memory.tail - u.memory.head + (w.answer >= 0) != p.max_in_flight
    w.can_arm = 1
    w.accepted = room and (gate or w.owner != GATE)
    w.read_ready = room and w.owner == READ
    w.write_ready = room and w.owner == WRITE
    for port in range(p.ports):
        w.taken[port] = w.accepted and w.owner == GATE and w.port == port


@compiled
def step(u, a):
    """The clock's end: the winner's request goes to the memory."""
    b, w, p = u.arbiter, u.wires, u.params
    copier = u.reader.valid or u.buffer.offered and not p.separate
    if not copier or w.accepted and w.owner != GATE:
        b.denied = 0
        b.due = 0
    else:
        due = p.share != 0 and b.denied + 1 >= p.share
        b.denied += not b.due
        b.due = due
    if not w.accepted:
        return
    owner = w.owner
    we = 0
    if owner == GATE:
        owner += w.port
        adr = u.initiator[w.port].adr
        we = u.initiator[w.port].we
    elif owner == READ:
        adr = p.memory_base + u.reader.place
    else:
        adr = p.shadow_base + a.places[u.buffer.taken & (p.buffer_depth - 1)]
        we = 1
    slot = u.memory.tail & (len(a.answers) - 1)
    a.answers[slot] = take(u.memory, a.timing, u.clock, adr, we)
    a.owners[slot] = owner
    u.memory.tail += 1
