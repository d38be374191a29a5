"""The copier's ports on AXI4: bursts, answers, giving up; between random requests and a memory."""

import pytest
from axi4_rig import Rig, axi4_params_of
from memsnap.bus.axi4_copy import Axi4CopyReads, Axi4CopyWrites
from memsnap.bus.axi4_sharing import Axi4Sharing
from memsnap_sim.kit import errors_at, pauses

from sim import seeded, simulate, split

SIZE = 1 << 16
SHAPES = [("three_blocks", 8), ("one_beat", 16), ("pages", 64), ("pages", 1), ("wide", 4)]


def runs(rng, params, count):
    """Beats in runs of ascending places, as the copier asks for them."""
    beats = params.memory_size // params.beat_bytes
    while count > 0:
        at, length = rng.randrange(beats), rng.choice([1, 2, rng.randint(1, 100)])
        for beat in range(at, min(beats, at + length, at + count)):
            count -= 1
            yield beat


class Copier:
    """The copier's side of a port: as many requests as fit its buffer, answers in their order."""

    def __init__(self, dut, params, rng, beats, *, pause=0.0, data=None):
        self.dut, self.params, self.rng = dut, params, rng
        self.beats, self.pause, self.data = list(beats), pause, data
        self.taken, self.answers = [], []
        self.owing = []              # in each clock
        self.clock = 0

    async def process(self, ctx):
        dut, at, offered = self.dut, 0, False
        payload = dut.request.payload
        sampled = [dut.request.ready, dut.answer.valid, dut.answer.error, dut.owing]
        if self.data is None:
            sampled.append(dut.answer.data)
        async for _, _, ready, answered, error, owing, *data in ctx.tick().sample(*sampled):
            if offered and ready:
                self.taken.append(self.beats[at])
                at += 1
                offered = False
            if answered:
                assert len(self.answers) < len(self.taken), "an answer to nothing"
                self.answers.append((bool(error), *data))
            self.owing.append(bool(owing))
            self.clock += 1
            # One less than the buffer holds, and in both memories of the shadow's writes
            room = len(self.taken) - len(self.answers) < self.params.buffer_depth - 1
            if not offered and at < len(self.beats) and room and self.rng.random() >= self.pause:
                offered = True
                block, beat = divmod(self.beats[at], self.params.block_beats)
                place = payload if self.data is None else payload.place
                ctx.set(place.block, block)
                ctx.set(place.beat, beat)
                if self.data is not None:
                    ctx.set(payload.data, self.data[at])
            ctx.set(dut.request.valid, offered)

    @property
    def is_done(self):
        return len(self.answers) == len(self.beats)


def check_bursts(params, memory, base, beats):
    """Every beat once, in order, in bursts of whole words within aligned chunks."""
    seen = []
    for burst in memory.transactions:
        assert (1 << burst.size, burst.cache, burst.prot, burst.lock, burst.qos) == (
            params.beat_bytes, 2, 1, 0, 0)
        assert burst.addr % params.beat_bytes == 0
        first = (burst.addr - base) // params.beat_bytes
        assert first // params.burst_beats == (first + burst.beats - 1) // params.burst_beats
        assert burst.addr >> 12 == burst.addr + burst.beats * params.beat_bytes - 1 >> 12
        seen += range(first, first + burst.beats)
    assert seen == beats


def image(rng):
    return rng.randbytes(SIZE)


def memory_options(rng, disorder):
    if not disorder:
        return {"latency": 5}
    return {"latency": pauses.uniform(split(rng), 1, 12),
            "stall": pauses.sometimes(split(rng), 0.3), "aw_after_w": True, "after_valid": True}


@pytest.mark.parametrize("disorder", [False, True], ids=["plain", "disorderly"])
@pytest.mark.parametrize("shape, burst_beats", SHAPES)
def test_reads(shape, burst_beats, disorder):
    rng = seeded(burst_beats)
    params = axi4_params_of(shape, burst_beats=burst_beats, buffer_depth=64)
    dut, content = Axi4CopyReads(params), image(rng)
    first = params.memory_base // params.beat_bytes
    beats = list(runs(rng, params, 250))
    wrong = {rng.choice(beats) + first for _ in range(3)}
    rig = Rig(dut, [], (dut.bus, content, {**memory_options(rng, disorder),
                                           "errors": errors_at(addresses=wrong)}))
    copier = Copier(dut, params, split(rng), beats, pause=0.2 * disorder)

    async def script(ctx):
        while not copier.is_done:
            ctx.set(dut.urgent, disorder and rng.getrandbits(1))
            ctx.set(dut.single, disorder and rng.getrandbits(1))
            await ctx.tick()
            assert copier.clock < 6000
    rig.run(script, processes=[copier.process])
    check_bursts(params, rig.memory, params.memory_base, beats)
    words = rig.memory.words
    for beat, (error, data) in zip(beats, copier.answers, strict=True):
        assert error == (first + beat in wrong)
        assert error or data == words[first + beat]


