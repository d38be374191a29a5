"""The copier's port on Wishbone: one bus that only reads, one that only writes."""

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..copier import Answer
from ..copy_buffer import write_layout
from ..params import Shadow
from ..ranges import beat_adr, beat_layout
from . import wishbone

__all__ = ["WishboneCopyPort"]


class WishboneCopyPort(wiring.Component):
    """Makes the copier's requests Wishbone requests, of whole words and without bursts.

    Takes no clock in the pipelined form. In the classic form an answer that comes in the clock of
    its request is passed on in the next.

    Parameters
    ----------
    params : SnapshotParams

    Members
    -------
    read, read_answer, write, write_answer
        See :class:`memsnap.copier.Copier`.
    read_bus, write_bus : ``Out(wishbone.Signature)``
        To the memory, and to wherever the shadow is.
    """

    def __init__(self, params):
        self._params = params
        bus = wishbone.Signature.of(params)
        same = params.shadow is Shadow.SAME
        super().__init__({
            "read": In(stream.Signature(beat_layout(params))),
            "read_answer": Out(Answer(params.data_width)),
            "write": In(stream.Signature(write_layout(params))),
            "write_answer": Out(Answer(0)),
            "read_bus": Out(bus),
            "write_bus": Out(bus if same else wishbone.Signature.of_shadow(params)),
        })

    def elaborate(self, platform):
        m = Module()
        params = self._params
        self._join(m, self.read, self.read_answer, self.read_bus)
        self._join(m, self.write, self.write_answer, self.write_bus)
        m.d.comb += [
            self.read_bus.adr.eq(beat_adr(params, self.read.payload, params.memory_base)),
            self.write_bus.adr.eq(beat_adr(params, self.write.payload.place, params.shadow_base)),
            self.write_bus.dat_w.eq(self.write.payload.data),
            self.write_bus.we.eq(1),
        ]
        return m

    def _join(self, m, request, answer, bus):
        error = bus.err | getattr(bus, "rty", 0)
        m.d.comb += [
            bus.cyc.eq(request.valid),
            bus.stb.eq(request.valid),
            bus.sel.eq(~0),
        ]
        if self._params.pipelined:
            m.d.comb += [
                request.ready.eq(~bus.stall),
                answer.valid.eq(bus.ack | error),
                answer.error.eq(error),
                answer.data.eq(bus.dat_r),
            ]
        else:
            m.d.comb += request.ready.eq(bus.ack | error)
            m.d.sync += [
                answer.valid.eq(request.valid & request.ready),
                answer.error.eq(error),
                answer.data.eq(bus.dat_r),
            ]
