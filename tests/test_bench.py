"""The bench: its rows, its limits, and the cheaper of its figures."""

import json

import pytest
from memsnap import SnapshotParams
from memsnap_sim import bench, bench_figures, bench_limits

pytestmark = pytest.mark.long

_AXI4 = {"bus": "axi4", "data_width": 64}
_FINISHING = bench_figures.finishing, {"left": 1, "blocks": 512}


def _cheap():
    """A case of each scenario on each bus, all kinds of P1 on Wishbone, and all of P4."""
    yield from (case for case in bench.cases_of({"P1"}) if set(case[1]) == {"kind"})
    for kind in "read, idle", "write, copied, row at hand", "write, copied, row not at hand":
        yield bench_figures.access_cost, {"kind": kind, "latency": 2, **_AXI4}
    yield bench_figures.access_cost, {"kind": "stream of writes, idle", "ports": 2}
    yield from bench.cases_of({"P4"})
    yield bench_figures.longest_stall, {"latency": 4, "block_size": 64}
    yield bench_figures.longest_stall, {"latency": 4, "block_size": 64, "snapshots": 1, "ports": 2}
    yield _FINISHING


@pytest.fixture(scope="module")
def rows():
    return bench.run([*_cheap()])


def test_goals_are_met(rows):
    assert len(rows) == 24
    assert [row for row in rows if not row.met] == []


def test_a_row_in_two_clocks():
    """What a map with a latency of 2 adds; see docs/decisions/a-register-behind-the-map.md."""
    kinds = {"read, copied": 0, "write, copied, row at hand": 0,
             "write, copied, row not at hand": 2}
    for kind, clocks in kinds.items():
        assert bench_figures.access_cost(kind, map_latency=2).value == clocks
    assert bench_figures.longest_stall(latency=4, block_size=64, map_latency=2).value == 12


def test_rows_are_the_same_every_time(rows):
    again = bench.measure(_FINISHING)
    assert again in rows


def test_no_two_rows_have_one_name(rows):
    """Else a comparison would miss one."""
    chosen = [*bench.cases()]
    assert len({repr(case) for case in chosen}) == len(chosen)
    assert len({(row.figure, row.case) for row in rows}) == len(rows)


@pytest.mark.parametrize("bus", ["wishbone", "axi4"])
def test_the_table_has_every_value(bus):
    builds = [arguments for _, arguments in bench.cases()
              if arguments.get("bus", "wishbone") == bus]
    for name, values in {"latency": {1, 4, 16, 32}, "block_size": {16, 64, 512, 4096},
                         "data_width": {64, 128} if bus == "axi4" else {64}, "map": {"memory"},
                         "shadow": {"separate"}, "ports": {2}}.items():
        assert {build.get(name) for build in builds} >= values


def test_json_has_the_rows(rows, tmp_path):
    path = tmp_path / "new" / "bench.json"
    bench.write_json(rows, path)
    loaded = json.loads(path.read_text())
    assert set(loaded[0]) == {"figure", "case", "value", "limit", "goal", "met", "least", "why"}
    assert bench.read_json(path) == rows


def test_a_missed_goal_shows():
    row = bench.row("P3", "a case", 30, 17, 24, why="it is slow")
    assert not row.met
    assert row.why == "it is slow"
    assert bench.row("P2", "a case", 0.4, 0.5, 0.49, least=True).met is False
    assert bench.row("P4", "a case", 3, 1, 4, why="it is slow").why == ""
    assert bench.table([row]).row_count == 1


@pytest.mark.parametrize("limit, clocks, build", [
    (0.5, 2, {}),
    (1, 1, {"shadow": "separate"}),
    (1, 1, {"bus": "axi4"}),
    (512 / 1025, 2, {"map": "memory"}),
    (512 / 513, 1, {"map": "memory", "shadow": "separate"}),
    (512 / 513, 1, {"map": "memory", "bus": "axi4"}),
    (1, 1, {"map": "memory", "bus": "axi4", "shadow": "separate"}),
])
def test_limit_of_the_copy_rate(limit, clocks, build):
    params = SnapshotParams(**build)
    assert bench_limits.copy_rate(params) == limit
    assert bench_limits.copy_clocks(params, 10) == 10 * clocks
    assert bench_limits.copy_ends(params, 32) == (32 if clocks == 2 else 64)


def test_limit_of_a_stall():
    assert bench_limits.stall(SnapshotParams(), 4) == 5
    assert bench_limits.stall_goal(SnapshotParams(), 4) == 12
    assert bench_limits.stall_goal(SnapshotParams(map_latency=2), 4) == 13
    assert bench_limits.stall_goal(SnapshotParams(bus="axi4", ports=2), 4) == 4 + 2 + 7 + 8
    assert bench_limits.stall(SnapshotParams(map="memory"), 4, row_on_chip=False) == 10
