"""What is counted, and what is written down."""

from ._compiled import compiled

__all__ = ["count", "follow", "leave"]

_INITIAL = 1


@compiled
def follow(g, port, number, adr, u, a):
    """The clock's end, for the write that a gate holds, the ``number``-th access to word ``adr``;
    called while it is on the bus."""
    w, f = u.wires, u.figures
    if w.hold[port]:
        g.stalled += 1
        g.held_for += 1
        g.waited |= w.held and w.asker == port
        f.stall_total += 1
        f.stall_longest = max(f.stall_longest, g.held_for)
    else:
        g.held_for = 0
        if g.stalled:
            leave(g, port, number, adr, u, a, u.clock)


@compiled
def leave(g, port, number, adr, u, a, clock):
    """Writes down that the write that was held is so no more from ``clock`` on."""
    f = u.figures
    row = a.stalls[f.stalls]
    row[0] = port
    row[1] = number
    row[2] = clock - g.stalled
    row[3] = adr
    row[4] = g.stalled
    row[5] = g.waited
    f.stalls += 1
    g.stalled = 0
    g.waited = 0


@compiled
def count(u, a):
    """The clock's end, for the blocks that are copied and the writes that wait for one."""
    f, w, t, p = u.figures, u.wires, u.table, u.params
    f.held += w.held
    if w.set_done:
        kind = _INITIAL if p.in_memory and not u.own.done else t.kind[t.leaving]
        f.blocks[kind] += 1
        row = a.copies[f.copies]
        row[0] = u.clock
        row[1] = u.map.block
        row[2] = kind
        f.copies += 1