@pytest.mark.parametrize("disorder", [False, True], ids=["plain", "disorderly"])
@pytest.mark.parametrize("shape, burst_beats", SHAPES)
def test_writes(shape, burst_beats, disorder):
    rng = seeded(burst_beats)
    params = axi4_params_of(shape, burst_beats=burst_beats, buffer_depth=64)
    dut = Axi4CopyWrites(params)
    beats = list(runs(rng, params, 250))
    data = [rng.getrandbits(params.data_width) for _ in beats]
    nth = {rng.randrange(250) for _ in range(2)}
    rig = Rig(dut, [], (dut.bus, bytes(SIZE), {**memory_options(rng, disorder),
                                               "errors": errors_at(nth=nth)}), strict=True)
    copier = Copier(dut, params, split(rng), beats, pause=0.2 * disorder, data=data)

    async def script(ctx):
        while not copier.is_done:
            ctx.set(dut.single, disorder and rng.getrandbits(1))
            await ctx.tick()
            assert copier.clock < 6000
    rig.run(script, processes=[copier.process])
    check_bursts(params, rig.memory, params.shadow_base, beats)
    assert [each for burst in rig.memory.transactions for each in burst.data] == data
    whole = (1 << params.beat_bytes) - 1
    assert all(strobe == whole for burst in rig.memory.transactions for strobe in burst.strobes)
    failed = [burst.responses[0].name != "OKAY" for burst in rig.memory.transactions
              for _ in range(burst.beats)]
    assert [error for error, in copier.answers] == failed and any(failed)


@pytest.mark.parametrize("clock", range(1, 50, 6))
@pytest.mark.parametrize("half", [Axi4CopyReads, Axi4CopyWrites])
def test_giving_up(half, clock):
    """A memory falls silent: each request is answered with an error, nothing is taken until all has
    come that is owed, and then all is as before."""
    rng = seeded(clock)
    params = axi4_params_of("pages", burst_beats=8, buffer_depth=64)
    dut = half(params)
    beats = [*range(clock), *range(100, 220)]
    data = None if half is Axi4CopyReads else [rng.getrandbits(32) for _ in beats]
    memory = {"latency": 6, "stall": pauses.sometimes(split(rng), 0.1)}
    rig = Rig(dut, [], (dut.bus, image(rng), memory), strict=True)
    copier = Copier(dut, params, split(rng), beats, data=data)

    async def script(ctx):
        await ctx.tick().repeat(clock)
        rig.memory.answering = False
        await ctx.tick().repeat(40)
        before = len(copier.answers)
        ctx.set(dut.abort, 1)
        await ctx.tick()
        ctx.set(dut.abort, 0)
        await ctx.tick()
        pending = len(copier.taken) - before
        while ctx.get(dut.aborting):
            await ctx.tick()
        await ctx.tick()
        given_up = copier.answers[before:before + pending]
        assert len(given_up) == pending and all(error for error, *_ in given_up)
        taken = len(copier.taken)
        was_owing = ctx.get(dut.owing)
        await ctx.tick().repeat(10)
        assert not was_owing or len(copier.taken) == taken
        rig.memory.answering = True
        while ctx.get(dut.owing) or not copier.is_done:
            await ctx.tick()
            assert copier.clock < 2000
        behind = copier.answers[before + pending:]
        assert behind and not any(error for error, *_ in behind)
        first = (params.memory_base if data is None else params.shadow_base) // 4
        words = rig.memory.words
        for beat, answer, value in zip(beats[-len(behind):], behind,
                                       (data or [None] * len(beats))[-len(behind):], strict=True):
            assert words[first + beat] == (answer[1] if data is None else value)
    rig.run(script, processes=[copier.process])


