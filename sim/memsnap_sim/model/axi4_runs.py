"""The copier's beats as bursts: consecutive places, one a beat, become runs."""

from ._compiled import compiled

__all__ = ["decide", "ready", "sends", "step"]

#: Clocks that an open run waits for its next beat.
_PATIENCE = 8


@compiled
def decide(r, place, urgent, hold, through, chunk_beats):
    """Whether a run is offered; ``place`` is that of the next beat, or -1 for none.

    If ``urgent``, it is, unless there is a reason to ``hold`` it; and it does not grow.
    With ``through`` the beat itself is, if it is ``urgent`` and no run is at hand.
    """
    full = (r.last + 1) % chunk_beats == 0
    follows = place >= 0 and place == r.last + 1
    ends = full or urgent or place >= 0 and not follows or r.idle == _PATIENCE
    r.offers = r.valid and (r.sent or ends and not hold)
    r.extends = r.valid and not r.offers and follows and not urgent
    r.passes = through and urgent and place >= 0 and not r.valid
    if r.passes:
        r.offers = True
        r.first = place
        r.count = 1


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
            r.valid = not (r.passes and r.taken)
            r.first = place
            r.count = 1
            r.idle = 0
    elif r.taken:
        r.valid = 0
