"""What a burst touches: its first and last beat, and whether they are in a range."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..params import Map
from ..ranges import beat_layout
from .axi4 import Burst

__all__ = ["BurstRange"]

#: log2 of the bytes that a burst stays within (A3.4.1).
PAGE_BITS = 12


class BurstRange(wiring.Component):
    """Finds what a burst touches, in the same clock.

    A burst stays within 4096 bytes, and touches everything between its lowest and highest byte
    (A3.4.1): INCR from its first address on, WRAP all of its container, FIXED one beat.

    Parameters
    ----------
    params : SnapshotParams

    Members
    -------
    addr, len, size, burst
        Of the address channel.
    memory, shadow, map : ``Out(1)``
        It touches the memory, the shadow, or the copy map in the memory.
    first, last : ``Out(beat_layout)``
        The first and the last beat of the memory that it touches, if it does.
    """

    def __init__(self, params):
        self._params = params
        place = beat_layout(params)
        super().__init__({
            "addr": In(params.addr_width), "len": In(8), "size": In(3), "burst": In(Burst),
            "memory": Out(1), "shadow": Out(1), "map": Out(1),
            "first": Out(place), "last": Out(place),
        })

    def elaborate(self, platform):
        m = Module()
        params = self._params
        shift = params.beat_shift
        start = self.addr[:PAGE_BITS]
        within = Signal(PAGE_BITS)       # what the lanes of one transfer differ in
        extent = Signal(PAGE_BITS)       # bytes of all transfers but the last
        low, high = Signal(PAGE_BITS), Signal(PAGE_BITS)
        m.d.comb += [
            within.eq(Cat(self.size > bit for bit in range(PAGE_BITS))),
            extent.eq(self.len << self.size),
            low.eq(start),
            high.eq(start | within),
        ]
        with m.If(self.burst == Burst.INCR):
            m.d.comb += high.eq((start | within) + extent)
        with m.If(self.burst == Burst.WRAP):
            m.d.comb += [low.eq(start & ~(extent | within)), high.eq(start | extent | within)]

        page = self.addr[PAGE_BITS:]
        first, last = Cat(low[shift:], page), Cat(high[shift:], page)
        m.d.comb += [
            self.memory.eq(self._touches(first, last, params.memory_base)),
            self.shadow.eq(self._touches(first, last, params.shadow_base)),
        ]
        self._clamp(m, first, last)
        if params.map is Map.MEMORY:
            end = params.map_first_block + params.map_blocks - 1
            m.d.comb += self.map.eq(self.memory & (self.last.block >= params.map_first_block)
                                    & (self.first.block <= end))
        return m

    def _bounds(self, base):
        """The beats of a smaller range than a page, in its page."""
        first = (base >> self._params.beat_shift) % (1 << PAGE_BITS - self._params.beat_shift)
        return first, first + self._beats - 1

    @property
    def _beats(self):
        return self._params.memory_size // self._params.beat_bytes

    @property
    def _is_small(self):
        """The memory is less than a page."""
        return self._params.span_bits + self._params.beat_shift < PAGE_BITS

    def _touches(self, first, last, base):
        """Whether some of these beats are in the range from ``base`` on."""
        span, shift = self._params.span_bits, self._params.beat_shift
        if not self._is_small:
            inside = first[span:] == base >> span + shift
            return inside if self._beats == 1 << span else inside & (first[:span] < self._beats)
        page_bits = PAGE_BITS - shift
        lowest, highest = self._bounds(base)
        return ((first[page_bits:] == base >> PAGE_BITS) & (first[:page_bits] <= highest)
                & (last[:page_bits] >= lowest))

    def _clamp(self, m, first, last):
        """What of a burst is in the memory."""
        span = self._params.span_bits
        if self._is_small:
            page_bits = PAGE_BITS - self._params.beat_shift
            lowest, highest = self._bounds(self._params.memory_base)
            low = Mux(first[:page_bits] < lowest, lowest, first[:page_bits])
            high = Mux(last[:page_bits] > highest, highest, last[:page_bits])
        else:
            low, high = first[:span], last[:span]
            if self._beats != 1 << span:
                high = Mux(high >= self._beats, self._beats - 1, high)
        width = len(self.first.as_value()) - span
        m.d.comb += [
            self.first.as_value().eq(Cat(low[:span], Const(0, width))),
            self.last.as_value().eq(Cat(high[:span], Const(0, width))),
        ]
