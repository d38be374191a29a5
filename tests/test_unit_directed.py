"""The whole unit where units like it went wrong: each test is named after its pitfall.

Every run is on the bench, which checks the bus rules and the contract; the tests add what is
particular to their case.
"""

import itertools
import os
import random

import pytest
from memsnap import SnapshotParams
from memsnap_sim.kit import Bench, burst, errors_at, pauses, read, write

FORMS = pytest.mark.parametrize("pipelined", [True, False], ids=["pipelined", "classic"])
RELEASES = pytest.mark.parametrize("release", ["captured", "copied"])
SEED = 20_004


def params(**options):
    """Sixteen blocks of 4 words, and their shadow right behind."""
    options = {"memory_size": 256, "shadow_base": 256, "block_size": 16, "addr_width": 12,
               "timeout": 1000, **options}
    return SnapshotParams(**options)


def word(parameters, byte):
    return byte // parameters.beat_bytes


def sparse(parameters, seed=SEED):
    """Endless random traffic on the memory, with some air."""
    rng = random.Random(seed)
    first = word(parameters, parameters.memory_base)
    while True:
        adr = first + rng.randrange(word(parameters, parameters.memory_size))
        gap = rng.choice([0, 0, 1, 3])
        if rng.random() < 0.5:
            yield write(adr, rng.getrandbits(parameters.data_width), gap=gap)
        else:
            yield read(adr, gap=gap)


async def one_snapshot(bench):
    await bench.ready()
    await bench.clocks(20)
    await bench.start()
    await bench.end()


def run(parameters, traffic, script=one_snapshot, **options):
    """Runs a script and returns the bench, with everything checked.

    PATIENCE in the environment is for units that are known to be broken.
    """
    if "PATIENCE" in os.environ:
        options["patience"] = int(os.environ["PATIENCE"])
    return Bench(parameters, traffic=traffic, **options).run(script).check()


def results(bench):
    return [record.result for record in bench.snapshots]


# 1 -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("release, pipelined, latency", [
    ("captured", True, 1), ("captured", False, 3), ("copied", True, 24), ("copied", False, 1)])
def test_bit_is_set_after_the_data_is_safe(release, pipelined, latency):
    """The bench compares each bit's clock with that of the last answer of its block."""
    config = params(release=release, pipelined=pipelined, memory_size=128)
    bench = run(config, sparse(config), latency=latency)
    assert results(bench) == ["done"]
    assert len(bench.copied) == config.blocks


# 2 -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("lead", [0, 1, 3, 6])
def test_background_read_races_the_write(lead):
    """A stream of writes runs beside the background copy, more or less behind it."""
    config = params(memory_size=512, shadow_base=512)

    async def script(bench):
        await bench.ready()
        await bench.start()
        await bench.clocks(lead)
        bench.initiator.add(*(write(adr, 0xffffffff, gap=1) for adr in range(128)))
        await bench.end()
    bench = run(config, [], script, latency=2, image=bytes(range(256)) * 4 + bytes(64))
    assert results(bench) == ["done"]


# 3 -------------------------------------------------------------------------------------------

@FORMS
def test_a_write_of_a_whole_block_needs_its_copy(pipelined):
    config = params(pipelined=pipelined)
    bench = run(config, (write(at % 64, at, gap=2 * (at % 4 == 0)) for at in itertools.count()))
    assert results(bench) == ["done"]
    assert bench.snapshots[0].counters["HELD"] > 0


# 4 -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("release, pipelined, in_flight", [
    ("captured", True, 2), ("captured", False, 2), ("copied", True, 64), ("copied", True, 2)])
def test_full_buffers_and_queues_do_not_deadlock(release, pipelined, in_flight):
    """The least buffer, a slow memory, and held writes with reads of the same port behind them."""
    config = params(release=release, pipelined=pipelined, buffer_depth=4, block_size=64,
                    max_in_flight=in_flight)
    rng = pauses.generators(SEED)
    bench = run(config, sparse(config), latency=pauses.uniform(rng("latency"), 8, 32),
                stall=pauses.bursty(rng("stall"), 3, 9), max_in_flight=32)
    assert results(bench) == ["done"]


