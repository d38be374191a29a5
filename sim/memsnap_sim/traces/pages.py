"""Gives the pages that a program touches places in a memory, as an operating system would."""

import numpy as np

__all__ = ["PagePacker"]


class PagePacker:
    """Maps addresses to a dense memory, page by page in the order of the first touch.

    A program's addresses are far apart (code, heap, stack), and most of what lies between is never
    touched. Two addresses of one page stay as far apart as they were.

    Parameters
    ----------
    page_size : int
        Bytes, a power of two.

    Attributes
    ----------
    pages : int
        Touched so far.
    """

    def __init__(self, page_size=4096):
        if page_size < 1 or page_size & (page_size - 1):
            raise ValueError(f"page_size must be a power of two, not {page_size!r}")
        self._bits = page_size.bit_length() - 1
        self._known = np.empty(0, np.uint64)     # pages, sorted
        self._places = np.empty(0, np.uint64)    # and where each is

    @property
    def pages(self):
        return len(self._known)

    @property
    def bytes(self):
        """Bytes of the memory that holds them."""
        return self.pages << self._bits

    def pack(self, accesses):
        """An array like ``accesses``, with addresses from 0 on."""
        bits = np.uint64(self._bits)
        pages = accesses["address"] >> bits
        seen, first = np.unique(pages, return_index=True)
        new = ~np.isin(seen, self._known, assume_unique=True)
        # New pages in the order in which they came
        fresh = seen[new][np.argsort(first[new], kind="stable")]
        known = np.concatenate([self._known, fresh])
        places = np.concatenate([self._places, np.arange(
            self.pages, self.pages + len(fresh), dtype=np.uint64)])
        order = np.argsort(known, kind="stable")
        self._known, self._places = known[order], places[order]
        packed = accesses.copy()
        at = np.searchsorted(self._known, pages)
        within = accesses["address"] & ((np.uint64(1) << bits) - np.uint64(1))
        packed["address"] = self._places[at] << bits | within
        return packed
