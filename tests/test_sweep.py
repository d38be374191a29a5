"""A sweep: its points, its workers, what it says of the outcomes."""

import csv
import json
import logging
from dataclasses import replace

import numpy as np
import pytest
import sweep_work
from click.testing import CliRunner
from memsnap.params import Release
from memsnap_sim import cli
from memsnap_sim.errors import InputError
from memsnap_sim.model import FixedLatency, simulate
from memsnap_sim.sweep import PatternSource, Point, TraceSource, parse_vary, points, run
from memsnap_sim.sweep.advice import advise, choices, choose, pareto
from memsnap_sim.sweep.plots import write_plots
from memsnap_sim.sweep.results import table, write_csv, write_json
from memsnap_sim.sweep.work import Outcome, measure

SOURCE = PatternSource("random", 4000, 0x2000)


@pytest.mark.parametrize(("text", "expected"), [
    ("block_size=64,256,4K", ("block_size", [64, 256, 4096])),
    ("buffer-depth = 16, 32", ("buffer_depth", [16, 32])),
    ("release=captured,copied", ("release", ["captured", "copied"])),
    ("pipelined=true,false", ("pipelined", [True, False])),
    ("latency=1,32", ("latency", [1, 32])),
    ("initial=0,64K", ("initial", [0, 65536])),
])
def test_what_is_varied(text, expected):
    assert parse_vary(text) == expected


@pytest.mark.parametrize(("text", "message"), [
    ("block_size", "'block_size' must be NAME=VALUE,VALUE,…, such as block_size=64,256,4K"),
    ("block_size=", "'block_size=' must be NAME=VALUE"),
    ("blocksize=64", "'blocksize' cannot be varied: did you mean block_size?"),
    ("memory_size=64K", "memory_size cannot be varied: it follows from the accesses"),
    ("latency=0", "latency must be at least 1, not 0"),
    ("latency=fast", "latency: 'fast' is not a number"),
    ("block_size=big", "block_size: 'big' is not a number"),
    ("release=soon", "release must be captured or copied, not 'soon'"),
    ("pipelined=yes", "pipelined must be true or false, not 'yes'"),
    ("features=cti", "features cannot be varied: set it in a configuration file"),
    ("jobs=4,4", "'jobs=4,4' names a value twice"),
])
def test_what_cannot_be_varied_is_said(text, message):
    with pytest.raises(InputError, match=message):
        parse_vary(text)


def test_points_are_all_combinations():
    found = points([("block_size", [64, 4096]), ("latency", [1, 8])], memory_bytes=5000,
                   unit={"jobs": 4})
    assert [point.values for point in found] == [
        {"block_size": 64, "latency": 1}, {"block_size": 64, "latency": 8},
        {"block_size": 4096, "latency": 1}, {"block_size": 4096, "latency": 8}]
    assert {point.params.memory_size for point in found} == {8192}
    assert {point.params.shadow_base for point in found} == {8192}
    assert {point.params.jobs for point in found} == {4}
    assert [point.shadow_latency for point in found] == [1, 8, 1, 8]
    assert found[3].name == "block_size=4096, latency=8"


def test_a_combination_that_does_not_fit_is_kept_with_its_reason():
    good, bad = points([("jobs", [2, 1])], memory_bytes=4096)
    assert good.params.jobs == 2
    assert bad.params is None
    assert "jobs must be 2 to 64, not 1" in bad.problem
    outcome = measure(bad, SOURCE, 0)
    assert outcome.problem == bad.problem
    assert not outcome.complete


@pytest.mark.parametrize(("vary", "message"), [
    ([("jobs", [1])], "no combination fits together; jobs=1: jobs must be 2 to 64, not 1"),
    ([("jobs", [2]), ("jobs", [3])], "jobs is varied twice; give all its values once"),
    ([("initial", [1 << 20])], "initial must be at most the memory's 4096 bytes, not 1048576"),
])
def test_points_that_cannot_be(vary, message):
    with pytest.raises(InputError, match=message):
        points(vary, memory_bytes=4096)


def test_a_large_memory_widens_the_address():
    point, = points([("block_size", [4096])], memory_bytes=3 << 31)
    assert point.params.addr_width == 34


@pytest.mark.parametrize("bus", ["wishbone", "axi4"])
def test_measure_gives_the_models_figures(bus):
    point, = points([("bus", [bus])], memory_bytes=SOURCE.memory_size, latency=3, initial=512)
    outcome = measure(point, SOURCE, 100)
    expected = simulate(point.params, np.concatenate(list(SOURCE.chunks())),
                        memory=FixedLatency(clocks=3), regions=[(0, 511)],
                        start_at=("access", 100), max_in_flight=1)
    assert outcome.complete
    assert outcome.duration == expected.duration
    assert outcome.slow_down == expected.slow_down
    assert outcome.held == expected.held
    assert outcome.stall_longest == expected.stall_longest == max(outcome.stalls)
    assert outcome.stall_total == expected.stall_total == sum(
        length * count for length, count in outcome.stalls.items())
    assert outcome.blocks_initial >= 8
    assert outcome.blocks_initial + outcome.blocks_demand + outcome.blocks_background == 128


