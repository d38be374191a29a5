"""A sweep's pictures."""

import io
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..report.pictures import GRID, STYLE
from .advice import choices, pareto

__all__ = ["write_plots"]

_COLOURS = ("#0b4f8a", "#d55e00", "#8fbcd9", "#e69f00", "#4d94c4", "#7a7a7a", "#009e73", "#cc79a7")
#: As many lines as a legend can tell apart.
_MOST = 24


def write_plots(outcomes, directory):
    """Writes the pictures that the outcomes allow, as SVG; gives their paths.

    - ``slow-down.svg``: against the first varied name that is a number, a line for each combination
      of the others;
    - ``stalls.svg``: how many writes are held for longer than so many clocks;
    - ``pareto.svg``: cost against longest stall.
    """
    ended = [outcome for outcome in outcomes if outcome.complete]
    pictures = {"slow-down": _slow_down, "stalls": _stalls, "pareto": _pareto}
    paths = []
    for name, draw in pictures.items():
        with matplotlib.rc_context(STYLE):
            figure = Figure(figsize=(8, 4.2), layout="constrained")
            axes = figure.subplots()
            axes.grid(color=GRID)
            axes.set_axisbelow(True)
            if ended and draw(ended, axes):
                if axes.get_legend_handles_labels()[1]:
                    figure.legend(loc="outside right upper", fontsize=7, frameon=False)
                paths.append(Path(directory) / f"{name}.svg")
                paths[-1].write_text(_svg(figure))
    return paths


def _slow_down(outcomes, axes):
    values = outcomes[0].point.values
    along = next((name for name in values if isinstance(values[name], int)
                  and len({each.point.values[name] for each in outcomes}) > 1), None)
    if along is None:
        return False
    lines = {}
    for outcome in outcomes:
        others = {name: value for name, value in outcome.point.values.items() if name != along}
        label = ", ".join(f"{name}={getattr(value, 'value', value)}"
                          for name, value in others.items())
        lines.setdefault(label, []).append((outcome.point.values[along], 100 * outcome.share))
    for index, (label, line) in enumerate(lines.items()):
        line.sort()
        axes.plot(*zip(*line, strict=True), marker="o", markersize=4, linewidth=1.3,
                  color=_COLOURS[index % len(_COLOURS)],
                  label=label if label and index < _MOST else None)
    ticks = sorted({value for line in lines.values() for value, _ in line})
    if min(ticks) > 0 and max(ticks) >= 8 * min(ticks):
        axes.set_xscale("log", base=2)
    axes.set_xticks(ticks, ticks)
    axes.minorticks_off()
    axes.axhline(5, linestyle="--", linewidth=0.8, color="#333333")
    axes.set(xlabel=along.replace("_", " "), ylabel="slow-down while it runs, %")
    axes.set_ylim(bottom=0)
    return True


def _stalls(outcomes, axes):
    drawn = False
    for index, outcome in enumerate(outcomes[:_MOST]):
        if not outcome.stalls:
            continue
        lengths = np.array(sorted(outcome.stalls))
        counts = np.array([outcome.stalls[length] for length in lengths])
        above = np.cumsum(counts[::-1])[::-1]
        axes.step([0, *lengths], [above[0], *above], where="pre", linewidth=1.2,
                  label=outcome.point.name, color=_COLOURS[index % len(_COLOURS)],
                  linestyle="-" if index < len(_COLOURS) else "--")
        drawn = True
    axes.set_yscale("log")
    axes.set(xlabel="clocks", ylabel="writes that were held for so long or longer")
    return drawn


def _pareto(outcomes, axes):
    units = choices(outcomes)
    counted = all(unit.cost[0] for unit in units)
    places = [(unit.cost[0 if counted else 1], unit.stall_longest) for unit in units]
    if len(set(places)) < 2:
        return False
    axes.scatter(*zip(*places, strict=True), s=18, color=_COLOURS[2])
    front = [(unit.cost[0 if counted else 1], unit.stall_longest, unit.name)
             for unit in pareto(units)]
    axes.plot([cost for cost, _, _ in front], [stall for _, stall, _ in front], marker="o",
              markersize=5, color=_COLOURS[0], drawstyle="steps-post", linewidth=1.2)
    for cost, stall, name in front:
        axes.annotate(name, (cost, stall), (5, 5), textcoords="offset points", fontsize=7)
    axes.set_ylim(0, 1.15 * max(stall for _, stall in places))
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set(xlabel="LUT sites on ECP5" if counted else "bits of RAM: copy map and buffer",
             ylabel="longest stall, clocks")
    return True


def _svg(figure):
    text = io.StringIO()
    figure.savefig(text, format="svg",
                   metadata={key: None for key in ("Date", "Creator", "Format", "Type")})
    svg = text.getvalue()
    return svg[svg.index("<svg"):]
