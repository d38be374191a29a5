"""A board's SDRAM, behind the controller that LiteDRAM's generator writes."""

import math
from functools import cache
from pathlib import Path

from amaranth.hdl import ClockSignal, Instance, Module, ResetSignal, Signal
from amaranth.lib import enum, io, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..soc.litedram import DramConfig, generate

__all__ = ["Broken", "Initialisation", "SdramMemory", "controller", "simulated_verilog"]

_HERE = Path(__file__).parent
#: From pipelined Wishbone to the controller's port.
_BRIDGE = _HERE.parent / "soc/rtl/wb_native.v"
_CORE = "litedram_core"
#: Nanoseconds in which each row of an SDRAM wants a refresh.
_RETENTION = 64e6


class Broken(enum.IntFlag):
    """Rules of an SDRAM that the simulated one was asked to break: see ``rtl/sdram_chip.v``."""

    TIMING = 1          #: a command came too early after another one
    CLOSED = 2          #: no row was open to read from or write to
    OPEN = 4            #: a row was open when none may be
    UNREADY = 8         #: the initialisation was not complete
    MODE = 16           #: it was told to work in another way than it can
    STARVED = 32        #: refreshes were too few
    CONTENTION = 64     #: both sides drove the data


@cache
def controller(chip, clock_hz):
    """LiteDRAM's controller of one chip, 16 bits wide, with a native port of 32 bits.

    Parameters
    ----------
    chip : str
        As :mod:`litedram.modules` names it.
    clock_hz : int

    Raises
    ------
    GenerationError
        LiteDRAM is not there, or its generator failed.
    """
    return generate(DramConfig(phy="gensdr", module=chip, lanes=2, clock=clock_hz, port="native",
                               data_width=32, name=_CORE))


class Initialisation(wiring.Component):
    """Writes to the controller's registers what an SDRAM needs after power-up, then is silent.

    Parameters
    ----------
    steps : sequence of (address, value, wait)
        As :class:`~memsnap_sim.soc.litedram.DramCore` has them.

    Members
    -------
    adr, dat_w : ``Out(30)``, ``Out(32)``
        Of Wishbone classic; an address counts words.
    request : ``Out(1)``
        Its ``cyc``, ``stb`` and ``we``.
    ack : ``In(1)``
    """

    def __init__(self, steps):
        self._steps = steps
        super().__init__({"adr": Out(30), "dat_w": Out(32), "request": Out(1), "ack": In(1)})

    def elaborate(self, platform):
        m = Module()
        fields = list(zip(*self._steps, strict=True))
        address, value, wait = (bits_for(max(field)) for field in fields)
        words = [at | what << address | long << address + value for at, what, long in self._steps]
        m.submodules.steps = steps = Memory(shape=address + value + wait, depth=len(words),
                                            init=words)
        step = steps.read_port()
        clocks = Signal(wait)
        m.d.comb += [self.adr.eq(step.data[2:address]),
                     self.dat_w.eq(step.data[address:address + value])]
        with m.FSM():
            with m.State("fetch"):
                m.next = "write"
            with m.State("write"):
                m.d.comb += self.request.eq(1)
                m.d.sync += clocks.eq(step.data[address + value:])
                with m.If(self.ack):
                    m.next = "wait"
            with m.State("wait"):
                m.d.sync += clocks.eq(clocks - 1)
                with m.If(clocks == 0):
                    m.d.sync += step.addr.eq(step.addr + 1)
                    m.next = "fetch"
                    with m.If(step.addr == len(words) - 1):
                        m.next = "done"
            with m.State("done"):
                pass
        return m


