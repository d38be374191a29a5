"""The copy map in the memory against a set of block numbers, and a memory that takes its time."""

from collections import deque

import pytest
from memsnap.copy_map_memory import CopyMapMemory
from memsnap.ranges import in_map
from test_copy_map import Model

from sim import params_of, seeded, simulate

SIZES = [2, 31, 33, 96, 200]


def params_with(blocks, **changes):
    """Blocks of two beats; 4 rows of the map a block in the longer ones."""
    changes = {"data_width": 64, "block_size": 16, "map_cache": 2, **changes}
    size = changes["block_size"]
    span = 1 << (size * blocks - 1).bit_length()
    return params_of("one_beat", memory_size=size * blocks, shadow_base=span, addr_width=16,
                     map="memory", max_in_flight=4, **changes)


class Rows:
    """The memory: takes requests and answers them in order, both when it likes."""

    def __init__(self, pins, params, rng, latency=3, pace=0.6):
        self.pins, self.params, self.rng = pins, params, rng
        self.latency, self.pace = latency, pace
        self.rows = [rng.getrandbits(32) for _ in range(params.map_rows)]
        self.due = deque()
        self.taken = []              # (row, we) of each request
        self.errors = set()          # the next requests, by number, that are wrong
        self.clock = 0

    def drive(self):
        """What the memory does in this clock."""
        pins = self.pins
        answer = bool(self.due and self.due[0][0] <= self.clock)
        _, beat, error = self.due.popleft() if answer else (0, 0, 0)
        pins.answer.drive(valid=answer, data=beat, error=error)
        pins.request.ready = (len(self.due) < self.params.max_in_flight
                              and self.rng.random() < self.pace)
        if pins.request.valid and pins.request.ready:
            row, we = pins.request.payload.row, pins.request.payload.we
            error = len(self.taken) in self.errors
            self.taken.append((row, we))
            if we and not error:
                self.rows[row] = pins.request.payload.data
            pair = [*self.rows, 0][row & ~1:(row & ~1) + 2]
            beat = pair[1] << 32 | pair[0] if self.params.data_width == 64 else self.rows[row]
            self.due.append((self.clock + self.latency, beat, error))
        self.clock += 1

    async def tick(self):
        self.drive()
        await self.pins.tick()


class Bench:
    """The map, its memory, and a model."""

    def __init__(self, pins, params, rng, **options):
        self.pins, self.params, self.rng = pins, params, rng
        self.memory = Rows(pins, params, rng, **options)
        self.model = Model(params.blocks)
        self.looked = self.scanned = self.setting = None
        pins.live = 0

    async def swept(self):
        while self.pins.sweeping:
            assert not self.pins.set.ready
            await self.memory.tick()
        assert self.memory.rows == [0] * self.params.map_rows
        self.model = Model(self.params.blocks)
        self.pins.live = 1

    async def clock(self, *, sets=0.0, looks=0.4, scans=0.5, todo=()):
        """One clock of sets of the blocks in ``todo``, looks and scans."""
        pins, rng, model = self.pins, self.rng, self.model
        if self.looked is not None:
            row, before = self.looked
            assert pins.look_data in (0, before), "an old row, or none"
        if self.scanned is not None and pins.scan_valid:
            assert pins.scan_data == self.scanned
        if todo and self.setting is None and rng.random() < sets:
            self.setting = todo.pop()
            pins.set.drive(valid=1, payload=self.setting)
        pins.look, pins.look_row = rng.random() < looks, rng.randrange(model.rows)
        if not (pins.scan and self.scanned is not None and not pins.scan_valid):
            pins.scan_row = rng.randrange(model.rows)
        pins.scan = rng.random() < scans
        if pins.look:
            self.looked = pins.look_row, model.row(pins.look_row)
        self.scanned = model.row(pins.scan_row) if pins.scan else None
        await self.step()

    async def step(self):
        """Ends the clock; a bit that is being set in it is seen in the next."""
        pins = self.pins
        self.memory.drive()
        taken, done = pins.set.valid and pins.set.ready, pins.set_done
        await pins.tick()
        if taken:
            pins.set.valid = 0
        if done:
            self.model.copied.add(self.setting)
            self.setting = None

    async def fill(self, until):
        """Sets random blocks until so many are copied, under random reads."""
        todo = sorted(set(range(self.params.blocks)) - self.model.copied)
        self.rng.shuffle(todo)
        todo = todo[:until - len(self.model.copied)]
        while todo or self.setting is not None:
            await self.clock(sets=0.7, todo=todo)
        self.pins.look = self.pins.scan = 0
        while self.pins.busy:
            await self.memory.tick()
        self.looked = self.scanned = None

    async def scan(self, row):
        """Reads a row, and gives it and the clocks that it took."""
        clocks = 0
        self.pins.drive(scan_row=row)
        while True:
            self.pins.scan = not self.pins.scan_wait
            await self.memory.tick()
            clocks += 1
            self.pins.scan = 0
            if self.pins.scan_valid:
                return self.pins.scan_data, clocks


def run(params, script, seed=0, **options):
    rng = seeded(seed)

    async def begin(pins):
        await script(Bench(pins, params, rng, **options))
    simulate(CopyMapMemory(params), begin)


