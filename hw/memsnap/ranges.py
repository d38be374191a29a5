"""Where a beat address falls: in the memory, in the shadow, in which block."""

from amaranth.hdl import Cat, Const, Mux, unsigned
from amaranth.lib import data
from amaranth.utils import exact_log2

from .params import Map

__all__ = ["beat_adr", "beat_layout", "in_map", "in_range", "is_at_end", "is_below",
           "is_below_soon", "place_of", "step_count"]


def beat_layout(params):
    """A beat of the memory: its ``block``, and the ``beat`` in it (no bits in one-beat blocks)."""
    return data.StructLayout({
        "beat": unsigned(params.beat_bits),
        "block": unsigned(params.block_bits),
    })


def in_range(params, adr, base):
    """Whether beat address ``adr`` lies within the memory's size from ``base`` (in bytes)."""
    span = params.span_bits
    inside = adr[span:] == (base >> params.beat_shift + span)
    beats = params.memory_size // params.beat_bytes
    return inside if beats == 1 << span else inside & (adr[:span] < beats)


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


def is_at_end(count, end):
    """Whether ``count``, which goes no further, is at ``end``: a bit alone for a power of two."""
    return count[exact_log2(end)] if end & end - 1 == 0 else count == end


def step_count(m, count, step, *, early, late):
    """Adds ``step`` in a clock of ``early`` alone, and takes it off in one of ``late`` alone.

    What is added does not depend on ``late``, which may be known late in the clock.
    """
    with m.If(early ^ late):
        m.d.sync += count.eq(count + Mux(early, step, -step))


def in_map(params, adr):
    """Whether beat address ``adr`` lies in the blocks that hold the copy map."""
    if params.map is Map.CHIP:
        return Const(0)
    block = place_of(params, adr).block
    last = params.map_first_block + params.map_blocks - 1
    return (in_range(params, adr, params.memory_base) & (block >= params.map_first_block)
            & (block <= last))


def place_of(params, adr):
    """The :func:`beat_layout` of a beat address in the memory or in the shadow."""
    layout = beat_layout(params)
    return data.View(layout, Cat(adr[:params.span_bits], Const(0, layout.size - params.span_bits)))


def beat_adr(params, place, base):
    """The beat address of ``place`` in the range that starts at ``base`` (in bytes)."""
    span = params.span_bits
    return Cat(place.as_value()[:span],
               Const(base >> params.beat_shift + span, params.adr_width - span))
