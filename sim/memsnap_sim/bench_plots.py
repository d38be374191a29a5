"""The bench's plots: a point for each row of P2 and of P3, against L."""

import io
import re
from dataclasses import dataclass

import matplotlib
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .bench_row import Row
from .report.pictures import GRID, INK, STYLE

__all__ = ["plots"]

#: A colour for each block size, from light to dark, and a mark for each form of the unit.
_COLOURS = {16: "#e69f00", 32: "#c3c07a", 64: "#8fbcd9", 512: "#4d94c4", 4096: "#0b4f8a"}
_MARKS = {"": "o", "2 ports": "D", "map in memory": "^", "separate shadow": "s",
          "copier's own port": "P", "a program": "X", "map latency 2": "*"}
_OTHER = "#7a7a7a", "v"

_CASE = re.compile(r"(AXI4, )?L=(\d+), (\d+) bit, (\d+) B blocks(?:, (.*))?, [a-z/]+")


@dataclass
class _Point:
    """A row, and what its case says of it."""

    row: Row
    bus: str
    latency: int
    width: int
    block_size: int
    form: str

    @classmethod
    def of(cls, row):
        """The point of a row, or None if its case names no latency."""
        case = _CASE.fullmatch(row.case)
        if case is None:
            return None
        bus, latency, width, block_size, form = case.groups(default="")
        return cls(row, "AXI4" if bus else "Wishbone", int(latency), int(width), int(block_size),
                   form.partition(",")[0])


def plots(rows):
    """For P2 and P3, where there are rows with a latency: a plot as SVG text."""
    found = {}
    for figure in "P2", "P3":
        points = [_Point.of(row) for row in rows if row.figure == figure]
        points = [point for point in points if point is not None]
        if points:
            found[figure] = _plot(figure, points)
    return found


def _height(figure, row):
    """How far a row, and its goal, is from the limit: the share of it, or the clocks above it."""
    if figure == "P2":
        return row.value / row.limit, row.goal / row.limit
    return row.value - row.limit, row.goal - row.limit


def _plot(figure, points):
    """A panel for each bus. Points of one latency stand side by side, smaller blocks first.

    What is far above all goals is at the upper edge, with its height in figures.
    """
    buses = [bus for bus in ("Wishbone", "AXI4") if any(point.bus == bus for point in points)]
    latencies = sorted({point.latency for point in points})
    heights = [_height(figure, point.row) for point in points]
    top = 1.05 * min(max(map(max, heights)), 2 * max(goal for _, goal in heights))
    with matplotlib.rc_context(STYLE):
        canvas = Figure(figsize=(9, 3.6), layout="constrained")
        panels = canvas.subplots(1, len(buses), sharey=True, squeeze=False)[0]
        for axes, bus in zip(panels, buses, strict=True):
            here = [point for point in points if point.bus == bus]
            _draw(axes, figure, here, latencies, top)
            axes.set(title=bus, xlabel="L, clocks from an accepted read to its data")
        panels[0].set_ylabel("share of the limit" if figure == "P2" else "clocks above the limit")
        canvas.legend(handles=_legend(points), loc="outside right upper", fontsize=8,
                      frameon=False)
        text = io.StringIO()
        canvas.savefig(text, format="svg", metadata={key: None for key in
                                                     ("Date", "Creator", "Format", "Type")})
    svg = text.getvalue()
    return svg[svg.index("<svg"):]


def _draw(axes, figure, points, latencies, top):
    axes.grid(axis="y", color=GRID)
    axes.set_xticks(range(len(latencies)), latencies)
    axes.set_xlim(-0.5, len(latencies) - 0.5)
    for place, latency in enumerate(latencies):
        here = sorted((point for point in points if point.latency == latency),
                      key=lambda point: (point.block_size, point.width, point.form))
        for index, point in enumerate(here):
            across = place + 0.8 * ((index + 0.5) / len(here) - 0.5)
            far, goal = _height(figure, point.row)
            axes.plot([across - 0.02, across + 0.02], [goal, goal], color=INK, linewidth=1)
            axes.plot([across], [min(far, top)], marker=_MARKS.get(point.form, _OTHER[1]),
                      color=_COLOURS.get(point.block_size, _OTHER[0]), linestyle="none",
                      markeredgecolor=INK, markeredgewidth=0.0 if point.row.met else 1.2,
                      markersize=5, clip_on=False)
            if far > top:
                axes.annotate(f"{far:g}", (across, top), (5, -3), textcoords="offset points",
                              fontsize=8)
        if place:
            axes.axvline(place - 0.5, color=GRID, linewidth=0.8)
    axes.set_ylim(0, top)


def _legend(points):
    """What colours and marks stand for, as far as they occur."""
    def key(label, colour, mark, **more):
        return Line2D([], [], color=colour, marker=mark, linestyle="none", markersize=5,
                      label=label, **more)
    sizes, forms = ({getattr(point, name) for point in points} for name in ("block_size", "form"))
    keys = [key(f"{size} B blocks", _COLOURS.get(size, _OTHER[0]), "o") for size in sorted(sizes)]
    keys += [key(form, INK, mark) for form, mark in _MARKS.items() if form in forms and form]
    keys += [key(form, INK, _OTHER[1]) for form in sorted(forms) if form not in _MARKS]
    keys.append(key("goal", INK, "_"))
    if not all(point.row.met for point in points):
        keys.append(key("missed", "white", "o", markeredgecolor=INK, markeredgewidth=1.2))
    return keys
