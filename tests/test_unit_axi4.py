"""The whole unit on AXI4 in particular cases; the bench checks the bus rules and the contract."""

import random

import pytest
from memsnap import SnapshotParams
from memsnap_sim.kit import Bench, errors_at, pauses, read_burst, write_burst
from memsnap_sim.kit.axi4_traffic import random_transaction


def params(**options):
    """Sixteen blocks of four words, and their shadow right behind."""
    return SnapshotParams(**{"bus": "axi4", "memory_size": 256, "shadow_base": 256,
                             "block_size": 16, "addr_width": 13, "timeout": 300, **options})


def sparse(config, seed=1):
    """Endless random bursts on the memory, with some air."""
    rng = random.Random(seed)
    while True:
        yield random_transaction(rng, word_bytes=config.beat_bytes, base=config.memory_base,
                                 size=config.memory_size, id_width=config.id_width, most=8,
                                 gap=rng.choice([0, 0, 3]))


async def one(bench):
    await bench.ready()
    await bench.start()
    await bench.end()


def run(config, script=one, traffic=None, **options):
    return Bench(config, traffic=sparse(config) if traffic is None else traffic,
                 **options).run(script).check()


@pytest.mark.parametrize("response", ["err", "decerr"])
@pytest.mark.parametrize("place, cause", [("memory", 1), ("shadow", 2)])
@pytest.mark.parametrize("form", [{}, {"copier_port": "own"}, {"shadow": "separate"}],
                         ids=["shared", "own", "separate"])
