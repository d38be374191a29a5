"""What a run is to be: from a configuration and from options, checked in one place."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from memsnap import SnapshotParams
from memsnap.control import RegionKind
from memsnap.params import Shadow

from .config import Config
from .config_tables import TABLES, parse_size
from .errors import InputError
from .simulable import refusals
from .surroundings import Fault, policy_registers

__all__ = ["RegionSpec", "Settings", "Trigger", "parse_at", "parse_region",
           "parse_region_symbol", "parse_window", "regions_of", "surroundings_of"]

TRIGGER_KEYS = ("at", "at_clock", "pin", "self")


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

    ``memory`` is one of :data:`~memsnap_sim.surroundings.MEMORIES`, ``latency`` is in clocks;
    ``wave`` is None, ``"fst"`` or ``"vcd"``; ``wave_window`` is a pair of clocks, or None to choose
    one around the instant; ``initial`` tells that the program's kernel sections become regions by
    themselves, ``wait`` that a snapshot is waited for that is not finished when the program ends,
    ``record`` that the CPU's accesses to the memory are wanted.
    """

    program: str
    trigger: Trigger
    params: SnapshotParams
    regions: tuple[RegionSpec, ...] = ()
    initial: bool = True
    memory: str = "ideal"
    latency: int = 4
    wave: str | None = None
    wave_window: tuple[int, int] | None = None
    baseline: bool = True
    wait: bool = False
    record: bool = False
    out: Path = Path("build/run")
    max_clocks: int = 50_000_000
    shadow_latency: int | None = None
    registers: dict = field(default_factory=dict)
    ungated: bool = False
    deaf: bool = False
    faults: tuple[Fault, ...] = ()
    expect: str = "exact"

    @classmethod
    def build(cls, config, options):
        """Settings of a :class:`Config` (or its tables); ``options`` that are not None override."""
        if isinstance(config, dict):
            config = Config.of(config)
        given = {key: value for key, value in options.items() if value not in (None, ())}
        run = config.run
        if any(key in given for key in TRIGGER_KEYS):
            run = {key: value for key, value in run.items() if key not in TRIGGER_KEYS}
        run = {key: each.default for key, each in TABLES["run"].items()} | run | {
            key: TABLES["run"][key].read(value) for key, value in given.items()
            if key in TABLES["run"]}
        if run["program"] is None:
            raise InputError(
                "name a program: a file, or one of those that `memsnap programs` lists")
        params = config.params(given)
        window = run["wave_window"]
        ungated, faults = surroundings_of(config, params)
        memory = config.value("memory", "model", given.get("memory"))
        for problem in refusals(params, memory, ungated=ungated, faults=faults):
            raise InputError(problem)
        if memory == "litedram" and "latency" in given and params.shadow is Shadow.SAME:
            raise InputError("latency is that of an ideal memory, and LiteDRAM has its own timing: "
                             "leave it out, or use --memory ideal")
        policy = ({"hold_io": True} if ungated and params.io_hold else {}) | config.policy | {
            key: TABLES["policy"][key].read(value) for key, value in given.items()
            if key in TABLES["policy"] and key not in TABLES["unit"]}
        return cls(
            program=run["program"], trigger=_trigger(run), params=params,
            regions=regions_of(config, params, given.get("regions_of_run", ())),
            initial=run["initial"] == "auto",
            memory=memory,
            latency=config.value("memory", "latency", given.get("latency")), wave=run["wave"],
            wave_window=parse_window(window) if window is not None else None,
            baseline=run["baseline"], wait=run["wait"], record=run["record"],
            out=Path(run["out"] or Path("build/run") / Path(run["program"]).stem),
            max_clocks=run["max_clocks"],
            shadow_latency=config.value("memory", "shadow_latency", given.get("shadow_latency")),
            registers=policy_registers(policy), ungated=ungated,
            deaf=config.value("dma", "deaf"),
            faults=faults, expect=run["expect"])


def regions_of(config, params, given=()):
    """The regions that are ``given``, or else those of the file, as many as the unit has room for.
    """
    regions = tuple(given)
    where = ""
    if not regions:
        where = f"{config.source}: " if config.source else ""
        try:
            regions = tuple(_region_of_table(region) for region in config.region)
        except InputError as error:
            raise InputError(f"{where}{error}") from None
    if len(regions) > params.regions:
        raise InputError(f"{where}{len(regions)} regions do not fit the unit's table of "
                         f"{params.regions}: set regions = {len(regions)} under [unit]")
    return regions


def surroundings_of(config, params):
    """Whether the IO device is ungated, and the faults of the memories."""
    dma = config.dma
    ungated = dma.get("ungated", False)
    if dma and not ungated and params.ports < 2:
        raise InputError("an IO device on a gated port needs one: set ports = 2 under [unit]")
    if ungated and not params.io_hold and params.ports < 2:
        raise InputError("an ungated IO device writes what the unit does not see: set "
                         "io_hold = true under [unit]")
    return ungated, tuple(_fault(fault, params) for fault in config.fault)


def _fault(table, params):
    try:
        fault = Fault(**table)
        fault.bytes_of(params)
    except ValueError as error:
        raise InputError(f"[[fault]]: {error}") from None
    return fault


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
    given = [key for key in TRIGGER_KEYS
             if run.get(key) is not None and run[key] is not False]
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
    return Trigger("pin" if key == "pin" else "clock", clock=value)


def _region_of_table(region):
    if "symbol" in region:
        if "start" in region or "limit" in region:
            raise InputError(f"region {region['symbol']!r} has both a symbol and addresses: "
                          f"leave one out")
        return RegionSpec(symbol=region["symbol"], kind=_kind(region.get("kind", "user")))
    if "start" not in region or "limit" not in region:
        raise InputError("a [[region]] needs start and limit, or symbol")
    return parse_region(f"{region['start']}-{region['limit']}:{region.get('kind', 'user')}")


def _kind(name):
    known = [kind.name.lower() for kind in RegionKind]
    if name not in known:
        raise InputError(f"region kind {name!r} is unknown: use one of {', '.join(known)}")
    return name
