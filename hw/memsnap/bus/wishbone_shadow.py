"""The port to a separate shadow memory on Wishbone."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from . import wishbone

__all__ = ["WishboneShadowPort"]


class WishboneShadowPort(wiring.Component):
    """Brings the copier's writes to a memory of their own.

    Requests and answers pass in the clock in which they come. ``cyc`` stays until all are answered.
    ``abort`` gives up all that is in flight, as in :class:`WishboneArbiter`: ``cyc`` falls for at
    least one clock, and each request is answered with ``err``.

    Parameters
    ----------
    params : SnapshotParams

    Members
    -------
    write : ``In(wishbone.Signature)``
    m : ``Out(wishbone.Signature)``
    abort, aborting, waiting
        See :class:`WishboneArbiter`.
    """

    def __init__(self, params):
        self._params = params
        bus = wishbone.Signature.of_shadow(params)
        super().__init__({
            "write": In(bus),
            "m": Out(bus),
            "abort": In(1),
            "aborting": Out(1),
            "waiting": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        write = self.write
        answer = Signal()
        m.d.comb += [
            answer.eq(self.m.ack | self._error()),
            *(getattr(self.m, name).eq(getattr(write, name))
              for name in ("we", "adr", "dat_w", "sel")),
            self.m.stb.eq(write.stb & self._may_request(m, answer)),
            write.dat_r.eq(self.m.dat_r),
        ]
        return m

    def _error(self):
        return self.m.err | getattr(self.m, "rty", 0)

    def _may_request(self, m, answer):
        if not self._params.pipelined:
            m.d.comb += [
                self.m.cyc.eq(self.write.cyc & ~self.aborting),
                self.waiting.eq(self.m.stb & ~answer),
                self.write.ack.eq(self.m.ack & self.m.stb),
                self.write.err.eq(self._error() & self.m.stb | self.aborting),
            ]
            m.d.sync += self.aborting.eq(self.abort & self.m.stb & ~answer)
            return ~self.aborting
        depth = self._params.max_in_flight
        in_flight = Signal(range(depth + 1))
        accepted = Signal()
        taken = Signal()
        may_request = Signal()
        m.d.comb += [
            may_request.eq((in_flight != depth) & ~self.aborting),
            accepted.eq(self.m.stb & ~self.m.stall),
            taken.eq((answer | self.aborting) & (in_flight != 0)),
            self.m.cyc.eq((self.write.cyc | (in_flight != 0)) & ~self.aborting),
            self.waiting.eq((self.m.stb | (in_flight != 0)) & ~accepted & ~answer),
            self.write.stall.eq(self.m.stall | ~may_request),
            self.write.ack.eq(taken & self.m.ack & ~self.aborting),
            self.write.err.eq(taken & (self._error() | self.aborting)),
        ]
        m.d.sync += [
            in_flight.eq(in_flight + accepted - taken),
            self.aborting.eq(self.abort | (self.aborting & (in_flight > 1))),
        ]
        return may_request
