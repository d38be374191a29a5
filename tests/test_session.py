"""A run from its settings to its files, on a machine of cardboard."""

import io
import json
from dataclasses import replace

import pytest
from memsnap import SnapshotParams
from memsnap_sim.report import BlockCopy, Dram, Kind, Record
from memsnap_sim.session import Steps, run_and_report
from memsnap_sim.settings import Settings, Trigger
from rich.console import Console

PARAMS = SnapshotParams(memory_size=256, shadow_base=256)
MEMORY = bytes(range(256))
RECORD = Record(
    program="p", trigger="the program itself", params=PARAMS, latency=4, clocks=1100,
    exit_code=0, console="said [bold]this[/]\n", instant=100, clocks_to_armed=3,
    clocks_to_done=400, blocks_background=4, done=True, memory_at_instant=MEMORY, image=MEMORY,
    copies=tuple(BlockCopy(block, 150 + 100 * block, Kind.BACKGROUND) for block in range(4)))


class Cardboard:
    """What :class:`memsnap_sim.machine.Machine` does, without doing it."""

    def __init__(self, record, out):
        self.record, self.out, self.calls = record, out, []

    def load(self):
        self.calls.append("load")

    def build(self):
        self.calls.append("build")

    def snapshot(self, tell):
        tell(500, 1000)
        self.calls.append("snapshot")
        return self.record

    def plain(self, tell):
        self.calls.append("plain")
        return 1000

    def software(self, tell):
        self.calls.append("software")
        return 3000, 2000

    def method(self, tell):
        self.calls.append("method")

    def ideal(self, tell):
        self.calls.append("ideal")
        return replace(RECORD, clocks_to_done=200)

    def write_extras(self, report):
        path = self.out / "image.core"
        path.write_bytes(b"core")
        return [path]

    def hints(self, report):
        return ["look: gdb p image.core"]


def run(tmp_path, record=RECORD, terminal=False, **changes):
    settings = Settings(program="p", trigger=Trigger("self"), params=PARAMS, out=tmp_path,
                        **changes)
    console = Console(file=io.StringIO(), width=100)
    errors = Console(file=io.StringIO(), force_terminal=terminal)
    machine = Cardboard(record, tmp_path)
    report = run_and_report(settings, machine=machine, console=console, errors=errors)
    return report, machine, console.file.getvalue(), errors.file.getvalue()


def test_all_of_a_run(tmp_path):
    report, machine, out, errors = run(tmp_path)
    assert machine.calls == ["load", "build", "snapshot", "plain", "software", "method"]
    assert report.exact and errors == ""
    assert "said [bold]this[/]" in out and "look: gdb p image.core" in out
    result = json.loads((tmp_path / "report.json").read_text())
    assert result["slowdown"] == pytest.approx(0.1)
    assert result["slowdown_software_baseline"] == pytest.approx(2.0)
    assert result["baseline_pause"] == 2000
    for name in "report.json", "report.html", "image.bin", "image.core":
        assert (tmp_path / name).exists() and name in out


def test_no_baseline(tmp_path):
    report, machine, *_ = run(tmp_path, baseline=False)
    assert machine.calls == ["load", "build", "snapshot"]
    assert report.to_json()["slowdown"] is None


def test_a_run_without_a_snapshot_needs_no_baseline(tmp_path):
    record = replace(RECORD, instant=None, done=False, copies=())
    report, machine, out, _ = run(tmp_path, record)
    assert machine.calls == ["load", "build", "snapshot"]
    assert not report.exact and "was never reached" in out


def test_progress_is_shown_on_a_terminal(tmp_path):
    errors = run(tmp_path, terminal=True)[3]
    assert "running" in errors


def test_steps_are_silent_elsewhere():
    file = io.StringIO()
    with Steps(Console(file=file)) as steps, steps.step("work") as tell:
        tell(5)
        tell(6, 10)
    assert file.getvalue() == ""


def test_a_dram_is_shown_beside_an_ideal_memory(tmp_path):
    record = replace(RECORD, memory="litedram", dram=Dram(
        activate=100, precharge=90, refresh=5, read=300, write=100))
    _, machine, out, _ = run(tmp_path, record, memory="litedram")
    assert machine.calls[-1] == "ideal"
    result = json.loads((tmp_path / "report.json").read_text())
    assert (result["memory"], result["dram_row_hits"]) == ("litedram", 0.75)
    assert result["copy_rate"] == 64 / 400 and result["ideal"]["copy_rate"] == 64 / 200
    page = (tmp_path / "report.html").read_text()
    assert "What the DRAM does to it" in page and "beside it" in page.lower()
    for text in out, page:
        assert "0.160" in text and "0.320" in text and "75.0" in text
    assert "LiteDRAM" in out
