"""Streams of accesses made by a rule."""

import numpy as np

from ..model import ACCESS

__all__ = ["PATTERNS", "pattern"]

_ROWS = 1 << 16


def _sequential(rng, at, count, words):
    return at % words


def _random(rng, at, count, words):
    return rng.integers(words, size=count)


def _hot(rng, at, count, words):
    """Nine of ten accesses go to a sixteenth of the memory."""
    hot = rng.random(count) < 0.9
    return np.where(hot, rng.integers(max(1, words // 16), size=count),
                    rng.integers(words, size=count))


def _stride(rng, at, count, words):
    """One word of each 4 KiB, then the next word of each: what copying on demand fears most."""
    pages = max(1, words // 1024)
    return (at % pages * 1024 + at // pages) % words


#: Rules by name: from a generator of random numbers, the accesses' numbers and their count, and
#: the words of the memory, to the words that are accessed.
PATTERNS = {"sequential": _sequential, "random": _random, "hot": _hot, "stride": _stride}


def pattern(name, *, accesses, size, gap=3, writes=0.3, seed=1):
    """Yields arrays of accesses of four bytes each.

    Parameters
    ----------
    name : str
        Of :data:`PATTERNS`.
    accesses : int
        How many.
    size : int
        Bytes of the memory.
    gap : float
        Clocks between accesses, in the mean; each gap is drawn from a geometric distribution.
    writes : float
        The share of writes, 0 to 1.
    seed : int

    Raises
    ------
    ValueError
        There is no such pattern, or a value is out of range.
    """
    if name not in PATTERNS:
        raise ValueError(f"the pattern must be one of {', '.join(PATTERNS)}, not {name!r}")
    if not 0 <= writes <= 1:
        raise ValueError(f"writes must be a share from 0 to 1, not {writes!r}")
    if gap < 0:
        raise ValueError(f"gap must be at least 0 clocks, not {gap!r}")
    if size < 4:
        raise ValueError(f"size must be at least 4 bytes, not {size!r}")
    rng = np.random.default_rng(seed)
    for begin in range(0, accesses, _ROWS):
        count = min(_ROWS, accesses - begin)
        chunk = np.empty(count, ACCESS)
        at = np.arange(begin, begin + count)
        chunk["address"] = PATTERNS[name](rng, at, count, size // 4) * 4
        chunk["gap"] = rng.geometric(1 / (1 + gap), count) - 1
        chunk["write"] = rng.random(count) < writes
        chunk["size"] = 4
        yield chunk
