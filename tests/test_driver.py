"""The driver on the simulated registers: awaited in a testbench, and as plain functions."""

import queue
import threading

import guide
import pytest
from amaranth.hdl import Value
from amaranth.sim import Simulator
from fronted_bank import FrontedBank
from memsnap import SnapshotParams
from memsnap.bus.wishbone_csr import WishboneRegisters
from memsnap.driver import (
    AsyncSnapshotDriver,
    BusError,
    Capabilities,
    Failure,
    Policy,
    Region,
    SnapshotDriver,
    SnapshotError,
    SnapshotFailedError,
    StartRefusedError,
)
from memsnap.regs.constants import VERSION
from memsnap.regs.fields import REGISTERS, Cause, Refusal, RegionKind, Release, State
from memsnap_sim.kit.harness import Bench
from test_wishbone_csr import cycle

from sim import Pins

PARAMS = SnapshotParams(memory_base=0x400, memory_size=0x2A0, shadow_base=0x800, block_size=16,
                        addr_width=12, regions=3, timeout=99, share=5, release="copied")


class FakeUnit:
    """The core's side: snapshots of a hundred clocks that end as ``fate`` says."""

    def __init__(self, control, fate=Cause.NONE):
        self.control = control
        self.fate = fate

    async def run(self, ctx):
        self.ctx = ctx
        duration = clock = 0
        self.put(state=State.CLEARING)
        while True:
            await ctx.tick()
            clock += 1
            if clock == 200:
                self.put(state=State.IDLE, ready=1)
            elif self.get("start") and self.refusal():
                self.put(refused=1, refusal=self.refusal())
            elif self.get("start"):
                duration = 0
                self.put(state=State.BACKGROUND, locked=1, active=1, ready=0, protected=1, done=0,
                         failed=0, cancelled=0, refused=0, cause=0, refusal=0)
            elif self.get("locked") and (self.get("cancel") or duration == 300):
                self.end(Cause.CANCELLED if self.get("cancel") else self.fate)
            elif self.get("clear") and self.get("ready"):
                self.put(done=0, protected=0, state=State.IDLE)
            else:
                self.put(ended=0)
            duration += self.get("active")
            ctx.set(self.control.counters.instant, (1 << 32) + 77)
            ctx.set(self.control.counters.duration, duration)
            ctx.set(self.control.counters.stall_total, 2 * duration)
            # A row of the map is there one clock after it is asked for.
            self.put(map_valid=self.get("map_read"), map_data=0xA5A5A500 | self.get("map_row"))

    def put(self, **values):
        for name, value in values.items():
            member = Value.cast(getattr(self.control, name))
            self.ctx.set(member, int(getattr(value, "value", value)))

    def get(self, name):
        return self.ctx.get(Value.cast(getattr(self.control, name)))

    def refusal(self):
        if not self.get("ready"):
            return Refusal.BUSY
        return Refusal(self.get("unsound"))

    def end(self, cause):
        good = cause == Cause.NONE
        cancelled = cause == Cause.CANCELLED
        self.put(ended=1, locked=0, active=0, ready=1, protected=good, done=good, cause=cause,
                 cancelled=cancelled, failed=not good and not cancelled, fail_block=7,
                 state=State.DONE if good else State.IDLE)


