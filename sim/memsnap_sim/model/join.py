"""The join: gates of several ports share the memory's port in turn."""

from ._compiled import compiled

__all__ = ["decide", "step"]


@compiled
def decide(u):
    """The gate whose request stands at the arbiter: the next behind the last that was taken."""
    j, w, p = u.join, u.wires, u.params
    w.port = 0
    if p.ports == 1:
        return w.asks[0]
    if j.waiting and w.asks[j.waiting_owner]:
        w.port = j.waiting_owner
        return True
    for ahead in range(1, p.ports + 1):
        port = (j.last + ahead) % p.ports
        if w.asks[port]:
            w.port = port
            return True
    w.port = j.last
    return False


@compiled
def step(u, stands):
    """The clock's end."""
    j, w = u.join, u.wires
    taken = w.accepted and w.owner == 0
    j.waiting = stands and not taken
    j.waiting_owner = w.port
    if taken:
        j.last = w.port
