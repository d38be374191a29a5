"""Accesses of an initiator as an array, and their beats."""

import numpy as np

__all__ = ["ACCESS", "MOST_BEATS", "accesses_of", "beats_of", "bursts_of"]

#: What AXI4 sets: bytes that a burst does not go beyond, and its most beats (A3.4.1).
_PAGE = 4096
MOST_BEATS = 256

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
    first, beats = _words(accesses, beat_bytes)
    at, within = _repeat(beats)
    gaps = np.where(within == 0, accesses["gap"][at], 0)
    return np.stack([gaps, first[at] + within, accesses["write"][at]], 1).astype(np.int64)


def bursts_of(accesses, beat_bytes):
    """The AXI4 bursts of some accesses: an array of (gap, word address, write, beats), of shape
    (n, 4).

    An access is one burst of all words that it touches; where that would cross 4096 bytes or have
    more beats than the bus allows, it takes more, without gaps.
    """
    first, beats = _words(accesses, beat_bytes)
    page_words = _PAGE // beat_bytes
    page = first // page_words
    at, which = _repeat((first + beats - 1) // page_words - page + 1)
    begin = np.maximum(first[at], (page[at] + which) * page_words)
    left = np.minimum(first[at] + beats[at], (page[at] + which + 1) * page_words) - begin
    part, within = _repeat(-(-left // MOST_BEATS))
    at, begin, left = at[part], begin[part] + within * MOST_BEATS, left[part]
    gaps = np.where((which[part] == 0) & (within == 0), accesses["gap"][at], 0)
    beats = np.minimum(left - within * MOST_BEATS, MOST_BEATS)
    return np.stack([gaps, begin, accesses["write"][at], beats], 1).astype(np.int64)


def _words(accesses, beat_bytes):
    """The first word that each access touches, and how many it does."""
    address = accesses["address"].astype(np.int64)
    size = np.maximum(accesses["size"].astype(np.int64), 1)
    first = address // beat_bytes
    return first, (address + size - 1) // beat_bytes - first + 1


def _repeat(counts):
    """Each index as often as its count says, and which of these it is."""
    if not len(counts) or counts.max() == 1:
        return np.arange(len(counts)), np.zeros(len(counts), np.int64)
    starts = np.cumsum(counts) - counts
    at = np.repeat(np.arange(len(counts)), counts)
    return at, np.arange(len(at)) - starts[at]
