"""Reads accesses from a table of comma-separated values.

The head names the columns, in any order: ``address`` (decimal or ``0x…``), ``write`` (0 or 1, or
``r`` or ``w``), and, if wanted, ``gap`` (clocks since the access before) or ``clock`` (an absolute
one, from which gaps are found), and ``size`` (bytes, 4 if there is no such column).
"""

import csv

import numpy as np

from ..model import ACCESS
from .errors import TraceError

__all__ = ["read_table", "write_table"]

_ROWS = 1 << 16
_WRITE = {"0": False, "1": True, "r": False, "w": True, "read": False, "write": True}


def read_table(file, path):
    """Yields arrays of accesses.

    Raises
    ------
    TraceError
        A column is missing, or a value is not what its column asks for.
    """
    lines = (line.decode("utf-8", "replace") for line in file)
    reader = csv.reader((line for line in lines if line.strip() and not line.startswith("#")),
                        skipinitialspace=True)
    head = [name.strip().lower() for name in next(reader, ())]
    for name in "address", "write":
        if name not in head:
            raise TraceError(f"{path}: there must be a column {name!r}, but the head is "
                             f"{','.join(head)!r}; write for instance: gap,address,write,size")
    unknown = [name for name in head if name not in {"gap", "clock", *ACCESS.names}]
    if unknown or {"gap", "clock"} <= set(head):
        raise TraceError(f"{path}: columns must be of address, write, size, and gap or clock, "
                         f"not {','.join(head)!r}")
    rows, before, some = [], 0, False
    for number, row in enumerate(reader, 1):
        access, before = _access(path, number, dict(zip(head, row, strict=False)), before)
        rows.append(access)
        some = True
        if len(rows) == _ROWS:
            yield np.array(rows, ACCESS)
            rows = []
    if rows:
        yield np.array(rows, ACCESS)
    if not some:
        raise TraceError(f"{path} has a head and no access: a trace has at least one")


def write_table(file, chunks):
    """Writes accesses as such a table."""
    file.write("gap,address,write,size\n")
    for accesses in chunks:
        for gap, address, write, size in accesses.tolist():
            file.write(f"{gap},{address:#x},{int(write)},{size}\n")


def _access(path, number, row, before):
    """One access, and the clock that it is at."""
    def number_of(name, default, most):
        text = row.get(name)
        if text is None and name not in row and default is not None:
            return default
        try:
            value = int(text.strip(), 0)
        except (ValueError, AttributeError):
            value = -1
        if not 0 <= value <= most:
            raise TraceError(f"{path}: row {number}: {name} must be a number from 0 to {most:#x}, "
                             f"not {text!r}")
        return value

    write = _WRITE.get((row.get("write") or "").strip().lower())
    if write is None:
        raise TraceError(f"{path}: row {number}: write must be 0, 1, r or w, "
                         f"not {row.get('write')!r}")
    gap = number_of("gap", 0, (1 << 32) - 1)
    if "clock" in row:
        clock = number_of("clock", None, (1 << 63) - 1)
        if clock < before:
            raise TraceError(f"{path}: row {number}: clock must not go back, but {clock} follows "
                             f"{before}")
        gap, before = min(max(0, clock - before - 1), (1 << 32) - 1), clock
    return (gap, number_of("address", None, (1 << 64) - 1), write,
            number_of("size", 4, 255)), before
