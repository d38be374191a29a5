"""What a burst touches, against the places of its beats as the standard's text gives them."""

import pytest
from axi4_rig import SHAPES, axi4_params_of, touched
from memsnap.bus.axi4 import Burst
from memsnap.bus.axi4_range import BurstRange
from memsnap_sim.kit.axi4_burst import Transaction, faults, places

from sim import seeded, simulate


def bursts(rng, params, count):
    """Legal bursts near the memory, the shadow and their edges; all sizes and kinds."""
    size = params.memory_size
    while count:
        base = rng.choice([params.memory_base, params.shadow_base])
        edge = base + rng.choice([0, size, rng.randrange(size), rng.randrange(size) >> 12 << 12])
        burst = rng.choice(list(Burst))
        log_size = rng.randint(0, params.beat_shift)
        beats = {Burst.WRAP: rng.choice([2, 4, 8, 16]), Burst.FIXED: rng.randint(1, 16),
                 Burst.INCR: rng.choice([1, 2, rng.randint(1, 256)])}[burst]
        addr = max(0, edge + rng.randint(-64, 64) * rng.choice([1, 1 << log_size]))
        if burst is Burst.WRAP:
            addr = addr >> log_size << log_size
        transaction = Transaction(addr=addr, beats=beats, size=log_size, burst=burst)
        if not faults(transaction, params.beat_bytes, params.addr_width):
            count -= 1
            yield transaction


def check(component, params, rng, count=1500):
    seen = set()

    async def script(pins):
        for transaction in bursts(rng, params, count):
            pins.drive(addr=transaction.addr, len=transaction.beats - 1, size=transaction.size,
                       burst=transaction.burst)
            memory = touched(transaction, params, params.memory_base)
            text = str(transaction)
            assert pins.memory == bool(memory), text
            assert pins.shadow == bool(touched(transaction, params, params.shadow_base)), text
            if memory:
                blocks = {beat // params.block_beats for beat in memory}
                first, last = (place.block * params.block_beats + place.beat
                               for place in (pins.first, pins.last))
                assert (first, last) == (memory[0], memory[-1]), text
                own = range(params.map_first_block, params.map_first_block + params.map_blocks)
                assert pins.map == bool(blocks & set(own)), text
                # A memory of a page or more does not end in a block
                everywhere = blocks if params.memory_size <= 2048 else {
                    word // params.block_beats for word, _ in places(transaction,
                                                                     params.beat_bytes)}
                assert pins.within == (len(everywhere) == 1), text
                start = pins.start.block * params.block_beats + pins.start.beat
                assert start in memory, text
                assert pins.start.block // 32 == pins.first.block // 32, text
                seen.add((transaction.burst, len(blocks) > 1))
            elif params.map_blocks:
                assert not pins.map
    simulate(component, script)
    return seen


@pytest.mark.parametrize("shape", SHAPES)
def test_against_the_places_of_the_beats(shape):
    params = axi4_params_of(shape)
    seen = check(BurstRange(params), params, seeded(len(shape)))
    assert {(Burst.INCR, True), (Burst.WRAP, False), (Burst.FIXED, False)} <= seen


@pytest.mark.parametrize("shape", ["one_beat", "pages"])
def test_a_map_in_the_memory(shape):
    params = axi4_params_of(shape, map="memory")
    check(BurstRange(params), params, seeded(5))
