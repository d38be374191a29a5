"""The demonstration, without its runs."""

import io
from pathlib import Path
from types import SimpleNamespace

import pytest
from memsnap_sim.demo import RUNS, run_demo
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
