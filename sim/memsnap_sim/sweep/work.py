"""What is done for one point, on whatever machine: the model's run, and the count of cells."""

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..model import FixedLatency, simulate
from .space import Point

__all__ = ["Outcome", "measure"]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a point.

    Attributes
    ----------
    point : Point
    problem : str
        Why there is no result; empty if there is one.
    complete : bool
        The snapshot came to its end before the accesses did.
    duration : int
        Clocks from the instant to the end.
    slow_down : int
        Clocks that the accesses took longer than without a snapshot.
    held, stall_longest, stall_total : int
    stalls : dict
        How many writes were held for how many clocks.
    blocks_initial, blocks_demand, blocks_background : int
    ram_bits : int
        Of copy map and buffer.
    cells : int or None
        LUT sites on ECP5, if they were counted.
    """

    point: Point
    problem: str = ""
    complete: bool = False
    duration: int = 0
    slow_down: int = 0
    held: int = 0
    stall_longest: int = 0
    stall_total: int = 0
    stalls: dict = field(default_factory=dict)
    blocks_initial: int = 0
    blocks_demand: int = 0
    blocks_background: int = 0
    ram_bits: int = 0
    cells: int | None = None

    @property
    def share(self):
        """The slow-down as a part of the time that the snapshot took, or None without one."""
        return self.slow_down / self.duration if self.duration else None


def measure(point, source, start_access, *, max_in_flight=1, cells=False):
    """Runs the model on one point.

    Parameters
    ----------
    point : Point
    source : TraceSource or PatternSource
    start_access : int
        The snapshot starts with this access.
    max_in_flight : int
        Accesses that the initiator may have without an answer.
    cells : bool
        Also counts cells, which takes Yosys a minute; what was counted before is kept.
    """
    if point.params is None:
        return Outcome(point=point, problem=point.problem)
    params = point.params
    regions = [(params.memory_base, params.memory_base + point.initial - 1)] * bool(point.initial)
    till_done = _TillDone()
    try:
        result = simulate(
            params, till_done.some_of(source.chunks()), memory=FixedLatency(clocks=point.latency),
            shadow=FixedLatency(clocks=point.shadow_latency), regions=regions,
            start_at=("access", start_access), max_in_flight=max_in_flight, copies="touched",
            progress=till_done.hear)
    except NotImplementedError as error:
        return Outcome(point=point, problem=str(error))
    lengths, counts = np.unique(result.stalls["clocks"], return_counts=True)
    return Outcome(
        point=point, complete=result.end is not None, duration=result.duration,
        slow_down=result.slow_down, held=result.held, stall_longest=result.stall_longest,
        stall_total=result.stall_total,
        stalls=dict(zip(lengths.tolist(), counts.tolist(), strict=True)),
        blocks_initial=result.blocks_initial, blocks_demand=result.blocks_demand,
        blocks_background=result.blocks_background, ram_bits=_ram_bits(params),
        cells=_count_cells(params) if cells else None)


class _TillDone:
    """Accesses as long as the snapshot needs any: what comes after it costs nothing."""

    def __init__(self):
        self._done = False

    def hear(self, progress):
        """Takes what a run tells of its progress."""
        self._done = progress.copied == progress.blocks

    def some_of(self, chunks):
        """Of these accesses."""
        for chunk in chunks:
            yield chunk
            if self._done:
                return


def _ram_bits(params):
    place = params.beat_bits + params.block_bits
    lines = params.map_rows if params.map_blocks == 0 else params.map_lines
    return lines * params.map_row_bits + params.buffer_depth * (params.data_width + place)


def _count_cells(params):
    """LUT sites of exactly this unit, from a file if they were counted before."""
    import memsnap
    from memsnap import SnapshotUnit

    from ..synth import count_cells
    source = hashlib.sha256(repr(params).encode())
    for path in sorted(Path(memsnap.__file__).parent.rglob("*.py")):
        source.update(path.read_bytes())
    known = Path(os.environ.get("MEMSNAP_CACHE", Path("build", "cells")))
    path = known / f"{source.hexdigest()[:24]}.json"
    if path.exists():
        return json.loads(path.read_text())["sites"]
    with tempfile.TemporaryDirectory() as folder:
        counts = count_cells("unit", SnapshotUnit(params), "ecp5", Path(folder))
    sites = counts["lut4"] + counts["carry"] + counts["lutram"]
    known.mkdir(parents=True, exist_ok=True)
    written = path.with_suffix(f".{os.getpid()}")
    written.write_text(json.dumps({"sites": sites, "counts": counts}))
    written.replace(path)
    return sites
