"""The arbiter in every clock against its order, between three random initiators and a memory."""

from collections import deque

import pytest
from memsnap.bus.wishbone_arbiter import WishboneArbiter

from sim import params_of, seeded, simulate

NAMES = ("gate", "read", "write")
COPIER = {"read", "write"}
FEATURES = {"rty", "lock", "cti", "bte"}


class Bench:
    """Three initiators, the memory, and a model of who must win."""

    def __init__(self, pins, params, rng):
        self.pins, self.params, self.rng = pins, params, rng
        self.ports = {name: getattr(pins, name) for name in NAMES}
        self.fields = ["we", "adr", "dat_w", "sel", *sorted(params.features & {"cti", "bte"})]
        self.kinds = ["ack"] * 5 + ["err", *params.features & {"rty"}]
        self.gave_up = False      # what was taken was not taken by the memory
        self.kept = None          # who has a request that the memory has not taken
        self.denied = 0           # clocks in which the copier asked in vain
        self.share = 0            # what it was in the first of these
        self.in_flight = deque()
        self.aborting = False
        self.busy = 0.5
        self.seen = set()

    def requests(self):
        """New requests; a request stays as it is until it is taken, or given up."""
        rng, params = self.rng, self.params
        for number, (name, port) in enumerate(self.ports.items()):
            if port.stb and rng.random() < 0.03 and not self.aborting:
                port.drive(stb=0, cyc=name in self.in_flight)
                self.seen.add("given up")
            elif not port.stb and rng.random() < self.busy:
                port.drive(cyc=1, stb=1, we=name == "write" or rng.getrandbits(1),
                           adr=rng.randrange(1 << params.adr_width - 2) << 2 | number,
                           dat_w=rng.getrandbits(params.data_width),
                           sel=rng.getrandbits(params.beat_bytes))
                for field in params.features & {"cti", "bte", "lock"}:
                    setattr(port, field, rng.getrandbits(1) if name == "gate" else 0)
        self.asking = {name for name, port in self.ports.items() if port.stb}
        self.pins.urgent = rng.random() < 0.1
        kept = self.kept == "gate"
        self.pins.comes = (kept or rng.random() < 0.9 if "gate" in self.asking
                           else not kept and rng.random() < 0.1)

    def cycle(self):
        return bool(self.in_flight) or any(port.cyc for port in self.ports.values())

    def winners(self):
        """Who may have the port in this clock."""
        asking, copier = self.asking, self.asking & COPIER
        share = self.share
        if self.kept in asking:
            return {self.kept}
        if copier and self.pins.urgent:
            return {"read"} & copier or copier
        if copier and share and self.denied >= share:
            self.seen.add("share")
            return copier
        if self.pins.comes:     # the others wait, whether it makes a request or not
            self.seen.add("comes" if "gate" in asking else "comes, and makes none")
            return {"gate"} & asking
        return {"write"} & copier or copier or asking

    def forwarded(self):
        """Who has the port: the owner of the request that the memory sees."""
        pins = self.pins
        owner = NAMES[pins.m.adr & 3]
        assert owner in self.winners(), (owner, self.winners())
        for field in self.fields:
            assert getattr(pins.m, field) == getattr(self.ports[owner], field), field
        return owner

    def answer(self, kind):
        for name in {*self.kinds}:
            setattr(self.pins.m, name, name == kind)
        self.pins.m.dat_r = self.rng.getrandbits(self.params.data_width)

    def answered(self, owner, kind):
        """The owner gets the answer, nobody else gets any."""
        for name, port in self.ports.items():
            got = [each for each in sorted({*self.kinds}) if getattr(port, each)]
            assert got == ([kind] if name == owner and kind else []), name
            assert port.dat_r == self.pins.m.dat_r

    async def tick(self, owner, taken):
        """Ends a clock in which ``owner`` made its request at the port."""
        self.kept = owner if not taken else None
        if not self.asking & COPIER or owner in COPIER and taken and not self.gave_up:
            self.denied = 0
        else:
            if self.denied == 0:
                self.share = self.pins.share     # counts until the copier comes first
            self.denied += 1
        await self.pins.tick()
        if taken:
            self.ports[owner].stb = 0
        for name, port in self.ports.items():
            port.cyc = bool(port.stb) or name in self.in_flight

    async def clock_pipelined(self):
        pins, rng = self.pins, self.rng
        self.requests()
        pins.abort = rng.random() < 0.02
        pins.m.stall = rng.random() < 0.3
        due = bool(self.in_flight) and rng.random() < 0.4
        kind = rng.choice(self.kinds) if due else None   # while aborting: a late one
        self.answer(kind)
        full = len(self.in_flight) == self.params.max_in_flight
        assert pins.aborting == self.aborting
        assert pins.m.stb == (bool(self.winners()) and not full and not self.aborting)
        assert pins.m.cyc == (not self.aborting and self.cycle())
        owner = self.forwarded() if pins.m.stb else None
        taken = owner is not None and not pins.m.stall
        for name in self.asking:
            assert self.ports[name].stall == (not taken or name != owner)
        if self.aborting:
            self.answered(self.in_flight[0] if self.in_flight else None, "err")
        else:
            self.answered(self.in_flight[0] if due else None, kind)
            owed = pins.m.stb or self.in_flight
            assert pins.waiting == bool(owed and not taken and not due)
        self.seen.update({"full"} if full else {"aborted"} if self.aborting else ())
        left = len(self.in_flight)
        if self.in_flight and (due or self.aborting):
            self.in_flight.popleft()
        self.aborting = bool(pins.abort or self.aborting and left > 1)
        if taken:
            self.in_flight.append(owner)
        await self.tick(owner, taken)

    async def clock_classic(self):
        pins, rng = self.pins, self.rng
        self.requests()
        pins.abort = rng.random() < 0.05
        self.answer(None)
        rests = self.kept is not None and self.kept not in self.asking
        assert pins.aborting == self.aborting
        assert pins.m.stb == (bool(self.winners()) and not rests and not self.aborting)
        assert pins.m.cyc == (self.cycle() and not rests and not self.aborting)
        owner = self.forwarded() if pins.m.stb else None
        kind = rng.choice(self.kinds) if owner and rng.random() < 0.4 else None
        assert pins.waiting == bool(owner)
        self.answer(kind)
        assert pins.waiting == bool(owner and not kind)
        self.gave_up = self.aborting
        if self.aborting:
            owner = self.kept if self.kept in self.asking else None
            self.answered(owner, "err" if owner else None)
            self.aborting, taken = False, owner is not None
            self.seen.add("aborted")
        else:
            self.answered(owner, kind)
            taken = kind is not None
            self.aborting = bool(pins.abort and owner in COPIER and not kind)
        if rests:   # a late answer
            self.answer("ack")
            self.answered(None, None)
        await self.tick(owner, taken)


