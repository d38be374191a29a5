"""The register front: AXI4-Lite against the registers."""

import pytest
from amaranth.sim import Simulator
from fronted_bank import FrontedBank
from memsnap import SnapshotParams
from memsnap.bus.axi4_lite_csr import LITE_ADDR_WIDTH, Axi4LiteRegisters
from memsnap.regs.fields import REGISTERS
from memsnap_sim.kit import Axi4Checker, Bench, LiteRegisterPort, pauses, read, write

from sim import seeded

ID, SHARE, HOLD_LIMIT = (REGISTERS[name].offset for name in ("ID", "SHARE", "HOLD_LIMIT"))


def run(*scripts, **options):
    """Runs ``script(port, ctx)`` of each port-side coroutine at once, with the rules watched."""
    dut = FrontedBank(Axi4LiteRegisters(), SnapshotParams(bus="axi4"))
    checker = Axi4Checker(dut.bus, name="csr")
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_process(checker.process)
    for script in scripts:
        port = LiteRegisterPort(dut.bus, **options)

        async def testbench(ctx, script=script, port=port):
            await script(port, ctx)
        simulator.add_testbench(testbench)
    simulator.run()
    assert checker.violations == [] and checker.outstanding == 0
    return dut


def test_address_covers_every_register():
    last = max(register.address(register.count - 1) for register in REGISTERS.values())
    assert last < 1 << LITE_ADDR_WIDTH


@pytest.mark.parametrize("lead", [-5, -1, 0, 1, 5])
def test_data_comes_before_or_after_the_address(lead):
    async def script(port, ctx):
        for value in 0x12345678, 0xffffffff, 0:
            await port.write(ctx, SHARE, value)
            assert await port.read(ctx, SHARE) == value
    run(script, lead=lambda: lead, stall=pauses.cycle([0, 3]))


def test_byte_lanes():
    async def script(port, ctx):
        await port.write(ctx, SHARE, 0x11223344)
        await port.write(ctx, SHARE, 0xaabbccdd, sel=0b0101)
        assert await port.read(ctx, SHARE) == 0x11bb33dd
        await port.write(ctx, SHARE, 0, sel=0)
        assert await port.read(ctx, SHARE) == 0x11bb33dd
    run(script)


def test_what_the_bank_refuses_is_slverr():
    async def script(port, ctx):
        nowhere = (1 << LITE_ADDR_WIDTH) - 4
        with pytest.raises(PermissionError, match=f"{nowhere:#x} was answered with SLVERR"):
            await port.read(ctx, nowhere)
        with pytest.raises(PermissionError, match="answered with SLVERR"):
            await port.write(ctx, nowhere, 1)
        assert await port.read(ctx, ID) == REGISTERS["ID"].fields[0].reset
    run(script)


def test_reads_and_writes_at_once():
    """Both ways are busy all the time, and neither starves the other."""
    done = []

    async def writes(port, ctx):
        for value in range(40):
            await port.write(ctx, SHARE, value)
            done.append("w")

    async def reads(port, ctx):
        seen = [await port.read(ctx, SHARE) for _ in range(40) if not done.append("r")]
        assert seen == sorted(seen) and len(set(seen)) > 10
    run(writes, reads)
    assert 10 < done[:40].count("w") < 30


def test_the_rest_of_the_address_is_not_looked_at():
    """Lowest bits of an address, and protection bits (B1.1.1)."""
    async def script(port, ctx):
        await ctx.tick()
        ctx.set(port.bus.arprot, 7)
        ctx.set(port.bus.araddr, ID + 3)
        ctx.set(port.bus.arvalid, 1)
        while not ctx.get(port.bus.arready):
            await ctx.tick()
        await ctx.tick()
        ctx.set(port.bus.arvalid, 0)
        assert ctx.get(port.bus.rvalid)
        assert ctx.get(port.bus.rdata) == REGISTERS["ID"].fields[0].reset
        ctx.set(port.bus.rready, 1)
        await ctx.tick()
        assert not ctx.get(port.bus.rvalid)
    run(script)


def test_registers_on_axi4_lite_with_data_on_wishbone():
    """The whole unit; the reverse is among the random runs on AXI4."""
    rng = seeded(7)
    params = SnapshotParams(memory_size=256, shadow_base=256, block_size=16, addr_width=12,
                            registers="axi4-lite")
    traffic = (write(rng.randrange(64), rng.getrandbits(32), gap=1) if rng.random() < 0.5
               else read(rng.randrange(64), gap=1) for _ in range(400))

    async def script(bench):
        await bench.ready()
        for pin in False, True:
            await bench.start(pin=pin, regions=[(0, 63)])
            await bench.try_to_disturb()
            await bench.end()
    bench = Bench(params, traffic=traffic, latency=3).run(script).check()
    assert [record.result for record in bench.snapshots] == ["done"] * 2
