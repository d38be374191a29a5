"""Bitstreams, with PyPI's tools: Yosys and nextpnr as the ``yowasp`` packages have them."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError

__all__ = ["Bitstream", "build", "read_report"]

#: The tools that Amaranth's platforms call, and the variables that tell it where they are.
_TOOLS = {
    "ice40": {"YOSYS": "yosys", "NEXTPNR_ICE40": "nextpnr-ice40", "ICEPACK": "icepack"},
    "ecp5": {"YOSYS": "yosys", "NEXTPNR_ECP5": "nextpnr-ecp5", "ECPPACK": "ecppack"},
}
#: Further options of synthesis. Eight flip-flops of an iCE40 share enable and reset: those with one
#: nearly for themselves would leave the others' places empty.
_SYNTH = {"ice40": "-dffe_min_ce_use 4", "ecp5": ""}


@dataclass(frozen=True)
class Bitstream:
    """A bitstream, and how well it went.

    Attributes
    ----------
    path : Path
    used : dict
        From a kind of cell to a pair: how many are in use, and how many there are.
    clocks : dict
        From a clock to a pair of frequencies in MHz: reached, and wanted.
    clock_hz : int
        Of the system.
    """

    path: Path
    used: dict
    clocks: dict
    clock_hz: int

    @property
    def met(self):
        """Whether all paths are fast enough, among them those of the system's clock."""
        return (any(1e6 * wanted >= self.clock_hz for _, wanted in self.clocks.values())
                and all(reached >= wanted for reached, wanted in self.clocks.values()))


def build(platform, top, out, *, name, clock_hz, seed=1):
    """Makes a board's bitstream; takes minutes.

    Parameters
    ----------
    platform : LatticePlatform or SiliconBluePlatform
    top : callable
        Makes the board's top.
    out : Path
        Directory for all files.
    name : str
        Of the files.
    clock_hz : int
        That the system is to run at: nextpnr has it from the board's oscillator, or from a PLL.
    seed : int
        Of the placement.

    Raises
    ------
    InputError
        A tool is missing, or failed: the design may be too large.
    """
    family = "ecp5" if hasattr(platform, "speed") else "ice40"
    _find_tools(family)
    report = f"{name}.report.json"
    out.mkdir(parents=True, exist_ok=True)
    plan = platform.build(top(), name=name, do_build=False, synth_opts=_SYNTH[family],
                          nextpnr_opts=f"--seed {seed} --report {report} --timing-allow-fail")
    with open(out / f"{name}.log", "w") as log:
        code = _execute(plan, out, log)
    if code:
        raise InputError(_why(out, name))
    path = out / f"{name}.{'bit' if family == 'ecp5' else 'bin'}"
    return Bitstream(path, *read_report(out / report), clock_hz)


def read_report(path):
    """Cells in use and clocks reached, as :class:`Bitstream` has them, of nextpnr's report."""
    report = json.loads(path.read_text())
    used = {kind: (cells["used"], cells["available"])
            for kind, cells in sorted(report["utilization"].items()) if cells["used"]}
    clocks = {clock: (round(each["achieved"], 1), round(each["constraint"], 1))
              for clock, each in report["fmax"].items()}
    return used, clocks


def _find_tools(family):
    """Tells Amaranth where the tools are, beside this Python, unless the user has told it."""
    place = Path(sys.executable).parent
    for variable, tool in _TOOLS[family].items():
        path = place / f"yowasp-{tool}"
        if variable in os.environ:
            continue
        if not path.exists():
            raise InputError(f"{path.name} is missing: pip install 'memsnap[board]'")
        os.environ[variable] = str(path)


def _execute(plan, out, log):
    """Runs the tools in the directory ``out``; gives their exit code."""
    plan.extract(out)
    return subprocess.run(["sh", f"{plan.script}.sh"], cwd=out, stdout=log,
                          stderr=subprocess.STDOUT).returncode


def _why(out, name):
    """What went wrong, from the tools' own words."""
    said = "".join(path.read_text(errors="replace") for path in
                   (out / f"{name}.log", out / f"{name}.tim") if path.exists())
    errors = [line for line in said.splitlines() if line.startswith("ERROR")]
    why = errors[-1] if errors else "a tool failed"
    if "no BELs remaining" in why:
        over = [re.sub(r"\s+", " ", line.removeprefix("Info:")).strip()
                for line in said.splitlines() if re.search(r":\s+\d+/\s*\d+\s+\d{3,}%", line)]
        why = f"the system does not fit the device: {', '.join(over)}"
    return f"{why}\nWhat the tools said is in {out / name}.log, .rpt and .tim"
