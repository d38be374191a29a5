"""What a configuration file may hold: the keys of each table, their meaning, how they are read.

The keys of ``[unit]`` are the fields of :class:`memsnap.SnapshotParams`, whatever these are.
"""

import inspect
import re
from dataclasses import MISSING, dataclass, fields
from enum import Enum

from memsnap import SnapshotParams
from memsnap.control import Failure, RegionKind

from .errors import InputError
from .surroundings import EXPECTED, MEMORIES, Fault

__all__ = ["LISTS", "TABLES", "Key", "parse_identifier", "parse_size", "show_size"]

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
#: The largest number that a key takes, and that a register does.
_LARGEST, _WORD = (1 << 64) - 1, (1 << 32) - 1


def parse_size(text):
    """A number of bytes or clocks: ``4096``, ``0x1000``, ``64K``, ``1 MiB``."""
    match = re.fullmatch(r"\s*(0x[0-9a-f_]+|[0-9][0-9_]*)\s*([KMG]?)(?:i?B)?\s*", str(text), re.I)
    if not match:
        raise InputError(f"{text!r} is not a number: write it as 4096, 0x1000, 64K or 1M")
    digits = match[1].lower()
    return int(digits, 16 if digits.startswith("0x") else 10) * _UNITS[match[2].upper()]


def show_size(size):
    """A number of bytes as one writes it: ``64 KiB``."""
    for unit in "G", "M", "K":
        if size and size % _UNITS[unit] == 0:
            return f"{size // _UNITS[unit]} {unit}iB"
    return f"{size} B"


def parse_identifier(text):
    """A name that Verilog takes for a module."""
    if not re.fullmatch(r"[A-Za-z_]\w*", text, re.ASCII):
        raise InputError(f"{text!r} is no Verilog identifier: use letters, digits and underscores")
    return text


@dataclass(frozen=True)
class Key:
    """One key of a table.

    ``kind`` is ``"number"`` (an integer, or a text such as ``"64 KiB"``), ``"flag"``, ``"text"``,
    ``"choice"`` (of the texts ``choices``), ``"list"`` (of texts) or ``"name"``. ``default`` is as
    in the file; None where there is none, then ``about`` says what is done. ``option`` is the name
    on the command line, where that differs.
    """

    name: str
    kind: str
    about: str
    default: object = None
    least: int = 0
    most: int = _LARGEST
    choices: tuple = ()
    option: str = ""

    def read(self, value):
        """The checked value."""
        match self.kind:
            case "number":
                return self._number(value)
            case "flag" if not isinstance(value, bool):
                raise InputError(f"{self.name} must be true or false, not {value!r}")
            case "choice" if value not in self.choices:
                raise InputError(f"{self.name} must be {' or '.join(self.choices)}, not {value!r}")
            case "list" if not isinstance(value, list | tuple | set | frozenset) or not all(
                    isinstance(each, str) for each in value):
                raise InputError(f"{self.name} must be a list of texts, such as [\"cti\"], "
                                 f"not {value!r}")
            case "text" | "name" if not isinstance(value, str):
                raise InputError(f"{self.name} must be a text, not {value!r}")
            case "name":
                return parse_identifier(value)
        return value

    def _number(self, value):
        if isinstance(value, str):
            try:
                value = parse_size(value)
            except InputError as error:
                raise InputError(f"{self.name}: {error}") from None
        if not isinstance(value, int) or isinstance(value, bool):
            raise InputError(f"{self.name} must be an integer, not {value!r}")
        if value < 0 == self.least:
            raise InputError(f"{self.name} must not be negative, not {value!r}")
        if not self.least <= value <= self.most:
            raise InputError(f"{self.name} must be {self.least} to {self.most}, not {value!r}")
        return value

    def write(self, value):
        """``value`` as TOML."""
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, int):
            if self.name.endswith("_size") and value >= 1 << 10:
                return f'"{show_size(value)}"'
            return hex(value) if self.name.endswith("_base") and value else str(value)
        if self.kind == "list":
            return "[" + ", ".join(f'"{each}"' for each in sorted(value)) + "]"
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _abouts(document):
    """What a docstring's section Parameters says of each, as one line."""
    section = re.search(r"^Parameters\n-+\n(.*?)(?=^\w+\n-+$|\Z)", document, re.M | re.S)
    abouts = {}
    for names, text in re.findall(r"^(\w[\w, ]*) : [^\n]*\n((?:[ ]+[^\n]*\n?|\n)*)",
                                  section[1] if section else "", re.M):
        about = re.sub(r"\s+", " ", text).strip().replace("``", "")
        abouts |= dict.fromkeys(re.split(r",\s*", names), about)
    return abouts


