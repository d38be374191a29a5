"""Register front: AXI4-Lite to the register bank."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..regs.bank import ADR_WIDTH, AccessSignature
from . import axi4

__all__ = ["LITE_ADDR_WIDTH", "Axi4LiteRegisters"]

#: Width of the registers' AXI4-Lite address, in bytes.
LITE_ADDR_WIDTH = ADR_WIDTH + 2


class Axi4LiteRegisters(wiring.Component):
    """Answers AXI4-Lite (IHI 0022, part B) out of the register bank, one access at a time.

    A write begins when its address and its data are there, in whatever order they came; both are
    taken when it is done. Where a read and a write wait, they take turns. The answer comes four
    clocks after the request, or later where the bank takes longer. What the bank refuses is
    answered with SLVERR. The lowest two bits of an address are not looked at.

    Members
    -------
    bus : ``In(axi4.LiteSignature)``
        ``addr_width`` is :data:`LITE_ADDR_WIDTH`.
    access : ``Out(AccessSignature())``
    """

    def __init__(self):
        super().__init__({
            "bus": In(axi4.LiteSignature(addr_width=LITE_ADDR_WIDTH)),
            "access": Out(AccessSignature()),
        })

    def elaborate(self, platform):
        m = Module()
        bus, access = self.bus, self.access
        busy, writing = Signal(), Signal()
        may_write, may_read = Signal(), Signal()
        response = Signal(axi4.Response)
        m.d.comb += [
            may_write.eq(bus.awvalid & bus.wvalid & ~bus.bvalid & ~busy & access.ready),
            may_read.eq(bus.arvalid & ~bus.rvalid & ~busy & access.ready),
            # ``writing`` tells what was done last
            access.write.eq(may_write & ~(may_read & writing)),
            access.read.eq(may_read & ~access.write),
            access.adr.eq(Mux(access.write, bus.awaddr[2:], bus.araddr[2:])),
            access.data_w.eq(bus.wdata),
            access.sel.eq(bus.wstrb),
            bus.awready.eq(access.done & writing),
            bus.wready.eq(access.done & writing),
            bus.arready.eq(access.done & ~writing),
            response.eq(Mux(access.error, axi4.Response.SLVERR, axi4.Response.OKAY)),
        ]
        with m.If(access.read | access.write):
            m.d.sync += [busy.eq(1), writing.eq(access.write)]
        with m.Elif(access.done):
            m.d.sync += busy.eq(0)
        with m.If(bus.bready):
            m.d.sync += bus.bvalid.eq(0)
        with m.If(bus.rready):
            m.d.sync += bus.rvalid.eq(0)
        with m.If(access.done & writing):
            m.d.sync += [bus.bvalid.eq(1), bus.bresp.eq(response)]
        with m.If(access.done & ~writing):
            m.d.sync += [bus.rvalid.eq(1), bus.rresp.eq(response), bus.rdata.eq(access.data_r)]
        return m
