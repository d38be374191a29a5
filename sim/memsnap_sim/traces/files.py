"""Opens a trace, whatever its format."""

import gzip
from pathlib import Path

from .errors import TraceError
from .lackey import read_lackey
from .table import read_table

__all__ = ["FORMATS", "open_trace"]

#: Readers by the name of the format.
FORMATS = {"lackey": read_lackey, "csv": read_table}


def open_trace(path, format=None, *, clocks_per_instruction=1):
    """The accesses of a trace file, as an iterator of arrays of :data:`memsnap_sim.model.ACCESS`.

    Parameters
    ----------
    path : str or Path
        A file, which may be compressed by gzip (``.gz``).
    format : str or None
        ``"lackey"``: what Valgrind's lackey prints with ``--trace-mem=yes``. ``"csv"``: a table
        with a head. None finds out from the first lines.
    clocks_per_instruction : int
        What an instruction between two accesses counts for, in lackey's traces.

    Raises
    ------
    TraceError
        There is no such file, or it is not of the format.
    """
    path = Path(path)
    try:
        with _open(path) as file:
            head = file.read(4096)
    except OSError as error:
        raise TraceError(f"{path}: {error.strerror or error}") from None
    if format is None:
        format = _guess(path, head)
    elif format not in FORMATS:
        raise TraceError(f"the format must be {' or '.join(FORMATS)}, not {format!r}")
    options = {"clocks_per_instruction": clocks_per_instruction} if format == "lackey" else {}
    return _read(path, FORMATS[format], options)


def _read(path, read, options):
    with _open(path) as file:
        yield from read(file, path, **options)


def _open(path):
    return gzip.open(path) if path.suffix == ".gz" else open(path, "rb")


def _guess(path, head):
    lines = [line for line in head.splitlines() if line and not line.startswith((b"=", b"#"))]
    if not lines:
        raise TraceError(f"{path} is empty: a trace has at least one access")
    if b"," in lines[0] and lines[0].lstrip()[:2] not in (b"I ", b"L ", b"S ", b"M "):
        return "csv"
    return "lackey"
