"""The CPU's accesses, recorded; and the model on them against the compiled system."""

import gzip
from dataclasses import replace

import numpy as np
import pytest
from memsnap_sim.machine import Machine
from memsnap_sim.model import FixedLatency, simulate
from memsnap_sim.settings import Settings
from memsnap_sim.traces import open_trace
from memsnap_sim.traces.cpu import accesses_of_cpu

pytestmark = pytest.mark.systems


def silent(_clocks, _limit=None):
    pass


def test_accesses_of_a_recording():
    recorded = np.array([(3, 5, 0x10, 0), (6, 6, 0x14, 0xf), (9, 12, 0x18, 0b1100),
                         (20, 21, 0x1c, 0b0010)],
                        [("requested", "u8"), ("answered", "u8"), ("address", "u4"),
                         ("lanes", "u4")])
    assert accesses_of_cpu(recorded).tolist() == [
        (3, 0x10, False, 4), (0, 0x14, True, 4), (2, 0x1a, True, 2), (7, 0x1d, True, 1)]


def test_the_model_says_what_the_system_does(tmp_path):
    """A program of a million clocks and 171,208 accesses: every figure is the same."""
    settings = Settings.build({"run": {"program": "chase", "at_clock": 50_000, "initial": "none"}},
                              {"out": str(tmp_path)})
    machine = Machine(settings)
    machine.load()
    machine.build()
    record = machine.snapshot(silent)
    # With the same registers set first, so that the program begins in the same clock
    plain = machine._run(replace(machine.options, snapshot="none", record=True), silent,
                         start=False)
    accesses = accesses_of_cpu(plain.accesses)
    assert len(accesses) > 100_000
    model = simulate(settings.params, accesses, memory=FixedLatency(clocks=settings.latency),
                     start_at=record.instant - record.clocks_to_armed, max_in_flight=1)
    assert model.instant == record.instant
    assert model.duration == record.clocks_to_done
    assert model.held == record.writes_held > 100
    assert model.stall_longest == record.stall_longest
    assert model.stall_total == record.stall_total
    assert model.slow_down == record.clocks - plain.clocks
    assert (model.blocks_demand, model.blocks_background) == (
        record.blocks_demand, record.blocks_background)
    assert [(stall["address"], stall["clocks"]) for stall in model.stalls] == [
        (stall.address // 4 * 4, stall.length) for stall in record.stalls]
    assert [(copy["block"], copy["kind"]) for copy in model.copies] == [
        (copy.block, copy.kind) for copy in record.copies]


def test_the_recording_is_written(tmp_path):
    settings = Settings.build({"run": {"program": "touch", "at_clock": 5000, "record": True}},
                              {"out": str(tmp_path)})
    machine = Machine(settings)
    machine.load()
    machine.build()
    machine._record()
    path = tmp_path / "accesses.csv.gz"
    with gzip.open(path, "rt") as file:
        assert next(file) == "gap,address,write,size\n"
    accesses = np.concatenate(list(open_trace(path)))
    assert accesses["write"].any() and not accesses["write"].all()
