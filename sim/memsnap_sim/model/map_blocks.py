"""The blocks that hold a copy map in the memory: they are copied before all others."""

from ._compiled import compiled

__all__ = ["has", "may_claim", "offers_bit", "step"]


@compiled
def has(u, block):
    """Whether a block is one of them."""
    p = u.params
    return p.in_memory and p.map_first <= block < p.map_first + p.map_blocks


@compiled
def offers_bit(u):
    """Whether all of them are in the shadow, and one's bit is to be set."""
    o = u.own
    return not o.done and o.copied == u.params.map_blocks and not o.taken


@compiled
def may_claim(u):
    """Whether one of them may have a job."""
    o, t, p = u.own, u.table, u.params
    few = o.under_way < p.buffer_depth // (1 << p.beat_bits) + 2
    return few and t.used < p.jobs - p.ports - 1 or o.under_way == 0 and t.used < p.jobs


@compiled
def step(u):
    """The clock's end."""
    o, w, p = u.own, u.wires, u.params
    if not w.enable:
        o.block = p.map_first
        o.claimed = o.copied = o.taken = o.under_way = o.done = 0
        return
    goes_on = w.set_done and o.taken if o.claimed else w.own_next
    o.copied += w.own_copied
    o.under_way += (w.own_next and not o.claimed) - w.own_copied
    if w.set_valid and w.set_ready:
        o.taken = 1
    if goes_on:
        o.taken = 0
        o.block += 1
        if o.block == p.map_first + p.map_blocks:
            o.block = p.map_first
            o.done = o.claimed
            o.claimed = 1
