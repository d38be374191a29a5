"""The join of several gates in every clock, between random initiators and a random memory."""

from collections import deque

import pytest
from memsnap.bus.wishbone import CycleType
from memsnap.bus.wishbone_join import WishboneJoin

from sim import Pins, params_of, seeded, simulate

FEATURES = {"rty", "lock", "cti", "bte"}
IN_BURST = {CycleType.CONST_BURST.value, CycleType.INCR_BURST.value}


class Bench:
    """The initiators, the memory, and what the join has promised."""

    def __init__(self, pins, dut, params, rng):
        self.pins, self.params, self.rng = pins, params, rng
        self.ports = [Pins(pins._ctx, gate) for gate in dut.gates]
        self.fields = ["we", "adr", "dat_w", "sel", *sorted(params.features & {"cti", "bte"})]
        self.kinds = ["ack"] * 5 + ["err", *params.features & {"rty"}]
        self.in_flight = deque()
        self.waiting = None        # the port whose request waits at the memory
        self.passed = [0] * params.ports    # requests of others taken while this one waited
        self.keeper = None         # who may not be passed over
        self.last = None           # whose request was taken last, if it was in a burst
        self.seen = set()

    def requests(self):
        rng, params = self.rng, self.params
        for number, port in enumerate(self.ports):
            if port.stb and rng.random() < 0.02:
                # A gate keeps its cycle while answers are due to it
                port.drive(stb=0, cyc=number in self.in_flight, **self.lock(0))
            elif not port.stb and rng.random() < 0.6:
                port.drive(cyc=1, stb=1, we=rng.getrandbits(1), dat_w=rng.getrandbits(32),
                           adr=rng.randrange(1 << params.adr_width - 2) << 2 | number,
                           sel=rng.getrandbits(params.beat_bytes))
                port.drive(**self.lock(rng.random() < 0.2))
                if "cti" in params.features:
                    port.cti = rng.choice([0, 1, 2, 7])
            elif not port.stb and number not in self.in_flight and rng.random() < 0.3:
                port.drive(cyc=0, **self.lock(0))

    def lock(self, value):
        return {"lock": value} if "lock" in self.params.features else {}

    def has_more(self, number):
        """Whether what port ``number`` had taken last belongs to more."""
        port = self.ports[number]
        return port.cyc and (("lock" in self.params.features and port.lock and self.locking)
                             or self.last == number)

    async def clock(self):
        pins, rng, params = self.pins, self.rng, self.params
        self.requests()
        if self.keeper is not None and not self.has_more(self.keeper):
            self.keeper = None
        asking = [number for number, port in enumerate(self.ports) if port.cyc and port.stb]
        left_burst = self.last is not None and not self.ports[self.last].cyc
        pipelined = params.pipelined
        if pipelined:
            room = len(self.in_flight) < params.max_in_flight
            pins.m.stall = rng.random() < 0.3 or not room
        kind = None
        if (self.in_flight if pipelined else pins.m.stb) and rng.random() < 0.5:
            kind = rng.choice(self.kinds)
        for name in {*self.kinds}:
            setattr(pins.m, name, name == kind)
        given_up = self.waiting is not None and self.waiting not in asking
        if (left_burst or given_up) and not pipelined:
            assert not pins.m.cyc and not pins.m.stb
            self.seen.add("a burst is ended" if left_burst else "given up")
            kind = None
            for name in {*self.kinds}:
                setattr(pins.m, name, 0)
            self.last = None
        else:
            assert pins.m.cyc == any(port.cyc for port in self.ports)
        owner = self.winner(asking) if pins.m.stb else None
        taken = owner is not None and (not pins.m.stall if pipelined else kind is not None)
        home = (self.in_flight[0] if pipelined else owner) if kind else None
        for number, port in enumerate(self.ports):
            for name in {*self.kinds}:
                assert getattr(port, name) == (kind == name and number == home)
            if pipelined and number in asking:
                assert port.stall == (not (taken and number == owner))
        self.follow(asking, owner, taken)
        if pipelined and kind:
            self.in_flight.popleft()
        if pipelined and taken:
            self.in_flight.append(owner)
        await pins.tick()
        if taken:
            self.ports[owner].stb = 0

    def winner(self, asking):
        """The owner of the request at the memory: allowed, and unchanged."""
        pins = self.pins
        owner = pins.m.adr & 3
        assert owner in asking
        for field in self.fields:
            assert getattr(pins.m, field) == getattr(self.ports[owner], field), field
        if self.keeper is not None:
            assert owner == self.keeper
            self.seen.add("kept")
        elif self.waiting in asking:
            assert owner == self.waiting
            self.seen.add("waited")
        return owner

    def follow(self, asking, owner, taken):
        pins, params = self.pins, self.params
        self.waiting = owner if owner is not None and not taken else None
        for number in range(params.ports):
            if number not in asking or number == owner:
                self.passed[number] = 0
            elif taken:
                self.passed[number] += 1
                if not params.features:
                    assert self.passed[number] < params.ports, "a port waits out of turn"
        if taken:
            self.locking = True
            burst = (not params.pipelined and "cti" in params.features
                     and pins.m.cti.value in IN_BURST)
            self.last = owner if burst else None
            self.keeper = owner if self.has_more(owner) else None
            self.seen.add(owner)


@pytest.mark.parametrize("features", [(), FEATURES], ids=["plain", "all signals"])
@pytest.mark.parametrize("pipelined", [True, False], ids=["pipelined", "classic"])
@pytest.mark.parametrize("ports", [2, 3, 4])
def test_every_clock(ports, pipelined, features):
    rng = seeded(ports)
    params = params_of("three_blocks", ports=ports, jobs=5, pipelined=pipelined, features=features,
                       max_in_flight=4)
    dut = WishboneJoin(params)

    async def script(pins):
        bench = Bench(pins, dut, params, rng)
        for _ in range(3000):
            await bench.clock()
        wanted = {*range(ports), "waited"} | ({"kept"} if features else set())
        if features and not pipelined:
            wanted |= {"a burst is ended"}
        if not pipelined:
            wanted |= {"given up"}
        assert bench.seen >= wanted

    simulate(dut, script)
