"""What a bench puts around a unit of each kind."""

from types import SimpleNamespace

import pytest
from memsnap import SnapshotParams
from memsnap.bus import axi4, wishbone
from memsnap_sim.kit import (
    Axi4Checker,
    Axi4Matcher,
    Initiator,
    LiteRegisterPort,
    Manager,
    RegisterPort,
    Transaction,
)
from memsnap_sim.kit.attach import attach, register_port, upstream_ports

OPTIONS = {"max_in_flight": 4, "memory": {}, "manager": {}, "shadow": {}}


def unit(ports, **more):
    """Something with the members of an AXI4 unit."""
    def bus(id_width):
        return axi4.Signature(addr_width=16, data_width=32, id_width=id_width).create()
    names = ["s_axi"] if ports == 1 else [f"s{port}_axi" for port in range(ports)]
    return SimpleNamespace(**{name: bus(4) for name in names}, m_axi=bus(6),
                           **{name: bus(6) for name in more})


@pytest.mark.parametrize("ports", [1, 3])
@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("separate", [False, True])
def test_axi4(ports, own, separate):
    params = SnapshotParams(ports=ports, shadow="separate" if separate else "same")
    around = unit(ports, **({"c_axi": 1} if own else {}), **({"x_axi": 1} if separate else {}))
    parts = attach(around, params, bytes(64), [()], **OPTIONS)
    assert [type(each) for each in parts.initiators] == [Manager] * ports
    assert [checker.name for checker in parts.upstream] == upstream_ports(around, params)
    assert [checker.name for checker in parts.downstream] == (
        ["m_axi"] + ["c_axi"] * own + ["x_axi"] * separate)
    assert (parts.shadow is not None) == separate
    assert parts.initiators[0].listener == parts.upstream[0].sample
    assert len(parts.memory.listeners) == 1 + own
    assert isinstance(parts.matcher, Axi4Matcher)
    source = parts.matcher.source
    assert [source(Transaction(addr=0, id=at << 4 | 9)) for at in range(ports + 1)] == [
        *range(ports), None]
    assert source(Transaction(addr=0, id=0, port=1)) is None


def test_each_manager_may_have_options_of_its_own():
    parts = attach(unit(2), SnapshotParams(ports=2), bytes(64), [(), ()],
                   **{**OPTIONS, "manager": [{"early_w": True}, {"ordered": True}]})
    assert [manager.early_w for manager in parts.initiators] == [True, False]


def test_wishbone():
    params = SnapshotParams()
    bus = wishbone.Signature.of(params)
    around = SimpleNamespace(s_wb=bus.create(), m_wb=bus.create())
    parts = attach(around, params, bytes(64), [()], **OPTIONS)
    assert isinstance(parts.initiators[0], Initiator)
    assert upstream_ports(around, params) == ["s_wb"]


def test_registers_on_either_bus():
    lite = axi4.LiteSignature(addr_width=12).create()
    csr = wishbone.Signature(addr_width=12, data_width=32, pipelined=False).create()
    assert isinstance(register_port(SimpleNamespace(csr_wb=csr)), RegisterPort)
    around = unit(1)
    around.csr_axil = lite
    assert isinstance(register_port(around, patience=3), LiteRegisterPort)
    parts = attach(around, SnapshotParams(), bytes(64), [()], **OPTIONS)
    assert [(type(each), each.name) for each in parts.upstream] == [
        (Axi4Checker, "s_axi"), (Axi4Checker, "csr_axil")]
    assert parts.upstream[-1] in parts.processes
