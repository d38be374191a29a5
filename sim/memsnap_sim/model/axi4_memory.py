"""A port of a memory on AXI4: reads and writes are answered in order, each on their own.

It takes an address a clock of each direction, and a beat of data. A read's first beat comes when
its latency is over and the reads before it have been given, and then a beat in each clock. A write
is answered when the latency since its last beat of data is over, and the writes before it are
answered.
"""

from ._compiled import compiled
from .state import NOBODY
from .timing import burst

__all__ = ["answer_write", "give", "home_of_read", "home_of_write", "read_is_last",
           "take_read", "take_write"]

_READ, _WRITE = 0, 1


# What is kept of an access: to whom its answer goes, the first clock of that (of a write -1 while
# data is to come), its beats, and the word where it begins
_OWNER, _BEGIN, _BEATS, _ADR = range(4)


@compiled
def _owed(a, port, way, count, what):
    return a.owed[port, way, count & (a.owed.shape[2] - 1), what]


@compiled
def _keep(m, a, port, way, owner, begin, beats, adr):
    at = m.tail[way] & (a.owed.shape[2] - 1)
    a.owed[port, way, at, _OWNER] = owner
    a.owed[port, way, at, _BEGIN] = begin
    a.owed[port, way, at, _BEATS] = beats
    a.owed[port, way, at, _ADR] = adr
    m.tail[way] += 1


@compiled
def _answered(a, port, clock, adr, beats, we):
    timing = a.shadow_timing if port == 1 else a.timing
    return burst(timing, clock, adr, beats, we)


@compiled
def take_read(m, a, port, clock, owner, adr, beats):
    """A read's address is taken in this clock."""
    begin = max(_answered(a, port, clock, adr, beats, 0), m.last[_READ] + 1)
    m.last[_READ] = begin + beats - 1
    _keep(m, a, port, _READ, owner, begin, beats, adr)


@compiled
def take_write(m, a, port, owner, adr, beats):
    """A write's address is taken in this clock."""
    _keep(m, a, port, _WRITE, owner, -1, beats, adr)


@compiled
def give(m, a, port, clock):
    """A beat of data is taken in this clock; called after the address."""
    m.beats += 1
    if m.beats == _owed(a, port, _WRITE, m.data, _BEATS):
        at = m.data & (a.owed.shape[2] - 1)
        adr = _owed(a, port, _WRITE, m.data, _ADR)
        a.owed[port, _WRITE, at, _BEGIN] = _answered(a, port, clock, adr, m.beats, 1)
        m.beats = 0
        m.data += 1


@compiled
def home_of_read(m, a, port, clock):
    """Whose read's data comes in this clock."""
    if m.head[_READ] == m.tail[_READ] or _owed(a, port, _READ, m.head[_READ], _BEGIN) > clock:
        return NOBODY
    return _owed(a, port, _READ, m.head[_READ], _OWNER)


@compiled
def read_is_last(m, a, port, clock):
    """The clock's end of one in which data comes. Returns whether it is the last of its read."""
    last = clock + 1 == (_owed(a, port, _READ, m.head[_READ], _BEGIN)
                         + _owed(a, port, _READ, m.head[_READ], _BEATS))
    m.head[_READ] += last
    return last


@compiled
def home_of_write(m, a, port, clock):
    """Whose write is answered in this clock, if that takes the answer."""
    if m.head[_WRITE] == m.data or _owed(a, port, _WRITE, m.head[_WRITE], _BEGIN) > clock:
        return NOBODY
    return _owed(a, port, _WRITE, m.head[_WRITE], _OWNER)


@compiled
def answer_write(m):
    """The clock's end of one in which a write's answer is taken."""
    m.head[_WRITE] += 1
