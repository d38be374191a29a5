"""The rules of Wishbone B4, for a specification to assume of one side and to assert of the other.

The same rules as those of :class:`memsnap_sim.kit.protocol.ProtocolChecker`, but for the clock in
which ``cyc`` falls: here no answer passes in it.
"""

from amaranth.hdl import Cat, Mux, Signal

from .rules import Rules

__all__ = ["WishboneRules"]

_ANSWERS = "ack", "err", "rty"
_REQUEST = "stb", "we", "adr", "dat_w", "sel", "lock", "cti", "bte"


class WishboneRules(Rules):
    """The rules on one bus.

    Parameters
    ----------
    m : Module
        Where the monitor goes.
    bus : Wishbone interface
    name : str
        How the messages call the bus.
    most : int
        Requests without an answer that it must count.
    cycle : Value or None
        What stands for ``cyc`` on a port whose answers may come after it.

    Attributes
    ----------
    accepted, answered : Signal
        A request is taken, or one is answered, in this clock.
    owed : Signal
        Requests without an answer, of this cycle.
    initiator : dict of str to Value
        What an initiator keeps to, by its message: ``steady``: a request that is not taken stays
        as it is, unless ``cyc`` falls; ``cycle``: ``stb`` only within ``cyc``.
    target : dict of str to Value
        What a target keeps to: ``single``: one of ``ack``, ``err`` and ``rty`` at a time;
        ``answer``: only within ``cyc``, only to an open request, and (pipelined) at the earliest
        in the clock after its acceptance.
    """

    def __init__(self, m, bus, *, name, most=0, cycle=None):
        cycle = bus.cyc if cycle is None else cycle
        pipelined = bus.signature.pipelined
        answers = [getattr(bus, each) for each in _ANSWERS if each in bus.signature.members]
        requests = Cat(getattr(bus, each) for each in _REQUEST if each in bus.signature.members)
        self.accepted = Signal(name=f"{name}_accepted")
        self.answered = Signal(name=f"{name}_answered")
        self.owed = Signal(range(most + 2), name=f"{name}_owed")
        waited = Signal(name=f"{name}_waited")
        request = Signal.like(requests, name=f"{name}_request")
        m.d.comb += [
            self.answered.eq(Cat(answers).any()),
            self.accepted.eq(bus.cyc & bus.stb & (~bus.stall if pipelined else self.answered)),
        ]
        m.d.sync += [waited.eq(bus.cyc & bus.stb & ~self.accepted), request.eq(requests)]
        if pipelined:
            m.d.sync += self.owed.eq(Mux(cycle, self.owed + self.accepted - self.answered, 0))
            is_open = self.owed != 0
        else:
            is_open = bus.stb
        several = sum(answers[1:], answers[0]) > 1
        self.initiator = {
            f"{name} steady": ~waited | ~bus.cyc | (requests == request),
            f"{name} cycle": ~bus.stb | bus.cyc,
        }
        self.target = {
            f"{name} single": ~several,
            f"{name} answer": ~self.answered | cycle & is_open,
        }
