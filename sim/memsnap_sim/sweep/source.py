"""Where a sweep's accesses come from; small to send to a worker, which reads them itself."""

from dataclasses import dataclass

from ..traces import PagePacker, open_trace, pattern

__all__ = ["PatternSource", "Size", "TraceSource"]


@dataclass(frozen=True)
class Size:
    """How much there is: accesses, writes, and bytes of memory from 0 on."""

    accesses: int
    writes: int
    memory_bytes: int


@dataclass(frozen=True)
class TraceSource:
    """A trace file, its pages packed into a dense memory.

    Parameters
    ----------
    path : str
    format : str or None
        See :func:`memsnap_sim.traces.open_trace`.
    clocks_per_instruction : int
    page_size : int or None
        None takes the addresses as they are.
    """

    path: str
    format: str | None = None
    clocks_per_instruction: int = 1
    page_size: int | None = 4096

    def chunks(self):
        """The accesses, anew at each call."""
        chunks = open_trace(self.path, self.format,
                            clocks_per_instruction=self.clocks_per_instruction)
        if self.page_size is None:
            return chunks
        return map(PagePacker(self.page_size).pack, chunks)

    def size(self, progress=lambda accesses: None):
        """Reads all of it once; ``progress`` is told how many accesses were read."""
        return _measure(self.chunks(), progress)


@dataclass(frozen=True)
class PatternSource:
    """Accesses made by a rule; see :func:`memsnap_sim.traces.pattern`."""

    name: str
    accesses: int
    memory_size: int
    gap: float = 3
    writes: float = 0.3
    seed: int = 1

    def chunks(self):
        """The accesses, anew at each call."""
        return pattern(self.name, accesses=self.accesses, size=self.memory_size, gap=self.gap,
                       writes=self.writes, seed=self.seed)

    def size(self, progress=lambda accesses: None):
        """As of a :class:`TraceSource`; the memory is all that the rule may access."""
        counted = _measure(self.chunks(), progress)
        return Size(counted.accesses, counted.writes, self.memory_size)


def _measure(chunks, progress):
    accesses = writes = memory_bytes = 0
    for chunk in chunks:
        accesses += len(chunk)
        writes += int(chunk["write"].sum())
        memory_bytes = max(memory_bytes, int((chunk["address"] + chunk["size"]).max()))
        progress(accesses)
    return Size(accesses, writes, memory_bytes)
