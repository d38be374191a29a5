"""The copier's beats as bursts: consecutive places, one a beat, become runs."""

from ._compiled import compiled

__all__ = ["decide", "ready", "sends", "step"]

#: Clocks that an open run waits for its next beat.
_PATIENCE = 8


@compiled
def decide(r, place, urgent, chunk_beats):
    """Whether the run at hand is offered; ``place`` is that of the next beat, or -1 for none."""
    full = (r.last + 1) % chunk_beats == 0
    follows = place >= 0 and place == r.last + 1
    r.offers = r.valid and (r.sent or full or urgent or place >= 0 and not follows
                            or r.idle == _PATIENCE)
    r.extends = r.valid and not r.offers and follows


@compiled
def sends(r):
    """Whether the run is offered for the first time."""
    return r.offers and not r.sent


@compiled
def ready(r, taken):
    """Whether the next beat is taken; ``taken`` says whether the run would be, if offered."""
    r.taken = r.offers and taken
    r.ready = not r.valid or r.extends or r.taken
    return r.ready


@compiled
def step(r, place):
    """The clock's end; ``place`` as in :func:`decide`."""
    r.sent = r.offers and not r.taken
    if r.extends:
        r.idle = 0
        r.count += 1
    elif r.idle != _PATIENCE:
        r.idle += 1
    if place >= 0 and r.ready:
        r.last = place
        if not r.extends:
            r.valid = 1
            r.first = place
            r.count = 1
            r.idle = 0
    elif r.taken:
        r.valid = 0
