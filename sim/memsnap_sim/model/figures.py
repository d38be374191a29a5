"""What is counted, and what is written down."""

from ._compiled import compiled

__all__ = ["count", "follow"]

_INITIAL = 1


@compiled
def follow(g, i, u, a):
    """The clock's end, for the write that a gate holds; called while it is on the bus."""
    w, f, port = u.wires, u.figures, i.port
    if w.hold[port]:
        g.stalled += 1
        g.waited |= w.held and w.asker == port
        f.stall_total += 1
        f.stall_longest = max(f.stall_longest, g.stalled)
    elif g.stalled:
        row = a.stalls[f.stalls]
        row[0] = port
        row[1] = i.accepted
        row[2] = u.clock - g.stalled
        row[3] = i.adr
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