class Counted:
    """A source that tells how much of it was read."""

    def __init__(self, source):
        self.source, self.read = source, 0

    def chunks(self):
        for chunk in self.source.chunks():
            for at in range(0, len(chunk), 1000):
                self.read += 1000
                yield chunk[at:at + 1000]


def test_no_more_is_read_than_the_snapshot_needs():
    source = Counted(PatternSource("random", 1_000_000, 0x2000))
    point, = points([("block_size", [64])], memory_bytes=0x2000)
    outcome = measure(point, source, 100)
    assert outcome.complete
    assert source.read < 10_000
    all_of_it = simulate(point.params, next(source.source.chunks()),
                         memory=FixedLatency(clocks=4), start_at=("access", 100), max_in_flight=1)
    assert all_of_it.beats > 2 * source.read
    assert outcome.slow_down == all_of_it.slow_down


def test_workers_here_and_an_interrupt_free_order():
    tried = points([("latency", [1, 2, 3])], memory_bytes=4096)
    told = []
    outcomes = run(tried, "nowhere", 7, workers=2, work=sweep_work.count, progress=told.append)
    assert [outcome.point.latency for outcome in outcomes] == [1, 2, 3]
    assert {outcome.slow_down for outcome in outcomes} == {7}
    assert told == [1, 2, 3]


@pytest.fixture(scope="module")
def scheduler():
    """The address of a cluster of two processes."""
    from distributed import LocalCluster
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None,
                      silence_logs=logging.CRITICAL) as cluster:
        yield cluster.scheduler_address


def test_a_cluster(scheduler):
    tried = points([("latency", [1, 2, 3, 4])], memory_bytes=4096)
    outcomes = run(tried, "nowhere", 7, scheduler=scheduler, work=sweep_work.count)
    assert scheduler.startswith("tcp://")
    assert [outcome.point.latency for outcome in outcomes] == [1, 2, 3, 4]


def test_a_worker_that_dies_costs_a_retry(scheduler, tmp_path):
    tried = points([("latency", [1, 2])], memory_bytes=4096)
    outcomes = run(tried, str(tmp_path), 7, scheduler=scheduler, work=sweep_work.die_at_first)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["latency=1", "latency=2"]
    assert [outcome.problem for outcome in outcomes] == ["", ""]
    assert all(outcome.complete for outcome in outcomes)


def test_work_that_fails_is_an_outcome(scheduler):
    tried = points([("latency", [1])], memory_bytes=4096)
    outcome, = run(tried, "nowhere", 0, scheduler=scheduler, work=sweep_work.fail)
    assert outcome.problem == "ZeroDivisionError: of course"


def test_no_scheduler(monkeypatch):
    from memsnap_sim.sweep import engine
    monkeypatch.setattr(engine, "_PATIENCE", 0.2)
    with pytest.raises(InputError, match="no Dask scheduler answers at 'tcp://127.0.0.1:9'"):
        run(points([("latency", [1])], memory_bytes=4096), "nowhere", 0,
            scheduler="tcp://127.0.0.1:9")


# What is said of the outcomes ---------------------------------------------------------------------

def outcome_of(block_size, slow_down, longest, ram_bits, **figures):
    return Outcome(point=Point({"block_size": block_size, "release": Release.CAPTURED}),
                   complete=True, duration=1000, slow_down=slow_down, stall_longest=longest,
                   held=2, stall_total=longest + 3, stalls={3: 1, longest: 1},
                   ram_bits=ram_bits, **figures)


SMALL = outcome_of(64, 10, 8, 4000)
MIDDLE = outcome_of(256, 40, 9, 3000)
LARGE = outcome_of(4096, 100, 20, 2500)
UNFINISHED = replace(outcome_of(16, 1, 5, 9000), complete=False)
WRONG = Outcome(point=Point({"block_size": 3, "release": Release.CAPTURED}, problem="too small; 4"),
                problem="too small; 4")
ALL = [SMALL, MIDDLE, LARGE, UNFINISHED, WRONG]


def test_the_cheapest_within_the_goal_is_taken():
    assert choose(ALL).outcomes == (MIDDLE,)
    assert choose(ALL, goal=0.02).outcomes == (SMALL,)
    assert choose([replace(SMALL, cells=900), replace(MIDDLE, cells=1000)]).cost == (900, 4000)
    assert choose([UNFINISHED, WRONG]) is None
    assert choose([LARGE]).outcomes == (LARGE,)


def with_latency(outcome, latency, **figures):
    return replace(outcome, point=Point(outcome.point.values | {"latency": latency}), **figures)