def test_an_error_of_each_channel_ends_the_snapshot(form, place, cause, response):
    """R and B of the copier: SLVERR or DECERR fails the snapshot and tells the block (C5).

    One answer stands for all of a write's burst, whose first block is told.
    """
    config = params(**form)
    rule = errors_at(addresses=[(256 * (place == "shadow") + 5 * 16) // 4],
                     writes=place == "shadow", reads=place == "memory", response=response)
    own = place == "shadow" and config.shadow.value == "separate"
    bench = run(config, traffic=(), **{"shadow": {"errors": rule}} if own else {"errors": rule})
    record, = bench.snapshots
    assert (record.result, record.fail_block) == ("failed", 5 if place == "memory" else 4)
    assert record.counters["cause"] == cause


@pytest.mark.parametrize("response", ["err", "decerr"])
def test_errors_of_initiators_are_theirs_alone(response):
    """They get them as the memory gave them, and the snapshot goes on."""
    config = params()
    bad = 256 * 2 // 4
    accesses = [write_burst(4 * bad, [1, 2]), read_burst(4 * bad, 2)]

    async def script(bench):
        await bench.ready()
        await bench.start()
        bench.initiator.add(*accesses)
        await bench.end()
    bench = run(config, script, traffic=(), errors=errors_at(addresses=[bad], response=response))
    assert bench.snapshots[0].result == "done"
    name = {"err": "SLVERR", "decerr": "DECERR"}[response]
    assert [each.name for each in accesses[0].responses] == [name]
    assert [each.name for each in accesses[1].responses] == [name, "OKAY"]


@pytest.mark.parametrize("kind", ["reads", "writes"])
def test_a_program_that_waits_for_each_access(kind):
    """It does not wait for the copier, but for held writes."""
    config = params(block_size=64, memory_size=4096, shadow_base=4096, addr_width=14)
    rng, took = random.Random(1), []

    async def script(bench):
        await bench.ready()
        await bench.start()
        for at in range(48):
            address = at % 16 * 4
            access = write_burst(address, [at]) if kind == "writes" else read_burst(address)
            bench.initiator.add(access)
            while access.answered is None:
                await bench.clocks(1)
            took.append(access.answered - access.requested)
            await bench.clocks(rng.randrange(3, 12))
        assert not (await bench.status())["done"]
        await bench.end()
    run(config, script, traffic=(), latency=4)
    # The first writes are held, or find longer bursts
    assert max(took[4:]) == 4, took


def test_a_held_write_finds_no_other_read_before_its_own():
    """Beside single beats it is held for a read of the memory and five clocks; for one or two more
    where the map is written to in the clock in which it asks.

    Each goes to a block of its own, the last ones first, and the program reads, too.
    """
    config = params(block_size=64, memory_size=4096, shadow_base=4096, addr_width=14)
    held = []

    async def script(bench):
        await bench.ready()
        await bench.start()
        for block in reversed(range(38, 64)):
            for access in read_burst(64 * block), write_burst(64 * block + 8, [block]):
                bench.initiator.add(access)
                while access.answered is None:
                    await bench.clocks(1)
                await bench.clocks(4)
            held.append(access.accepted - access.requested)
        await bench.end()
    run(config, script, traffic=(), latency=4)
    assert max(held[4:]) <= 11, held
    assert held.count(9) > 20, held


@pytest.mark.parametrize("form", [{}, {"copier_port": "own"}, {"map": "memory"}],
                         ids=["shared", "own", "map"])
def test_a_memory_that_falls_silent(form):
    """The snapshot ends by the timeout; no other starts before the memory has given what it owes;
    the next one is good."""
    config = params(**form)

    async def script(bench):
        await bench.ready()
        await bench.start()
        await bench.clocks(12)
        bench.memory.answering = False
        record = await bench.end()
        assert record.result == "failed" and record.counters["cause"] == 3
        assert not (await bench.status())["ready"]
        assert await bench.start() is None
        bench.memory.answering = True
        await bench.ready()
        await bench.start()
        await bench.end()
    bench = run(config, script, traffic=())
    assert [record.result for record in bench.snapshots] == ["failed", "done"]


def test_the_shadow_stays_protected_while_writes_are_owed():
    """What was given up may still come: until then nobody else writes there."""
    config = params()
    early, late = write_burst(256, [7]), write_burst(256, [8])

    async def script(bench):
        await bench.ready()
        await bench.start()
        await bench.clocks(20)
        bench.memory.answering = False
        await bench.end()
        bench.initiator.add(early)
        await bench.clocks(20)
        bench.memory.answering = True
        await bench.ready()
        bench.initiator.add(late)
        await bench.clocks(40)
    bench = run(config, script, traffic=())
    assert [each.name for each in early.responses] == ["SLVERR"]
    assert [each.name for each in late.responses] == ["OKAY"]
    assert bench.memory.words[64] == 8


@pytest.mark.parametrize("clock", [0, 3, 9, 17, 26])
def test_a_reset_in_the_middle_of_bursts(clock):
    config = params(block_size=64)

    async def script(bench):
        await bench.ready()
        await bench.start()
        await bench.clocks(clock)
        await bench.reset()
        await bench.ready()
        await bench.start()
        await bench.end()
    bench = run(config, script, latency=3)
    assert bench.snapshots[-1].result == "done"


@pytest.mark.parametrize("data_width", [128, 512])
def test_the_longest_bursts_wait_for_all_their_blocks(data_width):
    """On both sides of the edge between two pages of the memory."""
    beat = data_width // 8
    config = params(data_width=data_width, memory_size=0x1800, shadow_base=0x2000, addr_width=15,
                    block_size=4 * beat)
    most = min(256, 4096 // beat)
    starts = [0x1000 - most * beat, 0x1000, 0x1000 - most * beat]
    starts = [start for start in starts if start + most * beat <= 0x1800]

    async def script(bench):
        await bench.ready()
        await bench.start(ask=False)
        for index, start in enumerate(starts):
            bench.initiator.add(write_burst(start, [index + at for at in range(most)], id=index),
                                read_burst(start, most, id=index))
        await bench.end()
    bench = run(config, script, traffic=(), latency=2)
    assert bench.snapshots[0].result == "done"
    assert bench.snapshots[0].counters["HELD"] > 0


def test_all_ports_are_closed():
    """There is one instant for all of them."""
    config = params(ports=2)
    bench = Bench(config, traffic=sparse(config, 1), others=[sparse(config, 2)],
                  latency=2, patience=1500).run(one).check()
    assert bench.snapshots[0].result == "done"


@pytest.mark.parametrize("clock", range(5))
def test_no_write_stands_at_the_instant(clock):
    """A memory that takes its time over addresses: what stands at its port is taken first (A3.2.1).
    """
    async def script(bench):
        await bench.ready()
        await bench.clocks(clock)
        await bench.start()
        await bench.end()
    config = params()
    writes = (write_burst(4 * (at % 64), [at]) for at in range(10**6))
    run(config, script, traffic=writes, memory={"stall": {"aw": pauses.cycle([1, 1, 1, 0])}})
