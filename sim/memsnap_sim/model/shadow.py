"""The port to a separate shadow."""

from ._compiled import compiled
from .memory import take

__all__ = ["decide", "step"]


@compiled
def decide(u):
    """Whether the shadow takes the beat that is on offer."""
    w = u.wires
    in_flight = u.shadow.tail - u.shadow.head + w.shadow_answer
    w.write_ready = u.buffer.offered and in_flight != u.params.max_in_flight


@compiled
def step(u, a):
    """The clock's end: the beat goes to the shadow."""
    if u.wires.write_ready:
        adr = u.params.shadow_base + a.places[u.buffer.taken & (u.params.buffer_depth - 1)]
        slot = u.shadow.tail & (len(a.shadow_answers) - 1)
        a.shadow_answers[slot] = take(u.shadow, a.shadow_timing, u.clock, adr, 1)
        u.shadow.tail += 1
