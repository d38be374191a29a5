"""The C driver as a library of this machine, over registers that Python plays."""

import ctypes
import re
import subprocess
from pathlib import Path

from memsnap.regs.constants import constants
from memsnap.regs.fields import REGISTERS, Cause, State
from memsnap.regs.table import Kind
from soft_native import STRICT, compiler

SW = Path(__file__).resolve().parents[1] / "sw"
HEADER, SOURCE = SW / "include/memsnap.h", SW / "lib/memsnap.c"
BASE = 0x4000_0000

_HOOKS = """
#include <stdint.h>
extern uint32_t (*mock_read)(uintptr_t);
extern void (*mock_write)(uintptr_t, uint32_t);
#define MEMSNAP_READ32(address) mock_read(address)
#define MEMSNAP_WRITE32(address, value) mock_write(address, value)
"""
_READ = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_size_t)
_WRITE = ctypes.CFUNCTYPE(None, ctypes.c_size_t, ctypes.c_uint32)
_U32, _U64, _INT, _BOOL = ctypes.c_uint32, ctypes.c_uint64, ctypes.c_int, ctypes.c_bool


def _struct(name, **members):
    return type(name, (ctypes.Structure,), {"_fields_": list(members.items())})


Unit = _struct(
    "Unit", base=ctypes.c_size_t, memory_base=_U64, memory_size=_U64, shadow_base=_U64,
    version=_U32, block_size=_U32, blocks=_U32, data_width=_U32, regions=_U32, ports=_U32,
    buffer_depth=_U32, jobs=_U32, release=_INT, pipelined=_BOOL, shadow_separate=_BOOL,
    retry=_BOOL, io_hold=_BOOL)
Status = _struct(
    "Status", state=_INT, done=_BOOL, failed=_BOOL, cancelled=_BOOL, refused=_BOOL, active=_BOOL,
    locked=_BOOL, shadow_protected=_BOOL, ready=_BOOL, cause=_INT, refusal=_INT, fail_block=_U32)
Region = _struct("Region", base=_U64, limit=_U64, kind=_INT, enable=_BOOL)
Policy = _struct("Policy", failure=_INT, retries=_U32, hold_io=_BOOL)
Counters = _struct(
    "Counters", instant=_U64, armed=_U32, duration=_U32, blocks_initial=_U32, blocks_demand=_U32,
    blocks_background=_U32, held=_U32, stall_longest=_U32, stall_total=_U32)
_TYPES = {
    "memsnap_unit": Unit, "memsnap_region": Region, "memsnap_status": Status,
    "memsnap_policy": Policy, "memsnap_counters": Counters, "memsnap_error": _INT,
    "uint32_t": _U32, "uint64_t": _U64, "bool": _BOOL, "void": None,
    "const char *": ctypes.c_char_p, "uintptr_t": ctypes.c_size_t,
}


def prototypes():
    """The functions that the header declares: name, result and arguments as C writes them."""
    text = re.sub(r"//.*", "", HEADER.read_text())
    found = re.findall(r"^((?:const )?\w+ \*?)(memsnap_\w+)\(([^)]*)\);", text, re.MULTILINE)
    return [(name, result.strip(), [each.strip() for each in arguments.split(",")])
            for result, name, arguments in found]


def errors():
    """The names of the values of memsnap_error, without their prefix."""
    body, = re.findall(r"typedef enum \{([^}]*)\} memsnap_error;", HEADER.read_text())
    names = re.findall(r"^ *MEMSNAP_(\w+)", body, re.MULTILINE)
    return [name.removeprefix("ERROR_") for name in names if name != "ERRORS"]


class Library:
    """The driver's functions, without ``memsnap_``, over registers that Python plays."""

    def __init__(self, place, text=None):
        (place / "hooks.h").write_text(_HOOKS)
        source = place / "memsnap.c"
        source.write_text((text or SOURCE.read_text())
                          + "\nuint32_t (*mock_read)(uintptr_t);\n"
                            "void (*mock_write)(uintptr_t, uint32_t);\n"
                            "extern const size_t sizes[];\nconst size_t sizes[] = {"
                            "sizeof(memsnap_unit), sizeof(memsnap_status), sizeof(memsnap_region), "
                            "sizeof(memsnap_policy), sizeof(memsnap_counters)};\n")
        library = place / "libmemsnap.so"
        subprocess.run([*compiler(), *STRICT, "-O1", "-fPIC", "-shared", "-include",
                        place / "hooks.h", f"-I{HEADER.parent}", source, "-o", library], check=True)
        self._library = ctypes.CDLL(str(library))
        sizes = (ctypes.c_size_t * 5).in_dll(self._library, "sizes")
        assert list(sizes) == [ctypes.sizeof(each)
                               for each in (Unit, Status, Region, Policy, Counters)]
        self.unit = Unit()
        for name, result, arguments in prototypes():
            function = getattr(self._library, name)
            function.restype = _TYPES[result]
            function.argtypes = [_argument(each) for each in arguments]

    def connect(self, registers):
        """Lets the driver reach ``registers``, which has ``read32`` and ``write32``."""
        self._hooks = (_READ(lambda address: registers.read32(address - BASE)),
                       _WRITE(lambda address, value: registers.write32(address - BASE, value)))
        for name, kind, hook in zip(("mock_read", "mock_write"), (_READ, _WRITE), self._hooks,
                                    strict=True):
            kind.in_dll(self._library, name).value = None
            ctypes.c_void_p.in_dll(self._library, name).value = ctypes.cast(
                hook, ctypes.c_void_p).value

    def __getattr__(self, name):
        """``memsnap_NAME``, given the unit first; an error as its name."""
        function = getattr(self._library, f"memsnap_{name}")
        takes_unit = function.argtypes and function.argtypes[0] is ctypes.POINTER(Unit)
        first = (ctypes.byref(self.unit),) if takes_unit else ()

        def call(*arguments):
            given = [ctypes.byref(each) if isinstance(each, ctypes._SimpleCData | ctypes.Structure)
                     else each for each in arguments]
            result = function(*first, *given)
            return errors()[result] if _gives_error(f"memsnap_{name}") else result
        return call


