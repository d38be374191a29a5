"""The copier's reads and writes on AXI4."""

from . import axi4_runs
from ._compiled import compiled

__all__ = ["data_is_last", "decide", "offers_data", "ready", "step", "takes_answer"]


@compiled
def takes_answer(u):
    """Whether the answer to a burst of writes is taken: that to each beat of the last is given."""
    return u.axi4_writes.left <= 1


@compiled
def offers_data(u):
    """Whether data of a burst that was announced is on the bus."""
    return u.axi4_writes.unsent != 0


@compiled
def data_is_last(u, a):
    """Whether it is the last of its burst."""
    c = u.axi4_writes
    return c.index + 1 == a.lengths[c.sent & (len(a.lengths) - 1)]


@compiled
def decide(u, a):
    """What the copier has to read and to write in this clock, and which bursts it offers."""
    w, p, k = u.wires, u.params, u.buffer
    # Where failed accesses may be repeated, no more are made than can be kept for that
    read = u.reader.valid and k.unread - 1 != p.kept
    w.read_place = u.reader.place if read else -1
    room = u.axi4_writes.queued != 2 * p.burst_beats
    write = k.offered and room and k.taken - k.answered != p.kept
    w.write_place = a.places[k.taken & (p.buffer_depth - 1)] if write else -1
    axi4_runs.decide(u.axi4_read_runs, w.read_place, u.reader.waits, p.chunk_beats)
    axi4_runs.decide(u.axi4_write_runs, w.write_place, False, p.chunk_beats)


@compiled
def ready(u, reads, writes):
    """Whether the beats at hand are taken; ``reads`` and ``writes`` tell of the bursts."""
    w = u.wires
    w.read_ready = axi4_runs.ready(u.axi4_read_runs, reads) and w.read_place >= 0
    w.write_ready = axi4_runs.ready(u.axi4_write_runs, writes) and w.write_place >= 0


@compiled
def step(u, a, beat, answered):
    """The clock's end; ``beat``: data of a burst is taken, ``answered``: a burst is."""
    w, c, runs = u.wires, u.axi4_writes, u.axi4_write_runs
    mask = len(a.lengths) - 1
    last = beat and data_is_last(u, a)
    if answered:
        c.left = a.lengths[c.answered & mask]
        c.answered += 1
    elif c.left:
        c.left -= 1
    if axi4_runs.sends(runs):
        a.lengths[c.announced & mask] = runs.count
        c.announced += 1
        c.unsent += 1
    c.unsent -= last
    c.sent += last
    c.index = 0 if last else c.index + beat
    c.queued += w.write_ready - beat
    axi4_runs.step(u.axi4_read_runs, w.read_place)
    axi4_runs.step(runs, w.write_place)
