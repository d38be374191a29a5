"""What a run's program runs on: the compiled system, told in the words of settings and records."""

import difflib
import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
from memsnap.control import RegionKind
from memsnap.params import Shadow
from memsnap.regs.fields import Cause, Refusal

from .core import write_core
from .elf import load
from .errors import InputError
from .gtkw import cpu_group, unit_groups, write_save_file
from .guarded import build_guarded, options_of, software_of
from .report import BlockCopy, Dram, Event, Kind, Record, Stall, Write
from .soc import RunOptions, What, build, run
from .surroundings import policy_words
from .toolchain import PROGRAMS, build_program
from .verilated import BuildError

__all__ = ["Machine", "find_program", "record_of"]

#: Units of time that a waveform has for a clock, and the paths of unit and CPU in it. The signals
#: of a clock begin at its first edge, and that is dumped with the clock before.
TICKS, UNIT, CPU = 10, "TOP.soc.unit", "TOP.soc.cpu"
#: Clocks that a waveform shows by itself: before the instant, and after it.
BEFORE, AFTER = 200, 5000

REFUSALS = {
    Refusal.BUSY: "a snapshot was still running",
    Refusal.REGION_ORDER: "a region's base is above its limit",
    Refusal.REGION_RANGE: "a region is not within the guarded memory",
    Refusal.POLICY: "the policy asks for what this unit was not built for",
}
#: Causes of a failure that has a block.
_OF_BLOCKS = (Cause.READ_ERROR, Cause.WRITE_ERROR)
#: A region that makes the unit refuse every start: the program's own, in a run without a snapshot.
REFUSED = ((1, 0, RegionKind.USER),)


def find_program(name, params):
    """The program in the file ``name``, or of that name among those that come with memsnap."""
    path = Path(name)
    if not path.exists() and path.name == name and not path.suffix:
        if name not in PROGRAMS:
            near = difflib.get_close_matches(name, PROGRAMS, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(PROGRAMS)}"
            raise InputError(f"no file and no program is named {name!r}: {hint}")
        if params.memory_base:
            raise InputError(f"{name} is made for memory at 0, not at {params.memory_base:#x}: set "
                             f"memory_base = 0 under [unit]")
        path = build_program(name, memory_size=_program_bytes(params))
    return load(path, base=params.memory_base, size=params.memory_size)


def _program_bytes(params):
    """Bytes of memory that a program may use: up to the unit's copy map, if that is in it."""
    base = getattr(params, "map_base", None)
    return params.memory_size if base is None else base - params.memory_base


