"""Walks through the regions of the initial copy."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .control import RegionLookup

__all__ = ["InitialWalk"]


class InitialWalk(wiring.Component):
    """Proposes the blocks of the enabled regions, one after another.

    The next region is looked up while one is being walked through, so that none costs more than a
    clock beside those of its blocks.

    Members
    -------
    regions : ``In(RegionLookup(params))``
    reset : ``In(1)``
        For a clock at least after the table was changed.
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
            "regions": In(RegionLookup(params)),
            "reset": In(1),
            "proposed": Out(1),
            "block": Out(params.block_bits),
            "next": In(1),
            "done": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        count = self._params.regions
        region = Signal(range(count + 1))
        last = Signal(self._params.block_bits, reset_less=True)
        m.d.comb += [
            self.regions.index.eq(Mux(self.reset, 0, region + 1)),
        ]
        with m.If(self.reset):
            m.d.sync += [region.eq(0), self.proposed.eq(0), self.done.eq(0)]
        with m.Elif(~self.done & ~self.proposed):
            m.d.sync += [
                self.block.eq(self.regions.first),
                last.eq(self.regions.last),
                self.proposed.eq(self.regions.enable),
            ]
            with m.If(~self.regions.enable):
                m.d.sync += [region.eq(region + 1), self.done.eq(region == count - 1)]
        with m.Elif(self.next & (self.block == last)):
            m.d.sync += [region.eq(region + 1), self.done.eq(region == count - 1),
                         self.proposed.eq(0)]
        with m.Elif(self.next):
            m.d.sync += self.block.eq(self.block + 1)
        return m
