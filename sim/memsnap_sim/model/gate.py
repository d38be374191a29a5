"""The gate of a port: passes reads and permitted writes, holds the others."""

from ._compiled import compiled

__all__ = ["decide", "step"]


@compiled
def decide(g, i, u):
    """Whether the access on the bus is held, refused, or stands at the memory's port."""
    w, p, port = u.wires, u.params, i.port
    w.hold[port] = 0
    w.refuse[port] = 0
    w.stands[port] = 0
    if not i.current:
        return
    if i.we and u.life.active:
        place = i.adr - p.memory_base
        if 0 <= place < p.beats:
            block = place >> p.beat_bits
            known = (g.row_known and g.row == block >> 5 and g.row_bits >> (block & 31) & 1
                     or g.granted_valid and g.granted >> p.beat_bits == block
                     and (g.granted_whole or g.granted == place))
            w.hold[port] = not known
    if i.we and not p.separate and (u.life.active or u.life.ended):
        w.refuse[port] = 0 <= i.adr - p.shadow_base < p.beats
    w.stands[port] = not w.hold[port] and not w.refuse[port] and not g.refusing


@compiled
def step(g, i, u, a):
    """The clock's end. Returns whether the initiator's access is taken without the memory."""
    w, p, port = u.wires, u.params, i.port
    hold = w.hold[port]
    place = i.adr - p.memory_base
    refused = w.refuse[port] and g.in_flight == 0 and not g.refusing
    if hold and not g.looked:
        g.row_known = 1
        g.row = place >> p.beat_bits >> 5
        g.row_bits = a.rows[g.row]
    g.looked = hold
    granted = w.ask_ready and w.asker == port
    if granted:
        g.ask_valid = 0
        if hold:
            g.granted = g.ask
            g.granted_whole = w.whole
            g.granted_valid = 1
    elif hold and not g.ask_valid:
        g.ask_valid = 1
        g.ask = place
    if not u.life.active:
        g.ask_valid = 0
        g.granted_valid = 0
        g.row_known = 0
    answered = w.answer == port
    g.in_flight += w.taken[port] - answered
    if u.life.active:
        if answered and g.due:
            g.due -= 1
    else:
        g.due = g.in_flight
    g.refusing = refused
    return refused