class Machine:
    """The compiled system for one run.

    Parameters
    ----------
    settings : Settings
    load : callable
        Gives the :class:`~memsnap_sim.elf.Program` of a name or path, for the memory of a
        :class:`~memsnap.SnapshotParams`.
    """

    def __init__(self, settings, load=find_program):
        self.settings = settings
        self._load = load
        self.program = self.binary = self.result = self.options = None
        self._waves = []
        self._printed = None

    def load(self):
        """Finds or builds the program, and looks up the symbols that the settings name."""
        self.program = self._load(self.settings.program, self.settings.params)
        trigger = self.settings.trigger
        self.options = RunOptions(
            latency=self.settings.latency, shadow_latency=self.settings.shadow_latency,
            registers=self.settings.registers, ungated=self.settings.ungated,
            deaf=self.settings.deaf, faults=self.settings.faults,
            max_clocks=self.settings.max_clocks, wait=self.settings.wait, regions=self._regions(),
            nth=trigger.nth,
            at_clock=trigger.clock if trigger.kind in ("clock", "pin") else None,
            at_address=self.program.symbol(trigger.symbol)[0] if trigger.kind == "symbol" else None)

    def build(self):
        """Builds the simulation, or finds it built."""
        try:
            self.binary = build(self.settings.params, wave=self.settings.wave,
                                memory=self.settings.memory)
        except (BuildError, ValueError) as error:
            if "lz4.h" in str(error):
                raise InputError("Verilator writes FST with lz4, whose headers are missing: use "
                                 "--wave vcd, or install them (liblz4-dev)") from error
            raise InputError(str(error)) from error

    def snapshot(self, tell):
        """Runs with a snapshot; gives the :class:`Record`."""
        self.result = self._run(self.options, tell)
        if self.settings.wave:
            # Every run is the same: this one found the instant, the next shows it
            self._wave(tell)
        return record_of(self.result, self.settings,
                         [region[:2] for region in self.options.regions])

    def plain(self, tell):
        """Runs without a snapshot; gives the clocks, or None where the program did not end."""
        result = self._run(replace(
            self.options, snapshot="none", regions=REFUSED, wait=False), tell, start=False)
        self._printed = result.console
        return result.clocks if result.ended else None

    def software(self, tell):
        """Runs with a copy by software, from the same point; gives the clocks and the pause."""
        options = replace(self.options, snapshot="software", regions=REFUSED, wait=False)
        if self.settings.trigger.kind == "self":
            options = replace(options, at_clock=self.result.instant)
        result = self._run(options, tell, start=False)
        return (result.clocks if result.ended else None), result.pause

    def method(self, tell):
        """Runs a build that takes the snapshot in software, by the unit's method, from the first
        checkpoint after the instant on.

        Gives what came of it, or None where the program cannot or has no checkpoint left.
        """
        params = self.settings.params
        if params.shadow is Shadow.SEPARATE or _program_bytes(params) != params.memory_size:
            return None     # it reaches no shadow, or has not all of the memory
        program = build_guarded(self.settings.program, params)
        if program is None:
            return None
        at = self.program.symbol("progress")[0] - params.memory_base
        seen = int.from_bytes(self.result.memory_at_instant[at:at + 4], "little")
        result = self._run(options_of(program, self.options), tell, start=False, program=program,
                           soft_at=seen + 1)
        return software_of(result, program, params, result.console == self._printed)

    def ideal(self, tell):
        """Runs with a snapshot on an ideal memory instead; gives the :class:`Record`."""
        settings = replace(self.settings, memory="ideal", wave=None)
        other = Machine(settings)
        other.program, other.options = self.program, self.options
        other.build()
        return other.snapshot(tell)

    def write_extras(self, report):
        """Writes the core, the save file of the waveform, and the accesses; gives the paths."""
        paths = list(self._waves)
        if self.settings.record:
            paths.append(self._record())
        if report.record.done:
            path = self.settings.out / "image.core"
            write_core(path, image=self.result.image, base=self.settings.params.memory_base,
                       registers=self.result.registers, pc=self.result.pc)
            paths.append(path)
        return paths

    def hints(self, report):
        """What to type to look at the results."""
        out = self.settings.out
        if report.record.done:
            yield f"debug:   gdb-multiarch {_shown(self.program.path)} {out / 'image.core'}"
        if self._waves:
            yield f"wave:    gtkwave {_shown(self._waves[-1])}"

    def _run(self, options, tell, *, start=True, program=None, **variables):
        program = program or self.program
        start = start and self.settings.trigger.kind == "self"
        segments = _segments(program, start_snapshot=int(start), **variables)
        try:
            return run(self.binary, segments, program.entry, options, progress=tell)
        except ValueError as error:
            raise InputError(str(error)) from error

    def _record(self):
        """Writes the accesses of a run without a snapshot."""
        from .traces.cpu import accesses_of_cpu
        from .traces.table import write_table
        result = self._run(replace(self.options, snapshot="none", regions=REFUSED, wait=False,
                                   record=True), lambda clocks, limit=None: None, start=False)
        path = self.settings.out / "accesses.csv.gz"
        with gzip.open(path, "wt", compresslevel=4) as file:
            write_table(file, [accesses_of_cpu(result.accesses)])
        return path

    def _wave(self, tell):
        out, kind = self.settings.out, self.settings.wave
        out.mkdir(parents=True, exist_ok=True)
        instant = self.result.instant
        window = self.settings.wave_window or (
            (0, AFTER) if instant is None else (max(0, instant - BEFORE), instant + AFTER))
        dump = out / f"wave.{kind}"
        self._run(replace(
            self.options, wave=dump, wave_window=window,
            max_clocks=min(self.options.max_clocks, window[1] + 1), wait=False), tell)
        start = window[0] if instant is None else max(window[0], instant - 20)
        groups = [*unit_groups(UNIT, self.settings.params), cpu_group(CPU)]
        save = write_save_file(
            out / "wave.gtkw", dump, groups, start=start * TICKS, span=200 * TICKS,
            marker=-1 if instant is None else (instant - 1) * TICKS)[0]
        self._waves = [dump, save]

    # Regions -------------------------------------------------------------------

    def _regions(self):
        settings = self.settings
        regions = [self._region(spec) for spec in settings.regions]
        if settings.initial:
            regions += [(first, last, RegionKind.KERNEL) for first, last in self.program.kernel]
        if len(regions) > settings.params.regions:
            raise InputError(f"{len(regions)} regions do not fit the unit's table of "
                             f"{settings.params.regions}: set regions under [unit], or "
                             f"--initial none")
        return tuple(regions)

    def _region(self, spec):
        kind = RegionKind[spec.kind.upper()]
        if not spec.symbol:
            return spec.start, spec.limit, kind
        address, size = self.program.symbol(spec.symbol)
        if not size:
            raise InputError(f"symbol {spec.symbol!r} has no size: give its addresses with "
                             f"--region {address:#x}-LIMIT")
        return address, address + size - 1, kind


