"""The contract of the AXI4 gate, for one beat, one write and one read that stand for all."""

from amaranth.hdl import Assert, Assume, Cat, Const, Cover, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In
from memsnap.bus.axi4 import Response
from memsnap.bus.axi4_gate import Axi4Gate
from memsnap.params import Map

from .axi4_rules import Axi4Rules, BurstAddresses
from .past import past

__all__ = ["Axi4GateSpec"]


class Axi4GateSpec(wiring.Component):
    """No write burst passes without a permit, and nothing else is kept back, changed or lost.

    The copy map is a register whose bits only rise while ``active``; a row that is looked at may
    be found not to be on chip; grants come at any time. The memory behind the arbiter
    takes and answers requests at any time, but takes no data before its address is there; the
    initiator does anything that AXI4 allows.

    Parameters
    ----------
    params : SnapshotParams
        With four blocks or less.
    part : str or None
        Only a part of the contract is asserted: ``"permits"``: what must not pass (C1, C7);
        ``"passes"``: what passes is not changed, and the rules of AXI4 (C3); ``"holds"``: what
        is held, for how long, and what is said of it.
    """

    def __init__(self, params, *, part=None):
        self._params = params
        self._part = part
        self._gate = gate = Axi4Gate(params)
        bus = gate.m.signature
        super().__init__({
            "beat": In(params.span_bits), "id": In(params.id_width),
            "pick": In(1), "transfer": In(8),
            **{f"s_{name}": In(member.shape) for name, member in bus.members.items()
               if member.flow is wiring.Out},
            **{f"m_{name}": In(member.shape) for name, member in bus.members.items()
               if member.flow is wiring.In},
            "copied": In(params.blocks), "on_chip": In(1), "flip": In(1),
            "grant": In(1), "whole": In(1), "chosen": In(1),
            "active": In(1), "done": In(1), "deny_read": In(1), "fail": In(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.gate = gate = self._gate
        self._begun = Signal()
        most = self._params.max_in_flight
        m.d.sync += self._begun.eq(1)
        self._drive(m, gate)
        self._memory = memory = self._behind_arbiter(m, gate)
        # The initiator may have one that is refused beside those in flight
        self._s = Axi4Rules(m, gate.s, name="initiator", most=most + 1, id=self.id,
                            picks={"aw": self.pick, "ar": self.pick})
        self._m = Axi4Rules(m, memory, name="memory", most=most, id=self.id,
                            picks={"aw": self._s.write.here, "ar": self._s.read.here})
        self._answer_memory(m, gate)
        self._neighbours(m, gate)
        permitted = self._permits(m, gate)
        self._old = Signal.like(self._m.owed["aw"])         # passed before the instant
        self._check_writes(m, permitted)
        self._check_reads(m)
        self._check_drain(m)
        self._check_rules(m)
        return m

    def _drive(self, m, gate):
        for side, bus in ("s", gate.s), ("m", gate.m):
            m.d.comb += [getattr(bus, name).eq(getattr(self, f"{side}_{name}"))
                         for name in bus.signature.members
                         if hasattr(self, f"{side}_{name}")
                         and f"{side}_{name}" not in ("m_awready", "m_wready", "m_bvalid",
                                                      "m_rvalid")]
        m.d.comb += [
            gate.active.eq(self.active), gate.protect.eq(self.active | self.done),
            gate.core.deny_read.eq(self.deny_read), gate.core.fail.eq(self.fail),
        ]

    def _behind_arbiter(self, m, gate):
        """The bus as the memory sees it: a write's address comes when the arbiter chooses it."""
        memory = gate.m.signature.create(path=("behind",))
        m.d.comb += [getattr(memory, name).eq(getattr(gate.m, name))
                     for name in gate.m.signature.members if name != "awvalid"]
        stood = past(m, memory.awvalid & ~memory.awready)
        m.d.comb += [
            memory.awvalid.eq(gate.m.awvalid & (self.chosen | stood)),
            gate.m.awready.eq(self.m_awready & (memory.awvalid | ~gate.m.awvalid)),
        ]
        return memory

    def _answer_memory(self, m, gate):
        """The memory answers what was asked, at any time."""
        rules = self._m
        m.d.comb += [
            gate.m.wready.eq(self.m_wready & (rules.comes["aw"] | (rules.due != 0))),
            gate.m.bvalid.eq(self.m_bvalid & (rules.complete != 0)),
            gate.m.rvalid.eq(self.m_rvalid & (rules.owed["ar"] != 0)),
        ]
        m.d.sync += Axi4Rules.assume(rules.subordinate)

    def _neighbours(self, m, gate):
        """The initiator keeps to AXI4, and the rest of the unit to its word."""
        picked = Cat(self.beat, self.id)
        m.d.sync += [
            *Axi4Rules.assume(self._s.manager),
            Assume(~self._begun | (picked == past(m, picked))),
            Assume(self.beat < self._beats),
            # The instant comes when no write waits at the memory, and a new one never directly
            # after
            Assume(~self.active | past(m, self.active) | past(
                m, ~(self._memory.awvalid & ~self._memory.awready))),
            Assume(~self.active | self._begun),
            Assume(~self.done | past(m, self.done | self.active) & ~self.active),
        ]

    def _check(self, m, part, *asserts):
        """Asserts what belongs to the part of the contract that is to be proved."""
        with m.If(Const(self._part in (None, part), 1)):
            m.d.sync += asserts

    @property
    def _beats(self):
        return self._params.memory_size // self._params.beat_bytes

    def _permits(self, m, gate):
        """Follows map and grants; gives whether the symbolic beat may be written."""
        core, params = gate.core, self._params
        block = self.beat[params.beat_bits:]
        width = params.map_row_bits
        rows = Cat(self.copied, ~Signal(params.map_rows * width - params.blocks))
        look_data = Signal(width)
        asked = Signal.like(core.ask.payload.as_value())
        granted = Signal()
        m.d.comb += [
            core.look_data.eq(look_data),
            core.look_raw.eq(look_data ^ self.flip.replicate(width)),
            core.flip.eq(self.flip),
            core.ask.ready.eq(core.ask.valid & self.grant),
            core.whole.eq(self.whole),
            asked.eq(core.ask.payload),
        ]
        looked, row = core.look, rows.word_select(core.look_row, width)
        if params.map_latency > 1:      # of a map on chip
            looked, row = past(m, looked), past(m, row)
        else:
            row = Mux(self.on_chip, row, 0)
        with m.If(looked):
            m.d.sync += look_data.eq(row)
        grant = core.ask.valid & core.ask.ready & (core.ask.payload.block == block) & (
            self.whole | (asked[:params.span_bits] == self.beat))
        with m.If(grant):
            m.d.sync += granted.eq(1)
        with m.If(~self.active):
            m.d.sync += granted.eq(0)
        before = past(m, self.copied)
        m.d.sync += [
            # The map restarts only between snapshots
            Assume(~(self.active & past(m, self.active)) | (before & ~self.copied == 0)),
        ]
        self._check(
            m, "holds",
            Assert(~(past(m, core.ask.valid & ~core.ask.ready & self.active) & self.active
                     & self._begun) | core.ask.valid & (asked == past(m, asked)),
                   "an ask does not wait for its grant"),
            Assert(~core.ask.valid | (asked < self._beats), "an ask for what there is not"))
        return self.copied.bit_select(block, 1) | granted

    def _is_in(self, address, base, size=None):
        size = self._params.memory_size if size is None else size
        return (address >= base) & (address < base + size)

    def _touches(self, burst, base, size=None):
        size = self._params.memory_size if size is None else size
        return (burst.low < base + size) & (burst.high >= base)

    def _barred(self):
        """What no write may touch: ``base, size, when`` of each."""
        params = self._params
        yield params.shadow_base, params.memory_size, self.active | self.done
        if params.map is Map.MEMORY:
            yield params.map_base, params.map_blocks * params.block_size, Const(1)

    def _same(self, channel):
        """Whether a channel's payload is the same on both sides."""
        s, bus = self._gate.s, self._gate.m
        return Cat(getattr(s, name) == getattr(bus, name) for name in bus.signature.members
                   if name.startswith(channel) and not name.endswith(("valid", "ready"))).all()

    def _refusal(self, m, rules, address, *, may, own_end):
        """A transaction that the gate takes and does not pass: the gate answers it itself.

        Gives whether it is to be answered, until ``own_end``, and the id of that answer.
        """
        s, bus = self._gate.s, self._gate.m
        alone = Signal(name=f"{address}_refused")
        answers = Signal(name=f"{address}_own_answers")
        own_id = Signal.like(self.id, name=f"{address}_own_id")
        valid, ready = getattr(s, f"{address}valid"), getattr(s, f"{address}ready")
        passes = getattr(bus, f"{address}valid")
        m.d.comb += alone.eq(valid & ready & ~passes)
        m.d.sync += answers.eq(alone | answers & ~own_end)
        with m.If(alone):
            m.d.sync += own_id.eq(getattr(s, f"{address}id"))
        self._check(
            m, "passes",
            Assert(~passes | valid & self._same(address), "C3: a request is made up or changed"),
            Assert(~passes | (ready == getattr(bus, f"{address}ready")),
                   "C3: a request is lost, or made twice"),
            Assert(~alone | may, "C3: a request is swallowed"),
            Assert(~(alone | answers) | ~passes & (rules.owed[address] == 0),
                   "C3: a refusal does not keep the order"))
        return answers, own_id

    def _check_answers(self, m, channel, own, own_id):
        """Answers of the memory pass as they are; the gate's own are errors."""
        s, bus = self._gate.s, self._gate.m
        valid, ready = getattr(s, f"{channel}valid"), getattr(bus, f"{channel}ready")
        self._check(
            m, "passes",
            Assert(own | (valid == getattr(bus, f"{channel}valid"))
                   & (ready == getattr(s, f"{channel}ready")),
                   "C3: an answer is lost or made up"),
            Assert(own | ~valid | self._same(channel), "C3: another answer"),
            Assert(~own | ~ready, "C3: an answer is lost"),
            Assert(~own | valid & (getattr(s, f"{channel}id") == own_id)
                   & (getattr(s, f"{channel}resp") == Response.SLVERR)
                   & (getattr(s, f"{channel}user", Const(0)) == 0),
                   "C3: what is refused is not answered with an error"))

    def _check_writes(self, m, permitted):
        params, gate, core = self._params, self._gate, self._gate.core
        s, bus, rules = gate.s, gate.m, self._m
        burst = BurstAddresses(s, "aw")
        byte = burst.of(self.transfer)
        is_one = self.transfer <= s.awlen
        at_beat = is_one & (byte >> params.beat_shift
                            == (params.memory_base >> params.beat_shift) + self.beat)
        barred = Cat(when & self._touches(burst, base, size)
                     for base, size, when in self._barred()).any()
        not_here = Cat(when & is_one & self._is_in(byte, base, size)
                       for base, size, when in self._barred()).any()
        touches = self._touches(burst, params.memory_base)
        own, dropping = Signal(name="write_own"), Signal()
        answers, own_id = self._refusal(m, rules, "aw", may=barred | core.held & self.fail,
                                        own_end=own & s.bready)
        ended = Signal()
        with m.If(answers & self._s.taken["w"] & s.wlast):
            m.d.sync += ended.eq(1)
        with m.If(own & s.bready):
            m.d.sync += ended.eq(0)
        m.d.comb += [dropping.eq(answers & ~ended), own.eq(answers & ended)]
        self._check(
            m, "permits",
            Assert(~(bus.awvalid & self.active & at_beat & ~permitted),
                   "C1: a write passes without a permit"),
            Assert(~(bus.awvalid & not_here), "C7: a write passes that is not allowed"))
        self._check(
            m, "passes",
            Assert(Mux(dropping, s.wready & ~bus.wvalid, (s.wvalid == bus.wvalid)
                       & (s.wready == bus.wready)), "C3: data is lost, kept back or made up"),
            Assert(~bus.wvalid | self._same("w"), "C3: data is changed"))
        self._check_answers(m, "b", own, own_id)
        self._check_hold(m, burst, touches, barred, answers)
        m.d.sync += [
            Cover(past(m, core.held) & self.active & bus.awvalid & touches
                  & (burst.low >> params.beat_shift + params.beat_bits
                     != burst.high >> params.beat_shift + params.beat_bits),
                  "a held write of several blocks passes"),
            Cover(own & past(m, past(m, dropping & s.wvalid)), "a write is refused"),
            Cover(self._s.write.answered & ~own & past(m, bus.wvalid & bus.wready
                                                       & self._m.comes["aw"]),
                  "a write whose data comes with its address"),
        ]

    def _check_hold(self, m, burst, touches, barred, refusing):
        """What is kept back, for how long, and that it is told."""
        params, gate, core, rules = self._params, self._gate, self._gate.core, self._m
        s, bus = gate.s, gate.m
        blocks, copied = [], []
        for block in range(params.blocks):
            touched = Signal(name=f"touches{block}")
            m.d.comb += touched.eq(self._touches(
                burst, params.memory_base + block * params.block_size, params.block_size))
            blocks.append(touched)
            copied.append(~touched | self.copied[block])
        rows = [Cat(blocks[at:at + params.map_row_bits]).any()
                for at in range(0, params.blocks, params.map_row_bits)]
        row_clocks = params.map_rows * params.map_latency
        walk = Signal(range(params.blocks + row_clocks + 1))
        m.d.comb += walk.eq(sum(blocks) + sum(rows) * params.map_latency)
        full = rules.owed["aw"] == params.max_in_flight
        draining = self.active & (self._old != 0)
        kept = Signal()
        m.d.comb += kept.eq(s.awvalid & ~s.awready & ~bus.awvalid & ~refusing & ~full & ~draining
                            & ~(barred | core.held & self.fail))
        top = params.blocks + row_clocks + 2
        held = Signal(range(top + 1))          # clocks in a row, before this one
        unanswered = Signal(range(top + 1))    # of these, since the last grant
        unasked = Signal(range(top + 1))       # since the last clock with an ask
        sure = Signal()                   # all was copied in the first of them
        now_sure = Mux(held == 0, Cat(copied).all(), sure) & (~core.look | self.on_chip)
        goes_on = core.held & ~s.awready
        for count, on in ((held, 1), (unanswered, ~(core.ask.valid & core.ask.ready)),
                          (unasked, ~core.ask.valid)):
            m.d.sync += count.eq(Mux(goes_on & on, count + (count != top), 0))
        m.d.sync += sure.eq(now_sure)
        self._check(
            m, "holds",
            Assert(~core.held | s.awvalid & ~bus.awvalid & self.active & touches,
                   "something else than a write to the memory is held"),
            Assert(~kept | core.held | past(m, core.held) & ~self.active,
                   "a write is kept back, and is not told"),
            Assert(~(core.held & now_sure) | (held < walk - 1),
                   "a write is held for longer than it takes to see that all is copied"),
            Assert(~core.held | (unasked <= walk + 1), "a write is held, and nobody is asked"),
            Assert(~bus.awvalid | gate.claims, "a write passes that does not claim the channel"),
            Assert(~gate.claims | gate.offers, "a claim without an offer"),
            Assert(~gate.offers | s.awvalid & ~refusing & ~full, "an offer of nothing"),
            Assert(~(core.held & gate.claims) | (unanswered <= walk + 1),
                   "a held write keeps the channel"))

    def _check_reads(self, m):
        params, gate = self._params, self._gate
        s, bus, rules = gate.s, gate.m, self._m
        burst = BurstAddresses(s, "ar")
        byte = burst.of(self.transfer)
        denied = Signal()         # as it was said when no read stood at the memory
        with m.If(~bus.arvalid | bus.arready):
            m.d.sync += denied.eq(self.deny_read)
        refuses = denied & self._touches(burst, params.shadow_base)
        end = s.rready & s.rlast
        answers, own_id = self._refusal(m, rules, "ar", may=refuses, own_end=end)
        full = rules.owed["ar"] == params.max_in_flight
        self._check(
            m, "permits",
            Assert(~(bus.arvalid & denied & (self.transfer <= s.arlen)
                     & self._is_in(byte, params.shadow_base)), "C7: a read passes that is denied"))
        self._check(
            m, "passes",
            Assert(~s.arvalid | s.arready | bus.arvalid | answers | full
                   | refuses & (rules.owed["ar"] != 0), "a read is kept back"),
            Assert(~answers | (s.rdata == 0), "data of a read that is refused"))
        m.d.sync += Cover(answers & end & past(m, answers & s.rready),
                          "a read of two beats is refused")
        self._check_answers(m, "r", answers, own_id)

    def _check_drain(self, m):
        gate, rules = self._gate, self._m
        after = rules.owed["aw"] + rules.taken["aw"] - rules.taken["b"]
        m.d.sync += [
            self._old.eq(Mux(self.active, self._old - (rules.taken["b"] & (self._old != 0)),
                             after)),
            Cover(self.active & gate.drained & past(m, self.active & ~gate.drained), "drained"),
        ]
        self._check(
            m, "permits",
            Assert(~self.active | (gate.drained == (self._old == 0)), "C1: not drained, or unsaid"),
            Assert(~(self.active & gate.m.awvalid) | (self._old == 0),
                   "C1: a write passes before those before the instant are answered"))

    def _check_rules(self, m):
        """The gate keeps to AXI4 on both sides, but that data may be at the memory too early."""
        early = ~past(m, (self._m.due != 0) | self._m.comes["aw"])
        manager = {text: rule | early if text.endswith("w steady") and "aw" not in text else rule
                   for text, rule in self._m.manager.items()}
        self._check(m, "passes", *Axi4Rules.check(manager),
                    *Axi4Rules.check(self._s.subordinate))
