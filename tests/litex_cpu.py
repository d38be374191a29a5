"""A SoC in LiteX whose CPU runs a program, with the unit of a package before its memory:
`python litex_cpu.py PACKAGE OUT.v PROGRAM.bin`.

The program is in ROM at 0, its stack ends at 0x10001000, and what it writes to 0xe1000000 comes
out at the pins `verdict`. Prints the sources that LiteX added.
"""

import sys
from pathlib import Path

from litex.build.generic_platform import GenericPlatform, Pins, Subsignal
from litex.soc.integration.soc import SoCRegion
from litex.soc.integration.soc_core import SoCCore
from litex.soc.interconnect import wishbone
from litex_soc import RAM, SIZE, Clocks, write
from migen import If, Module

REGISTERS, VERDICT = 0xe0000000, 0xe1000000
ROM_SIZE = 0x4000


class Verdict(Module):
    def __init__(self, pins):
        self.bus = bus = wishbone.Interface(data_width=32, adr_width=30)
        self.sync += [bus.ack.eq(bus.cyc & bus.stb & ~bus.ack),
                      If(bus.cyc & bus.stb & bus.we, pins.done.eq(1), pins.word.eq(bus.dat_w))]


class Soc(SoCCore):
    mem_map = {"rom": 0, "sram": 0x10000000}

    def __init__(self, platform, add_snapshot, program):
        words = [int.from_bytes(program[at:at + 4], "little") for at in range(0, len(program), 4)]
        SoCCore.__init__(self, platform, clk_freq=1_000_000, cpu_type="picorv32",
                         integrated_rom_size=ROM_SIZE, integrated_rom_init=words,
                         integrated_sram_size=0x1000, with_uart=False, with_timer=False,
                         ident="snapshot", ident_version=False)
        self.submodules.crg = Clocks(platform)
        self.add_ram("main_ram", RAM, SIZE)
        add_snapshot(self, memory="main_ram", origin=REGISTERS)
        self.submodules.verdict = Verdict(platform.request("verdict"))
        self.bus.add_slave("verdict", self.verdict.bus,
                           SoCRegion(origin=VERDICT, size=0x1000, cached=False))


def main(package, out, program):
    sys.path.insert(0, f"{package}/litex")
    from memsnap_litex import add_snapshot
    platform = GenericPlatform("none", [
        ("clk", 0, Pins("clk")), ("rst", 0, Pins("rst")),
        ("verdict", 0, Subsignal("done", Pins(1)), Subsignal("word", Pins(32)))])
    write(Soc(platform, add_snapshot, Path(program).read_bytes()), platform, out)


if __name__ == "__main__":
    main(*sys.argv[1:])
