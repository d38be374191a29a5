"""The bench on AXI4 around a stand-in, the plainest unit there is: it stops all traffic and copies.

It is right, and slow; and each way of breaking it is noticed.
"""

import pytest
from amaranth.hdl import Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from memsnap import SnapshotParams
from memsnap.bus import axi4, wishbone
from memsnap_sim.kit import Bench, errors_at, pauses
from memsnap_sim.kit.axi4_burst import write_burst
from memsnap_sim.kit.axi4_fuzz import axi4_options
from memsnap_sim.kit.axi4_traffic import random_exclusive, random_transaction
from test_kit_harness import StopAndCopy, two_snapshots

PARAMS = SnapshotParams(memory_size=256, shadow_base=256, block_size=32, addr_width=16)
SEED = 20_007
ID_WIDTH = 2


class Axi4StopAndCopy(StopAndCopy):
    """Copies the whole memory word by word while the initiator waits. ``fault`` breaks it."""

    def __init__(self, params, fault=None):
        self.params = params
        self.fault = fault
        shape = {"addr_width": params.addr_width, "data_width": params.data_width, "user_width": 1}
        wiring.Component.__init__(self, {
            "s_axi": In(axi4.Signature(id_width=ID_WIDTH, **shape)),
            "m_axi": Out(axi4.Signature(id_width=ID_WIDTH + 1, **shape)),
            "trigger": In(1), "irq": Out(1),
            "csr_wb": In(wishbone.Signature(addr_width=12, data_width=32, pipelined=False)),
        })

    def elaborate(self, platform):
        m = Module()
        s, bus, params = self.s_axi, self.m_axi, self.params
        beats = params.memory_size // params.beat_bytes
        clock, instant, duration = Signal(64), Signal(64), Signal(32)
        start, ended, word, data = Signal(), Signal(), Signal(32), Signal(32)
        writes, reads, owed = Signal(8), Signal(8), Signal(signed(8))
        self.copying = copying = Signal()
        passing = Signal()
        self.word = word

        def taken(name, port=bus):
            return getattr(port, name + "valid") & getattr(port, name + "ready")
        m.d.sync += [
            clock.eq(clock + 1), writes.eq(writes + taken("aw") - taken("b")),
            reads.eq(reads + taken("ar") - (taken("r") & bus.rlast)),
            owed.eq(owed + taken("aw") - (taken("w") & bus.wlast)),
        ]
        for name, members in axi4.Signature.channels(addr_width=1, data_width=8,
                                                     user_width=1).items():
            left, right = (bus, s) if name in ("aw", "w", "ar") else (s, bus)
            m.d.comb += [getattr(left, name + each).eq(getattr(right, name + each))
                         for each in members]
        w_open = Signal()
        m.d.comb += [
            w_open.eq((owed + (bus.awvalid & (self.fault != "w waits")) > 0) & ~copying),
            bus.awvalid.eq(s.awvalid & passing), s.awready.eq(bus.awready & passing),
            bus.arvalid.eq(s.arvalid & passing), s.arready.eq(bus.arready & passing),
            bus.wvalid.eq(s.wvalid & w_open), s.wready.eq(bus.wready & w_open),
            s.bvalid.eq(bus.bvalid & ~copying), bus.bready.eq(s.bready | copying),
            s.rvalid.eq(bus.rvalid & ~copying), bus.rready.eq(s.rready | copying),
        ]
        aw_left, w_left = Signal(), Signal()
        leaking = Signal(range(200))
        with m.FSM():
            with m.State("Pass"):
                m.d.comb += passing.eq(1)
                with m.If(start & ~(bus.awvalid & ~bus.awready) & ~(bus.arvalid & ~bus.arready)):
                    m.d.sync += start.eq(0)
                    m.next = "Drain"
            with m.State("Drain"):
                if self.fault == "no drain":
                    drained = (reads == 0) & (owed == 0)
                else:
                    drained = (reads == 0) & (writes == 0)
                with m.If(drained):
                    m.d.sync += [instant.eq(clock + 1), word.eq(0), duration.eq(0)]
                    m.next = "Read"
            with m.State("Read"):
                m.d.comb += [copying.eq(1), bus.arvalid.eq(1)]
                self._ask(m, "ar", params.memory_base, word)
                with m.If(bus.arready):
                    m.next = "Read wait"
            with m.State("Read wait"):
                m.d.comb += copying.eq(1)
                with m.If(bus.rvalid & (bus.rid == 1 << ID_WIDTH)):
                    m.d.sync += [data.eq(bus.rdata), aw_left.eq(1), w_left.eq(1)]
                    m.next = "Write"
            with m.State("Write"):
                m.d.comb += [copying.eq(1), bus.awvalid.eq(aw_left), bus.wvalid.eq(w_left),
                             bus.wdata.eq(data), bus.wstrb.eq(-1), bus.wlast.eq(1),
                             bus.wuser.eq(0)]
                self._ask(m, "aw", params.shadow_base, word)
                m.d.sync += [aw_left.eq(aw_left & ~bus.awready), w_left.eq(w_left & ~bus.wready)]
                with m.If((~aw_left | bus.awready) & (~w_left | bus.wready)):
                    m.next = "Write wait"
            with m.State("Write wait"):
                m.d.comb += copying.eq(1)
                with m.If(bus.bvalid & (bus.bid == 1 << ID_WIDTH)):
                    m.d.sync += word.eq(word + 1)
                    m.next = "Read"
                    with m.If(word == beats - 1 + (self.fault == "overrun")
                              - (self.fault == "short")):
                        m.d.sync += ended.eq(1)
                        m.next = "Pass"
                    if self.fault == "leak":
                        with m.If(word == 20):
                            m.next = "Leak"
            with m.State("Leak"):
                m.d.comb += passing.eq(leaking < 100)
                m.d.sync += leaking.eq(leaking + ~(bus.awvalid & ~bus.awready))
                with m.If((leaking >= 100) & (writes == 0) & (reads == 0)):
                    m.next = "Read"
        with m.If(copying | (leaking != 0)):
            m.d.sync += duration.eq(duration + 1)
        self._break(m, s, bus)
        self.answer_registers(m, start, ended, instant, duration)
        return m

    def _ask(self, m, name, base, word):
        """A request of the copier's: one whole word."""
        for member in ("lock", "cache", "prot", "qos", "region", "user", "len"):
            m.d.comb += getattr(self.m_axi, name + member).eq(0)
        m.d.comb += [
            getattr(self.m_axi, name + "id").eq(1 << ID_WIDTH),
            getattr(self.m_axi, name + "addr").eq(base + word * self.params.beat_bytes),
            getattr(self.m_axi, name + "size").eq(2),
            getattr(self.m_axi, name + "burst").eq(axi4.Burst.INCR),
        ]

    def _break(self, m, s, bus):
        fault, copying = self.fault, self.copying
        changes = {
            "lane": (copying, bus.wstrb, 0b0111),
            "data": (copying & (self.word == 7), bus.wdata, 0),
            "read": (s.rvalid & s.rlast, s.rdata, bus.rdata ^ 4),
            "write": (~copying & s.wlast, bus.wdata, s.wdata ^ 1),
            "strobe": (~copying & s.wlast, bus.wstrb, 0),
            "id": (~copying, bus.awid, s.awid ^ 1),
            "answer": (s.bvalid, s.bresp, axi4.Response.OKAY),
            "lock": (~copying, bus.arlock, 0),
            "qos": (~copying, bus.arqos, s.arqos ^ 1),
            "user": (s.bvalid, s.buser, 0),
            "length": (~copying & (s.arlen == 3), bus.arlen, 2),
            "w first": (~copying, bus.wvalid, s.wvalid),
            "no b": (bus.bid == 3, s.bvalid, 0),
        }
        if fault in changes:
            condition, target, value = changes[fault]
            with m.If(condition):
                m.d.comb += target.eq(value)
        elif fault == "unsteady":
            toggle = Signal()
            m.d.sync += toggle.eq(~toggle)
            with m.If(copying):
                m.d.comb += bus.wdata[0].eq(toggle)
        elif fault == "early b":
            first = Signal()
            m.d.sync += first.eq(s.wvalid & s.wready & s.wlast)
            with m.If(first & ~copying):
                m.d.comb += [s.bvalid.eq(1), s.bid.eq(s.awid)]


