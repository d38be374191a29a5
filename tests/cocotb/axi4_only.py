"""What only AXI4 has: bursts over block edges, early data, many ids, refusals, full rate."""

import itertools

import cocotb
from clock import RuleError
from cocotbext.axi import AxiBurstType, AxiResp
from memsnap.driver import Refusal
from snapshots import must
from system import PARAMS, System


@cocotb.test()
async def a_burst_over_each_block_edge(dut):
    """Right after the instant, so that none of its blocks is copied."""
    system = await System.begin(dut)
    master, beat, block = system.side.masters[0], PARAMS.beat_bytes, PARAMS.block_size
    for start, length in ((-beat, 2 * beat), (-1, 2), (-2 * beat, 2 * block), (1, 3 * block)):
        writes = []
        await system.trigger()
        for edge in range(2, PARAMS.blocks - 4, 3):
            address = PARAMS.memory_base + edge * block + start
            if not system.side.map_is_touched(address, length):
                writes.append(master.init_write(address, system.rng.randbytes(length)))
        for event in writes:
            await event.wait()
            must(event.data.resp == AxiResp.OKAY, f"{event.data}")
        await system.wait()
        counters = await system.check_image()
        must(counters.held > 0, "no write was held")
        await system.end()


@cocotb.test()
async def data_that_comes_before_its_address(dut):
    system = await System.begin(dut)
    for master in system.side.masters:
        master.write_if.aw_channel.set_pause_generator(
            itertools.cycle([True] * 12 + [False]))
        master.write_if.w_channel.clear_pause_generator()
        master.write_if.w_channel.pause = False
    for _ in range(3):
        system.side.start_traffic(gap=3)
        await system.clocks(50)
        await system.driver.take(20_000)
        await system.check_image()
        await system.end()


@cocotb.test()
async def many_at_a_time_of_all_ids(dut):
    """Up to sixteen each way while a snapshot runs; each gets its own answer."""
    system = await System.begin(dut)
    beat, ids = PARAMS.beat_bytes, 1 << PARAMS.id_width
    await system.trigger()
    for _ in range(3):
        asked = []
        for index in range(16):
            for port, master in enumerate(system.side.masters):
                place = (2 * index + port) * PARAMS.block_size // 2 % (PARAMS.memory_size // 2)
                address = PARAMS.memory_base + place // beat * beat
                asked += [master.init_write(address, system.rng.randbytes(beat), awid=index % ids),
                          master.init_read(address, beat, arid=(index + 1) % ids)]
        for event in asked:
            await event.wait()
            must(event.data.resp == AxiResp.OKAY, f"{event.data}")
    await system.wait()
    await system.check_image()
    await system.end()


@cocotb.test()
async def what_an_initiator_reads_is_what_it_wrote(dut):
    """By cocotbext-axi's own account, of bursts of each kind and size."""
    system = await System.begin(dut)
    master, beat = system.side.masters[-1], PARAMS.beat_bytes
    base, rng = PARAMS.memory_base, system.rng
    await system.trigger()
    for size in range(beat.bit_length()):
        address = base + rng.randrange(8 * beat)
        data = rng.randbytes(11)
        await master.write(address, data, size=size)
        must((await master.read(address, 11, size=size)).data == data, f"size {size}")
    data = rng.randbytes(4 * beat)
    await master.write(base + 2 * beat, data, burst=AxiBurstType.WRAP)
    must((await master.read(base, 4 * beat)).data == data[2 * beat:] + data[:2 * beat], "WRAP")
    must((await master.read(base + 2 * beat, 4 * beat, burst=AxiBurstType.WRAP)).data == data,
         "WRAP")
    beside = (await master.read(base + beat, beat)).data
    await master.write(base, data, burst=AxiBurstType.FIXED)
    must((await master.read(base, 2 * beat)).data == data[-beat:] + beside, "FIXED")
    await system.wait()
    await system.check_image()
    await system.end()


@cocotb.test()
async def writes_to_what_is_protected_are_refused(dut):
    """With an error of the bus, and without an effect; reads go on."""
    system = await System.begin(dut)
    system.side.start_traffic()
    await system.driver.take(20_000)
    await system.check_image()
    if PARAMS.shadow.value == "same":
        first, size, kept = PARAMS.shadow_base, PARAMS.memory_size, system.side.shadow
    elif PARAMS.map_blocks:
        first, size, kept = PARAMS.map_base, 4, system.side.memory
    else:
        return await system.end()
    image = kept.read(first, size)
    for master, (start, length) in zip(itertools.cycle(system.side.masters),
                                       ((0, 4), (1, 1), (size - 1, 1), (0, size), (0, 4))):
        done = await master.write(first + start, system.rng.randbytes(length))
        must(done.resp == AxiResp.SLVERR, f"a write to what is protected gave {done.resp!r}")
        must(kept.read(first, size) == image, "a refused write had an effect")
        done = await master.read(first + start, length)
        must((done.resp, done.data) == (AxiResp.OKAY, image[start:start + length]),
             f"a read of what is protected gave {done.resp!r}")
    await system.end()


@cocotb.test()
async def errors_of_the_memory_reach_who_asked(dut):
    system = await System.begin(dut)
    master, beat = system.side.masters[0], PARAMS.beat_bytes
    where = (1 << PARAMS.addr_width) - 64       # beside memory and shadow
    bad = range(where + beat, where + beat + 1)
    system.side.fail("read", bad)
    system.side.fail("write", bad)
    await system.driver.start()
    system.side.start_traffic()
    for address, wanted in ((where, AxiResp.OKAY), (where + beat, AxiResp.SLVERR)):
        for done in (await master.write(address, bytes(beat)), await master.read(address, beat)):
            must(done.resp == wanted, f"at {address:#x} came {done.resp!r}, not {wanted!r}")
    await system.wait()
    await system.check_image()
    await system.end()


@cocotb.test()
async def a_start_while_one_runs_is_refused(dut):
    system = await System.begin(dut)
    system.side.start_traffic()
    await system.driver.start()
    await system.trigger()
    status = await system.driver.status()
    must(status.refused and status.refusal is Refusal.BUSY, f"not refused: {status}")
    await system.wait()
    await system.check_image()
    await system.end()


@cocotb.test()
async def it_moves_a_beat_a_clock(dut):
    """Without pauses a stream of writes and one of reads go on as without the unit: cocotbext-axi
    takes and gives a beat in each clock."""
    system = await System.begin(dut)
    for partner in [*system.side.masters, *system.side.rams.values()]:
        for channel in (partner.write_if.aw_channel, partner.write_if.w_channel,
                        partner.write_if.b_channel, partner.read_if.ar_channel,
                        partner.read_if.r_channel):
            channel.clear_pause_generator()
            channel.pause = False
    beats = PARAMS.memory_size // PARAMS.beat_bytes // 2
    data = system.rng.randbytes(beats * PARAMS.beat_bytes)
    begin = system.ticker.clock
    await system.side.masters[0].write(PARAMS.memory_base, data)
    middle = system.ticker.clock
    back = await system.side.masters[0].read(PARAMS.memory_base, len(data))
    if back.data != data:
        raise RuleError("what was read is not what was written")
    for name, clocks in ("write", middle - begin), ("read", system.ticker.clock - middle):
        must(clocks <= beats + 20, f"a {name} of {beats} beats took {clocks} clocks")
    await system.end()
