"""Builds the RISC-V programs of ``sw/`` with the C compiler that PyPI's ``ziglang`` brings.

What was built is kept under a hash of all that went into it.
"""

import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from memsnap import SnapshotParams

from .errors import InputError

__all__ = ["GUARDED", "MEMORY_SIZE", "PROGRAMS", "ToolError", "build_program",
           "shipped_programs"]

#: Bytes of memory that a program is linked for, unless another size is asked for.
MEMORY_SIZE = SnapshotParams.memory_size

_SW = Path(__file__).resolve().parents[2] / "sw"
_LINK = _SW / "link.ld"
_TARGET = ("-target", "riscv32-freestanding-none")
#: For a CPU that multiplies and divides, and for one that has functions called in their stead.
_MULTIPLYING, _PLAIN = ("-mcpu=generic_rv32+m",), ("-mcpu=generic_rv32", "-lcompiler_rt")
_COMMON = ("-O2", "-g", "-ffreestanding", "-fno-builtin", "-fno-stack-protector",
           "-fno-sanitize=all", "-fno-pic", "-msmall-data-limit=0", "-nostdlib", "-static")
_OURS = ("-std=c11", "-Wall", "-Wextra", "-Werror")
#: Dhrystone is K&R C of 1988, and its rules forbid inlining.
_DHRYSTONE = ("-std=gnu89", "-w", "-fno-inline", "-DTIME", "-DRISCV", "-DUSE_MYSTDLIB",
              "-DMAIN_RETURNS_NOTHING")


class ToolError(InputError):
    """The compiler is missing or failed; the text holds what it said."""


@dataclass(frozen=True)
class _Recipe:
    """How a program is made: ``sources`` beside its own, ``flags``; ``about`` says what it does."""

    about: str
    sources: tuple[str, ...] = ()
    flags: tuple[str, ...] = _OURS


_RECIPES = {
    "dhrystone": _Recipe("the Dhrystone 2.1 benchmark, 100 runs", flags=_DHRYSTONE),
    "stream": _Recipe("streams words through all free memory, several passes"),
    "touch": _Recipe("writes one byte in each block of 64 bytes, again and again"),
    "chase": _Recipe("follows a shuffled list and writes to scattered nodes"),
    "kernel": _Recipe("a small multitasking kernel with three tasks; starts a snapshot itself "
                      "with --self"),
    "driver": _Recipe("tries all that the C driver can do, and checks it; use --self",
                      sources=("lib/memsnap.c",)),
    "self": _Recipe("starts a snapshot itself, works on, and checks the image; use --self"),
    "packets": _Recipe("receives packets by an IO DMA device; needs one, see sim/configs/dma.toml"),
    "ledger": _Recipe("moves amounts between accounts, which add up at every instant"),
    "careful": _Recipe("writes to block after block, and repeats what a bus error befell"),
}
#: The names of the programs.
PROGRAMS = tuple(_RECIPES)
#: Those that tell of their writes, and so can take snapshots by software.
GUARDED = ("stream", "touch", "chase", "kernel")


def shipped_programs():
    """Pairs of a program's name and a line about it."""
    return [(name, recipe.about) for name, recipe in _RECIPES.items()]


def build_program(name, out_dir="build/sw", *, memory_size=MEMORY_SIZE, guarded=None,
                  multiply=True):
    """The ELF file of a program of ours, built if it is not there yet.

    Parameters
    ----------
    name : str
        One of :data:`PROGRAMS`.
    out_dir : path
        Where builds are kept.
    memory_size : int
        Bytes of memory, from address 0, a multiple of 64: the stack begins at its end.
    guarded : SnapshotParams or None
        With these, one of :data:`GUARDED` takes a snapshot by software at checkpoint number
        ``soft_at`` (a variable): of this memory, with this shadow and these blocks.
    multiply : bool
        For RV32IM; else for RV32I.

    Raises
    ------
    InputError
        There is no such program, or it does not fit.
    ToolError
        The compiler is missing or failed.
    """
    if name not in _RECIPES:
        raise InputError(f"there is no program {name!r}: there are {', '.join(PROGRAMS)}")
    if memory_size <= 0 or memory_size % 64:
        raise InputError(f"memory of {memory_size} bytes must be a multiple of 64 bytes for "
                         f"{name}: choose another --memory-size")
    sources, include = _sources(name)
    flags = [*_TARGET, *(_MULTIPLYING if multiply else _PLAIN), *_COMMON, *_RECIPES[name].flags,
             *(f"-I{path}" for path in include)]
    if guarded is not None:
        sources += [_SW / "lib/guard.c", _SW / "lib/memsnap_soft.c"]
        flags += [f"-DSOFT_BLOCK_SIZE={guarded.block_size}", f"-DSOFT_MEMORY_SIZE={memory_size}",
                  f"-DSOFT_SHADOW={guarded.shadow_base}"]
    # Zig's linker takes no --defsym
    script = f"__memory_size = {memory_size:#x};\n{_LINK.read_text()}"
    key = hashlib.sha256()
    for part in (_version("ziglang"), script, *flags):
        key.update(part.encode() + b"\0")
    for path in [*sources, *(file for place in include for file in sorted(place.glob("*.h")))]:
        key.update(path.read_bytes() + b"\0")
    out_dir = Path(out_dir).resolve()
    elf = out_dir / key.hexdigest()[:16] / f"{name}.elf"
    if not elf.exists():
        elf.parent.mkdir(parents=True, exist_ok=True)
        _link(elf, flags, script, sources, out_dir / "cache")
    return elf


def _sources(name):
    """The sources of a program, and the directories of its headers."""
    if not _LINK.exists():
        raise ToolError(f"the programs' sources are not at {_SW}: run memsnap from a clone, "
                        f"installed with `pip install -e .[sim]`")
    start = _SW / "lib/start.S"
    if name == "dhrystone":
        _version("pythondata-cpu-picorv32")
        import pythondata_cpu_picorv32
        place = Path(pythondata_cpu_picorv32.data_location) / "dhrystone"
        return [start, *(place / file for file in ("dhry_1.c", "dhry_2.c", "stdlib.c"))], [place]
    own = [start, _SW / "lib/soc.c", _SW / f"programs/{name}.c"]
    return ([*own, *(_SW / source for source in _RECIPES[name].sources)],
            [_SW / "lib", _SW / "include"])


def _link(elf, flags, script, sources, cache):
    """Compiles ``sources`` and links them as ``script`` says into the file ``elf``."""
    # Made aside and moved at the end, so that what is there is whole
    work = Path(tempfile.mkdtemp(dir=elf.parent, prefix="new-"))
    try:
        (work / "link.ld").write_text(script)
        _run([sys.executable, "-m", "ziglang", "cc", *flags, f"-Wl,-T,{work / 'link.ld'}", "-o",
              work / elf.name, *sources], elf.stem,
             {"ZIG_LOCAL_CACHE_DIR": str(cache), "ZIG_GLOBAL_CACHE_DIR": str(cache)})
        (work / elf.name).replace(elf)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        raise ToolError(f"the Python package {package} is missing: pip install "
                        f"'memsnap[sim]'") from None


def _run(command, name, environment):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          env={**os.environ, **environment})
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise ToolError(f"{name} could not be built:\n" + "\n".join(said[:20]))
