"""The control surface on the whole unit: limits, failures, pace, protection, ungated masters."""

import pytest
from memsnap.control import Cause, Refusal
from memsnap_sim.kit import Bench, errors_at, read, write
from test_unit_directed import FORMS, RELEASES, params, results, run, sparse

BREAK, FAIL_WRITE = 0, 1


def cause(bench, at=0):
    return Cause(bench.snapshots[at].counters["cause"])


def fails(times, address, *, writes=False):
    """The first accesses to a word fail."""
    left = [times]

    def rule(index, adr, we):
        if adr == address and we == writes and left[0]:
            left[0] -= 1
            return "err"
        return None
    return rule


# Limits --------------------------------------------------------------------------------------

@FORMS
def test_deadline(pipelined):
    config = params(pipelined=pipelined)

    async def script(bench):
        await bench.ready()
        await bench.write("DEADLINE", 60)
        await bench.start()
        await bench.end()
        await bench.ready()
        await bench.write("DEADLINE", 0)
        await bench.start()
        await bench.end()

    bench = run(config, sparse(config), script, latency=2)
    assert results(bench) == ["failed", "done"] and cause(bench) is Cause.DEADLINE
    assert 60 <= bench.snapshots[0].counters["DURATION"] <= 62


def held_for_long(config, policy, **options):
    """A write to the second block, whose copy takes longer than the limit allows."""
    held = write(24, 0x1234)

    async def script(bench):
        await bench.ready()
        if policy:
            await bench.set_policy(failure=policy)
        await bench.write("HOLD_LIMIT", 30)
        await bench.start()
        await bench.clocks(8)
        bench.memory.answering = False
        bench.initiator.add(held, read(24))
        await bench.clocks(120)
        bench.memory.answering = True
        await bench.end()

    return held, run(config, (), script, latency=2, **options)


@FORMS
@RELEASES
def test_hold_limit_breaks_the_snapshot(pipelined, release):
    held, bench = held_for_long(params(pipelined=pipelined, release=release), BREAK)
    assert results(bench) == ["failed"] and cause(bench) is Cause.HOLD_LIMIT
    assert held.response == "ack" and bench.memory.words[24] == 0x1234


@FORMS
def test_hold_limit_fails_the_write(pipelined):
    config = params(pipelined=pipelined, release="copied", retry=True)
    held, bench = held_for_long(config, FAIL_WRITE)
    assert results(bench) == ["done"]
    assert held.response == "err" and bench.initiator.log[1].data_r != 0x1234


# Retries -------------------------------------------------------------------------------------

@FORMS
@RELEASES
@pytest.mark.parametrize("side", ["read", "write"])
@pytest.mark.parametrize("times", [1, 3])
def test_a_failure_that_passes_is_repeated(pipelined, release, side, times):
    config = params(pipelined=pipelined, release=release, retry=True)
    writes = side == "write"
    word = (config.shadow_base if writes else 0) // 4 + 21

    async def script(bench):
        await bench.ready()
        await bench.set_policy(retries=3)
        await bench.start()
        await bench.end()

    bench = run(config, (), script, latency=3, errors=fails(times, word, writes=writes))
    assert results(bench) == ["done"]
    failed = [entry for entry in bench.memory.log if entry.adr == word and entry.response == "err"]
    assert len(failed) == times


@FORMS
@RELEASES
@pytest.mark.parametrize("retries", [0, 1, 2])
def test_a_failure_that_stays_ends_the_snapshot(pipelined, release, retries):
    config = params(pipelined=pipelined, release=release, retry=True)

    async def script(bench):
        await bench.ready()
        await bench.set_policy(retries=retries)
        await bench.start()
        await bench.end()

    bench = run(config, (), script, latency=3, errors=errors_at(addresses=[21], writes=False))
    assert results(bench) == ["failed"] and cause(bench) is Cause.READ_ERROR
    assert bench.snapshots[0].fail_block == 21 // 4
    assert sum(entry.adr == 21 for entry in bench.memory.log) == retries + 1


@FORMS
@pytest.mark.parametrize("side", ["read", "write"])
def test_a_failing_copy_fails_the_write_that_waits_for_it(pipelined, side):
    """The block cannot be copied while it is written to; later it can, and the image is good."""
    config = params(pipelined=pipelined, release="copied", retry=True)
    writes = side == "write"
    word = (config.shadow_base if writes else 0) // 4 + 61
    held, later = write(60, 0x77), write(60, 0x88, gap=40)

    async def script(bench):
        await bench.ready()
        await bench.set_policy(retries=1, failure=FAIL_WRITE)
        await bench.start()
        bench.initiator.add(held, read(60), later)
        await bench.end()
        await bench.clocks(100)

    bench = run(config, (), script, latency=2, errors=fails(2, word, writes=writes))
    assert results(bench) == ["done"]
    assert held.response == "err" and later.response == "ack"


