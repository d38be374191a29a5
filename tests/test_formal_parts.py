"""The proofs of the components' contracts, each with a broken twin; see docs/proofs.md."""

from dataclasses import dataclass

import pytest
from formal.prove import have_abc, prove
from formal.specs import SPECS, rtlil_of
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
    Proof("gate pipelined", "pdr", 8, 8, "stale row", 10),
    Proof("gate classic", "pdr", 8, 8, "stale grant", 10),
    Proof("arbiter pipelined", "pdr", 8, 10, "wrong priority that starves", 8),
    Proof("arbiter classic", "pdr", 8, 10, "wrong priority that starves", 8),
    Proof("copy reader", "pdr", 12, 17, "beat read twice after a visit", 14),
    Proof("copy reader two ports", "pdr", 12, 17, "granted before it is captured", 14),
    Proof("copy reader strict", "pdr", 12, 14, "beat read twice after a visit", 14),
    Proof("copy buffer", "induction", 3, 18, "map bit early", 10),
    Proof("copier", "bmc", 12, 16, "granted before it is captured", 14),
    Proof("sequencer", "pdr", 12, 26, "a claim too many", 14),
    Proof("sequencer strict", "pdr", 12, 16, "a claim too many", 14),
)


def each(proofs):
    return pytest.mark.parametrize("proof", proofs,
                                   ids=lambda proof: proof.name.replace(" ", "-"))


@unbounded
@each([proof for proof in PROOFS if proof.mode == "pdr"])
def test_proved(proof, tmp_path):
    outcome = prove(rtlil_of(proof.name), tmp_path, mode="pdr", unknown_ram=True)
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


@each(PROOFS)
def test_broken_twin_fails(proof, tmp_path):
    outcome = prove(broken_rtlil(proof.contract, proof.defect, tmp_path), tmp_path,
                    depth=proof.shows)
    assert outcome.failed
