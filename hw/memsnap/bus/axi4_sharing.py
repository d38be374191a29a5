"""Tells when the copier should leave gaps for initiators on a channel of AXI4."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["RECENT_CLOCKS", "SLOW_CLOCKS", "Axi4Sharing"]

#: What is recent. A program that asks more rarely loses little when it waits behind the copier.
RECENT_CLOCKS = 1024
#: Clocks without a beat, less those with one, after which a memory is slow.
SLOW_CLOCKS = 32


class Axi4Sharing(wiring.Component):
    """Whether the copier's bursts on a channel should be of one beat.

    An initiator's access waits behind all that the copier asked for before it. So if initiators
    use the channel, too, single beats serve them best, and cost the copy nothing if the memory
    takes a request in each clock. Where it does not, as a DRAM that opens rows, they would cost
    both a lot; that is seen by less than one beat in two clocks.

    Members
    -------
    asked : ``In(1)``
        An initiator offers an address in this clock.
    waits : ``In(1)``
        The copier waits for an answer.
    beat : ``In(1)``
        A beat of anybody's is transferred.
    single : ``Out(1)``
        There was an address in one of the 1024 clocks before this, and the memory was not slow,
        as counted two clocks before.
    """

    def __init__(self):
        super().__init__({"asked": In(1), "waits": In(1), "beat": In(1), "single": Out(1)})

    def elaborate(self, platform):
        m = Module()
        # Whether a write passes is decided late, and so is whether its data does: what is counted
        # is that of the clock before
        just = Signal()
        waited, moved = Signal(), Signal()
        left = Signal(range(RECENT_CLOCKS))
        lag = Signal(range(2 * SLOW_CLOCKS))
        m.d.sync += [just.eq(self.asked), waited.eq(self.waits), moved.eq(self.beat)]
        with m.If(just):
            m.d.sync += left.eq(RECENT_CLOCKS - 2)
        with m.Elif(left != 0):
            m.d.sync += left.eq(left - 1)
        with m.If(moved):
            m.d.sync += lag.eq(lag - (lag != 0))
        with m.Elif(waited):
            m.d.sync += lag.eq(lag + (lag != 2 * SLOW_CLOCKS - 1))
        m.d.sync += self.single.eq((self.asked | just | (left != 0)) & (lag < SLOW_CLOCKS))
        return m