def test_without_a_waiting_write_the_snapshot_fails():
    config = params(release="copied", retry=True)

    async def script(bench):
        await bench.ready()
        await bench.set_policy(retries=1, failure=FAIL_WRITE)
        await bench.start()
        await bench.end()

    bench = run(config, (), script, errors=errors_at(addresses=[61], writes=False))
    assert results(bench) == ["failed"] and bench.snapshots[0].fail_block == 15


@FORMS
def test_a_silent_memory_while_repeating(pipelined):
    config = params(pipelined=pipelined, retry=True, timeout=100)

    async def script(bench):
        await bench.ready()
        await bench.set_policy(retries=15)
        await bench.start()
        while not any(entry.response == "err" for entry in bench.memory.log):
            await bench.clocks(1)
        bench.memory.answering = False
        await bench.end()
        bench.memory.answering = True
        await bench.ready()
        await bench.start()
        await bench.end()

    bench = Bench(config, latency=4, errors=fails(3, 21)).run(script).check()
    assert results(bench) == ["failed", "done"] and cause(bench) is Cause.TIMEOUT


@pytest.mark.parametrize("delay", range(0, 30, 3))
def test_cancel_while_repeating(delay):
    config = params(retry=True)

    async def script(bench):
        await bench.ready()
        await bench.set_policy(retries=15)
        await bench.start()
        await bench.clocks(20 + delay)
        await bench.cancel()
        await bench.end()
        await bench.ready()
        await bench.set_policy(retries=15)
        await bench.start()
        await bench.end()

    bench = run(config, sparse(config), script, latency=4, errors=fails(12, 5))
    assert results(bench)[-1] == "done"


@pytest.mark.parametrize("build, policy", [
    (dict(), dict(retries=1)), (dict(retry=True), dict(failure=FAIL_WRITE)),
    (dict(release="copied"), dict(failure=FAIL_WRITE)), (dict(retry=True), dict(hold_io=1))])
def test_a_policy_that_the_build_cannot_keep_is_refused(build, policy):
    async def script(bench):
        await bench.ready()
        await bench.set_policy(**policy)
        assert await bench.start() is None
        assert Refusal((await bench.fields("CAUSE"))["refusal"]) is Refusal.POLICY
        await bench.set_policy()
        await bench.start()
        await bench.end()

    assert results(run(params(**build), (), script)) == ["done"]


# Background ----------------------------------------------------------------------------------

@RELEASES
def test_pause_and_resume(release):
    config = params(release=release, memory_size=1024, shadow_base=1024)
    held = write(200, 1)

    async def script(bench):
        await bench.ready()
        await bench.write("PAUSE", 1)
        await bench.start(regions=[(0, 63)])
        await bench.clocks(300)
        assert len(bench.copied) == 4 and (await bench.status())["active"]
        bench.initiator.add(held)
        await bench.clocks(100)
        assert len(bench.copied) == 5 and held.response == "ack"
        await bench.write("PAUSE", 0)
        await bench.clocks(60)
        assert len(bench.copied) > 5
        await bench.end()

    assert results(run(config, (), script)) == ["done"]


@pytest.mark.parametrize("pace", [40, 100])
def test_pace(pace):
    config = params()

    async def script(bench):
        await bench.ready()
        await bench.write("PACE", pace)
        await bench.start()
        await bench.end()

    bench = run(config, (), script)
    clocks = [clock for clock, _, _ in bench.copied]
    assert all(after - before >= pace - 2
               for before, after in zip(clocks, clocks[1:], strict=False))
    assert bench.snapshots[0].counters["DURATION"] <= pace * (config.blocks + 1)


def test_the_least_rate_ends_a_snapshot_under_any_traffic():
    config = params(share=8)
    bench = Bench(config, traffic=(read(at % 64) for at in range(1 << 30)), latency=1)

    async def script(bench):
        await bench.ready()
        await bench.start()
        await bench.end()

    assert results(bench.run(script).check()) == ["done"]
    beats = config.memory_size // 4
    assert bench.snapshots[0].counters["DURATION"] <= (2 * beats + 8) * (config.share + 1)


# Protection ----------------------------------------------------------------------------------

@FORMS
def test_reads_of_the_shadow_can_be_denied_to_a_port(pipelined):
    config = params(pipelined=pipelined, ports=2)
    accesses = [read(64 + 3), read(64 + 3)]

    async def script(bench):
        await bench.ready()
        await bench.deny_reads(0b10)
        await bench.start()
        await bench.end()
        for initiator, access in zip(bench.initiators, accesses, strict=True):
            initiator.add(access, read(3))
        await bench.clocks(60)

    bench = run(config, (), script)
    assert [access.response for access in accesses] == ["ack", "err"]
    assert [initiator.log[1].response for initiator in bench.initiators] == ["ack", "ack"]


def test_locked_until_reset():
    config = params()

    async def script(bench):
        await bench.ready()
        await bench.set_regions([(16, 31)])
        await bench.write("LOCK", 1)
        with pytest.raises(PermissionError):
            await bench.write("REGION.BASE_LO", 0)
        await bench.start()
        await bench.end()
        await bench.reset()
        await bench.ready()
        await bench.write("REGION.BASE_LO", 0)

    bench = run(config, (), script)
    assert bench.snapshots[0].counters["BLOCKS_INITIAL"] == 1


