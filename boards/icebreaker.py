"""iCEBreaker (iCE40UP5K): memory and shadow in its SPRAM, and SERV, for which there is room.

The serial line is the board's USB port, its second one. The button starts a snapshot, the red light
tells that one is under way, the green one that the CPU runs.
"""

from amaranth.hdl import Elaboratable, Module
from amaranth.lib import io
from memsnap import SnapshotParams
from memsnap_sim.board.cpu import CpuKind
from memsnap_sim.board.memory import MemoryKind
from memsnap_sim.board.soc import BoardConfig, BoardSoc

CONFIG = BoardConfig(
    name="icebreaker",
    clock_hz=12_000_000,
    memory=MemoryKind.SPRAM,
    cpu=CpuKind.SERV,
    params=SnapshotParams(memory_size=0x10000, shadow_base=0x10000, addr_width=17, block_size=64,
                          buffer_depth=16, jobs=2, max_in_flight=4, regions=1),
)


class Top(Elaboratable):
    """The system on the board's clock and pins."""

    def __init__(self, config=CONFIG):
        self._config = config

    def elaborate(self, platform):
        m = Module()
        m.submodules.soc = soc = BoardSoc(self._config)
        uart, button = (platform.request(name, dir="-") for name in ("uart", "button"))
        m.submodules.rx = rx = io.Buffer("i", uart.rx)
        m.submodules.tx = tx = io.Buffer("o", uart.tx)
        m.submodules.button = button = io.Buffer("i", button)
        m.submodules.red = red = io.Buffer("o", platform.request("led_r", dir="-"))
        m.submodules.green = green = io.Buffer("o", platform.request("led_g", dir="-"))
        m.d.comb += [soc.rx.eq(rx.i), tx.o.eq(soc.tx), soc.button.eq(button.i),
                     red.o.eq(soc.copying), green.o.eq(soc.running)]
        return m


def platform():
    """The board's clock and pins, by amaranth-boards."""
    from amaranth_boards.icebreaker import ICEBreakerPlatform
    return ICEBreakerPlatform()


if __name__ == "__main__":
    from memsnap_sim.board.tool import main
    main([CONFIG], Top, {"up5k": platform})
