"""The bench's page: every figure beside its limit and goal, plots, and what has changed."""

import io
import re
from dataclasses import dataclass
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from .bench import Row
from .report.pictures import GRID, STYLE

__all__ = ["Change", "compare", "markdown", "plots", "write_page"]

_ABOUT = {
    "P1": "Clocks that the unit adds to an access; and beats a clock of a stream of writes.",
    "P2": "Rate of the copy with no other traffic, from the instant to the end, in beats a clock.",
    "P3": "The longest stall of a write while the background copy runs, in clocks.",
    "P4": "Clocks from the start to the instant, with a write in each clock.",
    "P5": "What a program pays while all of its memory is copied in idle slots, as a fraction of "
          "that time; and how much shorter it stands still than if it stopped and copied.",
    "P6": "Clocks for the last blocks of a map that is nearly full.",
}

#: A line of a plot for each of these, from light to dark.
_COLOURS = ("#8fbcd9", "#4d94c4", "#0b4f8a", "#d55e00", "#e69f00", "#7a7a7a")
_MARKS = "osD^vP"


@dataclass(frozen=True)
class Change:
    """A figure that is not what it was; ``before`` is None for a new one, ``after`` for one that is
    gone. ``worse`` says which way it went."""

    figure: str
    case: str
    before: float | None
    after: float | None
    worse: bool

    def __str__(self):
        if self.before is None:
            return f"{self.figure} {self.case}: new, {self.after:g}"
        if self.after is None:
            return f"{self.figure} {self.case}: no longer counted (was {self.before:g})"
        return (f"{self.figure} {self.case}: {'worse' if self.worse else 'better'}, {self.after:g} "
                f"(was {self.before:g})")


def compare(rows, committed):
    """What is not as in ``committed``, the worse first. A figure that is gone counts as worse."""
    before = {(row.figure, row.case): row for row in committed}
    changes = []
    for row in rows:
        old = before.pop((row.figure, row.case), None)
        if old is None:
            changes.append(Change(row.figure, row.case, None, row.value, False))
        elif old.value != row.value:
            worse = row.value < old.value if row.least else row.value > old.value
            changes.append(Change(row.figure, row.case, old.value, row.value, worse))
    changes += [Change(old.figure, old.case, old.value, None, True) for old in before.values()]
    return sorted(changes, key=lambda change: not change.worse)


def markdown(rows, pictures=()):
    """The page; ``pictures`` are (figure, path) pairs."""
    met = sum(row.met for row in rows)
    lines = ["# Figures", "",
             f"Counted in simulation by `make bench`, the same on every machine and in every run. "
             f"{met} of {len(rows)} meet their goal. The *limit* is what no unit could beat on "
             f"this bus and memory; L is the clocks from an accepted read to its data.", ""]
    for figure in sorted({row.figure for row in rows}):
        chosen = [row for row in rows if row.figure == figure]
        lines += [f"## {figure}", "", _ABOUT.get(figure, ""), ""]
        lines += [f"![{figure}]({path})" for which, path in pictures if which == figure]
        lines += ["", "| case | counted | limit | goal | |", "|---|--:|--:|--:|---|"]
        lines += [f"| {row.case} | {row.value:g} | {row.limit:g} | {'≥' if row.least else '≤'} "
                  f"{row.goal:g} | {'met' if row.met else '**missed**'} |" for row in chosen]
        lines.append("")
    return "\n".join(lines)


def plots(rows):
    """For each figure that has one row a latency: value against L, as SVG text.

    A plot has a line for each case, and its limit dashed.
    """
    found = {}
    for figure in "P2", "P3":
        groups = {}
        for row in rows:
            latency = re.search(r"\bL=(\d+),? ?", row.case)
            if row.figure == figure and latency:
                name = row.case.replace(latency[0], "").rpartition(", ")[0]
                groups.setdefault(name, []).append((int(latency[1]), row))
        groups = {name: sorted(points, key=lambda point: point[0])
                  for name, points in groups.items() if len(points) > 1}
        if groups:
            found[figure] = _plot(figure, groups)
    return found


def _plot(figure, groups):
    with matplotlib.rc_context(STYLE):
        canvas = Figure(figsize=(8.5, 4.2), layout="constrained")
        axes = canvas.subplots()
        axes.grid(axis="y", color=GRID)
        limits = set()
        for index, (name, points) in enumerate(groups.items()):
            axes.plot([latency for latency, _ in points], [row.value for _, row in points],
                      marker=_MARKS[index // len(_COLOURS) % len(_MARKS)], markersize=4,
                      color=_COLOURS[index % len(_COLOURS)], label=name, linewidth=1.2)
            limits.add(tuple((latency, row.limit) for latency, row in points))
        for number, limit in enumerate(sorted(limits)):
            axes.plot(*zip(*limit, strict=True), linestyle="--", color="#333333", linewidth=0.8,
                      label=None if number else "limit")
        latencies = sorted({latency for points in groups.values() for latency, _ in points})
        axes.set_xscale("log", base=2)
        axes.set_xticks(latencies, latencies)
        axes.minorticks_off()
        axes.set(xlabel="L, clocks from an accepted read to its data",
                 ylabel="beats a clock" if figure == "P2" else "longest stall, clocks")
        axes.set_ylim(bottom=0)
        canvas.legend(loc="outside right upper", fontsize=6.5, frameon=False)
        text = io.StringIO()
        canvas.savefig(text, format="svg", metadata={key: None for key in
                                                     ("Date", "Creator", "Format", "Type")})
    svg = text.getvalue()
    return svg[svg.index("<svg"):]


def write_page(rows: list[Row], directory):
    """Writes ``figures.md`` and its plots into ``directory``; gives the paths."""
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    pictures, paths = [], []
    for figure, svg in plots(rows).items():
        path = directory / f"figures-{figure.lower()}.svg"
        path.write_text(svg)
        pictures.append((figure, path.name))
        paths.append(path)
    page = directory / "figures.md"
    page.write_text(markdown(rows, pictures))
    return [page, *paths]
