"""Who proposes blocks that no write waits for: the walk through the regions, and the scan."""

from ._compiled import compiled

__all__ = ["background_row", "scan_map", "walk_regions"]

_ALL = 0xffff_ffff


@compiled
def walk_regions(u):
    """The clock's end, for the initial copy."""
    n, w, p = u.initial, u.wires, u.params
    if not w.enable or p.in_memory and not u.own.claimed:
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
def _forget(scan):
    scan.row = 0
    scan.seen = 0
    scan.todo = 0
    scan.proposed = 0
    scan.done = 0
    scan.fetched = 1


@compiled
def _step_scan(scan, row, read, known, data, taken):
    """The clock's end of a scan for zeros. Returns whether ``row``, being ``read``, is done with.

    ``data`` is the row that was read in the clock before, if it is ``known``; ``taken`` says that
    the proposal was dealt with.
    """
    found = scan.seen and known and data != _ALL
    take = scan.todo != 0 and (not scan.proposed or taken)
    if taken:
        scan.proposed = 0
    if take:
        lowest = 0
        while not scan.todo >> lowest & 1:
            lowest += 1
        scan.index = scan.todo_row << 5 | lowest
        scan.todo &= scan.todo - 1
        scan.proposed = 1
    if found:
        scan.todo = _ALL & ~data
        scan.todo_row = scan.seen_row
    scan.seen = read and not found
    if read:
        scan.seen_row = row
    return scan.seen


@compiled
def _read_word(words, word):
    """A word of the summary goes into a register first."""
    words.data = words.behind
    words.behind = word


@compiled
def scan_map(u, a, reset):
    """The clock's end, for the background copy: the rows, or those that the summary proposes."""
    b, n, w, p = u.background, u.words, u.wires, u.params
    if reset:
        _forget(b)
        _forget(n)
        _read_word(n, a.words[0])
        return
    row = background_row(u)
    known = not p.in_memory or u.map.scanned and u.map.scan_hit
    done_with = b.seen and known
    goes_on = _step_scan(b, row, w.scanned, known, u.sequencer.row_bits, w.background_next)
    if not p.in_memory:
        done_with = goes_on
    if not p.words:
        b.row += done_with
        b.done = b.row == p.rows and not b.seen and b.todo == 0 and not b.proposed
        return
    reads = n.row != p.words and n.todo == 0 and n.fetched
    data = n.data
    _read_word(n, a.words[min(n.row, p.words - 1)])
    goes_on = _step_scan(n, n.row, reads, True, data, done_with)
    n.row += goes_on
    n.fetched = not goes_on
    n.done = n.row == p.words and not n.seen and n.todo == 0 and not n.proposed
    b.done = n.done and not b.seen and b.todo == 0 and not b.proposed


@compiled
def background_row(u):
    """The row that the background copy wants to read, or -1 for none."""
    if u.params.in_memory and u.background.seen:
        return -1
    if u.params.words:
        return u.words.index if u.words.proposed else -1
    return u.background.row if u.background.row != u.params.rows else -1
