"""The memory target and the initiator, wired straight to each other."""

import random

import pytest
from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator
from memsnap.bus import wishbone
from memsnap_sim.kit import (
    Initiator,
    MemoryTarget,
    ProtocolChecker,
    burst,
    errors_at,
    pauses,
    read,
    write,
)
from memsnap_sim.kit.memory import merge

WORDS = 16
SEED = 20_003


class Pair:
    """An initiator and a memory on one bus, with the protocol watched twice over."""

    def __init__(self, accesses, *, pipelined=True, data_width=32, features=(), max_in_flight=16,
                 **options):
        self.bus = wishbone.Signature(addr_width=8, data_width=data_width, pipelined=pipelined,
                                      features=features).create()
        self.initiator = Initiator(self.bus, accesses, max_in_flight=max_in_flight)
        self.memory = MemoryTarget(self.bus, bytes(WORDS * data_width // 8), **options)
        self.checker = ProtocolChecker(self.bus)
        self.listener = ProtocolChecker(self.bus)
        self.memory.listener = self.listener.sample

    def run(self, script=None, limit=50_000):
        m = Module()
        m.domains.sync = self.domain = ClockDomain()
        m.d.sync += self.bus.cyc.like(self.bus.cyc, name="unused").eq(0)
        simulator = Simulator(m)
        simulator.add_clock(1e-6)
        for part in self.initiator, self.memory, self.checker:
            simulator.add_process(part.process)

        async def testbench(ctx):
            if script is not None:
                await script(ctx)
            while not self.initiator.idle:
                await ctx.tick()
                assert self.memory.clock < limit
        simulator.add_testbench(testbench)
        simulator.run()
        assert self.checker.violations == self.listener.violations == []
        return self.initiator.log


def random_traffic(rng, count, data_width):
    for _ in range(count):
        options = {"gap": rng.choice([0, 0, 0, 1, 4]), "drop": rng.random() < 0.1}
        if rng.random() < 0.05:
            options["abort"] = rng.randint(1, 12)
        if rng.random() < 0.5:
            yield write(rng.randrange(WORDS), rng.getrandbits(data_width),
                        rng.randrange(1 << data_width // 8), **options)
        else:
            yield read(rng.randrange(WORDS), **options)


@pytest.mark.parametrize("pipelined", [True, False])
@pytest.mark.parametrize("data_width", [8, 32, 64])
@pytest.mark.parametrize("slow", [False, True])
def test_random_traffic_is_that_of_a_flat_memory(pipelined, data_width, slow):
    print(f"seed {SEED}")
    rng = pauses.generators(SEED)
    options = {"latency": pauses.uniform(rng("latency"), 1, 32),
               "stall": pauses.bursty(rng("stall"), 6, 3)}
    pair = Pair(random_traffic(rng("traffic"), 500, data_width), pipelined=pipelined,
                data_width=data_width, max_in_flight=8, **options if slow else {})
    log = pair.run()
    assert len(log) == 500
    given_up = [access for access in log if access.response is None]
    assert slow <= len(given_up) < 250
    clocks = {entry.clock: entry for entry in pair.memory.log}
    words = [0] * WORDS
    accepted = 0
    for access in log:
        if access.accepted is None:
            continue
        accepted += 1
        entry = clocks[access.accepted]
        assert (entry.adr, entry.we) == (access.adr, access.we)
        if access.we:
            words[access.adr] = merge(words[access.adr], access.data, access.sel)
        elif access.response:
            assert access.data_r == words[access.adr]
    assert words == pair.memory.words
    assert accepted == len(pair.memory.log) == pair.checker.accepted


@pytest.mark.parametrize("latency", [1, 2, 7, 32])
@pytest.mark.parametrize("pipelined", [True, False])
def test_latency_is_from_the_request_to_the_answer(latency, pipelined):
    log = Pair([read(0, gap=3), read(1)], pipelined=pipelined, latency=latency).run()
    assert log[0].requested == 3
    assert log[0].answered - log[0].requested == latency
    assert log[1].requested == (4 if pipelined else 4 + latency)
    assert log[1].answered - log[1].requested == latency


def test_a_pipelined_memory_takes_one_beat_a_clock():
    log = Pair([read(at % WORDS) for at in range(50)], latency=8).run()
    assert [access.accepted for access in log] == list(range(50))
    assert [access.answered for access in log] == list(range(8, 58))


def test_answers_stay_in_order_under_falling_latency():
    log = Pair([read(at) for at in range(4)], latency=pauses.cycle([9, 1, 1, 1])).run()
    assert [access.answered for access in log] == [9, 10, 11, 12]


def test_max_in_flight():
    pair = Pair([read(0) for _ in range(6)], latency=10, max_in_flight=2)
    assert [access.accepted for access in pair.run()] == [0, 1, 11, 12, 22, 23]


def test_cyc_is_held_or_dropped_between_accesses():
    levels = []
    pair = Pair([read(0), read(1, gap=4), read(2, gap=2, drop=True)])
    pair.memory.listener = lambda rst, request, answer: levels.append(request[:2])
    pair.run()
    levels = ["".join(str(level[at]) for level in levels[:12]) for at in (0, 1)]
    assert levels == ["11111110011", "10000100010"]


@pytest.mark.parametrize("pipelined", [True, False])
def test_errors_by_address_and_by_number(pipelined):
    rule = errors_at(addresses=[3], nth=[0, 4])
    log = Pair([write(at, 0x55) for at in range(6)] + [read(99)], pipelined=pipelined,
               errors=rule)
    responses = [access.response for access in log.run()]
    assert responses == ["err", "ack", "ack", "err", "err", "ack", "err"]
    assert log.memory.words[:6] == [0, 0x55, 0x55, 0, 0, 0x55]


def test_errors_on_reads_alone_and_retries():
    rule = errors_at(addresses=[1], response="rty", writes=False)
    pair = Pair([write(1, 5), read(1)], errors=rule, features={"rty"})
    assert [access.response for access in pair.run()] == ["ack", "rty"]


@pytest.mark.parametrize("pipelined", [True, False])
def test_a_memory_that_stops_answering_goes_on_later(pipelined):
    pair = Pair([read(at) for at in range(3)], pipelined=pipelined)

    async def script(ctx):
        pair.memory.answering = False
        for _ in range(50):
            await ctx.tick()
        pair.memory.answering = True
    assert all(access.answered >= 50 for access in pair.run(script))


@pytest.mark.parametrize("pipelined", [True, False])
def test_a_reset_forgets_what_is_open(pipelined):
    pair = Pair([write(at, at + 1, gap=at == 5) for at in range(8)], pipelined=pipelined, latency=9)

    async def script(ctx):
        for _ in range(3):
            await ctx.tick()
        ctx.set(pair.domain.rst, 1)
        await ctx.tick()
        ctx.set(pair.domain.rst, 0)
    log = pair.run(script)
    lost = 4 if pipelined else 1
    assert [access.response for access in log] == [None] * lost + ["ack"] * (8 - lost)
    assert pair.memory.words[:8] == ([1, 2, 3, 0, 5, 6, 7, 8] if pipelined else
                                     [0, 2, 3, 4, 5, 6, 7, 8])


def test_a_classic_burst_takes_one_beat_a_clock():
    pair = Pair(burst(write(at, at) for at in range(6)) + burst(read(at) for at in range(6)),
                pipelined=False, features={"cti"}, latency=3, bursts=True)
    log = pair.run()
    assert [access.answered for access in log] == [3, 4, 5, 6, 7, 8, 12, 13, 14, 15, 16, 17]
    assert [access.data_r for access in log[6:]] == list(range(6))


def test_a_classic_burst_wraps():
    accesses = burst(read(adr) for adr in (6, 7, 4, 5))
    for access in accesses:
        access.bte = 1
    pair = Pair(accesses, pipelined=False, features={"cti", "bte"}, bursts=True)
    assert len(pair.run()) == 4


def test_traffic_can_be_added_and_stopped():
    pair = Pair([])

    async def script(ctx):
        for _ in range(5):
            await ctx.tick()
        assert pair.initiator.idle
        pair.initiator.add(write(0, 1), read(0))
        while not pair.initiator.idle:
            await ctx.tick()
        pair.initiator.add(read(1))
        pair.initiator.stop()
    assert [access.data_r for access in pair.run(script)] == [None, 1]


@pytest.mark.parametrize("change, message", [
    (lambda bus: MemoryTarget(bus, bytes(5)), "image must be a multiple of 4 bytes, not 5 bytes"),
    (lambda bus: MemoryTarget(bus, bytes(4), latency=0), "latency must be at least 1 clock, not 0"),
    (lambda bus: Initiator(bus, max_in_flight=0), "max_in_flight must be at least 1, not 0"),
])
def test_refusals(change, message):
    bus = wishbone.Signature(addr_width=8, data_width=32).create()
    with pytest.raises(ValueError) as refusal:
        change(bus)
    assert str(refusal.value) == message


def test_pauses_repeat_by_their_seed():
    def draw():
        rng = random.Random(SEED)
        parts = [pauses.uniform(rng, 1, 4), pauses.sometimes(rng, 0.5, 3), pauses.bursty(rng, 4, 2),
                 pauses.cycle([1, 2]), pauses.never, pauses.always]
        return [[part() for _ in range(50)] for part in parts]
    first = draw()
    assert first == draw()
    assert set(first[0]) == {1, 2, 3, 4}
    assert set(first[1]) == {0, 1, 2, 3}
    assert set(first[2]) == {0, 1}
    assert first[3:] == [[1, 2] * 25, [0] * 50, [1] * 50]
