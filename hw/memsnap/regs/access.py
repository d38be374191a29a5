"""Access to registers by name, and what the unit says of itself."""

import inspect
import time

from .fields import REGISTERS, Release
from .results import BusError, Capabilities, SnapshotError

__all__ = ["RegisterAccess", "value_of"]


class RegisterAccess:
    """The registers of a unit by name.

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
            map_base=await self._read64("MAP_BASE") if caps0["map_kind"] else None,
        )

    async def _read(self, name, index=0):
        return await value_of(self._access.read32(REGISTERS[name].address(index)))

    async def _read64(self, name, index=0):
        return await self._read(f"{name}_LO", index) | await self._read(f"{name}_HI", index) << 32

    async def _fields(self, name, index=0):
        word = await self._read(name, index)
        return {field.name: field.get(word) for field in REGISTERS[name].fields}

    async def _write(self, name, value, index=0):
        register = REGISTERS[name]
        try:
            await value_of(self._access.write32(register.address(index), value))
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


async def value_of(result):
    """What a plain function or a coroutine gives."""
    return await result if inspect.isawaitable(result) else result
