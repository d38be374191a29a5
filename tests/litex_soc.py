"""A small SoC in LiteX with the unit of a package in it: `python litex_soc.py PACKAGE OUT.v BUS`,
where BUS is `wishbone` or `axi`.

A master at pads stands for the CPU; there is RAM at 0x40000000, and the registers are at
0xf0000000. Prints the sources that the wrapper added.
"""

import sys

from litex.build.generic_platform import GenericPlatform, Pins
from litex.soc.integration.soc_core import SoCMini
from litex.soc.interconnect import axi, wishbone
from migen import ClockDomain, Module

RAM, REGISTERS, SIZE = 0x40000000, 0xf0000000, 0x800


class Clocks(Module):
    def __init__(self, platform):
        self.clock_domains.cd_sys = ClockDomain()
        self.comb += [self.cd_sys.clk.eq(platform.request("clk")),
                      self.cd_sys.rst.eq(platform.request("rst"))]


class Soc(SoCMini):
    def __init__(self, platform, add_snapshot, bus):
        SoCMini.__init__(self, platform, clk_freq=1_000_000, ident="snapshot", ident_version=False,
                         bus_standard=bus)
        self.submodules.crg = Clocks(platform)
        master = (axi.AXIInterface(data_width=32, address_width=32) if bus == "axi" else
                  wishbone.Interface(data_width=32, adr_width=30))
        platform.add_extension(master.get_ios("bus"))
        self.comb += master.connect_to_pads(platform.request("bus"), mode="slave")
        self.bus.add_master("pads", master)
        self.add_ram("main_ram", RAM, SIZE)
        unit = add_snapshot(self, memory="main_ram", origin=REGISTERS)
        self.comb += platform.request("irq").eq(unit.irq)


def write(soc, platform, out):
    """Writes a SoC's Verilog, and prints the sources that belong to it."""
    soc.finalize()
    platform.finalize(soc)
    platform.get_verilog(soc, name="soc").write(out)
    print(*(name for name, *_ in platform.sources), sep="\n")


def main(package, out, bus):
    sys.path.insert(0, f"{package}/litex")
    from memsnap_litex import add_snapshot
    platform = GenericPlatform("none", [(name, 0, Pins(name)) for name in ("clk", "rst", "irq")])
    write(Soc(platform, add_snapshot, bus), platform, out)


if __name__ == "__main__":
    main(*sys.argv[1:])