def _gives_error(name):
    return any(each == name and result == "memsnap_error" for each, result, _ in prototypes())


def _argument(text):
    if text.startswith("enum"):
        return _INT
    kind = _TYPES[text.removeprefix("const ").split()[0]]
    return ctypes.POINTER(kind) if "*" in text else kind


class MockUnit:
    """A register file that behaves as the description says, with a core of ``polls`` steps.

    Configuration keeps its bits, locked registers refuse a write, commands do what they say. A
    snapshot ends, as ``fate`` says, when the status has been read ``polls`` times.
    """

    def __init__(self, params, *, polls=3, fate=Cause.NONE):
        self.params, self.polls, self.fate = params, polls, fate
        self.words, self.fields = {}, {}
        self.log, self.faults = [], []     # writes; what would be answered with a bus error
        values = constants(params)
        for register in REGISTERS.values():
            for index in range(min(register.count, params.regions)):
                word = 0
                for field in register.fields:
                    value = values.get(field.member, field.reset) >> field.member_lsb
                    word |= (value << field.lsb) & field.mask
                self.words[register.address(index)] = word
                self.fields[register.address(index)] = register
        self.row = 0
        self.countdown = None
        self.set("STATUS", state=State.IDLE, ready=1)

    def set(self, name, **values):
        """Gives fields of a register a value, from the core's side."""
        register = REGISTERS[name]
        word = self.words[register.offset]
        for field, value in values.items():
            mask = register.field(field).mask
            word = word & ~mask | int(value) << register.field(field).lsb & mask
        self.words[register.offset] = word

    def get(self, name, field):
        register = REGISTERS[name]
        return register.field(field).get(self.words[register.offset])

    def read32(self, offset):
        if offset not in self.words:
            self.faults.append(f"read of {offset:#x}, where there is no register")
            return 0
        if offset == REGISTERS["STATUS"].offset and self.countdown is not None:
            self.countdown -= 1
            if self.countdown == 0:
                self.end(self.fate)
        if offset == REGISTERS["MAP_DATA"].offset:
            return 0xA5A50000 | self.words[REGISTERS["MAP_INDEX"].offset]
        return self.words[offset]

    def write32(self, offset, value):
        if offset not in self.words:
            self.faults.append(f"write to {offset:#x}, where there is no register")
            return
        register = self.fields[offset]
        self.log.append((register.name, value))
        locked = self.get("STATUS", "locked") or self.get("LOCK", "until_reset")
        if register.locked and locked:
            self.faults.append(f"write to {register.name}, which is locked")
            return
        for field in register.fields:
            if field.kind not in (Kind.CONFIG, Kind.COMMAND, Kind.EVENT):
                self.faults.append(f"write to {register.name}, which is read-only")
            elif field.kind is Kind.CONFIG:
                self.words[offset] = self.words[offset] & ~field.mask | value & field.mask
            elif field.get(value):
                self.command(register, field)

    def command(self, register, field):
        if register.name == "IRQ_STATUS":
            self.set("IRQ_STATUS", ended=0)
        elif register.name == "IRQ_TEST":
            self.set("IRQ_STATUS", ended=1)
        elif field.name == "start":
            self.start()
        elif field.name == "cancel" and self.countdown is not None:
            self.end(Cause.CANCELLED)
        elif field.name == "clear" and self.countdown is None:
            self.set("STATUS", state=State.IDLE, done=0, failed=0, cancelled=0, protected=0)
        elif field.name == "latch":
            self.set("DURATION", value=self.get("DURATION", "value") + 1)

    def start(self):
        if not self.get("STATUS", "ready"):
            self.set("STATUS", refused=1)
            self.set("CAUSE", refusal=1)
            return
        self.countdown = self.polls
        self.set("CAUSE", cause=0, refusal=0)
        self.set("STATUS", state=State.BACKGROUND, locked=1, active=1, protected=1, ready=0,
                 done=0, failed=0, cancelled=0, refused=0)

    def end(self, cause):
        self.countdown = None
        good, cancelled = cause is Cause.NONE, cause is Cause.CANCELLED
        self.set("CAUSE", cause=cause)
        self.set("IRQ_STATUS", ended=1)
        self.set("FAIL_BLOCK", block=7)
        self.set("STATUS", state=State.DONE if good else State.IDLE, locked=0, active=0, ready=1,
                 protected=good, done=good, cancelled=cancelled,
                 failed=not good and not cancelled)
