"""The regions of the initial copy: checked when they are written, kept as blocks."""

from amaranth.hdl import Const, Module, Signal
from amaranth.lib import data, enum, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from .arithmetic import is_below
from .control import Refusal, RegionLookup

__all__ = ["RegionTable", "RegionWord"]

#: Clocks from asking for a word to the word.
_LATENCY = 2


class RegionWord(enum.Enum, shape=3):
    """The words of a region, by their place among its registers."""

    BASE_LO = 0
    BASE_HI = 1
    LIMIT_LO = 2
    LIMIT_HI = 3
    ATTR = 4


class RegionTable(wiring.Component):
    """Looks at the words of a region after each write to one of them.

    The words are kept elsewhere, for software. Here is what the unit needs of them: first and last
    block, in a small RAM, and three flags for each region. A check takes five clocks, seven where
    an address has more than 32 bits; in the last of them all that is kept here changes at once.

    Parameters
    ----------
    params : SnapshotParams

    Members
    -------
    changed : ``In(1)``
        A word of region ``index`` is written in this clock, and none is being checked.
    index : ``In(range(regions))``
        Must stay while ``busy``.
    busy : ``Out(1)``
        The check is under way, from the clock after ``changed``.
    word : ``Out(RegionWord)``
        The word of region ``index`` that is asked for.
    value : ``In(32)``
        The word that was asked for two clocks before.
    lookup : ``Out(RegionLookup(params))``
    unsound : ``Out(Refusal)``
        What a start is to be refused for, because of an enabled region; else ``NONE``.
    """

    def __init__(self, params):
        self._params = params
        super().__init__({
            "changed": In(1),
            "index": In(range(max(2, params.regions))),
            "busy": Out(1),
            "word": Out(RegionWord),
            "value": In(32),
            "lookup": Out(RegionLookup(params)),
            "unsound": Out(Refusal),
        })
        self._high = params.beat_shift + params.span_bits   # above, all of the memory is alike
        self._blocks = Signal(data.ArrayLayout(params.block_bits, 2), reset_less=True)
        self._above = Signal(2, reset_less=True)    # base, limit: the words so far are too large
        self._outside = Signal(reset_less=True)     # base or limit is not in the memory
        self._crossed = Signal(reset_less=True)     # the base is above the limit

    def elaborate(self, platform):
        m = Module()
        words = [RegionWord.BASE_LO, RegionWord.LIMIT_LO]
        if self._params.addr_width > 32:
            words += [RegionWord.BASE_HI, RegionWord.LIMIT_HI]
        words.append(RegionWord.ATTR)
        step = Signal(range(len(words) + _LATENCY))
        base = Signal(32, reset_less=True)
        with m.If(self.changed):
            m.d.sync += self.busy.eq(1)
        with m.If(self.busy):
            m.d.sync += step.eq(step + 1)
        with m.Switch(step):
            for place, word in enumerate(words):
                with m.Case(place):
                    m.d.comb += self.word.eq(word)
        keep = Signal()
        with m.Switch(step):
            for place, word in enumerate(words, start=_LATENCY):
                with m.Case(place):
                    if word is RegionWord.ATTR:
                        m.d.comb += keep.eq(1)
                        m.d.sync += [step.eq(0), self.busy.eq(0)]
                    else:
                        self._look(m, word=word, base=base)
        self._keep(m, keep=keep)
        return m

    def _look(self, m, *, word, base):
        """Takes a word of an address into account; the low words come first, bases first."""
        params = self._params
        is_limit = word in (RegionWord.LIMIT_LO, RegionWord.LIMIT_HI)
        lsb = 32 if word in (RegionWord.BASE_HI, RegionWord.LIMIT_HI) else 0
        # A low word is looked at as a whole: an address with too many bits is not in the memory
        width = min(params.addr_width - lsb, 32) if lsb else 32
        offset = max(0, min(self._high - lsb, width))       # bits of it that tell the place
        first = word is RegionWord.BASE_LO
        m.d.sync += self._outside.eq(self._is_outside(m, lsb, width, offset, is_limit)
                                     | (0 if first else self._outside))
        if not is_limit:
            m.d.sync += base.eq(self.value)
        elif offset:
            crossed = is_below(self.value[:offset], base[:offset])
            if lsb:
                crossed |= (base[:offset] == self.value[:offset]) & self._crossed
            m.d.sync += self._crossed.eq(crossed)
        low = params.beat_shift + params.beat_bits
        start, stop = max(low, lsb), min(self._high, lsb + 32)
        if start < stop:
            m.d.sync += self._blocks[is_limit][start - low:stop - low].eq(
                self.value[start - lsb:stop - lsb])

    def _is_outside(self, m, lsb, width, offset, is_limit):
        """Whether the word puts its address out of the memory."""
        params = self._params
        outside = Const(0)
        if offset < width:
            outside = self.value[offset:width] != (params.memory_base >> lsb + offset
                                                   & (1 << width - offset) - 1)
        if offset and params.memory_size != 1 << self._high:
            last = params.memory_size - 1 >> lsb & (1 << offset) - 1
            above = self.value[:offset] > last
            if lsb:
                above |= (self.value[:offset] == last) & self._above[is_limit]
            m.d.sync += self._above[is_limit].eq(above)
            if self._high <= lsb + width:
                outside |= above
        return outside

    def _keep(self, m, *, keep):
        """All that is kept of the region changes at once."""
        count = self._params.regions
        m.submodules.entries = entries = Memory(
            shape=self._blocks.shape(), depth=max(2, count), init=[])
        write, read = entries.write_port(), entries.read_port()
        enabled, outside, crossed = (Signal(count, name=name) for name in (
            "enabled", "outside", "crossed"))
        enable = self.value[0]
        m.d.comb += [
            write.addr.eq(self.index), write.data.eq(self._blocks), write.en.eq(keep),
            read.addr.eq(self.lookup.index),
            self.lookup.first.eq(read.data[0]), self.lookup.last.eq(read.data[1]),
        ]
        m.d.sync += self.lookup.enable.eq(enabled.bit_select(self.lookup.index, 1))
        for index in range(count):
            with m.If(keep & (self.index == index)):
                m.d.sync += [
                    enabled[index].eq(enable),
                    outside[index].eq(enable & self._outside),
                    crossed[index].eq(enable & self._crossed),
                ]
        with m.If(outside.any()):
            m.d.comb += self.unsound.eq(Refusal.REGION_RANGE)
        with m.Elif(crossed.any()):
            m.d.comb += self.unsound.eq(Refusal.REGION_ORDER)
