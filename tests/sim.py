"""Tests of one component in lockstep with a model: drive, look, step the clock."""

import os
import random

from amaranth.hdl import ClockDomain, Module
from amaranth.lib import wiring
from amaranth.sim import Simulator
from memsnap import SnapshotParams

__all__ = ["SHAPES", "Pins", "params_of", "seeded", "simulate", "split"]

#: Small configurations that differ in everything that the components depend on.
SHAPES = {
    "tiny": dict(data_width=8, block_size=2, memory_size=16, shadow_base=16, addr_width=6,
                 buffer_depth=4, jobs=2, max_in_flight=2, regions=1),
    "three_blocks": dict(data_width=32, block_size=16, memory_base=0x40, memory_size=48,
                         shadow_base=0x80, addr_width=9, buffer_depth=8, jobs=3, regions=2),
    "one_beat": dict(data_width=64, block_size=8, memory_size=72 * 8, shadow_base=0x400,
                     addr_width=12, buffer_depth=16, jobs=5, regions=3),
    "long_blocks": dict(data_width=32, block_size=64, memory_size=40 * 64, shadow_base=0x1000,
                        addr_width=16, buffer_depth=16, jobs=4, regions=4),
}
# Its notes on beats are read ahead
SHAPES["deep_notes"] = SHAPES["long_blocks"] | {"buffer_depth": 8}


def params_of(shape, **changes):
    """The parameters of one of the :data:`SHAPES`, with changes."""
    return SnapshotParams(**{**SHAPES[shape], **changes})


def seeded(seed):
    """A random generator whose seed a failing test shows; SEED in the environment adds to it."""
    seed += int(os.environ.get("SEED", 0))
    print(f"seed {seed}")
    return random.Random(seed)


def split(rng):
    """A generator for another process: in which order they run within a clock is not fixed."""
    return random.Random(rng.getrandbits(64))


class Pins:
    """A component's members as attributes: what is assigned drives, what is read is its value now.

    ``rst`` is the clock domain's reset; :meth:`tick` ends the clock.
    """

    def __init__(self, ctx, dut, domain=None):
        self.__dict__.update(_ctx=ctx, _dut=dut, _domain=domain, _nested={})

    def _signal(self, name):
        return self._domain.rst if name == "rst" else getattr(self._dut, name)

    def __getattr__(self, name):
        if name in self._nested:
            return self._nested[name]
        signal = self._signal(name)
        if isinstance(signal, wiring.PureInterface) or hasattr(signal, "signature"):
            return self._nested.setdefault(name, Pins(self._ctx, signal))
        return self._ctx.get(signal)

    def __setattr__(self, name, value):
        self._ctx.set(self._signal(name), value)

    def drive(self, **values):
        """Drives several members."""
        for name, value in values.items():
            setattr(self, name, value)

    async def tick(self, clocks=1):
        for _ in range(clocks):
            await self._ctx.tick()

    async def pulse(self, *names):
        """Holds inputs at 1 for one clock."""
        self.drive(**dict.fromkeys(names, 1))
        await self._ctx.tick()
        self.drive(**dict.fromkeys(names, 0))

    async def warm_reset(self, clocks=1):
        """A warm reset."""
        self.rst = 1
        await self.tick(clocks)
        self.rst = 0


def simulate(dut, script, *, processes=()):
    """Runs ``script(pins)`` on the component until it returns, and processes beside it."""
    top = Module()
    top.domains.sync = domain = ClockDomain()
    top.submodules.dut = dut

    async def testbench(ctx):
        await script(Pins(ctx, dut, domain))

    simulator = Simulator(top)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    for process in processes:
        simulator.add_process(process)
    simulator.run()
