"""The demonstration: three programs, a snapshot of each in the middle of its work."""

from rich.console import Console
from rich.text import Text

from .session import run_and_report
from .settings import Settings

__all__ = ["RUNS", "run_demo"]

#: The runs, as tables that a TOML file could hold as well.
RUNS = (
    {"run": {"program": "dhrystone", "at": "Proc_1:40"}},
    {"run": {"program": "kernel", "self": True}},
    {"run": {"program": "chase", "at": "checkpoint:20"}},
)


def run_demo(out, *, runs=RUNS, console=None, run=run_and_report):
    """Runs all, leaving each one's results in a directory of its own below ``out``.

    Returns whether every image is exact.
    """
    console = console or Console()
    exact = []
    for table in runs:
        name = table["run"]["program"]
        settings = Settings.build(table, {"out": str(out / name)})
        console.print(Text(f"\n{name}: snapshot by {settings.trigger}", style="bold"))
        exact.append(run(settings, console=console).exact)
    good = sum(exact)
    console.print(Text(f"\n{good} of {len(exact)} snapshots exact.",
                       style="bold green" if all(exact) else "bold red"))
    for table in runs:
        console.print(Text(f"  look at {out / table['run']['program'] / 'report.html'}"),
                      soft_wrap=True)
    return all(exact)
