"""What keeps an address of the copier that a port shared with others does not take at once."""

from ._compiled import compiled

__all__ = ["decide", "ready", "step"]


@compiled
def decide(s, port, runs):
    """Whether an address is offered; a port of the copier's own takes each at once."""
    s.offers = port == 0 and (s.kept or runs.offers)
    if not s.kept:
        s.place = runs.first
        s.count = runs.count
    return s.offers


@compiled
def ready(s):
    """Whether the run at hand is taken, if it is offered."""
    return not s.kept


@compiled
def step(s, passes):
    """The clock's end; ``passes``: the port takes the address that is offered."""
    s.kept = s.offers and not passes
