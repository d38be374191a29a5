"""The unit with its copy map in the memory: in its own image, protected, and cached on chip."""

import itertools
import random

import pytest
from memsnap.control import Cause
from memsnap.regs.fields import State
from memsnap_sim.kit import Bench, burst, errors_at, pauses, read, write
from test_unit_directed import FORMS, RELEASES, results, run, sparse
from test_unit_directed import params as on_chip

INITIAL, BACKGROUND = 1, 2


def params(**options):
    """96 blocks of 2 words, the map's 3 rows in two of them, and the shadow behind."""
    return on_chip(**{"map": "memory", "memory_size": 768, "shadow_base": 1024, "addr_width": 13,
                      "block_size": 8, "map_cache": 2, **options})


def small(**options):
    """16 blocks of 2 words, the map in one of them."""
    return params(**{"memory_size": 128, "shadow_base": 128, **options})


def rows_of(config, image, base=None):
    """The rows of the map in an image of the memory, or of the shadow from ``base`` on."""
    at = config.map_base if base is None else base + config.map_base - config.memory_base
    return [int.from_bytes(image[at + 4 * row:at + 4 * row + 4], "little")
            for row in range(config.map_rows)]


async def three_snapshots(bench):
    """Without a reset in between, the second with regions, the third after a clear."""
    await bench.ready()
    await bench.start()
    await bench.end()
    first = bench.params.memory_base
    await bench.start(regions=[(first, first + bench.params.block_size - 1)])
    await bench.end()
    await bench.clear()
    await bench.clocks(20)
    await bench.start(regions=[])
    await bench.end()


async def two_snapshots(bench):
    await bench.ready()
    for _ in range(2):
        await bench.start()
        await bench.end()


# Exact ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("options, latency", [
    ({}, 1),
    ({"data_width": 64}, 9),
    ({"data_width": 64, "pipelined": False, "memory_size": 400}, 2),
    ({"pipelined": False}, 3),
    ({"release": "copied"}, 4),
    ({"release": "copied", "pipelined": False, "map_base": 0}, 1),
    ({"block_size": 4}, 2),
    ({"block_size": 8, "data_width": 64, "map_base": 0x200}, 5),
    ({"block_size": 256, "buffer_depth": 16, "map_base": 0x100}, 16),
    ({"memory_size": 0x308, "memory_base": 0x800, "shadow_base": 0}, 2),
    ({"memory_size": 8, "shadow_base": 8, "block_size": 4}, 1),
    ({"ports": 2}, 3),
    ({"ports": 4, "pipelined": False, "jobs": 5, "block_size": 4, "memory_size": 272}, 2),
    ({"shadow": "separate"}, 4),
    ({"shadow": "separate", "ports": 3, "data_width": 64, "release": "copied"}, 6),
    ({"shadow": "separate", "pipelined": False, "shadow_base": 0}, 1),
    ({"jobs": 2, "block_size": 4, "memory_size": 400}, 8),
    ({"features": ("cti", "bte"), "pipelined": False}, 2),
], ids=lambda value: "-".join(str(each) for each in value.values())
    if isinstance(value, dict) else str(value))
def test_exact(options, latency):
    config = params(**options)
    others = [sparse(config, seed=port) for port in range(1, config.ports)]
    bench = run(config, sparse(config), two_snapshots, others=others, latency=latency)
    assert results(bench) == ["done"] * 2


@FORMS
@RELEASES
def test_stalls_and_latencies_of_all_kinds(pipelined, release):
    config = params(pipelined=pipelined, release=release, buffer_depth=8, max_in_flight=4,
                    block_size=4, memory_size=272)
    rng = pauses.generators("map")
    bench = run(config, sparse(config), two_snapshots, max_in_flight=32,
                latency=pauses.uniform(rng("latency"), 1, 20),
                stall=pauses.bursty(rng("stall"), 12, 4))
    assert results(bench) == ["done"] * 2