def traffic(rng, count, params=PARAMS):
    options = {"word_bytes": params.beat_bytes, "base": 0, "size": params.memory_size,
               "id_width": ID_WIDTH, "user_width": 1}
    for _ in range(count):
        if rng.random() < 0.1:
            yield from random_exclusive(rng, **options)
        else:
            yield random_transaction(rng, most=8, gap=rng.choice([0, 0, 3, 10]), **options)


def bench_of(fault=None, count=400, **options):
    print(f"seed {SEED}")
    rng = pauses.generators(SEED)
    options = {
        "stall": pauses.sometimes(rng("stall"), 0.2),
        "latency": pauses.uniform(rng("latency"), 1, 6),
        "memory": {"rng": rng("order"), "interleave": True},
        "manager": {"stall": pauses.sometimes(rng("manager"), 0.2), "early_w": True}, **options}
    return Bench(PARAMS, unit=Axi4StopAndCopy(PARAMS, fault), max_in_flight=16,
                 traffic=traffic(rng("traffic"), count), **options)


def test_the_plain_unit_keeps_the_contract():
    bench = bench_of().run(two_snapshots).check()
    assert [record.result for record in bench.snapshots] == ["done", "done"]
    assert bench.snapshots[0].instant < bench.snapshots[1].instant
    assert len(bench.initiator.log) > 50


