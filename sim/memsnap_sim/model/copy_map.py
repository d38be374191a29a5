"""The copy map: its bits, and how it is on chip."""

from . import map_memory
from ._compiled import compiled

__all__ = ["decide", "read", "step"]


@compiled
def read(u, a, row):
    """A row as a reader gets it: no block is shown as copied in one that is not at hand."""
    return a.rows[row] if not u.params.in_memory or map_memory.knows(u, a, row) else 0


@compiled
def decide(u):
    """Whether the map takes the block that is offered to it; whether it writes one's bit."""
    m, w = u.map, u.wires
    if u.params.in_memory:
        map_memory.decide(u)
        return
    w.set_ready = (u.params.map_beside or not w.scan) and not m.writing
    w.set_done = m.writing


@compiled
def step(u, a):
    """The clock's end. Called after all that read the map in this clock."""
    m, w = u.map, u.wires
    if u.params.in_memory:
        map_memory.step(u, a)
    elif u.params.map_latency > 1:
        u.sequencer.row_bits = u.sequencer.behind
        if w.scan:
            u.sequencer.behind = a.rows[w.scan_row]
    elif w.scan:
        u.sequencer.row_bits = a.rows[w.scan_row]
    if m.completing:
        # The summary follows a clock later
        a.words[m.word >> 5] |= 1 << (m.word & 31)
        m.completing = 0
    if m.completes:     # and another clock where the rows go into a register first
        m.completing = 1
        m.completes = 0
    if w.set_done:
        row = m.block >> 5
        a.rows[row] |= 1 << (m.block & 31)
        m.count += 1
        m.whole = a.rows[row] == 0xffff_ffff
        if u.params.words and m.whole:
            m.completes = u.params.map_latency > 1
            m.completing = not m.completes
            m.word = row
    m.writing = w.set_valid and w.set_ready
    if m.writing:
        m.block = w.set_block
    if u.params.in_memory and w.scan:
        u.sequencer.row_bits = a.rows[w.scan_row] if m.scan_hit else 0
