"""PicoRV32 with a Wishbone port."""

from pathlib import Path

from amaranth.hdl import ClockSignal, Instance, Module, Mux, ResetSignal, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from memsnap.bus import wishbone

__all__ = ["Cpu", "verilog_of_cpu"]


def verilog_of_cpu():
    """The path of PicoRV32's Verilog, from PyPI's ``pythondata-cpu-picorv32``."""
    import pythondata_cpu_picorv32
    return Path(pythondata_cpu_picorv32.data_location) / "picorv32.v"


class Cpu(wiring.Component):
    """A small RV32 core that starts at address 0 when it is let run.

    It has no interrupts and no counters. It goes on after an access that was answered with an
    error, as if that were an answer.

    Parameters
    ----------
    multiply : bool
        Instructions that multiply and divide: RV32IM instead of RV32I.

    Members
    -------
    run : ``In(1)``
        Low keeps it in reset.
    bus : ``Out(wishbone.Signature)``
        Classic, 32 bits wide, addresses of 30 bits.
    fetch : ``Out(1)``
        The access is that of an instruction.
    trap : ``Out(1)``
        It met an instruction that it has not, and stands still.
    """

    def __init__(self, *, multiply=False):
        self._multiply = multiply
        super().__init__({
            "run": In(1),
            "bus": Out(wishbone.Signature(addr_width=30, data_width=32, pipelined=False)),
            "fetch": Out(1),
            "trap": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        if hasattr(platform, "add_file"):
            platform.add_file("picorv32.v", verilog_of_cpu().read_text())
        address, strobes, valid = Signal(32), Signal(4), Signal()
        m.submodules.cpu = Instance(
            "picorv32",
            p_ENABLE_COUNTERS=0, p_ENABLE_COUNTERS64=0, p_CATCH_MISALIGN=0,
            p_ENABLE_MUL=int(self._multiply), p_ENABLE_DIV=int(self._multiply),
            i_clk=ClockSignal(), i_resetn=self.run & ~ResetSignal(),
            o_trap=self.trap,
            o_mem_valid=valid, o_mem_instr=self.fetch, o_mem_addr=address,
            o_mem_wdata=self.bus.dat_w, o_mem_wstrb=strobes,
            i_mem_ready=self.bus.ack | self.bus.err, i_mem_rdata=self.bus.dat_r,
            i_pcpi_wr=0, i_pcpi_rd=0, i_pcpi_wait=0, i_pcpi_ready=0, i_irq=0,
        )
        m.d.comb += [
            self.bus.cyc.eq(valid & self.run),
            self.bus.stb.eq(valid & self.run),
            self.bus.we.eq(strobes.any()),
            self.bus.sel.eq(Mux(strobes.any(), strobes, 0xf)),
            self.bus.adr.eq(address[2:]),
        ]
        return m
