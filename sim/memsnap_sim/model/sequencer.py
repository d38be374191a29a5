"""The sequencer: answers held writes; claims blocks for them, for the regions, for the rest."""

from . import map_blocks, map_memory, proposals, reader, table
from ._compiled import compiled
from .state import ASKED, LOOK, PICK, PROPOSED

__all__ = ["decide", "retire", "step"]

_DEMAND, _INITIAL, _BACKGROUND = 0, 1, 2


@compiled
def _asks(u, port):
    """Whether a gate has a question, and not only waits for its beat to be secured."""
    return u.gate[port].ask_valid and not u.sequencer.securing[port]


@compiled
def _choose(u):
    """The gate whose question is at hand: the next one that has one, behind the last."""
    s, p = u.sequencer, u.params
    if p.ports > 1 and (s.state == PICK or s.state == LOOK and s.then == PROPOSED):
        for ahead in range(1, p.ports + 1):
            port = (s.turn + ahead) % p.ports
            if _asks(u, port):
                return port
    return s.turn


@compiled
def _probe(u, block, state):
    """Looks a block up in map and table; goes to ``state`` when its row is there."""
    s, w = u.sequencer, u.wires
    w.find = block
    w.scan = 1
    w.scan_row = block >> 5
    s.then = state
    s.state = LOOK if u.params.map_latency > 1 else state


@compiled
def _ask(u):
    """Looks the question's block up."""
    _probe(u, u.gate[u.wires.asker].ask >> u.params.beat_bits, ASKED)


@compiled
def _pick(u):
    """What is looked up in this clock: the question, a proposal, or the scan's next row."""
    s, w, p = u.sequencer, u.wires, u.params
    if not w.enable:
        return
    b, n, o = u.background, u.initial, u.own
    of_map = p.in_memory and not o.claimed
    go = u.clock - u.pace.claimed >= p.pace
    if of_map:
        proposed, block, may_claim = True, o.block, map_blocks.may_claim(u)
    elif n.done:
        proposed, block, may_claim = b.proposed and go, b.index, table.spare(u)
    else:
        proposed, block, may_claim = n.proposed, n.block, table.spare(u)
    row = proposals.background_row(u) if b.todo == 0 else -1
    if _asks(u, w.asker):
        first = False     # ahead of a held write that is of no use to look at again now
        if p.in_memory:
            stuck = s.stuck and of_map and o.under_way == 0
            first = (stuck and u.table.used < p.jobs
                     or s.again and (s.here or not u.map.fetching) and not w.set_valid
                     and (may_claim if proposed else row >= 0))
        if not first:
            _ask(u)
            return
    if w.set_valid and not p.map_beside:
        return
    if proposed:
        if may_claim:
            _probe(u, block, PROPOSED)
    elif row >= 0 and not s.reading:
        w.scan = 1
        w.scan_row = row
        w.reads_ahead = p.map_latency > 1 and n.done    # before, the row is another's
        w.scanned = p.map_latency == 1


@compiled
def _look(u):
    """The row is on its way; a question that comes now takes the place of a proposal."""
    s, w = u.sequencer, u.wires
    if s.then == PROPOSED and _asks(u, w.asker):
        _ask(u)
    else:
        s.state = s.then
        w.looking = 1
        if s.then == PROPOSED and not w.set_valid:
            w.reads_ahead = _read_ahead(u)
    if not w.enable:
        s.state = PICK


@compiled
def _read_ahead(u):
    """Reads the next row in time for the claim that follows that of a row's last block."""
    w, b = u.wires, u.background
    row = proposals.background_row(u)
    if not w.enable or not u.initial.done or b.seen or b.todo & (b.todo - 1) or row < 0:
        return False
    w.scan = 1
    w.scan_row = row
    return True


@compiled
def _claim(u, kind, place):
    w = u.wires
    w.open = 1
    w.kind = kind
    w.late = u.initial.done
    w.job = table.next_job(u)
    w.place = place


