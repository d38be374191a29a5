"""The most that the background copy may do."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .arithmetic import is_below

__all__ = ["Pace"]


class Pace(wiring.Component):
    """Allows the background copy a block in ``clocks`` clocks at the most, and none while paused.

    What ``clocks`` and ``pause`` say holds from the next clock on.

    Members
    -------
    clocks : ``In(16)``
        0 or 1 for as many as it can.
    pause : ``In(1)``
    claimed : ``In(1)``
        The background copy takes a block.
    go : ``Out(1)``
        It may take one.
    """

    def __init__(self):
        super().__init__({"clocks": In(16), "pause": In(1), "claimed": In(1), "go": Out(1)})

    def elaborate(self, platform):
        m = Module()
        # Clocks since the last block, as they are in the next clock; up to all, or not yet known
        since = Signal(16, init=2)
        was_claimed = Signal()
        m.d.sync += [
            was_claimed.eq(self.claimed),
            self.go.eq(~self.pause & Mux(
                self.claimed, self.clocks <= 1,
                Mux(was_claimed, self.clocks <= 2, ~is_below(since, self.clocks)))),
        ]
        with m.If(was_claimed):
            m.d.sync += since.eq(3)
        with m.Elif(~since.all()):
            m.d.sync += since.eq(since + 1)
        return m
