"""What a run is to be: from a TOML file and from options, checked in one place.

A file has a table ``[unit]`` with the fields of :class:`memsnap.SnapshotParams`, a table ``[run]``
with the options of ``memsnap run`` (underscores for hyphens), and any number of ``[[region]]``.
"""

import difflib
import re
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path

from memsnap import SnapshotParams
from memsnap.control import RegionKind

from .surroundings import EXPECTED, Fault, policy_registers

__all__ = ["InputError", "RegionSpec", "Settings", "Trigger", "build_params", "parse_at",
           "parse_identifier", "parse_region", "parse_region_symbol", "parse_size",
           "parse_window", "read_toml"]

RUN_KEYS = ("program", "at", "at_clock", "pin", "self", "latency", "initial", "wave",
            "wave_window", "baseline", "wait", "out", "max_clocks", "expect")
TEXT_KEYS = ("program", "at", "wave", "wave_window", "out")
REGION_KEYS = ("start", "limit", "symbol", "kind")
UNIT_KEYS = tuple(field.name for field in fields(SnapshotParams))
#: Fields of the unit that are no numbers.
NO_SIZES = ("release", "features", "pipelined", "shadow", "map", "retry", "io_hold")
MEMORY_KEYS = ("latency", "shadow_latency")
POLICY_KEYS = ("failure", "retries", "hold_io", "deadline", "hold_limit", "timeout", "share",
               "pace")
DMA_KEYS = ("ungated", "deaf")
FAULT_KEYS = tuple(field.name for field in fields(Fault))
TRIGGER_KEYS = ("at", "at_clock", "pin", "self")

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


class InputError(Exception):
    """Something that the user can put right; its text says what and how, in a line or two."""


@dataclass(frozen=True)
class Trigger:
    """When the snapshot starts: ``kind`` is ``"symbol"`` (the ``nth`` time that the CPU fetches
    from ``symbol``), ``"clock"`` or ``"pin"`` (at ``clock``), or ``"self"``.
    """

    kind: str
    symbol: str = ""
    nth: int = 1
    clock: int = 0

    def __str__(self):
        if self.kind == "symbol":
            return f"symbol {self.symbol}" + (f", time {self.nth}" if self.nth > 1 else "")
        return {"clock": f"clock {self.clock:,}", "pin": f"the trigger pin at clock {self.clock:,}",
                "self": "the program itself"}[self.kind]


