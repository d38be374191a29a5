"""Who proposes blocks that no write waits for: the walk through the regions, and the scan."""

from ._compiled import compiled

__all__ = ["scan_map", "walk_regions"]

_ALL = 0xffff_ffff


@compiled
def walk_regions(u):
    """The clock's end, for the initial copy."""
    n, w, p = u.initial, u.wires, u.params
    if not w.enable:
        n.region = 0
        n.proposed = 0
    elif not n.done and not n.proposed:
        # An entry of the table that is not in use takes a clock
        n.block = p.first[n.region]
        n.proposed = p.last[n.region] >= 0
        n.region += not n.proposed
    elif w.initial_next:
        if n.block == p.last[n.region]:
            n.region += 1
            n.proposed = 0
        else:
            n.block += 1
    n.done = n.region == p.regions


@compiled
def scan_map(u, reset):
    """The clock's end, for the background copy."""
    b, w, s = u.background, u.wires, u.sequencer
    if reset:
        b.row = 0
        b.seen = 0
        b.todo = 0
        b.proposed = 0
        b.done = 0
        return
    take = b.todo != 0 and (not b.proposed or w.background_next)
    if w.background_next:
        b.proposed = 0
    if take:
        lowest = 0
        while not b.todo >> lowest & 1:
            lowest += 1
        b.block = b.todo_row << 5 | lowest
        b.todo &= b.todo - 1
        b.proposed = 1
    seen = b.seen
    seen_row = b.seen_row
    b.seen = w.scanned
    if w.scanned:
        b.seen_row = b.row
        b.row += 1
    if seen and s.row_bits != _ALL:
        b.todo = _ALL & ~s.row_bits
        b.todo_row = seen_row
        b.row = seen_row + 1
        b.seen = 0
    b.done = b.row == u.params.rows and not b.seen and b.todo == 0 and not b.proposed
