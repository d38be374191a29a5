"""The machine of a run: what it asks the simulation for, and what it makes of the answer."""

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from memsnap import SnapshotParams
from memsnap.control import RegionKind
from memsnap.regs.fields import Cause, Refusal, State
from memsnap.regs.results import Counters, Status
from memsnap_sim import machine
from memsnap_sim.elf import Program
from memsnap_sim.errors import InputError
from memsnap_sim.machine import Machine, find_program, record_of
from memsnap_sim.report import Kind, Outcome, Report, Stall, Write
from memsnap_sim.settings import RegionSpec, Settings, Trigger
from memsnap_sim.soc import RunResult
from memsnap_sim.soc.run import _COPY, _STALL, _WRITE
from memsnap_sim.verilated import BuildError

PARAMS = SnapshotParams(memory_size=256, shadow_base=256)
MEMORY = bytes(range(256))
STATUS = Status(State.DONE, True, False, False, False, False, False, True, True, Cause.NONE,
                Refusal.NONE, 0)
NOT_DONE = replace(STATUS, done=False, state=State.BACKGROUND)
RESULT = RunResult(
    clocks=1000, ended=True, exit_code=0, console="hi\n", status=STATUS,
    counters=Counters(100, 2, 400, 1, 1, 2, 1, 9, 10), instant=100, memory_at_instant=MEMORY,
    image=MEMORY, registers=[0] * 32, pc=0x20,
    writes=np.array([(99, 64, 5, 0xf, 0), (120, 64, 6, 0x3, 0), (130, 0, 7, 0xf, 0)], _WRITE),
    stalls=np.array([(50, 0, 3, 0, 0), (110, 64, 9, 1, 0)], _STALL),
    copies=np.array([(60, 0, 2), (115, 0, 1), (119, 1, 0), (300, 2, 2), (500, 3, 2)], _COPY),
    fired=98, seen=3, pause=300)
PROGRAM = Program(
    path=Path("p"), entry=0x10, segments=[(0x00, bytes(64)), (0x80, b"\xff" * 16)],
    symbols={"main": (0x10, 20), "table": (0x40, 64), "end": (0x80, 0),
             "start_snapshot": (0x84, 4)},
    sections={".kernel.text": (0x00, 0x40), ".text": (0x40, 8)}, end=0x90)


def settings(**changes):
    return Settings(**{"program": "p", "trigger": Trigger("symbol", symbol="main", nth=3),
                       "params": PARAMS, "initial": False, **changes})


@pytest.fixture
def ran(monkeypatch):
    """Runs nothing; keeps each run's segments, options and binary."""
    kept = []

    def run(binary, segments, entry, options, progress):
        assert entry == 0x10
        kept.append(SimpleNamespace(binary=binary, segments=list(segments), options=options))
        return RESULT

    monkeypatch.setattr(machine, "run", run)
    monkeypatch.setattr(machine, "build", lambda params, wave, **_: wave or "plain")
    return kept


def made(**changes):
    made = Machine(settings(**changes), lambda name, params: PROGRAM)
    made.load()
    made.build()
    return made


# What is asked for -------------------------------------------------------------------------


@pytest.mark.parametrize("trigger, options", [
    (Trigger("symbol", symbol="main", nth=3), {"at_address": 0x10, "nth": 3, "at_clock": None}),
    (Trigger("clock", clock=77), {"at_clock": 77, "at_address": None}),
    (Trigger("pin", clock=78), {"at_clock": 78, "at_address": None}),
    (Trigger("self"), {"at_clock": None, "at_address": None}),
])
def test_triggers(ran, trigger, options):
    made(trigger=trigger, latency=9, max_clocks=5000, wait=True).snapshot(print)
    asked = ran[0].options
    assert {name: getattr(asked, name) for name in options} == options
    assert (asked.snapshot, asked.latency, asked.max_clocks, asked.wait) == (
        "unit", 9, 5000, True)


def test_regions(ran):
    made(initial=True, regions=(RegionSpec(8, 15, kind="dma"), RegionSpec(symbol="table"))
         ).snapshot(print)
    assert ran[0].options.regions == (
        (8, 15, RegionKind.DMA), (0x40, 0x7f, RegionKind.USER), (0x00, 0x3f, RegionKind.KERNEL))


