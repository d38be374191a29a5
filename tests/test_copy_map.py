"""The copy map against a set of block numbers."""

import pytest
from memsnap.copy_map import CopyMap

from sim import params_of, seeded, simulate

SIZES = [1, 2, 31, 32, 33, 64, 72, 96]

#: Blocks of one beat, whose bits are set beside claims, or of more; rows that come a clock later.
each_kind = pytest.mark.parametrize("beats, latency", [(1, 1), (2, 1), (2, 2)],
                                    ids=["beside", "shared", "late"])


def params_with(blocks, beats=1, latency=1):
    size = 8 * beats * blocks
    params = params_of("one_beat", memory_size=size, block_size=8 * beats, addr_width=16,
                       shadow_base=1 << (size - 1).bit_length(), map_latency=latency)
    assert params.map_beside == (beats == 1)
    return params


class Model:
    """The copied blocks, and what the reads and the set of the clock before lead to.

    With a latency of 2 a read leads to it a clock later.
    """

    def __init__(self, blocks, latency=1):
        self.blocks, self.latency = blocks, latency
        self.bits = min(32, max(2, 1 << (blocks - 1).bit_length()))
        self.rows = -(-blocks // 32)
        self.copied = set()
        self.forget()

    def forget(self):
        self.looked = self.scanned = self.probed = self.setting = None
        self.late = None, None      # what comes in the clock behind

    def row(self, index):
        return sum(1 << bit for bit in range(self.bits)
                   if (block := 32 * index + bit) >= self.blocks or block in self.copied)

    def check(self, pins):
        assert pins.full == (len(self.copied) == self.blocks)
        assert pins.set_done == (self.setting is not None)
        assert self.looked is None or pins.look_data == self.looked
        if self.looked is not None:
            raw = pins.look_raw ^ (1 << self.bits) - 1 if pins.flip else pins.look_raw
            assert not (raw ^ self.looked) & self.own
        assert self.scanned is None or pins.scan_data == self.scanned
        if self.probed is not None:
            assert pins.probe_copied == self.scanned >> self.probed & 1

    def step(self, pins):
        """Follows the clock that ends now."""
        reads = [(row, self.row(row)) if read else None for read, row in (
            (pins.look, pins.look_row), (pins.scan, pins.scan_row))]
        if self.latency == 2:
            reads, self.late = self.late, reads
        look, scan = reads
        if look is not None:
            row, self.looked = look
            self.own = (1 << min(self.bits, self.blocks - 32 * row)) - 1
        self.scanned = self.probed = None
        if scan is not None:
            row, self.scanned = scan
            self.probed = pins.probe if 32 * row + pins.probe < self.blocks else None
        if self.setting is not None:
            self.copied.add(self.setting)
        self.setting = pins.set.payload if pins.set.valid and pins.set.ready else None


async def swept(pins, params):
    """Waits for the end of a sweep, which takes one clock a row."""
    for _ in range(max(2, params.map_rows)):
        assert pins.sweeping and not pins.set.ready
        await pins.tick()
    assert not pins.sweeping and not pins.full


async def fill(pins, model, rng, until, *, beside):
    """Sets random blocks until ``until`` are copied, under random reads."""
    left = sorted(set(range(model.blocks)) - model.copied)
    rng.shuffle(left)
    model.forget()
    pins.set.valid = 0
    idle = 0
    while idle < 4:
        if not pins.set.valid and model.blocks - len(left) < until and rng.random() < 0.7:
            pins.set.payload = left.pop()
            pins.set.valid = 1
        row = model.rows - 1 if rng.random() < 0.2 else rng.randrange(model.rows)
        pins.look, pins.look_row = rng.random() < 0.4, row
        pins.scan, pins.scan_row = rng.random() < 0.4, rng.randrange(model.rows)
        pins.scan_first = pins.scan if pins.set.valid else rng.getrandbits(1)
        pins.probe = rng.randrange(model.bits)
        model.check(pins)
        assert pins.set.ready == ((beside or not pins.scan) and model.setting is None)
        taken = pins.set.ready
        model.step(pins)
        await pins.tick()
        if taken:
            pins.set.valid = 0
        idle = idle + 1 if len(model.copied) == until and not pins.set.valid else 0
    pins.look = pins.scan = 0
    model.check(pins)


async def all_rows(pins, model):
    """Reads each row through both readers."""
    for row in range(model.rows):
        pins.look = pins.scan = 1
        pins.look_row = pins.scan_row = row
        await pins.tick()
        pins.look = pins.scan = 0
        await pins.tick(model.latency - 1)
        assert pins.look_data == pins.scan_data == model.row(row)


@each_kind
@pytest.mark.parametrize("blocks", SIZES)
def test_snapshots_follow_one_another(blocks, beats, latency):
    """Restarts of a full map, sweeps of one that is not, and a reset of each."""
    rng = seeded(blocks)
    params = params_with(blocks, beats, latency)

    async def script(pins):
        await swept(pins, params)
        for how in "restart restart sweep restart sweep restart reset restart reset".split():
            model = Model(blocks, latency)
            await all_rows(pins, model)
            if rng.random() < 0.5:
                await pins.pulse("restart")     # allowed: no bit was set
            await fill(pins, model, rng, blocks if how == "restart" else rng.randrange(blocks + 1),
                       beside=params.map_beside)
            await all_rows(pins, model)
            if how == "restart":
                assert pins.full
                await pins.pulse("restart")
                assert not pins.full and not pins.sweeping
            elif how == "sweep":
                await pins.pulse("sweep")
                await swept(pins, params)
            else:
                await pins.warm_reset()
                await swept(pins, params)

    simulate(CopyMap(params), script)


@pytest.mark.parametrize("beats", [1, 2])
def test_set_while_read(beats):
    """A read in the clock of ``set_done`` gives the old row, one in the next clock the new."""
    params = params_with(40, beats)

    async def script(pins):
        await swept(pins, params)
        pins.drive(look_row=1, scan_row=1)
        await all_rows(pins, Model(40))
        pins.set.payload, pins.set.valid = 35, 1
        assert pins.set.ready
        pins.look = 1
        await pins.tick()
        pins.set.valid = 0
        assert pins.set_done and pins.look_data >> 3 & 1 == 0
        pins.scan = 1                           # also the scan in the clock of ``set_done``
        await pins.tick()
        assert pins.look_data >> 3 & 1 == 0 and pins.scan_data >> 3 & 1 == 0
        await pins.tick()
        pins.look = 0
        assert pins.look_data >> 3 & 1 == 1 and pins.scan_data >> 3 & 1 == 1

    simulate(CopyMap(params), script)


def test_look_holds_its_data():
    """A row once looked at stays as it was, through scans and sets of the same row."""
    params = params_with(33)

    async def script(pins):
        await swept(pins, params)
        pins.look_row = 1
        await pins.pulse("look")
        before = pins.look_data
        assert before == 0xfffffffe             # one block in the last row
        pins.look_row = 0
        for block in 32, 5, 7:
            pins.set.payload, pins.set.valid = block, 1
            await pins.tick()
            pins.set.valid = 0
            pins.drive(scan=1, scan_row=0)
            await pins.tick()
            pins.scan = 0
            assert pins.look_data == before
        await pins.pulse("look")
        assert pins.look_data == 1 << 5 | 1 << 7

    simulate(CopyMap(params), script)


@pytest.mark.parametrize("beats", [1, 2])
def test_sets_come_every_second_clock(beats):
    params = params_with(64, beats)

    async def script(pins):
        await swept(pins, params)
        pins.set.valid = 1
        for block in range(64):
            pins.set.payload = block
            assert pins.set.ready and not pins.set_done
            await pins.tick()
            assert not pins.set.ready and pins.set_done
            await pins.tick()
        pins.set.valid = 0
        assert pins.full

    simulate(CopyMap(params), script)


def test_sweep_in_the_clock_of_a_set():
    """The bit that was taken does not survive the sweep that starts in the same clock."""
    params = params_with(64)

    async def script(pins):
        await swept(pins, params)
        for block in range(63):
            pins.set.payload, pins.set.valid = block, 1
            await pins.tick(2)
        pins.set.payload = 63
        assert pins.set.ready
        pins.sweep = 1
        await pins.tick()
        pins.sweep, pins.set.valid = 0, 0
        await swept(pins, params)
        await all_rows(pins, Model(64))

    simulate(CopyMap(params), script)


@each_kind
def test_summary(beats, latency):
    """A bit of the summary is set when its row is complete, in every phase."""
    blocks = 33 * 32 + 5
    params = params_with(blocks, beats, latency)
    assert params.map_summary and params.map_words == 2

    async def copy(pins, model, row):
        pins.set.valid = 1
        for block in range(32 * row, min(blocks, 32 * row + 32)):
            pins.set.payload = block
            await pins.tick(2)
            model.copied.add(block)
        pins.set.valid = 0
        await pins.tick(1 + latency)

    async def check(pins, model):
        for word in range(2):
            pins.word = word
            await pins.tick(2)
            rows = range(32 * word, 32 * word + 32)
            assert pins.word_data == sum(
                1 << bit for bit, row in enumerate(rows)
                if row >= model.rows or model.row(row) == (1 << 32) - 1)

    async def script(pins):
        await swept(pins, params)
        for end in "restart", "sweep", "reset", "restart":
            model = Model(blocks)
            await check(pins, model)
            for row in 33, 0, 17, 32:
                await copy(pins, model, row)
                await check(pins, model)
            if end == "restart":
                for row in range(model.rows):
                    if row not in {33, 0, 17, 32}:
                        await copy(pins, model, row)
                await check(pins, model)
                await pins.pulse("restart")
            elif end == "sweep":
                await pins.pulse("sweep")
                await swept(pins, params)
            else:
                await pins.warm_reset()
                await swept(pins, params)

    simulate(CopyMap(params), script)
