"""The unit with several initiators: one instant for all, and nobody held up by another's hold."""

import itertools

import pytest
from memsnap_sim.kit import Bench, read, write
from test_unit_directed import FORMS, RELEASES, one_snapshot, params, results, run, sparse

PORTS = pytest.mark.parametrize("ports", [2, 3, 4])


def writes_without_end(beats):
    """A write in every clock, to the same few words."""
    for at in itertools.count():
        yield write(at % beats, at)


@PORTS
@FORMS
@RELEASES
def test_traffic_on_all_ports(ports, pipelined, release):
    config = params(ports=ports, pipelined=pipelined, release=release)
    bench = run(config, sparse(config, 1), others=[sparse(config, 2 + at) for at in range(ports)],
                latency=2)
    assert results(bench) == ["done"]
    assert all(len(initiator.log) > 20 for initiator in bench.initiators)


@PORTS
def test_the_instant_comes_under_writes_in_every_clock(ports):
    """Each port has a write at hand in each clock, one of which always waits for another's."""
    config = params(ports=ports)

    async def script(bench):
        await bench.ready()
        await bench.clocks(40)
        record = await bench.start()
        await bench.end()
        assert record.counters["ARMED"] <= 4

    bench = run(config, writes_without_end(64), script,
                others=[writes_without_end(64) for _ in range(1, ports)])
    assert results(bench) == ["done"]


@FORMS
@pytest.mark.parametrize("offset", range(4))
def test_two_writes_in_the_clock_of_the_instant(pipelined, offset):
    """Both ports write at the same time, in every clock around the instant."""
    config = params(ports=2, pipelined=pipelined)

    async def script(bench):
        await bench.ready()
        await bench.clocks(10 + offset)
        for at, initiator in enumerate(bench.initiators):
            initiator.add(*(write(32 * at + place, 0x11 * (1 + at)) for place in range(24)))
        await bench.start(pin=True)
        await bench.end()

    bench = run(config, (), script)
    assert results(bench) == ["done"]
    held = [ports for _, ports in bench.held]
    assert 3 in held, "both ports are held at once"


@FORMS
def test_a_held_write_holds_up_nobody_else(pipelined):
    """While one port's write waits for a slow demand copy, the other reads and writes as before."""
    config = params(ports=2, pipelined=pipelined, block_size=64, share=0, release="copied",
                    memory_size=512, shadow_base=512)
    latency = 8

    async def script(bench):
        first, second = bench.initiators
        await bench.ready()
        await bench.start(regions=[(0, 63)])
        while not bench.copied:
            await bench.clocks(1)
        held = write(64, 1)                     # block 4, which is not copied
        first.add(held)
        second.add(write(0, 1))                 # brings the row with block 0
        await bench.clocks(2 * latency)
        others = [access for at in range(6) for access in (read(100 + at), write(at, at))]
        second.add(*others)
        await bench.end()
        during = [access for access in others if held.requested < access.accepted < held.accepted]
        assert len(during) >= 4
        # Each waits for the memory alone: for its port, and for what comes before it
        limit = 3 if pipelined else 4 * latency + 8
        waits = [access.accepted - access.requested for access in during]
        assert max(waits) <= limit, waits

    assert results(run(config, (), script, latency=latency)) == ["done"]


@RELEASES
def test_both_ports_wait_for_one_block(release):
    """Two held writes to the same block are both released, and neither before the block is safe."""
    config = params(ports=2, block_size=64, release=release)

    async def script(bench):
        await bench.ready()
        await bench.start()
        for at, initiator in enumerate(bench.initiators):
            initiator.add(*(write(48 + (5 * place + 3 * at) % 16, place) for place in range(12)))
        await bench.end()

    assert results(run(config, (), script, latency=4)) == ["done"]


@PORTS
def test_no_port_starves(ports):
    """All ports write in every clock; none gets less than its share, during a snapshot or not."""
    config = params(ports=ports, memory_size=1024, shadow_base=1024)
    bench = Bench(config, traffic=writes_without_end(256),
                  others=[writes_without_end(256) for _ in range(1, ports)])

    async def script(bench):
        await one_snapshot(bench)
        await bench.clocks(300)

    bench.run(script).check()
    counts = [sum(access.accepted is not None for access in initiator.log)
              for initiator in bench.initiators]
    assert min(counts) > 0.8 * max(counts)


def test_a_locked_sequence_is_not_interrupted():
    """Between a locked read and the write that belongs to it no other port writes the word."""
    config = params(ports=2, features={"lock"})

    def counting(port):
        for at in range(60):
            yield read(7, lock=True)
            yield write(7, port << 8 | at, lock=True)
            yield read(100 + at % 20, drop=True, gap=2)

    bench = run(config, counting(1), others=[counting(2)])
    log = [entry for entry in bench.memory.log if entry.adr == 7 and entry.clock]
    owners = {access.accepted: port for port, initiator in enumerate(bench.initiators)
              for access in initiator.log if access.adr == 7}
    own = [(owners[entry.clock], entry.we) for entry in log if entry.clock in owners]
    pairs = [(before, after) for before, after in itertools.pairwise(own) if not before[1]]
    assert len(pairs) > 50
    assert all(after == (before[0], True) for before, after in pairs)