def test_the_maps_blocks_come_first_and_show_it_as_it_was():
    """The first image shows the map just swept, the next one the map just filled."""
    config = params(block_size=4, memory_size=400)
    images = []

    async def script(bench):
        await bench.ready()
        for _ in range(2):
            before = bench.memory.image
            await bench.start(regions=[(0, 15)])
            await bench.end()
            after = bench.memory.image
            images.append([rows_of(config, before), rows_of(config, after, config.shadow_base),
                           rows_of(config, after)])

    bench = run(config, sparse(config), script, latency=3)
    zeros, ones = [0] * config.map_rows, [0xffffffff] * 3 + [0xf]
    assert images == [[zeros, zeros, ones], [ones, ones, zeros]]
    own = list(range(config.map_first_block, config.map_first_block + config.map_blocks))
    for record in bench.snapshots:
        marked = [(block, kind) for clock, block, kind in bench.copied
                  if record.instant <= clock <= record.ended]
        assert [block for block, _ in marked[:len(own)]] == own
        assert {kind for _, kind in marked[:len(own)]} == {INITIAL}
        # The region's blocks come next, but for those that a write wanted before
        region = [kind for block, kind in marked if block < 4]
        assert len(region) == 4 and BACKGROUND not in region
        assert region.count(INITIAL) >= 2
        assert record.counters["BLOCKS_INITIAL"] == len(own) + region.count(INITIAL)


@FORMS
def test_rows_are_written_not_bits(pipelined):
    """Once a row, and once more for the map's own blocks, whose bits come first; blocks on either
    side of the edge between two rows may be marked in turn."""
    config = params(pipelined=pipelined, memory_size=1536, shadow_base=2048)
    bench = run(config, (), two_snapshots, latency=3)
    first = config.map_base // 4
    for record in bench.snapshots:
        written = [entry.adr - first for entry in bench.memory.log
                   if entry.we and first <= entry.adr < first + config.map_rows
                   and record.instant <= entry.clock <= record.ended]
        assert set(written) == set(range(config.map_rows)) and config.map_rows == 6
        assert len(written) < config.blocks // 8


@pytest.mark.parametrize("base", [0, 0x118, None])
def test_a_region_may_hold_the_map(base):
    config = params(map_base=base)

    async def script(bench):
        await bench.ready()
        await bench.start(regions=[(0, config.memory_size - 1)])
        await bench.end()

    bench = run(config, sparse(config), script)
    assert bench.snapshots[0].counters["BLOCKS_BACKGROUND"] == 0


@pytest.mark.parametrize("region", [True, False])
def test_none_of_the_maps_blocks_is_copied_twice(region):
    """Other blocks are claimed while the map's are on their way to the shadow and into the map. The
    region, or the background copy, begins with the map's and goes on with block 8."""
    config = params(block_size=4, memory_size=1024, shadow_base=1024, map_base=0)
    assert config.map_blocks == 8

    async def script(bench):
        await bench.ready()
        await bench.start(regions=[(0, 63)] if region else [])
        await bench.end()

    bench = run(config, sparse(config), script)
    marked = [block for _, block, _ in bench.copied]
    assert sorted(marked) == list(range(config.blocks)) and marked[:8] == list(range(8))
    claimed = [entry for entry in bench.memory.log if entry.we and entry.adr == 256 + 8]
    own_set = next(clock for clock, block, _ in bench.copied if block == 7)
    assert claimed[0].clock < own_set, "another block is copied meanwhile"


@pytest.mark.parametrize("jobs, release", [(3, "captured"), (8, "copied")])
def test_writes_go_on_while_the_map_is_being_copied(jobs, release):
    """A storm on all blocks, before any bit may be set: jobs run out, the map's do not."""
    config = params(block_size=4, jobs=jobs, release=release, ports=2)
    beats = config.memory_size // 4

    def storm(step):
        return (write(step * at % beats, at) for at in itertools.count())

    bench = run(config, storm(29), others=[storm(31)], latency=6)
    assert results(bench) == ["done"]


@pytest.mark.parametrize("jobs, share", [(4, 16), (2, 1)])
def test_rows_that_share_a_line_do_not_keep_each_other_away(jobs, share):
    """Held writes to blocks of one row, without a pause, while all else needs another row of the
    same line: neither the map's own blocks nor the background copy may starve."""
    config = params(block_size=4, memory_size=400, shadow_base=512, map_base=256, jobs=jobs,
                    share=share)
    bench = run(config, (write(7 * at % 32, at) for at in itertools.count()), three_snapshots,
                latency=2)
    assert results(bench) == ["done"] * 3


# Protected -----------------------------------------------------------------------------------

