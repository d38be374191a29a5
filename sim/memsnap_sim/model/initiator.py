"""An initiator: makes its accesses in order, as fast as the bus, its gaps and its limit allow."""

from ._compiled import compiled

__all__ = ["accept", "advance", "hear", "pull", "request", "starved"]


@compiled
def starved(i):
    """Whether it is not known yet what its next access is, though there is one."""
    return i.more and not i.pulled and i.made - i.base >= i.count


@compiled
def hear(i, clock, p, a):
    """The oldest access is answered."""
    if p.log:
        a.log[i.port, i.answered, 2] = clock
    i.answered += 1
    i.last_answer = clock


@compiled
def accept(i, clock, p, a):
    """The access on the bus is taken."""
    if p.log:
        a.log[i.port, i.accepted, 1] = clock
    i.accepted += 1
    i.current = 0


@compiled
def pull(i, a):
    """Whether there is a next access; looks at it."""
    if not i.pulled:
        at = i.made - i.base
        if at >= i.count:
            return False
        i.pulled = 1
        i.wait = a.accesses[i.port, at, 0]
        i.next_adr = a.accesses[i.port, at, 1]
        i.next_we = a.accesses[i.port, at, 2]
    return True


@compiled
def request(i, clock, p, a):
    """The next access is on the bus from ``clock`` on."""
    i.pulled = 0
    i.current = 1
    i.adr = i.next_adr
    i.we = i.next_we
    if p.log:
        a.log[i.port, i.made, 0] = clock
    i.made += 1


@compiled
def advance(i, clock, p, a):
    """Decides what is requested in ``clock``, the one that comes."""
    if not pull(i, a):
        return
    if i.current or i.accepted - i.answered >= p.initiator_in_flight:
        return
    if i.wait:
        i.wait -= 1
        return
    request(i, clock, p, a)
