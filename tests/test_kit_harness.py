"""The bench around a stand-in: the plainest unit there is, which stops all traffic and copies.

It is right, and slow; and each way of breaking it is noticed.
"""

import pytest
from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from memsnap import SnapshotParams
from memsnap.bus import wishbone
from memsnap.regs.fields import REGISTERS
from memsnap_sim.kit import Bench, burst, errors_at, pauses, read, write

PARAMS = SnapshotParams(memory_size=256, shadow_base=256, block_size=32, addr_width=16)
SEED = 20_002


class StopAndCopy(wiring.Component):
    """Copies the whole memory word by word while the initiator waits. ``fault`` breaks it."""

    def __init__(self, params, fault=None):
        self.params = params
        self.fault = fault
        bus = wishbone.Signature.of(params)
        super().__init__({
            "s_wb": In(bus), "m_wb": Out(bus), "trigger": In(1), "irq": Out(1),
            "csr_wb": In(wishbone.Signature(addr_width=12, data_width=32, pipelined=False)),
        })

    def elaborate(self, platform):
        m = Module()
        s, bus, params = self.s_wb, self.m_wb, self.params
        beats = params.memory_size // params.beat_bytes
        clock, instant, duration = Signal(64), Signal(64), Signal(32)
        start, ended, word, data = Signal(), Signal(), Signal(32), Signal(32)
        in_flight = Signal(8)
        accepted = Signal()
        answer = Signal()
        copying = Signal()

        m.d.comb += [accepted.eq(bus.cyc & bus.stb & ~bus.stall), answer.eq(bus.ack | bus.err)]
        m.d.sync += [clock.eq(clock + 1), in_flight.eq(in_flight + accepted - answer)]
        m.d.comb += [s.ack.eq(bus.ack & ~copying), s.err.eq(bus.err & ~copying),
                     s.dat_r.eq(bus.dat_r), s.stall.eq(1)]

        with m.FSM():
            with m.State("Pass"):
                m.d.comb += [bus.cyc.eq(s.cyc | (in_flight != 0)), bus.stb.eq(s.cyc & s.stb),
                             bus.we.eq(s.we), bus.adr.eq(s.adr), bus.dat_w.eq(s.dat_w),
                             bus.sel.eq(s.sel), s.stall.eq(bus.stall)]
                with m.If(start & ~(bus.stb & bus.stall)):
                    m.d.sync += start.eq(0)
                    m.next = "Drain"
            with m.State("Drain"):
                m.d.comb += bus.cyc.eq(in_flight != 0)
                with m.If(in_flight == 0):
                    m.d.sync += [instant.eq(clock + 1), word.eq(0), duration.eq(0)]
                    m.next = "Read"
            for state, following in ("Read", "Read wait"), ("Write", "Write wait"):
                with m.State(state):
                    place = params.shadow_base if state == "Write" else params.memory_base
                    m.d.comb += [copying.eq(1), bus.cyc.eq(1), bus.stb.eq(1), bus.sel.eq(-1),
                                 bus.we.eq(state == "Write"), bus.dat_w.eq(data),
                                 bus.adr.eq(place // params.beat_bytes + word)]
                    with m.If(~bus.stall):
                        m.next = following
            with m.State("Read wait"):
                m.d.comb += [copying.eq(1), bus.cyc.eq(1)]
                with m.If(answer):
                    m.d.sync += data.eq(bus.dat_r)
                    m.next = "Write"
            with m.State("Write wait"):
                m.d.comb += [copying.eq(1), bus.cyc.eq(1)]
                with m.If(answer):
                    m.d.sync += word.eq(word + 1)
                    m.next = "Read"
                    with m.If(word == beats - 1 + (self.fault == "overrun")
                              - (self.fault == "short")):
                        m.d.sync += ended.eq(1)
                        m.next = "Pass"
        with m.If(copying):
            m.d.sync += duration.eq(duration + 1)
        self.break_it(m, bus, s, copying, word)
        self.answer_registers(m, start, ended, instant, duration)
        return m

    def break_it(self, m, bus, s, copying, word):
        if self.fault == "lane":
            with m.If(copying & bus.we):
                m.d.comb += bus.sel.eq(0b0111)
        elif self.fault == "data":
            with m.If(copying & bus.we & (word == 7)):
                m.d.comb += bus.dat_w.eq(0)
        elif self.fault == "read":
            with m.If(s.adr[:2] == 3):
                m.d.comb += s.dat_r.eq(0)
        elif self.fault == "write":
            with m.If(~copying):
                m.d.comb += bus.dat_w.eq(s.dat_w ^ (s.adr[:2] == 3))
        elif self.fault == "unsteady":
            toggle = Signal()
            m.d.sync += toggle.eq(~toggle)
            with m.If(copying):
                m.d.comb += bus.dat_w[0].eq(toggle)

    def answer_registers(self, m, start, ended, instant, duration):
        csr = self.csr_wb
        address = csr.adr << 2
        wanted = csr.cyc & csr.stb & ~csr.ack
        m.d.sync += csr.ack.eq(wanted)
        offsets = {name: register.offset for name, register in REGISTERS.items()}
        blocks = self.params.blocks
        values = {
            "STATUS": Cat(Signal(8), ended), "INSTANT_LO": instant + (self.fault == "instant"),
            "DURATION": duration, "MAP_DATA": (1 << 32) - 1,
            "BLOCKS_BACKGROUND": blocks - (self.fault == "count"),
        }
        with m.Switch(address):
            for name, value in values.items():
                with m.Case(offsets[name]):
                    m.d.sync += csr.dat_r.eq(Mux(wanted, value, 0))
            with m.Case(offsets["INSTANT_HI"]):
                m.d.sync += csr.dat_r.eq(instant >> 32)
            with m.Default():
                m.d.sync += csr.dat_r.eq(0)
        with m.If(wanted & csr.we & (address == offsets["CONTROL"]) & csr.dat_w[0]
                  | self.trigger & ~start):
            m.d.sync += [start.eq(1), ended.eq(0)]


def traffic(rng, count):
    for _ in range(count):
        adr = rng.randrange(PARAMS.memory_size // 4)
        gap = rng.choice([0, 0, 0, 1, 5])
        if rng.random() < 0.6:
            yield write(adr, rng.getrandbits(32), rng.randrange(16), gap=gap, drop=gap == 5)
        else:
            yield read(adr, gap=gap)


async def two_snapshots(bench):
    for _ in range(2):
        await bench.clocks(150)
        await bench.start()
        await bench.end()


def bench_of(fault=None, **options):
    print(f"seed {SEED}")
    rng = pauses.generators(SEED)
    options = {"stall": pauses.sometimes(rng("stall"), 0.2), **options}
    return Bench(PARAMS, unit=StopAndCopy(PARAMS, fault), traffic=traffic(rng("traffic"), 600),
                 latency=pauses.uniform(rng("latency"), 1, 6), **options)


def test_the_plain_unit_keeps_the_contract():
    bench = bench_of().run(two_snapshots).check()
    assert [record.result for record in bench.snapshots] == ["done", "done"]
    assert bench.snapshots[0].instant < bench.snapshots[1].instant
    assert len(bench.initiator.log) > 100


@pytest.mark.parametrize("fault, rules", [
    ("overrun", {"C7"}), ("short", {"C2"}), ("lane", {"C2"}), ("data", {"C2"}), ("read", {"C3"}),
    ("write", {"C3", "C7"}), ("unsteady", {"steady"}), ("count", {"C2"}),
])
def test_a_broken_unit_is_noticed(fault, rules):
    bench = bench_of(fault).run(two_snapshots)
    assert rules <= {violation.rule for violation in bench.violations}
    with pytest.raises(AssertionError, match=f"{sorted(rules)[0]}: "):
        bench.check()


def test_an_instant_off_by_one_is_noticed():
    """A read of the copier at the very T is before the T that the registers tell."""
    violations = bench_of("instant", stall=pauses.never).run(two_snapshots).violations
    assert any(violation.rule == "C7" and "while no snapshot runs" in violation.text
               for violation in violations)


def test_an_error_reported_as_success_is_noticed():
    shadow = PARAMS.shadow_base // 4
    bench = bench_of(errors=errors_at(addresses=[shadow + 9])).run(two_snapshots)
    assert {"C2", "C5"} <= {violation.rule for violation in bench.violations}


def test_a_snapshot_that_never_ends_is_noticed():
    async def script(bench):
        bench.memory.answering = False
        await bench.start()
        await bench.end(limit=100)
        bench.memory.answering = True

    bench = bench_of(patience=2000).run(script)
    assert [violation.rule for violation in bench.violations] == ["C4"]
    assert "has not ended" in str(bench.violations[0])


def test_an_initiator_that_hangs_is_noticed():
    async def script(bench):
        await bench.until(30)
        bench.memory.answering = False
        await bench.clocks(20)

    bench = bench_of(patience=100).run(script)
    assert "the initiator hangs" in str(bench.violations[0])


def test_the_pin_starts_too():
    async def script(bench):
        await bench.start(pin=True)
        await bench.end()

    assert bench_of().run(script).check().snapshots[0].result == "done"


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


def test_a_waveform_is_written(tmp_path):
    path = tmp_path / "run.vcd"
    with open(path, "w") as file:
        bench_of().run(two_snapshots, vcd=file)
    assert "s_wb__cyc" in path.read_text()


def test_bursts_are_marked():
    assert [access.cti for access in burst([read(0), read(1), read(2)])] == [2, 2, 7]
