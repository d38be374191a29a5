"""The port to a separate shadow."""

from ._compiled import compiled
from .memory import take

__all__ = ["decide", "step"]


@compiled
def decide(u):
    """Whether the shadow takes the beat that is on offer."""
    w = u.wires
    if not u.params.pipelined:
        w.write_ready = u.shadow.busy and u.shadow.last_answer == u.clock
        return
    in_flight = u.shadow.tail - u.shadow.head + w.shadow_answer
    kept = u.buffer.taken - u.buffer.answered
    w.write_ready = (u.buffer.offered and in_flight != u.params.max_in_flight
                     and kept != u.params.kept)


@compiled
def step(u, a):
    """The clock's end: the beat goes to the shadow."""
    x, p = u.shadow, u.params
    begins = u.wires.write_ready
    if not p.pipelined:
        begins = u.buffer.offered and not x.busy
        x.busy = u.buffer.offered and not u.wires.write_ready
        x.done = u.wires.write_ready
    if begins:
        adr = p.shadow_base + a.places[u.buffer.taken & (p.buffer_depth - 1)]
        answer = take(x, a.shadow_timing, u.clock, adr, 1)
        if p.pipelined:
            a.shadow_answers[x.tail & (len(a.shadow_answers) - 1)] = answer
            x.tail += 1
