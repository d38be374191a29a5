"""Initiators, memories and observers on Wishbone B4, pipelined and classic.

The drivers are our own: a few dozen lines on the signals of the exported Verilog, which share no
code with the test kit. Where nothing is asked or answered they drive X, so that nobody can rely on
what is not valid.
"""

from collections import deque
from dataclasses import dataclass

import cocotb
from clock import RuleError, level
from cocotb.triggers import ClockCycles, Event, RisingEdge
from cocotb.types import LogicArray
from pauses import pauses
from traffic import Traffic

__all__ = ["WishboneInitiator", "WishboneSide"]


@dataclass
class Access:
    """One access: what was asked, when it was taken, and its answer."""

    address: int            # in bytes
    we: bool
    sel: int
    data: int = 0           # written, or read
    error: bool = False
    clock: int = -1
    done: Event | None = None

    def __str__(self):
        kind = "write" if self.we else "read"
        return f"{kind} of clock {self.clock} at {self.address:#x}, data {self.data:#x}"


def _pins(dut, name):
    return {each: getattr(dut, f"{name}_{each}")
            for each in ("cyc", "stb", "we", "adr", "dat_w", "sel", "dat_r", "ack", "err", "stall")
            if hasattr(dut, f"{name}_{each}")}


def _unknown(pin):
    """Drives X on all bits."""
    pin.value = LogicArray("X" * len(pin))


class WishboneInitiator:
    """Sends accesses in order, in either form, several at a time where the bus can.

    Parameters
    ----------
    dut : handle
    name : str
        Such as ``s_wb``.

    Attributes
    ----------
    pause : generator of bool, or None
        In which clocks no new access begins.
    """

    def __init__(self, dut, name):
        self._dut, self._pins = dut, _pins(dut, name)
        self._queue = deque()
        self.pause = None
        self._pins["cyc"].value = self._pins["stb"].value = 0
        cocotb.start_soon(self._run())

    async def access(self, address, *, we=False, sel=None, data=0):
        """One access, when it is done: an :class:`Access`."""
        beat = len(self._pins["sel"])
        access = Access(address, we, (1 << beat) - 1 if sel is None else sel, data, done=Event())
        self._queue.append(access)
        await access.done.wait()
        return access

    async def _run(self):
        pins, beat = self._pins, len(self._pins["sel"])
        edge, current, flying = RisingEdge(self._dut.clk), None, deque()
        while True:
            await edge
            if self._dut.rst.value:
                self._queue.clear()
                flying.clear()
                current = None
            else:
                if current is not None and not ("stall" in pins and pins["stall"].value):
                    if not flying or flying[-1] is not current:
                        flying.append(current)
                    current = None
                if flying and (pins["ack"].value or pins["err"].value):
                    answered = flying.popleft()
                    answered.error = bool(pins["err"].value)
                    if not answered.we and not answered.error:
                        answered.data = int(pins["dat_r"].value)
                    answered.done.set()
                if flying and "stall" not in pins:
                    current = flying[0]         # classic: asks until it is answered
            if current is None and self._queue and not (self.pause and next(self.pause)):
                current = self._queue.popleft()
            pins["cyc"].value = int(current is not None or bool(flying))
            pins["stb"].value = int(current is not None)
            if current is None:
                for name in "we", "adr", "dat_w", "sel":
                    _unknown(pins[name])
            else:
                pins["we"].value = int(current.we)
                pins["adr"].value = current.address // beat
                pins["sel"].value = current.sel
                pins["dat_w"].value = current.data if current.we else 0


