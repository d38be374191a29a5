"""ULX3S (ECP5): memory and shadow in its block RAM, or in its SDRAM behind LiteDRAM's controller.

The serial line is the board's USB port (US1). The button FIRE1 starts a snapshot, the first light
tells that one is under way, the second one that the CPU runs.
"""

from fractions import Fraction
from functools import partial

from amaranth.hdl import ClockDomain, ClockSignal, Elaboratable, Instance, Module, Signal
from amaranth.lib import io
from amaranth.lib.cdc import ResetSynchronizer
from memsnap import SnapshotParams
from memsnap_sim.board.cpu import CpuKind
from memsnap_sim.board.memory import MemoryKind
from memsnap_sim.board.soc import BoardConfig, BoardSoc

CONFIG = BoardConfig(
    name="ulx3s",
    clock_hz=50_000_000,
    cpu=CpuKind.PICORV32_MULTIPLYING,
    # Two of 32 KiB fit the smallest of the boards
    params=SnapshotParams(memory_size=0x8000, shadow_base=0x8000, addr_width=16),
)
#: The same with the memory in the SDRAM, of which much more than this is left.
SDRAM_CONFIG = BoardConfig(
    name="ulx3s-sdram",
    clock_hz=40_000_000,
    memory=MemoryKind.SDRAM,
    cpu=CpuKind.PICORV32_MULTIPLYING,
    params=SnapshotParams(memory_size=0x100000, shadow_base=0x100000, addr_width=21),
)
_OSCILLATOR_HZ = 25_000_000
_VCO_HZ = 600_000_000       # about; 400 to 800 MHz


class Clock(Elaboratable):
    """Clock and reset of the domain ``sync``, made by a PLL from the board's oscillator; and the
    domain ``sdram``, if it is wanted, a quarter of a clock later.

    The SDRAM takes what comes with an edge of ``sync`` a quarter of a clock later, and what it
    gives is taken three quarters of a clock after the edge that it follows.
    """

    def __init__(self, hz, *, sdram=False):
        self._hz = hz
        self._sdram = sdram

    def elaborate(self, platform):
        m = Module()
        m.submodules.oscillator = oscillator = io.Buffer("i", platform.request("clk25", dir="-"))
        clock, locked = Signal(name="clock"), Signal(name="locked")
        late = Signal(name="late")
        ratio, divider = Fraction(self._hz, _OSCILLATOR_HZ), _VCO_HZ // self._hz
        phase, eighths = divider // 2 - 1, 8 * divider // 4     # eighths of the VCO's clock
        m.submodules.pll = Instance(
            "EHXPLLL",
            p_CLKI_DIV=ratio.denominator, p_CLKFB_DIV=ratio.numerator, p_FEEDBK_PATH="CLKOP",
            p_CLKOP_ENABLE="ENABLED", p_CLKOP_DIV=divider, p_CLKOP_CPHASE=phase, p_CLKOP_FPHASE=0,
            p_CLKOS_ENABLE="ENABLED", p_CLKOS_DIV=divider,
            p_CLKOS_CPHASE=phase + eighths // 8, p_CLKOS_FPHASE=eighths % 8,
            a_FREQUENCY_PIN_CLKI=str(_OSCILLATOR_HZ / 1e6),
            a_FREQUENCY_PIN_CLKOP=str(self._hz / 1e6),
            a_ICP_CURRENT="12", a_LPF_RESISTOR="8", a_MFG_ENABLE_FILTEROPAMP="1",
            a_MFG_GMCREF_SEL="2",
            i_CLKI=oscillator.i, i_CLKFB=clock, i_RST=0, i_STDBY=0,
            i_PHASESEL0=0, i_PHASESEL1=0, i_PHASEDIR=1, i_PHASESTEP=1, i_PHASELOADREG=1,
            i_PLLWAKESYNC=0, i_ENCLKOP=0,
            o_CLKOP=clock, o_CLKOS=late, o_LOCK=locked)
        m.submodules.reset = ResetSynchronizer(~locked)
        m.d.comb += ClockSignal().eq(clock)
        if self._sdram:
            m.d.comb += ClockSignal("sdram").eq(late)
        return m


class Top(Elaboratable):
    """The system on the board's clock and pins."""

    def __init__(self, config=CONFIG):
        self._config = config

    def elaborate(self, platform):
        m = Module()
        m.domains.sync = ClockDomain()
        sdram = None
        if self._config.memory is MemoryKind.SDRAM:
            sdram = platform.request("sdram", dir="-")
            m.domains.sdram = ClockDomain(reset_less=True)
        m.submodules.clock = Clock(self._config.clock_hz, sdram=sdram is not None)
        m.submodules.soc = soc = BoardSoc(self._config, pads=sdram)
        uart = platform.request("uart", dir="-")
        lights = [platform.request("led", number, dir="-") for number in range(2)]
        m.submodules.rx = rx = io.Buffer("i", uart.rx)
        m.submodules.tx = tx = io.Buffer("o", uart.tx)
        m.submodules.fire = fire = io.Buffer("i", platform.request("button_fire", 0, dir="-"))
        m.submodules.copying = copying = io.Buffer("o", lights[0])
        m.submodules.running = running = io.Buffer("o", lights[1])
        m.d.comb += [soc.rx.eq(rx.i), tx.o.eq(soc.tx), soc.button.eq(fire.i),
                     copying.o.eq(soc.copying), running.o.eq(soc.running)]
        return m


def platform(size):
    """The board's clock and pins, by amaranth-boards, with an ECP5 of this size."""
    from amaranth_boards import ulx3s
    return getattr(ulx3s, f"ULX3S_{size.upper()}_Platform")()


if __name__ == "__main__":
    from memsnap_sim.board.tool import main
    main([CONFIG, SDRAM_CONFIG], Top,
         {size: partial(platform, size) for size in ("85f", "45f", "25f", "12f")})
