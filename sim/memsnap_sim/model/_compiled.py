"""Compiles the model's functions, and keeps the result where a change of the source is noticed."""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

try:
    import numba
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "the cycle-level model needs numba, which is not installed: "
        "pip install 'memsnap[model]'", name=error.name) from None

__all__ = ["compiled"]

_HERE = Path(__file__).parent


def _cache():
    """A directory for this state of the source.

    Numba looks at the file of a function alone to tell whether what it kept is still right, but
    the functions of this package call each other across files. Those of other states are removed.
    """
    state = hashlib.sha256(numba.__version__.encode())
    for path in sorted(_HERE.glob("*.py")):
        state.update(path.read_bytes())
    parent = _HERE / "__pycache__"
    try:
        parent.mkdir(exist_ok=True)
    except OSError:
        pass
    if not os.access(parent, os.W_OK):
        parent = Path(tempfile.gettempdir()) / f"memsnap-{os.getuid()}"
    cache = parent / f"compiled-{state.hexdigest()[:16]}"
    if not cache.exists():
        for stale in parent.glob("compiled-*"):
            shutil.rmtree(stale, ignore_errors=True)
    return cache


def compiled(function, **options):
    """A function as machine code, for others of the kind; compiled at the first call."""
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(_CACHE)
    try:
        return numba.njit(cache=True, error_model="numpy", **_INLINE, **(options or _INNER))(
            function)
    finally:
        numba.config.CACHE_DIR = before


def entry(function):
    """The same for a function that Python calls."""
    return compiled(function, no_cpython_wrapper=False)


_CACHE = _cache()

#: A clock is some hundred small steps: a call for each, with its arrays counted in and out, would
#: take ten times as long. Nothing here makes an array, so that there is nothing to count.
_INLINE = {"forceinline": True, "_nrt": False}

#: Only what Python calls needs the code that takes its objects apart.
_INNER = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
