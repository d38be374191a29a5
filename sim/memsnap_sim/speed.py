"""How fast the ways to simulate the unit are, side by side on the same work.

``python -m memsnap_sim.speed`` runs a program with a snapshot on the compiled system, then its
accesses through the cycle-level model, and the first of them through Amaranth's simulator. Seconds
are of one CPU core, without what is done once (building, compiling).
"""

import tempfile
import time
from dataclasses import dataclass, replace

from amaranth.sim import Simulator
from memsnap.core import SnapshotCore
from rich.console import Console
from rich.table import Table

from .kit.memory import MemoryTarget
from .kit.wishbone import Access, Initiator
from .machine import REFUSED, Machine
from .model import FixedLatency, simulate
from .model.accesses import beats_of
from .settings import Settings
from .traces.cpu import accesses_of_cpu

__all__ = ["Speed", "measure", "table"]


@dataclass(frozen=True)
class Speed:
    """One way: what it is, the clocks that it simulated, and the seconds that it took."""

    way: str
    clocks: int
    seconds: float

    @property
    def rate(self):
        """Clocks a second."""
        return self.clocks / self.seconds


def _timed(way, work):
    """What ``work`` gives, and its :class:`Speed`; it returns the clocks first."""
    began = time.process_time()
    clocks, *others = work()
    return Speed(way, clocks, time.process_time() - began), *others


def measure(program="chase", *, at_clock=50_000, amaranth_clocks=5000):
    """The speed of each way, fastest last.

    Parameters
    ----------
    program : str
        A program of ``memsnap run``.
    at_clock : int
        When its snapshot starts.
    amaranth_clocks : int
        Clocks after which Amaranth's simulator has shown how fast it is; the snapshot starts at
        half of them there.
    """
    with tempfile.TemporaryDirectory() as out:
        settings = Settings.build(
            {"run": {"program": program, "at_clock": at_clock, "initial": "none"}}, {"out": out})
        machine = Machine(settings)
        machine.load()
        machine.build()
        recorded = machine._run(replace(machine.options, snapshot="none", regions=REFUSED,
                                        wait=False, record=True), _silent, start=False)
        compiled, = _timed("compiled system, with its CPU (memsnap run)",
                           lambda: (machine.snapshot(_silent).clocks,))
    params, latency = settings.params, settings.latency
    accesses = accesses_of_cpu(recorded.accesses)

    def model():
        result = simulate(params, accesses, memory=FixedLatency(clocks=latency),
                          start_at=at_clock, max_in_flight=1)
        return (result.clock,)

    model()      # compiles it, if that is left to do
    run = _amaranth(params, accesses, latency, amaranth_clocks)
    amaranth, = _timed("Amaranth's simulator, the core alone", lambda: (run(),))
    modelled, = _timed("cycle-level model", model)
    return [amaranth, compiled, modelled]


def _silent(_clocks, _limit=None):
    pass


def _amaranth(params, accesses, latency, clocks):
    """A function that runs the first accesses on the unit's core, and returns the clocks."""
    core = SnapshotCore(params)
    size = max(params.memory_base, params.shadow_base) + params.memory_size
    memory = MemoryTarget(core.m_wb, bytes(size), latency=latency)
    initiator = Initiator(core.s_wb, max_in_flight=1, accesses=(
        Access(int(adr), bool(we), gap=int(gap))
        for gap, adr, we in beats_of(accesses[:clocks], params.beat_bytes)))

    async def testbench(ctx):
        ctx.set(core.control.share, params.share)
        await ctx.tick().repeat(max(clocks // 2, params.sweep_clocks))
        ctx.set(core.control.start, 1)
        await ctx.tick()
        ctx.set(core.control.start, 0)
        await ctx.tick().repeat(clocks // 2)

    simulator = Simulator(core)
    simulator.add_clock(1e-6)
    simulator.add_process(memory.process)
    simulator.add_process(initiator.process)
    simulator.add_testbench(testbench)

    def run():
        simulator.run()
        return memory.clock

    return run


def table(speeds):
    """The speeds as a rich table, each beside the slowest."""
    result = Table("", "clocks", "seconds", "clocks a second", "ratio", title="Simulation speed")
    slowest = min(speed.rate for speed in speeds)
    for speed in speeds:
        result.add_row(speed.way, f"{speed.clocks:,}", f"{speed.seconds:.2f}",
                       f"{speed.rate:,.0f}", f"{speed.rate / slowest:,.0f}")
    return result


if __name__ == "__main__":
    Console().print(table(measure()))
