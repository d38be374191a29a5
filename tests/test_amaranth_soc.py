# amaranth: UnusedElaboratable=no
"""The unit's Wishbone ports connect to interfaces as amaranth-soc has them.

amaranth-soc has no release on PyPI; here is a Signature with its members and their shapes.
"""

import enum
import re
import subprocess
import sys
from pathlib import Path

import pytest
from amaranth.hdl import Fragment, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect
from memsnap import SnapshotParams, SnapshotUnit
from memsnap.bus import wishbone


class Cycle(enum.Enum):
    CLASSIC, CONST, INCR, END = 0, 1, 2, 7


class Extension(enum.Enum):
    LINEAR, WRAP_4, WRAP_8, WRAP_16 = range(4)


def signature(addr_width, data_width, features, granularity=8):
    """The members of amaranth-soc's Wishbone Signature."""
    optional = {"err": In(1), "rty": In(1), "stall": In(1), "lock": Out(1), "cti": Out(Cycle),
                "bte": Out(Extension)}
    return wiring.Signature({
        "adr": Out(addr_width), "dat_w": Out(data_width), "dat_r": In(data_width),
        "sel": Out(data_width // granularity), "cyc": Out(1), "stb": Out(1), "we": Out(1),
        "ack": In(1), **{name: optional[name] for name in features}})


def connected(params, features):
    """A module in which such interfaces are connected to all of a unit's buses."""
    m = Module()
    m.submodules.unit = unit = SnapshotUnit(params)
    bus = signature(params.adr_width, params.data_width, features)
    connect(m, bus.create(), unit.s_wb)
    connect(m, unit.m_wb, bus.flip().create())
    connect(m, signature(8, 32, {"err"}).create(), unit.csr_wb)
    return m


@pytest.mark.parametrize("options", [
    {}, {"pipelined": False, "data_width": 64, "features": {"rty", "lock", "cti", "bte"}}])
def test_interfaces_connect(options):
    params = SnapshotParams(**options)
    features = {"err", *({"stall"} if params.pipelined else ()), *params.features}
    Fragment.get(connected(params, features), None).prepare()


@pytest.mark.parametrize("features, granularity", [({"err"}, 8), ({"err", "stall"}, 32)])
def test_what_does_not_fit_is_noticed(features, granularity):
    params = SnapshotParams()
    bus = signature(params.adr_width, params.data_width, features, granularity)
    with pytest.raises(wiring.ConnectionError):
        connect(Module(), bus.create(), wishbone.Signature.of(params).flip().create())


def test_example_of_a_system():
    path = Path(__file__).parents[1] / "examples/counting.py"
    done = subprocess.run([sys.executable, "-W", "error", path], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    before, after, first, last = map(int, re.findall(r"\d+", done.stdout))
    assert before - 1 <= last < after - 100 and last - first == 255
