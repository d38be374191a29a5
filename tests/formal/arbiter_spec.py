"""The contract of the Wishbone arbiter, for one request that stands for all."""

from amaranth.hdl import Assert, Assume, Cat, Const, Cover, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In
from memsnap.bus.wishbone_arbiter import WishboneArbiter

from .inside import look_inside
from .past import past
from .wishbone_rules import WishboneRules

__all__ = ["ArbiterSpec"]

_NAMES = "gate", "read", "write"
_REQUEST = "we", "adr", "dat_w", "sel"


def _count(bits):
    return sum(bits, Const(0, 1))


class ArbiterSpec(wiring.Component):
    """Each request goes to the memory as it is, and its answer comes back to who made it.

    Gate and copier make any requests, and keep them until they are taken, or withdraw them; the
    copier does so only after an abort, and not while that is being answered. The memory takes and
    answers requests in order, at any time. An abort comes at any time. One request, picked at
    will, is followed to its answer.

    Parameters
    ----------
    params : SnapshotParams
    """

    def __init__(self, params):
        self._params = params
        self._arbiter = WishboneArbiter(params)
        super().__init__({
            **{f"{who}_{name}": In(1) for who in _NAMES for name in ("stb", "adr", "dat_w", "sel")},
            "gate_cyc": In(1), "gate_we": In(1),
            "m_stall": In(1), "m_answer": In(1), "m_error": In(1), "m_data": In(1),
            "comes": In(1), "urgent": In(1), "share": In(2), "abort": In(1), "pick": In(1),
        })

    def elaborate(self, platform):
        m = Module()
        arbiter = self._arbiter
        m.submodules.arbiter, inside = look_inside(arbiter)
        self._owner = inside["owner"]
        most = self._params.max_in_flight
        m.d.comb += [arbiter.urgent.eq(self.urgent), arbiter.share.eq(self.share),
                     arbiter.comes.eq(self.comes),
                     arbiter.abort.eq(self.abort)]
        self._ports = [getattr(arbiter, name) for name in _NAMES]
        # Answers to the copier come while it makes no requests, too
        late = {} if not self._params.pipelined else {"cycle": Const(1)}
        self._rules = [WishboneRules(m, port, name=name, most=most, **({} if name == "gate"
                                                                       else late))
                       for name, port in zip(_NAMES, self._ports, strict=True)]
        self._memory = WishboneRules(m, arbiter.m, name="memory", most=most)
        self._drive(m, arbiter)
        self._check_requests(m, arbiter)
        self._check_answers(m, arbiter)
        self._check_turns(m, arbiter)
        return m

    def _drive(self, m, arbiter):
        bus = arbiter.m
        for who, port in zip(_NAMES, self._ports, strict=True):
            m.d.comb += [getattr(port, name).eq(getattr(self, f"{who}_{name}"))
                         for name in ("stb", "adr", "dat_w", "sel")]
        m.d.comb += [
            arbiter.gate.cyc.eq(self.gate_cyc), arbiter.gate.we.eq(self.gate_we),
            arbiter.read.cyc.eq(self.read_stb), arbiter.write.cyc.eq(self.write_stb),
            arbiter.write.we.eq(1),
            bus.dat_r.eq(self.m_data),
        ]
        owes = bus.cyc & (self._memory.owed != 0 if self._params.pipelined else bus.stb)
        m.d.comb += [bus.ack.eq(owes & self.m_answer & ~self.m_error),
                     bus.err.eq(owes & self.m_answer & self.m_error)]
        if self._params.pipelined:
            m.d.comb += bus.stall.eq(self.m_stall)
        begun = Signal()
        aborted = Signal()
        with m.If(self.abort):
            m.d.sync += aborted.eq(1)
        m.d.sync += [
            begun.eq(1),
            Assume(~begun | (self.share == past(m, self.share))),
            Assume(~self.gate_stb | self.gate_cyc),
            # A request of the gate that waits has come
            Assume(~past(m, self.gate_stb & ~self._rules[0].accepted) | ~self.gate_stb
                   | self.comes),
            Assume(self.gate_cyc | (self._rules[0].owed == 0)),
        ]
        # A request that waits stays, or is withdrawn
        self._withdrawn = []
        for port, rules in zip(self._ports, self._rules, strict=True):
            request = Cat(getattr(port, name) for name in _REQUEST)
            waited = past(m, port.cyc & port.stb & ~rules.accepted)
            m.d.sync += Assume(~waited | ~port.stb | (request == past(m, request)))
            self._withdrawn.append(waited & ~port.stb)
        m.d.sync += Assume(aborted & ~arbiter.aborting
                           | ~self._withdrawn[1] & ~self._withdrawn[2])

    def _check_requests(self, m, arbiter):
        """The memory's requests are those of the three, one at a time."""
        bus = arbiter.m
        same = [port.cyc & port.stb & Cat(getattr(port, name) == getattr(bus, name)
                                          for name in _REQUEST).all() for port in self._ports]
        accepted = [rules.accepted for rules in self._rules]
        self._gave_up = withdrawn = Signal()     # by who had the port, the memory not taking it
        m.d.comb += withdrawn.eq(Cat(self._withdrawn).bit_select(past(m, self._owner), 1))
        requested = Cat(port.stb for port in self._ports).any()
        self._waited = past(m, bus.stb & ~self._memory.accepted)
        full = (_count(rules.owed for rules in self._rules) == self._params.max_in_flight
                if self._params.pipelined else self._waited & withdrawn)
        m.d.sync += [
            *WishboneRules.check(self._memory.initiator, "cycle"),
            Assert(self._memory.initiator["memory steady"] | withdrawn,
                   "a request that the memory stalls does not stay"),
            Assert(~bus.stb | Cat(same).bit_select(self._owner, 1), "a request is made up"),
            Assert(~requested | bus.stb | arbiter.aborting | full
                   | arbiter.comes & ~arbiter.gate.stb, "a request waits for nobody"),
            Assert((_count(accepted) == self._memory.accepted) | arbiter.aborting,
                   "a request is lost"),
            *(Assert(~taken | each | arbiter.aborting, "another request than the one taken")
              for taken, each in zip(accepted, same, strict=True)),
            Assert(~arbiter.aborting | ~bus.cyc, "cyc stays in an abort"),
        ]
        if not self._params.pipelined:
            # Else an answer that comes late would be taken for that to the next
            m.d.sync += Assert(~(self._waited & withdrawn & bus.cyc),
                               "no rest after a request that was given up")

    def _check_answers(self, m, arbiter):
        """Each comes from the memory, or from an abort, and goes to the oldest request's owner."""
        bus = arbiter.m
        answered = [rules.answered for rules in self._rules]
        from_memory = self._memory.answered
        for rules in self._rules:
            m.d.sync += WishboneRules.check(rules.target)
        m.d.sync += [
            Assert(_count(answered) <= 1, "an answer for two"),
            Assert(~from_memory | Cat(answered).any(), "an answer is lost"),
            *(Assert(~port.ack | bus.ack & (port.dat_r == bus.dat_r), "another ack")
              for port in self._ports),
            *(Assert(~port.err | bus.err | arbiter.aborting, "another error")
              for port in self._ports),
            Assert(~arbiter.aborting | past(m, self.abort | arbiter.aborting),
                   "an abort from nowhere"),
        ]
        if not self._params.pipelined:
            m.d.sync += [
                Assert(arbiter.waiting == (bus.stb & ~from_memory), "waiting is something else"),
                Cover(arbiter.aborting & arbiter.write.err, "a write is given up"),
            ]
            return
        owed = Signal(range(3 * self._params.max_in_flight))
        who = Signal(3)
        ahead = Signal.like(owed)
        follows = Signal()
        m.d.comb += owed.eq(_count(rules.owed for rules in self._rules))
        taken = Cat(rules.accepted for rules in self._rules)
        answer = Cat(answered)
        with m.If(follows & answer.any()):
            m.d.sync += [ahead.eq(ahead - 1), follows.eq(ahead != 0)]
        with m.If(~follows & self.pick & taken.any()):
            m.d.sync += [follows.eq(1), who.eq(taken), ahead.eq(owed - answer.any())]
        m.d.sync += [
            Assert(owed <= self._params.max_in_flight, "too many requests"),
            Assert(arbiter.aborting | (owed == self._memory.owed), "another number of requests"),
            Assert(~arbiter.aborting | (owed == 0) | answer.any(), "an abort takes a rest"),
            Assert(~(follows & (ahead == 0) & answer.any()) | (answer == who),
                   "an answer goes to another"),
            Assert(arbiter.waiting == ((bus.stb | (owed != 0))
                                       & ~self._memory.accepted & ~from_memory),
                   "waiting is something else"),
            Cover(follows & (ahead == 0) & answer.any() & who[2] & past(m, who[2] & answer
                                                                               [0]),
                  "an answer to the gate and then one to a write"),
            Cover(arbiter.aborting & (owed == self._params.max_in_flight), "all is given up"),
        ]

    def _check_turns(self, m, arbiter):
        """Who has to wait for whom."""
        copier = arbiter.read.stb | arbiter.write.stb
        accepted = Cat(self._rules[1].accepted, self._rules[2].accepted).any() & ~arbiter.aborting
        gate_accepted = self._rules[0].accepted
        waits = Signal(range(5))          # clocks for which the copier has been waiting, up to 4
        m.d.sync += waits.eq(Mux(copier & ~accepted, Mux(waits == 4, 4, waits + 1), 0))
        stands = self._waited & ~self._gave_up
        # A request that the memory stalls keeps the port: what counts is when it came there
        due = (self.share != 0) & (waits >= self.share)
        may = ~arbiter.comes | self.urgent | due
        came = Signal()
        m.d.sync += came.eq(Mux(stands, came, may))
        m.d.sync += [
            Assert(~accepted | Mux(stands, came, may), "the gate waits for longer than share says"),
            Assert(~(gate_accepted & copier & due) | stands,
                   "the copier waits for longer than share says"),
            Assert(~(gate_accepted & copier & self.urgent) | stands, "an urgent read waits"),
            Cover(accepted & arbiter.gate.stb & ~self.urgent & ~stands & (waits == 3),
                  "the copier has its turn after three clocks"),
        ]