class SdramMemory(wiring.Component):
    """Takes no request until the SDRAM is initialised, some 0.5 ms after a reset. Answers in the
    order of the requests, never with an error.

    On a board it needs the clock domain ``sdram``, the SDRAM's: that of ``sync``, a quarter of a
    clock late.

    Parameters
    ----------
    core : DramCore
        Of :func:`controller`.
    signature : wishbone.Signature
        Pipelined, 32 bits wide.
    pads : PortGroup or None
        Of the SDRAM, with amaranth-boards' names. None: it is simulated, see
        :func:`simulated_verilog`.

    Members
    -------
    bus : ``In(signature)``
    broken : ``Out(Broken)``
        Of a simulated SDRAM.
    """

    def __init__(self, core, signature, *, pads=None):
        self._core = core
        self._pads = pads
        super().__init__({"bus": In(signature), "broken": Out(Broken)})

    def elaborate(self, platform):
        m = Module()
        bus, core = self.bus, self._core
        m.submodules.initialisation = start = Initialisation(core.init)
        width = (core.bytes // 4 - 1).bit_length()
        native = {"cmd_valid": 1, "cmd_we": 1, "cmd_addr": width, "wdata_valid": 1,
                  "wdata_data": 32, "wdata_we": 4, "rdata_ready": 1}
        answers = {"cmd_ready": 1, "wdata_ready": 1, "rdata_valid": 1, "rdata_data": 32}
        wires = {name: Signal(bits, name=name) for name, bits in (native | answers).items()}
        address = Signal(width)
        m.d.comb += address.eq(bus.adr)
        m.submodules.bridge = Instance(
            "wb_native", p_DATA_WIDTH=32, p_ADR_WIDTH=width,
            i_clk=ClockSignal(), i_rst=ResetSignal(),
            i_cyc=bus.cyc, i_stb=bus.stb, i_we=bus.we, i_adr=address, i_dat_w=bus.dat_w,
            i_sel=bus.sel, o_dat_r=bus.dat_r, o_ack=bus.ack, o_stall=bus.stall,
            **{f"o_{name}": wires[name] for name in native},
            **{f"i_{name}": wires[name] for name in answers})
        ports = {f"i_user_port_memory_{name}": wires[name] for name in native}
        ports |= {f"o_user_port_memory_{name}": wires[name] for name in answers}
        ports |= {
            "i_clk": ClockSignal(), "i_rst": ResetSignal(),
            "i_wb_ctrl_cyc": start.request, "i_wb_ctrl_stb": start.request,
            "i_wb_ctrl_we": start.request, "i_wb_ctrl_adr": start.adr,
            "i_wb_ctrl_dat_w": start.dat_w, "i_wb_ctrl_sel": 0xf, "i_wb_ctrl_cti": 0,
            "i_wb_ctrl_bte": 0, "o_wb_ctrl_ack": start.ack}
        if self._pads is None:
            parameters = {f"p_{name}": value for name, value in _chip(core).items()}
            m.submodules.controller = Instance(
                "sdram_simulated", p_ADR_WIDTH=width, **parameters, **ports,
                o_broken=self.broken)
        else:
            platform.add_file(_BRIDGE.name, _BRIDGE.read_text())
            platform.add_file(f"{_CORE}.v", core.verilog)
            m.submodules.controller = Instance(_CORE, **ports, **self._pins(m))
        return m

    def _pins(self, m):
        """Buffers at the SDRAM's pins; gives what the controller's ports are to be joined to."""
        pads = self._pads
        m.submodules.clock = clock = io.DDRBuffer("o", pads.clk, o_domain="sdram")
        m.d.comb += [clock.o[0].eq(1), clock.o[1].eq(0)]
        pins = {"io_sdram_dq": pads.dq.io}
        for name, pad in {"a": pads.a, "ba": pads.ba, "dm": pads.dqm, "cke": pads.clk_en,
                          "cs_n": pads.cs, "ras_n": pads.ras, "cas_n": pads.cas,
                          "we_n": pads.we}.items():
            # As they are at the controller, which drives those that are active low as such
            pad = io.SingleEndedPort(pad.io, direction="o")
            m.submodules[name] = buffer = io.Buffer("o", pad)
            pins[f"o_sdram_{name}"] = buffer.o
        return pins


def simulated_verilog(core):
    """What stands behind :class:`SdramMemory` in simulation: a dict from a file's name to its text.
    """
    names = ("ecp5_cells.v", "sdram_chip.v", "sdram_simulated.v")
    paths = [_BRIDGE, *(_HERE / "rtl" / name for name in names)]
    return {path.name: path.read_text() for path in paths} | {f"{_CORE}.v": core.verilog}


def _chip(core):
    """The parameters of the simulated SDRAM, by its slowest data sheet."""
    times = {"T_RCD": 20, "T_RP": 20, "T_RAS": 44, "T_WR": 15, "T_RFC": 70, "T_POWER": 100_000,
             "T_REFRESH": 9 * _RETENTION / core.rows}     # eight may be postponed
    return {"ROW_BITS": core.rows.bit_length() - 1, "COLUMN_BITS": core.columns.bit_length() - 1,
            **{name: math.ceil(time * core.config.clock / 1e9) for name, time in times.items()}}
