"""Reads what Valgrind's lackey tool prints with ``--trace-mem=yes``.

Each line is an access: ``I  0023C790,2`` an instruction, `` L`` a load, `` S`` a store, `` M`` a
load and a store of the same place; the address is in hexadecimal, the size in bytes decimal. Lines
that begin otherwise are Valgrind's own words or the program's, and are passed over.
"""

import numpy as np
from numba import njit

from ..model import ACCESS
from .errors import TraceError

__all__ = ["read_lackey"]

#: Bytes that are read at a time.
_CHUNK = 1 << 24

_NEWLINE, _SPACE, _COMMA = ord("\n"), ord(" "), ord(",")
_INSTRUCTION, _LOAD, _STORE, _MODIFY = ord("I"), ord("L"), ord("S"), ord("M")


def read_lackey(file, path, *, clocks_per_instruction=1):
    """Yields arrays of accesses; ``gap`` is the instructions since the access before.

    Raises
    ------
    TraceError
        Not one line is an access.
    """
    gap, rest, some = np.zeros(1, np.int64), b"", False
    while True:
        read = file.read(_CHUNK)
        text = rest + read
        end = len(text) if not read else text.rfind(b"\n") + 1
        rest = text[end:]
        if end:
            lines = np.frombuffer(text, np.uint8, count=end)
            # The shortest line, " L 0,1", is one access, and "M" makes two
            accesses = np.zeros(end // 3 + 2, ACCESS)
            count = _parse(lines, accesses, gap, clocks_per_instruction)
            if count:
                some = True
                yield accesses[:count].copy()
        if not read:
            break
    if not some:
        raise TraceError(f"{path} has no access: lackey prints them with "
                         f"valgrind --tool=lackey --trace-mem=yes --log-file={path} PROGRAM")


@njit(cache=True)
def _hex_digit(byte):
    if 48 <= byte <= 57:
        return byte - 48
    lower = byte | 32
    return lower - 87 if 97 <= lower <= 102 else -1


@njit(cache=True)
def _parse(text, accesses, gap, per_instruction):
    """The accesses of whole lines; ``gap`` is carried from call to call."""
    at, count, end = 0, 0, len(text)
    while at < end:
        stop = at
        while stop < end and text[stop] != _NEWLINE:
            stop += 1
        begin = at
        at = stop + 1
        if stop - begin < 5:
            continue
        if text[begin] == _INSTRUCTION and text[begin + 1] == _SPACE:
            kind = _INSTRUCTION
        elif text[begin] == _SPACE and text[begin + 2] == _SPACE:
            kind = text[begin + 1]
        else:
            continue
        if kind != _INSTRUCTION and kind != _LOAD and kind != _STORE and kind != _MODIFY:
            continue
        place = begin + 3
        while place < stop and text[place] == _SPACE:
            place += 1
        address = np.uint64(0)
        digits = 0
        while place < stop and _hex_digit(text[place]) >= 0:
            address = address << np.uint64(4) | np.uint64(_hex_digit(text[place]))
            place += 1
            digits += 1
        if not digits or place >= stop - 1 or text[place] != _COMMA:
            continue
        size = 0
        for each in range(place + 1, stop):
            if not 48 <= text[each] <= 57:
                break
            size = 10 * size + text[each] - 48
        if kind == _INSTRUCTION:
            gap[0] += per_instruction
            continue
        for write in range(2):
            if write and kind == _LOAD or not write and kind == _STORE:
                continue
            row = accesses[count]
            row.gap = min(gap[0], 0xffffffff)
            row.address = address
            row.write = write
            row.size = min(size, 255)
            gap[0] = 0
            count += 1
    return count
