"""The demonstrations: three programs, a snapshot of each in the middle of its work; and any of the
configurations in ``sim/configs``, each of which ends in the way that it declares.
"""

import difflib
from pathlib import Path

from rich.console import Console
from rich.text import Text

from .config import Config
from .errors import InputError
from .session import run_and_report
from .settings import Settings

__all__ = ["CONFIGS", "RUNS", "demo_runs", "find_configuration", "run_configuration", "run_demo"]

#: Where the configurations are.
CONFIGS = Path(__file__).resolve().parents[1] / "configs"

#: The runs, as tables that a TOML file could hold as well.
RUNS = (
    {"run": {"program": "dhrystone", "at": "Proc_1:40"}},
    {"run": {"program": "kernel", "self": True}},
    {"run": {"program": "chase", "at": "checkpoint:20"}},
)


def demo_runs(options):
    """Pairs of a name and the tables of a run; on a DRAM both buses are shown, unless one is given.
    """
    buses = ("wishbone", "axi4") if options.get("memory") == "litedram" else ()
    if not buses or options.get("bus"):
        return [(table["run"]["program"], table) for table in RUNS]
    return [(f"{table['run']['program']}-{bus}", table | {"unit": {"bus": bus}})
            for bus in buses for table in RUNS]


def run_demo(out, *, options=None, console=None, run=run_and_report):
    """Runs all, leaving each one's results in a directory of its own below ``out``.

    ``options`` override the settings of each run. Returns whether every image is exact.
    """
    options = options or {}
    runs = demo_runs(options)
    console = console or Console()
    exact = []
    for name, table in runs:
        settings = Settings.build(table, {**options, "out": str(out / name)})
        console.print(Text(f"\n{name}: snapshot by {settings.trigger}", style="bold"))
        exact.append(run(settings, console=console).exact)
    good = sum(exact)
    console.print(Text(f"\n{good} of {len(exact)} snapshots exact.",
                       style="bold green" if all(exact) else "bold red"))
    for name, _ in runs:
        console.print(Text(f"  look at {out / name / 'report.html'}"), soft_wrap=True)
    return all(exact)


def find_configuration(name):
    """The TOML file ``name``, or that of this name among :data:`CONFIGS`."""
    path = Path(name)
    if path.suffix == ".toml":
        return path
    known = sorted(path.stem for path in CONFIGS.glob("*.toml"))
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]}?" if near else (
            f"there are {', '.join(known) or 'none here: run memsnap from a clone'}, or give the "
            f"path of a .toml file")
        raise InputError(f"no configuration is named {name!r}: {hint}")
    return CONFIGS / f"{name}.toml"


def run_configuration(name, out, *, options=None, console=None, run=run_and_report):
    """Runs a configuration, and leaves its results in a directory of its own below ``out``.

    ``options`` override its settings.

    Returns whether it ended as it declares.
    """
    console = console or Console()
    path = find_configuration(name)
    settings = Settings.build(Config.read(path),
                              {**(options or {}), "out": str(out / path.stem)})
    console.print(Text(f"\n{path.stem}: {settings.program}, snapshot by {settings.trigger}",
                       style="bold"))
    for line in _about(path):
        console.print(Text(line, style="dim"), soft_wrap=True)
    report = run(settings, console=console)
    console.print(Text(f"\n{path.stem}: {report.heading}.",
                       style="bold green" if report.expected else "bold red"))
    console.print(Text(f"  look at {settings.out / 'report.html'}"), soft_wrap=True)
    return report.expected


def _about(path):
    """The comment at the head of a file."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            return
        yield line.removeprefix("#").strip()
