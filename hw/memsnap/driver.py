"""The software's side of the registers: one driver for a board, a compiled model and a testbench.

It needs nothing but an object with ``read32(offset)`` and ``write32(offset, value)``. Where these
are plain functions, use :class:`SnapshotDriver`; where they are coroutines, as in a testbench of
Amaranth's simulator, await the same methods of :class:`AsyncSnapshotDriver`.
"""

import functools
import inspect
import time

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


class AsyncSnapshotDriver:
    """The driver, each method a coroutine.

    Parameters
    ----------
    access : object
        Has ``read32(offset)`` and ``write32(offset, value)``, plain functions or coroutines, that
        raise :class:`BusError` when the bus answers with an error.
    now : function
        The time for timeouts: by default seconds, in a simulation perhaps clocks.
    """

    def __init__(self, access, *, now=time.monotonic):
        self._access = access
        self._now = now

    # What the unit is ----------------------------------------------------------------------------

    async def capabilities(self):
        """How the unit was built, as :class:`Capabilities`."""
        magic, expected = await self._read("ID"), REGISTERS["ID"].fields[0].reset
        if magic != expected:
            raise SnapshotError(f"no snapshot unit here: ID must read {expected:#010x}, not "
                                f"{magic:#010x}; check the registers' base address")
        version, caps0, caps1 = [await self._fields(each) for each in ("VERSION", "CAPS0", "CAPS1")]
        return Capabilities(
            version=(version["major"], version["minor"], version["patch"]),
            data_width=1 << caps0["data_width_log2"],
            block_size=1 << caps0["block_size_log2"],
            regions=caps0["regions"],
            release=Release(caps0["release"]),
            pipelined=bool(caps0["pipelined"]),
            ports=caps0["ports"],
            buffer_depth=caps1["buffer_depth"],
            jobs=caps1["jobs"],
            memory_base=await self._read64("MEMORY_BASE"),
            memory_size=await self._read64("MEMORY_SIZE"),
            shadow_base=await self._read64("SHADOW_BASE"),
            shadow_separate=bool(caps0["shadow_kind"]),
            retry=bool(caps1["retry"]),
            io_hold=bool(caps1["io_hold"]),
        )

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
        words = [await _value(read32(caps.shadow_base + each))
                 for each in range(offset, offset + size, 4)]
        return b"".join(word.to_bytes(4, "little") for word in words)

    # Configuration -------------------------------------------------------------------------------

    async def set_region(self, index, base, limit, kind=RegionKind.USER, *, enable=True):
        """Sets an entry of the region table: bytes ``base`` to ``limit``, both included."""
        await self._check_region(index)
        if not 0 <= base <= limit < 1 << 64:
            raise ValueError(f"a region's base must not be above its limit, both of 64 bits, not "
                             f"{base:#x} and {limit:#x}")
        attributes = REGISTERS["REGION.ATTR"].pack(enable=enable, kind=RegionKind(kind))
        await self._write("REGION.ATTR", 0, index)
        for name, value in ("BASE", base), ("LIMIT", limit):
            await self._write(f"REGION.{name}_LO", value & 0xFFFFFFFF, index)
            await self._write(f"REGION.{name}_HI", value >> 32, index)
        await self._write("REGION.ATTR", attributes, index)

    async def disable_region(self, index):
        """Takes an entry of the region table out of use."""
        await self._check_region(index)
        await self._write("REGION.ATTR", 0, index)

    async def regions(self):
        """The region table, as a list of :class:`Region`."""
        table = []
        for index in range((await self.capabilities()).regions):
            base = await self._read64("REGION.BASE", index)
            limit = await self._read64("REGION.LIMIT", index)
            fields = await self._fields("REGION.ATTR", index)
            table.append(Region(base, limit, RegionKind(fields["kind"]), bool(fields["enable"])))
        return table

    async def policy(self):
        """What gives way when a write is held for too long, as :class:`Policy`."""
        fields = await self._fields("POLICY")
        return Policy(Failure(fields["failure"]), fields["retries"], bool(fields["hold_io"]))

    async def set_policy(self, failure=Failure.BREAK, *, retries=0, hold_io=False):
        """Sets :meth:`policy`. Raises ValueError for what this build cannot do."""
        word = REGISTERS["POLICY"].pack(failure=Failure(failure), retries=retries, hold_io=hold_io)
        caps = await self.capabilities()
        if retries and not caps.retry:
            raise ValueError(f"retries must be 0, not {retries!r}; build the unit with retry=True")
        if failure and not (caps.retry and caps.release is Release.COPIED):
            raise ValueError("failure must be BREAK, not FAIL_WRITE; build the unit with "
                             "retry=True and release='copied'")
        if hold_io and not caps.io_hold:
            raise ValueError("hold_io must be False, not True; build the unit with io_hold=True")
        await self._write("POLICY", word)

    async def timeout(self):
        """Clocks without an answer of the memory after which a snapshot fails; 0 for never."""
        return await self._read("TIMEOUT")

    async def set_timeout(self, clocks):
        """Sets :meth:`timeout`."""
        await self._configure("TIMEOUT", clocks=clocks)

    async def deadline(self):
        """Clocks from the instant after which a snapshot fails; 0 for never."""
        return await self._read("DEADLINE")

    async def set_deadline(self, clocks):
        """Sets :meth:`deadline`."""
        await self._configure("DEADLINE", clocks=clocks)

    async def hold_limit(self):
        """Clocks that a write may be held until the policy applies; 0 for any number."""
        return await self._read("HOLD_LIMIT")

    async def set_hold_limit(self, clocks):
        """Sets :meth:`hold_limit`."""
        await self._configure("HOLD_LIMIT", clocks=clocks)

    async def denied_reads(self):
        """The upstream ports whose reads of the shadow are answered with an error, as a set."""
        bits = await self._read("PROTECT")
        return {port for port in range(bits.bit_length()) if bits >> port & 1}

    async def deny_reads(self, *ports):
        """Sets :meth:`denied_reads` to these ports, and to no others."""
        count = (await self.capabilities()).ports
        for port in ports:
            if not 0 <= port < count:
                raise ValueError(f"port must be 0 to {count - 1}, not {port!r}")
        await self._configure("PROTECT", deny_read=sum(1 << port for port in set(ports)))

    async def lock(self):
        """Keeps all configuration above as it is until the next reset."""
        if not await self.locked_until_reset():
            await self._configure("LOCK", until_reset=1)

    async def locked_until_reset(self):
        """Whether :meth:`lock` was called since the last reset."""
        return bool(await self._read("LOCK"))

    # Configuration that may change at any time ---------------------------------------------------

    async def share(self):
        """Clocks of denial after which the copier gets a slot; 0 for idle slots alone."""
        return await self._read("SHARE")

    async def set_share(self, clocks):
        """Sets :meth:`share`."""
        await self._configure("SHARE", clocks=clocks)

    async def pace(self):
        """Clocks from one block of the background copy to the next, at least."""
        return await self._read("PACE")

    async def set_pace(self, clocks):
        """Sets :meth:`pace`."""
        await self._configure("PACE", clocks=clocks)

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

    # Registers -----------------------------------------------------------------------------------

    async def _read(self, name, index=0):
        return await _value(self._access.read32(REGISTERS[name].address(index)))

    async def _read64(self, name, index=0):
        return await self._read(f"{name}_LO", index) | await self._read(f"{name}_HI", index) << 32

    async def _fields(self, name, index=0):
        word = await self._read(name, index)
        return {field.name: field.get(word) for field in REGISTERS[name].fields}

    async def _write(self, name, value, index=0):
        register = REGISTERS[name]
        try:
            await _value(self._access.write32(register.address(index), value))
        except BusError:
            if register.locked and (await self._fields("STATUS"))["locked"]:
                raise SnapshotError(f"{name} is locked while a snapshot runs; wait() for its end "
                                    f"or cancel() it") from None
            if register.locked and await self.locked_until_reset():
                raise SnapshotError(f"{name} is locked until the next reset; set it before "
                                    f"lock()") from None
            raise

    async def _configure(self, name, **values):
        await self._write(name, REGISTERS[name].pack(**values))

    async def _command(self, name):
        await self._configure("CONTROL", **{name: 1})

    async def _until(self, reached, timeout, complaint):
        end = None if timeout is None else self._now() + timeout
        while not reached(await self._fields("STATUS")):
            if end is not None and self._now() >= end:
                state = State((await self._fields("STATUS"))["state"]).name
                raise TimeoutError(f"{complaint} within {timeout}; it is in state {state}")
        return await self.status()

    async def _check_region(self, index):
        count = (await self.capabilities()).regions
        if not 0 <= index < count:
            raise ValueError(f"region must be 0 to {count - 1}, not {index!r}")

    async def _remedy(self, refusal):
        """Why a start was refused and what helps, in words."""
        if refusal is Refusal.BUSY:
            return ("the start was refused: a snapshot is running, or the map is still being "
                    "swept; wait_ready() first")
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
        if refusal is Refusal.POLICY:
            return ("the start was refused: the policy asks for what this build cannot do; "
                    "set_policy() anew")
        return f"the start was refused: {refusal.name}"


async def _value(result):
    """What a plain function or a coroutine gives."""
    return await result if inspect.isawaitable(result) else result


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


for _name, _function in vars(AsyncSnapshotDriver).items():
    if inspect.iscoroutinefunction(_function) and not _name.startswith("_"):
        setattr(SnapshotDriver, _name, _at_once(_function))
