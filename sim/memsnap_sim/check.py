"""What a configuration needs and costs: ``memsnap check``."""

import math
from dataclasses import dataclass

from memsnap.params import MAP_ROW_BITS, Bus, Map, Release

from .bench_limits import copy_clocks
from .errors import InputError
from .settings import regions_of, surroundings_of
from .simulable import refusals

__all__ = ["Finding", "cells", "check", "findings", "problems"]

#: Clocks of a stall beside the memory's latency: to ask, to claim, to read first, to pass on.
_STALL = 6
#: And for each further port whose write is held at the same time.
_NEXT_PORT = 2
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


def problems(config, memory=None):
    """What is wrong with a configuration, each as a sentence or two; empty if it is sound.

    With a program to run, or on another ``memory`` than an ideal one (by default the
    configuration's own), it is to be fit for simulation as well.
    """
    try:
        params = config.params()
    except InputError as error:
        return [str(error)]      # nothing else can be judged
    found = []
    around = False, ()
    try:
        regions_of(config, params)
    except InputError as error:
        found.append(str(error))
    try:
        around = surroundings_of(config, params)
    except InputError as error:
        found.append(str(error))
    memory = config.value("memory", "model", memory)
    if memory != "ideal" or "program" in config.run:
        ungated, faults = around
        found += refusals(params, memory, ungated=ungated, faults=faults)
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
    stages = 5 * _burst(params) if params.bus is Bus.AXI4 else _STAGES
    return math.ceil(_rate(params) * (latency + shadow_latency)) + stages


def _rate(params):
    """Beats a clock at most: of the bus, or of the copy map."""
    return params.block_beats / max(params.map_clocks, params.copy_clocks)


def _full_rate_block(params):
    """Bytes of the smallest block with which the copy map is no limit, where it is one."""
    beats = math.ceil(params.map_clocks / copy_clocks(params, 1))
    return params.beat_bytes << (beats - 1).bit_length()


def _burst(params):
    """Beats that the copier asks for at once, at most."""
    return min(params.burst_beats, params.block_beats) if params.bus is Bus.AXI4 else 1


def _needs(params, latency, shadow_latency):
    yield Finding("needs", "blocks", params.blocks, "",
                  f"{params.block_beats} beats each")
    rows = params.map_rows
    kind = "distributed RAM will do"
    if rows * MAP_ROW_BITS >= 2048:
        kind = "block RAM"
        if params.map is Map.CHIP and params.map_latency == 1:
            kind += "; map_latency = 2 gives a higher clock"
    yield Finding("needs", "copy map", rows * params.map_row_bits, "bits of RAM",
                  f"{rows} rows of {params.map_row_bits} blocks, {1 + params.ports} readers: "
                  f"{kind}")
    place = params.beat_bits + params.block_bits
    yield Finding("needs", "buffer", params.buffer_depth * (params.data_width + place),
                  "bits of RAM", f"{params.buffer_depth} beats with their places")
    wanted = _wanted_depth(params, latency, shadow_latency)
    more = []
    if wanted > params.buffer_depth:
        more.append(f"buffer_depth = {1 << (wanted - 1).bit_length()}")
    if wanted > params.jobs * params.block_beats:
        more.append(f"jobs = {math.ceil(wanted / params.block_beats)}")
    yield Finding("needs", "buffer for the full rate", wanted, "beats",
                  f"set {' and '.join(more)}, or copy more slowly" if more else "it has them")
    yield Finding("needs", "notes", params.notes, "bits of RAM",
                  f"which beats are read, of {params.jobs} jobs")


def _clocks(params, latency, shadow_latency):
    beats = params.memory_size // params.beat_bytes
    under_way = min(params.buffer_depth, params.jobs * params.block_beats)
    rate = _rate(params) * min(1, under_way / _wanted_depth(params, latency, shadow_latency))
    early = params.release is Release.CAPTURED
    yield Finding("clocks", "added to a read", 0, "clocks")
    yield Finding("clocks", "added to a write to a copied block", 0, "clocks",
                  f"{params.map_latency} if its row of the map is not at hand")
    burst = _burst(params)
    # A burst may be on its way before
    stall = latency + _STALL + params.map_latency - 1 + burst - 1
    if not early:
        stall += math.ceil(params.block_beats / rate) + shadow_latency
    yield Finding("clocks", "stall of a write, at the longest about", stall, "clocks",
                  "one read of the memory" if early else "its whole block is stored first")
    if params.ports > 1:
        together = stall + _NEXT_PORT * (params.ports - 1) if early else params.ports * stall
        yield Finding("clocks", "the same, all ports at once, about", together, "clocks",
                      "their reads overlap" if early
                      else "held writes are served one after the other")
    yield Finding("clocks", "start to the instant", _ARMED, "clocks",
                  "and until the memory takes the writes that it stalls")
    small = params.copy_clocks < params.map_clocks
    yield Finding("clocks", "copy of all, without other traffic", math.ceil(beats / rate),
                  "clocks", f"{beats} beats at {rate:.3g} a clock" + (
                      f": each block takes the map {params.map_clocks} clocks; "
                      f"set block_size = {_full_rate_block(params)}, or copy more slowly"
                      if small else ""))
    if params.share:
        requests = 2 * beats if copy_clocks(params, 1) > 1 else beats // burst
        busiest = requests * (params.share + burst)
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


def check(config, *, memory=None, count=False):
    """All of the above as one dict, as ``memsnap check --json`` writes it."""
    wrong = problems(config, memory)
    result = {"sound": not wrong, "memory": config.value("memory", "model", memory),
              "problems": wrong, "needs": [], "clocks": []}
    if not wrong:
        for each in findings(config):
            result[each.kind].append({"name": each.name, "value": each.value, "unit": each.unit,
                                      "why": each.why})
        if count:
            result["cells"] = cells(config)
    return result
