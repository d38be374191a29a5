"""The figures P1-P4 and P6, counted in clocks in Amaranth's simulator.

Each case builds the unit without its registers, a memory with a fixed latency and a pipelined
initiator, and counts. The counts are exact: the same on every machine and in every run. Each is
printed beside its *limit* (what no unit could beat) and its *goal*.
"""

import json
import random
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from amaranth.sim import Simulator
from memsnap import SnapshotParams
from memsnap.bus.fabric import upstream_names
from memsnap.core import SnapshotCore
from memsnap.params import Shadow

from .kit.memory import MemoryTarget
from .kit.regions import RegionEntries
from .kit.wishbone import Initiator, read, write

__all__ = ["Row", "cases", "cases_of", "measure", "read_json", "row", "run", "table", "write_json"]


@dataclass
class Row:
    """One line of the bench: what was counted, the limit, the goal, and whether it is met.

    With ``least`` more is better, and limit and goal are the most and the least of the value.
    """

    figure: str
    case: str
    value: float
    limit: float
    goal: float
    met: bool
    least: bool = False


class _Bench:
    """The unit's core between initiators and memories, with its control side at hand."""

    def __init__(self, *, latency=1, shadow_latency=None, **params):
        size = params["memory_size"]
        self.params = SnapshotParams(shadow_base=size, **params)
        self.core = SnapshotCore(self.params)
        self._surround(size, latency, shadow_latency or latency)
        self.initiator = self.initiators[0]
        self.regions = RegionEntries(self.core.control.regions)
        self.retired = []    # (clock, kind) of each copied block
        self._clock = 0

    def _surround(self, size, latency, shadow_latency):
        """Puts memories and initiators around the core."""
        self.memories = [MemoryTarget(self.core.m_wb, bytes(2 * size), latency=latency)]
        if self.params.shadow is Shadow.SEPARATE:
            self.memories.append(MemoryTarget(self.core.x_wb, bytes(2 * size),
                                              latency=shadow_latency))
        self.initiators = [Initiator(getattr(self.core, name), max_in_flight=64)
                           for name in upstream_names(self.params)]

    def run(self, scenario):
        """Runs ``scenario(bench, ctx)`` to its end."""
        async def testbench(ctx):
            control = self.core.control
            ctx.set(control.share, self.params.share)
            while not ctx.get(control.ready):
                await ctx.tick()
            await scenario(self, ctx)

        async def watch(ctx):
            trace = self.core.trace
            clock = 0
            async for _, _, copied, kind in ctx.tick().sample(trace.copied, trace.kind):
                if copied:
                    self.retired.append((clock, kind.name))
                clock += 1

        simulator = Simulator(self.core)
        simulator.add_clock(1e-6)
        for each in (*self.memories, *self.initiators):
            simulator.add_process(each.process)
        simulator.add_process(watch)
        simulator.add_process(self.regions.process)
        simulator.add_testbench(testbench)
        simulator.run()
        return self

    def region(self, first, last):
        """Makes blocks ``first`` to ``last`` one more region of the initial copy."""
        self.regions.entries.append((first, last, 1))

    async def start(self, ctx):
        """Starts a snapshot, and returns in the clock after."""
        ctx.set(self.core.control.start, 1)
        await ctx.tick()
        ctx.set(self.core.control.start, 0)

    async def done(self, ctx):
        """Waits for the end, and checks that it is a good one."""
        while not ctx.get(self.core.control.ended):
            await ctx.tick()
        await ctx.tick()
        if not ctx.get(self.core.control.done):
            raise RuntimeError(f"the snapshot of {self.params} did not complete")

    async def idle(self, ctx):
        """Waits until the initiators have made all their accesses."""
        while not all(initiator.idle for initiator in self.initiators):
            await ctx.tick()

    def counter(self, ctx, name):
        """A counter of the unit."""
        return ctx.get(self.core.control.counters[name])

    def added(self, accesses):
        """The most clocks by which any of these accesses was accepted late."""
        return max(access.accepted - access.requested for access in accesses)


def row(figure, case, value, limit, goal, *, least=False):
    """A :class:`Row`, with what was counted rounded and compared with its goal."""
    met = value >= goal if least else value <= goal
    return Row(figure, case, round(value, 4), round(limit, 4), round(goal, 4), met, least)