def _unit_keys():
    """A key for each field of :class:`SnapshotParams`, with its documentation."""
    abouts = _abouts(inspect.getdoc(SnapshotParams))
    for each in fields(SnapshotParams):
        default = each.default if each.default is not MISSING else None
        kind, choices = "number", ()
        if each.type is bool:
            kind = "flag"
        elif isinstance(each.type, type) and issubclass(each.type, Enum):
            kind, choices = "choice", tuple(choice.value for choice in each.type)
            default = default.value
        elif each.type is frozenset:
            kind, default = "list", sorted(default)
        elif each.type is str:
            kind = "text"
        about = abouts.get(each.name, "")
        if each.name == "shadow_base":
            default, about = None, about + " By default behind the memory."
        yield Key(each.name, kind, about, default, choices=choices)


def _table(*keys):
    return {key.name: key for key in keys}


#: The keys of each table, by name.
TABLES = {
    "unit": _table(*_unit_keys()),
    "memory": _table(
        Key("model", "choice", "What is behind the unit: a memory that answers after a fixed time, "
            "or LiteDRAM's controller with a simulated SDRAM.", "ideal", choices=MEMORIES,
            option="memory"),
        Key("latency", "number", "Clocks from a read that an ideal memory accepts to its data.", 4,
            1, 1024),
        Key("shadow_latency", "number", "The same for a separate shadow: clocks from a write to "
            "its answer. By default as the memory.", None, 1, 1024)),
    "policy": _table(
        Key("failure", "choice", "What gives way when a copy fails that a write waits for: the "
            "snapshot, or the write.", choices=tuple(each.name.lower() for each in Failure)),
        Key("retries", "number", "How often a failed access is repeated first.", None, 0, 15),
        Key("hold_io", "flag", "Masters that are not gated hold still around the instant."),
        Key("timeout", "number", "Clocks without an answer of the memory after which the snapshot "
            "fails; 0 for never.", None, 0, _WORD),
        Key("hold_limit", "number", "Clocks that a write may be held; 0 for no limit.", None, 0,
            _WORD),
        Key("deadline", "number", "Clocks that the snapshot may take; 0 for no limit.", None, 0,
            _WORD),
        Key("share", "number", "The copier gets a slot after it was denied one for this many "
            "clocks; 0 for idle slots alone.", None, 0, _WORD),
        Key("pace", "number", "At most one block of the background copy in this many clocks.",
            None, 0, 0xffff),
        Key("protect", "number", "A bit for each port that may not read the shadow.", None, 0, 15),
        Key("lock", "flag", "Lock the configuration until the next reset.")),
    "dma": _table(
        Key("ungated", "flag", "The IO device reaches the memory by a way of its own.", False),
        Key("deaf", "flag", "It does not answer when it is asked to hold still.", False)),
    "run": _table(
        Key("program", "text", "An ELF file for RV32, or a name that `memsnap programs` lists."),
        Key("at", "text", 'Snapshot when the CPU reaches a symbol, for the Nth time: "main", '
            '"main:3".'),
        Key("at_clock", "number", "Or: snapshot at a clock after reset."),
        Key("pin", "number", "Or: raise the trigger pin at a clock."),
        Key("self", "flag", "Or: the program starts the snapshot itself.", False),
        Key("initial", "choice", "Whether the program's kernel section is copied first by "
            "itself.", "auto", choices=("auto", "none")),
        Key("wave", "choice", "Write a waveform.", choices=("fst", "vcd")),
        Key("wave_window", "text", 'Clocks that it shows, "120000-125000". By default around the '
            'instant.'),
        Key("baseline", "flag", "Also run the program without a snapshot, and copying memory in "
            "software.", True),
        Key("record", "flag", "Also write the CPU's accesses to the memory, in a run without a "
            "snapshot: accesses.csv.gz, for memsnap sweep.", False),
        Key("wait", "flag", "Let a snapshot finish that is still running when the program ends.",
            False),
        Key("max_clocks", "number", "Stop a program that does not end.", 50_000_000, 1, 1 << 40),
        Key("expect", "choice", "What the run is to show: an exact image, or how the snapshot "
            "fails.", "exact", choices=EXPECTED),
        Key("out", "text", "Where results go. By default build/run/PROGRAM.")),
    "verilog": _table(Key("name", "name", "Name of the module.", "memsnap")),
}

#: The keys of the tables that there may be any number of.
LISTS = {
    "region": _table(
        Key("start", "number", "First byte address."),
        Key("limit", "number", "Last byte address."),
        Key("symbol", "text", "Or: all of a symbol of the program."),
        Key("kind", "choice", "What it holds.", "user",
            choices=tuple(kind.name.lower() for kind in RegionKind))),
    "fault": _table(
        Key("side", "choice", "Of which accesses of the copier: its reads of the memory, or its "
            "writes to the shadow.", Fault.side, choices=("memory", "shadow")),
        Key("block", "number", "Only those of one block."),
        Key("address", "number", "Or: only those of the beat with this byte of the memory."),
        Key("skip", "number", "So many accesses are good first.", Fault.skip),
        Key("times", "number", "So many are not then; 0 for all.", Fault.times),
        Key("silent", "flag", "They are not answered at all, instead of with an error.",
            Fault.silent)),
}
