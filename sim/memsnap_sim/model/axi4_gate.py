"""The gate of a port on AXI4: passes reads and permitted writes, holds or refuses whole bursts.

A burst may touch several blocks, and rows of the map: the gate walks through them, and stands at
``here``, the first beat that it does not know to be permitted.
"""

from . import axi4_initiator, gate
from ._compiled import compiled

__all__ = ["decide", "step"]

_READ, _WRITE = 0, 1


@compiled
def _is_to_map(u, first, beats):
    """Whether a write touches the map, which is never allowed."""
    p = u.params
    if not p.in_memory:
        return False
    place = max(first, p.memory_base) - p.memory_base
    end = min(first + beats - p.memory_base, p.beats)
    own = p.map_first << p.beat_bits
    return place < end and place < own + (p.map_blocks << p.beat_bits) and own < end


@compiled
def _is_to_image(u, first, beats):
    """Whether a write touches an image that is kept."""
    p = u.params
    kept = u.life.active or u.life.ended != 0
    return (kept and not p.separate and first < p.shadow_base + p.beats
            and p.shadow_base < first + beats)


@compiled
def _permits(g, x, u, first, beats):
    """Whether the snapshot under way lets a write pass: in the clock in which it comes only one
    that stays in a block."""
    p = u.params
    begin = max(first - p.memory_base, 0)
    x.last = min(first + beats - p.memory_base, p.beats) - 1
    if begin > x.last:
        return True
    x.here = x.at if x.walking else begin
    block, last_block = x.here >> p.beat_bits, x.last >> p.beat_bits
    row = block >> 5
    x.row_here = g.row_known and g.row == row
    x.here_copied = x.row_here and g.row_bits >> (block & 31) & 1
    x.here_granted = (g.granted_valid and g.granted >> p.beat_bits == block
                      and (g.granted_whole or g.granted == x.here))
    if x.walking:
        return (x.row_here and x.row_copied and row == last_block >> 5
                or x.here_copied and block == last_block
                or x.here_granted and block == last_block and (g.granted_whole or x.here == x.last))
    # What goes on behind a memory of a page or more is not known to end with it
    end = x.last if p.small else first + beats - 1 - p.memory_base
    x.within = block == end >> p.beat_bits
    return x.within and (x.here_copied or x.here_granted and (g.granted_whole or beats == 1))


@compiled
def decide(g, x, i, o, u, a):
    """Whether the addresses on the bus are held, refused, or pass; ``o`` is the initiator."""
    w, p, port = u.wires, u.params, i.port
    w.reads[port] = axi4_initiator.offers(o, _READ) and x.in_flight[_READ] != p.max_in_flight
    w.hold[port] = 0
    w.refuse[port] = 0
    w.asks[port] = 0
    w.claims[port] = 0
    if not axi4_initiator.offers(o, _WRITE):
        return
    w.claims[port] = (not x.dropping and not x.answering and not x.stuck
                      and x.in_flight[_WRITE] != p.max_in_flight)
    first = axi4_initiator.asked(a, port, _WRITE, o.accepted[_WRITE], axi4_initiator.ADR)
    beats = axi4_initiator.asked(a, port, _WRITE, o.accepted[_WRITE], axi4_initiator.BEATS)
    to_map = _is_to_map(u, first, beats)
    w.refuse[port] = to_map or _is_to_image(u, first, beats)
    if u.life.active:
        # A write that is refused for the shadow in it is held for the memory in it, too
        w.hold[port] = not to_map and not _permits(g, x, u, first, beats)
    w.asks[port] = (w.claims[port] and not w.hold[port] and not w.refuse[port]
                    and not (u.life.active and g.due))


@compiled
def _walk(g, x, u, a, port, coming, row_bits):
    """The clock's end of one in which a write is held: looks, goes on, or asks.

    ``coming`` says that a row is there from the next clock on; until then it is ``row_bits``.
    """
    p, w = u.params, u.wires
    block = x.here >> p.beat_bits
    asked = g.ask
    came = not x.walking
    moves = x.here_copied and not x.within if came else x.here_copied or x.here_granted
    row_copied = x.row_copied and not came
    all_of_row = (1 << min(32, p.blocks - (block >> 5 << 5))) - 1
    x.row_copied = x.row_here and (row_bits & all_of_row == all_of_row or row_copied)
    x.walking = 1
    x.stuck = not came and x.row_here and not coming and not moves and not (
        x.here_copied or x.here_granted or w.granted[port])
    x.at = x.here
    if not moves:
        if not g.ask_valid and not x.here_copied and not x.here_granted:
            g.ask_valid = 1
            g.ask = x.here
    elif row_copied and x.row_here:
        x.at = (block >> 5) + 1 << 5 + p.beat_bits
    elif x.here_copied or g.granted_whole:
        x.at = block + 1 << p.beat_bits
    else:
        x.at = x.here + 1
    if came or not x.row_here:
        gate.look(g, u, a, block >> 5)
    if not w.granted[port]:
        return
    g.ask_valid = 0
    g.granted = asked
    g.granted_whole = w.whole and w.asker == port
    g.granted_valid = 1
    ends = x.here == x.last or (x.here + 1) % (1 << p.beat_bits) == 0
    if asked == x.here and not came and not moves and not g.granted_whole and not ends:
        # To the next beat of the block at once
        g.ask_valid = 1
        g.ask = x.at = x.here + 1


@compiled
def step(g, x, i, o, u, a, read, written):
    """The clock's end; ``read`` and ``written``: the memory has given the last of one to it.

    Returns whether the write on the bus is refused.
    """
    w, port = u.wires, i.port
    x.stuck = 0
    refused = (w.refuse[port] and x.in_flight[_WRITE] == 0 and not x.dropping
               and not x.answering)
    coming, row_bits = g.reads, g.row_bits
    gate.show(g, u)
    if w.hold[port]:
        _walk(g, x, u, a, port, coming, row_bits)
    elif w.granted[port]:
        g.ask_valid = 0
    if w.taken[port] or refused or not axi4_initiator.offers(o, _WRITE):
        x.walking = 0
    if not u.life.active:
        g.ask_valid = 0
        g.granted_valid = 0
        g.row_known = 0
        x.walking = 0
    x.drained = u.life.active and (x.drained or x.in_flight[_WRITE] == 0)
    x.in_flight[_READ] += w.reads_taken[port] - read
    x.in_flight[_WRITE] += w.taken[port] - written
    g.due = not x.drained and x.in_flight[_WRITE] != 0
    x.answering = x.dropping and axi4_initiator.offers_data(o) and (
        axi4_initiator.data_is_last(o, a, port))
    x.dropping = refused or x.dropping and not x.answering
    return refused