# 5, 6 ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("first", range(0, 8, 2))
def test_a_burst_over_a_block_edge(first):
    """Bursts in registered feedback, begun before T, running at T, and over blocks of all kinds."""
    config = params(pipelined=False, features={"cti", "bte"}, memory_size=128, shadow_base=128)

    def bursts():
        for number in itertools.count():
            at = (first + 5 * number) % 24
            we = number % 3 != 0
            accesses = burst(write(at + beat, number << 8 | beat) if we else read(at + beat)
                             for beat in range(8))
            accesses[0].gap = number % 3
            yield from accesses

    async def script(bench):
        await bench.ready()
        for delay in range(first, 24, 8):
            await bench.clocks(delay)
            await bench.start()
            await bench.end()
    bench = run(config, bursts(), script, bursts=True, latency=2)
    assert set(results(bench)) == {"done"}


def test_a_wrapping_burst_is_passed_through():
    config = params(pipelined=False, features={"cti", "bte"})

    def bursts():
        for number in itertools.count():
            base = 4 * (number % 16)
            accesses = burst(write(base + (2 + beat) % 4, number) for beat in range(4))
            for access in accesses:
                access.bte = 1
            accesses[0].gap = 6
            yield from accesses
    assert results(run(config, bursts(), bursts=True)) == ["done"]


@pytest.mark.parametrize("pipelined, data_width", [(True, 32), (False, 64)])
def test_byte_enables_zero_and_narrow(pipelined, data_width):
    config = params(pipelined=pipelined, data_width=data_width)
    lanes = itertools.cycle(range(1 << config.beat_bytes))
    beats = word(config, config.memory_size)
    data = 0x8877_6655_4433_2211 & (1 << data_width) - 1
    bench = run(config, (write(7 * at % beats, data ^ at, next(lanes), gap=3)
                         for at in itertools.count()))
    assert results(bench) == ["done"]


# 7 -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("blocks, pipelined", [(1, True), (3, False), (33, True), (65, False)])
def test_a_number_of_blocks_that_is_no_power_of_two(blocks, pipelined):
    size = blocks * 8
    span = 1 << (size - 1).bit_length()
    config = params(memory_size=size, memory_base=2 * span, shadow_base=0, pipelined=pipelined,
                    block_size=8)
    bench = Bench(config, traffic=sparse(config), margin=4 * span)

    async def script(bench):
        await bench.ready()
        for _ in range(2):
            await bench.start(regions=[(2 * span + size - 1, 2 * span + size - 1)])
            await bench.end()
    bench.run(script).check()
    assert results(bench) == ["done"] * 2
    assert (bench.copied[0][1], bench.copied[0][2]) in ((blocks - 1, 1), (bench.copied[0][1], 0))


@pytest.mark.parametrize("top", ["memory", "shadow"])
def test_a_range_that_ends_at_the_last_address(top):
    places = {"memory_base": 0xf00, "shadow_base": 0xe00}
    if top == "shadow":
        places = {"memory_base": 0xe00, "shadow_base": 0xf00}
    config = params(**places)

    async def script(bench):
        await bench.ready()
        await bench.start(regions=[(config.memory_base + 0xf0, config.memory_base + 0xff)])
        await bench.end()
    last = word(config, 0x1000) - 1
    below = word(config, 0xe00) - 1
    traffic = (access for at in itertools.count()
               for access in (write(last, at) if top == "memory" else read(last), read(below),
                              write(below, at, gap=3)))
    assert results(run(config, traffic, script)) == ["done"]


# 8 -------------------------------------------------------------------------------------------

@FORMS
@pytest.mark.parametrize("latency, stall", [(1, [0]), (5, [0]), (3, [1, 1, 1, 0])])
def test_a_write_in_flight_across_the_instant(pipelined, latency, stall):
    """One write, then one start, at each distance of the two; each time at another address."""
    config = params(pipelined=pipelined, memory_size=64)
    before = []

    async def script(bench):
        await bench.ready()
        for distance in range(12):
            adr = (5 * distance + 1) % 16
            bench.initiator.add(write(adr, 0xa5a5_0000 + distance, gap=distance), read(adr))
            record = await bench.start()
            await bench.end()
            access = bench.initiator.log[-2]
            before.append(access.accepted < record.instant)
            assert record.counters["ARMED"] <= 4 + len(stall) + latency
    bench = run(config, [], script, latency=latency, stall=pauses.cycle(stall))
    assert results(bench) == ["done"] * 12
    assert True in before and False in before


def test_a_write_that_lands_late_across_the_instant():
    """In a memory where a read overtakes a write that was accepted before it."""
    config = params(memory_size=64)

    async def script(bench):
        await bench.ready()
        for distance in range(12):
            bench.initiator.add(write((5 * distance + 1) % 16, 0xa5a5_0000 + distance,
                                      gap=distance))
            await bench.start()
            await bench.end()
    bench = run(config, [], script, latency=pauses.cycle([20, 1, 1]), late=True)
    assert results(bench) == ["done"] * 12


