"""Which words and lanes the beats of an AXI4 burst touch, by the examples of A3.4.1."""

import pytest
from memsnap.bus.axi4 import Burst, Response
from memsnap_sim.kit import pauses, read_burst, write_burst
from memsnap_sim.kit.axi4_burst import faults, is_error, places
from memsnap_sim.kit.axi4_traffic import random_exclusive, random_transaction

SEED = 20_005


@pytest.mark.parametrize("addr, beats, size, burst, word_bytes, expected", [
    (0x8, 2, 2, Burst.INCR, 4, [(2, 0xf), (3, 0xf)]),
    (0x1, 2, 2, Burst.INCR, 4, [(0, 0xe), (1, 0xf)]),               # unaligned
    (0x7, 3, 2, Burst.INCR, 8, [(0, 0x80), (1, 0x0f), (1, 0xf0)]),  # unaligned and narrow
    (0x4, 3, 0, Burst.INCR, 8, [(0, 0x10), (0, 0x20), (0, 0x40)]),
    (0xc, 4, 2, Burst.WRAP, 4, [(3, 0xf), (0, 0xf), (1, 0xf), (2, 0xf)]),
    (0x16, 2, 1, Burst.WRAP, 8, [(2, 0xc0), (2, 0x30)]),
    (0x5, 3, 2, Burst.FIXED, 4, [(1, 0xe)] * 3),
    (0x13, 2, 1, Burst.FIXED, 8, [(2, 0x08)] * 2),
])
def test_places(addr, beats, size, burst, word_bytes, expected):
    assert places(read_burst(addr, beats, size=size, burst=burst), word_bytes) == expected


def test_a_burst_of_all_sizes_covers_each_byte_once():
    for word_bytes in 4, 8, 64:
        for size in range(word_bytes.bit_length()):
            beats = 128 >> size or 1
            covered = [word * word_bytes + lane
                       for word, lanes in places(read_burst(256, beats, size=size), word_bytes)
                       for lane in range(word_bytes) if lanes >> lane & 1]
            assert covered == list(range(256, 256 + (beats << size)))


def data_transfer(addr, number_bytes, burst_length, data_bus_bytes, mode):
    """The standard's own pseudo-code (A3.4.2), to the letter: address and lanes of each beat."""
    aligned_address = addr // number_bytes * number_bytes
    aligned = aligned_address == addr
    dtsize = number_bytes * burst_length
    lower_wrap = addr // dtsize * dtsize
    for _ in range(burst_length):
        word = addr // data_bus_bytes * data_bus_bytes
        lower = addr - word
        upper = lower + number_bytes - 1 if aligned else aligned_address + number_bytes - 1 - word
        yield word // data_bus_bytes, sum(1 << lane for lane in range(lower, upper + 1))
        if mode is not Burst.FIXED:
            if aligned:
                addr += number_bytes
                if mode is Burst.WRAP and addr >= lower_wrap + dtsize:
                    addr = lower_wrap
            else:
                addr, aligned = aligned_address + number_bytes, True


@pytest.mark.parametrize("word_bytes", [4, 8, 64])
def test_places_are_those_of_the_standard(word_bytes):
    print(f"seed {SEED}")
    rng = pauses.generators(SEED)("traffic")
    for _ in range(500):
        tx = random_transaction(rng, word_bytes=word_bytes, base=0, size=4096)
        assert places(tx, word_bytes) == list(data_transfer(
            tx.addr, 1 << tx.size, tx.beats, word_bytes, tx.burst))


@pytest.mark.parametrize("word_bytes", [4, 64])
def test_random_transactions_are_legal_and_stay_in_place(word_bytes):
    print(f"seed {SEED}")
    rng = pauses.generators(SEED)("traffic")
    for _ in range(300):
        options = {"word_bytes": word_bytes, "base": 4096 - 512, "size": 1024, "id_width": 3}
        for transaction in (random_transaction(rng, **options), *random_exclusive(rng, **options)):
            assert faults(transaction, word_bytes) == []
            for beat, (word, lanes) in enumerate(places(transaction, word_bytes)):
                assert 4096 - 512 <= word * word_bytes < 4096 + 512
                assert lanes
                assert not transaction.we or not transaction.strobes[beat] & ~lanes


def test_a_transaction_tells_itself():
    transaction = write_burst(0x40, [1, 2], id=3, lock=1)
    transaction.requested, transaction.accepted, transaction.answered = 4, 5, 9
    transaction.responses = [Response.EXOKAY]
    assert str(transaction) == ("exclusive write of 2 beats INCR at 0x40, id 0x3, requested at 4, "
                                "accepted at 5, answered at 9 with EXOKAY")
    assert not is_error(Response.EXOKAY)
    assert is_error(3)
