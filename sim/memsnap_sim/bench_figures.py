"""The scenarios in which P1-P4 and P6 are counted, the same on either bus."""

import random

from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator
from memsnap.bus import axi4
from memsnap.params import Bus, Map

from . import bench_limits as limits
from .bench_rig import make_rig
from .bench_row import row

__all__ = ["access_cost", "arming", "copy_rate", "finishing", "longest_stall",
           "stall_at_instant"]

_ROWS = 4           # of the copy map, where costs of accesses are counted
_BEATS = 2048       # copied in a case, at the least


# P1 ----------------------------------------------------------------------------------------------

def access_cost(kind, *, latency=1, **build):
    """P1: clocks added to one kind of access of each port, with everything else quiet.

    On Wishbone the memory takes a request a clock, so that each clock in which one is not taken is
    one that the unit adds. On AXI4 it is what the same accesses take with the unit, less what they
    take without it: the most that the acceptance of an address, a beat of data, or an answer is
    later; a write that is copied is a burst in one block. Of a stream it is the beats a clock of
    all ports together.
    """
    block_size = 64 if "stream" in kind else 16
    size = _ROWS * 32 * block_size
    if build.get("map") == "memory":        # not in the last block, which stays uncopied
        build = {**build, "map_base": size - 2 * block_size}
    rig = make_rig(latency=latency, memory_size=size, block_size=block_size, **build)

    async def scenario(rig, ctx):
        if "copied" in kind:
            await rig.copy_all_but_one(ctx)
        for initiator in rig.initiators if "stream" in kind else [rig.initiator]:
            initiator.add(*_accesses(kind, rig))
        await rig.idle(ctx)

    rig.run(scenario)
    fast = rig.params.map is Map.CHIP or rig.params.map_lines >= rig.params.map_rows
    case = rig.name(kind + (", nor on chip" if not fast and "not at hand" in kind else ""))
    if "stream" in kind:
        rate = _stream_rate(rig)
        return row("P1", f"{case}, beats/clock", rate, 1, 0.99, least=True)
    log = rig.initiator.log[1 if "row at hand" in kind else 0:]      # the first brings the row
    added = max(_added(rig, kind, log))
    if not fast and "not at hand" in kind:
        limit = limits.missed_row(latency)
        return row("P1", f"{case}, clocks added", added, limit, limit + 7)
    goal = limits.row_goal(rig.params) if "not at hand" in kind else 0
    return row("P1", f"{case}, clocks added", added, 0, goal)


