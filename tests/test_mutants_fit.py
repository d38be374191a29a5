"""Each defect that tests put in on purpose still fits: what it replaces stands there once."""

from pathlib import Path

import axi4_mutants
import memsnap
import memsnap_sim.model
import model_mutants
import mutants
import pitfalls
import pytest

HARDWARE = Path(memsnap.__file__).parent
MODEL = Path(memsnap_sim.model.__file__).parent

#: Source file and what is replaced in it.
PLACES = [
    *((HARDWARE / each.file, each.old) for each in (*mutants.MUTANTS, *mutants.RETRY_MUTANTS)),
    *((HARDWARE / each.defect.file, each.defect.old) for each in pitfalls.PITFALLS
      if each.defect not in mutants.MUTANTS),
    *((HARDWARE / "bus" / f"{each.file}.py", each.old) for each in axi4_mutants.MUTANTS),
    *((MODEL / each[0], each[1])
      for each in (*model_mutants.MUTANTS, *model_mutants.AXI4_MUTANTS)),
]


@pytest.mark.parametrize("path, old", PLACES, ids=lambda value: getattr(value, "stem", ""))
def test_mutant_fits(path, old):
    assert path.read_text().count(old) == 1, f"in {path.name}: {old!r}"
