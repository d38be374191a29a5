"""``memsnap check``: what it says is what the unit does, and what it refuses."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from memsnap import SnapshotParams
from memsnap_sim.bench_figures import copy_rate, longest_stall
from memsnap_sim.check import cells, check, findings, problems
from memsnap_sim.cli import main
from memsnap_sim.config import Config

CONFIGS = sorted(Path(__file__).parents[1].glob("sim/configs/*.toml"))
FIGURES = {"stall of a write, at the longest about": "stall",
           "copy of all, without other traffic": "copy",
           "buffer for the full rate": "depth",
           "from a failed snapshot to the next": "sweep"}


def figures(unit=(), **memory):
    config = Config.of({"unit": dict(unit), "memory": memory})
    assert problems(config) == []
    return {FIGURES[each.name]: each.value for each in findings(config) if each.name in FIGURES}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_configuration_that_comes_with_it_is_sound(path):
    assert check(Config.read(path))["problems"] == []


@pytest.mark.parametrize("tables, words", [
    ({"unit": {"block_size": 48}}, ["block_size must be a power of two, not 48"]),
    ({"policy": {"retries": 3, "hold_io": True}},
     ["set retry = true under [unit]", "set io_hold = true under [unit]"]),
    ({"policy": {"failure": "fail_write"}},
     ["set retry = true under [unit]", "set release = \"copied\" under [unit]"]),
    ({"policy": {"protect": 2}}, ["there are 1 ports"]),
    ({"region": [{"start": 0, "limit": 0x1_0000}]}, ["0x10000 is outside the memory"]),
    ({"region": [{"start": 0, "limit": 63}] * 5}, ["set regions = 5 under [unit]"]),
    ({"region": [{"start": 0}]}, ["a [[region]] needs start and limit, or symbol"]),
    ({"dma": {"ungated": False}}, ["set ports = 2 under [unit]"]),
    ({"fault": [{"block": 1024}]}, ["the block of a fault must be 0 to 1023"]),
])
def test_problems(tables, words):
    found = problems(Config.of(tables))
    assert len(found) == len(words)
    for problem, word in zip(found, words, strict=True):
        assert word in problem


@pytest.mark.parametrize("latency, unit", [(1, {}), (4, {}), (4, {"map_latency": 2}), (16, {})])
def test_the_longest_stall_is_about_what_is_counted(latency, unit):
    counted = longest_stall(latency=latency, block_size=64, snapshots=1, **unit).value
    assert abs(figures(unit, latency=latency)["stall"] - counted) <= 1


@pytest.mark.parametrize("unit, words", [
    ({}, "distributed RAM will do"),
    ({"block_size": 16}, "block RAM; map_latency = 2 gives a higher clock"),
    ({"block_size": 16, "map_latency": 2}, "block RAM")])
def test_a_large_map_is_said_to_be_in_block_ram(unit, words):
    found = {each.name: each.why for each in findings(Config.of({"unit": unit}))}
    assert found["copy map"].endswith(words)
    clocks = unit.get("map_latency", 1)
    assert found["added to a write to a copied block"].startswith(f"{clocks} if its row")


@pytest.mark.long
def test_the_longest_stall_on_axi4_has_a_burst_in_it():
    counted = longest_stall(latency=4, block_size=64, data_width=64, bus="axi4").value
    assert abs(figures({"bus": "axi4", "data_width": 64}, latency=4)["stall"] - counted) <= 2


def test_on_axi4_the_copy_takes_a_beat_a_clock_if_the_buffer_suffices():
    unit = {"bus": "axi4", "data_width": 64, "block_size": 64, "buffer_depth": 64}
    told = figures(unit, latency=4)
    assert told["depth"] == 2 * 4 + 5 * 8
    assert told["copy"] == SnapshotParams().memory_size // 8
    assert figures({**unit, "buffer_depth": 16}, latency=4)["copy"] == 3 * told["copy"]


@pytest.mark.parametrize("latency, shadow", [(16, "same"), (4, "separate")])
def test_the_copy_takes_as_long_as_is_counted(latency, shadow):
    unit = {"shadow": shadow, "buffer_depth": 128 if shadow == "separate" else 64}
    told = figures(unit, latency=latency)["copy"]
    beats = SnapshotParams().memory_size // 4
    counted = copy_rate(latency=latency, block_size=64, **unit).value
    assert told == pytest.approx(beats / counted, rel=0.01)


@pytest.mark.parametrize("unit, beats", [
    ({"data_width": 128, "block_size": 16, "bus": "axi4"}, 2),
    pytest.param({"data_width": 32, "block_size": 4, "shadow": "separate"}, 2,
                 marks=pytest.mark.long),
    pytest.param({"data_width": 64, "block_size": 16, "bus": "axi4", "map": "memory",
                  "map_base": 0}, 4, marks=pytest.mark.long)])
def test_blocks_of_a_beat_or_two_are_told_to_be_slow(unit, beats):
    beat = unit["data_width"] // 8
    told = figures(unit, latency=4)["copy"]
    counted = copy_rate(latency=4, **unit).value
    assert told == pytest.approx(SnapshotParams().memory_size / beat / counted, rel=0.03)
    why = {each.name: each.why for each in findings(Config.of({"unit": unit}))}
    assert f"set block_size = {beats * beat}," in why["copy of all, without other traffic"]
    larger = figures({**unit, "block_size": beats * beat}, latency=4)["copy"]
    assert larger == SnapshotParams().memory_size // beat


def test_the_sweep_is_the_units():
    assert figures({"block_size": 4096})["sweep"] == SnapshotParams(block_size=4096).sweep_clocks


def test_a_buffer_that_is_too_small_is_told(tmp_path):
    file = tmp_path / "x.toml"
    file.write_text("[unit]\nbuffer_depth = 16\n[memory]\nlatency = 32\n")
    done = CliRunner().invoke(main, ["check", str(file)], terminal_width=200)
    assert "set buffer_depth = 64" in " ".join(done.output.split())


def test_json_and_exit_codes(tmp_path):
    file = tmp_path / "x.toml"
    file.write_text("[unit]\nmemory_size = \"1M\"\n")
    done = CliRunner().invoke(main, ["check", str(file), "--json"])
    assert json.loads(done.stdout)["sound"]
    file.write_text("[unit]\nblock_size = 3\n")
    with pytest.raises(SystemExit) as left:
        main(["check", str(file)])
    assert left.value.code == 2


@pytest.mark.long
def test_cells_are_counted_for_this_unit():
    small = {"memory_size": 512, "block_size": 64, "shadow_base": 512, "addr_width": 12,
             "regions": 1, "buffer_depth": 4, "max_in_flight": 4}
    counts = cells(Config.of({"unit": small}))
    assert 500 < counts["lut4"] < 3000
    assert counts["ff"] > 500