@FORMS
def test_from_start_to_instant_in_four_clocks(pipelined):
    """P4, under traffic that the memory takes at once."""
    config = params(pipelined=pipelined, memory_size=64)

    async def script(bench):
        await bench.ready()
        for delay in range(8):
            await bench.clocks(delay)
            record = await bench.start(pin=bool(delay % 2))
            await bench.end()
            assert record.instant - record.requested <= 4 + 2 * (not pipelined) + 1
            assert record.counters["ARMED"] <= 4 + 2 * (not pipelined)
    run(config, sparse(config), script)


# 9 -------------------------------------------------------------------------------------------

@FORMS
def test_start_while_busy(pipelined):
    config = params(pipelined=pipelined)

    async def script(bench):
        await bench.ready()
        record = await bench.start()
        for _ in range(3):
            assert await bench.start() is None
            await bench.try_to_disturb()
        assert await bench.end() is record
    assert results(run(config, sparse(config), script, latency=4)) == ["done"]


@FORMS
@RELEASES
def test_cancel_at_each_clock(pipelined, release):
    config = params(pipelined=pipelined, release=release, memory_size=32)

    async def script(bench):
        await bench.ready()
        for delay in itertools.count(step=1 if release == "captured" else 3):
            await bench.clocks(5)
            await bench.start(ask=False)
            await bench.clocks(delay)
            await bench.cancel()
            await bench.end()
            await bench.ready()
            if bench.snapshots[-1].result == "done" and results(bench)[-3:] == ["done"] * 3:
                return
            assert delay < 400
    bench = run(config, sparse(config), script, latency=2)
    assert results(bench).count("cancelled") > 8
    for record in bench.snapshots:
        assert record.counters["cause"] == (4 if record.result == "cancelled" else 0)


def test_snapshots_without_a_reset_in_between():
    config = params()

    async def script(bench):
        await bench.ready()
        for number in range(4):
            await bench.start()
            await bench.end()
            if number % 2:
                await bench.clear()
    bench = run(config, sparse(config), script)
    assert results(bench) == ["done"] * 4


def test_the_copy_map_is_read_while_it_changes():
    config = params(memory_size=1024, shadow_base=1024)
    maps = []

    async def script(bench):
        await bench.ready()
        record = await bench.start()
        while not (await bench.status())["done"]:
            clock = bench.clock
            maps.append((clock, await bench.copy_map(), bench.clock))
        await bench.end()
        assert record.result == "done"
    bench = run(config, sparse(config), script, latency=2)
    assert len(maps) > 5
    for first, copied, last in maps:
        certain = {block for clock, block, _ in bench.copied if clock < first - 2}
        possible = {block for clock, block, _ in bench.copied if clock <= last}
        shown = {block for block, bit in enumerate(copied) if bit}
        assert certain <= shown <= possible


# 10 ------------------------------------------------------------------------------------------

@FORMS
@pytest.mark.parametrize("side, cause", [("memory", 1), ("shadow", 2)])
def test_an_error_is_not_success(pipelined, side, cause):
    """Each word of the memory, then of the shadow, is answered with an error once."""
    config = params(pipelined=pipelined, memory_size=64, shadow_base=64)
    base = word(config, config.shadow_base if side == "shadow" else config.memory_base)
    bad = [None]

    def rule(index, adr, we):
        return "err" if adr == bad[0] else None

    async def script(bench):
        await bench.ready()
        for at in range(0, 16, 3):
            bad[0] = base + at
            record = await bench.start()
            await bench.end()
            bad[0] = None
            assert (record.result, record.counters["cause"]) == ("failed", cause)
            assert record.fail_block == at // 4
            status = await bench.status()
            assert status["failed"] and not status["done"]
            await bench.ready()
            assert not any(await bench.copy_map())
        await bench.start()
        assert (await bench.end()).result == "done"
    run(config, [], script, errors=rule, latency=3)


@pytest.mark.parametrize("pipelined, side", [(True, "memory"), (False, "shadow")])
def test_errors_under_traffic_hang_nobody(pipelined, side):
    config = params(pipelined=pipelined)
    base = word(config, config.shadow_base if side == "shadow" else config.memory_base)

    async def script(bench):
        await bench.ready()
        for _ in range(4):
            await bench.start()
            await bench.end()
            await bench.ready()
    bench = run(config, sparse(config), script, errors=errors_at(addresses=[base + 37]), latency=4)
    assert results(bench) == ["failed"] * 4
    assert {record.fail_block for record in bench.snapshots} == {9}


