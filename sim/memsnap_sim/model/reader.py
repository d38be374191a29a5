"""The half of the copier that reads: walks the open jobs, the wanted beat first."""

from ._compiled import compiled

__all__ = ["CAPTURED", "check", "decide", "step"]

# ``check`` says so much of a beat
_UNKNOWN, _ISSUED, CAPTURED = 0, 1, 2


@compiled
def decide(u, a):
    """Whether the beat at hand is read, passed over, or waits."""
    r, w, p = u.reader, u.wires, u.params
    now = r.now
    w.issue = 0
    w.skip = 0
    w.target = 0
    w.issue_last = 0
    w.issue_job = now
    if r.pending and now == r.want_job and r.beat[now] == r.want:
        w.target = 1
    if r.left[now]:
        if r.asked and a.notes[now << p.beat_bits | r.beat[now]] == r.stamp[now]:
            w.skip = 1
        elif r.asked or not r.visited[now] or p.beat_bits == 0:
            least = 0 if w.target else p.reserve
            may_issue = r.pending or not r.paused
            if may_issue and u.buffer.free > least and (not r.valid or w.read_ready):
                w.issue = 1
                w.issue_last = r.left[now] == 1
                w.issue_place = r.block[now] << p.beat_bits | r.beat[now]
    w.unread_next = u.buffer.unread + w.issue - w.read_answer
    for port in range(p.ports):
        w.secured[port] = (r.waiting[port] and not (r.pending and r.whose == port)
                           and r.due[port] <= w.read_answer)


@compiled
def check(u, job, place):
    """What is known for certain of a beat, by the run of beats that followed the last visit."""
    r = u.reader
    if job != r.run_job:
        return _UNKNOWN
    distance = (place - r.first) & ((1 << u.params.beat_bits) - 1)
    if distance < r.run_captured:
        return CAPTURED
    return _ISSUED if distance < r.run_issued else _UNKNOWN


@compiled
def _follow_run(u, urgent):
    """The clock's end, for the run."""
    r, w = u.reader, u.wires
    issued = r.run_issued
    if r.now == r.run_job:
        if w.issue and r.growing:
            r.run_issued += 1
        if w.skip:
            r.growing = 0
    if w.read_answer:
        if r.before:
            r.before -= 1
        elif r.run_captured != issued:
            r.run_captured += 1
    if urgent or w.open and w.job == r.run_job:
        r.run_job = w.job
        r.first = w.place
        r.run_issued = 0
        r.run_captured = 0
        r.growing = urgent
        r.before = w.unread_next


@compiled
def _secure(u, urgent):
    """The clock's end, for the wanted beats: one of each port."""
    r, w, p = u.reader, u.wires, u.params
    # Every beat of a job that has none left is under way
    under_way = r.pending and (
        w.target and (w.issue or w.skip) or r.left[r.want_job] == 0)
    asker = w.asker if p.early else 0
    r.waits = 0
    for port in range(p.ports):
        asks = asker == port
        if under_way and r.whose == port or w.follow and asks:
            r.due[port] = w.unread_next
        elif w.read_answer and r.due[port]:
            r.due[port] -= 1
        if asks and (urgent or w.follow):
            r.waiting[port] = 1
        elif w.secured[port]:
            r.waiting[port] = 0
        r.waits |= r.waiting[port]
    if under_way:
        r.pending = 0
    if under_way or w.follow:
        r.offered = 1
    elif not r.valid or w.read_ready:
        r.offered = 0
    if urgent:
        r.pending = 1
        r.want_job = w.job
        r.want = w.place & ((1 << p.beat_bits) - 1)
        r.whose = asker


@compiled
def _next_in_turn(u, now):
    """Another job with beats to read, or ``now`` if there is none."""
    r, p = u.reader, u.params
    later = now     # claimed when the initial copy was
    for ahead in range(1, p.jobs):
        job = now + ahead
        if job >= p.jobs:
            job -= p.jobs
        if r.left[job]:
            if not r.late[job]:
                return job
            if later == now:
                later = job
    return later


@compiled
def step(u, a):
    """The clock's end."""
    r, w, p = u.reader, u.wires, u.params
    urgent = w.visit or w.open and w.demand
    if r.waits or r.offered or urgent or w.follow:
        _secure(u, urgent)
    _follow_run(u, urgent)
    now, job = r.now, w.job
    beats = (1 << p.beat_bits) - 1
    beat_of_job, away_of_job = r.beat[job], r.away[job]
    stays = (not w.issue and not w.skip and not urgent and r.visited[now] and r.left[now] != 0)
    # With many notes, it is known of the next beat whether it was read, of one that is visited, and
    # a clock later of any other
    read = False
    if not p.deep_notes:
        asked = stays
    else:
        asked = stays and (r.asked or r.read)
        if r.asked:
            read = w.issue and not w.issue_last or w.skip
        else:
            read = stays and not r.read
        read = w.visit or not w.demand and read
    following = now
    if r.chosen and not r.moved:
        goes_on = r.left[now] == 0 or w.issue_last
        if goes_on:
            following = r.other
    else:
        goes_on = w.open and r.left[now] == 0
        if goes_on:
            following = job
    r.moved = goes_on or urgent
    # What comes after the job at hand is chosen a clock ahead
    r.other = _next_in_turn(u, now)
    r.chosen = r.other != now
    if w.issue:
        a.notes[now << p.beat_bits | r.beat[now]] = r.stamp[now]
        r.left[now] -= 1
        r.place = w.issue_place
        if w.issue_last:
            r.stamp[now] += 1
    r.valid = w.issue or r.valid and not w.read_ready
    if w.skip and r.away[now]:
        r.beat[now] = r.circle[now]
        r.away[now] = 0
    elif w.issue or w.skip:
        r.beat[now] = (r.beat[now] + 1) & beats
    if w.open:
        r.block[job] = w.place >> p.beat_bits
        r.beat[job] = w.place & beats
        r.left[job] = 1 << p.beat_bits
        r.away[job] = 0
        r.visited[job] = 0
        r.late[job] = w.late
    if w.visit:
        if not away_of_job:
            r.circle[job] = beat_of_job
        r.beat[job] = w.place & beats
        r.away[job] = 1
        r.visited[job] = 1
    r.now = job if urgent else following
    r.asked = asked
    r.read = read
