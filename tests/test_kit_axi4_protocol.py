"""The AXI4 checker on made-up clocks: silent on right ones, loud on each wrong one."""

from functools import partial

import pytest
from memsnap.bus import axi4
from memsnap.bus.axi4 import Burst, Response
from memsnap_sim.kit import Axi4Checker
from memsnap_sim.kit.axi4_channels import channels_of

BUS = axi4.Signature(addr_width=16, data_width=32, id_width=2).create()
LITE = axi4.LiteSignature(addr_width=16).create()
OKAY, EXOKAY, SLVERR = Response.OKAY.value, Response.EXOKAY.value, Response.SLVERR.value


def offer(name, ready=True, **payload):
    """Something on a channel: taken in this clock, or not."""
    return name, ready, payload


def address(name, addr=0, beats=1, *, burst=Burst.INCR.value, size=2, **payload):
    return offer(name, addr=addr, len=beats - 1, burst=burst, size=size, **payload)


aw, ar = partial(address, "aw"), partial(address, "ar")
w = partial(offer, "w", strb=15, last=1)
b, r = partial(offer, "b"), partial(offer, "r", last=1)
RESET = "reset"


def run(*clocks, bus=BUS, **options):
    """Each clock is a list of what is offered, or ``RESET``; an idle clock goes before all."""
    checker = Axi4Checker(bus, name="m", **options)
    channels = channels_of(bus)
    for clock in ([], *clocks):
        offered = {} if clock == RESET else {name: rest for name, *rest in clock}
        seen = {}
        for name, channel in channels.items():
            ready, payload = offered.get(name, (False, {}))
            values = tuple(payload.get(member, 0) for member in channel.names)
            seen[name] = int(name in offered), int(ready), values
        checker.sample(clock == RESET, seen)
    return checker


@pytest.mark.parametrize("clocks", [
    ([aw(), w()], [b()]),
    ([aw(ready=False), w()], [aw()], [b()]),                     # data taken before its address
    ([w(ready=False)], [w()], [], [aw()], [b(ready=False)], [b()]),
    ([aw(beats=2)], [w(last=0)], [w()], [b()]),
    ([w(last=0)], [w(), aw(beats=2)], [b()]),
    ([aw(id=1), w()], [aw(id=2), w()], [b(id=2)], [b(id=1, resp=SLVERR)]),
    ([ar(beats=2)], [r(last=0)], [r()]),
    ([ar(id=1, beats=2)], [ar(id=2, beats=2)],                   # interleaved
     [r(id=2, last=0)], [r(id=1, last=0)], [r(id=1)], [r(id=2)]),
    ([ar(lock=1)], [r(resp=EXOKAY)]),
    ([aw(lock=1), w()], [b(resp=EXOKAY)]),
    ([aw(lock=1), w()], [b(resp=OKAY)]),
    ([aw(1), w(strb=14)], [b()]),
    ([aw(2, size=0), w(strb=4)], [b()]),
    ([ar(8, 4, burst=Burst.WRAP.value)], [r(last=0)], [r(last=0)], [r(last=0)], [r()]),
    ([ar(0xffc)], [r()]),
    ([ar(0x10ff, 2)],),
    ([ar(0xfff, 16, burst=Burst.FIXED.value)],),
    ([ar(ready=False)], RESET, [], [ar()], [r()]),
    ([aw(), w()], RESET, [], []),
])
def test_right(clocks):
    assert run(*clocks).violations == []


