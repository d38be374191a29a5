"""The figures P1-P4 and P6 on AXI4, counted as those on Wishbone are.

The memory takes an address a clock on each channel and gives, or takes, a beat a clock; ``L`` is
the clocks from an accepted address to its first data, and from a write's last data to its answer.
"""

import random

from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator
from memsnap.bus import axi4
from memsnap.bus.fabric import upstream_names
from memsnap.params import Shadow

from .bench import _Bench, row
from .kit.axi4_burst import read_burst, write_burst
from .kit.axi4_manager import Manager
from .kit.axi4_memory import Axi4Memory

__all__ = ["access_cost", "arming", "cases", "copy_rate", "finishing", "longest_stall"]


class _Axi4Bench(_Bench):
    """The unit's core between AXI4 managers and memories."""

    def __init__(self, **params):
        super().__init__(bus="axi4", **params)

    def _surround(self, size, latency, shadow_latency):
        names = ["m_axi"] + ["c_axi"] * hasattr(self.core, "c_axi")
        self.memories = [Axi4Memory([getattr(self.core, name) for name in names], bytes(2 * size),
                                    latency=latency, max_in_flight=256)]
        if self.params.shadow is Shadow.SEPARATE:
            self.memories.append(Axi4Memory(self.core.x_axi, bytes(2 * size),
                                            latency=shadow_latency, max_in_flight=256))
        self.initiators = [Manager(getattr(self.core, name), max_in_flight=64, early_w=False)
                           for name in upstream_names(self.params)]


def _without(transactions, params, latency):
    """The same transactions with no unit between manager and memory."""
    bus = axi4.Signature.of(params, id_width=params.id_width).create()
    manager = Manager(bus, transactions, max_in_flight=64)
    memory = Axi4Memory(bus, bytes(2 * params.memory_size), latency=latency, max_in_flight=256)
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


