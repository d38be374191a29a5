"""Walks through the regions of the initial copy."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .control import region_layout

__all__ = ["InitialWalk"]


class InitialWalk(wiring.Component):
    """Proposes the blocks of the enabled regions, one after another.

    Members
    -------
    regions : ``In(ArrayLayout(region_layout))``
    reset : ``In(1)``
    proposed : ``Out(1)``
    block : ``Out(block_bits)``
    next : ``In(1)``
        The proposal was dealt with.
    done : ``Out(1)``
        There are no more.
    """

    def __init__(self, params):
        self._params = params
        super().__init__({
            "regions": In(data.ArrayLayout(region_layout(params.addr_width), params.regions)),
            "reset": In(1),
            "proposed": Out(1),
            "block": Out(params.block_bits),
            "next": In(1),
            "done": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        count = self._params.regions
        low = self._params.beat_shift + self._params.beat_bits
        high = self._params.beat_shift + self._params.span_bits
        region = Signal(range(count + 1))
        first = Signal(self._params.block_bits)
        last = Signal(self._params.block_bits)
        enabled = Signal()

        with m.Switch(region):
            for index in range(count):
                with m.Case(index):
                    m.d.comb += [
                        first.eq(self.regions[index].base[low:high]),
                        last.eq(self.regions[index].limit[low:high]),
                        enabled.eq(self.regions[index].enable),
                    ]
        m.d.comb += self.done.eq(region == count)
        with m.If(self.reset):
            m.d.sync += [region.eq(0), self.proposed.eq(0)]
        with m.Elif(~self.done & ~self.proposed):
            m.d.sync += [self.block.eq(first), self.proposed.eq(enabled)]
            with m.If(~enabled):
                m.d.sync += region.eq(region + 1)
        with m.Elif(self.next & (self.block == last)):
            m.d.sync += [region.eq(region + 1), self.proposed.eq(0)]
        with m.Elif(self.next):
            m.d.sync += self.block.eq(self.block + 1)
        return m
