"""The demonstration, without its runs."""

import io
from pathlib import Path
from types import SimpleNamespace

import pytest
from memsnap_sim.demo import RUNS, demo_runs, run_demo
from rich.console import Console


@pytest.mark.parametrize("verdicts", [
    (True, True, True), (True, False, True), (False, True, True), (True, True, False)])
def test_every_snapshot_counts(verdicts):
    console = Console(file=io.StringIO(), width=100)
    left = list(verdicts)
    outs = []

    def run(settings, console):
        outs.append(settings.out)
        return SimpleNamespace(exact=left.pop(0))

    assert run_demo(Path("there"), console=console, run=run) is all(verdicts)
    assert outs == [Path("there/dhrystone"), Path("there/kernel"), Path("there/chase")]
    text = console.file.getvalue()
    assert f"{sum(verdicts)} of {len(RUNS)} snapshots exact" in text
    assert "there/kernel/report.html" in text


@pytest.mark.parametrize("options, buses", [
    ({}, None), ({"memory": "ideal"}, None), ({"memory": "litedram"}, ["wishbone", "axi4"]),
    ({"memory": "litedram", "bus": "axi4"}, None)])
def test_buses_of_the_runs(options, buses):
    runs = demo_runs(options)
    assert len(runs) == len(RUNS) * len(buses or [None]) == len(dict(runs))
    assert [table.get("unit", {}).get("bus") for _, table in runs][::len(RUNS)] == (
        buses or [None])


def test_options_reach_the_runs():
    seen = []

    def run(settings, console):
        seen.append((settings.memory, settings.params.bus.value))
        return SimpleNamespace(exact=True)

    options = {"memory": "litedram", "bus": "axi4"}
    assert run_demo(Path("there"), options=options, console=Console(file=io.StringIO()), run=run)
    assert seen == [("litedram", "axi4")] * 3