@pytest.mark.parametrize("seed", range(8))
def test_no_false_alarm(seed):
    print(f"seed {seed}")
    rng = pauses.generators(seed)
    shape = rng("shape")

    async def script(bench):
        for _ in range(2):
            await bench.clocks(shape.randrange(300))
            await bench.start()
            if shape.random() < 0.3:
                await bench.clocks(shape.randrange(1000))
                await bench.reset(shape.randint(1, 3))
            else:
                await bench.end()

    options = {**axi4_options(rng, shape, PARAMS), "registers": {}}
    latency = pauses.uniform(rng("latency"), 1, shape.choice([1, 4, 12]))
    Bench(PARAMS, unit=Axi4StopAndCopy(PARAMS), traffic=traffic(rng("traffic"), 400),
          latency=latency, stall=pauses.sometimes(rng("stall"), shape.choice([0, 0.3])),
          **options).run(script).check()


@pytest.mark.proof
@pytest.mark.parametrize("fault, rule, text", [
    ("overrun", "C7", "outside the"), ("short", "C2", "the image"), ("lane", "C2", "sel 0x7"),
    ("data", "C2", "the shadow is written with 0x0"), ("read", "C3", "the memory gave"),
    ("write", "C3", "not as its initiator asked"), ("strobe", "C3", "not as its initiator asked"),
    ("id", "C3", "not as its initiator asked"), ("lock", "C3", "not as its initiator asked"),
    ("qos", "C3", "not as its initiator asked"), ("length", "C3", "not as its initiator asked"),
    ("user", "C3", "got the user bits"), ("answer", "C3", "got the responses OKAY"),
    ("unsteady", "steady", "wdata changed"), ("count", "C2", "blocks copied"),
    ("w first", "address", "a write's data is offered before its address"),
    ("no b", "C4", "the initiator hangs"), ("leak", "C1", "at T or later"),
    ("no drain", "C1", "reads before a write accepted before T is answered"),
    ("early b", "answer", "a write's answer"), ("w waits", "C4", "the initiator hangs"),
])
def test_a_broken_unit_is_noticed(fault, rule, text):
    options = {"patience": 6000}
    if fault == "answer":
        options["errors"] = errors_at(nth=range(0, 4000, 7))
    elif fault == "w waits":                      # which A3.3.1 forbids: AWREADY may wait for it
        options["memory"] = {"aw_after_w": True}
    bench = bench_of(fault, **options)
    bench.run(two_snapshots)
    assert any(violation.rule == rule and text in violation.text
               for violation in bench.violations), [str(each) for each in bench.violations]


@pytest.mark.parametrize("memory", [{"aw_after_w": True}, {"after_valid": True},
                                    {"aw_after_w": True, "w_after_aw": True}])
def test_a_memory_may_wait_for_what_the_standard_allows(memory):
    bench_of(memory=memory, manager={"after_valid": True}).run(two_snapshots).check()


def test_an_instant_off_by_one_is_noticed():
    """A read of the copier at the very T is before the T that the registers tell."""
    violations = bench_of("instant", stall=pauses.never).run(two_snapshots).violations
    assert any(violation.rule == "C7" and "while no snapshot runs" in violation.text
               for violation in violations)


def test_an_error_reported_as_success_is_noticed():
    shadow = PARAMS.shadow_base // 4
    bench = bench_of(errors=errors_at(addresses=[shadow + 9])).run(two_snapshots)
    assert {"C2", "C5"} <= {violation.rule for violation in bench.violations}


def test_a_write_to_the_protected_shadow_is_noticed():
    async def script(bench):
        await two_snapshots(bench)
        bench.initiator.add(write_burst(PARAMS.shadow_base + 4, [1]))
        await bench.clocks(50)

    violations = bench_of(count=5).run(script).violations
    assert {violation.rule for violation in violations} == {"C2", "C7"}
    assert any("an initiator wrote the protected shadow" in violation.text
               for violation in violations)


def test_a_reset_forgets_what_is_open():
    async def script(bench):
        await bench.start()
        await bench.clocks(60)
        await bench.reset(2)
        await bench.clocks(40)
        await bench.start()
        await bench.end()

    bench = bench_of().run(script).check()
    assert [record.result for record in bench.snapshots] == ["reset", "done"]


def test_the_image_of_wide_words_has_no_lanes_alike():
    from memsnap_sim.kit.harness import _distinct
    image = _distinct(1024, 64)
    assert len({image[at:at + 64] for at in range(0, 1024, 64)}) == 16
