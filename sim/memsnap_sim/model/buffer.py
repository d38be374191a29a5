"""The buffer between reads and shadow, and the half of the copier that writes."""

from ._compiled import compiled

__all__ = ["decide", "step"]


@compiled
def decide(u):
    """Which job's last beat is captured, or is in the shadow, in this clock."""
    b, w, p = u.buffer, u.wires, u.params
    w.take = b.offered and w.write_ready
    w.captured = 0
    w.copied = 0
    if w.read_answer and b.capture != b.put:
        at = b.capture % p.jobs
        if b.end_slot[at] == b.read:
            w.captured = 1
            w.captured_job = b.end_job[at]
    if w.write_answer and b.copy != b.put:
        at = b.copy % p.jobs
        if b.end_slot[at] == b.answered:
            w.copied = 1
            w.copied_job = b.end_job[at]


@compiled
def step(u, a):
    """The clock's end."""
    b, w, p = u.buffer, u.wires, u.params
    b.offered = b.unwritten > w.take
    if w.issue:
        a.places[b.issued & (p.buffer_depth - 1)] = w.issue_place
        if w.issue_last:
            at = b.put % p.jobs
            b.end_slot[at] = b.issued
            b.end_job[at] = w.issue_job
            b.put += 1
    b.issued += w.issue
    b.read += w.read_answer
    b.taken += w.take
    b.answered += w.write_answer
    b.capture += w.captured
    b.copy += w.copied
    b.unread += w.issue - w.read_answer
    b.unwritten += w.read_answer - w.take
    b.free += w.write_answer - w.issue
