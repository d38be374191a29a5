"""The copy map in the memory: its requests, the rows that are at hand, and its sweep after a reset.

What a row holds is kept in one place for all, because nobody sees a row in the memory before it is
written there; of the cache it matters which rows are in it.
"""

from ._compiled import compiled

__all__ = ["busy", "comes", "decide", "fetches", "knows", "step"]


@compiled
def _has(a, row):
    """Whether a row is at hand."""
    return a.tags[row & (len(a.tags) - 1)] == row


@compiled
def _is_blank(u, row):
    """Whether a row has no set bit, if that is known without it."""
    p = u.params
    last = p.map_first + p.map_blocks - 1
    return row >= u.map.blank_from and not p.map_first >> 5 <= row <= last >> 5


@compiled
def knows(u, a, row):
    """Whether it is known what is in a row."""
    return _has(a, row) or _is_blank(u, row)


@compiled
def busy(u):
    """Whether a request is on offer, or its answer is due."""
    q = u.requests
    return q.valid or q.before != 0 or q.reading


@compiled
def fetches(u):
    """Whether a row is being read, or will be in the next clock; it is so beyond the end, too."""
    m = u.map
    return busy(u) or m.fetching or m.scanned and not m.scan_hit


@compiled
def _block_of(u, row):
    """The block that holds a row."""
    return row >> u.params.rows_of_block


@compiled
def _may_put(u, row):
    """All that is in flight is for one block of the map, or its last answer comes now."""
    q, w = u.requests, u.wires
    clears = not q.valid and (q.after == 0 and w.map_read if q.reading
                              else q.before == 1 and w.map_written)
    return not busy(u) or clears or _block_of(u, row) == q.block


@compiled
def comes(u):
    """Whether the row that is being fetched comes in this clock."""
    return u.wires.map_read or u.wires.map_returns


@compiled
def decide(u):
    """What is asked of the memory in this clock, and whether a bit is set."""
    m, q, w, p = u.map, u.requests, u.wires, u.params
    room = not q.valid or w.map_ready
    other = m.unwritten and m.unwritten_row != m.block >> 5
    w.map_returns = (m.fetching and not m.asked and m.unwritten
                     and m.unwritten_row == m.fetch_row)
    w.map_written = w.map_answer and q.before != 0
    w.map_read = w.map_answer and q.before == 0 and q.reading
    w.put = 0
    w.put_we = 0
    w.set_done = 0
    w.set_ready = not m.setting and not m.sweeping
    if m.sweeping:
        w.put = room and m.sweep_row != p.rows
        w.put_we = 1
        w.put_row = m.sweep_row
        return
    known = m.take_hit or m.take_blank and not m.fetching
    w.set_done = m.setting and known and not other and not comes(u)
    set_misses = m.setting and not m.take_hit and not m.take_blank and not m.wrote
    # A row that was replaced in the clock before may come back with a bit that is being set
    scan_misses = m.scanned and not m.scan_hit and not (m.wrote and w.set_done)
    w.map_misses = set_misses or scan_misses
    if m.fetching:
        # The row that comes is what the scan has missed, if it is the same
        w.map_misses = comes(u) and scan_misses and m.scan_at != m.fetch_row and not set_misses
    w.next_row = m.fetch_row
    if w.map_misses:
        w.next_row = m.block >> 5 if set_misses else m.scan_at
    comes_back = m.unwritten and m.unwritten_row == w.next_row
    if (w.map_misses or m.fetching and not m.asked) and not comes_back:
        w.put_row = w.next_row
        w.put = room and _may_put(u, w.put_row)
    elif m.unwritten and (m.whole or other and m.setting and (known or m.fetching)):
        w.put_we = 1
        w.put_row = m.unwritten_row
        w.put = room and _may_put(u, w.put_row)


@compiled
def _request(u):
    """The clock's end, for the requests."""
    q, w = u.requests, u.wires
    taken = q.valid and w.map_ready
    taken_write = taken and q.we
    if w.map_read:
        q.reading = 0
        q.before = q.after + taken_write
        q.after = 0
    else:
        if q.reading:
            q.after += taken_write
        else:
            q.before += taken_write
        q.before -= w.map_written
        if taken and not q.we:
            q.reading = 1
    if w.put:
        q.valid = 1
        q.we = w.put_we
        q.row = w.put_row
        q.block = _block_of(u, w.put_row)
    elif w.map_ready:
        q.valid = 0


@compiled
def _sweep(u, a):
    """The clock's end, while the rows are written after a reset."""
    m, w, p = u.map, u.wires, u.params
    if m.sweep_row != p.rows:
        a.tags[m.sweep_row & (len(a.tags) - 1)] = m.sweep_row
        m.sweep_row += w.put
    elif not busy(u):
        m.sweeping = 0
        p.ready = max(u.clock + 1, p.notes) + 1


@compiled
def step(u, a):
    """The clock's end, but for the bit. Called after all that read the map in this clock."""
    m, w = u.map, u.wires
    if m.sweeping:
        _sweep(u, a)
        _request(u)
        return
    if w.put and w.put_we:
        m.unwritten = 0
    take_row = (m.block if m.setting else w.set_block) >> 5
    was_blank = m.take_blank
    m.take_hit = _has(a, take_row)
    m.take_blank = _is_blank(u, take_row)
    blank = _is_blank(u, w.scan_row)
    here = comes(u)
    m.wrote = w.set_done or here
    if w.set_done:
        m.unwritten = 1
        m.unwritten_row = m.block >> 5
        if was_blank:
            m.blank_from = m.unwritten_row + 1
        # Its line may have been replaced in the clock before, after it was read for this
        a.tags[m.unwritten_row & (len(a.tags) - 1)] = m.unwritten_row
        m.setting = 0
    if here:
        a.tags[m.fetch_row & (len(a.tags) - 1)] = m.fetch_row
        m.fetching = 0
        m.asked = 0
    if w.map_misses:
        m.fetching = 1
        m.fetch_row = w.next_row
    if w.put and not w.put_we:
        m.asked = 1
    m.scanned = w.scan
    if w.scan:
        # It sees what is written in its clock
        m.scan_at = w.scan_row
        m.scan_hit = _has(a, w.scan_row) or blank
    if w.set_valid and w.set_ready:
        m.setting = 1
    _request(u)
