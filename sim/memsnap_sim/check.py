"""What a configuration needs and costs: ``memsnap check``."""

import math
from dataclasses import dataclass

from memsnap.params import MAP_ROW_BITS, Release, Shadow

from .errors import InputError
from .settings import regions_of, surroundings_of

__all__ = ["Finding", "cells", "check", "findings", "problems"]

#: Clocks of a stall beside the memory's latency: to ask, to claim, to read first, to pass on.
_STALL = 6
#: Clocks from an accepted start to the instant where no write waits at the memory.
_ARMED = 2
#: Beats of the buffer beside those in flight: between the stages of the copier.
_STAGES = 8


@dataclass(frozen=True)
class Finding:
    """One figure: what it is of (``"needs"`` or ``"clocks"``), its name, value, unit, and why."""

    kind: str
    name: str
    value: float
    unit: str
    why: str = ""


def problems(config):
    """What is wrong with a configuration, each as a sentence or two; empty if it is sound."""
    try:
        params = config.params()
    except InputError as error:
        return [str(error)]      # nothing else can be judged
    found = []
    for look in regions_of, surroundings_of:
        try:
            look(config, params)
        except InputError as error:
            found.append(str(error))
    found += _regions(config, params)
    found += _policy(config.policy, params)
    return found


def _regions(config, params):
    last = params.memory_base + params.memory_size - 1
    for region in config.region:
        outside = [value for name in ("start", "limit") if (value := region.get(name)) is not None
                   and not params.memory_base <= value <= last]
        if outside:
            yield (f"[[region]]: {outside[0]:#x} is outside the memory, {params.memory_base:#x} to "
                   f"{last:#x}: the unit refuses such a start; leave that part out")


def _policy(policy, params):
    """What the unit would refuse at the start."""
    if policy.get("retries") and not params.retry:
        yield (f"[policy] retries is {policy['retries']}, but this unit repeats nothing: set "
               f"retry = true under [unit]")
    if policy.get("failure") == "fail_write":
        if not params.retry:
            yield ("[policy] failure is fail_write, which this unit cannot do: set retry = true "
                   "under [unit]")
        if params.release is not Release.COPIED:
            yield (f"[policy] failure is fail_write, but with release = "
                   f"\"{params.release.value}\" a write goes on before its block is stored: set "
                   f"release = \"copied\" under [unit]")
    if policy.get("hold_io") and not params.io_hold:
        yield ("[policy] hold_io is set, but this unit has no pins for it: set io_hold = true "
               "under [unit]")
    if policy.get("protect", 0) >> params.ports:
        yield (f"[policy] protect is {policy['protect']:#x}, but there are {params.ports} ports: "
               f"use 0 to {(1 << params.ports) - 1:#x}")


def findings(config):
    """A sound configuration's figures."""
    params = config.params()
    latency = config.value("memory", "latency")
    shadow_latency = config.value("memory", "shadow_latency") or latency
    return [*_needs(params, latency, shadow_latency), *_clocks(params, latency, shadow_latency)]


def _wanted_depth(params, latency, shadow_latency):
    """Beats under way at the full copy rate."""
    return math.ceil(_rate(params) * (latency + shadow_latency)) + _STAGES


def _rate(params):
    """Beats a clock at most: reads and writes share a port, or do not."""
    return 1 if params.shadow is Shadow.SEPARATE else 0.5


def _needs(params, latency, shadow_latency):
    yield Finding("needs", "blocks", params.blocks, "",
                  f"{params.block_beats} beats each")
    rows = params.map_rows
    yield Finding("needs", "copy map", rows * params.map_row_bits, "bits of RAM",
                  f"{rows} rows of {params.map_row_bits} blocks, {1 + params.ports} readers: "
                  + ("block RAM" if rows * MAP_ROW_BITS > 2048 else "distributed RAM will do"))
    place = params.beat_bits + params.block_bits
    yield Finding("needs", "buffer", params.buffer_depth * (params.data_width + place),
                  "bits of RAM", f"{params.buffer_depth} beats with their places")
    wanted = _wanted_depth(params, latency, shadow_latency)
    enough = wanted <= params.buffer_depth
    yield Finding("needs", "buffer for the full rate", wanted, "beats",
                  "it has them" if enough else
                  f"set buffer_depth = {1 << (wanted - 1).bit_length()}, or copy more slowly")
    notes = params.block_beats << (params.jobs - 1).bit_length() if params.beat_bits else 0
    yield Finding("needs", "notes", notes, "bits of RAM",
                  f"which beats are read, of {params.jobs} jobs")


def _clocks(params, latency, shadow_latency):
    beats = params.memory_size // params.beat_bytes
    depth = min(1, params.buffer_depth / _wanted_depth(params, latency, shadow_latency))
    rate = _rate(params) * depth
    early = params.release is Release.CAPTURED
    yield Finding("clocks", "added to a read", 0, "clocks")
    yield Finding("clocks", "added to a write to a copied block", 0, "clocks",
                  "1 if its row of the map is not at hand")
    stall = latency + _STALL
    if not early:
        stall += math.ceil(params.block_beats / rate) + shadow_latency
    yield Finding("clocks", "stall of a write, at the longest about", stall, "clocks",
                  "one read of the memory" if early else "its whole block is stored first")
    if params.ports > 1:
        yield Finding("clocks", "the same, all ports at once, about", params.ports * stall,
                      "clocks", "held writes are served one after the other")
    yield Finding("clocks", "start to the instant", _ARMED, "clocks",
                  "and until the memory takes the writes that it stalls")
    yield Finding("clocks", "copy of all, without other traffic", math.ceil(beats / rate),
                  "clocks", f"{beats} beats at {rate:.3g} a clock")
    if params.share:
        busiest = 2 * beats * (params.share + 1) if params.shadow is Shadow.SAME else (
            beats * (params.share + 1))
        yield Finding("clocks", "copy of all, under any traffic", busiest, "clocks",
                      f"a slot for the copier after {params.share} denied")
    yield Finding("clocks", "from a failed snapshot to the next", params.sweep_clocks, "clocks",
                  "the map is swept")


def cells(config):
    """Cells on ECP5, counted by Yosys for exactly this unit; takes a minute or so."""
    import tempfile
    from pathlib import Path

    from memsnap import SnapshotUnit

    from .synth import count_cells
    with tempfile.TemporaryDirectory() as folder:
        return count_cells("unit", SnapshotUnit(config.params()), "ecp5", Path(folder))


def check(config, *, count=False):
    """All of the above as one dict, as ``memsnap check --json`` writes it."""
    wrong = problems(config)
    result = {"sound": not wrong, "problems": wrong, "needs": [], "clocks": []}
    if not wrong:
        for each in findings(config):
            result[each.kind].append({"name": each.name, "value": each.value, "unit": each.unit,
                                      "why": each.why})
        if count:
            result["cells"] = cells(config)
    return result