class Bus:
    """The registers' bus in the simulator, as coroutines or, from outside, as plain functions."""

    def __init__(self, fate):
        dut = FrontedBank(WishboneRegisters(), PARAMS)
        self.clock = 0
        self.dut = dut
        self.simulator = Simulator(dut)
        self.simulator.add_clock(1e-6)
        self.simulator.add_testbench(FakeUnit(dut.control, fate).run, background=True)

    def now(self):
        return self.clock

    async def read32(self, offset):
        return await self.access(offset)

    async def write32(self, offset, value):
        await self.access(offset, value=value)

    async def access(self, offset, **options):
        data, error, clocks = await cycle(self.pins, offset // 4, **options)
        self.clock += clocks + 1
        if error:
            raise BusError(f"no answer at {offset:#x}")
        return data

    def run_awaited(self, scenario):
        async def testbench(ctx):
            self.pins = Pins(ctx, self.dut)
            await scenario(AsyncSnapshotDriver(self, now=self.now), self)
        self.simulator.add_testbench(testbench)
        self.simulator.run()

    def run_plain(self, scenario):
        plain = Plain(self)
        coroutine = scenario(Awaitable(SnapshotDriver(plain, now=self.now)), plain)
        with pytest.raises(StopIteration):
            coroutine.send(None)


class Plain:
    """Plain functions that let the simulation go on until the answer is there."""

    def __init__(self, bus):
        self.bus = bus
        self.dut = bus.dut
        self.request = self.result = None
        bus.simulator.add_testbench(self.serve)

    async def serve(self, ctx):
        self.bus.pins = Pins(ctx, self.bus.dut)
        self.ctx = ctx
        while True:
            if self.request:
                method, arguments = self.request
                self.request = None
                try:
                    self.result = True, await method(*arguments)
                except BusError as error:
                    self.result = False, error
            else:
                await ctx.tick()

    def call(self, method, *arguments):
        self.request, self.result = (method, arguments), None
        while self.result is None:
            self.bus.simulator.advance()
        good, value = self.result
        if not good:
            raise value
        return value

    def read32(self, offset):
        return self.call(self.bus.read32, offset)

    def write32(self, offset, value):
        self.call(self.bus.write32, offset, value)


class Awaitable:
    """Lets a scenario await the plain driver, so that one text serves both."""

    def __init__(self, driver):
        self._driver = driver

    def __getattr__(self, name):
        async def method(*arguments, **options):
            return getattr(self._driver, name)(*arguments, **options)
        return method


def on_registers(fate=Cause.NONE):
    """Runs a scenario with both drivers."""
    def decorate(scenario):
        @pytest.mark.parametrize("form", ["awaited", "plain"])
        def test(form):
            getattr(Bus(fate), f"run_{form}")(scenario)
        return test
    return decorate


@on_registers()
async def test_capabilities(driver, bus):
    assert await driver.capabilities() == Capabilities(
        version=VERSION, data_width=32, block_size=16, regions=3, release=Release.COPIED,
        pipelined=True, ports=1, buffer_depth=64, jobs=16, memory_base=0x400, memory_size=0x2A0,
        shadow_base=0x800, shadow_separate=False, retry=False, io_hold=False, map_base=None)
    assert (await driver.capabilities()).blocks == 42


@on_registers()
async def test_snapshot(driver, bus):
    with pytest.raises(SnapshotError, match="there is no snapshot to wait for; start.. one first"):
        await driver.wait()
    status = await driver.wait_ready(1000)
    assert status.state is State.IDLE and status.ready and not status.done
    await driver.enable_interrupt()
    await driver.start()
    status = await driver.status()
    assert status.active and status.locked and not status.ready
    assert status.state is State.BACKGROUND
    early = await driver.counters()
    assert 0 < early.duration < 300 and early.stall_total == 2 * early.duration
    assert await driver.counters(latch=False) == early
    with pytest.raises(TimeoutError,
                       match="^the snapshot has not ended within 20; it is in state BACKGROUND$"):
        await driver.wait(20)
    status = await driver.wait(1000)
    assert status.done and status.protected and status.cause is Cause.NONE
    counters = await driver.counters(latch=False)
    assert counters.instant == (1 << 32) + 77 and counters.duration >= 300
    assert await driver.take_interrupt() and not await driver.take_interrupt()
    await driver.clear()
    status = await driver.status()
    assert not status.done and not status.protected and status.state is State.IDLE


@on_registers()
async def test_copy_map(driver, bus):
    bits = await driver.copied()
    words = 0xA5A5A500 | (0xA5A5A501 << 32)
    assert bits == [bool(words >> block & 1) for block in range(42)]


@on_registers()
async def test_image(driver, bus):
    read = []

    def memory(address):
        read.append(address)
        return address

    with pytest.raises(SnapshotError, match="^there is no complete image; start"):
        await driver.image(memory)
    with pytest.raises(ValueError, match="^offset and size must be multiples of 4 within 0x2a0 "
                                         "bytes, not 2 and 8$"):
        await driver.image(memory, 2, 8)
    await driver.wait_ready()
    await driver.start()
    await driver.wait()
    image = await driver.image(memory, 8, 8)
    assert image == (0x808).to_bytes(4, "little") + (0x80C).to_bytes(4, "little")
    assert len(await driver.image(memory)) == 0x2A0
    assert read[2:] == list(range(0x800, 0xAA0, 4))


@on_registers()
async def test_cancel(driver, bus):
    await driver.wait_ready()
    await driver.start()
    await driver.cancel()
    with pytest.raises(SnapshotFailedError) as caught:
        await driver.wait()
    assert str(caught.value) == "the snapshot ended without an image: it was cancelled"
    assert caught.value.status.cancelled and caught.value.status.cause is Cause.CANCELLED


@on_registers(fate=Cause.WRITE_ERROR)
async def test_failure(driver, bus):
    await driver.wait_ready()
    await driver.start()
    with pytest.raises(SnapshotFailedError) as caught:
        await driver.wait()
    assert str(caught.value) == ("the snapshot ended without an image: the shadow answered a write "
                                 "with an error in block 7")
    assert caught.value.status.failed


@on_registers()
async def test_refusals(driver, bus):
    with pytest.raises(StartRefusedError) as caught:
        await driver.start()
    assert caught.value.refusal is Refusal.BUSY
    assert str(caught.value) == ("the start was refused: a snapshot is running, or the map is "
                                 "still being swept; wait_ready() first")
    await driver.wait_ready()
    await driver.set_region(0, 0x400, 0x4FF)
    await driver.set_region(2, 0x680, 0x6A0)
    with pytest.raises(StartRefusedError) as caught:
        await driver.start()
    assert caught.value.refusal is Refusal.REGION_RANGE
    assert str(caught.value) == ("the start was refused: region 2, 0x680 to 0x6a0, is not within "
                                 "the memory, 0x400 to 0x69f; set_region() or disable_region() it")
    await driver.disable_region(2)
    for name, value in ("BASE_LO", 0x410), ("LIMIT_LO", 0x400), ("ATTR", 1):
        # behind the driver's back, which refuses what is out of order
        result = bus.write32(REGISTERS[f"REGION.{name}"].address(1), value)
        if result is not None:
            await result
    with pytest.raises(StartRefusedError) as caught:
        await driver.start()
    assert caught.value.refusal is Refusal.REGION_ORDER
    assert str(caught.value) == ("the start was refused: region 1, 0x410 to 0x400, has its base "
                                 "above its limit; set_region() or disable_region() it")
    await driver.disable_region(1)
    await driver.start()


@on_registers()
async def test_regions_and_policy(driver, bus):
    assert await driver.timeout() == 99 and await driver.share() == 5
    await driver.set_timeout(1234)
    await driver.set_region(1, 0x440, 0x44F, RegionKind.KERNEL)
    await driver.set_region(2, 0x400, 0x40F, RegionKind.DMA, enable=False)
    assert await driver.timeout() == 1234
    assert await driver.regions() == [
        Region(0, 0, RegionKind.USER, False),
        Region(0x440, 0x44F, RegionKind.KERNEL, True),
        Region(0x400, 0x40F, RegionKind.DMA, False),
    ]
    with pytest.raises(ValueError, match="^region must be 0 to 2, not 3$"):
        await driver.set_region(3, 0, 1)
    with pytest.raises(ValueError, match="^a region's base must not be above its limit, both of 64 "
                                         "bits, not 0x2 and 0x1$"):
        await driver.set_region(0, 2, 1)
    with pytest.raises(ValueError, match="^TIMEOUT.clocks must fit 32 bits, not 4294967296$"):
        await driver.set_timeout(1 << 32)

    await driver.wait_ready()
    await driver.start()
    await driver.set_share(0)       # at any time
    assert await driver.share() == 0
    with pytest.raises(SnapshotError, match=r"^TIMEOUT is locked while a snapshot runs; wait\(\) "
                                            r"for its end or cancel\(\) it$"):
        await driver.set_timeout(1)
    with pytest.raises(SnapshotError, match=r"^REGION.ATTR is locked while a snapshot runs"):
        await driver.disable_region(1)
    assert await driver.timeout() == 1234


@on_registers()
async def test_limits_and_policy(driver, bus):
    for name in "timeout", "deadline", "hold_limit", "share":
        await getattr(driver, f"set_{name}")(0xFFFFFFFF)
        assert await getattr(driver, name)() == 0xFFFFFFFF
    await driver.set_pace(0xFFFF)
    assert await driver.pace() == 0xFFFF
    with pytest.raises(ValueError, match="^PACE.clocks must fit 16 bits, not 65536$"):
        await driver.set_pace(0x10000)
    assert await driver.policy() == Policy()
    for options, message in (
            (dict(retries=1), "retries must be 0, not 1; build the unit with retry=True"),
            (dict(retries=16), "POLICY.retries must fit 4 bits, not 16"),
            (dict(failure=Failure.FAIL_WRITE), "failure must be BREAK, not FAIL_WRITE; build the "
                                               "unit with retry=True and release='copied'"),
            (dict(hold_io=True), "hold_io must be False, not True; build the unit with "
                                 "io_hold=True")):
        with pytest.raises(ValueError) as caught:
            await driver.set_policy(**options)
        assert str(caught.value) == message
    assert await driver.policy() == Policy()
    await driver.set_policy()

    await driver.deny_reads(0)
    assert await driver.denied_reads() == {0}
    with pytest.raises(ValueError, match="^port must be 0 to 0, not 1$"):
        await driver.deny_reads(0, 1)
    await driver.deny_reads()
    assert await driver.denied_reads() == set()


@on_registers()
async def test_at_any_time(driver, bus):
    await driver.wait_ready()
    await driver.start()
    assert not await driver.paused()
    await driver.pause()
    assert await driver.paused()
    await driver.resume()
    assert not await driver.paused()
    await driver.set_pace(3)
    await driver.set_share(4)
    for call in (driver.set_deadline(1), driver.set_hold_limit(1), driver.set_policy(),
                 driver.deny_reads(), driver.lock()):
        with pytest.raises(SnapshotError, match="is locked while a snapshot runs"):
            await call


@on_registers()
async def test_lock(driver, bus):
    assert not await driver.locked_until_reset()
    await driver.lock()
    await driver.lock()
    assert await driver.locked_until_reset()
    with pytest.raises(SnapshotError, match=r"^DEADLINE is locked until the next reset; set it "
                                            r"before lock\(\)$"):
        await driver.set_deadline(1)
    await driver.set_pace(3)
    assert (await driver.take()).done


@on_registers()
async def test_interrupt(driver, bus):
    await driver.enable_interrupt()
    assert not await driver.take_interrupt()
    await driver.test_interrupt()
    assert await driver.take_interrupt()
    assert (await driver.take(1000)).done and await driver.take_interrupt()


@pytest.mark.parametrize("cause, text", [
    (Cause.DEADLINE, "it took longer than set_deadline() allows"),
    (Cause.HOLD_LIMIT, "a write was held for longer than set_hold_limit() allows"),
    (Cause.IO_TIMEOUT, "an ungated master did not hold still within set_timeout()"),
    (Cause.TIMEOUT, "the memory gave no answer for as long as set_timeout() allows"),
    (Cause.READ_ERROR, "the memory answered a read with an error in block 7")])
def test_causes(cause, text):
    async def scenario(driver, bus):
        with pytest.raises(SnapshotFailedError) as caught:
            await driver.take()
        assert str(caught.value) == f"the snapshot ended without an image: {text}"
    Bus(cause).run_plain(scenario)


# Drivers without a unit --------------------------------------------------------------------------

class Nothing:
    """A bus with memory where the registers should be."""

    def read32(self, offset):
        return 0xFFFFFFFF

    def write32(self, offset, value):
        raise BusError(f"nothing at {offset:#x}")


def test_no_unit():
    with pytest.raises(SnapshotError) as caught:
        SnapshotDriver(Nothing()).capabilities()
    assert str(caught.value) == ("no snapshot unit here: ID must read 0x50414e53, not 0xffffffff; "
                                 "check the registers' base address")


def test_bus_errors_are_passed_on():
    with pytest.raises(BusError, match="nothing at 0x44"):
        SnapshotDriver(Nothing()).set_share(1)


def test_plain_driver_refuses_coroutines():
    class Waiting:
        async def read32(self, offset):
            await Never()

    class Never:
        def __await__(self):
            yield

    with pytest.raises(TypeError, match="^SnapshotDriver.timeout needs read32 and write32 that do "
                                        "not wait; for coroutines use AsyncSnapshotDriver$"):
        SnapshotDriver(Waiting()).timeout()


def test_both_drivers_have_the_same_methods():
    methods = [{name for name in dir(each) if not name.startswith("_")}
               for each in (SnapshotDriver, AsyncSnapshotDriver)]
    assert methods[0] == methods[1] and "start" in methods[0]


# The whole unit ----------------------------------------------------------------------------------

class OnBench:
    """The registers of a unit on a bench."""

    def __init__(self, bench):
        self.bench = bench

    async def read32(self, offset):
        return await self.bench.registers.read(self.bench._ctx, offset)

    async def write32(self, offset, value):
        try:
            await self.bench.registers.write(self.bench._ctx, offset, value)
        except PermissionError as error:
            raise BusError(str(error)) from None


def test_whole_unit():
    params = SnapshotParams(memory_size=0x400, shadow_base=0x400, addr_width=12, block_size=32)

    async def script(bench):
        driver = AsyncSnapshotDriver(OnBench(bench), now=lambda: bench.clock)
        await driver.wait_ready(500)
        await driver.set_region(0, 0x80, 0xBF, RegionKind.KERNEL)
        await driver.start()
        with pytest.raises(SnapshotError, match="^REGION.ATTR is locked while a snapshot runs"):
            await driver.disable_region(0)
        with pytest.raises(StartRefusedError, match="a snapshot is running"):
            await driver.start()
        await driver.wait(5000)
        counters = await driver.counters(latch=False)
        assert counters == await driver.counters()
        assert counters.blocks_initial == 2 and counters.blocks_background == 30
        assert await driver.copied() == [True] * 32
        assert await driver.image(
            lambda address: bench.memory.words[address // 4]) == bench.initial[:0x400]

        await driver.set_region(1, 0x3E0, 0x400)
        with pytest.raises(StartRefusedError, match="region 1, 0x3e0 to 0x400, is not within"):
            await driver.start()
        await driver.disable_region(1)
        await driver.clear()
        await driver.start()
        await driver.cancel()
        with pytest.raises(SnapshotFailedError, match="it was cancelled"):
            await driver.wait(500)

    Bench(params).run(script)


# The guide ---------------------------------------------------------------------------------------

class FromAThread:
    """Registers for plain functions in a thread of their own; clocks pass while they wait."""

    def __init__(self, bench):
        self.bench = bench
        self.requests, self.answers = queue.Queue(), queue.Queue()

    async def run(self, function):
        """Runs ``function(self)`` and gives what it gives."""
        def body():
            try:
                self.requests.put((None, function(self)))
            except BaseException as error:
                self.requests.put((None, error))

        registers, ctx = self.bench.registers, self.bench._ctx
        thread = threading.Thread(target=body)
        thread.start()
        while (request := self.requests.get())[0] is not None:
            name, arguments = request
            try:
                answer = await getattr(registers, name)(ctx, *arguments)
            except PermissionError as error:
                answer = BusError(str(error))
            self.answers.put(answer)
        thread.join()
        if isinstance(request[1], BaseException):
            raise request[1]
        return request[1]

    def _ask(self, *request):
        self.requests.put(request)
        answer = self.answers.get()
        if isinstance(answer, BusError):
            raise answer
        return answer

    def read32(self, offset):
        return self._ask("read", (offset,))

    def write32(self, offset, value):
        self._ask("write", (offset, value))


def on_unit(steps, **changes):
    """Runs plain ``steps(registers, bench)`` on a unit with everything built in."""
    params = SnapshotParams(**{
        **dict(memory_size=0x400, shadow_base=0x400, addr_width=12, block_size=32, ports=2,
               retry=True, io_hold=True, release="copied"), **changes})
    bench = Bench(params)

    async def script(bench):
        await FromAThread(bench).run(lambda registers: steps(registers, bench))

    bench.run(script)


def test_guide():
    def steps(registers, bench):
        driver = guide.find(registers)
        guide.choose_regions(driver, kernel=0x40, buffer=0x80, size=64)
        guide.choose_limits(driver)
        assert driver.policy() == Policy(Failure.BREAK, 3, False) and driver.deadline()
        image = guide.take(driver, read_memory)
        assert image == bench.initial[:0x400]
        counters = driver.counters(latch=False)
        assert counters.blocks_initial == 4 and counters.blocks_background == 28
        guide.start(driver)
        assert not driver.status().ready
        assert guide.finish(driver)
        guide.pause_and_resume(driver)
        guide.slow_down(driver, 40)
        driver.take()
        assert driver.counters().duration >= 27 * 40
        guide.full_speed(driver)
        driver.start()
        guide.cancel(driver)
        assert driver.status().cancelled
        guide.on_interrupt(driver)      # that of the snapshots above
        driver.enable_interrupt()
        assert not guide.on_interrupt(driver)
        driver.take()
        assert guide.on_interrupt(driver)
        guide.protect(driver)
        assert driver.denied_reads() == {1} and driver.locked_until_reset()
        guide.give_up_the_image(driver)
        assert not driver.status().protected

    def read_memory(address):
        return bench_of[0].memory.words[address // 4]

    bench_of = []
    on_unit(lambda registers, bench: (bench_of.append(bench), steps(registers, bench)))


def test_failures_of_the_guide(capsys):
    def steps(registers, bench):
        driver = guide.find(registers)
        driver.wait_ready()
        driver.set_deadline(100)
        driver.pause()
        guide.start(driver)
        assert not guide.finish(driver)
        assert driver.status().cause is Cause.DEADLINE
        driver.set_deadline(0)
        driver.resume()
        driver.wait_ready()
        driver.set_region(0, 0, 0x3FF)
        registers.write32(REGISTERS["REGION.LIMIT_LO"].address(0), 0x400)
        guide.start(driver)
        assert driver.status().refusal is Refusal.REGION_RANGE
        with pytest.raises(SnapshotFailedError):    # still that of the deadline
            driver.wait()

    on_unit(steps)
    assert "region 0, 0x0 to 0x400, is not within the memory" in capsys.readouterr().out


def test_a_policy_that_the_build_cannot_keep():
    def steps(registers, bench):
        driver = guide.find(registers)
        driver.wait_ready()
        # behind the driver's back, which refuses it
        registers.write32(REGISTERS["POLICY"].offset, REGISTERS["POLICY"].pack(retries=1))
        with pytest.raises(StartRefusedError, match="the policy asks for what this build cannot "
                                                    r"do; set_policy\(\) anew$"):
            driver.start()
        driver.set_policy()
        driver.start()

    on_unit(steps, retry=False)


def test_ungated_masters_that_never_answer():
    def steps(registers, bench):
        driver = guide.find(registers)
        driver.set_timeout(60)
        driver.set_policy(hold_io=True)
        driver.wait_ready()
        driver.start()
        with pytest.raises(SnapshotFailedError, match="did not hold still"):
            driver.wait()

    on_unit(steps)
