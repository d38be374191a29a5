"""The contract of the Wishbone gate, for one beat that stands for all."""

from amaranth.hdl import Assert, Assume, Cat, Cover, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In
from memsnap.bus.wishbone_gate import WishboneGate

from .past import past
from .wishbone_rules import WishboneRules

__all__ = ["GateSpec"]


class GateSpec(wiring.Component):
    """No write passes without a permit, and nothing else is kept back, changed or lost.

    The copy map is a register whose bits only rise while ``active``; grants come at any time. The
    memory answers in order and at any time; the initiator does anything that Wishbone allows.

    Parameters
    ----------
    params : SnapshotParams
        With one row of blocks.
    """

    def __init__(self, params):
        self._params = params
        self._gate = WishboneGate(params)
        super().__init__({
            "beat": In(params.span_bits),
            "cyc": In(1), "stb": In(1), "we": In(1), "adr": In(params.adr_width),
            "dat_w": In(params.data_width), "sel": In(params.data_width // 8),
            "m_stall": In(1), "m_answer": In(1), "m_error": In(1), "m_data": In(params.data_width),
            "copied": In(params.map_row_bits), "grant": In(1), "whole": In(1),
            "active": In(1), "done": In(1), "deny_read": In(1), "fail": In(1),
            "flip": In(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.gate = gate = self._gate
        self._begun = Signal()
        m.d.sync += self._begun.eq(1)
        m.d.comb += [
            *(getattr(gate.s, name).eq(getattr(self, name))
              for name in ("cyc", "stb", "we", "adr", "dat_w", "sel")),
            gate.m.dat_r.eq(self.m_data),
            gate.active.eq(self.active), gate.protect.eq(self.active | self.done),
            gate.deny_read.eq(self.deny_read), gate.fail.eq(self.fail),
            gate.single.eq(1),
        ]
        self._rules = WishboneRules(m, gate.s, name="initiator",
                                    most=self._params.max_in_flight)
        in_flight = self._memory(m, gate)
        self._initiator(m, gate)
        permitted = self._permits(m, gate)
        refuses = self._refuses(m, gate)
        self._check_requests(m, gate, permitted, refuses)
        self._check_answers(m, gate, in_flight, refuses | gate.held & gate.fail)
        return m

    def _at(self, base):
        return self.adr == (base >> self._params.beat_shift) + self.beat

    def _moves(self, gate):
        """Whether the memory takes the request that stands at its port."""
        return ~gate.m.stall if self._params.pipelined else gate.m.ack | gate.m.err

    def _refuses(self, m, gate):
        """Whether the request that comes is for the shadow, and not allowed."""
        denied = Signal()
        with m.If(~gate.m.stb | self._moves(gate)):
            m.d.sync += denied.eq(gate.deny_read)
        params = self._params
        in_shadow = (self.adr >> params.span_bits
                     == params.shadow_base >> params.beat_shift + params.span_bits)
        return self.cyc & self.stb & in_shadow & Mux(self.we, gate.protect, denied)

    def _memory(self, m, gate):
        """Answers at any time; gives how many requests it has."""
        bus = gate.m
        in_flight = Signal(range(self._params.max_in_flight + 1))
        answer = bus.ack | bus.err
        if self._params.pipelined:
            accepted = bus.cyc & bus.stb & ~bus.stall
            owed = in_flight != 0
            full = in_flight == self._params.max_in_flight
            m.d.comb += bus.stall.eq(self.m_stall | full)
            m.d.sync += in_flight.eq(in_flight + accepted - answer)
        else:
            owed = bus.cyc & bus.stb
        m.d.comb += [
            bus.ack.eq(owed & self.m_answer & ~self.m_error),
            bus.err.eq(owed & self.m_answer & self.m_error),
        ]
        return in_flight

    def _initiator(self, m, gate):
        """Keeps to Wishbone, and the rest of the unit to its word."""
        beat = past(m, self.beat)
        m.d.sync += [
            *WishboneRules.assume(self._rules.initiator, "steady"),
            Assume(~self._begun | (self.beat == beat)),
            # The instant comes when the gate is ready for it and no write waits for the memory, and
            # a new one never directly after
            Assume(~self.active | past(m, self.active) | past(
                m, gate.can_arm & ~(gate.m.stb & gate.m.we & ~self._moves(gate)))),
            Assume(~self.active | self._begun),
            Assume(~self.done | past(m, self.done | self.active) & ~self.active),
        ]

    def _permits(self, m, gate):
        """Follows map and grants; gives whether the symbolic beat may be written."""
        block = self.beat[self._params.beat_bits:]
        look_data = Signal(self._params.map_row_bits)
        asked = Signal.like(gate.ask.payload.as_value())
        granted = Signal()
        before = past(m, self.copied)
        m.d.comb += [
            gate.look_raw.eq(look_data ^ self.flip.replicate(len(look_data))),
            gate.flip.eq(self.flip),
            gate.ask.ready.eq(gate.ask.valid & self.grant),
            gate.whole.eq(self.whole),
            asked.eq(gate.ask.payload),
        ]
        looked, row = gate.look, self.copied
        if self._params.map_latency > 1:
            looked, row = past(m, looked), past(m, row)
        with m.If(looked):
            m.d.sync += look_data.eq(row)
        grant = gate.ask.valid & gate.ask.ready & (gate.ask.payload.block == block) & (
            self.whole | (asked[:self._params.span_bits] == self.beat))
        with m.If(grant):
            m.d.sync += granted.eq(1)
        with m.If(~self.active):
            m.d.sync += granted.eq(0)
        m.d.sync += [
            # The map restarts only between snapshots
            Assume(~(self.active & past(m, self.active)) | (before & ~self.copied == 0)),
            Assert(~(past(m, gate.ask.valid & ~gate.ask.ready & self.active) & self.active
                     & self._begun) | gate.ask.valid & (asked == past(m, asked)),
                   "an ask does not wait for its grant"),
        ]
        return self.copied.bit_select(block, 1) | granted

    def _check_requests(self, m, gate, permitted, refuses):
        s, bus = gate.s, gate.m
        passes = bus.cyc & bus.stb
        write = s.cyc & s.stb & s.we
        to_memory = write & self._at(self._params.memory_base)
        same = Cat(*(getattr(bus, name) == getattr(s, name)
                     for name in ("we", "adr", "dat_w", "sel"))).all()
        held_write = to_memory & self.active & ~permitted
        request = Cat(bus.we, bus.adr, bus.dat_w, bus.sel)
        stood = past(m, passes & ~self._moves(gate))
        m.d.sync += [
            Assert(~bus.stb | bus.cyc, "C3: a request without a cycle"),
            Assert(~passes | s.cyc & s.stb & same, "C3: a request is made up or changed"),
            Assert(~(passes & held_write), "C1: a write passes without a permit"),
            Assert(~(passes & refuses), "C7: an access to the shadow passes that is not allowed"),
            Assert(~gate.held | write & self.active, "something else than a write is held"),
            Assert(~(stood & s.cyc & past(m, self._begun))
                   | passes & (request == past(m, request)),
                   "a request that the memory stalls does not stay"),
            Assert(gate.can_arm, "not ready, though no burst is open"),
            Cover(gate.held & past(m, passes), "a write is held"),
            Cover(past(m, gate.held) & passes & to_memory & self.active,
                  "a held write passes"),
        ]

    def _check_answers(self, m, gate, in_flight, not_allowed):
        """Each answer of the memory goes to its request; the others are for what is refused."""
        s, bus = gate.s, gate.m
        answered = s.ack | s.err
        from_memory = bus.ack | bus.err
        refused = Signal()
        m.d.sync += WishboneRules.check(self._rules.target)
        m.d.sync += Assert(~s.ack | bus.ack, "C3: an ack from nowhere")
        m.d.sync += Assert(~(answered & from_memory) | (s.dat_r == bus.dat_r)
                           & (s.err == bus.err), "C3: another answer")
        if not self._params.pipelined:
            m.d.sync += [
                Assert(~(s.err & ~bus.err) | past(m, not_allowed),
                       "C3: an error from nowhere"),
                Assert(~from_memory | answered, "C3: an answer is lost"),
                Cover(s.err & ~bus.err, "a write to the shadow is refused"),
            ]
            return
        flushed = Signal()    # the memory's next answers are for a cycle that was given up
        old = Signal.like(in_flight)                           # accepted before the instant
        accepted = self._rules.accepted
        passed = bus.stb & ~bus.stall
        m.d.comb += refused.eq(accepted & ~passed)
        m.d.sync += [
            flushed.eq((flushed | ~s.cyc) & (in_flight + passed - from_memory != 0)),
            old.eq(Mux(self.active, old - (from_memory & (old != 0)),
                       in_flight + passed - from_memory)),
            Assert(~refused | not_allowed, "C3: a request is swallowed"),
            Assert(~(s.err & ~bus.err) | past(m, refused), "C3: an error from nowhere"),
            Assert(~(past(m, refused) & self._begun & s.cyc) | s.err,
                   "C3: a refused write is not answered"),
            Assert(~(from_memory & s.cyc & ~flushed) | answered, "C3: an answer is lost"),
            Assert((in_flight == 0) | bus.cyc, "C3: cyc falls before the answers"),
            Assert(~(self.active & gate.drained) | (old == 0), "C1: not drained"),
            Cover(s.err & ~bus.err, "a write to the shadow is refused"),
        ]
