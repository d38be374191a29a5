"""A sweep's outcomes as a table, CSV and JSON."""

import csv
import json

__all__ = ["COLUMNS", "rows", "table", "write_csv", "write_json"]

#: The columns behind the varied ones: name, heading, what is shown of a value. Clocks from the
#: instant to the end; clocks lost, and their part of these; writes that were held, clocks of the
#: longest wait and of all; blocks copied for such writes; and what the unit costs.
COLUMNS = (
    ("duration", "clocks", "{:,}"),
    ("slow_down", "slow-down", "{:,}"),
    ("share", "of time", "{:.2%}"),
    ("held", "held", "{:,}"),
    ("stall_longest", "longest", "{:,}"),
    ("stall_total", "stalls", "{:,}"),
    ("blocks_demand", "on demand", "{:,}"),
    ("ram_bits", "RAM bits", "{:,}"),
    ("cells", "LUT sites", "{:,}"),
)


def rows(outcomes):
    """A dict for each outcome: the varied values, the figures, completeness and problem."""
    for outcome in outcomes:
        values = {name: getattr(value, "value", value)
                  for name, value in outcome.point.values.items()}
        figures = {name: None if outcome.problem else getattr(outcome, name)
                   for name, _, _ in COLUMNS}
        yield {**values, **figures, "complete": outcome.complete, "problem": outcome.problem}


def table(outcomes, best=None):
    """The outcomes as a rich table; those of the :class:`Choice` ``best`` are marked."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    shown = [column for column in COLUMNS
             if column[0] != "cells" or any(outcome.cells for outcome in outcomes)]
    result = Table("", *outcomes[0].point.values, box=SIMPLE_HEAD, pad_edge=False)
    for _, heading, _ in shown:
        result.add_column(heading, justify="right")
    chosen = best.outcomes if best else ()
    for outcome, row in zip(outcomes, rows(outcomes), strict=True):
        values = [str(row[name]) for name in outcome.point.values]
        mark = "→" if outcome in chosen else ""
        if outcome.problem:
            result.add_row(mark, *values, f"[dim]{outcome.problem.split(';')[0]}[/]")
            continue
        figures = ["" if row[name] is None else form.format(row[name]) for name, _, form in shown]
        if not outcome.complete:
            figures[0] = "[yellow]unfinished[/]"
        result.add_row(mark, *values, *figures, style="bold" if outcome in chosen else "")
    return result


def write_csv(outcomes, path):
    """Writes a line an outcome."""
    listed = list(rows(outcomes))
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, list(listed[0]))
        writer.writeheader()
        writer.writerows(listed)


def write_json(outcomes, path, **about):
    """Writes the outcomes, each with its stalls, and what the sweep was ``about``."""
    listed = [row | {"stalls": outcome.stalls}
              for outcome, row in zip(outcomes, rows(outcomes), strict=True)]
    with open(path, "w") as file:
        json.dump({**about, "outcomes": listed}, file, indent=1)
        file.write("\n")
