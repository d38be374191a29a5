"""The AXI4-Lite register port, with a target made for it."""

import pytest
from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator
from memsnap.bus import axi4
from memsnap.bus.axi4 import Response
from memsnap_sim.kit import Axi4Checker, LiteRegisterPort, pauses

SEED = 20_006


class Target:
    """Sixteen registers; address 0x3c is answered with SLVERR. ``pause`` is asked each clock."""

    def __init__(self, bus, pause=pauses.never, mute=False):
        self.bus, self.pause, self.mute = bus, pause, mute
        self.registers = [0] * 16

    async def process(self, ctx):
        bus = self.bus
        held = {}
        driven = dict.fromkeys(("awready", "wready", "arready", "bvalid", "rvalid"), 0)

        def drive(name, value):
            driven[name] = value
            ctx.set(getattr(bus, name), value)
        async for _, rst, awvalid, awaddr, wvalid, wdata, wstrb, bready, arvalid, araddr, rready \
                in ctx.tick().sample(bus.awvalid, bus.awaddr, bus.wvalid, bus.wdata, bus.wstrb,
                                     bus.bready, bus.arvalid, bus.araddr, bus.rready):
            if rst or self.mute:
                continue
            for name, valid, value in (("aw", awvalid, awaddr), ("w", wvalid, (wdata, wstrb)),
                                       ("ar", arvalid, araddr)):
                if valid and driven[name + "ready"]:
                    held[name] = value
            if driven["bvalid"] and bready:
                drive("bvalid", 0)
            elif not driven["bvalid"] and {"aw", "w"} <= held.keys() and not self.pause():
                address, (data, strobe) = held.pop("aw"), held.pop("w")
                mask = sum(255 << 8 * lane for lane in range(4) if strobe >> lane & 1)
                old = self.registers[address // 4]
                self.registers[address // 4] = old & ~mask | data & mask
                drive("bvalid", 1)
                ctx.set(bus.bresp, Response.SLVERR if address == 0x3c else Response.OKAY)
            if driven["rvalid"] and rready:
                drive("rvalid", 0)
            elif not driven["rvalid"] and "ar" in held and not self.pause():
                address = held.pop("ar")
                drive("rvalid", 1)
                ctx.set(bus.rdata, self.registers[address // 4])
                ctx.set(bus.rresp, Response.SLVERR if address == 0x3c else Response.OKAY)
            for name in "aw", "w", "ar":
                drive(name + "ready", int(name not in held and not self.pause()))


def run(*scripts, lead=pauses.never, stall=pauses.never, **options):
    bus = axi4.LiteSignature(addr_width=8).create()
    target, port, checker = (Target(bus, **options), LiteRegisterPort(
        bus, patience=100, lead=lead, stall=stall), Axi4Checker(bus))
    m = Module()
    m.domains.sync = domain = ClockDomain()
    m.d.sync += bus.awvalid.like(bus.awvalid, name="unused").eq(0)
    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_process(target.process)
    simulator.add_process(checker.process)
    for script in scripts:
        async def testbench(ctx, script=script):
            await script(ctx, port, domain)
        simulator.add_testbench(testbench)
    simulator.run()
    assert checker.violations == []
    return target


@pytest.mark.parametrize("lead", [-5, -1, 0, 1, 5])
@pytest.mark.parametrize("slow", [False, True])
def test_writes_and_reads(lead, slow):
    rng = pauses.generators(SEED)
    print(f"seed {SEED}")

    async def script(ctx, port, domain):
        for index in range(15):
            await port.write(ctx, 4 * index, 0x01010101 * index)
        await port.write(ctx, 4, 0xaabbccdd, 0b0110)
        assert await port.read(ctx, 4) == 0x01bbcc01
        for index in range(2, 15):
            assert await port.read(ctx, 4 * index) == 0x01010101 * index

    options = {"stall": pauses.sometimes(rng("port"), 0.5, 4),
               "pause": pauses.sometimes(rng("target"), 0.5)} if slow else {}
    target = run(script, lead=pauses.fixed(lead), **options)
    assert target.registers[2] == 0x02020202


def test_a_read_and_a_write_at_once():
    async def writes(ctx, port, domain):
        for value in range(20):
            await port.write(ctx, 8, value)

    async def reads(ctx, port, domain):
        seen = [await port.read(ctx, 8) for _ in range(20)]
        assert seen == sorted(seen)
        assert seen[-1] > 10

    run(writes, reads)


def test_errors():
    async def script(ctx, port, domain):
        with pytest.raises(PermissionError, match="register 0x3c was answered with SLVERR"):
            await port.write(ctx, 0x3c, 1)
        with pytest.raises(PermissionError, match="register 0x3c was answered with SLVERR"):
            await port.read(ctx, 0x3c)
        with pytest.raises(ValueError, match="address must be a multiple of 4, not 0x2"):
            await port.read(ctx, 2)
        await port.write(ctx, 0, 7)
        assert await port.read(ctx, 0) == 7

    run(script)


def test_no_answer():
    async def read(ctx, port, domain):
        with pytest.raises(TimeoutError, match="register 0x8 gave no answer in 100 clocks"):
            await port.read(ctx, 8)

    async def write(ctx, port, domain):
        with pytest.raises(TimeoutError, match="register 0x4 gave no answer in 100 clocks"):
            await port.write(ctx, 4, 0)

    run(read, write, mute=True)


def test_a_reset_interrupts():
    async def reset(ctx, port, domain):
        await ctx.tick().repeat(5)
        ctx.set(domain.rst, 1)
        await ctx.tick()
        ctx.set(domain.rst, 0)

    async def script(ctx, port, domain):
        with pytest.raises(ConnectionResetError, match="register 0x8 was interrupted by reset"):
            while True:
                await port.read(ctx, 8)

    run(script, reset)
