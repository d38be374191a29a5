"""The copy map's port on Wishbone, where the map is in the memory."""

from amaranth.hdl import Const, Module, Mux
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..copier import Answer
from ..map_requests import request_layout
from ..params import MAP_ROW_BITS, MAP_ROW_BYTES
from . import wishbone

__all__ = ["WishboneMapPort"]


class WishboneMapPort(wiring.Component):
    """Makes reads and writes of rows Wishbone requests, without bursts.

    A read is of the whole beat that holds the row, a write of the row's byte lanes. Takes no clock
    in the pipelined form. In the classic form an answer that comes in the clock of its request is
    passed on in the next.

    Parameters
    ----------
    params : SnapshotParams

    Members
    -------
    request : ``In(stream.Signature(request_layout))``
    answer : ``Out(Answer(data_width))``
    bus : ``Out(wishbone.Signature)``
    """

    def __init__(self, params):
        self._params = params
        super().__init__({
            "request": In(stream.Signature(request_layout(params))),
            "answer": Out(Answer(params.data_width)),
            "bus": Out(wishbone.Signature.of(params)),
        })

    def elaborate(self, platform):
        m = Module()
        bus, request, answer = self.bus, self.request, self.answer
        error = bus.err | getattr(bus, "rty", 0)
        in_beat = self._params.beat_bytes // MAP_ROW_BYTES
        row = request.payload.row
        lanes = Const((1 << MAP_ROW_BYTES) - 1, MAP_ROW_BYTES)
        m.d.comb += [
            bus.cyc.eq(request.valid),
            bus.stb.eq(request.valid),
            bus.we.eq(request.payload.we),
            bus.dat_w.eq(request.payload.data),
            bus.sel.eq(~0),
            bus.adr.eq(self._params.map_base // self._params.beat_bytes + row // in_beat),
        ]
        if in_beat == 2:
            m.d.comb += [
                bus.dat_w.eq(Mux(row[0], request.payload.data << MAP_ROW_BITS,
                                 request.payload.data)),
                bus.sel.eq(Mux(bus.we, Mux(row[0], lanes << MAP_ROW_BYTES, lanes), ~0)),
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
        return m
