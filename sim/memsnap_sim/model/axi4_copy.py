"""The copier's reads and writes on AXI4."""

from . import axi4_runs
from ._compiled import compiled
from .state import NOBODY

__all__ = ["NEVER", "data_is_last", "decide", "offers_data", "ready", "step", "takes_answer"]


_READ, _WRITE = 0, 1

#: Clocks that an initiator's address is remembered for, and a clock that is before any other.
_RECENT = 1024
#: Clocks without a beat, less those with one, after which a memory is slow.
_SLOW = 32
NEVER = -_RECENT - 1


@compiled
def _is_shared(u, way, port):
    """Whether a beat makes a burst of its own: initiators have lately used the port, and the
    memory was not slow two clocks before."""
    c = u.axi4_copy
    return port == 0 and u.clock - c.asked[way] <= _RECENT and not c.was_slow[way]


@compiled
def _follow(u, way, asked, waits, beat):
    """The clock's end, for what the above depends on."""
    c = u.axi4_copy
    if asked:
        c.asked[way] = u.clock
    c.was_slow[way] = c.slow[way]
    c.slow[way] = c.lag[way] >= _SLOW
    if beat:
        c.lag[way] = max(0, c.lag[way] - 1)
    elif waits:
        c.lag[way] = min(2 * _SLOW - 1, c.lag[way] + 1)


@compiled
def takes_answer(u):
    """Whether the answer to a burst of writes is taken: that to each beat of the last is given."""
    return u.axi4_writes.left <= 1


@compiled
def offers_data(u):
    """Whether data of a burst that was announced is on the bus."""
    return u.axi4_writes.unsent != 0 or axi4_runs.sends(u.axi4_write_runs)


@compiled
def data_is_last(u, a):
    """Whether it is the last of its burst."""
    c = u.axi4_writes
    if c.unsent == 0:
        return c.index + 1 == u.axi4_write_runs.count
    return c.index + 1 == a.lengths[c.sent & (len(a.lengths) - 1)]


@compiled
def decide(u, a):
    """What the copier has to read and to write in this clock, and which bursts it offers."""
    w, p, k = u.wires, u.params, u.buffer
    # Where failed accesses may be repeated, no more are made than can be kept for that
    read = u.reader.valid and k.unread - 1 != p.kept
    w.read_place = u.reader.place if read else -1
    room = u.axi4_writes.queued != 2 * p.burst_beats
    write = k.offered and room and k.taken - k.answered != p.kept
    w.write_place = a.places[k.taken & (p.buffer_depth - 1)] if write else -1
    alone = u.reader.waits or _is_shared(u, _READ, p.read_port)
    axi4_runs.decide(u.axi4_read_runs, w.read_place, alone, False, True, p.chunk_beats)
    alone = _is_shared(u, _WRITE, p.write_port)
    hold = alone and u.axi4_writes.unsent > 1
    axi4_runs.decide(u.axi4_write_runs, u.axi4_writes.staged, alone, hold, False, p.chunk_beats)


@compiled
def ready(u, reads, writes):
    """Whether the beats at hand are taken; ``reads`` and ``writes`` tell of the bursts."""
    w = u.wires
    w.read_ready = axi4_runs.ready(u.axi4_read_runs, reads) and w.read_place >= 0
    moves = axi4_runs.ready(u.axi4_write_runs, writes) or u.axi4_writes.staged < 0
    w.write_ready = moves and w.write_place >= 0


@compiled
def step(u, a, beat, answered):
    """The clock's end; ``beat``: data of a burst is taken, ``answered``: a burst is."""
    w, c, runs = u.wires, u.axi4_writes, u.axi4_write_runs
    mask = len(a.lengths) - 1
    last = beat and data_is_last(u, a)
    if answered:
        c.left = a.lengths[c.answered & mask]
        c.answered += 1
    elif c.left:
        c.left -= 1
    if axi4_runs.sends(runs):
        a.lengths[c.announced & mask] = runs.count
        c.announced += 1
        c.unsent += 1
    c.unsent -= last
    c.sent += last
    c.index = 0 if last else c.index + beat
    c.queued += w.write_ready - beat
    asked_read = asked_write = False
    for port in range(u.params.ports):
        asked_read |= w.reads[port] != 0
        asked_write |= w.asks[port] != 0
    k = u.buffer
    _follow(u, _READ, asked_read, k.unread != u.reader.valid, w.read_home[0] != NOBODY)
    _follow(u, _WRITE, asked_write, k.taken != k.answered, w.data != NOBODY)
    axi4_runs.step(u.axi4_read_runs, w.read_place)
    axi4_runs.step(runs, c.staged)
    if w.write_ready:
        c.staged = w.write_place
    elif runs.ready:
        c.staged = -1
