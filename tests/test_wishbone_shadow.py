"""The port to a separate shadow in every clock, between a random copier and a random memory."""

from collections import deque

import pytest
from memsnap.bus.wishbone_shadow import WishboneShadowPort

from sim import params_of, seeded, simulate


@pytest.mark.parametrize("features", [(), {"rty"}], ids=["plain", "rty"])
@pytest.mark.parametrize("pipelined", [True, False], ids=["pipelined", "classic"])
def test_every_clock(pipelined, features):
    rng = seeded(7)
    params = params_of("three_blocks", shadow="separate", pipelined=pipelined, features=features,
                       max_in_flight=4)
    kinds = ["ack", "ack", "ack", "err", *features]

    async def script(pins):
        in_flight = deque()
        giving_up = 0              # requests that are still to be answered with err
        seen = set()
        expired = False            # the abort of the clock before
        for _ in range(4000):
            port = pins.write
            if not port.stb and rng.random() < 0.7:
                port.drive(cyc=1, stb=1, we=1, adr=rng.randrange(64), sel=15,
                           dat_w=rng.getrandbits(32))
            elif not port.stb:
                port.cyc = 0
            aborting = giving_up > 0 or expired
            assert pins.aborting == aborting
            room = len(in_flight) < params.max_in_flight
            requests = port.stb and room and not aborting
            assert pins.m.stb == requests
            owed = in_flight if pipelined else requests
            if pipelined:
                pins.m.stall = rng.random() < 0.3
            kind = rng.choice(kinds) if owed and not aborting and rng.random() < 0.5 else None
            for name in {*kinds}:
                setattr(pins.m, name, name == kind)
            if requests:
                for name in "adr", "dat_w", "sel", "we":
                    assert getattr(pins.m, name) == getattr(port, name)
            assert pins.m.cyc == ((port.cyc or bool(in_flight)) and not aborting)
            failed = kind in ("err", "rty") or (aborting and (bool(in_flight) or not pipelined))
            assert port.ack == (kind == "ack") and port.err == failed
            taken = requests and (not pins.m.stall if pipelined else bool(kind))
            if pipelined:
                assert port.stall == (bool(pins.m.stall) or not room or aborting)
            pins.abort = rng.random() < 0.02 and not aborting
            assert pins.waiting == (bool(requests or in_flight) and not taken and not kind)
            # What follows
            if in_flight and (kind or aborting):
                in_flight.popleft()
            if taken and pipelined:
                in_flight.append(1)
            if pipelined:
                giving_up = len(in_flight) if (pins.abort or aborting) else 0
                expired = bool(pins.abort)
            else:
                expired = bool(pins.abort and requests and not kind)
            seen.update({kind} | ({"aborted"} if failed and not kind else set()))
            taken = taken or (aborting and not pipelined and failed)
            await pins.tick()
            if taken:
                port.stb = 0
        assert seen >= {*kinds, "aborted"}

    simulate(WishboneShadowPort(params), script)