def _accesses(kind, rig):
    """What is done to measure one kind of access; each time the same."""
    rng = random.Random(kind)
    one_row = 32 * rig.params.block_beats
    beats = _ROWS * one_row
    bursts = rig.params.bus is Bus.AXI4

    def lengths():
        return {"beats": rng.choice((1, 1, 4))} if bursts else {}
    if "stream" in kind:
        make = rig.read if "reads" in kind else rig.write
        if bursts:
            return [make(at, 16) for at in range(0, beats // 2, 16)]
        return [make(at) for at in range(beats // 2)]
    if "read" in kind:
        return [rig.read(rng.randrange(beats - 64), gap=2, **lengths()) for _ in range(200)]
    if "not at hand" in kind:
        return [rig.write(at * one_row + 5, gap=12 + 2 * rig.latency) for at in (1, 0, 2, 1, 3, 0)]
    where = beats - 64 if "idle" in kind else one_row - 4
    block_beats = rig.params.block_beats

    def write(gap):
        start, burst = rng.randrange(where), lengths()
        if bursts and "copied" in kind:     # in one block
            burst["beats"] = min(burst["beats"], block_beats)
            start -= max(0, start % block_beats + burst["beats"] - block_beats)
        return rig.write(start, gap=gap, **burst)
    # The first is over when the others come
    return [write(2 if index != 1 else 40 + 2 * rig.latency) for index in range(100)]


def _stream_rate(rig):
    logs = [initiator.log for initiator in rig.initiators]
    if rig.params.bus is Bus.AXI4:
        clocks = sorted(clock for log in logs for each in log for clock in each.clocks)
        return len(clocks) / (clocks[-1] - clocks[0] + 1)
    first = min(log[0].requested for log in logs)
    last = max(log[-1].accepted for log in logs)
    return sum(map(len, logs)) / (last - first + 1)


def _added(rig, kind, log):
    """For each access the most clocks that anything of it comes later than without the unit."""
    if rig.params.bus is not Bus.AXI4:
        return [each.accepted - each.requested for each in log]

    def times(each):
        return [each.accepted, *each.clocks, each.answered]
    without = _without(rig, _accesses(kind, rig))[-len(log):]
    return [max((late - slow.requested) - (early - quick.requested)
                for late, early in zip(times(slow), times(quick), strict=True))
            for slow, quick in zip(log, without, strict=True)]


def _without(rig, transactions):
    """The same transactions with no unit between manager and memory."""
    bus = axi4.Signature.of(rig.params, id_width=rig.params.id_width).create()
    manager, memory = rig.manager(bus, transactions), rig.memory(bus)
    m = Module()
    m.domains.sync = ClockDomain()
    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_process(manager.process)
    simulator.add_process(memory.process)

    async def testbench(ctx):
        while not manager.idle:
            await ctx.tick()
    simulator.add_testbench(testbench)
    simulator.run()
    return manager.log


# P2 ----------------------------------------------------------------------------------------------

def copy_rate(*, latency, block_size, data_width=32, **build):
    """P2: beats a clock in the middle of a copy with no other traffic.

    The middle is half of the beats: from the first quarter's last write to the third quarter's.
    What is counted there is the beats that were read, or those that were written, whichever are
    less; so it is never more than what the ports can carry.
    """
    # A map in the memory is copied before all others are claimed: within the first quarter
    blocks = 8 if build.get("map") == "memory" else 4
    beats = max(_BEATS, blocks * block_size * 8 // data_width)
    rig = make_rig(latency=latency, memory_size=beats * data_width // 8, data_width=data_width,
                   block_size=block_size, **build)
    rig.run(_copy_all)
    reads, writes = (rig.copied_beats(we) for we in (False, True))
    first, last = writes[beats // 4 - 1], writes[3 * beats // 4 - 1]
    moved = min(sum(first < clock <= last for clock in each) for each in (reads, writes))
    limit = limits.copy_rate(rig.params)
    return row("P2", rig.name("beats/clock"), moved / (last - first), limit, 0.995 * limit,
               least=True, why=_why_slow(rig.params))


def _why_slow(params):
    """What in the unit keeps a copy of small blocks from its limit."""
    if params.copy_clocks < params.map_clocks:
        return (f"a block takes {params.map_clocks} clocks of the copy map, in which the ports "
                "could copy more than one")
    return ""


async def _copy_all(rig, ctx):
    await rig.start(ctx)
    await rig.done(ctx)
    rig.clocks = rig.counter(ctx, "duration")


# P3 ----------------------------------------------------------------------------------------------

def longest_stall(*, latency, block_size, data_width=32, blocks=None, snapshots=None, **build):
    """P3: longest stall of single writes at any time and place, background copy running.

    Each comes alone or, as a program's do, is soon followed by another one, which meets the unit
    with the demand of the first in work. Before the next lies the time of a block's copy; where
    there is a job for every block, less will do. Two ports write at the same time, or nearly so:
    the second may find the first one's demand, and the first one's request at the memory.
    """
    rng = random.Random(f"{latency} {block_size}")
    block_beats = block_size * 8 // data_width
    blocks = blocks or max(4, 256 // block_beats)
    rig = make_rig(latency=latency, memory_size=blocks * block_size, data_width=data_width,
                   block_size=block_size, **build)
    pause = 2 * latency + 40
    if rig.params.jobs <= blocks:
        pause += limits.copy_clocks(rig.params, block_beats)
    beats = blocks * block_beats

    async def scenario(rig, ctx):
        for _ in range(snapshots or max(1, _BEATS // beats)):
            await rig.ready(ctx)
            await rig.start(ctx)
            started = True
            while started or ctx.get(rig.core.control.active):
                started = started and not ctx.get(rig.core.control.active)
                # At any beat, but more often in the blocks that the background copy is at
                here = len(rig.retired) % blocks * block_beats
                for initiator in rig.initiators:
                    for gap in 0, *[rng.randrange(2 * latency + 16)] * rng.randrange(2):
                        near = min(beats - 1, here + rng.randrange(2 * block_beats))
                        where = rng.choice((rng.randrange(beats), near))
                        initiator.add(rig.write(where, gap=gap))
                    if initiator is not rig.initiators[-1]:
                        await ctx.tick().repeat(1 + rng.randrange(latency + 8))
                await ctx.tick().repeat(pause + rng.randrange(17))
            await rig.idle(ctx)

    rig.run(scenario)
    added = max(access.accepted - access.requested
                for initiator in rig.initiators for access in initiator.log)
    on_chip = rig.params.map is Map.CHIP or rig.params.map_lines >= rig.params.map_rows
    case = rig.name(*["rows not on chip"] * (not on_chip), "clocks")
    return row("P3", case, added, limits.stall(rig.params, latency, row_on_chip=on_chip),
               limits.stall_goal(rig.params, latency, row_on_chip=on_chip))


def stall_at_instant(*, latency, snapshots=8, **build):
    """P3: longest stall of the first write that is held, under a write in each clock.

    Those before it were accepted until the clock before the instant, and are not answered yet.
    """
    rng = random.Random(f"instant {latency}")
    rig = make_rig(latency=latency, memory_size=1024, block_size=64, **build)
    stalls = []

    async def scenario(rig, ctx):
        for number in range(snapshots):
            await rig.ready(ctx)
            before = len(rig.initiator.log)
            rig.initiator.add(*[rig.write(rng.randrange(1024 // rig.params.beat_bytes))
                                for _ in range(latency + 20 + number)])
            await ctx.tick().repeat(latency + 6 + number)
            await rig.start(ctx)
            await rig.done(ctx)
            await rig.idle(ctx)
            stalls.append(next(each.accepted - each.requested for each in rig.initiator.log[before:]
                               if each.accepted > each.requested))

    rig.run(scenario)
    drain = limits.drain(latency)
    return row("P3", rig.name("at the instant", "clocks"), max(stalls),
               drain + limits.stall(rig.params, latency),
               drain + limits.stall_goal(rig.params, latency))


# P4 ----------------------------------------------------------------------------------------------

def arming(*, memory_size, latency=1, **build):
    """P4: clocks from the start to the instant, with a write in every clock."""
    async def scenario(rig, ctx):
        for initiator in rig.initiators:
            initiator.add(*[rig.write(at % 64) for at in range(200)])
        await ctx.tick().repeat(20)
        await rig.start(ctx)
        while not ctx.get(rig.core.control.active):
            await ctx.tick()
        await ctx.tick()    # inside the unit it lags by a clock
        rig.clocks = rig.counter(ctx, "armed")

    rig = make_rig(latency=latency, memory_size=memory_size, block_size=64, **build)
    rig.run(scenario)
    return row("P4", rig.name(f"{memory_size // 1024} KiB", "clocks"), rig.clocks, 1, 4)


# P6 ----------------------------------------------------------------------------------------------

def finishing(*, left, latency=1, block_size=16, blocks=2048, **build):
    """P6: clocks for the last blocks: all clocks from the instant on, less the others' copies."""
    async def scenario(rig, ctx):
        step = blocks // (left + 1)
        for index in range(left + 1):
            last = blocks - 1 if index == left else (index + 1) * step - 2
            rig.region(index * step, last)
        await _copy_all(rig, ctx)

    rig = make_rig(latency=latency, memory_size=blocks * block_size, block_size=block_size, **build)
    rig.run(scenario)
    one = limits.copy_clocks(rig.params, rig.params.block_beats)
    limit = (left * one + limits.copy_ends(rig.params, latency)
             + limits.row_clocks(rig.params) * rig.params.map_rows)
    return row("P6", rig.name(f"{left} of {blocks} blocks left", "clocks"),
               rig.clocks - (blocks - left) * one, limit, limit + blocks / 32,
               why=_why_slow(rig.params))