@FORMS
@pytest.mark.parametrize("ports", [1, 2])
def test_initiators_cannot_write_the_map(pipelined, ports):
    """At no time: before a snapshot, while it runs, while its image is kept, and after that."""
    config = params(pipelined=pipelined, ports=ports)
    first, last = config.map_base // 4, config.map_base // 4 + config.map_blocks * 2 - 1
    responses, reads = [], []

    async def attempt(bench):
        for initiator in bench.initiators:
            accesses = [write(first, 0x5a5a5a5a), read(first), write(last, 1, 1), read(last)]
            initiator.add(*accesses)
            for _ in range(200):
                await bench.clocks(1)
                if accesses[-1].response is not None:
                    break
            responses.append([access.response for access in accesses])
            reads.append(accesses[1].data_r)

    async def script(bench):
        await bench.ready()
        await attempt(bench)
        await bench.start()
        await attempt(bench)
        await bench.end()
        await attempt(bench)
        await bench.clear()
        await attempt(bench)

    bench = run(config, (), script, latency=2)
    assert responses == [["err", "ack", "err", "ack"]] * 4 * ports
    assert reads[0] == 0 and reads[-1] == 0xffffffff      # the bits, as they are inside
    assert results(bench) == ["done"]


@FORMS
def test_neighbours_of_the_map_can_be_written(pipelined):
    config = params(pipelined=pipelined, map_base=0x110)
    below, above = 0x10c // 4, (0x110 + 8 * config.map_blocks) // 4
    accesses = [write(below, 1), write(above, 2), read(below), read(above)]

    async def script(bench):
        await bench.ready()
        await bench.start()
        bench.initiator.add(*accesses)
        await bench.end()

    run(config, (), script)
    assert [access.response for access in accesses] == ["ack"] * 4


def test_a_refused_write_and_reads_in_flight_stay_in_order():
    config = params()
    place = config.map_base // 4

    def mixed():
        rng = random.Random(7)
        while True:
            adr = rng.choice([place, place + 1, place - 1, 3, 100])
            # Not what the unit itself may write into a row
            yield (write(adr, 0x9e3779b9, gap=rng.choice([0, 0, 2])) if rng.random() < 0.5
                   else read(adr))

    bench = run(config, mixed(), three_snapshots, latency=5, max_in_flight=16)
    assert {access.response for access in bench.initiator.log
            if access.we and access.adr in (place, place + 1)} == {"err"}


# Ends ----------------------------------------------------------------------------------------

@FORMS
@RELEASES
def test_cancel_at_many_clocks(pipelined, release):
    config = small(pipelined=pipelined, release=release)

    async def script(bench):
        await bench.ready()
        for delay in [*range(8), *range(8, 160, 13)]:
            await bench.start(ask=False)
            await bench.clocks(delay)
            await bench.cancel()
            await bench.end()
            await bench.ready()
        await bench.start()
        await bench.end()

    bench = run(config, sparse(config), script, latency=2)
    assert results(bench).count("cancelled") > 8


@FORMS
def test_reset_at_many_clocks(pipelined):
    config = small(pipelined=pipelined)

    async def script(bench):
        await bench.ready()
        for delay in range(0, 180, 9):
            record = await bench.start(ask=False)
            await bench.clocks(delay)
            await bench.reset()
            await bench.clocks(delay % 4)
            if delay % 2:
                await bench.reset()               # while the map is being swept
            assert record.result == "reset"
            await bench.ready()
        await bench.start()
        await bench.end()

    bench = run(config, sparse(config), script, latency=2)
    assert results(bench)[-1] == "done"


def errors_of_the_map(config, *, we, least=0):
    """A rule and a switch: while on, accesses of the map's rows fail, once."""
    state = {"on": False}
    first = config.map_base // config.beat_bytes
    rows = range(first + least, first + config.map_blocks * config.block_beats)

    def rule(index, adr, is_write):
        if state["on"] and bool(is_write) == we and adr in rows:
            state["on"] = False
            return "err"
        return None
    return rule, state