@FORMS
def test_a_silent_memory_ends_the_snapshot(pipelined):
    config = params(pipelined=pipelined, timeout=100)

    async def script(bench):
        await bench.ready()
        for delay in (0, 1, 2, 3, 10, 40, 60):
            record = await bench.start(ask=False)
            await bench.clocks(delay)
            bench.memory.answering = False
            await bench.end(limit=600)
            bench.memory.answering = True
            assert (record.result, record.counters["cause"]) == ("failed", 3)
            await bench.ready()
            await bench.clocks(50)
    run(config, sparse(config), script, latency=3)


# 11 ------------------------------------------------------------------------------------------

def test_counters_are_latched_together():
    config = params(memory_size=2048, shadow_base=2048)
    names = ["DURATION", "BLOCKS_INITIAL", "BLOCKS_DEMAND", "BLOCKS_BACKGROUND", "HELD",
             "STALL_TOTAL"]

    async def script(bench):
        await bench.ready()
        record = await bench.start()
        seen = []
        for _ in range(5):
            await bench.clocks(30)
            await bench.write("CONTROL", latch=1)
            latched = bench.clock
            first = [await bench.read(name) for name in names]
            await bench.clocks(20)
            assert [await bench.read(name) for name in names] == first
            seen.append((latched, first))
        await bench.end()
        for latched, values in seen:
            at = record.instant + values[0]
            assert latched - 3 <= at <= latched + 1
            copied = sum(clock < at for clock, _, _ in bench.copied)
            assert abs(copied - sum(values[1:4])) <= 1
            held = sum(clock < at for clock, _ in bench.held)
            assert abs(held - values[5]) <= 1
    run(config, sparse(config), script, latency=4)


# 12, 16 --------------------------------------------------------------------------------------

@FORMS
@RELEASES
def test_reset_at_each_clock(pipelined, release):
    """A warm reset does not clear block RAM: after each one a whole snapshot must be right."""
    config = params(pipelined=pipelined, release=release, memory_size=32)

    async def script(bench):
        await bench.ready()
        for delay in itertools.count(step=1 if release == "captured" else 3):
            record = await bench.start(ask=False)
            await bench.clocks(delay)
            finished = (await bench.status())["done"] if delay > 20 else False
            await bench.reset()
            status = await bench.status()
            assert not (status["done"] or status["protected"] or status["active"])
            await bench.ready()
            await bench.clocks(3)
            if delay % 3 == 0:
                await bench.start()
                assert (await bench.end()).result == "done"
                await bench.reset(2)
                await bench.ready()
            if finished:
                return
            assert record.result == "reset"
            assert delay < 400
    bench = run(config, sparse(config), script)
    assert results(bench).count("reset") > 8


def test_reset_while_the_map_is_being_swept():
    config = params(memory_size=2048, shadow_base=2048)

    async def script(bench):
        await bench.ready()
        for delay in range(0, 12, 2):
            await bench.start(ask=False)
            await bench.clocks(60)
            await bench.reset()
            await bench.clocks(delay)
            await bench.reset()
            await bench.ready()
        await bench.start()
        assert (await bench.end()).result == "done"
    run(config, sparse(config), script)


# 13 ------------------------------------------------------------------------------------------

@FORMS
@pytest.mark.parametrize("we", [True, False])
def test_constant_traffic_does_not_stop_the_background(pipelined, we):
    """The initiator has a request in every single clock, and the unit is told not to give way."""
    config = params(pipelined=pipelined, share=16, memory_size=64)
    traffic = (write(at % 4, at) if we else read(at % 64) for at in itertools.count())
    bench = run(config, traffic, latency=2)
    assert results(bench) == ["done"]


@pytest.mark.parametrize("pipelined, release", [(True, "captured"), (True, "copied"),
                                                (False, "captured")])
def test_a_demand_storm(pipelined, release):
    """One byte in each block, as fast as can be, again and again."""
    config = params(pipelined=pipelined, release=release, memory_size=512, shadow_base=512)

    async def script(bench):
        await bench.ready()
        await bench.start(regions=[(0, 511)])
        await bench.end()
    bench = run(config, (write(29 * at % 32 * 4 + at % 4, at, 1 << at % 4)
                         for at in itertools.count()), script, latency=4)
    assert results(bench) == ["done"]
    longest = max(access.accepted - access.requested for access in bench.initiator.log
                  if access.accepted is not None)
    assert longest < 400


# 14 ------------------------------------------------------------------------------------------

