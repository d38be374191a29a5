"""Register front: Wishbone classic to the register bank."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..regs.bank import ADR_WIDTH, AccessSignature
from . import wishbone

__all__ = ["CSR_ADR_WIDTH", "WishboneRegisters"]

#: Width of the registers' Wishbone address, in 32-bit words.
CSR_ADR_WIDTH = ADR_WIDTH


class WishboneRegisters(wiring.Component):
    """Answers Wishbone classic cycles (B4 section 3.2) out of the register bank.

    The answer comes three clocks after the request, or later where the bank takes longer; an access
    takes four clocks at least. A command reaches the unit one clock before its answer. An
    initiator may give a request up by lowering ``stb``: its answer is dropped, and a new request
    waits for it.

    Members
    -------
    bus : ``In(wishbone.Signature)``
        Classic, 32 bits wide, ``adr`` of :data:`CSR_ADR_WIDTH` bits.
    access : ``Out(AccessSignature())``
    """

    def __init__(self):
        super().__init__({
            "bus": In(wishbone.Signature(addr_width=CSR_ADR_WIDTH, data_width=32,
                                         pipelined=False)),
            "access": Out(AccessSignature()),
        })

    def elaborate(self, platform):
        m = Module()
        bus, access = self.bus, self.access
        request = Signal()
        pending = Signal()      # the bank owes an answer
        dropped = Signal()      # to a request that was given up
        answer = Signal()
        m.d.comb += [
            request.eq(bus.cyc & bus.stb & access.ready),
            access.read.eq(request & ~pending & ~bus.we),
            access.write.eq(request & ~pending & bus.we),
            access.adr.eq(bus.adr),
            access.data_w.eq(bus.dat_w),
            access.sel.eq(bus.sel),
            answer.eq(access.done & request & ~dropped),
            bus.dat_r.eq(access.data_r),
            bus.ack.eq(answer & ~access.error),
            bus.err.eq(answer & access.error),
        ]
        with m.If(access.done):
            m.d.sync += [pending.eq(0), dropped.eq(0)]
        with m.Elif(pending):
            m.d.sync += dropped.eq(dropped | ~request)
        with m.Else():
            m.d.sync += pending.eq(request)
        return m
