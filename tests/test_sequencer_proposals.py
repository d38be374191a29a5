"""What the sequencer's two sources propose: the initial walk and the background scan."""

import pytest
from memsnap.background_scan import BackgroundScan
from memsnap.initial_walk import InitialWalk
from memsnap_sim.kit.regions import RegionEntries

from sim import params_of, seeded, simulate

LAST = 39     # of the shape "long_blocks": 40 blocks

#: First and last block of each region, None for one that is not enabled; and the walk.
REGIONS = {
    "none": ([], []),
    "one block": ([(2, 2)], [2]),
    "last block": ([(LAST, LAST)], [LAST]),
    "first block": ([(0, 0)], [0]),
    "two blocks": ([(0, 1)], [0, 1]),
    "everything": ([(0, LAST)], list(range(40))),
    "several": ([(10, 14), (0, 1), (39, 39), (1, 1)], [10, 11, 12, 13, 14, 0, 1, 39, 1]),
    "the second and the fourth": ([None, (1, 1), None, (2, 2)], [1, 2]),
    "the last alone": ([None, None, None, (1, 2)], [1, 2]),
}


@pytest.mark.parametrize("name", REGIONS)
def test_initial_walk(name):
    """Each block of each enabled region once a region, in order; twice in a row."""
    regions, blocks = REGIONS[name]
    params = params_of("long_blocks")
    rng = seeded(5)
    walk = InitialWalk(params)
    table = RegionEntries(walk.regions)
    table.entries = [(*each, True) if each else (3, 1, False) for each in regions]

    async def script(pins):
        pins.reset = 1
        for cut in 3, None, None:
            await pins.tick(2)
            assert not pins.done and not pins.proposed
            pins.reset = 0
            got = []
            while not pins.done and len(got) != cut:
                pins.next = pins.proposed and rng.getrandbits(1)
                if pins.proposed:
                    block = pins.block
                    got += [block] * pins.next
                    await pins.tick()
                    assert pins.next or pins.proposed and pins.block == block
                else:
                    await pins.tick()
            assert got == blocks[:cut]
            pins.drive(reset=1, next=0)
            await pins.tick()

    simulate(walk, script, processes=[table.process])


def params_with(blocks):
    return params_of("one_beat", memory_size=8 * blocks, shadow_base=0x20000, addr_width=18)


class Scanned:
    """A map for the scan to read, a clock later; a word of its summary takes two."""

    def __init__(self, pins, blocks, copied):
        self.pins, self.blocks, self.copied = pins, blocks, set(copied)
        self.behind = 0     # the word that was read in the clock before

    def row(self, index):
        return sum(1 << bit for bit in range(32) if (block := 32 * index + bit) in self.copied
                   or block >= self.blocks)

    async def clock(self, scanned=True):
        pins = self.pins
        pins.scanned = pins.scan and scanned
        row = self.row(pins.scan_row) if pins.scanned else 0
        word = self.word(pins.word) if self.blocks > 1024 else None
        await pins.tick()
        pins.scan_data = row
        if word is not None:
            pins.word_data, self.behind = self.behind, word

    def word(self, index):
        """Which of the rows are complete."""
        return sum(1 << bit for bit in range(32)
                   if all(block in self.copied for block in range(
                       1024 * index + 32 * bit, min(self.blocks, 1024 * index + 32 * bit + 32))))


@pytest.mark.parametrize("density", [0, 0.5, 0.95, 1])
@pytest.mark.parametrize("blocks", [1, 2, 3, 31, 32, 33, 72, 200, 1030])
def test_background_scan(blocks, density):
    """Each block whose bit is 0 is proposed once, in ascending order, though bits get set."""
    rng = seeded(blocks)

    async def script(pins):
        pins.reset = 1
        for getting_set in 0, 0.2, 0:
            scanned = Scanned(pins, blocks, (b for b in range(blocks) if rng.random() < density))
            for _ in range(2):
                await scanned.clock()
            pins.reset = 0
            missing = sorted(set(range(blocks)) - scanned.copied)
            got = []
            while not pins.done:
                pins.next = pins.proposed and rng.getrandbits(1)
                if pins.next:
                    got.append(pins.block)
                if rng.random() < getting_set:
                    scanned.copied.add(rng.randrange(blocks))
                await scanned.clock(rng.random() < 0.6)
            assert got == sorted(set(got)) and set(got) <= set(missing)
            assert set(missing) - scanned.copied <= set(got)
            assert getting_set or got == missing
            pins.drive(reset=1, next=0)
            await pins.tick()

    simulate(BackgroundScan(params_with(blocks)), script)


@pytest.mark.parametrize("missing", [[], [0], [8191], [32 * 32], [5, 2000, 2001, 6000]], ids=len)
def test_32_full_rows_cost_two_clocks(missing):
    """With a summary: two clocks for 32 rows; for each row with blocks that are left a few."""
    blocks = 8192

    async def script(pins):
        scanned = Scanned(pins, blocks, set(range(blocks)) - set(missing))
        pins.reset = 1
        for _ in range(2):
            await scanned.clock()
        pins.drive(reset=0, next=1)
        clocks, got = 0, []
        while not pins.done:
            if pins.proposed:
                got.append(pins.block)
            await scanned.clock()
            clocks += 1
        rows = {block // 32 for block in missing}
        words = {block // 1024 for block in missing}
        assert got == missing
        assert 2 * blocks // 1024 <= clocks <= (
            2 * blocks // 1024 + 2 + len(missing) + 4 * len(rows) + 3 * len(words))

    simulate(BackgroundScan(params_with(blocks)), script)


@pytest.mark.parametrize("missing", [[], [0], [639], [320], [5, 100, 600], range(32, 96),
                                     range(640)], ids=len)
def test_a_full_row_costs_one_clock(missing):
    """A pass takes a clock a row, one a block that is left, and three a row with such blocks."""
    blocks = 640

    async def script(pins):
        pins.reset = 1
        await pins.tick(2)
        pins.drive(reset=0, next=1)
        scanned = Scanned(pins, blocks, set(range(blocks)) - set(missing))
        clocks = 0
        while not pins.done:
            await scanned.clock()
            clocks += 1
        rows = {block // 32 for block in missing}
        assert blocks // 32 <= clocks <= blocks // 32 + 1 + len(missing) + 3 * len(rows)

    simulate(BackgroundScan(params_with(blocks)), script)