@pytest.mark.parametrize("shape, features", [
    ("tiny", set()), ("three_blocks", FEATURES), ("long_blocks", {"rty"})])
@pytest.mark.parametrize("pipelined", [True, False], ids=["pipelined", "classic"])
def test_random(pipelined, shape, features):
    rng = seeded(len(shape))
    params = params_of(shape, pipelined=pipelined, features=features, max_in_flight=2)

    async def script(pins):
        bench = Bench(pins, params, rng)
        clock = bench.clock_pipelined if pipelined else bench.clock_classic
        for share in 0, 1, 5, 20:
            while bench.aborting:      # then nobody takes a request back
                await clock()
            for name in NAMES:
                bench.ports[name].stb = 0
            bench.busy = 0
            for _ in range(20):
                await clock()
            pins.share = share
            bench.busy = rng.choice([0.3, 0.9])
            for _ in range(600):
                await clock()
        assert {"aborted", "share", "given up", "comes", "comes, and makes none"} <= bench.seen
        assert not pipelined or "full" in bench.seen

    simulate(WishboneArbiter(params), script)


@pytest.mark.parametrize("share", [0, 1, 7])
def test_share_of_a_busy_port(share):
    """With a request of the initiator in every clock the copier gets one clock in share + 1."""
    params = params_of("long_blocks")

    async def script(pins):
        pins.drive(share=share, comes=1)
        pins.gate.drive(cyc=1, stb=1, adr=0)
        pins.write.drive(cyc=1, stb=1, we=1, adr=2)
        served = ""
        for clock in range(80):
            pins.m.ack = clock > 0
            served += ".r"[pins.m.adr == 2]
            await pins.tick()
        assert served == ("." * share + "r" if share else ".") * (80 // (share + 1))

    simulate(WishboneArbiter(params), script)


@pytest.mark.parametrize("pipelined", [True, False], ids=["pipelined", "classic"])
def test_lock_holds_through_the_copiers_clocks(pipelined):
    """Other masters stay out of a locked sequence, also while the copier has the port."""
    params = params_of("long_blocks", pipelined=pipelined, features={"lock"})

    async def script(pins):
        pins.gate.drive(cyc=1, lock=1)
        pins.read.drive(cyc=1, stb=1, adr=5)
        assert pins.m.stb and pins.m.adr == 5 and pins.m.cyc
        assert pins.m.lock
        pins.gate.drive(cyc=0, lock=0)
        assert not pins.m.lock

    simulate(WishboneArbiter(params), script)
