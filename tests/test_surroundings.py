"""Faults, policies and devices, as a configuration describes them."""

import pytest
from memsnap import SnapshotParams
from memsnap_sim.errors import InputError
from memsnap_sim.settings import Settings
from memsnap_sim.surroundings import EXPECTED, Fault, policy_registers, policy_words

PARAMS = SnapshotParams(memory_base=0x1000, memory_size=0x1000, shadow_base=0x4000)
RUN = {"program": "packets", "at": "checkpoint:3"}


@pytest.mark.parametrize("fault, expected", [
    (Fault(), (0x4000, 0x4fff)),
    (Fault(side="memory"), (0x1000, 0x1fff)),
    (Fault(block=2), (0x4080, 0x40bf)),
    (Fault(side="memory", block=63), (0x1fc0, 0x1fff)),
    (Fault(address=0x1005), (0x4004, 0x4007)),
    (Fault(side="memory", address=0x1ffe), (0x1ffc, 0x1fff)),
])
def test_what_a_fault_befalls(fault, expected):
    assert fault.bytes_of(PARAMS) == expected


@pytest.mark.parametrize("table, message", [
    ({"side": "cpu"}, "side must be memory or shadow, not 'cpu'"),
    ({"block": 1024}, "the block of a fault must be 0 to 1023, not 1024"),
    ({"address": 0x10000}, "the address of a fault must be in the memory"),
    ({"address": 0, "block": 0}, "and instead of a block, not 0x0"),
    ({"blok": 1}, "did you mean 'block'?"),
])
def test_faults_are_checked(table, message):
    with pytest.raises(InputError) as caught:
        Settings.build({"run": RUN, "fault": [table]}, {})
    assert message in str(caught.value)


def test_registers_of_a_policy():
    assert policy_registers({}) == {}
    assert policy_registers({"failure": "fail_write", "retries": 3, "pace": 9}) == {
        "PACE": 9, "POLICY": {"failure": 1, "retries": 3}}
    assert policy_registers({"hold_io": True}) == {"POLICY": {"hold_io": 1}}


@pytest.mark.parametrize("policy, words", [
    ({}, ""), ({"hold_io": True}, ""), ({"failure": "break"}, "give up the snapshot"),
    ({"retries": 1}, "repeat it once, then give up the snapshot"),
    ({"retries": 4, "failure": "fail_write"},
     "repeat it up to 4 times, then answer the write that waits for it with a bus error"),
])
def test_words_of_a_policy(policy, words):
    assert policy_words(policy_registers(policy)) == words


def test_what_runs_may_show():
    assert EXPECTED == ("exact", "read error", "write error", "timeout", "deadline", "hold limit",
                        "io timeout")


def test_devices():
    gated = Settings.build({"unit": {"ports": 2}, "dma": {"ungated": False}, "run": RUN}, {})
    assert (gated.ungated, gated.registers) == (False, {})
    ungated = Settings.build({"unit": {"io_hold": True}, "dma": {"ungated": True}, "run": RUN}, {})
    assert (ungated.ungated, ungated.registers) == (True, {"POLICY": {"hold_io": 1}})


@pytest.mark.parametrize("dma, message", [
    ({"ungated": False}, "set ports = 2 under [unit]"),
    ({"ungated": True}, "set io_hold = true under [unit]"),
])
def test_devices_without_a_way_to_the_memory(dma, message):
    with pytest.raises(InputError) as caught:
        Settings.build({"dma": dma, "run": RUN}, {})
    assert message in str(caught.value)