def access_cost(kind, map_cache=0):
    """P1: clocks added to one kind of access, with everything else quiet.

    With a ``map_cache`` the map is in the memory, and so many of its four rows are on chip.
    """
    size = 0x2000
    beats = size // 4
    rate = kind.startswith("stream")
    rng = random.Random(kind)
    while_active = "copied" in kind

    async def scenario(bench, ctx):
        if while_active:
            # Everything but the last block is copied first; that one is kept busy by no idle slot
            bench.region(0, bench.params.blocks - 2)
            ctx.set(bench.core.control.share, 0)
            await bench.start(ctx)
            while len(bench.retired) < bench.params.blocks - 1:
                await ctx.tick()
        if kind == "read, idle":
            bench.initiator.add(*[read(rng.randrange(beats), gap=2) for _ in range(200)])
        elif kind == "write, idle":
            bench.initiator.add(*[write(rng.randrange(beats), 1, gap=2) for _ in range(200)])
        elif kind == "write, copied, row at hand":
            bench.initiator.add(*[write(rng.randrange(32 * 16), 1) for _ in range(20)])
        elif kind == "write, copied, row not at hand":
            bench.initiator.add(*[write(row * 32 * 16 + 5, 1) for row in (1, 0, 2, 1, 3, 0)])
        elif kind == "read, copied":
            bench.initiator.add(*[read(rng.randrange(beats)) for _ in range(200)])
        elif kind == "stream of writes, idle":
            bench.initiator.add(*[write(at, at) for at in range(1024)])
        else:
            bench.initiator.add(*[write(at, at) for at in range(1024)])
        await bench.idle(ctx)

    in_memory = {"map": "memory", "map_base": size - 128, "map_cache": map_cache}
    bench = _Bench(memory_size=size, block_size=64, **(in_memory if map_cache else {}))
    bench.run(scenario)
    log = bench.initiator.log
    kind += ", map in memory" if map_cache else ""
    if rate:
        value = len(log) / (log[-1].accepted - log[0].requested + 1)
        return row("P1", kind + ", beats/clock", value, 1, 0.99, least=True)
    if "row at hand" in kind:
        log = log[1:]    # the first brings the row
    late = "row not at hand" in kind
    if late and 0 < map_cache < bench.params.map_rows:       # one read of the memory
        return row("P1", kind + ", nor on chip, clocks added", bench.added(log), 1, 1 + 8)
    return row("P1", kind + ", clocks added", bench.added(log), 0, 1 if late else 0)


def copy_rate(latency, data_width, block_size, shadow="same"):
    """P2: beats a clock from the instant to the end, no other traffic."""
    async def scenario(bench, ctx):
        await bench.start(ctx)
        await bench.done(ctx)
        bench.clocks = bench.counter(ctx, "duration")

    limit = 1 if shadow == "separate" else 0.5
    bench = _Bench(latency=latency, memory_size=0x10000, data_width=data_width,
                   block_size=block_size, shadow=shadow,
                   buffer_depth=128 if shadow == "separate" else 64).run(scenario)
    beats = bench.params.memory_size // bench.params.beat_bytes
    case = f"L={latency}, {data_width} bit, {block_size} B blocks, {shadow} shadow, beats/clock"
    return row("P2", case, beats / bench.clocks, limit, 0.995 * limit, least=True)


