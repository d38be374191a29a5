"""The copy map on chip."""

from ._compiled import compiled

__all__ = ["decide", "step"]


@compiled
def decide(u):
    """Whether the map takes the block that is offered to it; whether it writes one's bit."""
    m, w = u.map, u.wires
    w.set_ready = not w.scan and not m.writing
    w.set_done = m.writing
    w.retire = w.set_done


@compiled
def step(u, a):
    """The clock's end. Called after all that read the map in this clock."""
    m, w, t = u.map, u.wires, u.table
    if w.set_done:
        a.rows[m.block >> 5] |= 1 << (m.block & 31)
        m.count += 1
    m.writing = w.set_valid and w.set_ready
    if m.writing:
        m.block = t.block[t.leaving]