@FORMS
@pytest.mark.parametrize("we, cause", [(True, Cause.WRITE_ERROR), (False, Cause.READ_ERROR)])
@pytest.mark.parametrize("after", [0, 80, 200])
def test_a_bus_error_on_a_row_fails_the_snapshot(pipelined, we, cause, after):
    config = params(pipelined=pipelined)
    rule, state = errors_of_the_map(config, we=we)

    async def script(bench):
        await bench.ready()
        await bench.start()
        await bench.clocks(after)
        state["on"] = True
        await bench.end()
        assert not state["on"], "no access met the error"
        status = await bench.status()
        assert status["failed"] and not status["done"]
        await bench.ready()
        assert not any(await bench.copy_map())
        await bench.start()
        await bench.end()

    bench = run(config, sparse(config), script, errors=rule, latency=3)
    record = bench.snapshots[0]
    assert results(bench) == ["failed", "done"]
    assert Cause(record.counters["cause"]) is cause
    assert record.fail_block in range(config.map_first_block,
                                      config.map_first_block + config.map_blocks)


@FORMS
@pytest.mark.parametrize("marked", [2, 40, 96])
def test_a_bus_error_on_a_row_that_is_written_late(pipelined, marked):
    """The last one is written when all blocks are marked already."""
    config = params(pipelined=pipelined)
    first = config.map_base // 4
    benches, failed = [], []

    def rule(index, adr, we):
        if (we and first <= adr < first + config.map_rows and benches and not failed
                and len(benches[0].copied) >= marked):
            failed.append((adr, len(benches[0].copied)))
            return "err"
        return None

    async def script(bench):
        benches.append(bench)
        for _ in range(2):
            await bench.ready()
            await bench.start()
            await bench.end()

    bench = run(config, (), script, errors=rule, latency=3)
    record, (adr, copied) = bench.snapshots[0], failed[0]
    assert results(bench) == ["failed", "done"]
    assert Cause(record.counters["cause"]) is Cause.WRITE_ERROR
    assert record.fail_block == config.map_first_block + (adr - first) * 4 // config.block_size
    assert marked < 96 or copied == config.blocks


@FORMS
def test_a_bus_error_on_the_shadow_beside_the_map(pipelined):
    config = params(pipelined=pipelined)
    bad = config.shadow_base // 4 + 133
    bench = run(config, sparse(config), errors=errors_at(addresses=[bad]), latency=2)
    assert results(bench) == ["failed"]
    assert bench.snapshots[0].fail_block == 133 // 2


def test_a_sweep_that_fails_is_told_and_repeated_by_a_clear():
    config = params()
    rule, state = errors_of_the_map(config, we=True, least=2)
    state["on"] = True

    async def script(bench):
        await bench.clocks(100)
        status = await bench.status()
        assert status["failed"] and not status["ready"] and status["state"] == State.CLEARING
        assert Cause((await bench.fields("CAUSE"))["cause"]) is Cause.WRITE_ERROR
        assert await bench.read("FAIL_BLOCK") == config.map_first_block + 1
        assert await bench.start() is None                    # refused
        await bench.clear()
        await bench.clocks(100)
        status = await bench.status()
        assert status["ready"] and not status["failed"]
        await bench.start()
        await bench.end()

    assert results(run(config, (), script, errors=rule)) == ["done"]


@FORMS
@pytest.mark.parametrize("after", [5, 80, 200])
def test_a_silent_memory_ends_the_snapshot(pipelined, after):
    """That it takes a request is a sign of life, too: so it may for as long as there is room."""
    config = params(pipelined=pipelined, timeout=100)
    room = config.max_in_flight if pipelined else 1
    limit = room * (config.share + 1) + config.timeout + 100

    async def script(bench):
        await bench.ready()
        await bench.start()
        await bench.clocks(after)
        bench.memory.answering = False
        await bench.end(limit=limit)
        bench.memory.answering = True
        await bench.ready()
        await bench.start()
        await bench.end()

    bench = run(config, sparse(config), script, latency=4)
    assert results(bench) == ["failed", "done"]
    assert Cause(bench.snapshots[0].counters["cause"]) is Cause.TIMEOUT


def test_bursts_are_not_broken_by_accesses_of_rows():
    """The window on the map reads rows while an image is kept and initiators have bursts."""
    config = params(pipelined=False, features={"cti", "bte"})

    def bursts():
        for number in itertools.count():
            we = number % 2
            yield from burst((write(8 * number % 160 + beat, number) if we else
                              read(8 * number % 160 + beat)) for beat in range(8))

    async def script(bench):
        await bench.ready()
        for _ in range(2):
            await bench.start()
            await bench.end()
            for _ in range(3):
                assert all(await bench.copy_map())
        await bench.clear()
        await bench.copy_map()
        await bench.reset()
        await bench.ready()

    assert results(run(config, bursts(), script, bursts=True, latency=2)) == ["done"] * 2


