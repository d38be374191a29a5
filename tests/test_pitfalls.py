"""Each pitfall has tests that fail when the unit falls into it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pitfalls import PITFALLS
from test_mutants import mutate

pytestmark = pytest.mark.proof

HERE = Path(__file__).parent


@pytest.mark.parametrize("pitfall", PITFALLS, ids=lambda each: each.name.replace(" ", "-"))
def test_is_noticed(pitfall, tmp_path):
    mutate(pitfall.defect, tmp_path)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(HERE)]),
                   "PYTHONDONTWRITEBYTECODE": "1", "PATIENCE": "2000"}
    for test in pitfall.tests:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-qx", "-m", "", "-p", "no:cacheprovider", "-p",
             "no:xdist", "--rootdir", HERE, HERE / test],
            env=environment, capture_output=True, text=True, timeout=300, cwd=tmp_path)
        assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout[-2000:] + done.stderr
        assert "1 failed" in done.stdout
