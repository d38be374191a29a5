"""The stopwatch against what went on, clock for clock, and where its 32 bits end."""

import pytest
from memsnap.stopwatch import Stopwatch

from sim import seeded, simulate


class Watched:
    """Goes through the clocks with the stopwatch: ``on`` for how many of them, up to the last."""

    def __init__(self, pins, late):
        self.pins, self.late = pins, late
        self.row = 0

    async def step(self, on):
        """One clock; whether it was over in it."""
        pins = self.pins
        pins.on = on
        over = pins.over
        assert over == (self.row == pins.limit != 0), (self.row, pins.limit)
        before, self.row = self.row, self.row + 1 if on else 0
        shown = before if self.late else self.row
        if shown:
            assert pins.clocks == shown
        await pins.tick()
        return over


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("limit", [0, 1, 2, 3, 4, 5, 8, 31])
def test_random(limit, late):
    rng = seeded(limit)

    async def script(pins):
        watched, ended = Watched(pins, late), 0
        pins.limit = limit
        for _ in range(60):
            for _ in range(rng.choice([1, 1, 2, 40])):
                ended += await watched.step(rng.random() < 0.8)
            for _ in range(rng.choice([limit, limit + 1, 2 * limit + 3])):
                ended += await watched.step(1)
            for _ in range(rng.choice([1, 1, 2])):
                ended += await watched.step(0)
        assert (ended >= 60) == (limit > 0)

    simulate(Stopwatch(late=late), script)


@pytest.mark.parametrize("late", [False, True])
def test_other_limits(late):
    """A limit may change while it is off, and holds from the next clock on."""
    rng = seeded(1)

    async def script(pins):
        watched = Watched(pins, late)
        for _ in range(100):
            await watched.step(0)
            pins.limit = rng.choice([0, 1, 2, 3, 4, 7, 1 << 31])
            for _ in range(rng.randrange(10)):
                await watched.step(1)

    simulate(Stopwatch(late=late), script)


@pytest.mark.parametrize("late", [False, True])
def test_reset(late):
    async def script(pins):
        pins.limit = 3
        for clocks in range(1, 6):
            pins.on = 1
            await pins.tick(clocks)
            await pins.warm_reset()
            watched = Watched(pins, late)
            for on in (1, 1, 1, 1, 1, 0):
                await watched.step(on)

    simulate(Stopwatch(late=late), script)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("limit, wanted", [
    (0, []), (1, []), (4, []), ((1 << 32) - 2, [2]), ((1 << 32) - 1, [3])])
def test_beyond_32_bits(limit, wanted, late):
    """It is over once at the most, and not again when the count starts from 0."""
    async def script(pins):
        pins.drive(limit=limit, on=1)
        await pins.tick(10)
        pins._ctx.set(pins._dut.clocks, (1 << 32) - 3)
        over = []
        for clock in range(10):
            if pins.over:
                over.append(clock)
            await pins.tick()
        assert over == [clock - late for clock in wanted]   # what was set is of the clock before

    simulate(Stopwatch(late=late), script)
