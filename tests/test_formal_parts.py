"""The proofs of the components' contracts, each with a broken twin; see docs/proofs.md."""

from dataclasses import dataclass, replace

import pytest
from axi4_mutants import MUTANTS as AXI4_MUTANTS
from formal.prove import have_abc, prove
from formal.specs import SPECS, rtlil_of
from mutants import MUTANTS, RETRY_MUTANTS
from test_formal import broken_rtlil, unbounded

pytestmark = pytest.mark.proof


@dataclass(frozen=True)
class Proof:
    """How a specification is proved.

    ``mode`` is ``"pdr"``, for any number of clocks with ABC; ``"induction"``, the same by induction
    over ``depth`` clocks; or ``"bmc"``, for ``depth`` clocks, which takes the place of ``"pdr"``
    where there is no ABC. All that it covers is reached in ``reached`` clocks. With ``defect`` it
    fails within ``shows`` clocks.
    """

    name: str
    mode: str
    depth: int
    reached: int
    defect: str
    shows: int

    @property
    def contract(self):
        """The specification without asserts on what lies inside, where it has any."""
        name = f"{self.name} unhelped"
        return name if name in SPECS else self.name


PROOFS = (
    Proof("copy map", "pdr", 12, 22, "phase not flipped", 22),
    Proof("copy map beside", "pdr", 12, 22, "phase not flipped", 22),
    Proof("copy map late", "pdr", 12, 22, "phase not flipped", 22),
    Proof("copy map in memory", "pdr", 12, 26, "other row of the line taken for this one", 12),
    Proof("gate pipelined", "pdr", 8, 8, "stale row", 10),
    Proof("gate late map", "pdr", 8, 8, "row taken for there before it comes", 10),
    Proof("gate classic", "pdr", 8, 8, "stale grant", 10),
    Proof("arbiter pipelined", "pdr", 8, 10, "wrong priority that starves", 8),
    Proof("arbiter classic", "pdr", 8, 10, "wrong priority that starves", 8),
    Proof("axi4 gate", "bmc", 10, 7, "stale row", 8),
    Proof("axi4 gate late map", "bmc", 9, 8, "stale row", 9),
    Proof("axi4 gate map", "bmc", 9, 7, "stale grant", 8),
    Proof("axi4 gate pages", "bmc", 8, 7, "a short burst over a block edge", 8),
    Proof("copy reader", "pdr", 12, 17, "beat read twice after a visit", 14),
    Proof("copy reader two ports", "pdr", 12, 17, "granted before it is captured", 14),
    Proof("copy reader strict", "pdr", 12, 14, "beat read twice after a visit", 14),
    Proof("copy reader deep notes", "pdr", 12, 20, "another beat's note", 20),
    Proof("copy buffer", "induction", 3, 18, "map bit early", 10),
    Proof("copier", "bmc", 12, 16, "granted before it is captured", 14),
    Proof("retry", "pdr", 12, 20, "repeated from the next on", 14),
    Proof("sequencer", "pdr", 12, 26, "a claim too many", 14),
    Proof("sequencer strict", "pdr", 12, 16, "a claim too many", 14),
    Proof("sequencer beside", "pdr", 12, 26, "a claim too many", 14),
    Proof("sequencer late map", "pdr", 12, 30, "row of a region taken for the scan's", 26),
    Proof("sequencer late map, three rows", "pdr", 12, 50, "row read ahead of one that came", 30),
)


#: What else the contract of the AXI4 gate finds. Small blocks in a memory of a page or more are
#: in no proof: those are too many.
AXI4_GATE_DEFECTS = [each.name for each in AXI4_MUTANTS
                     if each.file in {"axi4_gate", "axi4_refuse", "axi4_range"}
                     and each.name != "a long container over a block edge"]

#: What the contract of the copy map in the memory finds: all but what stays undone.
MAP_IN_MEMORY_DEFECTS = [each.name for each in MUTANTS
                         if each.file in {"copy_map_memory.py", "map_cache.py"}
                         and each.name != "complete row not written"]


def each(proofs):
    return pytest.mark.parametrize("proof", proofs,
                                   ids=lambda proof: proof.name.replace(" ", "-"))


@unbounded
@each([proof for proof in PROOFS if proof.mode == "pdr"])
def test_proved(proof, tmp_path):
    outcome = prove(rtlil_of(proof.name), tmp_path, mode="pdr", unknown_ram=True)
    assert outcome.passed, outcome.log


@unbounded
def test_the_permits_of_the_axi4_gate_are_proved(tmp_path):
    outcome = prove(rtlil_of("axi4 gate permits"), tmp_path, mode="pdr", unknown_ram=True)
    assert outcome.passed, outcome.log


@each([proof for proof in PROOFS if proof.mode == "induction"])
def test_proved_by_induction(proof, tmp_path):
    outcome = prove(rtlil_of(proof.name), tmp_path, mode="induction", depth=proof.depth,
                    unknown_ram=True)
    assert outcome.passed, outcome.log


@each([proof for proof in PROOFS if proof.mode == "bmc" or proof.mode == "pdr" and not have_abc()])
def test_holds_for_some_clocks(proof, tmp_path):
    outcome = prove(rtlil_of(proof.contract), tmp_path, depth=proof.depth, unknown_ram=True)
    assert outcome.passed, outcome.log


@each(PROOFS)
def test_reached(proof, tmp_path):
    outcome = prove(rtlil_of(proof.contract), tmp_path, mode="cover", depth=proof.reached)
    assert outcome.passed, outcome.log


def mutants_of(name):
    """The ways to break what is proved."""
    if name == "retry":
        return RETRY_MUTANTS
    if not name.startswith("axi4"):
        return MUTANTS
    return [replace(each, file=f"bus/{each.file}.py") for each in AXI4_MUTANTS]


@each(PROOFS)
def test_broken_twin_fails(proof, tmp_path):
    outcome = prove(broken_rtlil(proof.contract, proof.defect, tmp_path,
                                 mutants=mutants_of(proof.name)), tmp_path, depth=proof.shows)
    assert outcome.failed


@pytest.mark.soak
@pytest.mark.parametrize("defect", AXI4_GATE_DEFECTS)
def test_axi4_gate_with_a_defect_fails(defect, tmp_path):
    # In a memory of pages what stays in a block is found in another way than in a small one
    name = "axi4 gate pages" if defect == "a short burst over a block edge" else "axi4 gate"
    outcome = prove(broken_rtlil(name, defect, tmp_path, mutants=mutants_of(name)), tmp_path,
                    depth=8, trace=False)
    assert outcome.failed


@unbounded
@pytest.mark.parametrize("name, defect", [
    *(pytest.param("copy map in memory", defect, marks=pytest.mark.soak)
      for defect in MAP_IN_MEMORY_DEFECTS),
    *(("retry", mutant.name) for mutant in RETRY_MUTANTS)])
def test_defect_is_found(name, defect, tmp_path):
    outcome = prove(broken_rtlil(name, defect, tmp_path, mutants=mutants_of(name)), tmp_path,
                    mode="pdr", unknown_ram=True)
    assert outcome.failed