@pytest.mark.parametrize("clocks, rule, text, clock", [
    # A3.2.1 on each channel
    (([aw(ready=False)], []), "steady", "awvalid fell before awready", 2),
    (([w(ready=False)], []), "steady", "wvalid fell before wready", 2),
    (([ar(ready=False)], []), "steady", "arvalid fell before arready", 2),
    (([aw(), w()], [b(ready=False)], []), "steady", "bvalid fell before bready", 3),
    (([ar()], [r(ready=False)], []), "steady", "rvalid fell before rready", 3),
    (([aw(4, ready=False)], [aw(8)]), "steady", "awaddr changed from 0x4 to 0x8", 2),
    (([aw(qos=1, ready=False)], [aw()]), "steady", "awqos changed from 0x1 to 0x0", 2),
    (([ar(id=1, ready=False)], [ar(id=2)]), "steady", "arid changed from 0x1 to 0x2", 2),
    (([w(data=1, ready=False)], [w(data=2)]), "steady", "wdata changed from 0x1 to 0x2", 2),
    (([aw(), w()], [b(ready=False)], [b(resp=SLVERR)]), "steady", "bresp changed", 3),
    (([ar()], [r(data=1, ready=False)], [r(data=3)]), "steady", "rdata changed", 3),
    # A3.1.2
    ((RESET, [ar()]), "reset", "arvalid after reset", 2),
    ((RESET, [w()]), "reset", "wvalid after reset", 2),
    (([ar()], RESET, [r()]), "reset", "rvalid after reset", 3),
    # Addresses
    (([ar(0xffc, 2)],), "4 KiB", "a burst from 0xffc to 0x1003 crosses", 1),
    (([aw(0x1ffe, 2, size=1)],), "4 KiB", "from 0x1ffe to 0x2001", 1),
    (([ar(beats=3, burst=Burst.WRAP.value)],), "wrap", "WRAP of 3 beats", 1),
    (([ar(2, beats=4, burst=Burst.WRAP.value)],), "wrap", "not aligned to 4 bytes", 1),
    (([ar(beats=17, burst=Burst.FIXED.value)],), "length", "FIXED of 17 beats", 1),
    (([ar(beats=32, burst=Burst.WRAP.value)],), "length", "WRAP of 32 beats", 1),
    (([ar(burst=3)],), "burst", "arburst is 0b11", 1),
    (([aw(size=3)],), "size", "beats of 8 bytes on a bus of 4", 1),
    (([ar(cache=0b0100)],), "cache", "cache 0b0100 is reserved", 1),
    (([ar(beats=3, lock=1)],), "exclusive", "an exclusive access of 3 beats, 12 bytes", 1),
    (([ar(beats=64, lock=1)],), "exclusive", "of 64 beats", 1),
    (([ar(4, beats=2, lock=1)],), "exclusive", "not aligned to its size", 1),
    # Data
    (([aw(beats=2)], [w()]), "wlast", "wlast is 1 with beat 1 of 2", 2),
    (([aw()], [w(last=0)]), "wlast", "wlast is 0 with beat 1 of 1", 2),
    (([w(last=0)], [w()], [aw()]), "wlast", "wlast is 0 with beat 1 of 1", 3),
    (([aw(1)], [w()]), "strobes", "wstrb 0xf reaches beyond the lanes 0xe of beat 1", 2),
    (([aw(2, beats=2, size=1)], [w(strb=12, last=0)], [w(strb=4)]), "strobes", "beat 2", 3),
    # Answers
    (([b()],), "answer", "a write's answer to id 0x0, which has no write open", 1),
    (([aw()], [b()]), "answer", "which has data outstanding", 2),
    (([aw(beats=2)], [w(last=0)], [b()]), "answer", "which has data outstanding", 3),
    (([aw(), w(), b()],), "answer", "which has no write open", 1),
    (([w()], [b()], [aw()]), "answer", "which has no write open", 2),
    (([aw(), w()], [b(id=1)]), "answer", "a write's answer to id 0x1", 2),
    (([aw(), w()], [b()], [b()]), "answer", "which has no write open", 3),
    (([r()],), "answer", "a read's answer to id 0x0, which has no read open", 1),
    (([ar(), r()],), "answer", "a read's answer to id 0x0, which has no read open", 1),
    (([ar()], [r(id=3)]), "answer", "a read's answer to id 0x3", 2),
    (([ar()], [r()], [r()]), "answer", "a read's answer to id 0x0", 3),
    (([ar()], RESET, [], [r()]), "answer", "a read's answer to id 0x0", 4),
    (([ar(beats=2)], [r()]), "rlast", "rlast is 1 with beat 1 of 2, id 0x0", 2),
    (([ar(beats=2)], [r(last=0)], [r(last=0)]), "rlast", "rlast is 0 with beat 2 of 2", 3),
    # Two reads of one id are answered in their order: the longer one was first
    (([ar(beats=2)], [ar()], [r()], [r(last=0)], [r()]), "rlast", "beat 1 of 2", 3),
    (([ar()], [r(resp=EXOKAY)]), "exokay", "rresp is EXOKAY to an access that is not", 2),
    (([aw(), w()], [b(resp=EXOKAY)]), "exokay", "bresp is EXOKAY", 2),
    (([aw(), w(), ar(lock=1)], [b(resp=EXOKAY)]), "exokay", "bresp is EXOKAY", 2),
])
def test_each_rule_is_noticed(clocks, rule, text, clock):
    violations = run(*clocks).violations
    assert any(violation.rule == rule and text in violation.text and violation.clock == clock
               for violation in violations), [str(violation) for violation in violations]


@pytest.mark.parametrize("clocks, wrong", [
    (([aw(ready=False), w(ready=False)], [aw(), w()], [b()]), False),
    (([aw(), w()], [aw(), w()]), False),
    (([w(ready=False)], [w(), aw()]), True),
    (([aw(), w()], [w()], [aw()]), True),
    (([aw(beats=2), w(last=0)], [w()], [w()]), True),
    (([aw(ready=False)], RESET, [], [w()]), True),
])
def test_strict_wants_the_address_first(clocks, wrong):
    assert {violation.rule for violation in run(*clocks, strict=True).violations} == (
        {"address"} if wrong else set())
    assert run(*clocks).violations == []


def test_the_first_clock_counts_as_after_a_reset():
    checker = Axi4Checker(BUS)
    idle = {name: (0, 0, (0,) * len(channel.names)) for name, channel in channels_of(BUS).items()}
    checker.sample(0, {**idle, "ar": (1, 0, idle["ar"][2])})
    assert [str(violation) for violation in checker.violations] == [
        "reset: bus: arvalid after reset (clock 0)"]


@pytest.mark.parametrize("clocks, rule", [
    (([aw(4)], [w(strb=1)], [b()], [ar(4)], [r()]), None),
    (([w()], [aw(5)], [b(resp=SLVERR)]), None),
    (([aw(), w()], [b(resp=EXOKAY)]), "exokay"),
    (([aw()], [b()]), "answer"),
    (([ar()], [r()], [r()]), "answer"),
    (([ar(4, ready=False)], [ar(8)]), "steady"),
])
def test_lite(clocks, rule):
    assert {violation.rule for violation in run(*clocks, bus=LITE).violations} == (
        {rule} if rule else set())


def test_counts():
    checker = run([aw(), w(), ar(beats=2)], [ar(id=1), b()], [r(last=0)])
    assert (checker.writes, checker.reads, checker.outstanding) == (1, 2, 2)


def test_a_violation_tells_the_place():
    violation, = run([ar(0xffc, 2)]).violations
    assert str(violation) == ("4 KiB: m: ar: a burst from 0xffc to 0x1003 crosses a 4 KiB boundary "
                              "(clock 1, address 0xffc)")
