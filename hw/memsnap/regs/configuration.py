"""The driver's part that sets what a snapshot is to be."""

from .access import RegisterAccess
from .fields import REGISTERS, Failure, RegionKind, Release
from .results import Policy, Region

__all__ = ["Configuration"]


class Configuration(RegisterAccess):
    """Region table, limits, policies, locks; each method a coroutine.

    What a snapshot locks raises :class:`SnapshotError` while one runs, and after :meth:`lock`.
    """

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

    async def _check_region(self, index):
        count = (await self.capabilities()).regions
        if not 0 <= index < count:
            raise ValueError(f"region must be 0 to {count - 1}, not {index!r}")
