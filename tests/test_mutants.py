"""The tests notice defects: each mutant of the unit is found by the contract's checkers.

Those that stand for a pitfall are found by the tests of these: see ``test_pitfalls.py``.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import memsnap
import memsnap_sim
import pytest
from mutants import MUTANTS
from pitfalls import PITFALLS

pytestmark = pytest.mark.proof

PROBE = Path(__file__).with_name("mutant_probe.py")
SOURCE = Path(memsnap.__file__).parent
KIT = Path(memsnap_sim.__file__).parent.parent


def probe(path, first=0):
    """Runs the scenarios over the package in ``path``: exit code and what was printed."""
    paths = os.pathsep.join([str(path), str(KIT)])
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, PROBE, str(first)], env=environment,
                          capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout, done.stderr


def mutate(mutant, path):
    """Puts a copy of the unit with the defect into ``path``."""
    shutil.copytree(SOURCE, path / "memsnap", ignore=shutil.ignore_patterns("__pycache__"))
    file = path / "memsnap" / mutant.file
    text = file.read_text()
    assert text.count(mutant.old) == 1, f"{mutant.file} does not fit the mutant any more"
    file.write_text(text.replace(mutant.old, mutant.new))


def test_unbroken_unit_passes():
    assert probe(SOURCE.parent) == (0, "", "")


OTHERS = [mutant for mutant in MUTANTS
          if mutant not in [pitfall.defect for pitfall in PITFALLS]]


@pytest.mark.parametrize("mutant", OTHERS, ids=lambda mutant: mutant.name.replace(" ", "-"))
def test_mutant_is_found(mutant, tmp_path):
    mutate(mutant, tmp_path)
    code, out, err = probe(tmp_path, mutant.scenario)
    assert err == ""
    assert code == 1
    assert out != ""
