"""The unit with a shadow of its own: its memory may be slow, silent or wrong."""

import pytest
from memsnap_sim.kit import Bench, errors_at, pauses, read, write
from test_unit_directed import FORMS, RELEASES, params, results, run, sparse


def separate(**options):
    return params(shadow="separate", **options)


@FORMS
@RELEASES
@pytest.mark.parametrize("latency, shadow_latency", [(1, 1), (1, 12), (12, 1), (5, 5)])
def test_latencies(pipelined, release, latency, shadow_latency):
    config = separate(pipelined=pipelined, release=release)
    bench = run(config, sparse(config), latency=latency, shadow={"latency": shadow_latency})
    assert results(bench) == ["done"]


def test_the_bases_may_be_the_same():
    config = separate(memory_base=0x100, shadow_base=0x100)
    bench = run(config, sparse(config))
    assert results(bench) == ["done"]


def test_initiators_reach_what_lies_at_the_shadows_address():
    """Behind the memory's port the shadow's address is like any other, and is not protected."""
    config = separate(memory_size=128, memory_base=0, shadow_base=128)
    accesses = [write(40, 0x1234), read(40)]

    async def script(bench):
        await bench.ready()
        await bench.start()
        bench.initiator.add(*accesses)
        await bench.end()

    run(config, (), script, margin=128)
    assert [access.response for access in accesses] == ["ack", "ack"]
    assert accesses[1].data_r == 0x1234


@FORMS
def test_copy_rate_is_not_halved(pipelined):
    """Reads and writes go on at the same time."""
    config = separate(pipelined=pipelined, memory_size=2048, shadow_base=2048, block_size=64)
    bench = run(config, ())
    clocks = bench.snapshots[0].counters["DURATION"]
    beats = config.memory_size // config.beat_bytes
    assert clocks < (1.1 if pipelined else 2.3) * beats


def test_a_slow_shadow_slows_the_initiator_only_when_the_buffer_is_full():
    """Single writes wait as long as with a quick shadow, until the buffer has no slot left."""
    waits = {}
    for name, stall in ("quick", pauses.never), ("slow", lambda: 1):
        config = separate(memory_size=4096, shadow_base=4096, addr_width=13, block_size=256,
                          buffer_depth=64, share=0)
        accesses = [write(64 * at + 7, 1, gap=20) for at in range(2, 12)]

        async def script(bench, accesses=accesses):
            await bench.ready()
            await bench.start()
            bench.initiator.add(*accesses[:2])
            await bench.clocks(90)
            bench.shadow.stall = pauses.never
            await bench.end()

        run(config, (), script, latency=2, shadow={"stall": stall})
        waits[name] = [access.accepted - access.requested for access in accesses[:2]]
    assert max(waits["slow"]) <= max(waits["quick"])


@FORMS
@pytest.mark.parametrize("response", ["err", "rty"])
def test_an_error_of_the_shadow(pipelined, response):
    config = separate(pipelined=pipelined, features={"rty"})
    place = config.shadow_base // 4 + 21
    bench = run(config, sparse(config), shadow={
        "errors": errors_at(addresses=[place], response=response)})
    assert results(bench) == ["failed"]
    record = bench.snapshots[0]
    assert (record.counters["cause"], record.fail_block) == (2, 21 // 4)


@FORMS
@pytest.mark.parametrize("after", [10, 50, 80])
def test_a_silent_shadow(pipelined, after):
    """The snapshot fails; initiators go on, and the memory's answers are all theirs."""
    config = separate(pipelined=pipelined, timeout=150)

    async def script(bench):
        await bench.ready()
        await bench.start()
        await bench.clocks(after)
        bench.shadow.answering = False
        await bench.end()
        bench.shadow.answering = True
        await bench.ready()
        await bench.start()
        await bench.end()

    bench = run(config, sparse(config), script, latency=3, shadow={"latency": 4})
    assert results(bench) == ["failed", "done"]
    assert bench.snapshots[0].counters["cause"] == 3
    assert all(access.response in ("ack", None) for access in bench.initiator.log)


def test_a_silent_memory_beside_a_shadow():
    config = separate(timeout=100)

    async def script(bench):
        await bench.ready()
        await bench.start()
        await bench.clocks(40)
        bench.memory.answering = False
        await bench.end()
        bench.memory.answering = True
        await bench.ready()
        await bench.start()
        await bench.end()

    bench = Bench(config, traffic=sparse(config), latency=3, shadow={"latency": 6}).run(script)
    assert results(bench.check()) == ["failed", "done"]
