"""The figures P1-P4 and P6, counted in clocks in Amaranth's simulator.

Each case builds the unit without its registers, a memory with a fixed latency and initiators that
make a request a clock, and counts. The counts are exact: the same on every machine and in every
run. Each is printed beside its *limit* (what no unit could beat) and its *goal*.
"""

from concurrent.futures import ProcessPoolExecutor

from .bench_cases import FIGURES, cases
from .bench_row import Row, read_json, row, write_json

__all__ = ["Row", "cases", "cases_of", "measure", "read_json", "row", "run", "table", "write_json"]


def measure(case):
    """The row of one case."""
    scenario, arguments = case
    return scenario(**arguments)


def cases_of(figures):
    """The cases of some figures, by name."""
    return [case for case in cases() if FIGURES[case[0]] in figures]


def run(chosen, progress=lambda number: None):
    """Measures cases on all cores; ``progress`` is told how many are done."""
    rows = []
    with ProcessPoolExecutor() as pool:
        for each in pool.map(measure, chosen):
            rows.append(each)
            progress(len(rows))
    return rows


def table(rows):
    """The rows as a rich table."""
    from rich.table import Table
    result = Table("", "case", "value", "limit", "goal", "", title="Figures in clocks")
    for each in rows:
        result.add_row(each.figure, each.case, f"{each.value:g}", f"{each.limit:g}",
                       f"{each.goal:g}", "[green]met[/]" if each.met else "[red]missed[/]")
    return result
