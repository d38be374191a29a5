"""One clock of the whole on AXI4, and as many of them as are asked for."""

from . import (
    axi4_arbiter,
    axi4_copy,
    axi4_gate,
    axi4_initiator,
    axi4_map,
    axi4_memory,
    axi4_skid,
    figures,
    initiator,
    life,
)
from ._compiled import compiled, entry
from .machine import END, FULL, PAUSE, REFILL, copy, decide_copy, skip
from .state import MAP, NOBODY, READ, WRITE

__all__ = ["begin", "run"]

_READ, _WRITE = 0, 1
_PORTS = 3


@compiled
def _hear(u, a):
    """The answers of this clock."""
    w, p = u.wires, u.params
    for port in range(_PORTS):
        m = u.axi4_memory[port]
        w.read_home[port] = axi4_memory.home_of_read(m, a, port, u.clock)
        home = axi4_memory.home_of_write(m, a, port, u.clock)
        w.write_home[port] = home if home != WRITE or axi4_copy.takes_answer(u) else NOBODY
    w.read_answer = w.read_home[p.read_port] == READ
    w.write_answer = u.axi4_writes.left != 0
    w.map_answer = w.read_home[0] == MAP or w.write_home[0] == MAP


@compiled
def _decide(u, a):
    """What goes to the memories in this clock."""
    w, p = u.wires, u.params
    w.can_arm = 1        # no write's address stands at the memory, which takes each at once
    for port in range(p.ports):
        axi4_gate.decide(u.gate[port], u.axi4_gate[port], u.initiator[port],
                         u.axi4_initiator[port], u, a)
    axi4_copy.decide(u, a)
    if p.in_memory:
        axi4_map.decide(u)
    axi4_arbiter.decide(u)
    axi4_copy.ready(u, axi4_skid.ready(u.axi4_skid[_READ]), axi4_skid.ready(u.axi4_skid[_WRITE]))
    w.data_last = 1
    if w.data == WRITE:
        w.data_last = axi4_copy.data_is_last(u, a)
    elif w.data == NOBODY:
        w.data_last = 0
    elif w.data != MAP:
        w.data_last = axi4_initiator.data_is_last(u.axi4_initiator[w.data], a, w.data)
    if p.in_memory:
        axi4_map.ready(u, w.owners[_READ] == MAP, w.owners[_WRITE] == MAP, w.data == MAP)


@compiled
def _take(u, a, port, way, owner, adr, beats):
    """The clock's end: a memory takes an address."""
    m = u.axi4_memory[port]
    if way == _READ:
        axi4_memory.take_read(m, a, port, u.clock, owner, adr, beats)
    else:
        axi4_memory.take_write(m, a, port, owner, adr, beats)


@compiled
def _take_burst(u, a, way):
    """The same of one of the copier's."""
    p, s = u.params, u.axi4_skid[way]
    if way == _READ:
        _take(u, a, p.read_port, _READ, READ, p.memory_base + s.place, s.count)
    else:
        _take(u, a, p.write_port, _WRITE, WRITE, p.shadow_base + s.place, s.count)