class WishboneRam:
    """A memory that answers in order, after a random number of clocks.

    Parameters
    ----------
    dut : handle
    name : str
        Such as ``m_wb``.
    size : int
        Bytes.

    Attributes
    ----------
    failing : dict
        For ``"read"`` and ``"write"`` a range of addresses, or None.
    pause, lag : generators of bool, or None
        In which clocks it takes nothing, and in which it does not answer.
    mute : bool
        It never answers.
    """

    def __init__(self, dut, name, *, size):
        self._dut, self._pins = dut, _pins(dut, name)
        self.mem = bytearray(size)
        self.failing = {"read": None, "write": None}
        self.pause = self.lag = None
        self.mute = False
        for each in "ack", "err", "stall":
            if each in self._pins:
                self._pins[each].value = 0
        cocotb.start_soon(self._run())

    def read(self, address, count):
        return bytes(self.mem[address:address + count])

    def write(self, address, data):
        self.mem[address:address + len(data)] = data

    def _do(self):
        """Carries out what the bus asks: data read and whether it failed."""
        pins, beat = self._pins, len(self._pins["sel"])
        address = int(pins["adr"].value) * beat
        is_write = bool(pins["we"].value)
        bad = self.failing["write" if is_write else "read"]
        if bad is not None and address < bad.stop and bad.start < address + beat:
            return None, True
        if not is_write:
            return int.from_bytes(self.mem[address:address + beat], "little"), False
        for lane in range(beat):
            if int(pins["sel"].value) >> lane & 1:
                self.mem[address + lane] = int(pins["dat_w"].value) >> 8 * lane & 0xFF
        return None, False

    async def _run(self):
        pins = self._pins
        edge, owed, stall, answers = RisingEdge(self._dut.clk), deque(), 0, False
        while True:
            await edge
            if self._dut.rst.value or not pins["cyc"].value or (
                    "stall" not in pins and not pins["stb"].value):
                owed.clear()        # withdrawn
            elif pins["stb"].value and not stall and (
                    "stall" in pins or not answers and not owed):
                owed.append(self._do())
            answers = bool(owed) and not self.mute and not (self.lag and next(self.lag))
            data, error = owed.popleft() if answers else (None, False)
            pins["ack"].value = int(answers and not error)
            pins["err"].value = int(error)
            if data is None:
                _unknown(pins["dat_r"])
            else:
                pins["dat_r"].value = data
            if "stall" in pins:
                stall = int(bool(self.pause and next(self.pause)))
                pins["stall"].value = stall


class WishboneWatch:
    """Watches a bus: what was taken, in order, and what was answered.

    Attributes
    ----------
    accesses : list of Access
    """

    def __init__(self, dut, name, *, downstream):
        self.name = name
        self._pins, self._downstream = _pins(dut, name), downstream
        self.reset()

    def reset(self):
        self.accesses = []
        self._owed = deque()
        self._stalled = None
        self._stands = False

    @property
    def idle(self):
        return not (self._owed or self._stands)

    @property
    def waiting(self):
        return not self._downstream and not self.idle

    def sample(self, clock):
        pins = self._pins
        cyc, stb, ack, err = (level(pins[name], clock) for name in ("cyc", "stb", "ack", "err"))
        stall = level(pins["stall"], clock) if "stall" in pins else 0
        self._stands = bool(cyc and stb)
        asked = None
        if self._stands:
            beat = len(pins["sel"])
            we = bool(level(pins["we"], clock))
            asked = (level(pins["adr"], clock) * beat, we, level(pins["sel"], clock),
                     level(pins["dat_w"], clock) if we else 0)
        if not cyc:                 # the end of a cycle takes back what is not answered
            self._owed.clear()
        elif self._downstream and self._stalled is not None and asked != self._stalled:
            raise RuleError(f"{self.name}: the stalled request changed in clock {clock}")
        self._stalled = asked if stall or asked and "stall" not in pins and not (ack or err) \
            else None
        answered = ack or err
        if asked and not stall and ("stall" in pins or answered):
            access = Access(*asked, clock=clock)
            self.accesses.append(access)
            self._owed.append(access)
        if answered:
            if not self._owed:
                raise RuleError(f"{self.name}: an answer in clock {clock} to nobody")
            access = self._owed.popleft()
            access.error = bool(err)
            if not access.we and not err:
                access.data = level(pins["dat_r"], clock)
        if answered and "stall" not in pins:
            self._stands = False
        return bool(answered or asked and not stall)