def record_of(result, settings, regions=()):
    """The :class:`Record` of a run's result; ``regions`` are those of the initial copy."""
    status, counters, instant = result.status, result.counters, result.instant
    taken = instant is not None
    stalls, copies = result.stalls, result.copies
    if taken:   # of the last snapshot alone, where the program took several
        stalls, copies = stalls[stalls["clock"] >= instant], copies[copies["clock"] >= instant]
    record = Record(
        program=settings.program, trigger=str(settings.trigger), params=settings.params,
        memory=settings.memory, latency=settings.latency,
        shadow_latency=settings.shadow_latency or settings.latency,
        ungated=settings.ungated, expect=settings.expect,
        policy=policy_words(settings.registers), clocks=result.clocks,
        regions=tuple(regions), events=tuple(
            Event(int(row["clock"]), What(row["what"]).name.lower().replace("_", " "),
                  int(row["address"]), int(row["port"])) for row in result.events),
        exit_code=result.exit_code if result.ended else None,
        ended="the program ended" if result.ended else "the program was stopped by --max-clocks",
        seen=result.seen if settings.trigger.kind == "symbol" else None,
        console=result.console, instant=instant, done=status.done, failed=status.failed,
        cancelled=status.cancelled, refused=status.refused,
        cause=_words(status.cause), refusal=REFUSALS.get(status.refusal, ""),
        fail_block=status.fail_block if status.cause in _OF_BLOCKS else None)
    if not taken:
        return record
    mismatch = result.mismatch(settings.params) if status.done else None
    return replace(
        record, clocks_to_armed=counters.armed, clocks_to_done=counters.duration,
        writes_held=counters.held, stall_longest=counters.stall_longest,
        stall_total=counters.stall_total, blocks_initial=counters.blocks_initial,
        blocks_demand=counters.blocks_demand, blocks_background=counters.blocks_background,
        dram=result.commands_in_snapshot and Dram(**vars(result.commands_in_snapshot)),
        memory_at_instant=result.memory_at_instant, image=result.image,
        stalls=tuple(Stall(*map(int, tuple(row)[:4])) for row in np.asarray(stalls)),
        copies=tuple(BlockCopy(int(row["block"]), int(row["clock"]), Kind(int(row["kind"])))
                     for row in copies),
        writes=tuple(Write(*row) for row in mismatch.history) if mismatch else ())


def _segments(program, **variables):
    """The program's segments, told by some of its words what it is to do."""
    for base, content in program.segments:
        for name, value in variables.items():
            address, size = program.symbols.get(name, (0, 0))
            at = address - base
            if size == 4 and 0 <= at <= len(content) - size:
                content = content[:at] + value.to_bytes(size, "little") + content[at + size:]
        yield base, content


def _shown(path):
    """A path as short as it can be typed."""
    path, here = Path(path), Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _words(member):
    return "" if not member.value else member.name.lower().replace("_", " ")
