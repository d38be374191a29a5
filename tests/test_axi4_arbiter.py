"""The arbiter between random managers and a memory: order, ids, data after addresses, urgency."""

from itertools import groupby

import pytest
from amaranth.hdl import Cat, Signal
from axi4_rig import Rig, axi4_params_of, same, seldom
from memsnap.bus.axi4_arbiter import Axi4Arbiter
from memsnap_sim.kit import pauses, read_burst, write_burst
from memsnap_sim.kit.axi4_traffic import random_transaction

from sim import seeded, split

SIZE = 4096


def sources_of(arbiter):
    """Every manager's bus, in the order of their numbers."""
    return [*arbiter.gates, *(getattr(arbiter, name) for name in ("copier", "map")
                              if name in arbiter.signature.members)]


def arbiter_of(params):
    """One with the gates' ``claims``: what they have, and ``more``; and ``urgent`` if it
    ``hurries``."""
    class Arbiter(Axi4Arbiter):
        more = Signal(params.ports)
        hurries = Signal()

        def elaborate(self, platform):
            m = super().elaborate(platform)
            m.d.comb += [
                self.claims.eq(Cat(gate.awvalid for gate in self.gates) | self.more),
                self.urgent.eq(self.hurries & self.copier.arvalid
                               if "copier" in self.signature.members else 0),
            ]
            return m

    return Arbiter(params)


def around(params, traffics, *, memory=None, managers=None):
    """A rig; a source without traffic is idle."""
    arbiter = arbiter_of(params)
    sources = sources_of(arbiter)
    traffics = [*traffics, *[[]] * (len(sources) - len(traffics))]
    options = managers or [{}] * len(sources)
    return Rig(arbiter, list(zip(sources, traffics, options, strict=True)),
               (arbiter.m, bytes(SIZE), memory or {}), strict=True)


async def settings(ctx, arbiter, **values):
    for name, value in values.items():
        ctx.set(getattr(arbiter, name), value)


def compare(rig, params):
    """Each source's transactions come in order, its number above its id; answers return."""
    for number, manager in enumerate(rig.managers):
        for we in False, True:
            asked = [each for each in manager.log if each.we == we]
            got = [each for each in rig.memory.transactions
                   if each.we == we and each.id >> params.id_width == number]
            assert len(asked) == len(got)
            for mine, its in zip(asked, got, strict=True):
                assert same(mine, its, ids=False) and its.id & (1 << params.id_width) - 1 == mine.id
                assert mine.responses == its.responses and mine.data_r == its.data_r
                assert mine.answered == its.answered
                assert mine.users == (its.users if not we else [its.user])


@pytest.mark.parametrize("disorder", [False, True], ids=["plain", "disorderly"])
@pytest.mark.parametrize("ports, map_, copier", [
    (1, "chip", "shared"), (3, "memory", "shared"), (2, "memory", "own"), (1, "chip", "own")])
def test_random(ports, map_, copier, disorder):
    rng = seeded(ports)
    params = axi4_params_of("one_beat", ports=ports, map=map_, copier_port=copier, user_width=2)
    arbiter_sources = ports + (copier == "shared") + (map_ == "memory")

    def traffic(number, rng):
        for _ in range(60):
            yield random_transaction(
                rng, word_bytes=8, base=0, size=SIZE - 512 * rng.getrandbits(1),
                id_width=params.id_width if number < ports else 1, user_width=2, most=6,
                gap=rng.choice([0, 0, 3]))
    memory = {"latency": 3}
    if disorder:
        memory = {"latency": pauses.uniform(split(rng), 1, 9), "rng": split(rng),
                  "interleave": True, "stall": pauses.sometimes(split(rng), 0.3),
                  "aw_after_w": True, "errors": seldom(split(rng), 0.06)}
    managers = [{"stall": pauses.sometimes(split(rng), 0.3), "early_w": True} if disorder else {}
                for _ in range(arbiter_sources)]
    rig = around(params, [traffic(number, split(rng)) for number in range(arbiter_sources)],
                 memory=memory, managers=managers)
    arbiter = rig.dut

    async def watch(ctx):
        m = arbiter.m
        stands = False
        async for _, _, stood, valid, taken, number in ctx.tick().sample(
                arbiter.stood, m.awvalid, m.awready, m.awid):
            assert stood == stands
            stands = valid and not taken and number >> params.id_width < ports
            ctx.set(arbiter.hurries, rng.getrandbits(1))
            ctx.set(arbiter.more, rng.getrandbits(ports) * (rng.random() < 0.2))
            if map_ == "memory":
                ctx.set(arbiter.map_urgent, rng.getrandbits(1))
    rig.run(lambda ctx: settings(ctx, arbiter, share=rng.choice([1, 8])), processes=[watch])
    compare(rig, params)


