"""What the failure policy does to a held write, clock for clock."""

from memsnap import SnapshotParams
from memsnap.control import Failure
from memsnap.held_writes import HeldWrites

from sim import simulate


def held_writes(script):
    async def with_policy(pins):
        pins.failure = Failure.FAIL_WRITE
        await pins.tick()
        await script(pins)
    simulate(HeldWrites(SnapshotParams(retry=True, release="copied")), with_policy)


def test_a_write_that_waits_for_a_spent_block_fails_and_spares_the_snapshot():
    async def script(pins):
        pins.drive(held=1, asks=1, spent=1, spent_block=2)
        pins.blocks = [2]
        assert pins.spare
        await pins.tick()
        pins.spent = 0
        assert pins.fail and not pins.expired
        pins.held = 0
        await pins.tick()
        assert not pins.fail
    held_writes(script)


def test_a_write_that_has_not_asked_yet_waits_for_no_block():
    """What is still there is the block of the write before it."""
    async def script(pins):
        pins.drive(held=1, asks=0, spent=1, spent_block=2)
        pins.blocks = [2]
        assert not pins.spare
        await pins.tick()
        assert not pins.fail
    held_writes(script)


def test_over_the_limit():
    async def script(pins):
        pins.drive(held=1, over=1)
        assert pins.fail and not pins.expired
        pins.failure = Failure.BREAK
        assert pins.expired and not pins.fail
        pins.held = 0
        assert not pins.expired
    held_writes(script)
