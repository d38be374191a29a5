"""The bench: its rows, and the cheaper of its figures."""

import json

import pytest
from memsnap_sim import bench, bench_axi4


@pytest.fixture(scope="module")
def rows():
    return bench.run([*bench.cases_of({"P1", "P4"}, axi4=False), (bench.longest_stall, (4, 64)),
                      (bench_axi4.access_cost, ("read, idle",)),
                      (bench_axi4.access_cost, ("write, copied, row at hand",)),
                      (bench_axi4.arming, (4096,)), (bench_axi4.longest_stall, (4, 64))])


def test_goals_are_met(rows):
    assert len(rows) == 20
    assert [row for row in rows if not row.met] == []


def test_rows_are_the_same_every_time(rows):
    again = bench.measure((bench.longest_stall, (4, 64)))
    assert again in rows


def test_json_has_the_rows(rows, tmp_path):
    path = tmp_path / "new" / "bench.json"
    bench.write_json(rows, path)
    loaded = json.loads(path.read_text())
    assert set(loaded[0]) == {"figure", "case", "value", "limit", "goal", "met", "least"}
    assert len(loaded) == len(rows)


def test_a_missed_goal_shows():
    row = bench.row("P3", "a case", 30, 17, 24)
    assert not row.met
    assert bench.row("P2", "a case", 0.4, 0.5, 0.49, least=True).met is False
    assert bench.table([row]).row_count == 1