@compiled
def _answer(u, copied):
    """What becomes of the held write that was looked up."""
    s, w, p, t = u.sequencer, u.wires, u.params, u.table
    port = w.asker
    place = s.probed << p.beat_bits | u.gate[port].ask & ((1 << p.beat_bits) - 1)
    known = reader.check(u, t.found_job, place) if t.found and p.early else 0
    spared = p.in_memory and not u.own.claimed     # the last job is for the blocks of the map
    safe = False
    if t.found:
        safe = t.captured[t.found_job] if p.early else p.in_memory and t.copied[t.found_job]
    begins = False
    may_begin = not (p.early and u.reader.pending)
    s.state = PICK
    w.demand = 1
    if copied or safe:
        w.grant = 1
        w.whole = 1
    elif not t.found:
        begins = t.used < p.jobs - spared
        if begins and may_begin:
            _claim(u, _DEMAND, place)
    elif known == reader.CAPTURED:
        w.grant = 1
    elif u.reader.left[t.found_job] and not (known if p.early else s.visited[port]):
        begins = True
        w.visit = may_begin
    else:
        w.follow = p.early
    if w.visit:
        w.job = t.found_job
        w.place = place
    s.stuck = not w.open and not w.visit
    w.held = not w.grant and not s.waiting[port]
    s.waiting[port] = not w.grant
    if p.early:
        if begins and may_begin or w.follow:
            s.waiting[port] = 0
            s.securing[port] = 1
        elif begins:
            # The beat that was asked for before comes first
            _probe(u, s.probed, ASKED)
    elif begins:
        s.visited[port] = 1
    if w.grant:
        s.visited[port] = 0


@compiled
def _take_proposal(u, copied):
    """Claims the block that was proposed, unless it is copied or claimed."""
    w, s, p = u.wires, u.sequencer, u.params
    later = u.initial.done
    w.own_next = p.in_memory and not u.own.claimed
    w.initial_next = not w.own_next and not later
    w.background_next = later
    claimed = u.table.found or not w.own_next and map_blocks.has(u, s.probed)
    if w.enable and not copied and not claimed:
        _claim(u, _BACKGROUND if later else _INITIAL, s.probed << p.beat_bits)
        w.background_claim = later
    if p.map_beside:
        w.scanned = _read_ahead(u)


@compiled
def _ask_again(u):
    """The row of the question's block is not at hand: stays with it until it is."""
    s, w = u.sequencer, u.wires
    s.map_urgent = 1
    block = u.gate[w.asker].ask >> u.params.beat_bits
    w.find = block
    if s.again:
        s.state = PICK      # that comes first
    else:
        _probe(u, block, ASKED)


@compiled
def retire(u):
    """The bit of a finished block is set; those of the map's own blocks before all others."""
    s, w, t = u.sequencer, u.wires, u.table
    w.own_copied = 0
    w.finished_taken = w.set_ready
    w.retire = w.set_done
    if u.params.in_memory and not u.own.done:
        w.own_copied = t.finished
        w.finished_taken = 1
        w.retire = s.leaving
    s.leaving = w.own_copied


@compiled
def decide(u):
    """What is looked up, claimed, visited and granted in this clock; leaves for the next state."""
    s, w, p = u.sequencer, u.wires, u.params
    w.open = 0
    w.visit = 0
    w.follow = 0
    w.demand = 0
    w.find = -1
    w.grant = 0
    w.whole = 0
    w.looking = 0
    w.scan = 0
    w.reads_ahead = 0
    w.scanned = (s.reading and proposals.background_row(u) >= 0
                 and (u.background.todo == 0 or s.state == PROPOSED))
    w.initial_next = 0
    w.background_next = 0
    w.background_claim = 0
    w.own_next = 0
    w.set_valid = u.table.finished
    w.set_block = u.table.block[u.table.leaving]
    if p.in_memory and not u.own.done:
        w.set_valid = map_blocks.offers_bit(u)
        w.set_block = u.own.block
    known = not p.in_memory or u.map.scanned and u.map.scan_hit
    w.waits = s.again and not s.scanned and s.state != PROPOSED
    if s.scanned:
        s.again = not known
    s.map_urgent = 0
    w.asker = _choose(u)
    for port in range(p.ports):
        w.granted[port] = w.secured[port] and s.securing[port]
    copied = s.row_bits >> (s.probed & 31) & 1
    if s.state == PICK:
        _pick(u)
    elif s.state == LOOK:
        _look(u)
    elif s.state == PROPOSED:
        s.state = PICK
        s.again = not known
        if known:
            s.stuck = 0
            _take_proposal(u, copied)
    elif not w.enable:
        s.state = PICK
    elif known:
        _answer(u, copied)
    else:
        _ask_again(u)
    s.scanned = w.scanned
    s.reading = w.reads_ahead
    for port in range(p.ports):
        if w.granted[port]:
            s.securing[port] = 0
        if not w.enable:
            s.waiting[port] = 0
            s.visited[port] = 0
            s.securing[port] = 0
            s.again = s.stuck = 0
    if w.grant:
        w.granted[w.asker] = 1


@compiled
def step(u):
    """The clock's end."""
    s, w = u.sequencer, u.wires
    s.turn = w.asker
    # A proposal waits for its row, and a row has come since
    s.here = w.waits and (s.here or map_memory.comes(u))
    if w.background_claim:
        u.pace.claimed = u.clock
    if not w.looking:
        s.probed = w.find
