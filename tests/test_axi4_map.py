"""The port of a copy map in the memory on AXI4; and what tells that a memory is silent."""

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from axi4_rig import Rig, axi4_params_of
from memsnap.bus import axi4
from memsnap.bus.axi4_map import Axi4MapPort
from memsnap.bus.axi4_silence import Axi4Silence
from memsnap_sim.kit import errors_at, pauses

from sim import seeded, simulate, split

SIZE = 1 << 16


class Map:
    """Asks for rows, and takes the answers in their order."""

    def __init__(self, dut, requests, rng, most):
        self.dut, self.requests, self.rng, self.most = dut, requests, rng, most
        self.taken, self.answers, self.clock = [], [], 0

    async def process(self, ctx):
        dut, offered, at = self.dut, False, 0
        async for _, _, ready, valid, error, data in ctx.tick().sample(
                dut.request.ready, dut.answer.valid, dut.answer.error, dut.answer.data):
            if offered and ready:
                self.taken.append(self.requests[at])
                at, offered = at + 1, False
            if valid:
                assert len(self.answers) < len(self.taken)
                self.answers.append((bool(error), data))
            self.clock += 1
            if not offered and at < len(self.requests) and self.rng.random() < 0.7:
                row, we, value = self.requests[at]
                # A read waits until no other is on its way
                reads = [each for each in self.taken[len(self.answers):] if not each[1]]
                offered = we or not reads
                if offered:
                    ctx.set(dut.request.payload, {"row": row, "we": we, "data": value})
            ctx.set(dut.request.valid, offered)


@pytest.mark.parametrize("data_width", [32, 64, 128, 512])
@pytest.mark.parametrize("disorder", [False, True], ids=["plain", "disorderly"])
def test_rows(data_width, disorder):
    """Each row is in its four bytes, its neighbours stay as they are."""
    rng = seeded(data_width)
    params = axi4_params_of("pages", data_width=data_width, block_size=64, map="memory")
    content = rng.randbytes(SIZE)
    requests = [(rng.randrange(params.map_rows), rng.random() < 0.6, rng.getrandbits(32))
                for _ in range(80)]
    dut = Axi4MapPort(params)
    options = {"latency": 4, "errors": errors_at(nth=[rng.randrange(60) for _ in range(3)])}
    if disorder:
        options |= {"stall": pauses.sometimes(split(rng), 0.3), "aw_after_w": True,
                    "latency": pauses.uniform(split(rng), 1, 9)}
    rig = Rig(dut, [], (dut.bus, content, options))
    asker = Map(dut, requests, split(rng), params.max_in_flight)

    async def script(ctx):
        while len(asker.answers) < len(requests):
            await ctx.tick()
            assert asker.clock < 4000
    rig.run(script, processes=[asker.process])

    rows = bytearray(content[params.map_base:params.map_base + 4 * params.map_rows])
    failed = 0
    for (row, we, value), (error, data) in zip(requests, asker.answers, strict=True):
        failed += error
        at = slice(4 * row, 4 * row + 4)
        if we and not error:
            rows[at] = value.to_bytes(4, "little")
        elif not we and not error:
            lane = (params.map_base + 4 * row) % params.beat_bytes
            assert (data >> 8 * lane) & 0xffffffff == int.from_bytes(rows[at], "little")
    assert failed
    expected = bytearray(content)
    expected[params.map_base:params.map_base + 4 * params.map_rows] = rows
    assert rig.memory.image == bytes(expected)


def test_giving_up():
    rng = seeded(1)
    params = axi4_params_of("pages", block_size=64, map="memory")
    requests = [(row, True, row) for row in range(6)] + [(3, False, 0), (4, True, 9), (4, False, 0)]
    dut = Axi4MapPort(params)
    rig = Rig(dut, [], (dut.bus, bytes(SIZE), {"latency": 3}))
    asker = Map(dut, requests, split(rng), params.max_in_flight)

    async def script(ctx):
        rig.memory.answering = False
        await ctx.tick().repeat(20)
        assert not asker.answers
        ctx.set(dut.abort, 1)
        await ctx.tick()
        ctx.set(dut.abort, 0)
        while ctx.get(dut.aborting) or not asker.answers:
            await ctx.tick()
        assert all(error for error, _ in asker.answers)
        rig.memory.answering = True
        while ctx.get(dut.owing) or len(asker.answers) < len(requests):
            await ctx.tick()
            assert asker.clock < 500
        error, data = asker.answers[-1]
        assert not error and data == 9
    rig.run(script, processes=[asker.process])


class Watched(wiring.Component):
    def __init__(self, params):
        self._params = params
        super().__init__({"bus": In(axi4.Signature.of(params, id_width=1).flip().flip()),
                          "waiting": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.silence = silence = Axi4Silence(self.bus, self._params)
        m.d.comb += self.waiting.eq(silence.waiting)
        return m


def test_silence():
    """Something is offered or owed, and the memory neither takes nor gives anything."""
    async def script(pins):
        bus = pins.bus
        assert not pins.waiting
        bus.arvalid = 1
        assert pins.waiting
        bus.arready = 1
        assert not pins.waiting
        await pins.tick()
        bus.drive(arvalid=0, arready=0)
        for beat in range(3):              # a beat, then silence until the last has come
            assert pins.waiting
            bus.drive(rvalid=1, rlast=beat == 2)
            assert not pins.waiting
            bus.rready = 1
            await pins.tick()
            bus.drive(rvalid=0, rready=0)
        assert not pins.waiting
        bus.drive(awvalid=1, awready=1)
        await pins.tick()
        bus.drive(awvalid=0, awready=0, wvalid=1)
        assert pins.waiting
        bus.wready = 1
        assert not pins.waiting
        await pins.tick()
        bus.drive(wvalid=0, wready=0)
        assert pins.waiting
        bus.bvalid = 1                     # the manager's fault, not the memory's
        assert not pins.waiting
        bus.bready = 1
        await pins.tick()
        bus.drive(bvalid=0, bready=0)
        assert not pins.waiting
    simulate(Watched(axi4_params_of("three_blocks")), script)