def test_comparisons_start_at_the_same_point(ran):
    system = made(trigger=Trigger("self"), wait=True)
    system.snapshot(print)
    assert system.plain(print) == 1000
    assert system.software(print) == (1000, 300)
    unit, plain, software = (one.options for one in ran)
    assert plain.snapshot == "none" and software.snapshot == "software"
    assert software.at_clock == 100 and not plain.wait
    assert plain.regions == software.regions == machine.REFUSED and unit.regions == ()


@pytest.mark.parametrize("kind, starts", [("self", [1, 0, 0]), ("clock", [0, 0, 0])])
def test_only_a_run_of_its_own_lets_the_program_start(ran, kind, starts):
    system = made(trigger=Trigger(kind))
    system.snapshot(print)
    system.plain(print)
    system.software(print)
    assert [one.segments[1][1][4] for one in ran] == starts
    for one in ran:
        assert one.segments[0] == (0, bytes(64))
        assert one.segments[1][1][:4] == b"\xff" * 4 and len(one.segments[1][1]) == 16


def test_a_program_that_does_not_end_has_no_length(ran, monkeypatch):
    monkeypatch.setattr(machine, "run", lambda *_, **__: replace(RESULT, ended=False))
    system = made()
    assert "stopped by --max-clocks" in system.snapshot(print).ended
    assert system.plain(print) is None and system.software(print) == (None, 300)


def test_the_method_in_software_starts_at_the_next_checkpoint(ran, monkeypatch):
    guarded = replace(PROGRAM, entry=0x10, segments=[(0x80, bytes(16))], symbols={
        "soft_at": (0x88, 4), "start_snapshot": (0x84, 4), "memsnap_soft_start": (0x20, 8),
        "memsnap_soft_before_write": (0x30, 8), "memsnap_soft_step": (0x38, 8)})
    monkeypatch.setattr(machine, "build_guarded", lambda name, params: guarded)
    monkeypatch.setattr(machine, "software_of", lambda *given: given)
    system = made(trigger=Trigger("clock", clock=77), wait=True)
    system.program = replace(PROGRAM, symbols={**PROGRAM.symbols, "progress": (0x42, 4)})
    system.snapshot(print)
    system.plain(print)
    assert system.method(print) == (RESULT, guarded, PARAMS, True)
    options = ran[-1].options
    assert (options.snapshot, options.at_address, options.at_clock) == ("program", 0x20, None)
    assert options.timed == (0x20, 0x30, 0x38) and not options.wait and options.regions == ()
    # progress at the instant, as the memory has it, and one more
    assert ran[-1].segments == [(0x80, bytes(8) + b"\x43\x43\x44\x45" + bytes(4))]
    monkeypatch.setattr(machine, "run", lambda *_, **__: replace(RESULT, console="other work"))
    assert system.method(print)[3] is False


def test_not_every_program_can_do_it_in_software(ran):
    system = made()
    system.snapshot(print)
    assert system.method(print) is None and len(ran) == 1


@pytest.mark.parametrize("window, expected", [(None, (0, 5100)), ((90, 200), (90, 200))])
def test_a_waveform_is_of_a_second_run(ran, tmp_path, window, expected):
    system = made(wave="vcd", wave_window=window, out=tmp_path)
    record = system.snapshot(print)
    assert [one.binary for one in ran] == ["vcd", "vcd"] and ran[0].options.wave is None
    assert ran[1].options.wave == tmp_path / "wave.vcd"
    assert ran[1].options.wave_window == expected
    assert " 990 " in (tmp_path / "wave.gtkw").read_text()
    paths = system.write_extras(Report(replace(record, done=False)))
    assert [path.name for path in paths] == ["wave.vcd", "wave.gtkw"]
    assert any("gtkwave" in line for line in system.hints(Report(record)))


