"""The copy map's port on AXI4, where the map is in the memory."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..copier import Answer
from ..map_requests import request_layout
from ..params import MAP_ROW_BYTES
from . import axi4

__all__ = ["Axi4MapPort"]


class Axi4MapPort(wiring.Component):
    """Makes reads and writes of rows AXI4 transfers of four bytes.

    A read and a write are never in flight together, because AXI4 keeps no order between the two
    (A5.3.4). A request is offered in the clock after it was taken. ``abort`` is as in
    :class:`memsnap.bus.axi4_copy.Axi4CopyReads`.

    Parameters
    ----------
    params : SnapshotParams

    Members
    -------
    request : ``In(stream.Signature(request_layout))``
    answer : ``Out(Answer(data_width))``
    bus : ``Out(axi4.Signature)``
    abort, aborting, owing
        See :func:`memsnap.bus.fabric.fabric_members`.
    """

    def __init__(self, params):
        self._params = params
        super().__init__({
            "request": In(stream.Signature(request_layout(params))),
            "answer": Out(Answer(params.data_width)),
            "bus": Out(axi4.Signature.of(params, id_width=1)),
            "abort": In(1),
            "aborting": Out(1),
            "owing": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        bus, params = self.bus, self._params
        valid = Signal()
        request = data.View(request_layout(params), Signal(request_layout(params)))
        addressed, sent = Signal(), Signal()     # of the write on offer: AW, W are taken
        done = Signal()
        pending = Signal(range(params.max_in_flight + 2))
        writes = Signal.like(pending)            # offered to the memory, and not answered
        reading = Signal()
        offers = Signal()                        # the request at hand is offered
        begun = Signal()                         # and was so in the clock before

        m.d.comb += [
            offers.eq(valid & (begun | Mux(request.we, ~reading, ~reading & (writes == 0))
                               & (pending <= params.max_in_flight))),
            bus.awvalid.eq(offers & request.we & ~addressed),
            bus.wvalid.eq(offers & request.we & ~sent),
            bus.arvalid.eq(offers & ~request.we),
            done.eq(offers & Mux(request.we, (addressed | bus.awready) & (sent | bus.wready),
                                 bus.arready)),
            self.request.ready.eq((~valid | done) & ~self.owing
                                  & (pending <= params.max_in_flight)),
        ]
        m.d.sync += [
            begun.eq(offers & ~done),
            addressed.eq((addressed | bus.awvalid & bus.awready) & ~done),
            sent.eq((sent | bus.wvalid & bus.wready) & ~done),
        ]
        with m.If(self.request.valid & self.request.ready):
            m.d.sync += [valid.eq(1), request.eq(self.request.payload)]
        with m.Elif(done | (self.owing & ~offers)):
            m.d.sync += valid.eq(0)
        self._address(m, request)

        # Answers
        written = bus.bvalid & (writes != 0)
        read = bus.rvalid & reading
        begins = offers & ~begun
        m.d.comb += [
            bus.bready.eq(1),
            bus.rready.eq(1),
            self.answer.data.eq(bus.rdata),
            self.answer.valid.eq(Mux(self.owing, self.aborting, written | read)),
            self.answer.error.eq(self.owing | Mux(written, bus.bresp.as_value()[1],
                                                  bus.rresp.as_value()[1])),
            self.aborting.eq(self.owing & (pending != 0)),
        ]
        m.d.sync += [
            pending.eq(pending + (self.request.valid & self.request.ready) - self.answer.valid),
            writes.eq(writes + (begins & request.we) - written),
            reading.eq((reading | begins & ~request.we) & ~read),
        ]
        with m.If(self.abort):
            m.d.sync += self.owing.eq(1)
        with m.Elif(~self.aborting & ~valid & (writes == 0) & ~reading):
            m.d.sync += self.owing.eq(0)
        return m

    def _address(self, m, request):
        """Where a row is, and in which lanes; attributes as the copier's."""
        bus = self.bus
        lanes = bus.wdata.shape().width // 8
        rows = lanes // MAP_ROW_BYTES
        address = self._params.map_base + request.row * MAP_ROW_BYTES
        for name in "aw", "ar":
            values = {"addr": address, "size": 2, "burst": axi4.Burst.INCR, "cache": 0b0010,
                      "prot": 0b001}
            m.d.comb += [getattr(bus, name + each).eq(value) for each, value in values.items()]
        place = request.row[:(rows - 1).bit_length()]
        word = Cat(request.data, Const(0, 32 - len(request.data)))
        m.d.comb += [
            bus.wdata.eq(Cat(word for _ in range(rows))),
            bus.wstrb.eq(Const(0xf, 4) << Cat(Const(0, 2), place)),
            bus.wlast.eq(1),
        ]