@dataclass(frozen=True)
class RegionSpec:
    """A region of the initial copy: ``start`` to ``limit`` (byte addresses, both included), or all
    of a ``symbol``; ``kind`` names a :class:`memsnap.control.RegionKind`.
    """

    start: int | None = None
    limit: int | None = None
    symbol: str = ""
    kind: str = "user"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A checked description of one run.

    ``latency`` is in clocks; ``wave`` is None, ``"fst"`` or ``"vcd"``; ``wave_window`` is a pair
    of clocks, or None to choose one around the instant; ``initial`` tells that the program's
    kernel sections become regions by themselves, ``wait`` that a snapshot is waited for that is
    not finished when the program ends.
    """

    program: str
    trigger: Trigger
    params: SnapshotParams
    regions: tuple[RegionSpec, ...] = ()
    initial: bool = True
    latency: int = 4
    wave: str | None = None
    wave_window: tuple[int, int] | None = None
    baseline: bool = True
    wait: bool = False
    out: Path = Path("build/run")
    max_clocks: int = 50_000_000
    shadow_latency: int | None = None
    registers: dict = field(default_factory=dict)
    ungated: bool = False
    deaf: bool = False
    faults: tuple[Fault, ...] = ()
    expect: str = "exact"

    @classmethod
    def build(cls, table, options):
        """Settings of a TOML ``table`` (or ``{}``); ``options`` that are not None override it."""
        given = {key: value for key, value in options.items() if value not in (None, ())}
        run = dict(table.get("run", {}))
        if any(key in given for key in TRIGGER_KEYS):
            run = {key: value for key, value in run.items() if key not in TRIGGER_KEYS}
        run |= {key: value for key, value in given.items() if key in RUN_KEYS}
        if "program" not in run:
            raise InputError(
                "name a program: a file, or one of those that `memsnap programs` lists")
        unit = dict(table.get("unit", {}))
        unit |= {key: value for key, value in given.items() if key in UNIT_KEYS}
        regions = tuple(given.get("regions_of_run", ())) or tuple(
            _region_of_table(region) for region in table.get("region", ()))
        program = run["program"]
        wave = run.get("wave")
        if wave not in (None, "fst", "vcd"):
            raise InputError(f"wave must be fst or vcd, not {wave!r}")
        window = run.get("wave_window")
        params = build_params(unit)
        memory = dict(table.get("memory", {})) | {
            key: run[key] for key in ("latency",) if key in run}
        dma = table.get("dma", {})
        ungated = _flag(dma, "ungated", False)
        policy = {"hold_io": True} if ungated and params.io_hold else {}
        policy |= table.get("policy", {})
        if dma and not ungated and params.ports < 2:
            raise InputError("an IO device on a gated port needs one: set ports = 2 under [unit]")
        if ungated and not params.io_hold and params.ports < 2:
            raise InputError("an ungated IO device writes what the unit does not see: set "
                             "io_hold = true under [unit]")
        if len(regions) > params.regions:
            raise InputError(f"{len(regions)} regions do not fit the unit's table of "
                          f"{params.regions}: set regions = {len(regions)} under [unit]")
        return cls(
            program=program, trigger=_trigger(run), params=params, regions=regions,
            initial=_choice(run, "initial", "auto", ("auto", "none")) == "auto",
            latency=_number(memory, "latency", cls.latency, 1, 1024), wave=wave,
            wave_window=parse_window(window) if isinstance(window, str) else window,
            baseline=_flag(run, "baseline", True), wait=_flag(run, "wait", False),
            out=Path(run.get("out") or Path("build/run") / Path(program).stem),
            max_clocks=_number(run, "max_clocks", cls.max_clocks, 1, 1 << 40),
            shadow_latency=_number(memory, "shadow_latency", 0, 1, 1024)
            if "shadow_latency" in memory else None,
            registers=policy_registers(policy), ungated=ungated, deaf=_flag(dma, "deaf", False),
            faults=tuple(_fault(fault, params) for fault in table.get("fault", ())),
            expect=_choice(run, "expect", "exact", EXPECTED))


def read_toml(path):
    """The tables of a TOML file; unknown tables and keys are refused with the nearest known one."""
    try:
        table = tomllib.loads(Path(path).read_text())
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not TOML: {error}") from None
    _check_keys(table, ("unit", "memory", "policy", "dma", "run", "region", "fault"),
                f"{path}: table")
    for name, keys in (("unit", UNIT_KEYS), ("memory", MEMORY_KEYS), ("policy", POLICY_KEYS),
                       ("dma", DMA_KEYS), ("run", RUN_KEYS)):
        if not isinstance(table.get(name, {}), dict):
            raise InputError(f"{path}: write [{name}] as a table")
        _check_keys(table.get(name, {}), keys, f"{path}: key in [{name}]")
    _check_texts(table.get("run", {}), TEXT_KEYS)
    regions = table.get("region", [])
    if not isinstance(regions, list) or not all(isinstance(r, dict) for r in regions):
        raise InputError(f"{path}: write each region as [[region]], with two brackets")
    for region in regions:
        _check_keys(region, REGION_KEYS, f"{path}: key in [[region]]")
        _check_texts(region, ("symbol", "kind"))
    return table


def build_params(unit):
    """:class:`SnapshotParams` of its fields; sizes may be texts such as ``"64K"``.

    Without ``shadow_base`` the shadow follows the memory, at the next base that is aligned.
    """
    unit = {key: parse_size(value) if isinstance(value, str) and key not in NO_SIZES else value
            for key, value in unit.items()}
    size = unit.get("memory_size", SnapshotParams.memory_size)
    if "shadow_base" not in unit and isinstance(size, int) and size > 0:
        span = 1 << (size - 1).bit_length()
        unit["shadow_base"] = unit.get("memory_base", 0) + span
    try:
        return SnapshotParams(**unit)
    except (TypeError, ValueError) as error:
        raise InputError(str(error)) from None


def parse_size(text):
    """A number of bytes or clocks: ``4096``, ``0x1000``, ``64K``, ``1 MiB``."""
    match = re.fullmatch(r"\s*(0x[0-9a-f_]+|[0-9][0-9_]*)\s*([KMG]?)(?:i?B)?\s*", str(text), re.I)
    if not match:
        raise InputError(f"{text!r} is not a number: write it as 4096, 0x1000, 64K or 1M")
    digits = match[1].lower()
    return int(digits, 16 if digits.startswith("0x") else 10) * _UNITS[match[2].upper()]


def parse_identifier(text):
    """A name that Verilog takes for a module."""
    if not re.fullmatch(r"[A-Za-z_]\w*", text, re.ASCII):
        raise InputError(f"{text!r} is no Verilog identifier: use letters, digits and underscores")
    return text


def parse_at(text):
    """``SYMBOL`` or ``SYMBOL:N``."""
    symbol, colon, nth = text.partition(":")
    if not symbol or (colon and (not nth.isdigit() or int(nth) < 1)):
        raise InputError(f"{text!r} is not SYMBOL or SYMBOL:N: write main, or main:3 for the third "
                      f"time")
    return Trigger("symbol", symbol=symbol, nth=int(nth or 1))


def parse_region(text):
    """``START-LIMIT`` or ``START-LIMIT:KIND``."""
    match = re.fullmatch(r"([^-:]+)-([^-:]+)(?::(\w+))?", text)
    if not match:
        raise InputError(f"{text!r} is not START-LIMIT[:KIND]: write 0x1000-0x1fff:kernel")
    start, limit = parse_size(match[1]), parse_size(match[2])
    if start > limit:
        raise InputError(f"region {text!r} starts above its limit: write {match[2]}-{match[1]}")
    return RegionSpec(start, limit, kind=_kind(match[3] or "user"))


def parse_region_symbol(text):
    """``SYMBOL`` or ``SYMBOL:KIND``."""
    symbol, _, kind = text.partition(":")
    return RegionSpec(symbol=symbol, kind=_kind(kind or "user"))


def parse_window(text):
    """``FROM-TO`` in clocks."""
    first, dash, last = str(text).partition("-")
    if not dash:
        raise InputError(f"{text!r} is not FROM-TO: write 120000-125000 (clocks)")
    window = parse_size(first), parse_size(last)
    if window[0] >= window[1]:
        raise InputError(f"window {text!r} is empty: the first clock must be below the last")
    return window


def _trigger(run):
    given = [key for key in TRIGGER_KEYS if run.get(key) not in (None, False)]
    if len(given) > 1:
        raise InputError("choose one of " + ", ".join(f"--{key.replace('_', '-')}" for key in given)
                      + ": a run takes one snapshot")
    if not given:
        raise InputError("say when to take the snapshot: --at SYMBOL[:N], --at-clock N, --pin N or "
                      "--self")
    key, value = given[0], run[given[0]]
    if key == "at":
        return parse_at(value)
    if key == "self":
        return Trigger("self")
    return Trigger("pin" if key == "pin" else "clock", clock=parse_size(value))


def _region_of_table(region):
    if "symbol" in region:
        if "start" in region or "limit" in region:
            raise InputError(f"region {region['symbol']!r} has both a symbol and addresses: "
                          f"leave one out")
        return RegionSpec(symbol=region["symbol"], kind=_kind(region.get("kind", "user")))
    if "start" not in region or "limit" not in region:
        raise InputError("a [[region]] needs start and limit, or symbol")
    return parse_region(f"{region['start']}-{region['limit']}:{region.get('kind', 'user')}")


def _fault(table, params):
    _check_keys(table, FAULT_KEYS, "key in [[fault]]")
    try:
        fault = Fault(**table)
        fault.bytes_of(params)
    except ValueError as error:
        raise InputError(f"[[fault]]: {error}") from None
    return fault


def _kind(name):
    known = [kind.name.lower() for kind in RegionKind]
    if name not in known:
        raise InputError(f"region kind {name!r} is unknown: use one of {', '.join(known)}")
    return name


def _choice(run, key, default, choices):
    value = run.get(key, default)
    if value not in choices:
        raise InputError(f"{key} must be {' or '.join(choices)}, not {value!r}")
    return value


def _flag(run, key, default):
    value = run.get(key, default)
    if not isinstance(value, bool):
        raise InputError(f"{key} must be true or false, not {value!r}")
    return value


def _number(run, key, default, least, most):
    value = parse_size(run.get(key, default))
    if not least <= value <= most:
        raise InputError(f"{key} must be {least} to {most}, not {value}")
    return value


def _check_texts(table, keys):
    for key in keys:
        if not isinstance(table.get(key, ""), str):
            raise InputError(f"{key} must be a text, not {table[key]!r}")


def _check_keys(table, known, where):
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
            raise InputError(f"{where} {key!r} is unknown: {hint}")
