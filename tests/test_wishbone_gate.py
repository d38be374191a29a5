"""The gate in every clock against a model of it, between a random initiator and a random memory."""

from collections import deque

import pytest
from memsnap.bus.wishbone_gate import WishboneGate

from sim import params_of, seeded, simulate

FEATURES = {"rty", "lock", "cti", "bte"}


class Bench:
    """Initiator, memory, copy map and sequencer around a gate; the model of what it must do."""

    def __init__(self, pins, params, rng):
        self.pins, self.params, self.rng = pins, params, rng
        self.forwarded = ["adr", "we", "dat_w", "sel", *sorted(params.features - {"rty", "cti"})]
        self.kinds = ["ack"] * 6 + ["err", *params.features & {"rty"}]
        self.forget()
        self.copied = set()
        self.seen = set()

    def forget(self):
        """What a reset does to all parts."""
        self.pins.drive(active=0, protect=0)
        self.pins.s.drive(cyc=0, stb=0)
        self.pins.ask.ready = 0
        self.active = False
        self.at_memory = deque()     # age, whether its initiator still waits, passed before T
        self.to_refuse = False       # the answer of this clock is a refusal's
        self.row = self.grant = self.asked = self.looked = None
        self.late = None             # of a map with a latency of 2, the row that comes next
        self.since = None            # what was copied in the first clock of this hold
        self.clocks = 0              # of this hold, before this one
        self.bursting = False
        self.held_place = None

    # What an access is ---------------------------------------------------------------------

    def block(self, adr, base):
        """The block and beat that an address falls on, or None."""
        beat = adr - base // self.params.beat_bytes
        if 0 <= beat < self.params.memory_size // self.params.beat_bytes:
            return divmod(beat, self.params.block_beats)

    def row_of(self, row):
        return {block for block in self.copied if block // 32 == row}

    # One clock -----------------------------------------------------------------------------

    def request(self):
        """A new request, an old one, none, or the end of a cycle."""
        pins, rng, params = self.pins, self.rng, self.params
        if pins.s.cyc and rng.random() < 0.03:
            pins.s.drive(cyc=0, stb=0)
        elif not pins.s.stb and rng.random() < 0.75:
            base = rng.choice([params.memory_base] * 4 + [params.shadow_base])
            adr = base // params.beat_bytes + rng.choice(
                [rng.randrange(params.memory_size // params.beat_bytes), rng.randrange(3)])
            if rng.random() < 0.1:
                adr = rng.randrange(1 << params.adr_width)
            pins.s.drive(cyc=1, stb=1, adr=adr, we=rng.random() < 0.7,
                         sel=rng.choice([0, rng.getrandbits(params.beat_bytes)]),
                         dat_w=rng.getrandbits(params.data_width))
            for name in params.features & {"lock", "bte"}:
                setattr(pins.s, name, rng.getrandbits(1))
        elif not pins.s.cyc:
            pins.s.cyc = rng.random() < 0.5

    def expect(self):
        """Whether the access at hand must be held, or refused."""
        pins = self.pins
        self.writes = bool(pins.s.cyc and pins.s.stb and pins.s.we)
        self.place = self.block(pins.s.adr, self.params.memory_base)
        self.refused = bool(self.writes and pins.protect
                            and self.block(pins.s.adr, self.params.shadow_base))
        self.held = self.permitted = False
        if self.writes and self.active and self.place:
            block, beat = self.place
            self.permitted = bool(self.grant and self.grant[0] == block
                                  and self.grant[1] in (None, beat))
            self.held = not (self.row and self.row[0] == block // 32 and block in self.row[1]
                             or self.permitted)
            assert pins.look == (self.held_place is None), "a row is read once for a held write"
        else:
            assert not pins.look
        assert pins.held == self.held
        if self.held:
            self.seen.add("held")
            assert self.clocks < self.params.map_latency or self.place[0] not in self.since, (
                "more clocks than its row needs")
        if self.asked:
            assert pins.ask.valid
            assert (pins.ask.payload.block, pins.ask.payload.beat) == self.asked
        elif pins.ask.valid:
            assert (pins.ask.payload.block, pins.ask.payload.beat) == self.held_place
        if self.held and self.since is not None:
            assert pins.ask.valid or self.answered_ask, "asked for in the next clock"

    def answer(self, kind):
        for name in {*self.kinds}:
            setattr(self.pins.m, name, name == kind)
        self.pins.m.dat_r = self.rng.getrandbits(self.params.data_width)

    def answered(self, expected):
        """The initiator gets this answer and no other."""
        pins = self.pins
        got = [name for name in sorted({*self.kinds}) if getattr(pins.s, name)]
        assert got == ([expected] if expected else [])
        if expected and not self.to_refuse:
            assert pins.s.dat_r == pins.m.dat_r
            self.seen.add(expected)

    def same_request(self):
        for name in self.forwarded:
            assert getattr(self.pins.m, name) == getattr(self.pins.s, name), name

    def follow(self):
        """The map, the sequencer and the gate's memory of both, at the end of the clock."""
        pins, rng = self.pins, self.rng
        self.held_place = self.place if self.held else None
        if not self.held:
            self.since = None
        elif self.since is None:
            self.since = set(self.copied)
        self.clocks = self.clocks + 1 if self.held else 0
        looked = (pins.look_row, self.row_of(pins.look_row)) if pins.look else None
        if self.params.map_latency == 2:
            looked, self.late = self.late, looked
        if looked:
            self.row = self.looked = looked
        self.asked = (pins.ask.payload.block, pins.ask.payload.beat) if pins.ask.valid else None
        self.answered_ask = bool(self.asked and pins.ask.ready)
        if self.answered_ask:
            if not self.permitted:  # a late grant must not take the place of one that is in use
                self.grant = (self.asked[0], None if pins.whole else self.asked[1])
            self.asked = None
        if not self.active:
            self.row = self.grant = self.asked = None
            self.copied = set()
        elif rng.random() < 0.1:
            self.copied.add(rng.randrange(self.params.blocks))

    async def tick(self, can_arm):
        """Ends the clock; then the life of snapshots goes on."""
        pins, rng = self.pins, self.rng
        self.follow()
        await pins.tick()
        if rng.random() < 0.003:
            await pins.warm_reset()
            self.forget()
        if self.looked:
            row = sum(1 << block % 32 for block in self.looked[1])
            pins.look_raw = row ^ pins.flip * ((1 << self.params.map_row_bits) - 1)
        if self.active:
            self.active = rng.random() > 0.01
            pins.protect = self.active or rng.random() < 0.5
        elif rng.random() < 0.05 and can_arm:
            self.active = True
            pins.protect = 1
            pins.flip = rng.random() < 0.5      # as after each other snapshot
            self.passed = len(self.at_memory)
        elif rng.random() < 0.1:
            pins.protect = rng.getrandbits(1)
        pins.active = self.active
        pins.ask.ready = pins.ask.valid and rng.random() < 0.2
        pins.whole = rng.getrandbits(1)

    async def clock_pipelined(self):
        pins, rng = self.pins, self.rng
        self.request()
        full = len(self.at_memory) == self.params.max_in_flight
        pins.m.stall = full or rng.random() < 0.3
        due = bool(self.at_memory) and rng.random() < 0.5
        kind = rng.choice(self.kinds) if due else None
        self.answer(kind)
        self.expect()

        # An initiator that gave up gets no answers, and waits until they have come
        flushing = any(not waits for waits in self.at_memory)
        if not pins.s.cyc:
            self.at_memory = deque(False for _ in self.at_memory)
        blocked = flushing or self.to_refuse
        requests = bool(pins.s.cyc and pins.s.stb)
        assert pins.m.stb == (requests and not self.held and not self.refused and not blocked)
        assert pins.m.cyc or not pins.s.cyc and not self.at_memory
        if pins.m.stb:
            self.same_request()
        if requests:
            stalled = bool(self.at_memory) if self.refused else self.held or pins.m.stall
            assert pins.s.stall == bool(stalled or blocked)
        forwarded = kind if due and self.at_memory[0] else None
        self.answered("err" if self.to_refuse and pins.s.cyc else forwarded)

        assert pins.can_arm
        can_arm = not (pins.m.stb and pins.m.we and pins.m.stall)
        if self.active:
            assert pins.drained == (self.passed == 0)
            self.passed -= bool(due and self.passed)
            self.seen.update({"undrained"} if not pins.drained else ())
        if due:
            self.at_memory.popleft()
        self.to_refuse = bool(requests and self.refused and not pins.s.stall)
        self.seen.update({"refused"} if self.to_refuse else {"flush"} if flushing else ())
        if pins.m.stb and not pins.m.stall:
            self.at_memory.append(True)
        taken = requests and not pins.s.stall
        await self.tick(can_arm)
        if taken:
            pins.s.stb = 0

    async def clock_classic(self):
        pins, rng = self.pins, self.rng
        self.request()
        self.answer(None)
        self.expect()
        requests = bool(pins.s.cyc and pins.s.stb)
        passes = requests and not self.held and not self.refused and not self.to_refuse
        assert pins.m.stb == passes
        assert pins.m.cyc == pins.s.cyc
        kind = rng.choice(self.kinds) if passes and rng.random() < 0.4 else None
        self.answer(kind)
        if passes:
            self.same_request()
        refusing = self.to_refuse and requests
        self.answered("err" if refusing else kind)
        assert pins.can_arm
        can_arm = not (passes and pins.s.we and not kind)
        assert pins.drained
        self.seen.update({"refused"} if refusing else ())
        self.to_refuse = self.refused and not self.to_refuse
        await self.tick(can_arm)
        if kind or refusing:
            pins.s.stb = 0


@pytest.mark.parametrize("latency", [1, 2])
@pytest.mark.parametrize("shape, features", [
    ("tiny", set()), ("three_blocks", FEATURES), ("one_beat", {"rty"}), ("long_blocks", FEATURES)])
@pytest.mark.parametrize("pipelined", [True, False], ids=["pipelined", "classic"])
def test_random(pipelined, shape, features, latency):
    rng = seeded(len(shape))
    # Bursts of the classic form have a test of their own
    features = features if pipelined else features - {"cti"}
    params = params_of(shape, pipelined=pipelined, features=features, map_latency=latency)

    async def script(pins):
        bench = Bench(pins, params, rng)
        for _ in range(2000):
            await (bench.clock_pipelined() if pipelined else bench.clock_classic())
        assert {"held", "refused", "ack", "err"} <= bench.seen
        assert not pipelined or {"flush", "undrained"} <= bench.seen

    simulate(WishboneGate(params), script)


class BurstRules:
    """B4 section 4.3: what a target of classic bursts may rely on."""

    def __init__(self):
        self.next = None   # of an open burst: the only access that may come

    def check(self, bus, answered):
        cti = bus.cti.value if hasattr(bus.cti, "value") else bus.cti
        if not bus.cyc:
            self.next = None
        elif bus.stb:
            if self.next:
                assert (bus.adr, bus.we) == self.next, "an open burst is continued"
                assert cti in (INCR, END), "an open burst is continued or ended"
            if answered:
                self.next = (bus.adr + 1, bus.we) if cti == INCR else None


INCR, END = 0b010, 0b111


@pytest.mark.parametrize("crossing", [False, True], ids=["inside", "into-shadow"])
def test_bursts(crossing):
    """Bursts are whole or ended as they should be, and single while a snapshot runs."""
    rng = seeded(11)
    params = params_of("tiny", pipelined=False, features=FEATURES, addr_width=7)
    assert params.shadow_base == params.memory_size    # so that a burst can cross

    async def script(pins):
        rules = BurstRules()
        left = arming = stopping = ended = whole = can_arm = 0
        pins.ask.ready = pins.whole = 1
        for _ in range(6000):
            # The initiator: bursts of up to 6, with pauses; sometimes it gives up
            if not pins.s.stb and rng.random() < 0.8:
                if not left:
                    left = rng.randint(1, 6)
                    first = rng.randrange(11 if not crossing else 32)
                    pins.s.drive(cyc=1, adr=first, we=rng.getrandbits(1))
                pins.s.drive(stb=1, cti=END if left == 1 else INCR, sel=1)
            elif not left and rng.random() < 0.3 or rng.random() < 0.02:
                pins.s.drive(cyc=0, stb=0)
                left = 0
            # Snapshots
            if pins.active:
                pins.active = rng.random() > 0.03
                stopping = not pins.active
            elif stopping:
                stopping = rng.random() > 0.2
                pins.single = stopping
            elif arming and can_arm:
                pins.active = 1
                assert not rules.next, "no burst is open at the instant"
            elif rng.random() < 0.03:
                pins.single = 1
            arming = 0 if pins.active or stopping or not pins.single else arming + 1
            assert arming < 30, "arming takes as long as one access"
            pins.protect = crossing and (pins.active or not pins.single)

            pins.m.ack = 0
            answered = pins.m.stb and rng.random() < 0.6
            pins.m.ack = answered
            rules.check(pins.m, answered)
            if pins.m.stb and answered:
                cti = pins.m.cti.value
                assert not pins.active or cti != INCR
                ended += cti == END and pins.s.cti.value == INCR
                whole += cti == INCR
                assert pins.m.adr == pins.s.adr and pins.s.ack
            can_arm = pins.can_arm and not (pins.m.stb and pins.m.we and not answered)
            done = pins.s.stb and (pins.s.ack or pins.s.err)
            await pins.tick()
            if done:
                left -= 1
                pins.s.drive(stb=0, adr=(pins.s.adr + 1) % 64)
        assert ended > 10 and whole > 100

    simulate(WishboneGate(params), script)


def test_burst_rules_fail():
    """The checker above refuses a burst that is left without an end."""
    class Bus:
        cyc, stb, we, adr, cti = 1, 1, 0, 4, INCR

    rules = BurstRules()
    rules.check(Bus, answered=True)
    Bus.adr = 6
    with pytest.raises(AssertionError, match="an open burst is continued"):
        rules.check(Bus, answered=True)
