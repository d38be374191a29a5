"""The stage for the copier's addresses against a queue of one."""

import pytest
from memsnap.bus.axi4_skid import AddressSkid

from sim import seeded, simulate

#: How often the memory's port takes an address.
TAKES = {"always": 1, "sometimes": 0.4, "seldom": 0.1}


@pytest.mark.parametrize("takes", TAKES)
def test_addresses_in_order(takes):
    """Each passes once, in its order and at once if it may; what is offered stays so (A3.2.1)."""
    rng = seeded(len(takes))

    async def script(pins):
        given, passed = [], []
        stands = None
        kept = False
        for _ in range(600):
            if not pins.i_valid and rng.random() < 0.7:
                given.append((rng.getrandbits(16), rng.getrandbits(4)))
                pins.drive(i_valid=1, i_addr=given[-1][0], i_len=given[-1][1])
            pins.o_ready = rng.random() < TAKES[takes]
            offer = (pins.o_addr, pins.o_len) if pins.o_valid else None
            assert bool(pins.o_valid) == (kept or bool(pins.i_valid))
            assert stands is None or offer == stands
            assert pins.i_ready == (not kept)
            stands = None if pins.o_ready else offer
            if offer and pins.o_ready:
                passed.append(offer)
            leaves = pins.i_valid and pins.i_ready
            kept = stands is not None
            await pins.tick()
            if leaves:
                pins.i_valid = 0
        assert passed == given[:len(passed)]
        assert len(given) - len(passed) <= 2
        assert len(passed) > 30
    simulate(AddressSkid(addr_width=16, len_width=4), script)
