"""The sequencer: answers held writes; claims blocks for them, for the regions, for the rest."""

from . import reader, table
from ._compiled import compiled
from .state import ASKED, PICK, PROPOSED, SECURE

__all__ = ["decide", "step"]

_DEMAND, _INITIAL, _BACKGROUND = 0, 1, 2


@compiled
def _choose(u):
    """The gate whose question is at hand: the next one that has one, behind the last."""
    s, p = u.sequencer, u.params
    if p.ports > 1 and s.state == PICK:
        for ahead in range(1, p.ports + 1):
            port = (s.turn + ahead) % p.ports
            if u.gate[port].ask_valid:
                return port
    return s.turn


@compiled
def _pick(u):
    """What is looked up in this clock: the question, a proposal, or the scan's next row."""
    s, w = u.sequencer, u.wires
    asks = u.gate[w.asker].ask_valid
    if not w.enable:
        return
    if asks:
        w.find = u.gate[w.asker].ask >> u.params.beat_bits
        w.scan = 1
        w.scan_row = w.find >> 5
        s.state = ASKED
        return
    if w.set_valid:
        return
    b, n = u.background, u.initial
    go = u.clock - u.pace.claimed >= u.params.pace
    if n.proposed if not n.done else b.proposed and go:
        if table.spare(u):
            w.find = b.block if n.done else n.block
            w.scan = 1
            w.scan_row = w.find >> 5
            s.state = PROPOSED
    elif b.row != u.params.rows and b.todo == 0:
        w.scan = 1
        w.scan_row = b.row
        w.scanned = 1


@compiled
def _claim(u, kind, place):
    w = u.wires
    w.open = 1
    w.kind = kind
    w.job = table.next_job(u)
    w.place = place


@compiled
def _answer(u, copied):
    """What becomes of the held write that was looked up."""
    s, w, p, t = u.sequencer, u.wires, u.params, u.table
    port = w.asker
    ask = u.gate[port].ask
    asked_before = s.waiting[port]
    secure = False
    waits = True
    w.demand = 1
    if copied:
        w.ask_ready = 1
        w.whole = 1
    elif not t.found:
        if t.used < p.jobs:
            _claim(u, _DEMAND, s.probed << p.beat_bits | ask & ((1 << p.beat_bits) - 1))
            s.visited[port] = 1
            secure = p.early
    elif p.early:
        known = reader.check(u, t.found_job, ask)
        if t.captured[t.found_job]:
            w.ask_ready = 1
            w.whole = 1
        elif known == 2:
            w.ask_ready = 1
        elif u.reader.left[t.found_job] and known == 0:
            w.visit = 1
            secure = True
    elif u.reader.left[t.found_job] and not s.visited[port]:
        w.visit = 1
        s.visited[port] = 1
    if w.visit:
        w.job = t.found_job
        w.place = s.probed << p.beat_bits | ask & ((1 << p.beat_bits) - 1)
    if w.ask_ready:
        s.visited[port] = 0
        waits = False
    w.held = waits and not asked_before
    s.waiting[port] = waits and not secure
    s.state = SECURE if secure else PICK


@compiled
def decide(u):
    """What is looked up, claimed, visited and granted in this clock; leaves for the next state."""
    s, w = u.sequencer, u.wires
    w.open = 0
    w.visit = 0
    w.demand = 0
    w.find = -1
    w.ask_ready = 0
    w.whole = 0
    w.held = 0
    w.scan = 0
    w.scanned = 0
    w.initial_next = 0
    w.background_next = 0
    w.background_claim = 0
    w.set_valid = u.table.finished
    w.asker = _choose(u)
    copied = s.row_bits >> (s.probed & 31) & 1
    if s.state == PICK:
        _pick(u)
    elif s.state == PROPOSED:
        s.state = PICK
        later = u.initial.done
        w.initial_next = not later
        w.background_next = later
        if w.enable and not copied and not u.table.found:
            _claim(u, _BACKGROUND if later else _INITIAL, s.probed << u.params.beat_bits)
            w.background_claim = later
    elif s.state == ASKED:
        if w.enable:
            _answer(u, copied)
        else:
            s.state = PICK
    else:
        w.ask_ready = w.secured
        if w.secured or not w.enable:
            s.state = PICK
    if not w.enable:
        for port in range(u.params.ports):
            s.waiting[port] = 0
            s.visited[port] = 0


@compiled
def step(u, a):
    """The clock's end. Called after all that use the row that was read in the clock before."""
    s, w = u.sequencer, u.wires
    s.turn = w.asker
    if w.background_claim:
        u.pace.claimed = u.clock
    s.probed = w.find
    if w.scan:
        s.row_bits = a.rows[w.scan_row]
