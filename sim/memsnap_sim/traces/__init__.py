"""Streams of memory accesses: read from files, made by rule, and packed into a memory's pages.

A stream is an iterable of arrays of :data:`memsnap_sim.model.ACCESS`; however long it is, only a
part of it is in memory at a time.
"""

from .errors import TraceError
from .files import open_trace
from .pages import PagePacker
from .patterns import PATTERNS, pattern

__all__ = ["PATTERNS", "PagePacker", "TraceError", "open_trace", "pattern"]
