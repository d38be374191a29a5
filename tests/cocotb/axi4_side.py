"""Initiators and memories on AXI4: cocotbext-axi's, with pauses on all channels."""

from axi4_watch import Axi4Watch, check_transparent, touches
from clock import RuleError
from cocotb.triggers import ClockCycles
from cocotbext.axi import AxiBurstType, AxiBus, AxiLockType, AxiMaster, AxiRam, AxiResp
from pauses import pauses
from traffic import Traffic

__all__ = ["Axi4Side"]


class Ram(AxiRam):
    """cocotbext-axi's RAM, of which some bytes can fail.

    Attributes
    ----------
    failing : dict
        For ``"read"`` and ``"write"`` a range of addresses, or None.
    """

    def __init__(self, bus, clock, reset, *, size):
        super().__init__(bus, clock, reset, size=size)
        self.failing = {"read": None, "write": None}
        for name, side in ("read", self.read_if), ("write", self.write_if):
            setattr(side, f"_{name}", self._failing(name, getattr(side, f"_{name}")))

    def _failing(self, name, access):
        async def guarded(address, what):
            count = what if name == "read" else len(what)
            bad = self.failing[name]
            if bad is not None and address < bad.stop and bad.start < address + count:
                raise OSError(f"{name} at {address:#x} is to fail")
            return await access(address, what)
        return guarded


