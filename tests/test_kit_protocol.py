"""The protocol checker on made-up clocks: silent on right ones, loud on each wrong one."""

import pytest
from memsnap.bus import wishbone
from memsnap_sim.kit import ProtocolChecker


def run(clocks, *, pipelined=True, strict=False, features=()):
    """Each clock is a string: what the initiator drives, ``|``, what the target answers.

    ``c`` cyc, ``s`` stb, ``w`` we, digits the address (and the data); then ``a`` ack, ``e`` err,
    ``t`` stall; ``r`` alone is a reset; ``i`` and ``x`` are cti of an incrementing burst and of its
    end.
    """
    bus = wishbone.Signature(addr_width=8, data_width=32, pipelined=pipelined,
                             features=features).create()
    checker = ProtocolChecker(bus, strict=strict)
    for clock in clocks:
        request, _, answer = clock.partition("|")
        digits = int("".join(filter(str.isdigit, request)) or 0)
        values = ["c" in request, "s" in request, "w" in request, digits, digits, 15]
        values += [2 if "i" in request else 7 if "x" in request else 0] * ("cti" in features)
        checker.sample("r" in request, [int(value) for value in values],
                       {"ack": "a" in answer, "err": "e" in answer, "stall": "t" in answer})
    return checker


@pytest.mark.parametrize("clocks", [
    ["cs1|", "c|a", "|"],
    ["cs1|", "cs2|a", "csw3|a", "c|e"],
    ["cs1|t", "cs1|t", "cs1|", "c|a"],
    ["cs1|t", "|", "cs2|", "c|a"],                # given up while stalled
    ["cs1|", "|a", "|", "cs2|", "c|a"],           # the answer comes as cyc falls
    ["cs1|", "r|", "|", "cs2|", "c|a"],
])
def test_right_pipelined(clocks):
    assert run(clocks).violations == []


@pytest.mark.parametrize("clocks", [
    ["cs1|", "cs1|a", "cs2|", "cs2|", "cs2|e", "|"],
    ["cs1|", "|a", "|"],
    ["cs1|", "r|", "cs2|a"],
])
def test_right_classic(clocks):
    assert run(clocks, pipelined=False).violations == []


@pytest.mark.parametrize("clocks, rule, text, clock", [
    (["s1|"], "cycle", "stb without cyc", 0),
    (["cs1|", "c|ae"], "single", "ack=True err=True", 1),
    (["cs1|t", "cs2|"], "steady", "adr changed from 0x1 to 0x2", 1),
    (["cs1|t", "csw1|"], "steady", "we changed from 0x0 to 0x1", 1),
    (["cs1|t", "c|"], "steady", "the request was withdrawn", 1),
    (["c|a"], "answer", "an answer with no request outstanding", 0),
    (["cs1|a"], "answer", "an answer with no request outstanding", 0),
    (["cs1|", "c|a", "c|a"], "answer", "an answer with no request outstanding", 2),
    (["|a"], "answer", "an answer without cyc", 0),
    (["cs1|", "|a", "|a"], "answer", "an answer without cyc", 2),
    (["cs1|", "|", "cs2|", "c|a", "c|a"], "answer", "no request outstanding", 4),
    (["cs1|t", "r|", "c|a"], "answer", "no request outstanding", 2),
])
def test_wrong_pipelined(clocks, rule, text, clock):
    violation = run(clocks).violations[0]
    assert (violation.rule, violation.clock) == (rule, clock)
    assert text in violation.text


@pytest.mark.parametrize("clocks, rule, text, clock", [
    (["cs1|", "cs2|a"], "steady", "adr changed", 1),
    (["csw1|", "c|"], "steady", "the request was withdrawn", 1),
    (["c|a"], "answer", "an answer without a request", 0),
    (["|a"], "answer", "an answer without cyc", 0),
    (["cs1|a", "c|a"], "answer", "an answer without a request", 1),
])
def test_wrong_classic(clocks, rule, text, clock):
    violation = run(clocks, pipelined=False).violations[0]
    assert (violation.rule, violation.clock) == (rule, clock)
    assert text in violation.text


def test_a_change_of_direction_is_wrong_only_where_asked():
    clocks = ["cs1|", "csw2|", "c|a", "c|a"]
    assert run(clocks).violations == []
    violation, = run(clocks, strict=True).violations
    assert (violation.rule, violation.clock) == ("direction", 1)
    assert run(["cs1|", "csw2|a", "c|a"], strict=True).violations == []


def test_a_burst_goes_up():
    options = {"pipelined": False, "features": {"cti"}}
    assert run(["cs1i|", "cs1i|a", "cs2i|a", "cs3x|a", "cs9|", "cs9|a"], **options).violations == []
    violation, = run(["cs1i|a", "cs3x|a"], **options).violations
    assert (violation.rule, violation.clock) == ("burst", 1)


def test_counts():
    checker = run(["cs1|", "cs2|", "cs3|a", "|", "cs4|"])
    assert (checker.accepted, checker.answered) == (4, 1)
    assert (checker.aborted, checker.outstanding) == (2, 1)
