"""What the method costs a program that carries it out itself, in software.

The program is one of :data:`memsnap_sim.toolchain.GUARDED`, built with ``sw/lib/memsnap_soft.c``.
Nothing is added to it for the measurement: the simulation times the calls of three functions, and
the copy map, which lies in the memory, tells by the writes to it when each block was copied.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from .elf import load
from .report import BlockCopy, Kind, Software
from .toolchain import GUARDED, build_program

__all__ = ["build_guarded", "copies_of", "options_of", "software_of"]

_PREFIX = "memsnap_soft_"
START, HOOK, STEP = (_PREFIX + name for name in ("start", "before_write", "step"))
_KINDS = {START: Kind.INITIAL, HOOK: Kind.DEMAND, STEP: Kind.BACKGROUND}


def build_guarded(name, params):
    """The program ``name`` with snapshots by software, or None where there is no such build."""
    if name not in GUARDED or Path(name).exists():
        return None
    path = build_program(name, memory_size=params.memory_size, guarded=params)
    return load(path, base=params.memory_base, size=params.memory_size)


def options_of(program, options):
    """How the ``program`` is run, where ``options`` are those of the run with the unit."""
    return replace(
        options, snapshot="program", at_address=program.symbol(START)[0], at_clock=None, nth=1,
        regions=(), wait=False, wave=None, timed=tuple(program.symbol(name)[0] for name in _KINDS))


def software_of(result, program, params, clocks=True):
    """The :class:`Software` of a run's result; None if the program did not start a snapshot.

    ``clocks`` tells that the run is comparable with one without a snapshot.
    """
    if result.fired is None:
        return None
    copies = copies_of(result, program, params)
    calls = {name: _calls(result, program, name) for name in _KINDS}
    by_kind = {kind: sum(copy.kind is kind for copy in copies) for kind in Kind}
    moments = np.array([copy.clock for copy in copies], "u8")
    hooks = calls[HOOK]
    first = (np.searchsorted(moments, hooks["left"]) > np.searchsorted(moments, hooks["entered"]))
    lengths = hooks["left"] - hooks["entered"]
    steps = calls[STEP]["left"] - calls[STEP]["entered"]
    done = sorted(copy.block for copy in copies) == list(range(params.blocks))
    return Software(
        exact=done and result.ended and result.image == result.memory_at_instant,
        clocks=result.clocks if clocks and result.ended else None,
        pause=_most(calls[START]["left"] - calls[START]["entered"]),
        clocks_to_done=int(moments[-1]) - result.fired if done else None,
        blocks_initial=by_kind[Kind.INITIAL], blocks_demand=by_kind[Kind.DEMAND],
        blocks_background=by_kind[Kind.BACKGROUND],
        first_write=_mean(lengths[first]), first_write_longest=_most(lengths[first]),
        later_write=_mean(lengths[~first]), step_longest=_most(steps),
        background_block=(int(round(steps.sum() / by_kind[Kind.BACKGROUND]))
                          if by_kind[Kind.BACKGROUND] else None))


def copies_of(result, program, params):
    """What was copied when, as :class:`BlockCopy` in that order, from the writes to the map."""
    address, size = program.symbol("soft_map")
    calls = np.sort(result.calls, order="entered")
    kinds = {program.symbol(name)[0]: kind for name, kind in _KINDS.items()}
    held, copies = bytearray(size), []
    writes = result.writes
    beats = writes[(writes["adr"] + params.beat_bytes > address) & (writes["adr"] < address + size)]
    for clock, adr, data, lanes, _ in beats.tolist():
        for lane in range(params.beat_bytes):
            offset = adr + lane - address
            if not (lanes >> lane & 1 and 0 <= offset < size):
                continue
            byte = data >> 8 * lane & 0xff
            new, held[offset] = byte & ~held[offset], byte
            # Set bits are of a call that is under way, or was not seen to return
            at = int(np.searchsorted(calls["entered"], clock, "right")) - 1
            kind = kinds[int(calls["function"][at])] if at >= 0 else Kind.INITIAL
            copies += [BlockCopy(offset * 8 + bit, clock, kind)
                       for bit in range(8) if new >> bit & 1]
    return copies


def _calls(result, program, name):
    return result.calls[result.calls["function"] == program.symbol(name)[0]]


def _mean(lengths):
    return int(round(lengths.mean())) if len(lengths) else None


def _most(lengths):
    return int(lengths.max()) if len(lengths) else None
