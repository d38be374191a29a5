"""Accesses of an initiator as an array, and their beats."""

import numpy as np

__all__ = ["ACCESS", "accesses_of", "beats_of"]

#: One access: the clocks without a request before it, its byte address, whether it is a write, and
#: its bytes. The gap begins when the access before is accepted and the initiator may have another
#: without an answer; so for one at a time it begins with the answer.
ACCESS = np.dtype([("gap", np.uint32), ("address", np.uint64), ("write", np.bool_),
                   ("size", np.uint32)])


def accesses_of(rows):
    """An array of :data:`ACCESS` from rows of (gap, address, write), perhaps with a size.

    Where there is none an access is of one byte, which takes one beat like any that fits in one.
    """
    rows = [tuple(row) if len(row) == 4 else (*row, 1) for row in rows]
    return np.array(rows, ACCESS)


def beats_of(accesses, beat_bytes):
    """The beats of some accesses: an array of (gap, word address, write), of shape (n, 3).

    An access that touches several words takes a beat for each, without gaps. One of 0 bytes counts
    as one of 1.
    """
    address = accesses["address"].astype(np.int64)
    size = np.maximum(accesses["size"].astype(np.int64), 1)
    first = address // beat_bytes
    beats = (address + size - 1) // beat_bytes - first + 1
    if len(beats) and beats.max() > 1:
        starts = np.cumsum(beats) - beats
        at = np.repeat(np.arange(len(beats)), beats)
        within = np.arange(len(at)) - starts[at]
        gaps = np.where(within == 0, accesses["gap"][at], 0)
        return np.stack([gaps, first[at] + within, accesses["write"][at]], 1).astype(np.int64)
    return np.stack([accesses["gap"].astype(np.int64), first, accesses["write"].astype(np.int64)],
                    1)
