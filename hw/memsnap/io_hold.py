"""Holds the masters that reach the memory by another way than through a gate."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["IoHold"]


class IoHold(wiring.Component):
    """Asks ungated masters to hold still from before the instant until the initial copy is safe.

    ``io_hold`` rises with the start; the instant waits for ``io_held``, so that nothing that they
    write comes after it unseen. When all that the regions hold is captured, or the snapshot ends,
    ``io_hold`` falls: from then on they may write to the regions, and nowhere else.

    Members
    -------
    use : ``In(1)``
        There are such masters.
    io_hold, io_held : ``Out(1)``, ``In(1)``
        The request, and the answer: no write of theirs is under way, nor will be while ``io_hold``.
    arming, active : ``In(1)``
        See :class:`memsnap.lifecycle.Lifecycle`.
    safe : ``In(1)``
        The initial copy is captured.
    ready : ``Out(1)``
        The instant need not wait.
    waiting : ``Out(1)``
        It does.
    """

    def __init__(self):
        super().__init__({
            "use": In(1), "io_hold": Out(1), "io_held": In(1), "arming": In(1), "active": In(1),
            "safe": In(1), "ready": Out(1), "waiting": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        released = Signal()
        m.d.comb += [
            self.io_hold.eq(self.use & (self.arming | (self.active & ~released))),
            self.ready.eq(~self.use | self.io_held),
            self.waiting.eq(self.arming & ~self.ready),
        ]
        m.d.sync += released.eq(self.active & (released | self.safe))
        return m