def _transactions(kind, rng, size, block_size):
    """What is done to measure one kind of access; each time the same."""
    beats = size // 8
    rows = size // block_size // 32

    def at():
        return 8 * rng.randrange(beats - 64)
    if "stream" in kind:
        make = (lambda at: read_burst(at, 16)) if "reads" in kind else (
            lambda at: write_burst(at, range(16)))
        return [make(128 * at) for at in range(size // 2 // 128)]
    if "read" in kind:
        return [read_burst(at(), rng.choice((1, 1, 4)), gap=2) for _ in range(200)]
    if "not at hand" in kind:
        return [write_burst(row * 32 * block_size + 40, [1], gap=12)
                for row in (1, 0, 2, 1, 3, 0) if row < rows]
    where = at if "idle" in kind else lambda: 8 * rng.randrange(32 * block_size // 8 - 4)
    # The first brings the row, and is over when the others come
    return [write_burst(where(), [1] * rng.choice((1, 1, 4)), gap=2 if index != 1 else 40)
            for index in range(100)]


def access_cost(kind, latency=2):
    """P1: clocks added to one kind of access, with everything else quiet.

    It is what the same accesses take with the unit, less what they take without it: the most that
    the acceptance of an address, a beat of data, or an answer is later.
    """
    size, block_size = 0x2000, 64

    def transactions():
        return _transactions(kind, random.Random(kind), size, block_size)

    async def scenario(bench, ctx):
        if "copied" in kind:
            # Everything but the last block is copied first; that one is kept busy by no idle slot
            bench.region(0, bench.params.blocks - 2)
            ctx.set(bench.core.control.share, 0)
            ctx.set(bench.core.control.pause, 1)
            await bench.start(ctx)
            while len(bench.retired) < bench.params.blocks - 1:
                await ctx.tick()
        bench.initiator.add(*transactions())
        await bench.idle(ctx)

    bench = _Axi4Bench(memory_size=size, block_size=block_size, data_width=64, latency=latency)
    bench.run(scenario)
    log = bench.initiator.log
    if "stream" in kind:
        beats = sum(len(each.clocks) for each in log)
        value = beats / (log[-1].clocks[-1] - log[0].clocks[0] + 1)
        return row("P1", f"AXI4, {kind}, beats/clock", value, 1, 0.99, least=True)
    first = 1 if "row at hand" in kind else 0
    added = [_later(with_, without) for with_, without in
             zip(log[first:], _without(transactions(), bench.params, latency)[first:], strict=True)]
    goal = 1 if "not at hand" in kind else 0
    return row("P1", f"AXI4, {kind}, clocks added", max(added), 0, goal)


def _later(with_, without):
    """The most clocks that anything of a transaction comes later than without the unit."""
    def times(each):
        return [each.accepted, *each.clocks, each.answered]
    return max((late - with_.requested) - (early - without.requested)
               for late, early in zip(times(with_), times(without), strict=True))


def copy_rate(latency, data_width, block_size, jobs=None):
    """P2: beats a clock from the instant to the end, no other traffic.

    No unit can have the first data earlier than L clocks after its address, or the last answer
    earlier than L clocks after the last data, so that the limit is a little less than 1.
    """
    async def scenario(bench, ctx):
        await bench.start(ctx)
        await bench.done(ctx)
        bench.clocks = bench.counter(ctx, "duration")

    bench = _Axi4Bench(latency=latency, memory_size=12288 * data_width // 8, data_width=data_width,
                       block_size=block_size, jobs=jobs).run(scenario)
    beats = bench.params.memory_size // bench.params.beat_bytes
    limit = beats / (beats + 2 * latency)
    case = f"AXI4, L={latency}, {data_width} bit, {block_size} B blocks"
    case += f", {jobs} jobs" * (jobs is not None) + ", beats/clock"
    return row("P2", case, beats / bench.clocks, limit, 0.995 * limit, least=True)


def longest_stall(latency, block_size, data_width=64, snapshots=4):
    """P3: longest stall of single writes at any time and place, background copy running."""
    rng = random.Random(f"axi4 {latency} {block_size}")
    beat = data_width // 8
    blocks = max(8, 2048 // block_size)
    pause = block_size // beat + 2 * latency + 40

    async def scenario(bench, ctx):
        beats = bench.params.memory_size // beat
        for _ in range(snapshots):
            while not ctx.get(bench.core.control.ready):
                await ctx.tick()
            await bench.start(ctx)
            started = True
            while started or ctx.get(bench.core.control.active):
                started = started and not ctx.get(bench.core.control.active)
                # At any beat, but more often in the blocks that the background copy is at
                here = len(bench.retired) % blocks * block_size // beat
                near = min(beats - 1, here + rng.randrange(2 * block_size // beat))
                place = rng.choice((rng.randrange(beats), near))
                bench.initiator.add(write_burst(beat * place, [1]))
                await ctx.tick().repeat(pause + rng.randrange(17))
            await bench.idle(ctx)

    bench = _Axi4Bench(latency=latency, memory_size=blocks * block_size, block_size=block_size,
                       data_width=data_width).run(scenario)
    added = bench.added(bench.initiator.log)
    burst = bench.params.burst_beats
    return row("P3", f"AXI4, L={latency}, {block_size} B blocks, bursts of {burst}, clocks",
                added, latency + 1, latency + 8 + burst)


def arming(memory_size):
    """P4: clocks from the start to the instant, with a write in every clock."""
    async def scenario(bench, ctx):
        bench.initiator.add(*[write_burst(8 * (at % 64), [at]) for at in range(100)])
        await ctx.tick().repeat(20)
        await bench.start(ctx)
        while not ctx.get(bench.core.control.active):
            await ctx.tick()
        bench.clocks = bench.counter(ctx, "armed")

    bench = _Axi4Bench(memory_size=memory_size, block_size=64, data_width=64).run(scenario)
    return row("P4", f"AXI4, {memory_size // 1024} KiB, clocks", bench.clocks, 1, 4)


def finishing(left, latency=1):
    """P6: clocks for the last blocks: all clocks from the instant on, less the others' copies."""
    size, block_size = 0x8000, 64       # blocks of 16 bytes are claimed in more clocks than copied
    blocks, beats = size // block_size, block_size // 8

    async def scenario(bench, ctx):
        step = blocks // (left + 1)
        for index in range(left + 1):
            last = blocks - 1 if index == left else (index + 1) * step - 2
            bench.region(index * step, last)
        await bench.start(ctx)
        await bench.done(ctx)
        bench.clocks = bench.counter(ctx, "duration")

    bench = _Axi4Bench(memory_size=size, block_size=block_size, data_width=64,
                       latency=latency).run(scenario)
    limit = left * beats
    return row("P6", f"AXI4, {left} of {blocks} blocks left, clocks",
                bench.clocks - (blocks - left) * beats, limit, limit + blocks / 32)


def cases():
    """All cases, as (function, arguments)."""
    for kind in ("read, idle", "write, idle", "read, copied", "write, copied, row at hand",
                 "write, copied, row not at hand", "stream of reads, idle",
                 "stream of writes, idle", "stream of writes, copied"):
        yield access_cost, (kind,)
    for data_width in 32, 64, 128:
        for block_size in 64, 4096:
            for latency in 1, 4, 16, 32:
                # The default jobs hold 64 beats where a block has four
                jobs = 36 if block_size // (data_width // 8) == 4 else None
                yield copy_rate, (latency, data_width, block_size, jobs)
    for block_size in 16, 64, 512, 4096:
        for latency in 1, 4, 16, 32:
            yield longest_stall, (latency, block_size)
    for memory_size in 0x1000, 0x100000:
        yield arming, (memory_size,)
    for left in 1, 2, 3:
        yield finishing, (left,)
