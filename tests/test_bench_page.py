"""The bench's page: what it says of the figures, and of those that changed."""

from dataclasses import replace
from pathlib import Path

from click.testing import CliRunner
from memsnap_sim import bench, bench_page, bench_plots, bench_program, cli
from memsnap_sim.bench import row
from memsnap_sim.bench_page import Change, compare

COMMITTED = Path(__file__).parents[1] / "docs" / "figures" / "bench.json"

ROWS = [
    row("P2", "L=1, 32 bit, 64 B blocks, beats/clock", 0.499, 0.5, 0.4975, least=True),
    row("P2", "L=4, 32 bit, 64 B blocks, beats/clock", 0.42, 0.5, 0.4975, least=True),
    row("P4", "4 KiB, clocks", 2, 1, 4),
]


def test_nothing_changed():
    assert compare(ROWS, ROWS) == []


def test_what_changed_is_named_the_worse_first():
    after = [replace(ROWS[0], value=0.5), replace(ROWS[1], value=0.41), ROWS[2],
             replace(ROWS[2], case="new")]
    assert compare(after, ROWS) == [
        Change("P2", ROWS[1].case, 0.42, 0.41, True),
        Change("P2", ROWS[0].case, 0.499, 0.5, False),
        Change("P4", "new", None, 2, False),
    ]


def test_more_clocks_are_worse():
    change, = compare([replace(ROWS[2], value=3)], ROWS[2:])
    assert change.worse
    assert str(change) == "P4 4 KiB, clocks: worse, 3 (was 2)"
    change, = compare([replace(ROWS[2], value=1)], ROWS[2:])
    assert not change.worse


def test_a_figure_that_is_gone_is_worse():
    change, = compare(ROWS[:2], ROWS)
    assert change.worse
    assert str(change) == "P4 4 KiB, clocks: no longer counted (was 2)"


def test_the_page_marks_what_is_missed():
    page = bench_page.markdown(ROWS)
    assert "2 of 3 meet their goal" in page
    assert "| L=4, 32 bit, 64 B blocks, beats/clock | 0.42 | 0.5 | ≥ 0.4975 | **missed** |" in page
    assert "| 4 KiB, clocks | 2 | 1 | ≤ 4 | met |" in page


def test_the_page_says_why():
    page = bench_page.markdown([row("P2", "a", 0.4, 0.5, 0.4975, least=True, why="it is slow"),
                                row("P2", "b", 0.3, 0.5, 0.4975, least=True, why="it is slow"),
                                row("P2", "c", 0.5, 0.5, 0.4975, least=True, why="it is slow")])
    assert "What is missed, and why:\n\n- it is slow (2 rows)\n" in page


def test_the_plot_marks_what_is_missed():
    plot = bench_plots.plots(ROWS)["P2"]
    assert ">missed<" in plot
    assert ">missed<" not in bench_plots.plots(ROWS[:1])["P2"]


def test_the_plot_names_forms_and_sizes():
    plot = bench_plots.plots([
        row("P3", "L=1, 32 bit, 64 B blocks, clocks", 8, 2, 9),
        row("P3", "AXI4, L=4, 64 bit, 512 B blocks, map in memory, clocks", 17, 5, 20),
        row("P3", "no latency, clocks", 17, 5, 20),
    ])["P3"]
    for text in "Wishbone", "AXI4", "64 B blocks", "512 B blocks", "map in memory", "goal":
        assert f">{text}<" in plot
    assert ">2 ports<" not in plot


def test_plots_are_the_same_every_time(tmp_path):
    first = bench_page.write_page(ROWS, tmp_path / "a")
    second = bench_page.write_page(ROWS, tmp_path / "b")
    assert [path.name for path in first] == ["figures.md", "figures-p2.svg"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_the_committed_page_is_made_from_the_committed_figures(tmp_path):
    made = bench_page.write_page(bench.read_json(COMMITTED), tmp_path)
    assert len(made) == 3
    for path in made:
        assert path.read_bytes() == (COMMITTED.parent / path.name).read_bytes(), (
            f"{path.name} is stale: make bench ACCEPT=1")


def test_the_committed_figures_are_of_the_table_as_it_is():
    rows = bench.read_json(COMMITTED)
    assert len(rows) == len([*bench.cases()]) + 3 * len(bench_program.RUNS)
    assert {row.figure for row in rows} == {"P1", "P2", "P3", "P4", "P5", "P6"}
    assert [row.case for row in rows if not row.met and not row.why] == []


def test_the_command_names_what_got_worse(tmp_path, monkeypatch):
    rows = [row("P4", "4 KiB, clocks", 3, 1, 4)]
    monkeypatch.setattr(bench, "run", lambda chosen, progress: rows)
    bench.write_json(ROWS, tmp_path / "before.json")
    done = CliRunner().invoke(cli.main, ["bench", "--figure", "P4", "--out", str(tmp_path / "now"),
                                         "--against", str(tmp_path / "before.json")])
    assert "P4 4 KiB, clocks: worse, 3 (was 2)" in done.output
    assert "1 of 1 figures are worse than in" in done.output
    assert done.exit_code == 1
