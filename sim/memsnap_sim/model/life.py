"""The life of the snapshot: start, instant, end."""

from . import map_memory
from ._compiled import compiled

__all__ = ["NEVER", "at_rest", "decide", "next_start", "step"]

#: A clock that does not come.
NEVER = 1 << 62


@compiled
def next_start(u):
    """The first clock in which a start may come, from all that is known now."""
    f, p = u.life, u.params
    if f.started:
        return NEVER
    if p.start_beat >= 0:
        return max(p.ready, u.clock) if u.initiator[0].made > p.start_beat else NEVER
    return max(p.ready, p.start_clock) if p.start_clock >= 0 else NEVER


@compiled
def at_rest(u):
    """Whether no snapshot is under way, and none starts in this clock."""
    if u.life.started:
        return u.life.ended != 0 and not (u.params.in_memory and map_memory.fetches(u))
    if u.map.sweeping:
        return False
    return u.clock < next_start(u)


@compiled
def decide(u):
    """Whether the copier may work in this clock, and whether all is copied."""
    w, f = u.wires, u.life
    w.enable = f.active
    for port in range(u.params.ports):
        if u.gate[port].due:
            w.enable = 0
    w.full = (f.active and u.map.count == u.params.blocks and not u.map.unwritten
              and not map_memory.busy(u))
    w.start = not f.started and u.clock >= next_start(u)


@compiled
def step(u):
    """The clock's end."""
    f, w = u.life, u.wires
    if w.start:
        f.started = 1
        f.accepted = u.clock
        f.armed = 1
    elif f.started and not f.active and not f.ended:
        f.armed += 1
        if w.can_arm:
            f.active = 1
            f.instant = u.clock + 1
    elif w.full:
        f.active = 0
        f.ended = u.clock
