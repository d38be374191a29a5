"""The gate between a random manager and a memory, with a model of the map and the sequencer.

What must be held is found from the places of each beat; how the gate finds it is not known here.
"""

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import Out, connect, flipped
from axi4_rig import SHAPES, DataAfterAddress, Rig, axi4_params_of, same, seldom, touched
from memsnap.bus.axi4 import Burst, Response
from memsnap.bus.axi4_gate import Axi4Gate
from memsnap_sim.kit import pauses, read_burst, write_burst
from memsnap_sim.kit.axi4_burst import Transaction
from memsnap_sim.kit.axi4_traffic import random_exclusive, random_transaction

from sim import seeded, split


class Gate(wiring.Component):
    """The gate, and behind it what its ``m`` asks for: who takes data waits for its address."""

    def __init__(self, params):
        self.gate = Axi4Gate(params)
        for name in "s", "core", "active", "protect", "drained", "offers", "claims":
            setattr(self, name, getattr(self.gate, name))
        super().__init__({"m": Out(self.gate.m.signature)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.gate = self.gate
        m.submodules.wait = wait = DataAfterAddress(self.gate.m.signature)
        connect(m, self.gate.m, wait.s)
        connect(m, wait.m, flipped(self.m))
        return m


class Core:
    """Map, sequencer and lifecycle of one gate; checks in each clock what the gate lets pass.

    A beat may be written once it is *safe*: its block is copied, or the beat is granted. With
    ``busy`` all goes on by itself at random, else the test moves it.
    """

    def __init__(self, gate, params, rng, *, busy=True, grants=0.2):
        self.gate, self.params, self.rng = gate, params, rng
        self.busy, self.grants, self.copies = busy, grants, min(0.1, params.blocks / 300)
        self.active = self.protect = self.deny = self.fail = False
        self.copied = set()          # blocks
        self.off_chip = set()        # rows, of which nothing is said to be copied
        self.granted = set()         # beats
        self.protected = []          # clocks
        self.denied = []
        self.failed = []             # clocks in which a held write was to be failed
        self.held = []               # (clock, address)
        self.seen = set()
        self.clock = 0
        self.late = None             # of a map with a latency of 2, the row that comes next
        self.waits = 0               # clocks of this hold
        self.unanswered = 0          # of them, those since the last grant
        self.first = None            # what was copied in its first
        self.passed = []             # (clock, Transaction) offered to the memory while active

    def is_safe(self, beat):
        return beat // self.params.block_beats in self.copied or beat in self.granted

    def row(self, index):
        """The row of the map as a reader gets it."""
        blocks = range(32 * index, 32 * index + self.params.map_row_bits)
        return sum(1 << bit for bit, block in enumerate(blocks) if index not in self.off_chip
                   and (block in self.copied or block >= self.params.blocks))

    async def process(self, ctx):
        gate, core, m = self.gate, self.gate.core, self.gate.m
        names = ("awaddr", "awlen", "awsize", "awburst")
        async for (_, rst, active, protect, deny, fail, look, row, asks, ready, block, beat, whole,
                   held, valid, taken, leaves, offers, claims, *fields) in ctx.tick().sample(
                gate.active, gate.protect, core.deny_read, core.fail,
                core.look, core.look_row, core.ask.valid, core.ask.ready, core.ask.payload.block,
                core.ask.payload.beat, core.whole, core.held, m.awvalid, m.awready,
                gate.s.awready, gate.offers, gate.claims,
                *(getattr(gate.s, name) for name in names)):
            addr, beats, size, burst = fields
            assert (offers or not claims) and (claims or not valid)
            transaction = Transaction(addr=addr, beats=beats + 1, size=size, burst=Burst(burst))
            mine = touched(transaction, self.params, self.params.memory_base)
            if active and valid and mine:
                missing = [each for each in mine if not self.is_safe(each)]
                assert not missing, f"clock {self.clock}: {transaction} passes, {missing} unsafe"
                self.seen.add("passed")
            if held:
                assert active and mine
                self.held.append((self.clock, addr))
                blocks = {each // self.params.block_beats for each in mine}
                self.first = set(self.copied) if self.waits == 0 else self.first
                self.waits += 1
                rows = {block // 32 for block in blocks}
                most = len(blocks) + len(rows) * self.params.map_latency - 1
                assert not blocks <= self.first or self.waits <= most, f"{transaction} waits"
                self.seen.add("held")
                # The channel is left to others while it is, but for where it is looked for more
                self.unanswered += 1
                assert not claims or self.unanswered <= (
                    len(blocks) + len(rows) * self.params.map_latency + 1)
                if asks and ready or leaves:
                    self.unanswered = 0
                if fail:
                    self.failed.append(self.clock)
                self.waits *= not leaves         # it is failed, and the next one may follow at once
            else:
                self.waits = self.unanswered = 0
            for flag, clocks in (protect, self.protected), (deny, self.denied):
                if flag:
                    clocks.append(self.clock)
            shown = self.row(row) if look else None
            if self.params.map_latency == 2:
                shown, self.late = self.late, shown
            if shown is not None:
                flip = self.clock >> 6 & 1       # as after each other snapshot, and in one here
                ctx.set(core.look_data, shown)
                ctx.set(core.flip, flip)
                ctx.set(core.look_raw, shown ^ flip * ((1 << self.params.map_row_bits) - 1))
            if asks and ready:
                first = block * self.params.block_beats
                self.granted |= set(range(first, first + self.params.block_beats)) if whole else {
                    first + beat}
            self.clock += 1
            if rst:
                self.forget()
            elif self.busy:
                self.live(can_arm=not (valid and not taken), asks=asks and not ready)
            else:
                ctx.set(core.ask.ready, 0)
            ctx.set(gate.active, self.active)
            ctx.set(gate.protect, self.protect)
            ctx.set(core.deny_read, self.deny)
            ctx.set(core.fail, self.fail)
            if self.busy:
                ctx.set(core.ask.ready, self.grant)
                ctx.set(core.whole, self.whole)

    def forget(self):
        self.active = self.protect = self.deny = self.fail = False
        self.copied, self.granted = set(), set()
        self.grant = self.whole = 0
        self.late = None             # of a map with a latency of 2, the row that comes next

    def live(self, *, can_arm, asks):
        """The life of snapshots goes on."""
        rng = self.rng
        if self.active:
            self.active = rng.random() > 0.01
            if rng.random() < self.copies:
                self.copied.add(rng.randrange(self.params.blocks))
        elif can_arm and rng.random() < 0.2:
            self.active = self.protect = True
        elif rng.random() < 0.05:
            self.protect = not self.protect and can_arm
        if not self.active:
            self.copied, self.granted = set(), set()
        self.deny = rng.random() < 0.04 if not self.deny else rng.random() > 0.03
        self.fail = rng.random() < 0.01
        self.grant = int(asks and self.active and rng.random() < self.grants)
        self.whole = rng.getrandbits(1)


def between(clocks, first, last):
    return [clock for clock in clocks if first <= clock <= last]


def compare(manager, memory, core):
    """Everything came through as it was asked, or was refused for a reason."""
    params, refused = core.params, []
    for we in False, True:
        got = iter([each for each in memory.transactions if each.we == we])
        following = next(got, None)
        for asked in (each for each in manager.log if each.we == we):
            clocks = asked.requested, asked.answered
            shadow = touched(asked, params, params.shadow_base)
            memory_ = touched(asked, params, params.memory_base)
            blocks = {beat // params.block_beats for beat in memory_}
            own = range(params.map_first_block, params.map_first_block + params.map_blocks)
            must = we and bool(blocks & set(own))
            flags = core.protected if we else core.denied
            may = must or shadow and between(flags, clocks[0] - 2, clocks[1]) or (
                we and between(core.failed, *clocks))
            must = must or we and shadow and len(between(flags, *clocks)) == (
                clocks[1] - clocks[0] + 1)
            if following is not None and same(asked, following) and not must and (
                    asked.responses == following.responses):
                assert asked.data_r == following.data_r
                assert asked.users == (following.users if not we else [following.user])
                assert asked.answered >= following.answered
                following = next(got, None)
            else:
                assert may, f"{asked} did not reach the memory, whose next is {following}"
                assert asked.responses == [Response.SLVERR] * (1 if we else asked.beats)
                refused.append(asked)
        assert following is None
    return refused


def traffic(rng, params, count, *, writes=0.6):
    """Bursts at random, most of them to the memory."""
    shape = {"word_bytes": params.beat_bytes, "id_width": params.id_width,
             "user_width": params.user_width}
    for _ in range(count):
        base = rng.choice([params.memory_base] * 5 + [params.shadow_base])
        where = {"base": base, "size": params.memory_size, **shape}
        if rng.random() < 0.1:
            yield from random_exclusive(rng, **where)
            continue
        if rng.random() < 0.1:
            where |= {"base": 0, "size": 1 << params.addr_width}
        yield random_transaction(rng, we=rng.random() < writes, gap=rng.choice([0, 0, 0, 5]),
                                 most=8, **where)


#: Memories and managers, by what they are bad at.
HABITS = {
    "plain": ({"latency": 2}, {}),
    "slow": ({"latency": 9}, {"ordered": True}),
    "waiting": ({"latency": 3, "aw_after_w": True, "after_valid": True}, {"early_w": True}),
    "disorderly": ({"latency": 4, "interleave": True}, {"early_w": True, "after_valid": True}),
}


def around(params, rng, transactions, *, habit="plain", errors=None, **options):
    memory, manager = HABITS[habit]
    gate = Gate(params)
    core = Core(gate, params, split(rng), **options)
    if habit == "disorderly":
        memory = {**memory, "rng": split(rng), "stall": pauses.sometimes(split(rng), 0.3)}
        manager = {**manager, "stall": pauses.sometimes(split(rng), 0.3)}
    memory = {**memory, "errors": errors}
    rig = Rig(gate, [(gate.s, transactions, manager)],
              (gate.m, bytes(1 << params.addr_width), memory))
    return rig, core


@pytest.mark.parametrize("habit, latency", [*((habit, 1) for habit in HABITS),
                                            ("waiting", 2), ("disorderly", 2)])
@pytest.mark.parametrize("shape", SHAPES)
def test_random(shape, habit, latency):
    rng = seeded(len(shape) + len(habit))
    params = axi4_params_of(shape, map_latency=latency)
    often = rng.choice([0, 0.02])
    rig, core = around(params, rng, traffic(split(rng), params, 100), habit=habit,
                       errors=seldom(split(rng), often))
    rig.run(processes=[core.process])
    refused = compare(rig.managers[0], rig.memory, core)
    assert {"held", "passed"} <= core.seen
    assert refused


def test_writes_to_a_map_in_the_memory_are_refused_at_any_time():
    rng = seeded(3)
    params = axi4_params_of("one_beat", map="memory")
    size = params.map_blocks * params.block_size
    writes = [random_transaction(rng, word_bytes=params.beat_bytes, base=params.map_base, size=size,
                                 id_width=params.id_width, we=True) for _ in range(20)]
    transactions = list(traffic(rng, params, 130))
    for index, write in enumerate(writes):
        transactions.insert(7 * index, write)
    rig, core = around(params, rng, transactions)
    rig.run(processes=[core.process])
    refused = compare(rig.managers[0], rig.memory, core)
    assert {id(each) for each in writes} <= {id(each) for each in refused}


class Directed:
    """A gate whose core does what the test says; ``active`` from the third clock on."""

    def __init__(self, shape="three_blocks", *, memory=None, manager=None, copied=(), **changes):
        self.params = axi4_params_of(shape, **changes)
        self.gate = gate = Gate(self.params)
        self.core = Core(gate, self.params, seeded(0), busy=False)
        self.core.copied = set(copied)
        self.rig = Rig(gate, [(gate.s, [], manager or {})],
                       (gate.m, bytes(1 << self.params.addr_width), memory or {}))
        self.manager, self.memory = self.rig.managers[0], self.rig.memory

    def run(self, script):
        async def whole(ctx):
            self.ctx = ctx
            await ctx.tick().repeat(2)
            self.core.active = self.core.protect = True
            await ctx.tick().repeat(2)
            await script(self)
        self.rig.run(whole, processes=[self.core.process])
        return self

    async def add(self, *transactions, clocks=12):
        self.manager.add(*transactions)
        await self.clocks(clocks)

    async def clocks(self, count):
        for _ in range(count):
            await self.ctx.tick()

    async def grant(self, *, whole=False):
        """Answers the ask that stands; gives its place as a beat's index."""
        place = self.gate.core.ask.payload
        assert self.ctx.get(self.gate.core.ask.valid)
        beat = (self.ctx.get(place.block) * self.params.block_beats + self.ctx.get(place.beat))
        self.ctx.set(self.gate.core.whole, whole)
        self.ctx.set(self.gate.core.ask.ready, 1)
        await self.ctx.tick()
        return beat


BASE = 0x40


@pytest.mark.parametrize("copied", [{0}, {1}, {0, 1}])
@pytest.mark.parametrize("transaction", [
    write_burst(BASE + 8, [1] * 4),                                   # INCR over the edge at 0x50
    write_burst(BASE + 15, [1, 2], size=0, strobes=[8, 1]),           # narrow, a byte on each side
    write_burst(BASE + 14, [1, 2], size=2, strobes=[12, 15]),         # unaligned
    write_burst(BASE + 16, [1] * 8, burst=Burst.WRAP, lock=0),        # the container from 0x40 on
    write_burst(BASE + 24, [0] * 8, [0] * 8, burst=Burst.WRAP),       # no lane at all
], ids=["incr", "narrow", "unaligned", "wrap", "no-strobes"])
def test_a_burst_over_a_block_edge_waits_for_both_sides(transaction, copied):
    fresh = Transaction(**{name: getattr(transaction, name) for name in (
        "addr", "we", "beats", "size", "burst", "data", "strobes")})

    async def script(bench):
        await bench.add(fresh)
        assert bool(bench.memory.transactions) == (copied == {0, 1})
        granted = set()
        while not bench.memory.transactions:
            granted.add(await bench.grant(whole=True) // 4)
            await bench.clocks(4)
        assert granted >= {0, 1} - copied
    Directed(copied=copied).run(script)


def test_a_burst_over_a_block_edge_with_its_row_at_hand():
    """It takes a clock more if all its blocks are copied, and waits if one is not."""
    async def script(bench):
        await bench.add(write_burst(BASE, [1]))
        assert await bench.grant() == 0      # it was let pass by its row, before that
        await bench.add(write_burst(BASE + 8, [2] * 4))
        assert [len(each.data) for each in bench.memory.transactions] == [1, 4]
        clocks = [each.accepted - each.requested for each in bench.manager.log]
        assert clocks == [1, 1]
        await bench.add(write_burst(BASE + 24, [3] * 4))
        assert len(bench.memory.transactions) == 2
        assert await bench.grant(whole=True) == 8
    Directed(copied={0, 1}).run(script)


@pytest.mark.parametrize("burst, beats", [(Burst.FIXED, 16), (Burst.WRAP, 4), (Burst.INCR, 2)])
def test_what_stays_in_one_block_waits_for_that_alone(burst, beats):
    """FIXED stays at its beat, and WRAP in its container."""
    async def script(bench):
        await bench.add(write_burst(BASE + 0x18, [1] * beats, burst=burst), clocks=8)
        assert len(bench.memory.transactions) == 1
    bench = Directed(copied={1}).run(script)
    assert len({address for _, address in bench.core.held}) <= 1


def test_a_page_may_end_in_the_burst_but_is_not_crossed():
    """From the last block of a page: the burst ends there, and the next block is not asked for."""
    async def script(bench):
        await bench.add(write_burst(0x4fe0, [7] * 8))
        assert len(bench.memory.transactions) == 1
    Directed("pages", copied={1}).run(script)


def test_beat_by_beat():
    """Grants of single beats let a burst pass when its last one is granted, and no earlier.

    The first is at hand from a write before.
    """
    async def script(bench):
        await bench.add(write_burst(BASE + 4, [1]))
        assert await bench.grant() == 1
        await bench.clocks(4)
        await bench.add(write_burst(BASE + 4, [1] * 3))
        for expected in 2, 3:
            assert len(bench.memory.transactions) == 1
            assert await bench.grant() == expected
            await bench.clocks(2)
        await bench.clocks(4)
        assert len(bench.memory.transactions) == 2
    Directed().run(script)


def test_rows_one_after_the_other():
    """A burst over three complete rows of the map takes three clocks for each but the last."""
    async def script(bench):
        await bench.add(write_burst(8 * 20, [1] * 50))
        assert len(bench.memory.transactions) == 1
    bench = Directed("one_beat", copied=range(72)).run(script)
    assert len(bench.core.held) == 8


def test_a_row_that_leaves_the_chip_takes_nothing_back():
    """What it permitted, and the memory has not taken yet, stays on offer (A3.2.1); no need to ask.
    """
    stall = 0

    async def script(bench):
        nonlocal stall
        await bench.add(write_burst(0, [1] * 8))
        await bench.grant()      # it asked before its row was read
        bench.ctx.set(bench.gate.core.ask.ready, 0)
        bench.core.off_chip, stall = {0}, 1
        await bench.add(write_burst(8 * 2, [2] * 4))
        stall = 0
        await bench.clocks(12)
        assert [len(each.data) for each in bench.memory.transactions] == [8, 4]
        assert not bench.ctx.get(bench.gate.core.ask.valid)
    Directed("one_beat", memory={"stall": lambda: stall}, copied=range(72)).run(script)


def test_block_by_block():
    """In a row that is not complete a burst takes a clock for each block, and one for the row."""
    async def script(bench):
        await bench.add(write_burst(8 * 20, [1] * 10), clocks=20)
        assert len(bench.memory.transactions) == 1
    bench = Directed("one_beat", copied=range(31)).run(script)
    assert len(bench.core.held) == 10


@pytest.mark.parametrize("granted", [False, True])
def test_nothing_is_kept_from_one_snapshot_to_the_next(granted):
    """Neither a row of the map nor a grant."""
    async def script(bench):
        bench.core.copied = set() if granted else {0, 1, 2}
        await bench.add(write_burst(BASE, [1]))
        if granted:
            await bench.grant(whole=True)
            await bench.clocks(5)
        assert len(bench.memory.transactions) == 1
        bench.core.active = False
        await bench.clocks(3)
        bench.core.copied, bench.core.granted = set(), set()
        bench.core.active = True
        await bench.clocks(3)
        await bench.add(write_burst(BASE + 4, [2]))
        assert len(bench.memory.transactions) == 1
        await bench.grant(whole=True)
    Directed().run(script)


def test_each_row_is_looked_at():
    """A block of another row is not taken for that of the row at hand."""
    async def script(bench):
        await bench.add(write_burst(8 * 3, [1]))
        assert len(bench.memory.transactions) == 1
        await bench.add(write_burst(8 * 35, [1]))
        assert len(bench.memory.transactions) == 1
        while len(bench.memory.transactions) == 1:
            await bench.grant()
            await bench.clocks(4)
    Directed("one_beat", copied=range(32)).run(script)


def test_reads_never_wait():
    async def script(bench):
        await bench.add(write_burst(BASE, [1]))
        await bench.add(*(read_burst(BASE + 4 * at, 2) for at in range(8)), clocks=25)
        reads = [each for each in bench.manager.log if not each.we]
        assert [each.accepted - each.requested for each in reads] == [0] * 8
        assert not [each for each in bench.memory.transactions if each.we]
        bench.core.copied.add(0)
        await bench.grant(whole=True)
    Directed().run(script)


def test_early_data_waits_for_what_is_held():
    """Data of a held write, ahead of its address, does not become that of another."""
    async def script(bench):
        await bench.add(write_burst(BASE, [1, 2]), write_burst(0x200, [3]))
        assert not bench.memory.transactions
        bench.core.copied.add(0)
        await bench.grant(whole=True)
        await bench.clocks(20)
        assert [each.data for each in bench.memory.transactions] == [[1, 2], [3]]
    Directed(manager={"early_w": True}).run(script)


def test_refusals_keep_the_order_of_ids():
    """A refused write is answered after those before it, and those behind it after that."""
    async def script(bench):
        await bench.add(*(write_burst(address, [address], id=index % 2) for index, address in
                          enumerate((0x200, 0x204, 0x80, 0x208, 0x84, 0x20c))), clocks=90)
        log = bench.manager.log
        assert [each.responses[0].name for each in log] == [
            "OKAY", "OKAY", "SLVERR", "OKAY", "SLVERR", "OKAY"]
        answered = [each.answered for each in log]
        assert answered == sorted(answered)
        assert [each.addr for each in bench.memory.transactions] == [0x200, 0x204, 0x208, 0x20c]
    Directed(memory={"latency": 7}).run(script)


def test_a_long_burst_that_is_refused():
    """All its data is taken, and one answer given; reads go on meanwhile."""
    async def script(bench):
        await bench.add(write_burst(0x80, [5] * 12), read_burst(0x80, 12), clocks=60)
        write, read = bench.manager.log
        assert [each.name for each in write.responses] == ["SLVERR"]
        assert [each.name for each in read.responses] == ["OKAY"] * 12
        assert len(bench.memory.transactions) == 1
    Directed().run(script)


def test_denied_reads():
    async def script(bench):
        bench.core.deny = True
        await bench.clocks(2)
        await bench.add(read_burst(0x80, 5, id=3), read_burst(BASE, 1, id=3), clocks=30)
        denied, other = bench.manager.log
        assert [each.name for each in denied.responses] == ["SLVERR"] * 5
        assert denied.data_r == [0] * 5
        assert [each.name for each in other.responses] == ["OKAY"]
    Directed().run(script)


@pytest.mark.parametrize("we", [False, True])
def test_in_flight_limit(we):
    """No more are in flight than the unit can count; the others wait."""
    most = 2

    async def script(bench):
        make = (lambda at: write_burst(at, [1])) if we else (lambda at: read_burst(at, 1))
        await bench.add(*(make(0x400 + 4 * at) for at in range(8)), clocks=20)
        assert len(bench.memory.transactions) == most
        await bench.clocks(200)
        assert len(bench.memory.transactions) == 8
    Directed(memory={"latency": 25}, max_in_flight=most).run(script)


def test_sixteen_are_in_flight_each_way():
    async def script(bench):
        await bench.add(*(each for at in range(16) for each in (
            write_burst(0x400 + 4 * at, [1], id=at % 16), read_burst(0x400 + 4 * at, 1))),
            clocks=30)
        assert len(bench.memory.transactions) == 32
    Directed(memory={"latency": 60}).run(script)


def test_drained():
    """Writes from before the instant are answered before ``drained``; new ones wait for that."""
    async def script(bench):
        bench.core.active = False
        await bench.clocks(3)
        await bench.add(*(write_burst(0x200 + 4 * at, [at]) for at in range(4)), clocks=7)
        assert len(bench.memory.transactions) == 4
        bench.core.active = True
        await bench.clocks(2)
        assert not bench.ctx.get(bench.gate.drained)
        await bench.add(write_burst(0x300, [9]), clocks=5)
        assert len(bench.memory.transactions) == 4
        await bench.clocks(40)
        assert bench.ctx.get(bench.gate.drained)
        before = max(each.answered for each in bench.manager.log[:4])
        assert bench.memory.transactions[4].accepted > before
    Directed(memory={"latency": 20}).run(script)


def test_a_held_write_that_is_failed():
    async def script(bench):
        await bench.add(write_burst(BASE, [1, 2, 3]))
        bench.core.fail = True
        await bench.clocks(3)
        bench.core.fail = False
        await bench.clocks(10)
        assert [each.name for each in bench.manager.log[0].responses] == ["SLVERR"]
        assert not bench.memory.transactions
        assert not bench.ctx.get(bench.gate.core.held)
        if bench.ctx.get(bench.gate.core.ask.valid):        # it stands until it is answered
            await bench.grant()
    Directed().run(script)


def test_the_end_of_the_snapshot_releases_all():
    async def script(bench):
        await bench.add(write_burst(BASE, [1]))
        bench.core.active = False
        await bench.clocks(8)
        assert len(bench.memory.transactions) == 1
        assert not bench.ctx.get(bench.gate.core.ask.valid)
    Directed().run(script)


@pytest.mark.parametrize("clock", range(0, 18, 3))
def test_reset_in_the_middle(clock):
    """After a reset the gate passes everything, whatever it was at."""
    async def script(bench):
        bench.manager.add(write_burst(0x80, [1] * 6), read_burst(0x80, 6), write_burst(BASE, [1]))
        await bench.clocks(clock)
        bench.ctx.set(bench.rig.domain.rst, 1)
        await bench.clocks(1)
        bench.ctx.set(bench.rig.domain.rst, 0)
        await bench.clocks(2)
        await bench.add(write_burst(0x80, [2] * 3), write_burst(BASE, [3]), read_burst(BASE, 2),
                        clocks=30)
        assert [each.responses[0].name for each in bench.manager.log[-3:]] == ["OKAY"] * 3
        assert not bench.core.active
    Directed().run(script)
