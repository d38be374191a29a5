"""The pictures of a report, as SVG text to be put into a page.

The colours are told apart by colour-blind eyes, in grey as well: they differ in lightness.
"""

import io
import re

import matplotlib
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, FuncFormatter, MaxNLocator

from .model import histogram
from .record import Kind
from .words import MEMORY_NAMES, count

__all__ = ["COLOURS", "GRID", "STYLE", "copy_map_life", "standstill", "stall_histogram"]

#: Colour of a copied block by what copied it; and of one that is not copied yet.
COLOURS = {Kind.INITIAL: "#0b4f8a", Kind.DEMAND: "#d55e00", Kind.BACKGROUND: "#8fbcd9"}
NOT_COPIED = "#f1efe9"
INK, GRID = "#333333", "#dddddd"

#: Most rows and columns of the picture of the copy map.
ROWS, COLUMNS = 512, 900

_GROUPED = FuncFormatter(lambda value, _: count(round(value)))
STYLE = {
    "svg.fonttype": "none", "svg.hashsalt": "memsnap", "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"], "font.size": 10, "axes.edgecolor": INK,
    "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK, "text.color": INK,
    "axes.spines.top": False, "axes.spines.right": False,
}


def copy_map_life(report):
    """Block against time, coloured by what copied it; below it, every held write."""
    record = report.record
    end = max([record.clocks_to_done, 1] + [c.clock - record.instant for c in record.copies])
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9, 5.2), layout="constrained")
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
        upper.imshow(_raster(record, end), aspect="auto", origin="lower", interpolation="nearest",
                     extent=(0, end, 0, record.params.blocks))
        upper.set_ylabel("block")
        upper.set_yticks([record.params.blocks * n // 4 for n in range(5)])
        upper.yaxis.set_major_formatter(_GROUPED)
        upper.tick_params(labelbottom=False)
        if report.mismatch:
            upper.annotate(f"block {report.mismatch.block} differs",
                           (end * 0.02, report.mismatch.block + 0.5), (0.02, 0.9),
                           textcoords="axes fraction", fontweight="bold",
                           arrowprops={"arrowstyle": "->", "color": INK})
        stalls = [(s.clock - record.instant, s.length) for s in record.stalls]
        if stalls:
            lower.vlines([at for at, _ in stalls], 0, [length for _, length in stalls],
                         color=COLOURS[Kind.DEMAND], linewidth=1)
        lower.set(xlabel="clocks after the instant T", ylabel="stall, clocks", xlim=(0, end))
        lower.set_ylim(0, max([length for _, length in stalls], default=1) * 1.1)
        lower.yaxis.set_major_locator(MaxNLocator(3, integer=True))
        lower.xaxis.set_major_formatter(_GROUPED)
        return _svg(figure)


def _raster(record, end):
    """Pixels by row of blocks and column of clocks.

    Where a row stands for several blocks, their colours are mixed; the moment of each demand copy
    is drawn in full, because there are few of them and they matter most.
    """
    blocks = record.params.blocks
    rows, columns = min(blocks, ROWS), min(end, COLUMNS)
    in_row = np.bincount(np.arange(blocks) * rows // blocks, minlength=rows)
    pixels = np.empty((rows, columns, 3))
    pixels[:] = to_rgb(NOT_COPIED)
    moments = []
    for copy in record.copies:
        row = copy.block * rows // blocks
        column = (copy.clock - record.instant) * columns // (end + 1)
        colour = np.array(to_rgb(COLOURS[copy.kind]))
        pixels[row, column:] += (colour - to_rgb(NOT_COPIED)) / in_row[row]
        if copy.kind == Kind.DEMAND:
            moments.append((row, column))
    for row, column in moments:
        pixels[row, column:column + 2] = to_rgb(COLOURS[Kind.DEMAND])
    return pixels.clip(0, 1)


def stall_histogram(report):
    """How many writes were held, by how long; beside the same on an ideal memory, if it is known.
    """
    runs = [report] + ([report.ideal] if report.ideal else [])
    lengths = [[stall.length for stall in run.record.stalls] for run in runs]
    bins = histogram(sum(lengths, []))
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(5.6, 3), layout="constrained")
        axes = figure.subplots()
        axes.grid(axis="y", color=GRID)
        axes.set_axisbelow(True)
        width = 0.85 / len(runs)
        for index, (name, colour) in enumerate(zip(
                (MEMORY_NAMES[report.record.memory], "ideal memory"),
                (COLOURS[Kind.DEMAND], COLOURS[Kind.BACKGROUND]), strict=True)):
            if index == len(runs):
                break
            counts = [sum(low <= n <= high for n in lengths[index]) for low, high, _ in bins]
            bars = axes.bar(np.arange(len(bins)) + (index - (len(runs) - 1) / 2) * width, counts,
                            color=colour, width=width, label=name)
            if len(bins) * len(runs) <= 16:
                axes.bar_label(bars, [count(n) if n else "" for n in counts], fontsize=8)
        if len(runs) > 1:
            axes.legend(frameon=False, fontsize=8)
        step = -(-len(bins) // 16)
        axes.set_xticks(range(0, len(bins), step or 1),
                        [f"{low}" if low == high else f"{low}–{high}"
                         for low, high, _ in bins[::step or 1]])
        if any(low != high for low, high, _ in bins):
            axes.tick_params(axis="x", labelsize=8)
        axes.set(xlabel="clocks that a write was held", ylabel="writes")
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        return _svg(figure)


def standstill(report):
    """The longest time the program stands still: the unit against copying in software."""
    rows = [("software copies all", report.record.baseline_pause, COLOURS[Kind.BACKGROUND]),
            *_standstill_of_method(report.record.software),
            ("longest stall by the unit", report.record.stall_longest, COLOURS[Kind.DEMAND])]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(5.6, 0.8 + 0.4 * len(rows)), layout="constrained")
        axes = figure.subplots()
        values = [max(1, value) for _, value, _ in rows]
        bars = axes.barh([name for name, _, _ in rows], values,
                         color=[colour for _, _, colour in rows], left=0.8)
        axes.set_xscale("log")
        axes.set_xlim(0.8, max(values) * 20)
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        axes.bar_label(bars, [f"{count(value)} clocks" for _, value, _ in rows], padding=4)
        axes.set_xlabel("clocks, on a logarithmic scale")
        return _svg(figure)


def _standstill_of_method(software):
    return [("the method in software", software.longest, COLOURS[Kind.INITIAL])] if software else []


def _svg(figure):
    text = io.StringIO()
    figure.savefig(text, format="svg", transparent=True,
                   metadata={key: None for key in ("Date", "Creator", "Format", "Type")})
    svg = text.getvalue()
    svg = svg[svg.index("<svg"):]
    return re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1).replace(
        "<svg ", '<svg role="img" ', 1)
