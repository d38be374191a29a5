"""What the one initiator of a pipelined bus does while no snapshot is under way, by arithmetic.

Its requests pass in the clock in which they come, so each access follows from those before it:
it is requested when its gap is over, which begins when the access before it is taken and there are
fewer than the limit without an answer; it is taken then, or when the port has room; and the memory
says when it is answered. A write to the shadow that holds an image, or to the map in the memory, is
refused, once all is answered that came before.
"""

from . import figures, gate, initiator, life
from ._compiled import compiled
from .memory import take
from .state import GATE

__all__ = ["run"]


@compiled
def _answered_before(u, a, clock):
    """Hears the answers that come before ``clock``."""
    i, m = u.initiator[0], u.memory
    while m.head != m.tail:
        answer = a.answers[m.head & (len(a.answers) - 1)]
        if answer >= clock:
            return
        initiator.hear(i, answer, u.params, a)
        m.head += 1


@compiled
def _since(u, a, taken):
    """The last clock in which the gap of the next access does not go on, ``taken`` or later."""
    p, m = u.params, u.memory
    limit = p.initiator_in_flight
    if limit <= len(a.answers) and limit <= m.tail:
        taken = max(taken, a.answers[m.tail - limit & (len(a.answers) - 1)])
    return taken


@compiled
def _next_request(u, a):
    """The clock of the request that is on the bus or comes next."""
    i = u.initiator[0]
    if i.current:
        return u.clock
    if i.accepted - i.answered >= u.params.initiator_in_flight:
        return _since(u, a, u.clock) + 1 + i.wait
    return u.clock + 1 + i.wait


@compiled
def _leave(u, a, clock, request):
    """The state at the start of ``clock``, with a ``request`` then or later, or 0 for none."""
    i, g, p = u.initiator[0], u.gate[0], u.params
    _answered_before(u, a, clock)
    g.in_flight = u.memory.tail - u.memory.head
    g.due = g.in_flight
    if request and request > clock and i.accepted - i.answered < p.initiator_in_flight:
        i.wait = request - clock - 1
    elif request and request <= clock and not i.current:
        i.wait = 0
        initiator.request(i, request, p, a)
    u.clock = clock


@compiled
def run(u, a, limit):
    """Takes accesses until ``limit``, a start, or the end of what is known of them."""
    i, g, p, m = u.initiator[0], u.gate[0], u.params, u.memory
    if g.refusing or not i.current and not i.pulled:
        return
    g.ask_valid = g.granted_valid = g.row_known = g.reads = g.looked = g.seen = g.settled = 0
    if g.stalled:
        u.wires.hold[0] = 0
        figures.follow(g, i.port, i.accepted, i.adr, u, a)
    rest = u.clock       # no access is taken before
    refusal = 0          # the clock in which the access before is answered, if it was refused
    request = _next_request(u, a)
    while True:
        access = i.made - i.current
        stop = min(limit, life.next_start(u))
        if access == p.start_beat and not u.life.started:
            stop = min(stop, max(p.ready, request))
        if refusal:
            if refusal >= stop:
                g.refusing = 1
            else:
                initiator.hear(i, refusal, p, a)
            refusal = 0
        if request >= stop:
            break
        if not i.current:
            initiator.request(i, request, p, a)
        if initiator.starved(i):
            _leave(u, a, max(request, rest), 0)
            return
        taken = max(request, rest)
        if m.tail >= len(a.answers):
            taken = max(taken, a.answers[m.tail & (len(a.answers) - 1)] + 1)
        refused = gate.refuses(u, i.adr, i.we)
        if refused and m.tail:
            taken = max(taken, a.answers[m.tail - 1 & (len(a.answers) - 1)] + 1)
        if taken >= stop:
            break
        _answered_before(u, a, taken)
        initiator.accept(i, taken, p, a)
        since = taken
        if refused:
            refusal = taken + 1
            rest = taken + 2
            since = taken + (p.initiator_in_flight == 1)
        else:
            slot = m.tail & (len(a.answers) - 1)
            a.answers[slot] = take(m, a.timing, taken, i.adr, i.we)
            a.owners[slot] = GATE
            m.tail += 1
        if not initiator.pull(i, a):
            g.refusing = refusal != 0
            _leave(u, a, taken + 1, 0)
            return
        request = _since(u, a, since) + 1 + i.wait
    _leave(u, a, stop, request)
