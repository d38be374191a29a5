"""The exported unit with initiators and memories, and what the image must be."""

import logging
import os
import random

import cocotb
from axi4_side import Axi4Side
from clock import RuleError, Ticker
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiResp
from configurations import CONFIGURATIONS
from memsnap import SnapshotParams
from memsnap.driver import AsyncSnapshotDriver, BusError, SnapshotFailedError
from pauses import pauses
from wishbone_side import WishboneInitiator, WishboneSide

__all__ = ["PARAMS", "System"]

#: The configuration of this run.
PARAMS = SnapshotParams(**CONFIGURATIONS[os.environ["MEMSNAP_CONFIGURATION"]])

#: Clocks after which a wait for the unit is given up.
_LIMIT = 20_000


class _LiteRegisters:
    """The registers by cocotbext-axi's AXI4-Lite master."""

    def __init__(self, dut, rng):
        self._master = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "csr_axil"), dut.clk, dut.rst)
        write, read = self._master.write_if, self._master.read_if
        for channel in (write.aw_channel, write.w_channel, write.b_channel, read.ar_channel,
                        read.r_channel):
            if generator := pauses(rng):
                channel.set_pause_generator(generator)

    async def read32(self, offset):
        answer = await self._master.read(offset, 4)
        if answer.resp != AxiResp.OKAY:
            raise BusError(f"read at {offset:#x}")
        return int.from_bytes(answer.data, "little")

    async def write32(self, offset, value):
        answer = await self._master.write(offset, value.to_bytes(4, "little"))
        if answer.resp != AxiResp.OKAY:
            raise BusError(f"write at {offset:#x}")


class _WishboneRegisters:
    """The registers by our own driver."""

    def __init__(self, dut, rng):
        self._initiator = WishboneInitiator(dut, "csr_wb")
        self._initiator.pause = pauses(rng)

    async def read32(self, offset):
        answer = await self._initiator.access(offset)
        if answer.error:
            raise BusError(f"read at {offset:#x}")
        return answer.data

    async def write32(self, offset, value):
        if (await self._initiator.access(offset, we=True, data=value)).error:
            raise BusError(f"write at {offset:#x}")


class System:
    """Everything around the unit, reset and ready. Make it with :meth:`begin`.

    Attributes
    ----------
    side : Axi4Side or WishboneSide
    driver : AsyncSnapshotDriver
    rng : random.Random
    """

    @classmethod
    async def begin(cls, dut):
        """Starts the clock, fills the memory, and resets."""
        self = cls()
        seed = 4711 + int(os.environ.get("SEED", 0))
        dut._log.info(f"seed {seed}")
        self.dut, self.rng = dut, random.Random(seed)
        logging.getLogger(f"cocotb.{dut._name}").setLevel(logging.ERROR)
        dut.rst.value = 1
        dut.trigger.value = 0
        Clock(dut.clk, 10, unit="ns").start()
        self.ticker = Ticker(dut)
        side = Axi4Side if PARAMS.bus.value == "axi4" else WishboneSide
        self.side = side(dut, PARAMS, self.ticker, self.rng)
        registers = _LiteRegisters if hasattr(dut, "csr_axil_awvalid") else _WishboneRegisters
        self.driver = AsyncSnapshotDriver(registers(dut, self.rng), now=lambda: self.ticker.clock)
        cocotb.start_soon(self.ticker.run())
        self.side.memory.write(PARAMS.memory_base, self.rng.randbytes(PARAMS.memory_size))
        await self.reset()
        return self

    async def clocks(self, count):
        if count:
            await ClockCycles(self.dut.clk, count)

    async def reset(self, clocks=3):
        """A reset, after which what is in the memory counts as its beginning."""
        self.dut.rst.value = 1
        await self.clocks(clocks)
        self.side.forget_traffic()
        self.before = self.side.memory.read(PARAMS.memory_base, PARAMS.memory_size)
        self.dut.rst.value = 0
        await self.clocks(1)        # until all have seen that it is over
        await self.driver.wait_ready(_LIMIT)

    async def trigger(self):
        """Starts a snapshot by the pin."""
        self.dut.trigger.value = 1
        await self.clocks(1)
        self.dut.trigger.value = 0

    async def wait(self):
        """Waits until the snapshot is done."""
        return await self.driver.wait(_LIMIT)

    # What is right -------------------------------------------------------------------------------

    def memory_at(self, instant=None):
        """What the memory held at the beginning of a clock, by what it took until then."""
        held = bytearray(self.before)
        for clock, address, byte in self.side.writes():
            place = address - PARAMS.memory_base
            if 0 <= place < len(held) and (instant is None or clock < instant):
                held[place] = byte
        return bytes(held)

    async def check_image(self):
        """The shadow holds what the memory held at the instant that the unit tells."""
        counters = await self.driver.counters(latch=False)
        wanted = self.memory_at(counters.instant)
        image = self.side.shadow.read(PARAMS.shadow_base, PARAMS.memory_size)
        wrong = [place for place, pair in enumerate(zip(image, wanted, strict=True))
                 if pair[0] != pair[1]]
        if wrong:
            raise RuleError(f"{len(wrong)} bytes of the image of clock {counters.instant} are not "
                            f"what the memory held, the first at offset {wrong[0]:#x}")
        blocks = (counters.blocks_initial, counters.blocks_demand, counters.blocks_background)
        if sum(blocks) != PARAMS.blocks or not all(await self.driver.copied()):
            raise RuleError(f"the image is of {blocks} blocks of {PARAMS.blocks}, or its map has "
                            f"gaps")
        return counters

    def check_rest(self):
        """At rest: the unit was transparent, and the memory holds what was written and no more."""
        self.side.check()
        held = self.side.memory.read(PARAMS.memory_base, PARAMS.memory_size)
        if held != self.memory_at():
            raise RuleError("the memory does not hold what was written to it")

    async def end(self):
        """Ends the traffic, and checks what remains."""
        await self.side.stop_traffic()
        self.check_rest()

    async def failure(self):
        """Waits until the snapshot has ended without an image: its status."""
        try:
            await self.wait()
        except SnapshotFailedError:
            return await self.driver.status()
        raise RuleError("the snapshot was to fail, and is done")
