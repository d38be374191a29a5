"""The reference model against what it claims: every short history, and many long ones."""

import itertools
import random

import pytest
from memsnap_sim.reference import Kind, Snapshot, State, blocks_of

SEED = 20_001


def model(size=8, block_size=2, **options):
    memory = bytearray(range(1, size + 1))
    return Snapshot(memory, bytearray(size), block_size=block_size, **options)


def exact_blocks(snapshot, image):
    """C2: every block whose bit is set is in the shadow as it was at the instant."""
    for block, copied in enumerate(snapshot.copied):
        if copied:
            assert snapshot.block_of(snapshot.shadow, block) == snapshot.block_of(image, block)


def test_every_short_history():
    """All interleavings of 5 events on 3 blocks of one byte or two, with and without a region."""
    events = [*((block, byte) for block in range(3) for byte in (0, 1)), "step"]
    for history in itertools.product(events, repeat=5):
        for regions in (), [(4, 5)]:
            snapshot = model(size=6)
            image = bytes(snapshot.memory)
            flat = bytearray(image)
            snapshot.start(regions)
            for number, event in enumerate(history):
                if event == "step":
                    snapshot.step()
                else:
                    address = 2 * event[0] + event[1]
                    snapshot.write(address, bytes([0x80 + number]))
                    flat[address] = 0x80 + number
                exact_blocks(snapshot, image)
                assert snapshot.memory == flat
            assert snapshot.run() is State.DONE
            assert snapshot.shadow == image
            assert snapshot.memory == flat
            assert sorted(block for block, _ in snapshot.history) == [0, 1, 2]


def test_long_random_histories():
    rng = random.Random(SEED)
    print(f"seed {SEED}")
    for _ in range(300):
        block_size = 1 << rng.randrange(5)
        size = block_size * rng.randint(1, 12)
        snapshot = model(size, block_size)
        for _ in range(3):
            image = bytes(snapshot.memory)
            limit = rng.randrange(size)
            snapshot.start([(rng.randint(0, limit), limit)])
            for _ in range(rng.randrange(40)):
                if rng.random() < 0.3:
                    snapshot.step()
                else:
                    address = rng.randrange(size)
                    length = rng.randint(0, size - address)
                    snapshot.write(address, rng.randbytes(length))
                exact_blocks(snapshot, image)
            ending = rng.choice(["run", "run", "cancel"])
            if ending == "cancel" and snapshot.state is State.RUNNING:
                snapshot.cancel()
                assert snapshot.state is State.CANCELLED
                exact_blocks(snapshot, image)
            else:
                assert snapshot.run() is State.DONE
                assert snapshot.shadow == image


def test_a_write_copies_its_blocks_first():
    snapshot = model()
    snapshot.start()
    snapshot.write(3, b"\xaa\xbb")
    assert snapshot.history == [(1, Kind.DEMAND), (2, Kind.DEMAND)]
    assert snapshot.shadow == bytes([0, 0, 3, 4, 5, 6, 0, 0])


def test_a_write_of_a_whole_block_needs_its_copy_too():
    snapshot = model()
    snapshot.start()
    snapshot.write(2, b"\xaa\xbb")
    assert snapshot.shadow[2:4] == bytes([3, 4])


def test_a_second_write_copies_nothing():
    snapshot = model()
    snapshot.start()
    snapshot.write(0, b"\xaa")
    snapshot.write(1, b"\xbb")
    assert snapshot.history == [(0, Kind.DEMAND)]
    assert snapshot.shadow[:2] == bytes([1, 2])


def test_regions_come_first():
    snapshot = model()
    snapshot.start([(5, 5), (2, 3)])
    snapshot.write(2, b"\xaa")
    snapshot.run()
    assert snapshot.history == [(1, Kind.DEMAND), (2, Kind.INITIAL),
                                (0, Kind.BACKGROUND), (3, Kind.BACKGROUND)]


def test_nothing_is_copied_outside_a_snapshot():
    snapshot = model()
    snapshot.write(0, b"\xaa")
    assert snapshot.step() is None
    assert snapshot.history == []
    assert snapshot.shadow == bytes(8)


def test_cancel_leaves_memory_alone():
    snapshot = model()
    snapshot.start()
    snapshot.step()
    snapshot.cancel()
    snapshot.write(7, b"\xaa")
    assert snapshot.memory == bytes([1, 2, 3, 4, 5, 6, 7, 0xaa])
    assert snapshot.shadow == bytes([1, 2, 0, 0, 0, 0, 0, 0])
    assert snapshot.state is State.CANCELLED
    assert snapshot.run() is State.CANCELLED


def test_a_bad_block_fails_and_writes_go_on():
    snapshot = model(bad_blocks=[2])
    snapshot.start()
    snapshot.write(4, b"\xaa")
    assert (snapshot.state, snapshot.fail_block) == (State.FAILED, 2)
    snapshot.write(0, b"\xbb")
    assert snapshot.memory == bytes([0xbb, 2, 3, 4, 0xaa, 6, 7, 8])
    assert snapshot.copied == [False] * 4


def test_a_new_start_forgets_the_last():
    snapshot = model(bad_blocks=[3])
    snapshot.start()
    assert snapshot.run() is State.FAILED
    snapshot.bad_blocks = frozenset()
    snapshot.start()
    assert snapshot.fail_block is None
    assert snapshot.run() is State.DONE
    assert snapshot.shadow == snapshot.memory


def test_blocks_of_includes_both_ends():
    assert list(blocks_of(3, 3, 2)) == [1]
    assert list(blocks_of(3, 4, 2)) == [1, 2]


@pytest.mark.parametrize("change, message", [
    (lambda: model(block_size=3), "block_size must be a power of two, not 3"),
    (lambda: model(size=7), "memory must be a whole number of blocks of 2 bytes, not 7 bytes"),
    (lambda: Snapshot(bytearray(4), bytearray(2), block_size=2),
     "shadow must be as large as the memory (4 bytes), not 2 bytes"),
    (lambda: model().start([(4, 2)]),
     "region must lie within 0x0 to 0x7, first byte first, not 0x4 to 0x2"),
    (lambda: model().start([(4, 8)]),
     "region must lie within 0x0 to 0x7, first byte first, not 0x4 to 0x8"),
])
def test_refusals(change, message):
    with pytest.raises(ValueError) as refusal:
        change()
    assert str(refusal.value) == message


def test_a_start_while_running_is_refused():
    snapshot = model()
    snapshot.start()
    with pytest.raises(RuntimeError) as refusal:
        snapshot.start()
    assert str(refusal.value) == "start must wait until the running snapshot has ended"