class WishboneSide(Traffic):
    """All Wishbone data ports of a unit; the members are those of ``Axi4Side``."""

    def __init__(self, dut, params, ticker, rng):
        self._dut, self._params, self._rng = dut, params, rng
        names = ["s_wb"] if params.ports == 1 else [f"s{port}_wb" for port in range(params.ports)]
        self.masters = [WishboneInitiator(dut, name) for name in names]
        self.rams = {name: WishboneRam(dut, name, size=1 << params.addr_width)
                     for name in ("m_wb", "x_wb") if hasattr(dut, f"{name}_cyc")}
        self.watches = {name: WishboneWatch(dut, name, downstream=name in self.rams)
                        for name in [*names, *self.rams]}
        self.upstream = [self.watches[name] for name in names]
        ticker.watchers += self.watches.values()
        self.pause()

    @property
    def memory(self):
        return self.rams["m_wb"]

    @property
    def shadow(self):
        return self.rams.get("x_wb", self.memory)

    def fail_copier(self, kind, where):
        """Accesses of a kind fail at the port where the copier reads, or writes."""
        ram = self.shadow if kind == "write" else self.memory
        ram.failing[kind] = where

    def mute(self, is_mute):
        for ram in self.rams.values():
            ram.mute = is_mute

    def pause(self):
        for master in self.masters:
            master.pause = pauses(self._rng)
        for ram in self.rams.values():
            ram.pause, ram.lag = pauses(self._rng), pauses(self._rng)

    async def _worker(self, master, gap):
        rng, params = self._rng, self._params
        beat = params.beat_bytes
        while self._running:
            address = params.memory_base + rng.randrange(params.memory_size // beat) * beat
            for _ in range(rng.choice([1, 1, 8])):      # some in a row
                if address < params.memory_base + params.memory_size:
                    await self.one(master, address)
                address += beat
            if rng.random() < 0.5:
                await ClockCycles(self._dut.clk, 1 + rng.randrange(gap))

    async def one(self, master, address=None):
        """A random access in the memory, which must succeed."""
        rng, params = self._rng, self._params
        beat = params.beat_bytes
        if address is None:
            address = params.memory_base + rng.randrange(params.memory_size // beat) * beat
        done = await master.access(address, we=rng.random() < 0.6, sel=rng.getrandbits(beat),
                                   data=rng.getrandbits(8 * beat))
        if done.error:
            raise RuleError(f"an access at {address:#x} was answered with an error")

    def writes(self):
        for access in self.watches["m_wb"].accesses:
            for lane in range(self._params.beat_bytes) if access.we and not access.error else ():
                if access.sel >> lane & 1:
                    yield access.clock, access.address + lane, access.data >> 8 * lane & 0xFF

    def check(self):
        """Raises :class:`RuleError` unless each access passed in its clock, as it was, and its
        answer came back; or was refused, if it would have written the shadow."""
        params = self._params
        at_memory = {access.clock: access for access in self.watches["m_wb"].accesses}
        for watch in self.upstream:
            for access in watch.accesses:
                other = at_memory.get(access.clock)
                if other is not None and _all_of(other) == _all_of(access):
                    del at_memory[access.clock]
                elif not (access.we and access.error and "x_wb" not in self.rams
                          and 0 <= access.address - params.shadow_base < params.memory_size):
                    raise RuleError(f"{watch.name}: the {access} did not pass as it is; at the "
                                    f"memory was the {other}")
        for access in at_memory.values():
            if access.we and 0 <= access.address - params.memory_base < params.memory_size:
                raise RuleError(f"m_wb: nobody asked for the {access}")


def _all_of(access):
    return access.address, access.we, access.sel, access.data, access.error
