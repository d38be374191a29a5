"""One clock of the whole, and as many of them as are asked for."""

from . import (
    arbiter,
    buffer,
    copy_map,
    figures,
    gate,
    initiator,
    join,
    life,
    map_blocks,
    map_memory,
    memory,
    passing,
    proposals,
    reader,
    sequencer,
    shadow,
    table,
)
from ._compiled import compiled, entry
from .state import MAP, NOBODY, READ, WRITE

__all__ = ["END", "FULL", "PAUSE", "REFILL", "begin", "copy", "decide_copy", "run", "skip"]

#: Why :func:`run` returns: everything is done; an initiator's accesses are used up; there is no
#: room for more results; it has run for as long as was asked.
END, REFILL, FULL, PAUSE = range(4)


@compiled
def _hear(u, a):
    """The answers of this clock."""
    w, p, b = u.wires, u.params, u.arbiter
    w.answer = NOBODY
    if not p.pipelined:
        w.read_answer = b.read_done
        w.write_answer = u.shadow.done if p.separate else b.write_done
        w.map_answer = b.map_done
        return
    w.answer = memory.answer_home(u.memory, a.answers, a.owners, u.clock)
    w.shadow_answer = p.separate and memory.answer(u.shadow, a.shadow_answers, u.clock)
    u.shadow.head += w.shadow_answer
    w.read_answer = w.answer == READ
    w.write_answer = w.shadow_answer if p.separate else w.answer == WRITE
    w.map_answer = w.answer == MAP
    for port in range(p.ports):
        if w.answer == port or u.gate[port].refusing:
            initiator.hear(u.initiator[port], u.clock, p, a)


@compiled
def _only_map(u):
    """Whether the map alone is at work: it is swept, or the row last asked for is still read."""
    return u.map.sweeping or u.params.in_memory and u.life.ended != 0 and map_memory.fetches(u)


@compiled
def decide_copy(u, a):
    """What all that copies, or sweeps the map, does in this clock."""
    if u.life.active:
        reader.decide(u, a)
        buffer.decide(u)
        sequencer.decide(u)
        copy_map.decide(u)
        sequencer.retire(u)
    elif _only_map(u):
        copy_map.decide(u)


@compiled
def copy(u, a):
    """The clock's end of all that copies; called after :func:`decide_copy`, in the same state."""
    w = u.wires
    if u.life.active:
        _copy(u, a)
    elif _only_map(u):
        w.set_valid = w.scan = 0
        copy_map.step(u, a)


@compiled
def _copy(u, a):
    """The clock's end of all that copies, while a snapshot is under way."""
    later = u.initial.done
    proposals.scan_map(u, a, not later)
    proposals.walk_regions(u)
    figures.count(u, a)
    reader.step(u, a)
    buffer.step(u, a)
    sequencer.step(u)
    copy_map.step(u, a)
    table.step(u)
    if u.params.in_memory:
        map_blocks.step(u)


@compiled
def _clock(u, a):
    """One clock."""
    w, p = u.wires, u.params
    _hear(u, a)
    life.decide(u)
    w.comes = 0
    for port in range(p.ports):
        gate.decide(u.gate[port], u.initiator[port], u)
    stands = join.decide(u)
    arbiter.decide(u, stands)
    if p.separate:
        shadow.decide(u)
    w.held = 0
    for port in range(p.ports):
        w.granted[port] = 0
    decide_copy(u, a)
    # From here on the clock ends; what still reads the state before comes first
    arbiter.step(u, a)
    if p.separate:
        shadow.step(u, a)
    join.step(u, stands)
    for port in range(p.ports):
        i = u.initiator[port]
        figures.follow(u.gate[port], port, i.accepted, i.adr, u, a)
        refused = gate.step(u.gate[port], u.initiator[port], u, a)
        if w.taken[port] or refused:
            initiator.accept(u.initiator[port], u.clock, p, a)
            if not p.pipelined:
                initiator.hear(u.initiator[port], u.clock, p, a)
    copy(u, a)
    life.step(u)
    u.clock += 1
    for port in range(p.ports):
        initiator.advance(u.initiator[port], u.clock, p, a)


@compiled
def _quiet_until(u):
    """The next clock in which an initiator does something, if none does now; else this clock."""
    p = u.params
    soonest = life.NEVER
    for port in range(p.ports):
        i = u.initiator[port]
        if i.current or i.accepted != i.answered or u.gate[port].refusing:
            return u.clock
        if i.pulled:
            soonest = min(soonest, u.clock + i.wait)
        elif i.more:
            return u.clock
    return soonest


@compiled
def skip(u, soonest, limit):
    """Passes over clocks in which nothing happens, to ``soonest`` at the most. Returns whether
    there is nothing left to do."""
    p = u.params
    start = life.next_start(u)
    if soonest == life.NEVER and start == life.NEVER:
        return True
    soonest = min(soonest, start, limit)
    if soonest > u.clock:
        for port in range(p.ports):
            if u.initiator[port].pulled:
                u.initiator[port].wait -= soonest - u.clock
        u.clock = soonest
    return False


@entry
def begin(unit, a):
    """What the initiators request in the first clock."""
    u = unit[0]
    for port in range(u.params.ports):
        initiator.advance(u.initiator[port], u.clock, u.params, a)


@entry
def run(unit, a, limit):
    """Runs to clock ``limit`` at the most; returns why it came back."""
    u = unit[0]
    p = u.params
    while u.clock < limit:
        for port in range(p.ports):
            if initiator.starved(u.initiator[port]):
                return REFILL
        if u.figures.stalls + p.ports > len(a.stalls) or u.figures.copies == len(a.copies):
            return FULL
        if life.at_rest(u):
            if p.ports == 1 and p.pipelined:
                passing.run(u, a, limit)
                if initiator.starved(u.initiator[0]):
                    continue
            if skip(u, _quiet_until(u), limit):
                return END
            if u.clock >= limit or not life.at_rest(u):
                continue
        _clock(u, a)
    return PAUSE
