"""The copier's port: places become addresses, answers come back in order, one each."""

from collections import deque

import pytest
from memsnap.bus.wishbone_copy import WishboneCopyPort

from sim import params_of, seeded, simulate


class Half:
    """One direction: requests of the copier, the bus, and the answers."""

    def __init__(self, pins, params, rng, *, write):
        self.request = pins.write if write else pins.read
        self.answer = pins.write_answer if write else pins.read_answer
        self.bus = pins.write_bus if write else pins.read_bus
        self.params, self.rng, self.write = params, rng, write
        self.base = (params.shadow_base if write else params.memory_base) // params.beat_bytes
        self.kinds = ["ack", "ack", "err", *params.features & {"rty"}]
        self.due = deque()        # pipelined: requests that the bus took
        self.given = None         # classic: the answer of the clock before
        self.place = self.data = None
        self.served = 0

    def ask(self):
        rng, params = self.rng, self.params
        if self.request.valid or rng.random() < 0.3:
            return
        self.place = rng.randrange(params.blocks), rng.randrange(params.block_beats)
        self.data = rng.getrandbits(params.data_width)
        place = {"block": self.place[0], "beat": self.place[1]}
        self.request.payload = {"place": place, "data": self.data} if self.write else place
        self.request.valid = 1

    def serve(self):
        """The bus, in this clock; returns whether it took the request."""
        bus, rng, params = self.bus, self.rng, self.params
        asking = self.request.valid
        assert bus.cyc == bus.stb == asking
        if asking:
            block, beat = self.place
            assert bus.adr == self.base + block * params.block_beats + beat
            assert bus.we == self.write
            assert bus.sel == (1 << params.beat_bytes) - 1
            assert not self.write or bus.dat_w == self.data
            for name in params.features - {"rty"}:
                assert int(getattr(bus, name) if name == "lock" else
                           getattr(bus, name).value) == 0
        if params.pipelined:
            bus.stall = rng.random() < 0.3
            kind = rng.choice(self.kinds) if self.due and rng.random() < 0.6 else None
        else:
            kind = rng.choice(self.kinds) if asking and rng.random() < 0.6 else None
        for name in {*self.kinds}:
            setattr(bus, name, name == kind)
        bus.dat_r = rng.getrandbits(params.data_width)
        now = (kind != "ack", bus.dat_r) if kind else None
        expected = now if params.pipelined else self.given
        assert self.answer.valid == (expected is not None)
        if expected:
            assert self.answer.error == expected[0]
            assert self.write or self.answer.data == expected[1]
            self.served += 1
        self.given = now
        taken = asking and (not bus.stall if params.pipelined else kind is not None)
        assert not asking or self.request.ready == taken
        if params.pipelined and kind:
            self.due.popleft()
        if params.pipelined and taken:
            self.due.append(self.place)
        return taken


@pytest.mark.parametrize("shape, features", [
    ("tiny", set()), ("three_blocks", {"rty", "lock", "cti", "bte"}), ("one_beat", {"rty"}),
    ("long_blocks", {"cti"})])
@pytest.mark.parametrize("pipelined", [True, False], ids=["pipelined", "classic"])
def test_random(pipelined, shape, features):
    """Both directions at once; no clock lost, or one for the answer in the classic form."""
    rng = seeded(len(shape))
    params = params_of(shape, pipelined=pipelined, features=features)

    async def script(pins):
        halves = [Half(pins, params, rng, write=write) for write in (False, True)]
        for _ in range(800):
            taken = []
            for half in halves:
                half.ask()
                taken.append(half.serve())
            await pins.tick()
            for half, was_taken in zip(halves, taken, strict=True):
                if was_taken:
                    half.request.valid = 0
        assert all(half.served > 100 for half in halves)

    simulate(WishboneCopyPort(params), script)


def test_reset_forgets_an_answer():
    """In the classic form a reset in the clock of the answer leaves none behind."""
    params = params_of("tiny", pipelined=False)

    async def script(pins):
        pins.read.valid = 1
        pins.read_bus.ack = 1
        pins.rst = 1
        await pins.tick()
        pins.rst = 0
        assert not pins.read_answer.valid

    simulate(WishboneCopyPort(params), script)
