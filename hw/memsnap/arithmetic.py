"""Comparisons and counts that take few cells, or few levels of logic."""

from amaranth.hdl import Const, Mux
from amaranth.utils import exact_log2

__all__ = ["is_among", "is_at_end", "is_below", "is_below_soon", "step_count"]


def is_below(a, b):
    """Whether ``a < b``, both unsigned: as the sign of a difference, which is a carry chain alone.

    Of a comparison, synthesis makes as much or twice that, as the names of the two happen to sort.
    """
    return (a - b)[-1]


def is_below_soon(a, b):
    """Whether ``a < b``, both unsigned: in few levels of logic and no carry chain, for few bits."""
    size = max(len(a), len(b))
    ends = [(~low & high, low == high) for low, high in (
        (a[bit] if bit < len(a) else Const(0), b[bit] if bit < len(b) else Const(0))
        for bit in range(size))]     # below, and equal, bit for bit
    while len(ends) > 1:            # join neighbours: the upper decides, if it does
        pairs = [(upper[0] | upper[1] & lower[0], upper[1] & lower[1])
                 for lower, upper in zip(ends[::2], ends[1::2], strict=False)]
        ends = pairs + ends[2 * len(pairs):]
    return ends[0][0]


def is_among(value, first, count):
    """Whether ``value`` is one of ``count`` from ``first`` on: in few levels, too."""
    return ~is_below_soon(value, Const(first)) & is_below_soon(value, Const(first + count))


def is_at_end(count, end):
    """Whether ``count``, which goes no further, is at ``end``: a bit alone for a power of two."""
    return count[exact_log2(end)] if end & end - 1 == 0 else count == end


def step_count(m, count, step, *, early, late):
    """Adds ``step`` in a clock of ``early`` alone, and takes it off in one of ``late`` alone.

    What is added does not depend on ``late``, which may be known late in the clock.
    """
    with m.If(early ^ late):
        m.d.sync += count.eq(count + Mux(early, step, -step))