@FORMS
def test_the_shadow_cannot_be_written_while_protected(pipelined):
    config = params(pipelined=pipelined)
    shadow = word(config, config.shadow_base)

    async def attempt(bench):
        probe = write(shadow + 5, 0xdead_beef)
        after = read(shadow + 5)
        bench.initiator.add(probe, after)
        while not bench.initiator.idle:
            await bench.clocks(1)
        return probe.response, after.data_r == 0xdead_beef

    async def script(bench):
        await bench.ready()
        assert await attempt(bench) == ("ack", True)
        await bench.start()
        assert (await attempt(bench))[0] == "err"
        await bench.end()
        assert (await bench.status())["protected"]
        assert await attempt(bench) == ("err", False)
        await bench.clear()
        assert not (await bench.status())["protected"]
        assert await attempt(bench) == ("ack", True)
    assert results(run(config, [], script, latency=3)) == ["done"]


@FORMS
def test_refusals_in_the_middle_of_traffic(pipelined):
    """Refused writes among others that are in flight: the answers stay in order."""
    config = params(pipelined=pipelined)
    shadow = word(config, config.shadow_base)
    rng = random.Random(SEED)

    def traffic():
        for access in sparse(config):
            if rng.random() < 0.3:
                access = write(shadow + rng.randrange(64), 0xbad)
            yield access
    bench = run(config, traffic(), latency=6)
    assert sum(access.response == "err" for access in bench.initiator.log) > 5


# Configuration -------------------------------------------------------------------------------

@pytest.mark.parametrize("region, refusal", [
    ((64, 63), 2), ((0, 256), 3), ((256, 300), 3), ((0xfff, 0xfff), 3),
])
def test_a_bad_region_is_refused(region, refusal):
    config = params()

    async def script(bench):
        await bench.ready()
        await bench.start()
        await bench.end()
        await bench.set_regions([(0, 15), region])
        assert await bench.start() is None
        status = await bench.status()
        assert status["refused"] and status["done"] and status["protected"]
        assert (await bench.fields("CAUSE"))["refusal"] == refusal
        await bench.clocks(50)
        assert await bench.start(pin=True, regions=[(0, 15)]) is not None
        assert (await bench.end()).counters["BLOCKS_INITIAL"] == 1
    run(config, [], script)


def test_regions_are_copied_first():
    config = params(regions=4)

    async def script(bench):
        await bench.ready()
        await bench.start(regions=[(200, 230), (16, 16), (100, 120)])
        await bench.end()
    bench = run(config, [], script)
    order = [block for _, block, _ in bench.copied]
    assert order[:6] == [12, 13, 14, 1, 6, 7]
    assert [kind for _, _, kind in bench.copied] == [1] * 6 + [2] * 10


def test_the_interrupt_tells_the_end():
    config = params()

    async def script(bench):
        await bench.ready()
        await bench.write("IRQ_ENABLE", ended=1)
        await bench.start()
        assert not bench.sample(bench.unit.irq)
        await bench.end()
        assert bench.sample(bench.unit.irq)
        await bench.write("IRQ_STATUS", ended=1)
        await bench.clocks(1)
        assert not bench.sample(bench.unit.irq)
        await bench.write("IRQ_TEST", ended=1)
        await bench.clocks(1)
        assert bench.sample(bench.unit.irq)
    run(config, [], script)


def test_reads_and_copied_blocks_are_never_held():
    """P1: in an idle unit and in blocks that are copied no clock is added, at one beat a clock."""
    config = params(share=0)

    async def script(bench):
        await bench.ready()
        await bench.start(regions=[(0, 63)])
        await bench.clocks(100)
        bench.initiator.add(*(write(at % 16, at) for at in range(48)),
                            *(read(at) for at in range(48)))
        await bench.end()
    bench = run(config, [write(at, at) for at in range(32)], script)
    waits = [access.accepted - access.requested for access in bench.initiator.log]
    assert sum(waits[:32]) == 0
    assert sum(waits[32:]) <= 3


@pytest.mark.parametrize("pipelined, data_width, block_size", [
    (True, 8, 16), (False, 8, 16), (True, 64, 512), (False, 64, 16), (True, 16, 128)])
def test_widths_and_block_sizes(pipelined, data_width, block_size):
    config = params(pipelined=pipelined, data_width=data_width, block_size=block_size,
                    memory_size=block_size * (1 + 64 // block_size), shadow_base=512)
    assert results(run(config, sparse(config), latency=2)) == ["done"]


def test_a_block_of_one_beat():
    config = params(block_size=4)
    assert results(run(config, sparse(config), latency=5)) == ["done"]
