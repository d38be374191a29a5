"""One run from its settings to its results: what ``memsnap run`` and ``memsnap demo`` do."""

from contextlib import contextmanager
from dataclasses import replace

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.rule import Rule
from rich.text import Text

from .report import Report, show, write_results

__all__ = ["Steps", "run_and_report"]


class Steps:
    """The steps of a long piece of work, shown while they run; silent where nobody looks."""

    def __init__(self, console=None, *, unit="clocks"):
        self._unit = unit
        console = console or Console(stderr=True)
        self._progress = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=30),
            TextColumn("{task.fields[detail]}"), TimeElapsedColumn(),
            console=console, transient=True, disable=not console.is_terminal)

    def __enter__(self):
        self._progress.start()
        return self

    def __exit__(self, *exception):
        self._progress.stop()

    @contextmanager
    def step(self, description):
        """A step; yields a function ``(done, total=None)`` that tells how far it is."""
        task = self._progress.add_task(description, total=None, detail="")

        def tell(done, total=None):
            self._progress.update(task, completed=done, detail=f"{done:,} {self._unit}",
                                  total=total)

        yield tell
        self._progress.remove_task(task)


def run_and_report(settings, *, machine=None, console=None, errors=None):
    """Runs a program as ``settings`` say, writes its results, shows them, and gives the report.

    The report goes to ``console``, progress to ``errors``. ``machine`` is what the program runs
    on, by default a :class:`~memsnap_sim.machine.Machine`. It has the methods

    - ``load()``, ``build()``: find or build the program, then the simulation;
    - ``snapshot(tell)``: run with a snapshot, gives a :class:`~memsnap_sim.report.Record`;
    - ``plain(tell)``: run without one, gives its clocks;
    - ``software(tell)``: run with a copy in software, gives its clocks and its pause;
    - ``method(tell)``: run with the unit's method in software, gives a
      :class:`~memsnap_sim.report.Software`, or None where that is not possible;
    - ``ideal(tell)``: run with a snapshot on an ideal memory, gives a Record; only asked where the
      memory is another one;
    - ``write_extras(report)``: write core and waveform, gives their paths;
    - ``hints(report)``: lines that say how to look at them.

    ``tell(clocks, limit)`` may be called at any time while a run goes on.
    """
    console = console or Console()
    if machine is None:
        from .machine import Machine
        machine = Machine(settings)
    with Steps(errors) as steps:
        with steps.step(f"building {settings.program}"):
            machine.load()
        with steps.step("building the simulation"):
            machine.build()
        with steps.step("running with a snapshot") as tell:
            record = machine.snapshot(tell)
        if settings.baseline and record.instant is not None:
            with steps.step("running without a snapshot") as tell:
                clocks_without = machine.plain(tell)
            with steps.step("running with a copy in software") as tell:
                clocks_software, pause = machine.software(tell)
            with steps.step("running with the method in software") as tell:
                software = machine.method(tell)
            record = replace(record, clocks_without=clocks_without,
                             clocks_software=clocks_software, baseline_pause=pause,
                             software=software)
            if settings.memory != "ideal":
                with steps.step("running on an ideal memory") as tell:
                    record = replace(record, ideal=machine.ideal(tell))
    report = Report(record)
    paths = write_results(report, settings.out) + machine.write_extras(report)
    if record.console:
        console.print(Rule(f"what {record.program} printed", style="dim"))
        console.print(Text(record.console.rstrip("\n")), soft_wrap=True)
        console.print(Rule(style="dim"))
    show(report, console)
    for line in [f"results: {paths[0].parent}/ ({', '.join(path.name for path in paths)})",
                 *machine.hints(report)]:
        console.print(Text(line), soft_wrap=True)
    return report