def test_the_copiers_data_passes_once_with_an_address_that_stands():
    """Its next data is there before the memory has taken the address."""
    rng = seeded(1)
    params = axi4_params_of("one_beat")
    writes = [write_burst(8 * at, range(rng.choice([1, 1, 3]))) for at in range(60)]
    rig = around(params, [[], writes], memory={"stall": pauses.sometimes(split(rng), 0.5, 3)},
                 managers=[{}, {"early_w": True, "max_in_flight": 8}])
    rig.run()
    compare(rig, params)


def busy(count=60, we=False):
    return [write_burst(8 * at, [at]) if we else read_burst(8 * at) for at in range(count)]


PARAMS = axi4_params_of("one_beat", ports=2)


@pytest.mark.parametrize("we", [False, True], ids=["reads", "writes"])
def test_gates_take_turns(we):
    rig = around(PARAMS, [busy(we=we), busy(we=we)],
                 managers=[{"max_in_flight": 64}] * 3)
    rig.run()
    order = [each.id >> PARAMS.id_width for each in rig.memory.transactions]
    assert max(len(list(run)) for _, run in groupby(order[4:-4])) == 1


@pytest.mark.parametrize("we", [False, True], ids=["reads", "writes"])
@pytest.mark.parametrize("share", [0, 1, 5])
def test_the_copiers_share(share, we):
    """It is denied for ``share`` clocks at the most; with 0 it waits until the others are done."""
    rig = around(PARAMS, [busy(we=we), busy(we=we), busy(6, we=we)],
                 managers=[{"max_in_flight": 64}] * 3)
    rig.run(lambda ctx: settings(ctx, rig.dut, share=share))
    late = [each.accepted - each.requested for each in rig.managers[2].log]
    if share:
        assert set(late[:4]) == {share}
    else:
        last = max(each.accepted for each in rig.managers[0].log)
        assert rig.managers[2].log[0].accepted > last - 2


def test_urgent_reads_come_first():
    rig = around(PARAMS, [busy(), busy(), busy(20)], managers=[{"max_in_flight": 64}] * 3)
    rig.run(lambda ctx: settings(ctx, rig.dut, hurries=1))
    assert [each.accepted - each.requested for each in rig.managers[2].log] == [0] * 20


def test_writes_are_not_urgent():
    rig = around(PARAMS, [busy(we=True), [], busy(5, we=True)],
                 managers=[{"max_in_flight": 64}] * 3)
    rig.run(lambda ctx: settings(ctx, rig.dut, hurries=1))
    assert rig.managers[2].log[0].accepted > rig.managers[0].log[-2].accepted


def test_an_urgent_map_comes_before_the_copier():
    params = axi4_params_of("one_beat", map="memory")
    rig = around(params, [[], busy(20), busy(20)], managers=[{"max_in_flight": 64}] * 3)
    rig.run(lambda ctx: settings(ctx, rig.dut, hurries=1, map_urgent=1))
    order = [each.id >> params.id_width for each in rig.memory.transactions]
    assert order[:20] == [2] * 20


def test_an_address_that_stands_keeps_its_place():
    """What is more urgent waits until it is taken; the checkers see to that."""
    rig = around(PARAMS, [busy(8), [], busy(8)],
                 memory={"stall": {"ar": pauses.cycle([1, 1, 1, 0])}})

    async def script(ctx):
        for clock in range(60):
            ctx.set(rig.dut.hurries, clock // 2 % 2)
            await ctx.tick()
    rig.run(script)
    compare(rig, PARAMS)


def test_sixteen_writes_may_lack_data():
    """Then the next address waits; data passes in the order of the addresses."""
    rig = around(PARAMS, [[write_burst(8 * at, [at]) for at in range(24)],
                          [write_burst(512, [99])]],
                 managers=[{"max_in_flight": 64, "stall": {"w": pauses.cycle([1] * 30 + [0])}},
                           {}, {}], memory={"latency": 2})
    rig.run()
    compare(rig, PARAMS)
    accepted = [each.accepted for each in rig.managers[0].log]
    assert accepted[14] - accepted[0] < 17 < accepted[17] - accepted[0]
