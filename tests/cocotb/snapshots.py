"""Snapshots of the exported unit on any bus: what a user does, and what goes wrong."""

import cocotb
from clock import RuleError
from memsnap.driver import Cause, RegionKind
from system import PARAMS, System


def must(condition, complaint):
    if not condition:
        raise RuleError(complaint)


@cocotb.test()
async def without_a_snapshot_it_is_transparent(dut):
    system = await System.begin(dut)
    for _ in range(3):
        system.side.start_traffic(gap=4)
        await system.clocks(300)
        await system.end()
        system.side.pause()


@cocotb.test()
async def several_images_in_a_row_under_traffic(dut):
    system = await System.begin(dut)
    for index in range(6):
        system.side.pause()
        system.side.start_traffic(gap=(4, 20, 100)[index % 3])
        await system.clocks(system.rng.randrange(100))
        if index % 2:
            await system.trigger()
            await system.clocks(8)
        else:
            await system.driver.start()
        await system.wait()
        await system.check_image()
        await system.end()
        if index == 2:
            await system.driver.clear()


@cocotb.test()
async def initial_regions_are_copied(dut):
    system = await System.begin(dut)
    first = PARAMS.memory_base + PARAMS.block_size
    await system.driver.set_region(0, first, first + 3 * PARAMS.block_size - 1, RegionKind.KERNEL)
    await system.driver.take(20_000)
    counters = await system.check_image()
    wanted = 3 + PARAMS.map_blocks
    must(counters.blocks_initial == wanted, f"{wanted} blocks were to be first: {counters}")
    system.side.start_traffic()
    await system.driver.take(20_000)
    await system.check_image()
    await system.end()


@cocotb.test()
async def a_cancel_at_any_time(dut):
    system = await System.begin(dut)
    cancelled = 0
    for _ in range(5):
        system.side.pause()
        system.side.start_traffic()
        await system.driver.wait_ready(20_000)
        await system.trigger()
        await system.clocks(system.rng.randrange(300))
        await system.driver.cancel()
        await system.driver.wait_ready(20_000)
        status = await system.driver.status()
        must(status.cancelled != status.done, f"neither cancelled nor done: {status}")
        cancelled += status.cancelled
        await system.end()
    must(cancelled, "none was cancelled")
    system.side.start_traffic()
    await system.driver.take(20_000)
    await system.check_image()
    await system.end()


@cocotb.test()
async def an_error_of_the_shadow_is_not_an_image(dut):
    system = await System.begin(dut)
    block = PARAMS.blocks // 2
    where = PARAMS.shadow_base + block * PARAMS.block_size
    system.side.fail_copier("write", range(where, where + 1))
    system.side.start_traffic()
    await system.driver.start()
    status = await system.failure()
    must((status.cause, status.fail_block) == (Cause.WRITE_ERROR, block), f"wrong: {status}")
    await system.end()
    system.side.fail_copier("write", None)
    system.side.start_traffic()
    await system.driver.take(20_000)
    await system.check_image()
    await system.end()


@cocotb.test()
async def an_error_of_the_memory_is_not_an_image(dut):
    system = await System.begin(dut)
    block = PARAMS.blocks - 3
    where = PARAMS.memory_base + block * PARAMS.block_size
    system.side.fail_copier("read", range(where, where + 1))
    await system.driver.start()
    status = await system.failure()
    must((status.cause, status.fail_block) == (Cause.READ_ERROR, block), f"wrong: {status}")
    system.side.fail_copier("read", None)
    await system.end()
    system.side.start_traffic()
    await system.driver.take(20_000)
    await system.check_image()
    await system.end()


@cocotb.test()
async def a_memory_that_falls_silent_ends_it(dut):
    system = await System.begin(dut)
    await system.driver.set_timeout(100)
    await system.driver.start()
    await system.clocks(60)
    system.side.mute(True)
    await system.clocks(1000)
    system.side.mute(False)
    status = await system.failure()
    must(status.cause is Cause.TIMEOUT, f"wrong: {status}")
    system.side.start_traffic()
    await system.driver.take(20_000)
    await system.check_image()
    await system.end()


@cocotb.test()
async def a_reset_in_the_midst(dut):
    system = await System.begin(dut)
    for clocks in 3, 40, 170:
        system.side.start_traffic(gap=4)
        await system.driver.start()
        await system.clocks(clocks)
        await system.reset(2)
        status = await system.driver.status()
        must(not status.done and not status.protected, f"there seems to be an image: {status}")
        system.side.start_traffic(gap=4)
        await system.clocks(100)
        await system.end()
    system.side.start_traffic()
    await system.driver.take(20_000)
    await system.check_image()
    await system.end()
