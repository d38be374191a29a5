"""Runs a program on the compiled system, and collects what was seen of the snapshot."""

import ctypes
from dataclasses import dataclass, field, fields
from enum import IntEnum

import numpy as np
from memsnap.control import RegionKind
from memsnap.driver import BusError, SnapshotDriver
from memsnap.params import Shadow
from memsnap.regs.fields import REGISTERS

from ..simulable import memory_end, refusals
from .firmware import boot_image

__all__ = ["Commands", "Mismatch", "RunOptions", "RunResult", "What", "run"]

_CHUNK = 500_000
#: Clocks in which LiteDRAM surely writes all that it has accepted, a refresh included.
_SETTLE = 400
_NEVER, _AT_CLOCK, _AT_ADDRESS = range(3)
_BY_PIN, _BY_SOFTWARE, _BY_PROGRAM = range(3)

_WRITE = np.dtype([("clock", "u8"), ("adr", "u8"), ("data", "u8"), ("sel", "u4"), ("pad", "u4")])
_STALL = np.dtype([("clock", "u8"), ("address", "u8"), ("length", "u8"), ("port", "u4"),
                   ("pad", "u4")])
_COPY = np.dtype([("clock", "u8"), ("block", "u4"), ("kind", "u4")])
_EVENT = np.dtype([("clock", "u8"), ("address", "u8"), ("what", "u4"), ("port", "u4")])
_ACCESS = np.dtype([("requested", "u8"), ("answered", "u8"), ("address", "u4"), ("lanes", "u4")])
_CALL = np.dtype([("entered", "u8"), ("left", "u8"), ("function", "u8")])

_U64, _U32, _PTR, _INT = ctypes.c_uint64, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_int
_FUNCTIONS = {   # name: (result, arguments)
    "soc_new": (_PTR, (_U64, _U64, _U64, _U64, _U64, _U32, _U32, ctypes.c_double, _U32)),
    "soc_delete": (None, (_PTR,)),
    "soc_load": (None, (_PTR, _U64, ctypes.c_char_p, _U64)),
    "soc_firmware": (None, (_PTR, ctypes.c_char_p, _U64)),
    "soc_read": (None, (_PTR, _U64, _PTR, _U64, _INT)),
    "soc_device": (None, (_PTR, _INT, _INT)),
    "soc_fault": (None, (_PTR, _INT, _U64, _U64, _U64, _U64, _INT)),
    "soc_events": (_U64, (_PTR, _PTR, _U64)),
    "soc_trigger": (None, (_PTR, _INT, _INT, _U64, _U64)),
    "soc_time": (None, (_PTR, _U32)),
    "soc_record": (None, (_PTR,)),
    "soc_run": (_U64, (_PTR, _U64, _INT)),
    "soc_access": (_INT, (_PTR, _U32, _PTR, _INT)),
    "soc_ended": (_INT, (_PTR, _PTR, _PTR)),
    "soc_clock": (_U64, (_PTR,)),
    "soc_fired": (_U64, (_PTR, _PTR)),
    "soc_active_clock": (_U64, (_PTR,)),
    "soc_registers": (None, (_PTR, _PTR)),
    "soc_marks": (None, (_PTR, _PTR)),
    "soc_console": (_U64, (_PTR, _PTR, _U64)),
    "soc_checkpoint": (_U64, (_PTR, _PTR, _U64)),
    "soc_writes": (_U64, (_PTR, _PTR, _U64)),
    "soc_stalls": (_U64, (_PTR, _PTR, _U64)),
    "soc_copies": (_U64, (_PTR, _PTR, _U64)),
    "soc_calls": (_U64, (_PTR, _PTR, _U64)),
    "soc_accesses": (_U64, (_PTR, _PTR, _U64)),
    "soc_stray": (_U64, (_PTR,)),
    "soc_commands": (_U64, (_PTR, _PTR)),
    "soc_dump": (_INT, (_PTR, ctypes.c_char_p, _U64, _U64)),
}