@pytest.mark.parametrize("changes, message", [
    ({"trigger": Trigger("symbol", symbol="mian")}, "p has no symbol 'mian': did you mean main?"),
    ({"trigger": Trigger("symbol", symbol="zz")}, "p has no symbol 'zz': it may"),
    ({"regions": (RegionSpec(symbol="end"),)}, "'end' has no size.*--region 0x80-LIMIT"),
    ({"regions": (RegionSpec(0, 1),) * 4, "initial": True}, "5 regions do not fit"),
])
def test_what_does_not_fit_the_program(changes, message):
    with pytest.raises(InputError, match=message):
        Machine(settings(**changes), lambda name, params: PROGRAM).load()


@pytest.mark.parametrize("name, error", [
    ("build", BuildError("no C++ compiler")), ("build", ValueError("data_width must be 32")),
    ("run", ValueError("the program's bytes are outside the memory"))])
def test_faults_of_the_simulation_are_told(monkeypatch, name, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(machine, "build", lambda params, **_: None)
    monkeypatch.setattr(machine, name, fail)
    system = Machine(settings(), lambda name, params: PROGRAM)
    system.load()
    with pytest.raises(InputError, match=re.escape(str(error))):
        system.build()
        system.snapshot(print)


@pytest.mark.parametrize("name, base, message", [
    ("dhrystne", 0, "no file and no program is named 'dhrystne': did you mean dhrystone?"),
    ("zzz", 0, "no file and no program is named 'zzz': there are dhrystone, "),
    ("no/such", 0, "no such file: no/such"), ("none.elf", 0, "no such file: none.elf"),
    ("kernel", 0x10000, "kernel is made for memory at 0, not at 0x10000"),
])
def test_no_such_program(name, base, message):
    with pytest.raises(InputError, match=re.escape(message)):
        find_program(name, SnapshotParams(memory_base=base, shadow_base=0x20000))


def test_fst_without_its_headers(monkeypatch):
    def fail(*_, **__):
        raise BuildError("g++ failed:\nfatal error: lz4.h: No such file or directory")

    monkeypatch.setattr(machine, "build", fail)
    with pytest.raises(InputError, match="use --wave vcd, or install them"):
        Machine(settings(wave="fst")).build()


# What is made of the answer ----------------------------------------------------------------


def test_record_of_an_exact_run():
    record = record_of(RESULT, settings())
    report = Report(record)
    assert report.outcome is Outcome.EXACT
    figures = report.figures
    assert (figures["instant"], figures["clocks_to_armed"], figures["clocks_to_done"]) == (
        100, 2, 400)
    assert (record.blocks_initial, record.blocks_demand, record.blocks_background) == (1, 1, 2)
    assert record.stalls == (Stall(110, 64, 9, 1),)
    assert [copy.block for copy in record.copies] == [0, 1, 2, 3]
    assert record.copies[1].kind is Kind.DEMAND
    assert (record.seen, record.exit_code, record.console) == (3, 0, "hi\n")


def test_record_of_a_wrong_image():
    image = bytearray(MEMORY)
    image[65] = 0
    record = record_of(replace(RESULT, image=bytes(image)), settings())
    assert record.writes == (Write(99, 64, 5, 15), Write(120, 64, 6, 3))
    mismatch = Report(record).mismatch
    assert mismatch.address == 65 and len(mismatch.history) == 4


@pytest.mark.parametrize("changes, outcome, text", [
    ({"status": replace(NOT_DONE, failed=True, cause=Cause.READ_ERROR, fail_block=2)},
     Outcome.FAILED, "read error at block 2"),
    ({"status": replace(NOT_DONE, cancelled=True, cause=Cause.CANCELLED)}, Outcome.CANCELLED, ""),
    ({"status": NOT_DONE}, Outcome.UNFINISHED, "4 of 4 blocks"),
    ({"status": replace(NOT_DONE, refused=True, refusal=Refusal.REGION_RANGE), "instant": None},
     Outcome.REFUSED, "a region is not within the guarded memory"),
    ({"status": NOT_DONE, "instant": None, "seen": 2}, Outcome.NOT_TAKEN, "reached 2 times"),
])
def test_record_of_a_run_without_an_image(changes, outcome, text):
    report = Report(record_of(replace(RESULT, **changes), settings()))
    assert report.outcome is outcome and text in report.sentence