@compiled
def _request(u, a):
    """The clock's end, for the memories' addresses and data."""
    w, p = u.wires, u.params
    for way in range(2):
        owner = w.owners[way]
        if 0 <= owner < READ:
            at = u.axi4_initiator[owner].accepted[way]
            _take(u, a, 0, way, owner,
                  axi4_initiator.asked(a, owner, way, at, axi4_initiator.ADR),
                  axi4_initiator.asked(a, owner, way, at, axi4_initiator.BEATS))
        elif owner == MAP:
            _take(u, a, 0, way, MAP, p.map_base + u.axi4_map.row // p.rows_of_beat, 1)
        elif owner != NOBODY:
            _take_burst(u, a, way)
    if w.data != NOBODY:
        axi4_memory.give(u.axi4_memory[0], a, 0, u.clock)
    # A memory does what comes by its first port before that by another
    if p.read_port != 0 and u.axi4_read_runs.taken:
        _take_burst(u, a, _READ)
    if p.write_port != 0 and u.axi4_write_runs.taken:
        _take_burst(u, a, _WRITE)


@compiled
def _copy(u, a):
    """The clock's end, for the copier's bursts."""
    w, p = u.wires, u.params
    port = p.write_port
    beat = w.data == WRITE
    if port != 0:
        beat = axi4_copy.offers_data(u)
        if beat:
            axi4_memory.give(u.axi4_memory[port], a, port, u.clock)
    axi4_copy.step(u, a, beat, w.write_home[port] == WRITE)


@compiled
def _port(u, a, port, read, written):
    """The clock's end, for an initiator and its gate; what the memory answers to it."""
    w, p = u.wires, u.params
    g, x, i, o = u.gate[port], u.axi4_gate[port], u.initiator[port], u.axi4_initiator[port]
    number = axi4_initiator.asked(a, port, _WRITE, o.accepted[_WRITE], axi4_initiator.NUMBER)
    adr = axi4_initiator.asked(a, port, _WRITE, o.accepted[_WRITE], axi4_initiator.ADR)
    figures.follow(g, port, number, adr, u, a)
    beat = w.data == port or x.dropping and axi4_initiator.offers_data(o)
    answered = written or x.answering
    refused = axi4_gate.step(g, x, i, o, u, a, read, written)
    if refused and g.stalled:
        figures.leave(g, port, number, adr, u, a, u.clock + 1)
    if beat:
        axi4_initiator.beat(o, a, port)
    if read:
        axi4_initiator.hear(o, i, a, _READ, u.clock, p)
    if answered:
        axi4_initiator.hear(o, i, a, _WRITE, u.clock, p)
    if w.reads_taken[port]:
        axi4_initiator.accept(o, i, a, _READ, u.clock, p)
    if w.taken[port] or refused:
        axi4_initiator.accept(o, i, a, _WRITE, u.clock, p)


@compiled
def _pause(u):
    """The clock's end: a new ask keeps the copier from issuing a read that nobody waits for."""
    u.reader.paused = 0
    for port in range(u.params.ports):
        g, x = u.gate[port], u.axi4_gate[port]
        u.reader.paused |= g.ask_valid and not x.asked
        x.asked = g.ask_valid


@compiled
def _clock(u, a):
    """One clock."""
    w, p = u.wires, u.params
    _hear(u, a)
    life.decide(u)
    _decide(u, a)
    w.held = 0
    for port in range(p.ports):
        w.granted[port] = 0
    decide_copy(u, a)
    # From here on the clock ends; what still reads the state before comes first
    last = NOBODY
    for port in range(_PORTS):
        m = u.axi4_memory[port]
        if w.read_home[port] != NOBODY and axi4_memory.read_is_last(m, a, port, u.clock) and (
                port == 0):
            last = w.read_home[0]
        if w.write_home[port] != NOBODY:
            axi4_memory.answer_write(m)
    _request(u, a)
    axi4_arbiter.step(u, w.data_last)
    _copy(u, a)
    if p.in_memory:
        axi4_map.step(u, last == MAP, w.write_home[0] == MAP, w.owners[_WRITE] == MAP,
                      w.data == MAP)
    _pause(u)
    for port in range(p.ports):
        _port(u, a, port, last == port, w.write_home[0] == port)
    copy(u, a)
    life.step(u)
    u.clock += 1
    for port in range(p.ports):
        axi4_initiator.advance(u.axi4_initiator[port], u.initiator[port], a, u.clock, p)


@compiled
def _quiet_until(u):
    """The next clock in which an initiator does something, if none does now; else this clock."""
    soonest = life.NEVER
    for port in range(u.params.ports):
        i = u.initiator[port]
        if i.made != i.answered:
            return u.clock
        if i.pulled:
            soonest = min(soonest, u.clock + i.wait)
        elif i.more:
            return u.clock
    return soonest


@entry
def begin(unit, a):
    """What the initiators begin with, in the second clock at the earliest."""
    u = unit[0]
    for port in range(u.params.ports):
        initiator.pull(u.initiator[port], a)


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
            if skip(u, _quiet_until(u), limit):
                return END
            if u.clock >= limit or not life.at_rest(u):
                continue
        _clock(u, a)
    return PAUSE