def longest_stall(latency, block_size, ports=1, shadow="same", snapshots=4, map_="chip"):
    """P3: longest stall of single writes at any time and place, background copy running.

    Between two writes of a port lies the time of a block's copy, so that each meets the unit
    without an earlier demand of its own port. Two ports write at the same time, or nearly so: the
    second may find the first one's demand, and the first one's request at the memory.
    """
    rng = random.Random(f"{latency} {block_size}")
    blocks = max(8, 1024 // block_size)
    pause = 2 * block_size // 4 + 2 * latency + 40

    async def scenario(bench, ctx):
        beats = bench.params.memory_size // 4
        for _ in range(snapshots):
            while not ctx.get(bench.core.control.ready):
                await ctx.tick()
            await bench.start(ctx)
            started = True
            while started or ctx.get(bench.core.control.active):
                started = started and not ctx.get(bench.core.control.active)
                # At any beat, but more often in the blocks that the background copy is at
                here = len(bench.retired) % blocks * block_size // 4
                for initiator in bench.initiators:
                    near = min(beats - 1, here + rng.randrange(2 * block_size // 4))
                    initiator.add(write(rng.choice((rng.randrange(beats), near)), 1))
                    if initiator is not bench.initiators[-1]:
                        await ctx.tick().repeat(1 + rng.randrange(latency + 8))
                await ctx.tick().repeat(pause + rng.randrange(17))
            await bench.idle(ctx)

    bench = _Bench(latency=latency, memory_size=blocks * block_size, block_size=block_size,
                   ports=ports, shadow=shadow, map=map_).run(scenario)
    added = max(bench.added(initiator.log) for initiator in bench.initiators)
    # One memory reads for one port after the other
    limit = latency + ports
    case = f"L={latency}, {block_size} B blocks, {shadow} shadow"
    case += f", {ports} ports" if ports > 1 else ""
    case += ", map in memory" if map_ == "memory" else ""
    return row("P3", f"{case}, clocks", added, limit, limit + 7)


def arming(memory_size):
    """P4: clocks from the start to the instant, with a write in every clock."""
    async def scenario(bench, ctx):
        bench.initiator.add(*[write(at % 64, at) for at in range(400)])
        await ctx.tick().repeat(20)
        await bench.start(ctx)
        while not ctx.get(bench.core.control.active):
            await ctx.tick()
        bench.clocks = bench.counter(ctx, "armed")

    bench = _Bench(memory_size=memory_size, block_size=64).run(scenario)
    return row("P4", f"{memory_size // 1024} KiB, clocks", bench.clocks, 1, 4)


def finishing(left):
    """P6: clocks for the last blocks: all clocks from the instant on, less the others' copies."""
    size, block_size = 0x8000, 16
    blocks, beats = size // block_size, block_size // 4

    async def scenario(bench, ctx):
        step = blocks // (left + 1)
        for index in range(left + 1):
            last = blocks - 1 if index == left else (index + 1) * step - 2
            bench.region(index * step, last)
        await bench.start(ctx)
        await bench.done(ctx)
        bench.clocks = bench.counter(ctx, "duration")

    bench = _Bench(memory_size=size, block_size=block_size).run(scenario)
    copied_before = blocks - left
    limit = left * 2 * beats
    return row("P6", f"{left} of {blocks} blocks left, clocks",
                bench.clocks - copied_before * 2 * beats, limit, limit + blocks / 32)


def cases():
    """All cases, as (function, arguments)."""
    from . import bench_axi4  # which is built on this module
    for kind in ("read, idle", "write, idle", "read, copied", "write, copied, row at hand",
                 "write, copied, row not at hand", "stream of writes, idle",
                 "stream of writes, copied"):
        yield access_cost, (kind,)
    for kind in ("read, copied", "write, copied, row at hand", "write, copied, row not at hand",
                 "stream of writes, copied"):
        yield access_cost, (kind, 16)
    yield access_cost, ("write, copied, row not at hand", 2)
    for data_width in 32, 64:
        for block_size in 64, 4096:
            for latency in 1, 4, 16, 32:
                yield copy_rate, (latency, data_width, block_size)
    for block_size in 16, 64, 512, 4096:
        for latency in 1, 4, 16, 32:
            yield longest_stall, (latency, block_size)
    for latency in 1, 4, 16, 32:
        yield longest_stall, (latency, 64, 2)
    for block_size in 64, 512:
        for latency in 4, 32:
            yield longest_stall, (latency, block_size, 1, "same", 4, "memory")
    for memory_size in 0x1000, 0x10000, 0x100000:
        yield arming, (memory_size,)
    for left in 1, 2, 3:
        yield finishing, (left,)
    yield from bench_axi4.cases()


def measure(case):
    """The row of one case."""
    function, arguments = case
    return function(*arguments)


#: The figure that each function counts, on either bus.
_FIGURES = {"access_cost": "P1", "copy_rate": "P2", "longest_stall": "P3", "arming": "P4",
            "finishing": "P6"}


def cases_of(figures, *, axi4=True):
    """The cases of some figures, by name; perhaps without those on AXI4."""
    return [case for case in cases() if _FIGURES[case[0].__name__] in figures
            and (axi4 or not case[0].__module__.endswith("axi4"))]


def run(chosen, progress=lambda number: None):
    """Measures cases on all cores; ``progress`` is told how many are done."""
    rows = []
    with ProcessPoolExecutor() as pool:
        for each in pool.map(measure, chosen):
            rows.append(each)
            progress(len(rows))
    return rows


def write_json(rows, path):
    """Writes the rows to ``path``, a row a line."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(asdict(each)) for each in rows)
    path.write_text(f"[\n{lines}\n]\n")


def read_json(path):
    """The rows that :func:`write_json` wrote."""
    return [Row(**each) for each in json.loads(Path(path).read_text())]


def table(rows):
    """The rows as a rich table."""
    from rich.table import Table
    result = Table("", "case", "value", "limit", "goal", "", title="Figures in clocks")
    for each in rows:
        result.add_row(each.figure, each.case, f"{each.value:g}", f"{each.limit:g}",
                       f"{each.goal:g}", "[green]met[/]" if each.met else "[red]missed[/]")
    return result