class Axi4Side(Traffic):
    """All AXI4 data ports of a unit, with who is at them.

    Parameters
    ----------
    dut : handle
    params : SnapshotParams
    ticker : Ticker
    rng : random.Random
    """

    workers = 6

    def __init__(self, dut, params, ticker, rng):
        self._dut, self._params, self._ticker, self._rng = dut, params, ticker, rng
        single = params.ports == 1
        names = ["s_axi"] if single else [f"s{port}_axi" for port in range(params.ports)]
        self.masters = [AxiMaster(AxiBus.from_prefix(dut, name), dut.clk, dut.rst)
                        for name in names]
        size = 1 << params.addr_width
        self.rams = {name: Ram(AxiBus.from_prefix(dut, name), dut.clk, dut.rst, size=size)
                     for name in ("m_axi", "x_axi", "c_axi") if hasattr(dut, f"{name}_awvalid")}
        if "c_axi" in self.rams:        # another way to the same memory
            for side in self.rams["c_axi"].read_if, self.rams["c_axi"].write_if:
                side.mem = self.rams["m_axi"].mem
        self.watches = {name: Axi4Watch(dut, name, downstream=name in self.rams)
                        for name in [*names, *self.rams]}
        self.upstream = [self.watches[name] for name in names]
        ticker.watchers += self.watches.values()
        self.pause()

    # The memories --------------------------------------------------------------------------------

    @property
    def memory(self):
        """The guarded memory, with ``read(address, count)`` and ``write(address, data)``."""
        return self.rams["m_axi"]

    @property
    def shadow(self):
        """The memory that holds the shadow."""
        return self.rams.get("x_axi", self.memory)

    def fail(self, kind, where):
        """Accesses of a kind to a range of ``m_axi`` fail; None for no range."""
        self.rams["m_axi"].failing[kind] = where

    def fail_copier(self, kind, where):
        """The same at the port where the copier reads, or writes."""
        names = ["x_axi"] * (kind == "write") + ["c_axi", "m_axi"]
        self.rams[next(name for name in names if name in self.rams)].failing[kind] = where

    def mute(self, is_mute):
        """The memory gives no answers."""
        for ram in self.rams.values():
            for channel in ram.read_if.r_channel, ram.write_if.b_channel:
                channel.clear_pause_generator()
                channel.pause = is_mute

    # Pauses --------------------------------------------------------------------------------------

    def pause(self):
        """New habits of pausing for all channels of all."""
        for partner in [*self.masters, *self.rams.values()]:
            for channel in (partner.write_if.aw_channel, partner.write_if.w_channel,
                            partner.write_if.b_channel, partner.read_if.ar_channel,
                            partner.read_if.r_channel):
                channel.clear_pause_generator()
                channel.pause = False
                if generator := pauses(self._rng):
                    channel.set_pause_generator(generator)

    # Traffic -------------------------------------------------------------------------------------

    async def _worker(self, master, gap):
        while self._running:
            await self.one(master)
            if pause := self._rng.randrange(gap) if self._rng.random() < 0.5 else 0:
                await ClockCycles(self._dut.clk, pause)

    async def one(self, master):
        """A random transaction in the memory, which must succeed."""
        rng, params = self._rng, self._params
        ids = 1 << params.id_width
        address, length, options = self._shape()
        options |= {"lock": AxiLockType.EXCLUSIVE if rng.random() < 0.05 else AxiLockType.NORMAL,
                    "cache": rng.randrange(16), "prot": rng.randrange(8), "qos": rng.randrange(16),
                    "region": rng.randrange(16)}
        users = {"user": rng.getrandbits(params.user_width)} if params.user_width else {}
        if rng.random() < 0.6:
            if users:
                users["wuser"] = rng.getrandbits(params.user_width)
            done = await master.write(address, rng.randbytes(length), awid=rng.randrange(ids),
                                      **options, **users)
        else:
            done = await master.read(address, length, arid=rng.randrange(ids), **options, **users)
        if done is not None and done.resp != AxiResp.OKAY and not self.map_is_touched(
                address, length):
            raise RuleError(f"an access of {length} bytes at {address:#x} gave {done.resp!r}")

    def map_is_touched(self, address, length):
        """Whether an access lies near a copy map in the memory, which cannot be written."""
        params = self._params
        if not params.map_blocks:
            return False
        first, size = params.map_base, params.map_blocks * params.block_size
        slack = 16 * params.beat_bytes      # a wrapping burst begins before its address
        return first < address + length + slack and address - slack < first + size

    def _shape(self):
        """Address, bytes and further arguments of a transaction in the memory.

        WRAP and FIXED only as cocotbext-axi can: full beats, and a container that it does not take
        for two bursts.
        """
        rng, params = self._rng, self._params
        beat, base, size = params.beat_bytes, params.memory_base, params.memory_size
        kind = rng.choice(["incr"] * 6 + ["narrow", "narrow", "wrap", "fixed", "edge", "edge"])
        if kind == "wrap":
            beats = rng.choice([each for each in (2, 4, 8, 16) if each * beat <= 256])
            address = base + rng.randrange(size // (beats * beat)) * beats * beat
            address += rng.randrange(beats) * beat
            if address % 4096 + beats * beat <= 4096 and address + beats * beat <= base + size:
                return address, beats * beat, {"burst": AxiBurstType.WRAP}
        if kind == "fixed":
            beats = rng.randint(1, 16)
            return (base + rng.randrange(size // beat) * beat, beats * beat,
                    {"burst": AxiBurstType.FIXED})
        most = rng.choice([1, beat, 4 * beat, 3 * params.block_size])
        length = rng.randint(1, most)
        address = base + rng.randrange(size - length)
        if kind == "edge":
            edge = base + rng.randrange(1, params.blocks) * params.block_size
            address = max(base, edge - rng.randint(1, length))
            length = min(length, base + size - address)
        options = {}
        if kind == "narrow":
            options["size"] = rng.randrange(beat.bit_length() - 1)
            length = min(length, 12 << options["size"])
        return address, length, options

    # What is right -------------------------------------------------------------------------------

    def writes(self):
        """What the memory took, in order: clock, address and byte for each byte written."""
        beat = self._params.beat_bytes
        for name in "m_axi", "c_axi":
            for burst in self.watches[name].writes if name in self.watches else ():
                # Data of the last bursts may be yet to come
                for place, data in zip(burst.places(beat), burst.beats, strict=False):
                    for lane in range(beat):
                        if data["strb"] >> lane & 1:
                            yield burst.clock, place + lane, data["data"] >> 8 * lane & 0xFF

    def check(self):
        """Raises :class:`RuleError` where initiators saw more of the unit than time."""
        params = self._params
        protected = [(params.map_base, params.map_blocks * params.block_size)] \
            if params.map_blocks else []
        if "x_axi" not in self.rams:
            protected.append((params.shadow_base, params.memory_size))

        def may_refuse(burst, is_write):
            return is_write and any(touches(burst, params.beat_bytes, *where)
                                    for where in protected)
        check_transparent(self.upstream, self.watches["m_axi"], id_width=params.id_width,
                          may_refuse=may_refuse)
