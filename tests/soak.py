"""Runs random snapshots on all cores until a number of them is done, and says what was found.

A run is made from its seed alone; a failing one is repeated by its seed with ``--snapshots 1``.
"""

import itertools
import multiprocessing
import os
import sys
import traceback
from collections import Counter
from functools import partial

import click
from memsnap_sim.kit import report
from memsnap_sim.kit.fuzz import fuzz
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

#: Snapshots of a short run.
SHORT = 25


def run(seed, *, bus, short):
    """One seed: the results of its snapshots, and what was found as text."""
    try:
        bench = fuzz(seed, bus=bus, snapshots=SHORT if short else None)
    except Exception:
        return seed, [], 0, traceback.format_exc(limit=-5)
    results = [record.result for record in bench.snapshots]
    return seed, results, bench.clock, report(bench.violations, 3)


@click.command(help=__doc__)
@click.option("--snapshots", default=2000, show_default=True, help="Stop after so many.",
              type=click.IntRange(min=1))
@click.option("--bus", default="wishbone", show_default=True,
              type=click.Choice(["wishbone", "axi4"]))
@click.option("--short", is_flag=True, help="Many short snapshots in each run; on AXI4.")
@click.option("--seed", default=1000, show_default=True, help="First seed; the next ones follow.")
@click.option("--jobs", default=os.cpu_count(), show_default="one per core",
              type=click.IntRange(min=1), help="Processes.")
@click.option("--keep-going", is_flag=True, help="Do not stop at the tenth failing seed.")
def main(snapshots, bus, short, seed, jobs, keep_going):
    if short and bus != "axi4":
        raise click.UsageError(f"--short needs --bus axi4, not {bus}")
    console = Console()
    results, clocks, failing = Counter(), 0, []
    columns = (TextColumn("snapshots"), BarColumn(), MofNCompleteColumn(),
               TextColumn("[red]{task.fields[bad]}"), TimeRemainingColumn())
    with multiprocessing.Pool(jobs) as pool, Progress(*columns, console=console) as progress:
        task = progress.add_task("soak", total=snapshots, bad="")
        for number, outcome, ran, found in pool.imap_unordered(
                partial(run, bus=bus, short=short), itertools.count(seed)):
            results.update(outcome)
            clocks += ran
            progress.update(task, completed=min(results.total(), snapshots))
            if found:
                failing.append(number)
                progress.update(task, bad=f"{len(failing)} seeds fail")
                console.print(f"seed {number}: {found}", markup=False, highlight=False)
            if results.total() >= snapshots or len(failing) >= 10 and not keep_going:
                pool.terminate()
                break
    kinds = ", ".join(f"{count} {name}" for name, count in sorted(results.items()))
    console.print(f"{results.total()} snapshots ({kinds}) in {clocks:,} clocks")
    if failing:
        console.print(f"{len(failing)} seeds fail: {' '.join(map(str, sorted(failing)))}; repeat "
                      f"one with --bus {bus}{' --short' * short} --seed {failing[0]} "
                      f"--snapshots 1 --jobs 1")
        sys.exit(1)
    console.print("no violation of the contract")


if __name__ == "__main__":
    main()
