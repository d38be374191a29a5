"""An initiator on AXI4: reads and writes go their own ways, each in order.

Its accesses begin in their order, one in a clock at the most. One that has begun has its address on
the bus when the addresses of its direction before it are accepted; so a write that is held keeps
the reads behind it from nothing. A write's data follows its address at once, a beat in each clock.
"""

from ._compiled import compiled
from .initiator import pull

__all__ = ["ADR", "BEATS", "NUMBER", "accept", "advance", "asked", "beat", "data_is_last", "hear",
           "offers", "offers_data"]

_READ, _WRITE = 0, 1

#: What is kept of an access that has begun: its word address, its beats, and which it is.
ADR, BEATS, NUMBER = range(3)


@compiled
def asked(a, port, way, count, what):
    """Something of the access that was the ``count``-th of its direction to begin."""
    return a.asked[port, way, count & (a.asked.shape[2] - 1), what]


@compiled
def offers(x, way):
    """Whether an address of this direction is on the bus."""
    return x.begun[way] != x.accepted[way]


@compiled
def offers_data(x):
    """Whether data of a write is on the bus: that of one whose address is, or was."""
    return x.data != x.begun[_WRITE] and x.data <= x.accepted[_WRITE]


@compiled
def data_is_last(x, a, port):
    """Whether the data on the bus is the last of its write."""
    return x.beat + 1 == asked(a, port, _WRITE, x.data, BEATS)


@compiled
def beat(x, a, port):
    """The clock's end: a beat of data is taken."""
    if data_is_last(x, a, port):
        x.data += 1
        x.beat = 0
    else:
        x.beat += 1


@compiled
def _send(x, i, a, way, clock, p):
    """The address is on the bus from ``clock`` on."""
    if p.log:
        a.log[i.port, asked(a, i.port, way, x.accepted[way], NUMBER), 0] = clock


@compiled
def accept(x, i, a, way, clock, p):
    """The clock's end: the address on the bus is taken."""
    if p.log:
        a.log[i.port, asked(a, i.port, way, x.accepted[way], NUMBER), 1] = clock
    x.accepted[way] += 1
    if offers(x, way):
        _send(x, i, a, way, clock + 1, p)


@compiled
def hear(x, i, a, way, clock, p):
    """The oldest access of a direction is answered."""
    if p.log:
        a.log[i.port, asked(a, i.port, way, x.answered[way], NUMBER), 2] = clock
    x.answered[way] += 1
    i.answered += 1
    i.last_answer = clock


@compiled
def advance(x, i, a, clock, p):
    """Decides what begins in ``clock``, the one that comes."""
    if not pull(i, a) or i.made - i.answered >= p.initiator_in_flight:
        return
    if i.wait:
        i.wait -= 1
        return
    way = _WRITE if i.next_we else _READ
    at = x.begun[way] & (a.asked.shape[2] - 1)
    a.asked[i.port, way, at, ADR] = i.next_adr
    a.asked[i.port, way, at, BEATS] = a.accesses[i.port, i.made - i.base, 3]
    a.asked[i.port, way, at, NUMBER] = i.made
    x.begun[way] += 1
    if x.begun[way] - x.accepted[way] == 1:
        _send(x, i, a, way, clock, p)
    i.pulled = 0
    i.made += 1
