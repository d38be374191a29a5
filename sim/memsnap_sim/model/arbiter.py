"""The arbiter: initiators, copier's reads and copier's writes on one memory port."""

from ._compiled import compiled
from .memory import take
from .state import GATE, MAP, READ, WRITE

__all__ = ["decide", "step"]


@compiled
def _decide_classic(u, gate):
    """Who has the port keeps it until the answer, in whose clock the request is taken."""
    b, w, p, m = u.arbiter, u.wires, u.params, u.memory
    if b.kept:
        w.owner = b.kept_owner
    w.stands = gate or w.owner != GATE
    w.accepted = m.busy and m.last_answer == u.clock
    w.can_arm = w.accepted or not w.stands or w.owner != GATE or not u.initiator[w.port].we
    w.read_ready = w.accepted and w.owner == READ
    w.write_ready = w.accepted and w.owner == WRITE
    w.map_ready = w.accepted and w.owner == MAP
    for port in range(p.ports):
        w.taken[port] = w.accepted and w.owner == GATE and w.port == port


@compiled
def decide(u, gate):
    """Who has the memory's port in this clock; ``gate`` says that an initiator's request stands."""
    b, w, p = u.arbiter, u.wires, u.params
    # Where failed accesses may be repeated, no more are made than can be kept for that
    k = u.buffer
    read = u.reader.valid and k.unread - 1 != p.kept
    write = k.offered and not p.separate and k.taken - k.answered != p.kept
    of_map = u.requests.valid
    w.copier = read or write or of_map
    in_the_way = u.reader.valid or u.buffer.free == 0 or not p.pipelined
    urgent = u.reader.offered or u.reader.pending and in_the_way
    first = urgent or b.due
    w.owner = GATE
    if of_map and (u.sequencer.map_urgent or first and not (urgent and (read or write))):
        w.owner = MAP
    elif read and first:
        w.owner = READ
    elif write and first:
        w.owner = WRITE
    elif w.comes:
        w.owner = GATE
    elif of_map:
        w.owner = MAP
    elif write:
        w.owner = WRITE
    elif read:
        w.owner = READ
    if not p.pipelined:
        _decide_classic(u, gate)
        return
    room = u.memory.tail - u.memory.head + (w.answer >= 0) != p.max_in_flight
    w.can_arm = 1
    w.accepted = room and (gate or w.owner != GATE)
    w.read_ready = room and w.owner == READ
    w.write_ready = room and w.owner == WRITE
    w.map_ready = room and w.owner == MAP
    for port in range(p.ports):
        w.taken[port] = w.accepted and w.owner == GATE and w.port == port


@compiled
def step(u, a):
    """The clock's end: the winner's request goes to the memory."""
    b, w, p = u.arbiter, u.wires, u.params
    if not w.copier or w.accepted and w.owner != GATE:
        b.denied = 0
        b.due = 0
    else:
        due = p.share != 0 and b.denied + 1 >= p.share
        b.denied += not b.due
        b.due = due
    if not p.pipelined:
        b.kept = w.stands and not w.accepted
        b.kept_owner = w.owner
        b.read_done = w.read_ready
        b.write_done = w.write_ready
        b.map_done = w.map_ready
        begins = w.stands and not u.memory.busy
        u.memory.busy = b.kept
        if not begins:
            return
    elif not w.accepted:
        return
    owner = w.owner
    we = 0
    if owner == GATE:
        owner += w.port
        adr = u.initiator[w.port].adr
        we = u.initiator[w.port].we
    elif owner == READ:
        adr = p.memory_base + u.reader.place
    elif owner == MAP:
        adr = p.map_base + u.requests.row // p.rows_of_beat
        we = u.requests.we
    else:
        adr = p.shadow_base + a.places[u.buffer.taken & (p.buffer_depth - 1)]
        we = 1
    answer = take(u.memory, a.timing, u.clock, adr, we)
    if not p.pipelined:
        return
    slot = u.memory.tail & (len(a.answers) - 1)
    a.answers[slot] = answer
    a.owners[slot] = owner
    u.memory.tail += 1