@pytest.mark.parametrize("delay", range(4))
def test_a_sweep_waits_for_the_end_of_a_burst(delay):
    """A snapshot is cancelled before its instant, while a beat waits for the memory's answer."""
    config = params(pipelined=False, features={"cti"})

    async def script(bench):
        await bench.ready()
        bench.memory.latency = lambda: 25
        bench.initiator.add(*burst(write(8 + beat, beat) for beat in range(8)))
        await bench.clocks(5 + delay)
        await bench.start(ask=False)
        await bench.cancel()
        await bench.end()
        await bench.ready()

    assert results(run(config, (), script, bursts=True)) == ["cancelled"]


# Registers, sizes ----------------------------------------------------------------------------

@pytest.mark.parametrize("kind", ["chip", "memory"])
def test_the_registers_tell_where_it_is(kind):
    config = params() if kind == "memory" else on_chip()

    async def script(bench):
        caps, base = await bench.fields("CAPS0"), await bench.read("MAP_BASE_LO")
        assert (caps["map_kind"], base) == ((1, config.map_base) if kind == "memory" else (0, 0))
        await bench.ready()

    run(config, (), script)


def test_the_map_is_read_while_it_changes():
    config = params()
    maps = []

    async def script(bench):
        await bench.ready()
        await bench.start()
        while not (await bench.status())["done"]:
            clock = bench.clock
            maps.append((clock, await bench.copy_map(), bench.clock))
        await bench.end()

    bench = run(config, sparse(config), script, latency=2)
    assert len(maps) > 3
    for first, copied, last in maps:
        certain = {block for clock, block, _ in bench.copied if clock < first - 2}
        possible = {block for clock, block, _ in bench.copied if clock <= last}
        assert certain <= {block for block, bit in enumerate(copied) if bit} <= possible


class Sparse(dict):
    """The words of a memory of any size: those never written are their own address."""

    def __init__(self, words):
        self._words = words

    def __len__(self):
        return self._words

    def __missing__(self, adr):
        return adr


@pytest.mark.long
def test_one_gibibyte():
    """Pages of 4 KiB: a map of 262144 bits, in 8 of them. The snapshot is cancelled after some
    held writes all over the memory: all of it would take 2**29 clocks."""
    config = params(memory_base=0x4000_0000, memory_size=1 << 30, shadow_base=0x8000_0000,
                    addr_width=32, block_size=4096, buffer_depth=32, jobs=8, map_cache=16)
    base, words = config.memory_base // 4, 1 << 28
    rng = random.Random(4)
    places = [rng.randrange(words - 16384) for _ in range(3)]
    writes = [write(base + place, 0xdead0000 + at, gap=20) for at, place in enumerate(places)]

    async def script(bench):
        await bench.ready()
        swept = bench.clock
        assert config.map_rows <= swept < config.map_rows + 100
        await bench.start(ask=False)
        await bench.clocks(40)
        bench.initiator.add(*writes)
        while len(bench.copied) < config.map_blocks + 2:
            await bench.clocks(50)
        for block in {block for _, block, _ in bench.copied}:
            await bench.write("MAP_INDEX", block // 32)
            assert await bench.read("MAP_DATA") >> block % 32 & 1
            for beat in range(0, 1024, 41):
                shadow = bench.memory.words[config.shadow_base // 4 + 1024 * block + beat]
                own = block >= config.map_first_block
                assert shadow == (0 if own else base + 1024 * block + beat)
        await bench.cancel()
        await bench.until(bench.clock + 100)
        status = await bench.status()
        assert status["cancelled"] and not status["done"] and not status["ready"]

    bench = Bench(config, image=b"", latency=4)
    bench.memory.words = Sparse(1 << 30)
    bench._judge = lambda: None          # it keeps every word in a list
    bench.run(script)
    assert not bench.violations
    assert {block for _, block, _ in bench.copied} >= {place // 1024 for place in places[:1]}
    late = max(access.accepted - access.requested for access in writes)
    assert late <= 2 * 4 + 13            # a row and a beat
    assert [bench.memory.words[access.adr] for access in writes] == [
        access.data for access in writes]