@pytest.mark.parametrize("size", [256, 4096])
def test_status_says_when_a_start_is_possible(size):
    config = params(memory_size=size, shadow_base=size, addr_width=14, block_size=16)

    async def script(bench):
        await bench.ready()
        assert await bench.read("READY_IN") == 0
        await bench.start()
        await bench.cancel()
        while (await bench.status())["state"] == 7:
            await bench.clocks(1)
        asked = bench.clock
        left = await bench.read("READY_IN")
        assert 0 < left <= config.sweep_clocks
        await bench.clocks(left - (bench.clock - asked) + 2)
        assert (await bench.status())["ready"]
        await bench.end()

    run(config, (), script)


# Pages ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("block_size, size", [
    (4096, 32768), pytest.param(65536, 131072, marks=pytest.mark.long)])
def test_pages_do_not_stall_for_longer(block_size, size):
    """Single writes all over the memory, each to a page of its own."""
    config = params(block_size=block_size, memory_size=size, shadow_base=size, addr_width=20,
                    jobs=2 if block_size == 65536 else None)
    latency = 4
    beats = size // 4
    accesses = [write((at * 5 % 8) * beats // 8 + 77 * at, at, gap=60) for at in range(24)]

    async def script(bench):
        await bench.ready()
        await bench.start()
        bench.initiator.add(*accesses)
        await bench.clocks(60 * 30)
        await bench.cancel()
        await bench.end()

    bench = run(config, (), script, latency=latency, patience=600_000)
    assert max(access.accepted - access.requested for access in accesses) <= latency + 8
    assert results(bench) == ["cancelled"]


# Ungated masters -----------------------------------------------------------------------------

class UngatedMaster:
    """Writes into the memory by another way, in every clock in which it is not held."""

    def __init__(self, bench, words, answers_after):
        self.bench, self.words, self.answers_after = bench, words, answers_after
        self.held = []           # clocks in which it was

    async def run(self, clocks):
        unit, memory = self.bench.unit, self.bench.memory
        asked = 0
        for at in range(clocks):
            asked = asked + 1 if self.bench.sample(unit.io_hold) else 0
            held = self.answers_after is not None and asked > self.answers_after
            self.bench._ctx.set(unit.io_held, held)
            if held:
                self.held.append(self.bench.clock)
            elif self.words:
                memory.words[self.words[at % len(self.words)]] = at
            await self.bench.clocks(1)


@pytest.mark.parametrize("answers_after", [0, 1, 9])
def test_an_ungated_master_is_held_until_its_regions_are_safe(answers_after):
    """It writes its own region all the time; the image shows it as it was at the instant."""
    config = params(io_hold=True, memory_size=512, shadow_base=512)
    region = range(32, 48)

    async def script(bench):
        master = UngatedMaster(bench, region, answers_after)
        await bench.ready()
        await bench.set_policy(hold_io=1)
        await master.run(20)
        await bench.set_regions([(4 * region[0], 4 * region[-1] + 3)], kind=2)
        bench._ctx.set(bench.unit.trigger, 1)
        await master.run(30 + answers_after)
        await master.run(900)
        assert not (await bench.status())["locked"] and (await bench.status())["done"]
        assert len(master.held) < 60, "it is let go long before the end"
        instant = await bench.read("INSTANT_LO")
        assert master.held[0] <= instant <= master.held[-1]
        # What the copier read while it was held is what the image holds
        image = bench.memory.words[128 + region[0]:128 + region[-1] + 1]
        reads = {entry.adr: entry.data for entry in bench.memory.log if not entry.we}
        assert [reads[adr] for adr in region] == image
        assert image != bench.memory.words[region[0]:region[-1] + 1]

    bench = Bench(config, latency=2)
    bench.run(script)


def test_an_ungated_master_that_never_answers():
    config = params(io_hold=True, timeout=50)

    async def script(bench):
        await bench.ready()
        await bench.set_policy(hold_io=1)
        record = await bench.start()
        assert bench.sample(bench.unit.io_hold)
        await bench.end()
        assert record.result == "failed" and not bench.sample(bench.unit.io_hold)
        assert (await bench.fields("CAUSE"))["cause"] == Cause.IO_TIMEOUT.value
        await bench.ready()
        await bench.set_policy()
        await bench.start()
        await bench.end()

    bench = run(config, sparse(config), script)
    assert results(bench) == ["failed", "done"]


def test_io_hold_falls_with_a_cancel():
    config = params(io_hold=True, timeout=0)

    async def script(bench):
        await bench.ready()
        await bench.set_policy(hold_io=1)
        await bench.start()
        await bench.clocks(50)
        await bench.cancel()
        await bench.end()
        assert not bench.sample(bench.unit.io_hold)

    assert results(run(config, sparse(config), script)) == ["cancelled"]
