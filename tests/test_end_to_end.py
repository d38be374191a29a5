"""Real runs by the command line: programs, toolchain, simulation, report, debugger."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from memsnap_sim.cli import main
from memsnap_sim.elf import load

pytestmark = pytest.mark.systems

GDB = shutil.which("gdb-multiarch")


def call(*args):
    return CliRunner().invoke(main, ["run", *map(str, args)])


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    """The output of a snapshot that the kernel takes of itself, and its directory."""
    out = tmp_path_factory.mktemp("kernel")
    result = call("kernel", "--self", "--out", out, "--wave", "vcd")
    assert result.exit_code == 0, result.output
    return result.stdout, out


def test_kernel_takes_its_snapshot(kernel):
    text, out = kernel
    assert "started a snapshot" in text and "kernel: exact" in text
    report = json.loads((out / "report.json").read_text())
    assert report["exact"] and report["exit_code"] == 0
    assert report["blocks_initial"] > 0
    assert (report["blocks_initial"] + report["blocks_demand"]
            + report["blocks_background"]) == report["blocks_total"] == 1024
    assert report["clocks_to_armed"] <= 4
    assert 0 <= report["slowdown"] < 0.05 < report["slowdown_software_baseline"]
    assert report["baseline_pause"] > 1000 * report["stall_longest"]
    assert report["software_exact"] and report["software_slowdown"] > report["slowdown"]
    assert report["stall_longest"] < report["software_pause"] < report["baseline_pause"]
    assert "<svg" in (out / "report.html").read_text()


def test_waveform_has_every_signal_of_its_save_file(kernel):
    out = kernel[1]
    scopes, signals = [], set()
    with open(out / "wave.vcd") as file:
        for line in file:
            words = line.split()
            if words[:1] == ["$scope"]:
                scopes.append(words[2])
            elif words[:1] == ["$upscope"]:
                scopes.pop()
            elif words[:1] == ["$var"]:
                signals.add(".".join([*scopes, "".join(words[4:-1])]))
            elif words[:1] == ["$enddefinitions"]:
                break
    wanted = set(re.findall(r"(TOP\.soc\.\S+)", (out / "wave.gtkw").read_text()))
    assert len(wanted) > 40 and wanted <= signals


@pytest.mark.skipif(not GDB, reason="needs gdb: apt-get install gdb-multiarch")
def test_debugger_shows_the_instant(kernel):
    text, out = kernel
    elf = re.search(r"gdb-multiarch (\S+) \S+", text)[1]
    shown = subprocess.run(
        [GDB, "-batch", "-nx", elf, out / "image.core", "-ex", "print turns", "-ex", "bt"],
        capture_output=True, text=True, timeout=60).stdout
    then = int(re.search(r"\$1 = (\d+)", shown)[1])
    at_the_end = int(re.search(r"(\d+) turns of tasks", text)[1])
    assert 0 < then < at_the_end
    assert re.search(r"#0 .*snapshot|#0 .*schedule", shown)


def test_a_symbol_that_is_not_reached(tmp_path):
    result = call("touch", "--at", "checkpoint:1000000", "--out", tmp_path, "--no-baseline")
    assert result.exit_code == 1
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["outcome"] == "not taken" and not report["exact"]
    assert re.search("the symbol was reached [0-9,]+ times", report["verdict"])
    assert not (tmp_path / "image.bin").exists()


def test_a_snapshot_that_the_program_does_not_wait_for(tmp_path):
    """Stopped in the middle, a run has no image and says so."""
    result = call("touch", "--at", "checkpoint", "--max-clocks", 20000, "--out", tmp_path)
    report = json.loads((tmp_path / "report.json").read_text())
    assert result.exit_code == 1 and report["outcome"] in ("unfinished", "not taken")
    assert not (tmp_path / "image.core").exists()


@pytest.mark.parametrize("args, message", [
    (["kernel", "--at", "shedule"], "has no symbol 'shedule': did you mean schedule"),
    (["kernel", "--at", "main", "--memory-size", "4K"], "does not fit"),
    (["kernel", "--at", "main", "--data-width", "16"], "data_width must be 32 or 64"),
    (["nothing.elf", "--self"], "no such file: nothing.elf"),
    ([__file__, "--self"], "is not an ELF file"),
    ([Path(__file__).parent, "--self"], "is a directory"),
])
def test_wrong_input(args, message, tmp_path):
    result = call(*args, "--out", tmp_path)
    assert result.exit_code == 2 and message in result.stderr, result.output
    assert "Traceback" not in result.output
    assert len(result.stderr.rstrip().split("\n")) <= 2


def test_the_program_of_a_run_is_at_hand(kernel):
    elf = re.search(r"gdb-multiarch (\S+) \S+", kernel[0])[1]
    assert "turns" in load(elf).symbols
