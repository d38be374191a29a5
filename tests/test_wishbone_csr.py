"""The register front: Wishbone classic against the registers."""

import pytest
from fronted_bank import FrontedBank
from memsnap import SnapshotParams
from memsnap.bus.wishbone_csr import CSR_ADR_WIDTH, WishboneRegisters
from memsnap.regs.fields import REGISTERS

from sim import seeded, simulate

ID, CONTROL, MAP_INDEX, MAP_DATA, SHARE = (
    REGISTERS[name].offset // 4 for name in ("ID", "CONTROL", "MAP_INDEX", "MAP_DATA", "SHARE"))
START = REGISTERS["CONTROL"].pack(start=1)
LATEST = 100
LATENCY = 3


async def cycle(pins, adr, *, value=None, sel=0b1111):
    """A bus cycle; gives data, error, and the clocks from the request to its answer."""
    bus = pins.bus
    bus.drive(cyc=1, stb=1, adr=adr, we=value is not None, dat_w=value or 0, sel=sel)
    for clock in range(LATEST):
        if bus.ack or bus.err:
            assert not (bus.ack and bus.err)
            answer = bus.dat_r, bus.err, clock
            await pins.tick()
            bus.drive(stb=0)
            return answer
        await pins.tick()
    raise AssertionError(f"no answer at {adr:#x}")


async def ready(pins):
    """Past the clocks after a reset in which the bank hears nothing."""
    await cycle(pins, ID)
    pins.bus.cyc = 0


def test_address_covers_every_register():
    last = max(register.address(register.count - 1) for register in REGISTERS.values())
    assert last // 4 < 1 << CSR_ADR_WIDTH
    assert 0x100 + 16 * 0x20 <= 4 << CSR_ADR_WIDTH


def test_answers():
    async def script(pins):
        bus = pins.bus
        for _ in range(4):      # no answer without a request
            assert not bus.ack and not bus.err
            bus.drive(cyc=1, stb=0, adr=ID)
            await pins.tick()
            bus.drive(cyc=0, stb=1)
            await pins.tick()
        bus.drive(cyc=0, stb=0)
        await ready(pins)
        assert await cycle(pins, ID) == (REGISTERS["ID"].fields[0].reset, 0, LATENCY)
        assert not bus.ack      # the answer is one clock
        _, error, clock = await cycle(pins, (1 << CSR_ADR_WIDTH) - 1)
        assert (error, clock) == (1, LATENCY)
        assert not bus.err
        _, error, clock = await cycle(pins, SHARE, value=0x12345678)
        assert (error, clock) == (0, LATENCY)
        _, error, _ = await cycle(pins, SHARE, value=0xAABBCCDD, sel=0b0101)
        assert not error and pins.control.share == 0x12BB56DD
    simulate(FrontedBank(WishboneRegisters(), SnapshotParams()), script)


def test_start_reaches_the_unit_before_its_answer():
    async def script(pins):
        bus = pins.bus
        await ready(pins)
        bus.drive(cyc=1, stb=1, we=1, adr=CONTROL, dat_w=START, sel=0b1111)
        seen = []
        for _ in range(4):
            seen.append((pins.control.start, bus.ack))
            await pins.tick()
        assert seen == [(0, 0), (0, 0), (1, 0), (0, 1)]
    simulate(FrontedBank(WishboneRegisters(), SnapshotParams()), script)


def test_a_request_given_up_gets_no_answer():
    async def script(pins):
        bus = pins.bus
        await cycle(pins, MAP_INDEX, value=0)
        for drop in dict(stb=0), dict(cyc=0):
            bus.drive(cyc=1, stb=1, we=0, adr=MAP_DATA)
            await pins.tick(3)
            assert pins.control.map_read
            bus.drive(**drop)
            await pins.tick(2)
            bus.drive(cyc=1, stb=1, adr=ID)
            for _ in range(4):      # the bank still owes the first answer
                assert not bus.ack and not bus.err
                await pins.tick()
            pins.control.drive(map_valid=1, map_data=0xDEAD)
            await pins.tick()
            pins.control.drive(map_valid=0, map_data=0)
            assert await cycle(pins, ID) == (REGISTERS["ID"].fields[0].reset, 0, 1 + LATENCY)
    simulate(FrontedBank(WishboneRegisters(), SnapshotParams()), script)


@pytest.mark.parametrize("seed", range(3))
def test_random_traffic(seed):
    """Writes and reads of a few registers, with pauses and requests that are given up."""
    rng = seeded(seed)

    async def script(pins):
        model = {SHARE: SnapshotParams().share, MAP_INDEX: 0}
        starts = wanted = 0
        for _ in range(400):
            adr = rng.choice([SHARE, MAP_INDEX, ID, CONTROL, 0x0C0 // 4])
            if rng.random() < 0.1:      # given up in the clock after the request
                pins.bus.drive(cyc=1, stb=1, we=0, adr=adr)
                await pins.tick()
                pins.bus.drive(stb=0)
                await pins.tick(rng.randint(1, 3))
            elif rng.random() < 0.5:
                value, sel = rng.getrandbits(32) & ~0xE, rng.getrandbits(4)
                watch = bool(adr == CONTROL and value & sel & 1)
                wanted += watch
                pins.bus.drive(cyc=1, stb=1, we=1, adr=adr, dat_w=value, sel=sel)
                for _ in range(LATEST):
                    starts += pins.control.start
                    done = pins.bus.ack or pins.bus.err
                    error = pins.bus.err
                    await pins.tick()
                    if done:
                        break
                pins.bus.drive(stb=0)
                assert error == (adr == 0x0C0 // 4)
                if adr in model:
                    mask = sum(0xFF << 8 * byte for byte in range(4) if sel >> byte & 1)
                    model[adr] = model[adr] & ~mask | value & mask
            else:
                data, error, _ = await cycle(pins, adr)
                assert error == (adr == 0x0C0 // 4)
                if adr in model:
                    assert data == model[adr]
            if rng.random() < 0.3:
                await pins.tick(rng.randrange(4))
        assert starts == wanted > 5
    simulate(FrontedBank(WishboneRegisters(), SnapshotParams()), script)
