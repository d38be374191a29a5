"""What a burst touches: its first and last beat, and whether they are in a range."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for, exact_log2

from ..params import Map
from ..ranges import beat_layout, place_of
from .axi4 import Burst

__all__ = ["BurstRange"]

#: log2 of the bytes that a burst stays within (A3.4.1).
PAGE_BITS = 12


def _carry(left, right):
    """Whether the sum of two numbers has more bits than ``left``; ``right`` is cut to these.

    A tree of cells: for so few bits it is quicker than a chain of carries.
    """
    pairs = [(a & b, a | b) for a, b in zip(left, right, strict=False)]
    if len(left) > len(right):
        pairs += [(Const(0), bit) for bit in left[len(right):]]
    if not pairs:
        return Const(0)
    while len(pairs) > 1:       # where one comes about, and where one that comes is passed on
        joined = [(high[0] | high[1] & low[0], high[1] & low[1])
                  for low, high in zip(pairs[::2], pairs[1::2], strict=False)]
        pairs = joined + pairs[len(joined) * 2:]
    return pairs[0][0]


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
    start : ``Out(beat_layout)``
        Without arithmetic: a beat that it touches, in the same row of the copy map as ``first``.
    within : ``Out(1)``
        Known early in the clock: the burst ends in the block in which it starts, that of ``start``.
    """

    def __init__(self, params):
        self._params = params
        place = beat_layout(params)
        super().__init__({
            "addr": In(params.addr_width), "len": In(8), "size": In(3), "burst": In(Burst),
            "memory": Out(1), "shadow": Out(1), "map": Out(1),
            "first": Out(place), "last": Out(place), "start": Out(place), "within": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        params = self._params
        shift = params.beat_shift
        start = self.addr[:PAGE_BITS]
        # A transfer is no wider than the bus (A3.4.1)
        size = self.size[:bits_for(shift)]
        lanes = Signal(PAGE_BITS)        # what the lanes of one transfer differ in
        extent = Signal(PAGE_BITS)       # bytes of all transfers but the last
        low, high = Signal(PAGE_BITS), Signal(PAGE_BITS)
        m.d.comb += [
            lanes.eq(Cat(size > bit for bit in range(shift))),
            extent.eq(self.len << size),
            low.eq(start),
            high.eq(start | lanes),
        ]
        with m.If(self.burst == Burst.INCR):
            m.d.comb += high.eq((start | lanes) + extent)
        with m.If(self.burst == Burst.WRAP):
            m.d.comb += [low.eq(start & ~(extent | lanes)), high.eq(start | extent | lanes)]

        page = self.addr[PAGE_BITS:]
        first, last = Cat(low[shift:], page), Cat(high[shift:], page)
        m.d.comb += [
            self.memory.eq(self._touches(first, last, params.memory_base)),
            self.shadow.eq(self._touches(first, last, params.shadow_base)),
        ]
        self._clamp(m, first, last)
        self._start(m)
        if params.map is Map.MEMORY:
            end = params.map_first_block + params.map_blocks - 1
            m.d.comb += self.map.eq(self.memory & (self.last.block >= params.map_first_block)
                                    & (self.first.block <= end))
        return m

    def _start(self, m):
        """The block in which it starts, and whether it stays there."""
        if self._is_small:      # it may start outside
            m.d.comb += [self.start.eq(self.first),
                         self.within.eq(self.first.block == self.last.block)]
            return
        place = place_of(self._params, self.addr[self._params.beat_shift:])
        width = exact_log2(self._params.block_size)
        m.d.comb += [self.start.eq(place), self.within.eq(1)]
        if width >= PAGE_BITS:
            return
        shift = self._params.beat_shift
        goes_on, wraps_on = Signal(), Signal()     # INCR, WRAP
        with m.Switch(self.size[:bits_for(shift)]):
            for size in range(shift + 1):
                with m.Case(size):      # the last transfer, counted from the start of the block
                    beyond = self.len[width - size:].any()
                    m.d.comb += [goes_on.eq(beyond | _carry(self.addr[size:width], self.len)),
                                 wraps_on.eq(beyond)]
        m.d.comb += self.within.eq(~((self.burst == Burst.INCR) & goes_on
                                     | (self.burst == Burst.WRAP) & wraps_on))

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
