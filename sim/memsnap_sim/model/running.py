"""One run of the compiled machine: its state, and what comes out of it."""

from dataclasses import dataclass

import numpy as np
from amaranth.utils import ceil_log2, exact_log2
from memsnap.params import MAP_ROW_BYTES, Bus, CopierPort, Map, Release, Shadow

from . import axi4_copy, axi4_machine, machine
from .life import NEVER
from .result import CLOCKS, COPIES, STALLS, Result
from .state import MOST_PORTS, NOBODY, UNIT, Arrays

__all__ = ["Progress", "Run"]

#: Clocks that it runs before it says how far it is.
_CLOCKS = 1 << 22
#: Held writes and copied blocks that it returns at a time.
_RESULTS = 1 << 14
_BACKGROUND = 2


@dataclass(frozen=True)
class Progress:
    """How far a run is: clocks, beats answered, and blocks copied so far, of how many."""

    clock: int
    beats: int
    copied: int
    blocks: int


class Run:
    """The unit, its initiators and memories, from reset on.

    Parameters
    ----------
    params : SnapshotParams
    memory, shadow, share, pace, max_in_flight, copies
        See :func:`simulate`.
    regions : list of (int, int)
        First and last block of each.
    log : int
        Beats of each port whose clocks are to be kept.
    """

    def __init__(self, params, *, memory, shadow, regions, share, pace, max_in_flight,
                 copies="all", log=0):
        self.params = params
        self._touched_alone = copies == "touched"
        self._state = np.zeros(1, UNIT)
        self._stalls = []
        self._copies = []
        self._axi4 = params.bus is Bus.AXI4
        self._machine = axi4_machine if self._axi4 else machine
        self._columns = 4 if self._axi4 else 3
        self._set_params(regions=regions, share=share, pace=pace, max_in_flight=max_in_flight,
                         log=log)
        self._set_state()
        rows = _bit_map(params.blocks)
        owed = params.max_in_flight
        self._arrays = Arrays(
            accesses=np.zeros((params.ports, 0, self._columns), np.int64),
            rows=rows, words=_bit_map(len(rows)),
            tags=np.zeros(params.map_lines, np.int64),
            notes=np.zeros(params.jobs * params.block_beats, np.int32),
            places=np.zeros(params.buffer_depth, np.int64),
            answers=np.zeros(owed, np.int64), owners=np.zeros(owed, np.int64),
            shadow_answers=np.zeros(owed, np.int64),
            stalls=np.zeros((_RESULTS, len(STALLS)), np.int64),
            copies=np.zeros((_RESULTS, len(COPIES)), np.int64),
            log=np.full((params.ports, log, len(CLOCKS)), -1, np.int64),
            timing=memory.encode(params.beat_bytes),
            shadow_timing=shadow.encode(params.beat_bytes), **self._of_axi4(max_in_flight))
        # The first word of the summary has stood there since long
        self._unit["words"]["data"] = self._unit["words"]["behind"] = self._arrays.words[0]

    def _of_axi4(self, max_in_flight):
        """The arrays that are for AXI4."""
        if not self._axi4:
            empty = np.zeros((0, 0, 0, 0), np.int64)
            return {"asked": empty, "owed": empty, "lengths": np.zeros(0, np.int64)}
        params = self.params
        asked = 1 << ceil_log2(max_in_flight)
        owed = 1 << ceil_log2(params.ports * min(params.max_in_flight, asked)
                              + params.buffer_depth + 2)
        return {"asked": np.zeros((params.ports, 2, asked, 3), np.int64),
                "owed": np.zeros((3, 2, owed, 4), np.int64),
                "lengths": np.zeros(params.buffer_depth, np.int64)}

    @property
    def _unit(self):
        return self._state[0]

    def _set_params(self, *, regions, share, pace, max_in_flight, log):
        params, into = self.params, self._unit["params"]
        for name in ("beat_bits", "blocks", "jobs", "background_jobs", "buffer_depth",
                     "max_in_flight", "ports", "regions", "notes", "map_beside", "deep_notes",
                     "map_latency"):
            into[name] = getattr(params, name)
        into["memory_base"] = params.memory_base // params.beat_bytes
        into["shadow_base"] = params.shadow_base // params.beat_bytes
        into["beats"] = params.memory_size // params.beat_bytes
        into["rows"] = params.map_rows
        into["words"] = params.map_words if params.map_summary else 0
        into["reserve"] = params.buffer_depth // 8
        in_memory = params.map is Map.MEMORY
        into["in_memory"] = in_memory
        if in_memory:
            into["map_base"] = params.map_base // params.beat_bytes
            into["map_first"] = params.map_first_block
            into["map_blocks"] = params.map_blocks
            into["rows_of_beat"] = params.beat_bytes // MAP_ROW_BYTES
            into["rows_of_block"] = exact_log2(params.block_size // MAP_ROW_BYTES)
        into["kept"] = min(params.max_in_flight, params.buffer_depth) if params.retry else -1
        into["separate"] = params.shadow is Shadow.SEPARATE
        into["early"] = params.release is Release.CAPTURED
        into["pipelined"] = params.pipelined
        into["share"] = share
        into["pace"] = pace
        into["ready"] = NEVER if in_memory else params.sweep_clocks
        into["start_clock"] = into["start_beat"] = -1
        into["initiator_in_flight"] = max_in_flight if params.pipelined else 1
        into["log"] = log > 0
        into["burst_beats"] = params.burst_beats
        # A burst does not go beyond a chunk of so many; one of all places is the largest
        into["chunk_beats"] = min(params.burst_beats, 1 << params.beat_bits + params.block_bits)
        # Which of the ports m_axi, x_axi and c_axi the copier has for its reads and its writes
        into["read_port"] = 2 if params.copier_port is CopierPort.OWN else 0
        into["write_port"] = 1 if params.shadow is Shadow.SEPARATE else into["read_port"]
        # The memory is less than a page, which no burst crosses
        into["small"] = params.memory_size <= 2048
        into["last"] = -1
        for index, (first, last) in enumerate(regions):
            into["first"][index] = first
            into["last"][index] = last

    def _set_state(self):
        unit = self._unit
        unit["pace"]["claimed"] = -1
        unit["map"]["sweeping"] = self.params.map is Map.MEMORY
        unit["own"]["block"] = self.params.map_first_block
        unit["buffer"]["free"] = self.params.buffer_depth
        unit["reader"]["stamp"] = 1
        unit["initiator"]["last_answer"] = -1
        unit["initiator"]["port"] = range(MOST_PORTS)
        unit["memory"]["last_answer"] = unit["shadow"]["last_answer"] = 0
        unit["axi4_memory"]["last"] = -1
        unit["axi4_copy"]["asked"] = axi4_copy.NEVER
        unit["axi4_writes"]["staged"] = -1
        unit["wires"]["read_home"] = unit["wires"]["write_home"] = NOBODY

    def feed(self, piece):
        """Gives each initiator its next beats."""
        unit = self._unit
        most = max(len(beats) for beats in piece.beats)
        accesses = np.zeros((self.params.ports, most, self._columns), np.int64)
        for port, beats in enumerate(piece.beats):
            accesses[port, :len(beats)] = beats
            initiator = unit["initiator"][port]
            initiator["base"] += initiator["count"]
            initiator["count"] = len(beats)
            initiator["more"] = piece.more
        self._arrays = self._arrays._replace(accesses=accesses)
        unit["params"]["start_clock"] = piece.start_clock
        if piece.start_beat >= 0:
            unit["params"]["start_beat"] = piece.start_beat

    def go(self, progress=None):
        """Runs until it is at its end, or needs more accesses."""
        unit = self._unit
        if unit["clock"] == 0:
            self._machine.begin(self._state, self._arrays)
        why = machine.PAUSE
        while why in (machine.PAUSE, machine.FULL):
            why = self._machine.run(self._state, self._arrays, unit["clock"] + _CLOCKS)
            self._collect()
            if progress is not None:
                progress(Progress(int(unit["clock"]), int(unit["initiator"]["answered"].sum()),
                                  int(unit["map"]["count"]), self.params.blocks))

    def _collect(self):
        figures = self._unit["figures"]
        self._stalls.append(self._arrays.stalls[:figures["stalls"]].copy())
        copies = self._arrays.copies[:figures["copies"]]
        self._copies.append(copies[copies[:, 2] != _BACKGROUND] if self._touched_alone
                            else copies.copy())
        figures["stalls"] = figures["copies"] = 0

    def result(self, *, complete, without):
        """What came of it, beside a run without a snapshot."""
        self._collect()
        unit = self._unit
        life, figures = unit["life"], unit["figures"]

        def clock(name, known):
            return int(life[name]) if known else None

        log = self._arrays.log
        demand, initial, background = map(int, figures["blocks"])
        active = bool(life["active"])
        ended = bool(life["ended"])
        duration = int(life["ended"] + 1 if ended else unit["clock"]) - int(life["instant"])
        return Result(
            params=self.params, complete=complete and ended, clock=int(unit["clock"]),
            beats=int(unit["initiator"]["answered"].sum()),
            start=clock("accepted", life["started"]), instant=clock("instant", active or ended),
            end=clock("ended", ended), armed=int(life["armed"]),
            duration=duration if active or ended else 0,
            blocks_demand=demand, blocks_initial=initial, blocks_background=background,
            held=int(figures["held"]), stall_longest=int(figures["stall_longest"]),
            stall_total=int(figures["stall_total"]),
            finished=int(unit["initiator"]["last_answer"].max()),
            finished_without=int(without._unit["initiator"]["last_answer"].max()),
            stalls=self._stalls_found(), copies=_records(self._copies, COPIES),
            beat_clocks=[_records([log[port, :unit["initiator"][port]["count"]]], CLOCKS)
                         for port in range(self.params.ports)] if log.size else None)

    def _stalls_found(self):
        stalls = _records(self._stalls, STALLS)
        stalls["address"] *= self.params.beat_bytes
        return stalls


def _bit_map(bits):
    """Rows of 32 bits that are 0, those beyond the last 1."""
    rows = np.zeros(-(-bits // 32), np.uint32)
    if bits % 32:
        rows[-1] = 0xffff_ffff & ~((1 << bits % 32) - 1)
    return rows


def _records(arrays, dtype):
    """Arrays of shape (n, fields), one after another, as records."""
    joined = np.concatenate(arrays) if arrays else np.empty((0, len(dtype)), np.int64)
    return np.ascontiguousarray(joined).view(dtype).reshape(len(joined))