class What(IntEnum):
    """What an event is: see :attr:`RunResult.events`."""

    FAULT = 0
    BUS_ERROR = 1
    HOLD = 2
    HELD = 3
    LET_GO = 4
    PACKET = 5


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How a program is run.

    Attributes
    ----------
    snapshot : str
        ``"unit"``, ``"software"`` (the program stops and the CPU copies the memory), ``"program"``
        (it starts one by software when it comes to ``at_address``), or ``"none"``.
    at_clock : int or None
        Clock of the start.
    at_address : int or None
        The start comes when the CPU fetches from here for the ``nth`` time.
    nth : int
        Neither ``at_clock`` nor ``at_address``: the program starts the snapshot itself.
    regions : tuple of (base, limit, RegionKind)
        Of the initial copy; limits are included.
    registers : mapping
        Values of registers by name, such as ``{"SHARE": 4}``; a value may be a mapping of fields.
    ungated : bool
        The first device reaches the memory by a way of its own, not through the unit.
    deaf : bool
        It does not hear ``io_hold``.
    faults : tuple of Fault
    latency : int
        Clocks from an accepted request to the memory's answer.
    shadow_latency : int or None
        The same of a separate shadow; None for that of the memory.
    stall : float
        Chance that the memory stalls in a clock.
    seed : int
        Of the stalls.
    max_clocks : int
        The run is given up then.
    wait : bool
        A snapshot that is not finished at the program's end is waited for.
    timed : tuple of int
        Addresses of functions whose calls are timed; none calls itself.
    record : bool
        The CPU's accesses to the memory are wanted.
    wave, wave_window
        File to write a waveform to, and its first and last clock.
    """

    snapshot: str = "unit"
    at_clock: int | None = None
    at_address: int | None = None
    nth: int = 1
    regions: tuple = ()
    registers: dict = field(default_factory=dict)
    ungated: bool = False
    deaf: bool = False
    faults: tuple = ()
    latency: int = 1
    shadow_latency: int | None = None
    stall: float = 0.0
    seed: int = 0
    max_clocks: int = 50_000_000
    wait: bool = False
    timed: tuple = ()
    record: bool = False
    wave: object = None
    wave_window: tuple = (0, 0)

    def __post_init__(self):
        if self.snapshot not in ("unit", "software", "program", "none"):
            raise ValueError(f"snapshot must be unit, software, program or none, not "
                             f"{self.snapshot!r}")
        if not 1 <= self.latency <= 1024:
            raise ValueError(f"latency must be 1 to 1024 clocks, not {self.latency!r}")
        if self.shadow_latency is not None and not 1 <= self.shadow_latency <= 1024:
            raise ValueError(f"shadow_latency must be 1 to 1024 clocks, not "
                             f"{self.shadow_latency!r}")
        if not 0 <= self.stall < 1:
            raise ValueError(f"stall must be a chance from 0 to less than 1, not {self.stall!r}")


@dataclass(frozen=True)
class Commands:
    """What an SDRAM was told in some time: how many commands of each kind."""

    activate: int
    precharge: int
    refresh: int
    read: int
    write: int


@dataclass(frozen=True)
class Mismatch:
    """The first byte of the image that is not the memory's at the instant.

    ``history`` are the writes to its block since the start, as (clock, address, data, lanes).
    """

    address: int
    block: int
    image: int
    memory: int
    history: list


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """What came of a run. Clocks count from the release of the reset.

    Attributes
    ----------
    clocks : int
        To the program's end, or to where the run was given up.
    ended : bool
        The program came to its end.
    exit_code : int
    console : str
    status : memsnap.regs.results.Status
    counters : memsnap.regs.results.Counters
    instant : int or None
        As the unit says; of one by software, the clock of the trigger.
    memory_at_instant : bytes
        The guarded memory as the simulation itself has it for the clock of the instant.
    image : bytes
        The shadow at the end.
    registers : list of int
        x0 to x31 of the CPU at the instant.
    pc : int
    writes, stalls, copies : numpy arrays
        Writes to the guarded memory since the start; held writes; copied blocks.
    events : numpy array
        What else happened, see :class:`What`: a fault at an ``address`` (``port`` 0 in the memory,
        1 in the shadow), an error answered to a ``port``, ungated masters asked to hold still,
        holding still, let go, and a packet (its number the ``address``; ``port`` 1 if it met an
        error).
    fired : int or None
        The clock of the trigger.
    seen : int
        How often the CPU fetched from ``at_address``.
    refusal : str
        Why the unit refused the start, or "".
    pause : int or None
        Clocks from the trigger to the end of the copy made by software.
    accesses : numpy array
        Of the CPU to the memory, if they were wanted: clocks of the request and of the answer, byte
        ``address``, and ``lanes`` that were written, 0 for a read.
    calls : numpy array
        Of the ``timed`` functions: clocks of the first instruction and of the one after the call.
    commands, commands_in_snapshot : Commands or None
        Of LiteDRAM's SDRAM: from the reset to the end, and from the instant to the end of the
        snapshot.
    """

    clocks: int
    ended: bool
    exit_code: int
    console: str
    status: object
    counters: object
    instant: int | None
    memory_at_instant: bytes = field(repr=False)
    image: bytes = field(repr=False)
    registers: list = field(repr=False)
    pc: int
    writes: object = field(repr=False)
    stalls: object = field(repr=False)
    copies: object = field(repr=False)
    fired: int | None
    seen: int
    pause: int | None
    calls: object = field(default=(), repr=False)
    accesses: object = field(default=(), repr=False)
    events: object = field(default_factory=lambda: np.zeros(0, _EVENT), repr=False)
    commands: Commands | None = None
    commands_in_snapshot: Commands | None = None

    def mismatch(self, params):
        """The first difference between image and memory as a :class:`Mismatch`, or None."""
        image = np.frombuffer(self.image, "u1")
        memory = np.frombuffer(self.memory_at_instant, "u1")
        if len(image) != len(memory):
            raise ValueError("there is no snapshot to compare")
        different = np.flatnonzero(image != memory)
        if not len(different):
            return None
        offset = int(different[0])
        block = offset // params.block_size
        first = params.memory_base + block * params.block_size
        inside = self.writes[(self.writes["adr"] >= first)
                             & (self.writes["adr"] < first + params.block_size)]
        history = [(int(w["clock"]), int(w["adr"]), int(w["data"]), int(w["sel"])) for w in inside]
        return Mismatch(params.memory_base + offset, block, int(image[offset]),
                        int(memory[offset]), history)


class _Soc:
    """The library's functions with their types; also what the unit's driver accesses."""

    def __init__(self, binary, options, *, size):
        library = ctypes.CDLL(str(binary.library))
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
        self._library = library
        params = binary.params
        separate = params.shadow is Shadow.SEPARATE
        self._handle = library.soc_new(
            size, params.memory_base, params.memory_size, params.shadow_base,
            params.memory_size if separate else 0, options.latency,
            options.shadow_latency or options.latency, options.stall, options.seed)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._library.soc_delete(self._handle)

    def __getattr__(self, name):
        function = getattr(self._library, f"soc_{name}")
        return lambda *arguments: function(self._handle, *arguments)

    def read32(self, offset):
        value = ctypes.c_uint32()
        if self.access(offset, ctypes.byref(value), 0):
            raise BusError(f"register {offset:#x} was answered with an error")
        return value.value

    def write32(self, offset, value):
        if self.access(offset, ctypes.byref(ctypes.c_uint32(value)), 1):
            raise BusError(f"register {offset:#x} was answered with an error")

    def memory(self, address, size, separate=False):
        buffer = ctypes.create_string_buffer(size)
        self.read(address, buffer, size, separate)
        return buffer.raw

    def array(self, name, dtype):
        """One of the lists of what was seen, as a numpy array."""
        result = np.zeros(getattr(self, name)(None, 0), dtype)
        getattr(self, name)(result.ctypes.data, len(result))
        return result


def run(binary, segments, entry, options, *, progress=lambda clocks: None):
    """Runs a program to its end.

    Parameters
    ----------
    binary : SimBinary
    segments : iterable of (int, bytes)
        What is in the memory at first.
    entry : int
        The program's first instruction.
    options : RunOptions
    progress : callable
        Told the clock now and then.

    Raises
    ------
    ValueError
        A segment is outside the guarded memory, or the system has not what the options ask for.
    RuntimeError
        LiteDRAM's SDRAM does not hold what was written to it.
    """
    params = binary.params
    size = memory_end(params)
    for problem in refusals(params, binary.memory, ungated=options.ungated, faults=options.faults):
        raise ValueError(problem)
    with _Soc(binary, options, size=size) as soc:
        for address, content in segments:
            if not params.memory_base <= address <= (params.memory_base + params.memory_size
                                                     - len(content)):
                raise ValueError(
                    f"the program's bytes at {address:#x} to {address + len(content) - 1:#x} are "
                    f"outside the memory of {params.memory_size:#x} bytes at "
                    f"{params.memory_base:#x}; enlarge memory_size")
            soc.load(address, bytes(content), len(content))
        firmware = boot_image(entry, params.memory_base, params.memory_size, params.shadow_base)
        soc.firmware(firmware, len(firmware))
        if options.wave is not None and soc.dump(str(options.wave).encode(), *options.wave_window):
            raise ValueError("this simulation was built without waveforms")
        _prepare(soc, params, options)
        while soc.clock() < options.max_clocks:
            until = min(soc.clock() + _CHUNK, options.max_clocks)
            if soc.run(until, 1) < until:
                break
            progress(soc.clock())
        return _collect(soc, params, options, size)


def _prepare(soc, params, options):
    """Sets the registers, the faults, and what starts the snapshot."""
    soc.device(options.ungated, options.deaf)
    for fault in options.faults:
        soc.fault(int(fault.side == "shadow"), *fault.bytes_of(params), fault.skip, fault.times,
                  fault.silent)
    for index, (base, limit, kind) in enumerate(options.regions):
        registers = REGISTERS
        soc.write32(registers["REGION.BASE_LO"].address(index), base)
        soc.write32(registers["REGION.LIMIT_LO"].address(index), limit)
        soc.write32(registers["REGION.ATTR"].address(index),
                    registers["REGION.ATTR"].pack(enable=1, kind=RegionKind(kind).value))
    for name, value in options.registers.items():
        register = REGISTERS[name]
        soc.write32(register.offset, register.pack(**value) if isinstance(value, dict) else value)
    for address in options.timed:
        soc.time(address)
    if options.record:
        soc.record()
    how = {"software": _BY_SOFTWARE, "program": _BY_PROGRAM}.get(options.snapshot, _BY_PIN)
    if options.snapshot != "none":
        if options.at_address is not None:
            soc.trigger(_AT_ADDRESS, how, options.at_address, options.nth)
        elif options.at_clock is not None:
            soc.trigger(_AT_CLOCK, how, options.at_clock, 1)


def _collect(soc, params, options, size):
    clocks = soc.clock()
    exit_code, trapped, seen = ctypes.c_int32(), ctypes.c_int(), ctypes.c_uint64()
    ended = bool(soc.ended(ctypes.byref(exit_code), ctypes.byref(trapped)))
    fired = soc.fired(ctypes.byref(seen)) or None
    driver = SnapshotDriver(soc)
    status = driver.status()
    while options.wait and status.locked and soc.clock() < options.max_clocks:
        soc.run(soc.clock() + 1000, 0)
        status = driver.status()
    counters = driver.counters()
    commands, commands_in_snapshot = _commands_of(soc)
    if commands:
        _settle(soc, size)
    checkpoint = soc.array("checkpoint", np.dtype("u1"))
    writes = soc.array("writes", _WRITE)
    instant = counters.instant if soc.active_clock() else None
    if options.snapshot == "program":
        instant = fired
    registers = (ctypes.c_uint32 * 33)()
    soc.registers(registers)
    marks = (ctypes.c_uint64 * 2)()
    soc.marks(marks)
    console = ctypes.create_string_buffer(soc.console(None, 0))
    soc.console(console, len(console))
    return RunResult(
        clocks=clocks, ended=ended, exit_code=exit_code.value,
        console=console.raw.decode("ascii", "replace"), status=status, counters=counters,
        instant=instant, image=soc.memory(params.shadow_base, params.memory_size,
                                         params.shadow is Shadow.SEPARATE),
        memory_at_instant=_replay(params, checkpoint, writes, instant),
        registers=list(registers[:32]), pc=registers[32], writes=writes,
        stalls=soc.array("stalls", _STALL), copies=soc.array("copies", _COPY), fired=fired,
        seen=seen.value, pause=marks[1] - fired if marks[1] and fired else None,
        calls=soc.array("calls", _CALL),
        accesses=soc.array("accesses", _ACCESS), events=soc.array("events", _EVENT),
        commands=commands,
        commands_in_snapshot=commands_in_snapshot)


def _commands_of(soc):
    """Of the whole run, and of the snapshot; None without an SDRAM."""
    counts = np.zeros((3, len(fields(Commands))), "u8")
    if not soc.commands(counts.ctypes.data):
        return None, None
    whole, before, after = counts.astype(int)
    return Commands(*whole.tolist()), Commands(*(after - before).tolist())


def _settle(soc, size):
    """Waits until the SDRAM holds what was written to it."""
    for _ in range(20):
        soc.run(soc.clock() + _SETTLE, 0)
        stray = soc.stray()
        if stray == size:
            return
    raise RuntimeError(f"LiteDRAM's SDRAM does not hold at {stray:#x} what was written to it")


def _replay(params, checkpoint, writes, instant):
    """The memory at the instant: as it was at the start, and every write accepted before."""
    if instant is None:
        return b""
    memory = checkpoint.copy()
    for entry in writes[writes["clock"] < instant]:
        at = int(entry["adr"]) - params.memory_base
        for lane in range(params.beat_bytes):
            if int(entry["sel"]) >> lane & 1:
                memory[at + lane] = int(entry["data"]) >> 8 * lane & 0xff
    return memory.tobytes()
