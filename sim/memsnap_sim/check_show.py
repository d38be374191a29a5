"""What ``memsnap check`` says on the terminal."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["show"]

_TITLES = {"needs": "It needs", "clocks": "It costs, in clocks"}
_CELLS = {"lut4": "LUT4", "carry": "LUT sites of carry chains", "lutram": "LUT sites of RAM",
          "ff": "flip-flops", "bram": "block RAMs"}


def show(result, name, console=None):
    """Prints the result of :func:`memsnap_sim.check.check`."""
    console = console or Console()
    if not result["sound"]:
        count = len(result["problems"])
        console.print(Text(f"{name}: {count} problem{'s' * (count != 1)}", style="bold red"))
        for problem in result["problems"]:
            console.print(Text(f"  • {problem}"))
        return
    console.print(Text(f"{name}: sound", style="bold green"))
    for kind, title in _TITLES.items():
        console.print(_table(title, [(each["name"], each["value"], each["unit"], each["why"])
                                     for each in result[kind]]))
    if result["memory"] != "ideal":
        console.print("These clocks are those on an ideal memory; `memsnap run` counts what it "
                      "takes on this one.")
    if "cells" in result:
        console.print(_table("It costs, in cells of an ECP5", [
            (_CELLS[kind], number, "", "") for kind, number in result["cells"].items()]))
    else:
        console.print("Cells: `memsnap check --cells` lets Yosys count them.")


def _table(title, rows):
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD,
                  show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_column(style="dim")
    table.add_column(style="dim")
    for name, value, unit, why in rows:
        table.add_row(name, f"{value:,}", unit, why)
    return table
