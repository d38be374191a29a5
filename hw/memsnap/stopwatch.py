"""Counts clocks in a row, up to a limit."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .arithmetic import is_below

__all__ = ["Stopwatch"]


class Stopwatch(wiring.Component):
    """Counts the clocks for which something goes on without a break.

    The comparison with the limit has a clock of its own, and ``over`` comes out of registers; or,
    if ``late``, it comes out of the comparison, and nothing but a register waits for ``on``.

    Parameters
    ----------
    late : bool
        ``on`` is known late in its clock.

    Members
    -------
    on : ``In(1)``
    limit : ``In(32)``
        Unchanged while ``on``; 0 for none.
    clocks : ``Out(32)``
        For how many clocks it has been on, this one included; 1 while it is not. No more than
        2 ** 32 - 1 are told apart. If ``late``, all this as it was in the clock before.
    over : ``Out(1)``
        It was on in each of the last ``limit`` clocks, and in no more of them; one clock.
    """

    def __init__(self, *, late=False):
        self._late = late
        super().__init__({
            "on": In(1), "limit": In(32), "clocks": Out(32, init=1), "over": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        far = Signal()          # beyond what 32 bits reach
        was_on = Signal(2)      # in the clock before, and in that before
        below = Signal(2)       # the limit, likewise
        # It is not below its limit any more. In its first clock it is so with a limit of 1, and
        # of 0, which is none
        m.d.comb += self.over.eq(was_on[0] & ~below[0] & Mux(was_on[1], below[1], self.limit[0]))
        m.d.sync += [was_on.eq(Cat(self.on, was_on)), below[1].eq(below[0])]
        m.d["comb" if self._late else "sync"] += below[0].eq(is_below(self.clocks, self.limit))
        with m.If(~(was_on[0] if self._late else self.on)):
            m.d.sync += [self.clocks.eq(1), far.eq(0)]
        with m.Elif(~far):
            m.d.sync += Cat(self.clocks, far).eq(self.clocks + 1)
        return m
