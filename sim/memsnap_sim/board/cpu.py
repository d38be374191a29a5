"""CPU cores with a Wishbone port: PicoRV32, and SERV where there is little room."""

from pathlib import Path

from amaranth.hdl import ClockSignal, Instance, Module, Mux, ResetSignal, Signal
from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out

from .interconnect import SIGNATURE

__all__ = ["Cpu", "CpuKind", "verilog_of"]


class CpuKind(enum.Enum):
    """The core: both are RV32I, PicoRV32 also with instructions that multiply and divide."""

    PICORV32 = "picorv32"
    PICORV32_MULTIPLYING = "picorv32m"
    SERV = "serv"


def verilog_of(kind):
    """A core's Verilog, from PyPI's packages: a dict from a file's name to its text."""
    if kind is CpuKind.SERV:
        import pythondata_cpu_serv
        place = Path(pythondata_cpu_serv.data_location) / "rtl"
        paths = [path for path in sorted(place.glob("serv_*.v"))
                 if path.name != "serv_synth_wrapper.v"]
    else:
        import pythondata_cpu_picorv32
        paths = [Path(pythondata_cpu_picorv32.data_location) / "picorv32.v"]
    return {path.name: path.read_text() for path in paths}


class Cpu(wiring.Component):
    """A small RV32 core that starts at address 0 when it is let run.

    It has no interrupts and no counters. It goes on after an access that was answered with an
    error, as if that were an answer. SERV works on one bit a clock: an instruction takes some 40.

    Parameters
    ----------
    kind : CpuKind

    Members
    -------
    run : ``In(1)``
        Low keeps it in reset.
    bus : ``Out(SIGNATURE)``
    fetch : ``Out(1)``
        The access is that of an instruction.
    trap : ``Out(1)``
        It met an instruction that it has not, and stands still; SERV does not tell.
    """

    def __init__(self, kind):
        self._kind = kind
        super().__init__({"run": In(1), "bus": Out(SIGNATURE), "fetch": Out(1), "trap": Out(1)})

    def elaborate(self, platform):
        m = Module()
        if hasattr(platform, "add_file"):
            for name, text in verilog_of(self._kind).items():
                platform.add_file(name, text)
        if self._kind is CpuKind.SERV:
            self._serv(m)
        else:
            self._picorv32(m)
        return m

    def _picorv32(self, m):
        bus, address, strobes, valid = self.bus, Signal(32), Signal(4), Signal()
        multiply = int(self._kind is CpuKind.PICORV32_MULTIPLYING)
        m.submodules.cpu = Instance(
            "picorv32",
            p_ENABLE_COUNTERS=0, p_ENABLE_COUNTERS64=0, p_CATCH_MISALIGN=0,
            p_ENABLE_MUL=multiply, p_ENABLE_DIV=multiply,
            i_clk=ClockSignal(), i_resetn=self.run & ~ResetSignal(),
            o_trap=self.trap,
            o_mem_valid=valid, o_mem_instr=self.fetch, o_mem_addr=address,
            o_mem_wdata=bus.dat_w, o_mem_wstrb=strobes,
            i_mem_ready=bus.ack | bus.err, i_mem_rdata=bus.dat_r,
            i_pcpi_wr=0, i_pcpi_rd=0, i_pcpi_wait=0, i_pcpi_ready=0, i_irq=0,
        )
        m.d.comb += [
            bus.cyc.eq(valid & self.run),
            bus.stb.eq(bus.cyc),
            bus.we.eq(strobes.any()),
            bus.sel.eq(Mux(strobes.any(), strobes, 0xf)),
            bus.adr.eq(address[2:]),
        ]

    def _serv(self, m):
        bus, answered, write = self.bus, Signal(), Signal()
        fetch, access = Signal(), Signal()      # never both
        fetched, accessed, lanes = Signal(32), Signal(32), Signal(4)
        m.submodules.cpu = Instance(
            "serv_rf_top",
            p_RESET_PC=0, p_WITH_CSR=0,
            i_clk=ClockSignal(), i_i_rst=ResetSignal() | ~self.run, i_i_timer_irq=0,
            o_o_ibus_adr=fetched, o_o_ibus_cyc=fetch, i_i_ibus_rdt=bus.dat_r,
            i_i_ibus_ack=answered & fetch,
            o_o_dbus_adr=accessed, o_o_dbus_dat=bus.dat_w, o_o_dbus_sel=lanes, o_o_dbus_we=write,
            o_o_dbus_cyc=access, i_i_dbus_rdt=bus.dat_r, i_i_dbus_ack=answered & ~fetch,
            i_i_ext_rd=0, i_i_ext_ready=0,
        )
        m.d.comb += [
            answered.eq(bus.ack | bus.err),
            bus.cyc.eq((fetch | access) & self.run),
            bus.stb.eq(bus.cyc),
            bus.we.eq(write & ~fetch),
            bus.sel.eq(Mux(fetch, 0xf, lanes)),
            bus.adr.eq(Mux(fetch, fetched, accessed)[2:]),
            self.fetch.eq(fetch),
        ]
