"""A small system in Amaranth with a snapshot unit in it: `python examples/counting.py`.

A counter writes 1, 2, 3, … to one word of a memory after the other, round and round. In the midst
of that a snapshot is taken. The image holds consecutive numbers: it shows the memory at one
instant, while the counter went on.
"""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out, connect
from amaranth.sim import Simulator
from memsnap import SnapshotParams, SnapshotUnit
from memsnap.bus import wishbone
from memsnap.driver import AsyncSnapshotDriver

PARAMS = SnapshotParams(memory_size=1024, shadow_base=1024, block_size=64, pipelined=False)
WORDS = PARAMS.memory_size // 4


class Counter(wiring.Component):
    """Writes consecutive numbers, one word after the other."""

    bus: Out(wishbone.Signature.of(PARAMS))
    count: Out(32, init=1)

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [self.bus.cyc.eq(1), self.bus.stb.eq(1), self.bus.we.eq(1),
                     self.bus.sel.eq(0b1111), self.bus.dat_w.eq(self.count),
                     self.bus.adr.eq(self.count % WORDS)]
        with m.If(self.bus.ack):
            m.d.sync += self.count.eq(self.count + 1)
        return m


class Ram(wiring.Component):
    """Memory and shadow: answers in the clock after a request."""

    bus: In(wishbone.Signature.of(PARAMS))

    def __init__(self):
        super().__init__()
        self.memory = Memory(shape=32, depth=2 * WORDS, init=[])

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = self.memory
        write, read = self.memory.write_port(granularity=8), self.memory.read_port()
        begin = self.bus.cyc & self.bus.stb & ~self.bus.ack
        m.d.comb += [write.addr.eq(self.bus.adr), read.addr.eq(self.bus.adr), read.en.eq(begin),
                     write.data.eq(self.bus.dat_w), self.bus.dat_r.eq(read.data),
                     write.en.eq(self.bus.sel & (begin & self.bus.we).replicate(4))]
        m.d.sync += self.bus.ack.eq(begin)
        return m


class System(wiring.Component):
    """Counter, snapshot unit and memory; the registers are a port."""

    registers: In(wishbone.Signature(addr_width=8, data_width=32, pipelined=False))

    def __init__(self):
        super().__init__()
        self.counter, self.ram = Counter(), Ram()

    def elaborate(self, platform):
        m = Module()
        m.submodules.counter, m.submodules.ram = self.counter, self.ram
        m.submodules.snapshot = unit = SnapshotUnit(PARAMS)
        connect(m, self.counter.bus, unit.s_wb)
        connect(m, unit.m_wb, self.ram.bus)
        connect(m, wiring.flipped(self.registers), unit.csr_wb)
        return m


class Registers:
    """What the driver needs: accesses to the registers, here in a simulation."""

    def __init__(self, ctx, bus):
        self.ctx, self.bus = ctx, bus

    async def read32(self, offset):
        return await self._access(offset, we=0, data=0)

    async def write32(self, offset, value):
        await self._access(offset, we=1, data=value)

    async def _access(self, offset, *, we, data):
        ctx, bus = self.ctx, self.bus
        for name, value in {"cyc": 1, "stb": 1, "we": we, "adr": offset // 4, "sel": 15,
                            "dat_w": data}.items():
            ctx.set(getattr(bus, name), value)
        data, = await ctx.tick().sample(bus.dat_r).until(bus.ack | bus.err)
        ctx.set(bus.cyc, 0)
        ctx.set(bus.stb, 0)
        await ctx.tick()
        return data


def main():
    system = System()
    images = []

    async def software(ctx):
        driver = AsyncSnapshotDriver(Registers(ctx, system.registers))
        await ctx.tick().repeat(1000)
        before = ctx.get(system.counter.count)
        await driver.take()
        after = ctx.get(system.counter.count)
        images.append([ctx.get(system.ram.memory.data[WORDS + word]) for word in range(WORDS)])
        print(f"the counter went from {before} to {after} while the snapshot was taken")

    simulator = Simulator(system)
    simulator.add_clock(1e-6)
    simulator.add_testbench(software)
    simulator.run()
    image = sorted(images[0])
    print(f"the image holds {image[0]} to {image[-1]}")
    if image != list(range(image[0], image[0] + WORDS)):
        raise SystemExit("the image is not of one instant")


if __name__ == "__main__":
    main()
