"""A stand-in for the unit's table of regions, for runs of its core without registers."""

__all__ = ["RegionEntries"]


class RegionEntries:
    """Answers who looks up regions.

    Parameters
    ----------
    lookup : memsnap.control.RegionLookup
        The looking side.

    Attributes
    ----------
    entries : list of (first, last, enable)
        In blocks; what is missing is not enabled.
    """

    def __init__(self, lookup):
        self._lookup = lookup
        self.entries = []

    async def process(self, ctx):
        """Answers each look in the clock after."""
        lookup = self._lookup
        async for *_, index in ctx.tick().sample(lookup.index):
            entry = self.entries[index] if index < len(self.entries) else (0, 0, 0)
            for name, value in zip(("first", "last", "enable"), entry, strict=True):
                ctx.set(getattr(lookup, name), value)
