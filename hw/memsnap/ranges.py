"""Where a beat address falls: in the memory, in the shadow, in which block."""

from amaranth.hdl import Cat, Const, unsigned
from amaranth.lib import data

from .params import Map

__all__ = ["beat_adr", "beat_layout", "in_map", "in_range", "place_of"]


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