@pytest.mark.parametrize("width", [32, 64])
@pytest.mark.parametrize("blocks", SIZES)
def test_snapshots_follow_one_another(blocks, width):
    """Restarts of a full map and sweeps of one that is not, under random sets and scans."""
    params = params_with(blocks, data_width=width)

    async def script(bench):
        pins, rng = bench.pins, bench.rng
        await bench.swept()
        for how in "restart restart sweep restart".split():
            await bench.fill(blocks if how == "restart" else rng.randrange(blocks))
            for row in range(params.map_rows):
                assert (await bench.scan(row))[0] == bench.model.row(row)
            assert pins.full == (how == "restart")
            await pins.pulse(how)
            pins.live = how == "restart"
            await bench.swept() if how == "sweep" else bench.model.copied.clear()
            assert not pins.full
        flips = {row for row in bench.memory.rows[:-1]}
        assert len(flips) <= 1, "a finished snapshot leaves all bits equal"

    run(params, script, seed=blocks)


@pytest.mark.parametrize("latency", [1, 4, 16])
def test_a_row_that_is_not_at_hand_costs_one_read(latency):
    params = params_with(200, map_cache=2)

    async def script(bench):
        await bench.swept()
        assert await bench.scan(6) == (0xffffff00, 1)      # no blocks beyond the last
        before = len(bench.memory.taken)
        assert await bench.scan(0) == (0, latency + 5)
        assert await bench.scan(0) == (0, 1)
        assert bench.memory.taken[before:] == [(0, 0)]

    run(params, script, latency=latency, pace=1)


def test_a_sweep_writes_a_row_a_clock():
    params = params_with(900)

    async def script(bench):
        clock = 0
        while bench.pins.sweeping:
            await bench.memory.tick()
            clock += 1
        assert clock == params.map_rows + bench.memory.latency + 2
        assert [row for row, _ in bench.memory.taken] == list(range(params.map_rows))

    run(params, script, latency=1, pace=1)


def test_a_set_goes_to_the_memory():
    params = params_with(200)

    async def script(bench):
        await bench.swept()
        bench.pins.set.drive(valid=1, payload=37)
        bench.setting = 37
        while bench.setting is not None:
            await bench.step()
        assert bench.pins.busy and not bench.pins.full
        while bench.pins.busy:
            await bench.memory.tick()
        assert bench.memory.rows[1] == 1 << 5
        assert bench.memory.taken[-2:] == [(1, 0), (1, 1)]

    run(params, script)


@pytest.mark.parametrize("place", [0, 3, 6])
def test_a_sweep_that_fails_is_said_and_tried_again_when_told(place):
    params = params_with(200)

    async def script(bench):
        bench.memory.errors = {place}
        while not bench.pins.sweep_failed:
            assert bench.pins.sweeping and not bench.pins.error
            await bench.memory.tick()
        assert bench.pins.error_block == params.map_first_block + place // 4
        for _ in range(30):
            await bench.memory.tick()
            assert bench.pins.sweep_failed and not bench.pins.busy
        await bench.pins.pulse("sweep")
        assert not bench.pins.sweep_failed
        await bench.swept()

    run(params, script)


@pytest.mark.parametrize("we", [0, 1])
def test_an_error_is_told(we):
    """The block of the map whose row could not be read or written."""
    params = params_with(200)

    async def script(bench):
        pins = bench.pins
        await bench.swept()
        bench.memory.errors = {len(bench.memory.taken) + we}
        pins.set.drive(valid=1, payload=32 * 4)
        bench.setting = 32 * 4
        for _ in range(30):
            bench.memory.drive()
            if pins.error:
                break
            await pins.tick()
        assert (pins.error, pins.error_write) == (1, we)
        assert pins.error_block == params.map_first_block + 1

    run(params, script)


def test_scans_answer_at_once_where_the_bits_mean_nothing():
    params = params_with(200)

    async def script(bench):
        assert bench.pins.sweeping
        bench.pins.drive(scan=1, scan_row=3)
        await bench.memory.tick()
        assert bench.pins.scan_valid
        await bench.swept()
        bench.pins.live = 0
        before = len(bench.memory.taken)
        for row in range(params.map_rows):
            bench.pins.scan_row = row
            await bench.memory.tick()
            assert bench.pins.scan_valid
        assert len(bench.memory.taken) == before

    run(params, script)


def test_nothing_is_asked_for_after_a_stop():
    params = params_with(200)

    async def script(bench):
        await bench.swept()
        bench.memory.pace = 0
        bench.pins.drive(scan=1, scan_row=0)
        for _ in range(4):
            await bench.memory.tick()
        assert bench.pins.request.valid and bench.pins.busy
        bench.pins.drive(stop=1, live=0)
        await bench.memory.tick()
        assert bench.pins.request.valid, "what is on offer stays"
        await bench.pins.pulse("drop")
        assert not bench.pins.request.valid and not bench.pins.busy
        await bench.pins.pulse("sweep")
        bench.pins.stop, bench.memory.pace = 0, 1
        await bench.swept()

    run(params, script)


def test_which_addresses_are_the_maps():
    params = params_of("long_blocks", map="memory", map_base=0x80)
    assert (params.map_blocks, params.map_first_block) == (1, 2)
    assert repr(in_map(params_of("long_blocks"), None)) == "(const 1'd0)"
