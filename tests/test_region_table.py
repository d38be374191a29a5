"""The table of regions against what the registers' description says of them."""

import pytest
from memsnap import SnapshotParams
from memsnap.control import Refusal
from memsnap.region_table import RegionTable, RegionWord

from sim import params_of, seeded, simulate

PARAMS = {
    "three_blocks": params_of("three_blocks"),      # 48 bytes from 0x40, two regions
    "long_blocks": params_of("long_blocks"),
    "one_region": params_of("tiny"),
    "above": params_of("long_blocks", memory_base=0x3000, regions=3),
    "wide": SnapshotParams(addr_width=64, memory_base=5 << 36, memory_size=1 << 34,
                           shadow_base=9 << 36, block_size=65536, regions=2),
    "wide, uneven": SnapshotParams(addr_width=40, memory_base=0x40 << 32, memory_size=5 << 30,
                                   shadow_base=0x80 << 32, block_size=65536, regions=2),
    "32 bits": SnapshotParams(memory_base=1 << 31, memory_size=3 << 20, shadow_base=0, regions=16),
    "all": SnapshotParams(addr_width=33, memory_base=0, memory_size=1 << 32, shadow_base=1 << 32,
                          block_size=65536, regions=1),
}


class Bench:
    """The table with its words, and what it must show."""

    def __init__(self, pins, params):
        self.pins, self.params = pins, params
        self.words = [[0] * 5 for _ in range(params.regions)]

    async def write(self, index, word, value):
        """Writes one word, and waits until the region is looked at; gives the clocks."""
        pins = self.pins
        self.words[index][word.value] = value
        pins.index = index
        before = self.shown()
        await pins.pulse("changed")
        asked, clocks = [None, None], 0
        while pins.busy:
            assert self.shown() == before, "a change before all is known"
            asked.append(pins.word)
            word = asked[-3]
            pins.value = 0x5A5A5A5A if word is None else self.words[index][word.value]
            await pins.tick()
            clocks += 1
        return clocks

    def shown(self):
        return self.pins.unsound

    async def set(self, index, base, limit, enable=1, kind=0):
        mask = (1 << 32) - 1
        for word, value in {
                RegionWord.BASE_LO: base & mask, RegionWord.BASE_HI: base >> 32,
                RegionWord.LIMIT_LO: limit & mask, RegionWord.LIMIT_HI: limit >> 32,
                RegionWord.ATTR: enable | kind << 1}.items():
            await self.write(index, word, value)

    async def entry(self, index):
        lookup = self.pins.lookup
        lookup.index = index
        await self.pins.tick()
        return lookup.first, lookup.last, lookup.enable


def refusal(params, regions):
    """What the registers' description says of these regions."""
    first, last = params.memory_base, params.memory_base + params.memory_size - 1
    used = [(base, limit) for base, limit, enable in regions if enable]
    if any(not first <= each <= last for region in used for each in region):
        return Refusal.REGION_RANGE
    return Refusal.REGION_ORDER if any(base > limit for base, limit in used) else Refusal.NONE


@pytest.mark.parametrize("regions, expected", [
    ([(0x40, 0x40, 1)], Refusal.NONE),
    ([(0x40, 0x6f, 1)], Refusal.NONE),
    ([(0x6f, 0x6f, 1), (0x40, 0x50, 1)], Refusal.NONE),
    ([(0x50, 0x4f, 0)], Refusal.NONE),
    ([(0, 0x1ff, 0)], Refusal.NONE),
    ([(0x51, 0x50, 1)], Refusal.REGION_ORDER),
    ([(0x40, 0x4f, 1), (0x6f, 0x40, 1)], Refusal.REGION_ORDER),
    ([(0x3f, 0x4f, 1)], Refusal.REGION_RANGE),
    ([(0x40, 0x70, 1)], Refusal.REGION_RANGE),
    ([(0x70, 0x7f, 1)], Refusal.REGION_RANGE),
    ([(0x40, 0x4f, 1), (0xc0, 0xc1, 1)], Refusal.REGION_RANGE),
    ([(0x140, 0x14f, 1)], Refusal.REGION_RANGE),
    ([(0x51, 0x50, 1), (0, 0, 1)], Refusal.REGION_RANGE),
])
def test_refusals(regions, expected):
    params = PARAMS["three_blocks"]
    assert refusal(params, regions) is expected

    async def script(pins):
        bench = Bench(pins, params)
        for index, region in enumerate(regions):
            await bench.set(index, *region)
        assert pins.unsound is expected
        for index in range(len(regions)):
            await bench.write(index, RegionWord.ATTR, 0)
        assert pins.unsound is Refusal.NONE

    simulate(RegionTable(params), script)


@pytest.mark.parametrize("name", PARAMS)
def test_random(name):
    """Words change one at a time, and what is shown is always that of all words."""
    params = PARAMS[name]
    rng = seeded(7)
    first, last = params.memory_base, params.memory_base + params.memory_size - 1
    near = [first, last, first - 1, last + 1, first ^ 1 << 31, 0, first + (1 << 32), last // 2,
            first + params.block_size - 1, first + params.block_size, last + params.memory_size]
    most = (1 << max(32, params.addr_width)) - 1    # a word may have more bits than an address

    def address():
        choice = rng.random()
        if choice < 0.4:
            return max(0, rng.choice(near)) & most
        return rng.randint(first, last) if choice < 0.9 else rng.randint(0, most)

    async def script(pins):
        bench = Bench(pins, params)
        regions = [(0, 0, 0)] * params.regions
        seen = set()
        for _ in range(60):
            index = rng.randrange(params.regions)
            base, limit = address(), address()
            if rng.random() < 0.7:
                base, limit = min(base, limit), max(base, limit)
            regions[index] = base, limit, int(rng.random() < 0.8)
            await bench.set(index, *regions[index], kind=rng.randrange(4))
            expected = refusal(params, regions)
            assert pins.unsound is expected, regions
            seen.add(expected)
            for other, (base, limit, enable) in enumerate(regions):
                blocks = [(each - params.memory_base) // params.block_size
                          for each in (base, limit)]
                got = await bench.entry(other)
                assert got[2] == enable
                if enable and first <= base <= limit <= last:
                    assert list(got[:2]) == blocks
            if expected is not Refusal.NONE and rng.random() < 0.5:
                for other in range(params.regions):
                    regions[other] = *regions[other][:2], 0
                    await bench.write(other, RegionWord.ATTR, 0)
        assert seen == set(Refusal) - {Refusal.BUSY, Refusal.POLICY}

    simulate(RegionTable(params), script)


@pytest.mark.parametrize("name, clocks", [("three_blocks", 5), ("wide", 7)])
def test_a_check_takes(name, clocks):
    async def script(pins):
        bench = Bench(pins, PARAMS[name])
        assert not pins.busy
        for word in RegionWord:
            assert await bench.write(1, word, 0) == clocks

    simulate(RegionTable(PARAMS[name]), script)


def test_reset():
    """No region is used after a reset, also one in the midst of a check."""
    params = PARAMS["three_blocks"]

    async def script(pins):
        bench = Bench(pins, params)
        for delay in range(8):
            await bench.set(1, 0x40, 0x30)
            assert pins.unsound is Refusal.REGION_RANGE
            await pins.pulse("changed")
            await pins.tick(delay)
            await pins.warm_reset()
            assert not pins.busy and pins.unsound is Refusal.NONE
            assert not (await bench.entry(1))[2]
            await bench.set(0, 0x50, 0x5f)
            assert await bench.entry(0) == (1, 1, 1) and pins.unsound is Refusal.NONE

    simulate(RegionTable(params), script)
