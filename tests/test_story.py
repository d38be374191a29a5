"""What the report says happened, of runs made up for it."""

import re

import pytest
from memsnap import SnapshotParams
from memsnap_sim.report import BlockCopy, Event, Kind, Record, Report, Stall
from memsnap_sim.report.story import stalls_by_port

PARAMS = SnapshotParams(memory_size=256, shadow_base=256, ports=2, io_hold=True)
MEMORY = bytes(256)
COPIES = tuple(BlockCopy(block, 150 + 100 * block, kind) for block, kind in enumerate(
    (Kind.INITIAL, Kind.DEMAND, Kind.BACKGROUND, Kind.BACKGROUND)))


def record(**changes):
    return Record(**{
        "program": "p", "trigger": "clock 90", "params": PARAMS, "latency": 4, "clocks": 1000,
        "exit_code": 0, "instant": 100, "clocks_to_done": 400, "done": True, "copies": COPIES,
        "memory_at_instant": MEMORY, "image": MEMORY, "regions": ((0, 63),), **changes})


def told(**changes):
    return Report(record(**changes)).story


def test_nothing_happened():
    assert told(regions=()) == []


def test_regions():
    assert told() == ["The regions were in the shadow at clock 150 (T\N{NO-BREAK SPACE}+50)",
                      "Once the regions were copied, no write of the IO device waited for a copy"]


def test_who_waited_for_what():
    """A copy, the same after the regions, a look at the map."""
    stalls = (Stall(120, 0, 30, 1), Stall(170, 64, 9), Stall(260, 64, 1), Stall(300, 200, 8, 1))
    cpu, device = stalls_by_port(record(stalls=stalls))
    assert (cpu.held, cpu.for_copies, cpu.later, cpu.longest, cpu.total) == (2, 1, 1, 9, 10)
    assert (device.held, device.for_copies, device.later) == (2, 2, 1)
    assert device.longest == 30
    assert ("1 write of the IO device waited for a copy after the regions were copied"
            in told(stalls=stalls))
    assert ("2 writes of the IO device waited for a copy, at most 30 clocks"
            in told(stalls=stalls, regions=()))
    assert told(stalls=stalls[2:3])[1:] == [
        "Once the regions were copied, no write of the IO device waited for a copy"]


@pytest.mark.parametrize("changes, sentences", [
    ({"events": (Event(90, "hold"), Event(95, "held"), Event(130, "let go")), "ungated": True}, [
        "asked to hold still at clock 90 (T -10) and did so 5 clocks later, before T",
        "let go at clock 130 (T +30), after 40 clocks"]),
    ({"events": (Event(90, "hold"), Event(190, "let go")), "failed": True, "done": False,
      "cause": "io timeout", "instant": None, "copies": ()}, [
        "From clock 90 on the unit asked the ungated IO device to hold still, and it never did; at "
        "clock 190 the unit gave up"]),
    ({"events": (Event(120, "fault", 256 + 64, 1), Event(125, "fault", 256 + 68, 1)),
      "policy": "repeat it"}, [
        "made the shadow fail 2 writes of the unit for block 1, from clock 120 (T +20) to",
        "the policy is to repeat it", "The unit did it again, with success"]),
    ({"events": (Event(120, "fault", 192, 0), Event(122, "bus error", 192, 1))}, [
        "made the memory fail 1 read of the unit for block 3, at clock 120",
        "An access of the IO device to 0xc0 was answered with a bus error",
        "The snapshot went on"]),
    ({"events": tuple(Event(100 + n, "bus error", 0) for n in range(6))}, [
        "So were 2 more accesses"]),
    ({"events": tuple(Event(120, "fault", 64 * n, 0) for n in range(4)), "done": False}, [
        "for block 3"]),
    ({"failed": True, "done": False, "stalls": (Stall(480, 64, 20),)}, [
        "The snapshot ended at clock 500 (T +400); every held write went on then",
        "The program ran on to its end, with exit code 0"]),
    ({"failed": True, "done": False, "stalls": (Stall(490, 64, 20),), "exit_code": None}, [
        "1 write waited beyond the end of the snapshot"]),
    ({"events": (Event(90, "packet", 0), Event(200, "packet", 1, 1), Event(600, "packet", 2))}, [
        "The IO device wrote 3 packets, 1 of them while the snapshot was taken; 1 met a bus"]),
])
def test_sentences(changes, sentences):
    text = re.sub(r"\s", " ", " | ".join(told(**changes)))
    for sentence in sentences:
        assert sentence in text


@pytest.mark.parametrize("expect, changes, expected, heading", [
    ("exact", {}, True, "exact"),
    ("write error", {}, False, "exact, not as declared"),
    ("write error", {"failed": True, "done": False, "cause": "write error"}, True,
     "failed, as declared"),
    ("write error", {"failed": True, "done": False, "cause": "timeout"}, False,
     "failed, not as declared"),
    ("exact", {"failed": True, "done": False, "cause": "timeout"}, False, "failed"),
])
def test_what_was_declared(expect, changes, expected, heading):
    report = Report(record(expect=expect, **changes))
    assert (report.expected, report.heading) == (expected, heading)
    assert report.to_json()["expected"] is expected
