"""The job table: each job is a block from its claim until its bit in the copy map is set."""

from . import map_blocks
from ._compiled import compiled

__all__ = ["next_job", "spare", "step"]


@compiled
def spare(u):
    """Whether a block that no write waits for may have a job."""
    return u.table.used < u.params.background_jobs


@compiled
def next_job(u):
    """The first job that is not in use, or the number of jobs."""
    t, p = u.table, u.params
    for job in range(p.jobs):
        if not t.busy[job]:
            return job
    return p.jobs


@compiled
def _look_up(u, block):
    t, p = u.table, u.params
    for job in range(p.jobs):
        if t.busy[job] and t.block[job] == block:
            return job
    return -1


@compiled
def _leave(u, only_own):
    """The first job whose block is in the shadow is offered to the copy map."""
    t, p = u.table, u.params
    for job in range(p.jobs):
        if t.taken and job == t.leaving:
            continue
        if t.busy[job] and t.copied[job] and (not only_own or map_blocks.has(u, t.block[job])):
            t.finished = 1
            t.leaving = job
            return


@compiled
def step(u):
    """The clock's end."""
    t, w = u.table, u.wires
    retires = t.leaving
    if not w.looking:
        t.found = 0
    if w.find >= 0:
        job = _look_up(u, w.find)
        if job >= 0:
            t.found = 1
            t.found_job = job
    if t.finished:
        if w.finished_taken:
            t.finished = 0
            t.taken = 1
    elif not t.taken or u.params.map_beside and w.retire:
        _leave(u, u.params.in_memory and not u.own.done)
    if w.captured:
        t.captured[w.captured_job] = 1
    if w.copied:
        t.copied[w.copied_job] = 1
    if w.retire:
        t.busy[retires] = 0
        t.taken = 0
        t.used -= 1
    if w.open:
        t.busy[w.job] = 1
        t.captured[w.job] = 0
        t.copied[w.job] = 0
        t.block[w.job] = w.place >> u.params.beat_bits
        t.kind[w.job] = w.kind
        t.used += 1