def test_a_unit_is_judged_by_its_worst_surroundings():
    fast = [with_latency(each, 1) for each in (SMALL, MIDDLE)]
    slow = [with_latency(SMALL, 32), with_latency(MIDDLE, 32, slow_down=200, stall_longest=30)]
    best = choose(fast + slow)
    assert best.name == "block_size=64, release=captured"
    assert len(best.outcomes) == 2
    assert "at worst with block_size=64, release=captured, latency=1" in advise(fast + slow)[0]
    unfinished = replace(slow[0], complete=False)
    assert choose([fast[0], unfinished]) is None


def test_the_front():
    def front(*outcomes):
        return [unit.outcomes for unit in pareto(choices(outcomes))]
    assert front(SMALL, MIDDLE, LARGE) == [(LARGE,), (MIDDLE,), (SMALL,)]
    dominated = outcome_of(512, 0, 9, 3500)
    assert front(SMALL, dominated, MIDDLE) == [(MIDDLE,), (SMALL,)]


def test_advice():
    lines = advise(ALL)
    assert lines[0] == ("Take block_size=256, release=captured: the program loses 4.00% of the "
                        "time that the snapshot takes (40 of 1,000 clocks), and no write waits "
                        "longer than 9 clocks.")
    assert lines[1] == "2 of 3 units are within 5%; this one is the cheapest (3,000 bits of RAM)."
    assert "The least slow-down is that of block_size=64, release=captured: 1.00%" in lines[2]
    assert "To be avoided: block_size=4096, release=captured, which costs 10.00%." in lines
    assert ("In 1 of 5 runs the snapshot was still going on when the accesses ended." in lines)
    assert "more than the 5% that is wanted" in advise([LARGE])[1]
    assert "No snapshot came to its end" in advise([UNFINISHED, WRONG])[0]


def test_files(tmp_path):
    write_csv(ALL, tmp_path / "sweep.csv")
    write_json(ALL, tmp_path / "sweep.json", start=5)
    with open(tmp_path / "sweep.csv", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["block_size"] for line in lines] == ["64", "256", "4096", "16", "3"]
    assert lines[0]["slow_down"] == "10"
    assert lines[4]["problem"] == "too small; 4"
    loaded = json.loads((tmp_path / "sweep.json").read_text())
    assert loaded["start"] == 5
    assert loaded["outcomes"][0]["stalls"] == {"3": 1, "8": 1}
    assert table(ALL, choose(ALL)).row_count == 5


def test_pictures(tmp_path):
    for name in "a", "b":
        (tmp_path / name).mkdir()
        paths = write_plots(ALL, tmp_path / name)
        assert [path.name for path in paths] == ["slow-down.svg", "stalls.svg", "pareto.svg"]
    for path in paths:
        assert path.read_bytes() == (tmp_path / "a" / path.name).read_bytes()
    assert write_plots([WRONG], tmp_path) == []


# The command --------------------------------------------------------------------------------------

def memsnap(*arguments):
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def test_the_command_on_a_trace(tmp_path, monkeypatch):
    trace = tmp_path / "a.csv"
    trace.write_text("gap,address,write,size\n" + "".join(
        f"3,{0x7000_0000 + at * 52 % 8192:#x},{at % 3 == 0:d},4\n" for at in range(3000)))
    monkeypatch.setattr("memsnap_sim.sweep.command.run", in_this_process)
    done = memsnap("sweep", trace, "--vary", "block_size=64,512", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "3,000 accesses, 1,000 of them writes, to 8,192 bytes; snapshot at access 300" in (
        done.output)
    assert "Take block_size=" in done.output
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "advice.txt", "pareto.svg", "slow-down.svg", "stalls.svg", "sweep.csv", "sweep.json"]


def in_this_process(points, source, start_access, *, scheduler, workers, progress, **options):
    return [measure(point, source, start_access, **options) for point in points]


@pytest.mark.parametrize(("arguments", "message"), [
    ([], "give a TRACE, or a --pattern: sequential, random, hot, stride"),
    (["--pattern", "spiral"], "--pattern must be one of sequential, random, hot, stride, not"),
    (["none.lk"], "none.lk: No such file or directory"),
    (["--pattern", "hot", "--accesses", "10", "--start", "10"],
     "--start must be below the 10 accesses that there are, not 10"),
    (["a", "--pattern", "hot"], "give either a TRACE or a --pattern, not both"),
    (["a", "--page", "100"], "--page must be a power of two, or 0, not 100"),
])
def test_what_is_wrong_is_said(arguments, message):
    done = memsnap("sweep", *arguments)
    assert message in done.output
    assert done.exit_code == 2


def test_a_trace_source_packs_pages(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("address,write\n0x90001004,1\n0x100,0\n")
    packed = TraceSource(str(path))
    assert [access["address"].tolist() for access in packed.chunks()] == [[4, 0x1100]]
    assert packed.size().memory_bytes == 0x1104
    assert TraceSource(str(path), page_size=None).size().memory_bytes == 0x90001008
