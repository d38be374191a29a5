"""The software's side of the registers: one driver for a board, a compiled model and a testbench.

It needs nothing but an object with ``read32(offset)`` and ``write32(offset, value)``. Where these
are plain functions, use :class:`SnapshotDriver`; where they are coroutines, as in a testbench of
Amaranth's simulator, await the same methods of :class:`AsyncSnapshotDriver`.
"""

import functools
import inspect
import time

from .regs.access import value_of
from .regs.configuration import Configuration
from .regs.fields import REGISTERS, Cause, Failure, Refusal, RegionKind, Release, State
from .regs.results import (
    BusError,
    Capabilities,
    Counters,
    Policy,
    Region,
    SnapshotError,
    SnapshotFailedError,
    StartRefusedError,
    Status,
)

__all__ = ["AsyncSnapshotDriver", "BusError", "Capabilities", "Cause", "Counters", "Failure",
           "Policy", "Refusal", "Region", "RegionKind", "Release", "SnapshotDriver",
           "SnapshotError", "SnapshotFailedError", "StartRefusedError", "State", "Status"]


class AsyncSnapshotDriver(Configuration):
    """The driver, each method a coroutine.

    Parameters
    ----------
    access, now
        See :class:`~memsnap.regs.access.RegisterAccess`.
    """

    # Life of a snapshot --------------------------------------------------------------------------

    async def start(self):
        """Starts a snapshot. Raises :class:`StartRefusedError` with reason and remedy."""
        await self._command("start")
        status = await self.status()
        if status.refused:
            raise StartRefusedError(status.refusal, await self._remedy(status.refusal))

    async def wait(self, timeout=None):
        """Waits until the snapshot has ended, and gives its :class:`Status`.

        Raises :class:`SnapshotFailedError` if it ended without an image, and TimeoutError if it
        did not end in time.
        """
        status = await self._until(lambda status: not status["locked"], timeout,
                                   "the snapshot has not ended")
        if status.failed or status.cancelled:
            raise SnapshotFailedError(status)
        if not status.done:
            raise SnapshotError("there is no snapshot to wait for; start() one first")
        return status

    async def wait_ready(self, timeout=None):
        """Waits until a start is possible, and gives the :class:`Status`."""
        return await self._until(lambda status: status["ready"], timeout,
                                 "the unit is not ready for a start")

    async def take(self, timeout=None):
        """Waits until a start is possible, starts, and waits for the end; see :meth:`wait`."""
        await self.wait_ready(timeout)
        await self.start()
        return await self.wait(timeout)

    async def pause(self):
        """The background copy takes no more blocks; held writes are served as ever."""
        await self._write("PAUSE", REGISTERS["PAUSE"].pack(pause=1))

    async def resume(self):
        """Ends a :meth:`pause`."""
        await self._write("PAUSE", 0)

    async def paused(self):
        """Whether the background copy is paused."""
        return bool(await self._read("PAUSE"))

    async def ready_in(self):
        """Clocks until a start is possible, once the copier has no access under way; 0 for now."""
        return await self._read("READY_IN")

    async def cancel(self):
        """Asks for the end of the running snapshot; :meth:`wait` says how it ended."""
        await self._command("cancel")

    async def clear(self):
        """Forgets the last result and lifts the protection of its image."""
        await self._command("clear")

    async def status(self):
        """All of the unit's status, as :class:`Status`."""
        fields = await self._fields("STATUS")
        causes = await self._fields("CAUSE")
        return Status(state=State(fields.pop("state")),
                      **{name: bool(value) for name, value in fields.items()},
                      cause=Cause(causes["cause"]), refusal=Refusal(causes["refusal"]),
                      fail_block=await self._read("FAIL_BLOCK"))

    # What it found -------------------------------------------------------------------------------

    async def counters(self, *, latch=True):
        """All counters of one clock, as :class:`Counters`.

        Without ``latch``, those of the last latch or the last snapshot's end.
        """
        if latch:
            await self._command("latch")
        instant = await self._read64("INSTANT")
        rest = [name for name in Counters.__dataclass_fields__ if name != "instant"]
        return Counters(instant, *[await self._read(name.upper()) for name in rest])

    async def copied(self):
        """The copy map: a list of one bool a block, true for copied."""
        blocks = (await self.capabilities()).blocks
        bits = []
        for row in range(-(-blocks // 32)):
            await self._write("MAP_INDEX", row)
            word = await self._read("MAP_DATA")
            bits += [bool(word >> bit & 1) for bit in range(32)]
        return bits[:blocks]

    async def image(self, read32, offset=0, size=None):
        """The image's bytes from ``offset`` on, by default all.

        ``read32(address)`` reads a word of the memory that holds the shadow. ``offset`` and
        ``size`` are multiples of 4.
        """
        caps = await self.capabilities()
        size = caps.memory_size - offset if size is None else size
        if offset % 4 or size % 4 or not 0 <= offset <= offset + size <= caps.memory_size:
            raise ValueError(f"offset and size must be multiples of 4 within {caps.memory_size:#x} "
                             f"bytes, not {offset!r} and {size!r}")
        if not (await self.status()).done:
            raise SnapshotError("there is no complete image; start() a snapshot and wait() for it")
        words = [await value_of(read32(caps.shadow_base + each))
                 for each in range(offset, offset + size, 4)]
        return b"".join(word.to_bytes(4, "little") for word in words)

    # Interrupt -----------------------------------------------------------------------------------

    async def enable_interrupt(self, enable=True):
        """Whether the end of a snapshot requests an interrupt."""
        await self._configure("IRQ_ENABLE", ended=enable)

    async def take_interrupt(self):
        """Whether a snapshot has ended since the last call, which clears the interrupt."""
        pending = await self._read("IRQ_STATUS")
        await self._write("IRQ_STATUS", pending)
        return bool(pending)

    async def test_interrupt(self):
        """Makes it look as if a snapshot had ended."""
        await self._configure("IRQ_TEST", ended=1)

    async def _until(self, reached, timeout, complaint):
        end = None if timeout is None else self._now() + timeout
        while not reached(await self._fields("STATUS")):
            if end is not None and self._now() >= end:
                state = State((await self._fields("STATUS"))["state"]).name
                raise TimeoutError(f"{complaint} within {timeout}; it is in state {state}")
        return await self.status()

    async def _remedy(self, refusal):
        """Why a start was refused and what helps, in words."""
        if refusal is Refusal.BUSY:
            return ("the start was refused: a snapshot is running, or the map is still being "
                    "swept; wait_ready() first")
        if refusal is Refusal.POLICY:
            return ("the start was refused: the policy asks for what this build cannot do; "
                    "set_policy() anew")
        caps = await self.capabilities()
        last = caps.memory_base + caps.memory_size - 1
        for index, region in enumerate(await self.regions()):
            where = f"the start was refused: region {index}, {region.base:#x} to {region.limit:#x},"
            if not region.enable:
                continue
            if region.base > region.limit:
                return f"{where} has its base above its limit; set_region() or disable_region() it"
            if region.base < caps.memory_base or region.limit > last:
                return (f"{where} is not within the memory, {caps.memory_base:#x} to {last:#x}; "
                        f"set_region() or disable_region() it")
        return f"the start was refused: {refusal.name}"


def _at_once(function):
    """A method that runs a coroutine which never has to wait."""
    @functools.wraps(function)
    def method(self, *arguments, **options):
        coroutine = function(self._driver, *arguments, **options)
        try:
            coroutine.send(None)
        except StopIteration as end:
            return end.value
        coroutine.close()
        raise TypeError(f"SnapshotDriver.{function.__name__} needs read32 and write32 that do not "
                        f"wait; for coroutines use AsyncSnapshotDriver")
    return method


class SnapshotDriver:
    """The methods of :class:`AsyncSnapshotDriver` as plain ones, and with the same parameters."""

    def __init__(self, access, *, now=time.monotonic):
        self._driver = AsyncSnapshotDriver(access, now=now)


for _name, _function in inspect.getmembers(AsyncSnapshotDriver, inspect.iscoroutinefunction):
    if not _name.startswith("_"):
        setattr(SnapshotDriver, _name, _at_once(_function))
