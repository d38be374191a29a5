"""Counts clocks in a row, up to a limit."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Stopwatch"]


class Stopwatch(wiring.Component):
    """Counts the clocks for which something goes on without a break.

    ``over`` comes out of registers, and the comparison before it has a clock of its own.

    Members
    -------
    on : ``In(1)``
    limit : ``In(32)``
        Unchanged while ``on``; 0 for none.
    clocks : ``Out(32)``
        For how many clocks it has been on, this one included; 1 while it is not. No more than
        2 ** 32 - 1 are told apart.
    over : ``Out(1)``
        It was on in each of the last ``limit`` clocks, and in no more of them; one clock.
    """

    def __init__(self):
        super().__init__({
            "on": In(1), "limit": In(32), "clocks": Out(32, init=1), "over": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        far = Signal()          # beyond what 32 bits reach
        was_on = Signal()
        reached = Signal()      # the limit, in the clock before
        m.d.comb += self.over.eq(was_on & reached & ~far)
        m.d.sync += [was_on.eq(self.on), reached.eq(self.clocks == self.limit)]
        with m.If(~self.on):
            m.d.sync += [self.clocks.eq(1), far.eq(0)]
        with m.Elif(~far):
            m.d.sync += Cat(self.clocks, far).eq(self.clocks + 1)
        return m