def test_a_beat_a_clock():
    """Both halves keep that rate, in bursts of the longest kind."""
    params = axi4_params_of("pages", buffer_depth=128)
    for half, data in (Axi4CopyReads, None), (Axi4CopyWrites, [7] * 512):
        dut = half(params)
        rig = Rig(dut, [], (dut.bus, bytes(SIZE), {"latency": 16, "max_in_flight": 256}))
        copier = Copier(dut, params, seeded(1), range(512), data=data)

        async def script(ctx, copier=copier):
            while not copier.is_done:
                await ctx.tick()
        rig.run(script, processes=[copier.process])
        assert copier.clock < 512 + 3 * 16
        assert {burst.beats for burst in rig.memory.transactions} == {8}


@pytest.mark.parametrize("half", [Axi4CopyReads, Axi4CopyWrites])
def test_single_beats(half):
    """Bursts of one beat, at a beat a clock."""
    params = axi4_params_of("pages", buffer_depth=64)
    dut = half(params)
    rig = Rig(dut, [], (dut.bus, bytes(SIZE), {"latency": 16, "max_in_flight": 256}))
    copier = Copier(dut, params, seeded(1), range(512),
                    data=None if half is Axi4CopyReads else [7] * 512)

    async def script(ctx):
        ctx.set(dut.single, 1)
        while not copier.is_done:
            await ctx.tick()
    rig.run(script, processes=[copier.process])
    assert {burst.beats for burst in rig.memory.transactions} == {1}
    assert copier.clock < 512 + 3 * 16


def test_single_writes_do_not_queue():
    """No more than two are announced ahead of their data, however slowly that goes."""
    params = axi4_params_of("pages", buffer_depth=64)
    dut = Axi4CopyWrites(params)
    stall = pauses.sometimes(seeded(1), 0.5)
    rig = Rig(dut, [], (dut.bus, bytes(SIZE), {"stall": {"w": stall}}), strict=True)
    copier = Copier(dut, params, seeded(1), range(256), data=[7] * 256)
    ahead = []

    async def watch(ctx):
        bus, count, stands = dut.bus, 0, False
        async for _, _, aw, aw_taken, w, w_taken in ctx.tick().sample(
                bus.awvalid, bus.awready, bus.wvalid, bus.wready):
            count += aw and not stands
            stands = aw and not aw_taken
            ahead.append(count)
            count -= w and w_taken

    async def script(ctx):
        ctx.set(dut.single, 1)
        while not copier.is_done:
            await ctx.tick()
    rig.run(script, processes=[copier.process, watch])
    assert max(ahead) == 2


def single_clocks(clocks, *, asked, waits=(), beats=()):
    """The clocks in which single beats are wanted."""
    seen = []

    async def script(pins):
        for clock in range(clocks):
            pins.drive(asked=clock in asked, waits=clock in waits, beat=clock in beats)
            if pins.single:
                seen.append(clock)
            await pins.tick()
    simulate(Axi4Sharing(), script)
    return seen


def test_initiators_are_remembered():
    """For 1024 clocks from the last address on."""
    assert single_clocks(2200, asked=(10, 40, 1100)) == [
        *range(11, 40 + 1025), *range(1101, 1100 + 1025)]


def test_a_slow_memory():
    """32 clocks without a beat, less those with one, as counted two clocks before; 31 more of
    them are remembered."""
    always = range(1000)
    assert single_clocks(300, asked=always, waits=range(10, 30), beats=range(20, 30)) == [
        *range(1, 300)]
    assert single_clocks(300, asked=always, waits=range(10, 110), beats=range(120, 160)) == [
        *range(1, 10 + 34), *range(120 + 34, 300)]
    assert single_clocks(300, asked=always, waits=range(10, 200), beats=range(10, 200, 2)) == [
        *range(1, 300)]


def test_what_does_not_go_on_is_sent_in_time():
    """A run that gets no more beats is sent after 8 clocks; in its beat's clock, if urgent."""
    for urgent, clocks in (0, 10), (1, 1):
        params = axi4_params_of("pages")
        dut = Axi4CopyReads(params)
        rig = Rig(dut, [], (dut.bus, bytes(SIZE), {}))
        copier = Copier(dut, params, seeded(1), [3])

        async def script(ctx, urgent=urgent, dut=dut, copier=copier):
            ctx.set(dut.urgent, urgent)
            while not copier.is_done:
                await ctx.tick()
        rig.run(script, processes=[copier.process])
        assert rig.memory.transactions[0].accepted == clocks
