"""The bench's page: every figure beside its limit and goal, plots, and what has changed."""

from dataclasses import dataclass
from pathlib import Path

from .bench_plots import plots
from .bench_row import Row

__all__ = ["Change", "compare", "markdown", "write_page"]

#: Of each figure, what is counted and what its limit and goal are.
_ABOUT = {
    "P1": "Clocks that the unit adds to an access of an initiator, while nothing else goes on; or "
          "the beats a clock of a stream. A write to a copied block may take one clock if its row "
          "of the copy map is not the last that was looked at (*not at hand*), or two where a row "
          "takes two (*map latency 2*). Where that row is in the memory alone (*nor on chip*), it "
          "has to be read: L + 1.",
    "P2": "Rate of the copy, block after block, with no other traffic; its ends are part of P6. "
          "Each beat is read once and written once: half a beat a clock where both take the "
          "slots of one Wishbone port, one where they do not. A map in the memory takes a write "
          "for 32 blocks.",
    "P3": "The longest stall of a write while the background copy runs, over writes at any time "
          "and place. The beat that is overwritten has to be read before, and one memory reads "
          "for one port after the other: L + the number of ports. A row of a map in the memory "
          "that is not on chip has to be read before: L + 1 more. The goal is 7 clocks more, 8 "
          "with *map latency 2*, and on AXI4 the burst that is under way. The cycle-level model "
          "finds no more than that over thousands of writes of one, two and four ports (one and "
          "two with *map latency 2*; `tests/test_model_stalls.py`). A program uses the memory for "
          "other things between its writes. At the instant the writes accepted before it are still "
          "on their way; the last is answered L - 1 clocks later, and only then the copy may read.",
    "P4": "Clocks from the start to the instant, with a write in each clock at each port.",
    "P5": "What a program pays while all of its memory is copied in idle slots, as a fraction of "
          "that time; and how much shorter it stands still than if it stopped and copied.",
    "P6": "Clocks for the last blocks of a map that is nearly full, from start to end of the "
          "snapshot, less the clocks of the other blocks' copies. To the copies of the last blocks "
          "come the clocks in which a copy cannot fill its slots, whoever makes it: L for the last "
          "write's answer, and where reads and writes do not share a port L more before the first "
          "write; and with a map in the memory a write for each of its rows. The goal leaves one "
          "clock for 32 blocks of the map.",
}


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
             f"this bus and memory; L is the clocks from an accepted read to its data, and from a "
             f"write to its answer. What is not named in a case is Wishbone, map on chip, shadow "
             f"behind the same port, one port.", ""]
    for figure in sorted({row.figure for row in rows}):
        chosen = [row for row in rows if row.figure == figure]
        lines += [f"## {figure}", "", _ABOUT.get(figure, ""), ""]
        lines += [f"![{figure}]({path})" for which, path in pictures if which == figure]
        lines += ["", "| case | counted | limit | goal | |", "|---|--:|--:|--:|---|"]
        lines += [f"| {row.case} | {row.value:g} | {row.limit:g} | {'≥' if row.least else '≤'} "
                  f"{row.goal:g} | {'met' if row.met else '**missed**'} |" for row in chosen]
        lines += ["", *_reasons(chosen)]
    lines += ["## P7", "", "Area and clock come from synthesis, with `make synth`: see "
              "[area and clock](../synthesis.md).", ""]
    return "\n".join(lines)


def _reasons(rows):
    """A line for each thing that costs the unit goals."""
    reasons = {}
    for row in rows:
        if row.why:
            reasons.setdefault(row.why, []).append(row)
    if reasons:
        yield from ("What is missed, and why:", "")
        for why, missed in reasons.items():
            yield f"- {why} ({len(missed)} {'rows' if len(missed) > 1 else 'row'})"
        yield ""


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
