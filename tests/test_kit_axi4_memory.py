"""The AXI4 memory and the manager, wired straight to each other."""

from types import SimpleNamespace

import pytest
from amaranth.hdl import ClockDomain, Module, Signal
from amaranth.sim import Simulator
from axi4_pair import SIZE, Pair
from memsnap.bus import axi4
from memsnap.bus.axi4 import Burst, Response
from memsnap_sim.kit import (
    Axi4Checker,
    Axi4Matcher,
    Axi4Memory,
    ContractChecker,
    Manager,
    Transaction,
    errors_at,
    pauses,
    read_burst,
    write_burst,
)
from memsnap_sim.kit.axi4_burst import places
from memsnap_sim.kit.axi4_traffic import random_exclusive, random_transaction

SEED = 20_004


def traffic(rng, count, word_bytes, user_width=0, errors=False, spots=6):
    """Transactions on few and often the same places, so that they meet."""
    bases = [rng.randrange(SIZE // 256) * 256 for _ in range(spots)] + [4096 - 256, SIZE - 256]
    options = {"word_bytes": word_bytes, "id_width": 4, "user_width": user_width, "size": 512}
    for _ in range(count):
        options["base"] = min(rng.choice(bases), SIZE - 512)
        gap = rng.choice([0, 0, 0, 0, 1, 12])
        if rng.random() < 0.1:
            yield from random_exclusive(rng, **options)
        else:
            yield random_transaction(rng, gap=gap, **options)


def mixed(seed):
    """Options that make everything random."""
    rng = pauses.generators(seed)
    return {
        "latency": pauses.uniform(rng("latency"), 1, 20), "rng": rng("order"), "interleave": True,
        "stall": {name: pauses.bursty(rng(name), 8, 3) for name in ("aw", "w", "b", "ar", "r")},
        "manager": {"stall": {name: pauses.sometimes(rng("m" + name), 0.3)
                              for name in ("aw", "w", "b", "ar", "r")}, "early_w": True,
                    "max_in_flight": 16},
    }


def flat(transactions, image, word_bytes):
    """What a memory of bytes holds after these, one after the other, and what they read."""
    content = bytearray(image)
    for transaction in transactions:
        for beat, (word, lanes) in enumerate(places(transaction, word_bytes)):
            at = word * word_bytes
            if not transaction.we:
                got = transaction.data_r[beat].to_bytes(word_bytes, "little")
                assert got == content[at:at + word_bytes], str(transaction)
            elif not transaction.lock or transaction.responses == [Response.EXOKAY]:
                data = transaction.data[beat].to_bytes(word_bytes, "little")
                assert not transaction.strobes[beat] & ~lanes
                for lane in range(word_bytes):
                    if transaction.strobes[beat] >> lane & 1:
                        content[at + lane] = data[lane]
    return bytes(content)


def contract(pair, data_width):
    """What the contract's checker has to say of a run without a unit."""
    word_bytes = data_width // 8
    params = SimpleNamespace(memory_base=0, memory_size=1 << 20, shadow_base=1 << 20,
                             block_size=word_bytes, beat_bytes=word_bytes)
    matcher = Axi4Matcher(pair.memory.transactions, lambda _: 0, id_width=4)
    return ContractChecker(params, pair.initial, pair.memory.log, pair.manager.log,
                           matcher=matcher).check()


@pytest.mark.parametrize("data_width", [32, 64, 512])
@pytest.mark.parametrize("slow", [False, True])
def test_random_traffic_in_order_is_that_of_a_flat_memory(data_width, slow):
    print(f"seed {SEED}")
    options = mixed(SEED) if slow else {"manager": {}}
    options["manager"]["ordered"] = True
    rng = pauses.generators(SEED)("traffic")
    pair = Pair(traffic(rng, 250, data_width // 8, user_width=3), data_width=data_width,
                user_width=3, **options)
    log = pair.run()
    assert len(log) >= 250
    assert flat(log, pair.initial, data_width // 8) == pair.memory.image
    assert contract(pair, data_width) == []
    assert {tx.burst for tx in log} == set(Burst)
    exclusive = [tx.responses[0] for tx in log if tx.lock and tx.we]
    assert Response.EXOKAY in exclusive


@pytest.mark.parametrize("data_width", [32, 128])
@pytest.mark.parametrize("options", [
    {}, {"interleave": False}, {"aw_after_w": True}, {"after_valid": True}, {"w_after_aw": True},
    {"aw_after_w": True, "w_after_aw": True}, {"max_in_flight": 2}])
def test_random_traffic_in_any_order_keeps_the_contract(data_width, options):
    print(f"seed {SEED}")
    rng = pauses.generators(SEED)("traffic")
    settings = {**mixed(SEED), **options}
    settings["manager"]["after_valid"] = options.get("after_valid", False)
    pair = Pair(traffic(rng, 150, data_width // 8), data_width=data_width, **settings)
    pair.run()
    assert contract(pair, data_width) == []
    reads = [tx for tx in pair.manager.log if not tx.we]
    overtaken = [first for first, second in zip(reads, reads[1:], strict=False)
                 if first.answered > second.answered]
    assert overtaken
    spread = [tx for tx in reads for tx2 in reads if tx2.id != tx.id
              and any(tx.clocks[0] < clock < tx.clocks[-1] for clock in tx2.clocks)]
    assert bool(spread) == settings["interleave"]


@pytest.mark.parametrize("latency", [1, 2, 7, 32])
def test_reads_come_after_the_latency_and_then_a_beat_a_clock(latency):
    reads = [read_burst(256 * index, 16) for index in range(8)]
    log = Pair(reads, latency=latency).run()
    first = log[0].accepted
    assert [tx.accepted for tx in log] == [first + index for index in range(8)]
    clocks = [clock for tx in log for clock in tx.clocks]
    assert clocks == list(range(first + latency, first + latency + 128))


@pytest.mark.parametrize("latency", [1, 9])
def test_writes_take_a_beat_a_clock_and_are_answered_after_the_latency(latency):
    log = Pair([write_burst(64 * index, range(16)) for index in range(4)],
               latency=latency).run()
    clocks = [clock for tx in log for clock in tx.clocks]
    assert clocks == list(range(clocks[0], clocks[0] + 64))
    assert [tx.answered for tx in log] == [tx.clocks[-1] + latency for tx in log]


def test_sixteen_are_in_flight_each_way():
    both = [tx for index in range(40) for tx in (
        read_burst(4 * index, id=index % 16), write_burst(2048 + 4 * index, [index]))]
    pair = Pair(both, latency=100, manager={"max_in_flight": 16})
    log = pair.run()
    for we in False, True:
        mine = [tx for tx in log if tx.we == we]
        assert max(sum(tx.accepted <= clock < tx.answered for tx in mine)
                   for clock in range(pair.memory.clock)) == 16


def test_early_data_and_late_addresses():
    held = pauses.cycle([1] * 30 + [0])
    log = Pair([write_burst(0, range(8))],
               manager={"early_w": True, "stall": {"aw": held}}).run()
    assert log[0].requested == log[0].clocks[0] < log[0].clocks[-1] < log[0].accepted
    log = Pair([write_burst(0, range(8))], strict=True, manager={"stall": {"aw": held}}).run()
    assert log[0].accepted <= log[0].clocks[0]


def test_awready_may_wait_for_the_data():
    log = Pair([write_burst(16 * index, range(4)) for index in range(6)], aw_after_w=True,
               manager={"stall": {"w": pauses.cycle([1, 1, 1, 1, 0])}}).run()
    assert all(tx.accepted > tx.requested for tx in log[:1])


@pytest.mark.parametrize("rule, response", [("err", Response.SLVERR), ("decerr", Response.DECERR)])
def test_errors_are_those_of_single_beats(rule, response):
    pair = Pair([write_burst(0, [1, 2, 3, 4]), read_burst(0, 4)],
                errors=errors_at(addresses=[2], response=rule), manager={"ordered": True})
    write, read = pair.run()
    assert write.responses == [response]
    assert read.responses == [Response.OKAY] * 2 + [response, Response.OKAY]
    assert pair.memory.words[:4] == [1, 2, 0, 4]
    assert read.data_r[2] == 0xffffffff
    assert [entry.response for entry in pair.memory.log] == ["err"] * 4 + ["ack"] * 2 + [
        "err", "ack"]
    assert [entry.landed for entry in pair.memory.log[:4]] == [True, True, False, True]


def test_the_nth_beat_may_fail():
    write, other = Pair([write_burst(0, [1, 2]), write_burst(8, [3, 4])],
                        errors=errors_at(nth=[2])).run()
    assert (write.responses, other.responses) == ([Response.OKAY], [Response.SLVERR])


def test_beyond_the_image_is_a_decode_error():
    read, write = Pair([read_burst(SIZE - 4, 2), write_burst(SIZE, [1])]).run()
    assert read.responses == [Response.OKAY, Response.DECERR]
    assert write.responses == [Response.DECERR]


def exclusive(addr, data=None, **options):
    if data is None:
        return read_burst(addr, lock=1, **options)
    return write_burst(addr, [data], lock=1, **options)


@pytest.mark.parametrize("between, response", [
    ([], Response.EXOKAY),
    ([write_burst(4, [7], id=1)], Response.OKAY),
    ([write_burst(4, [7], id=2)], Response.OKAY),
    ([write_burst(4, [7], [0b1000])], Response.OKAY),
    ([write_burst(4, [7], [0])], Response.EXOKAY),
    ([write_burst(8, [7])], Response.EXOKAY),
    ([write_burst(0, [7, 7])], Response.OKAY),
    ([exclusive(4, id=2), exclusive(4, 9, id=2)], Response.OKAY),
    ([exclusive(4, id=2)], Response.EXOKAY),
    ([exclusive(8, id=1)], Response.OKAY),          # a monitor has one place for each id
    ([read_burst(4, id=3)], Response.EXOKAY),
])
def test_exclusive_writes(between, response):
    fresh = [Transaction(**{name: getattr(tx, name) for name in (
        "addr", "we", "beats", "id", "lock", "data", "strobes")}) for tx in between]
    chain = [exclusive(4, id=1), *fresh, exclusive(4, 5, id=1)]
    for earlier, later in zip(chain, chain[1:], strict=False):
        later.after = earlier
    pair = Pair(chain)
    log = pair.run()
    assert log[0].responses == [Response.EXOKAY]
    assert log[-1].responses == [response]
    assert (pair.memory.words[1] == 5) == (response is Response.EXOKAY)


def test_a_muted_memory_answers_later():
    pair = Pair([read_burst(0, 4), write_burst(0, [1])])

    async def script(ctx):
        pair.memory.answering = False
        for _ in range(60):
            await ctx.tick()
        pair.memory.answering = True

    log = pair.run(script)
    assert all(tx.answered >= 60 for tx in log)


def test_a_reset_forgets_what_is_open():
    rng = pauses.generators(SEED)("traffic")
    pair = Pair(traffic(rng, 120, 4), **mixed(SEED))

    async def script(ctx):
        for wait, clocks in (7, 1), (60, 3), (90, 1), (40, 1):
            for _ in range(wait):
                await ctx.tick()
            ctx.set(pair.domain.rst, 1)
            for _ in range(clocks):
                await ctx.tick()
            ctx.set(pair.domain.rst, 0)

    log = pair.run(script)
    assert any(tx.abandoned is not None for tx in log)
    assert contract(pair, 32) == []


def test_two_ports_share_the_words():
    """Two managers, each with its own half; the second reads what the first wrote."""
    buses = [axi4.Signature(addr_width=16, data_width=32, id_width=2).create() for _ in range(2)]
    memory = Axi4Memory(buses, bytes(256), latency=3)
    checkers = [Axi4Checker(bus, strict=True) for bus in buses]
    memory.listeners = [checker.sample for checker in checkers]
    writes = [write_burst(16 * index, range(4 * index, 4 * index + 4)) for index in range(16)]
    managers = [Manager(buses[0], writes),
                Manager(buses[1], [read_burst(0, 64, after=writes[-1])])]
    m = Module()
    m.domains.sync = ClockDomain()
    m.d.sync += Signal().eq(0)
    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    for part in memory, *managers:
        simulator.add_process(part.process)

    async def testbench(ctx):
        while not (managers[0].idle and managers[1].idle):
            await ctx.tick()
    simulator.add_testbench(testbench)
    simulator.run()
    assert managers[1].log[0].data_r == list(range(64))
    assert [tx.port for tx in memory.transactions] == [0] * 16 + [1]
    assert [checker.violations for checker in checkers] == [[], []]


@pytest.mark.parametrize("options, message", [
    ({"latency": 0}, "latency must be at least 1 clock, not 0"),
    ({"stall": {"x": None}}, "stall must name channels of aw, w, b, ar, r, not 'x'"),
    ({"image": bytes(3)}, "image must be a multiple of 4 bytes, not 3 bytes"),
])
def test_bad_options(options, message):
    with pytest.raises(ValueError) as error:
        Pair([], **options)
    assert str(error.value) == message


@pytest.mark.parametrize("transaction, message", [
    (read_burst(0xffc, 2), "a transaction must keep to AXI4, not a burst from 0xffc to 0x1003 "
                           "crosses a 4 KiB boundary"),
    (read_burst(0, id=16), "id must fit 4 bits, not 0x10"),
    (write_burst(0, [1], [1 << 4]), "strobes must be within the beat's lanes 0xf, not 0x10"),
    (Transaction(addr=0, we=True, beats=2, data=[1]),
     "data must have 2 words, one for each beat, not 1"),
])
def test_a_manager_keeps_to_the_standard(transaction, message):
    with pytest.raises(ValueError) as error:
        Pair([transaction]).run()
    assert str(error.value) == message
