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
        self.phase = 0               # of the bits, as they are in the memory
        pins.live = 0

    async def swept(self):
        while self.pins.sweeping:
            assert not self.pins.set.ready
            await self.memory.tick()
        assert self.memory.rows == [0] * self.params.map_rows
        self.model = Model(self.params.blocks)
        self.phase = 0
        self.pins.live = 1

    def written(self):
        """The rows as the memory has them; a bit that stands for no block is 1."""
        empty = Model(self.params.blocks)
        return [row ^ -self.phase & (1 << empty.bits) - 1 | empty.row(index)
                for index, row in enumerate(self.memory.rows)]

    def check_full(self):
        """All is copied, and in the memory, which owes no answer."""
        if self.pins.full:
            assert len(self.model.copied) == self.params.blocks and not self.memory.due
            assert self.written() == [self.model.row(row) for row in range(self.model.rows)]

    async def clock(self, *, sets=0.0, looks=0.4, scans=0.5, todo=()):
        """One clock of sets of the blocks in ``todo``, looks and scans."""
        pins, rng, model = self.pins, self.rng, self.model
        if self.looked is not None:
            row, before = self.looked
            none = Model(self.params.blocks).row(row)
            assert pins.look_data in (none, before), "an old row, or none"
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
        await self.step()
        self.scanned = model.row(pins.scan_row) if pins.scan else None

    async def step(self):
        """Ends the clock; a bit that is being set in it is seen by its scan, and later."""
        pins = self.pins
        self.check_full()
        self.memory.drive()
        taken, done = pins.set.valid and pins.set.ready, pins.set_done
        await pins.tick()
        if taken:
            pins.set.valid = 0
        if done:
            self.model.copied.add(self.setting)
            self.setting = None

    async def fill(self, until, *, in_order=False):
        """Sets random blocks until so many are copied, under random reads; or the first ones."""
        todo = sorted(set(range(self.params.blocks)) - self.model.copied)
        if not in_order:
            self.rng.shuffle(todo)
        todo = todo[until - len(self.model.copied) - 1::-1]
        while todo or self.setting is not None:
            await self.clock(sets=0.7, todo=todo)
        self.pins.look = self.pins.scan = 0
        self.looked = self.scanned = None
        await self.rest()

    async def rest(self):
        """Waits until nothing more is asked of the memory: a complete row is written at once."""
        await self.memory.tick()
        while self.pins.busy:
            self.check_full()
            await self.memory.tick()
        self.check_full()

    async def sets(self, *blocks):
        """Sets the bits of these blocks, without reads; gives the clocks that it took."""
        clocks = 0
        for self.setting in blocks:
            self.pins.set.drive(valid=1, payload=self.setting)
            while self.setting is not None:
                await self.step()
                clocks += 1
        return clocks

    def asked(self, since=0):
        """What was asked of the memory, but for the sweep and what came before ``since``."""
        return self.memory.taken[self.params.map_rows + since:]

    async def leave_none_blank(self):
        """Sets a bit in the last row that may be blank: from now on all rows are read."""
        await self.sets(self.params.map_first_block // 32 * 32 - 1)

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
        for how, in_order in (("restart", False), ("restart", True), ("sweep", True),
                              ("restart", False), ("sweep", False), ("restart", True)):
            await bench.fill(blocks if how == "restart" else rng.randrange(1, blocks),
                             in_order=in_order)
            for row in range(params.map_rows):
                assert (await bench.scan(row))[0] == bench.model.row(row)
            assert pins.full == (how == "restart")
            await pins.pulse(how)
            pins.live = how == "restart"
            bench.phase ^= how == "restart"
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
        await bench.leave_none_blank()
        before = len(bench.memory.taken)
        assert await bench.scan(0) == (0, latency + 4)
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


def test_a_blank_row_is_not_read():
    """Nor does it take a line of the cache, before a bit of it is set."""
    params = params_with(200, map_cache=2)

    async def script(bench):
        await bench.swept()
        for row in 0, 1, 2, 3, 4, 5, 6:                 # the last two are on chip from the sweep
            assert await bench.scan(row) == (bench.model.row(row), 1)
        await bench.sets(70)
        assert bench.asked() == []
        assert await bench.scan(5) == (0, 1), "its line was not taken"
        assert await bench.scan(2) == (1 << 6, 1)
        assert await bench.scan(3) == (0, 1), "it is behind"
        assert bench.asked() == []
        assert (await bench.scan(0))[0] == 0, "it is before"
        assert bench.asked() == [(0, 0)]

    run(params, script)


def test_a_row_with_bits_of_the_maps_own_blocks_is_never_blank():
    """These are set first, of whatever row they are, and leave the rows behind as they are."""
    params = params_with(200, map_cache=2, map_base=32 * 16)

    async def script(bench):
        await bench.swept()
        own = range(params.map_first_block, params.map_first_block + params.map_blocks)
        assert {block // 32 for block in own} == {1}
        await bench.sets(*own)
        await bench.rest()
        assert bench.asked() == [(1, 0)]
        for row in 0, 2, 3, 4, 5, 6:
            assert await bench.scan(row) == (bench.model.row(row), 1)
        await bench.sets(3)
        await bench.rest()
        assert bench.asked(1) == [(1, 1)]
        assert (await bench.scan(5))[0] == 0
        assert (await bench.scan(1))[0] == bench.model.row(1) != 0

    run(params, script)


def test_a_row_that_was_asked_for_before_a_restart_does_not_come_over_a_bit():
    """It is blank when it comes."""
    params = params_with(200, map_cache=2)

    async def script(bench):
        await bench.swept()
        await bench.fill(200)
        assert (await bench.scan(4))[0] == 0xffffffff
        bench.pins.drive(scan=1, scan_row=2)
        for _ in range(4):
            await bench.memory.tick()
        bench.pins.scan = 0
        assert bench.pins.busy and bench.memory.due
        bench.pins.restart = 1
        await bench.memory.tick()
        bench.pins.restart = 0
        bench.model.copied.clear()
        bench.phase ^= 1
        await bench.sets(70)
        await bench.rest()
        assert (await bench.scan(2))[0] == 1 << 6

    run(params, script, latency=12, pace=1)


def test_a_row_is_written_when_the_bit_of_another_is_set():
    """And that one is read before: somebody waits for it."""
    params = params_with(200)

    async def script(bench):
        await bench.swept()
        await bench.sets(37, 40, 63)
        await bench.rest()
        assert bench.asked() == [] and not bench.pins.full
        assert await bench.scan(1) == (1 << 5 | 1 << 8 | 1 << 31, 1)
        assert bench.memory.rows[1] == 0
        await bench.sets(0)
        await bench.rest()
        assert bench.asked() == [(0, 0), (1, 1)]
        assert bench.memory.rows[:2] == [0, 1 << 5 | 1 << 8 | 1 << 31]
        # A row that is at hand need not be read
        await bench.sets(38)
        await bench.rest()
        assert bench.asked(2) == [(0, 1)] and bench.memory.rows[0] == 1

    run(params, script)


@pytest.mark.parametrize("blocks", [200, 193, 192])
def test_each_row_is_written_once(blocks):
    """As soon as it is complete, if its bits are set one after the other; two clocks each."""
    params = params_with(blocks, map_cache=16)

    async def script(bench):
        await bench.swept()
        for row in range(params.map_rows):
            await bench.scan(row)
        before = len(bench.asked())
        for first in range(0, blocks, 32):
            bits = range(first, min(first + 32, blocks))
            assert await bench.sets(*bits) == 2 * len(bits)
            await bench.rest()
            assert bench.asked(before)[-1] == (first // 32, 1)
        assert bench.asked(before) == [(row, 1) for row in range(params.map_rows)]
        assert bench.pins.full

    run(params, script, latency=1, pace=1)


@pytest.mark.parametrize("width", [32, 64])
def test_a_row_that_is_unwritten_comes_back_to_its_line(width):
    """It is not read from the memory, which has an older one."""
    params = params_with(200, map_cache=2, data_width=width)

    async def script(bench):
        await bench.swept()
        await bench.leave_none_blank()
        await bench.sets(37)
        assert (await bench.scan(3))[0] == 0            # takes the line
        before = len(bench.asked())
        assert (await bench.scan(1))[0] == 1 << 5
        assert len(bench.asked()) == before and bench.memory.rows[1] == 0
        assert (await bench.scan(5))[0] == 1 << 31
        await bench.sets(39)                            # comes back for this, too
        assert (await bench.scan(3))[0] == 0
        await bench.sets(96, 0)
        await bench.rest()
        assert bench.memory.rows[:4] == [0, 1 << 5 | 1 << 7, 0, 1]
        assert (await bench.scan(1))[0] == 1 << 5 | 1 << 7
        assert (await bench.scan(0))[0] == 1

    run(params, script)


@pytest.mark.parametrize("latency, pace", [(1, 1), (1, 0.1), (16, 1)])
def test_sets_go_on_beside_scans_of_the_same_line(latency, pace):
    """Rows 1, 3 and 5 want one line, and lie in two blocks of the map."""
    params = params_with(200, map_cache=2)

    async def script(bench):
        pins, rng = bench.pins, bench.rng
        await bench.swept()
        await bench.leave_none_blank()
        for block in 37, 100, 170, 38, 101, 171:
            pins.set.drive(valid=1, payload=block)
            bench.setting = block
            for _ in range(400):
                pins.drive(scan=1, scan_row=rng.choice([1, 3, 5]))
                await bench.step()
                if bench.setting is None:
                    break
            assert bench.setting is None

    run(params, script, latency=latency, pace=pace)


def test_an_unwritten_row_does_not_outlive_a_sweep():
    """Not even in the register, from which it would come back."""
    params = params_with(200, map_cache=2)

    async def script(bench):
        await bench.swept()
        await bench.leave_none_blank()
        await bench.sets(37)
        await bench.scan(3)
        await bench.rest()
        await bench.pins.pulse("sweep")
        bench.pins.live = 0
        await bench.swept()
        await bench.sets(0, 70)
        await bench.rest()
        assert bench.memory.rows[:4] == [1, 0, 0, 0]
        for row, bits in enumerate([1, 0, 1 << 6, 0]):
            assert (await bench.scan(row))[0] == bits

    run(params, script)


def test_an_unwritten_row_does_not_outlive_a_reset():
    params = params_with(200, map_cache=2)

    async def script(bench):
        await bench.swept()
        await bench.sets(37)
        await bench.rest()
        await bench.pins.warm_reset()
        assert bench.pins.sweeping
        bench.pins.live = 0
        await bench.swept()
        await bench.sets(0, 70)
        await bench.rest()
        assert (await bench.scan(1))[0] == 0 and bench.memory.rows[1] == 0

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


async def until_error(bench):
    """Follows the clocks to that of an error, and tells it: whether a write's, and its block."""
    for _ in range(40):
        assert not bench.pins.full
        bench.memory.drive()
        if bench.pins.error:
            return bench.pins.error_write, bench.pins.error_block
        await bench.pins.tick()
    raise AssertionError("no error")


@pytest.mark.parametrize("we", [0, 1])
def test_an_error_is_told(we):
    """The block of the map whose row could not be read or written; that is written late."""
    params = params_with(200)

    async def script(bench):
        await bench.swept()
        if we:
            await bench.sets(32 * 4)
            await bench.rest()
        else:
            await bench.leave_none_blank()
        bench.memory.errors = {len(bench.memory.taken) + we}
        bench.pins.set.drive(valid=1, payload=0 if we else 32 * 4)
        assert await until_error(bench) == (we, params.map_first_block + 1)

    run(params, script)


def test_the_block_that_failed_is_told_until_the_sweep():
    """Though a row in another block of the map is asked for right after the error."""
    params = params_with(200, map_cache=2)

    async def script(bench):
        pins, memory = bench.pins, bench.memory
        for failing, other in (0, 4), (4, 0):
            await bench.swept()
            await bench.leave_none_blank()
            await bench.rest()
            memory.errors = {len(memory.taken)}
            pins.drive(scan=1, scan_row=failing)
            assert await until_error(bench) == (0, params.map_first_block + failing // 4)
            asked = len(memory.taken)
            pins.scan_row = other
            await pins.tick()
            for _ in range(10):
                await memory.tick()
                assert pins.error_block == params.map_first_block + failing // 4
            assert memory.taken[asked][0] == other, "it is asked for"
            pins.scan = 0
            await bench.rest()
            pins.sweep = 1
            await memory.tick()
            pins.sweep = 0

    run(params, script)


def test_a_row_that_could_not_be_read_is_read_after_the_sweep():
    """That it could not be is told to one scan, of the same snapshot."""
    params = params_with(200, map_cache=2)

    async def script(bench):
        await bench.swept()
        await bench.leave_none_blank()
        await bench.rest()
        bench.memory.errors = {len(bench.memory.taken)}
        bench.pins.drive(scan=1, scan_row=0)
        await until_error(bench)
        bench.pins.scan = 0
        await bench.pins.tick()
        await bench.rest()
        await bench.pins.pulse("sweep")
        bench.pins.live = 0
        await bench.swept()
        await bench.sets(0, 64)         # whose row takes the line
        await bench.rest()
        assert (await bench.scan(0))[0] == 1

    run(params, script)


def test_a_scan_has_its_row_fetched_as_soon_as_another_comes():
    """And in the clock in which that one's read is answered, if it is in another of the blocks."""
    params = params_with(200, map_cache=2)

    async def script(bench):
        pins, memory = bench.pins, bench.memory
        await bench.swept()
        await bench.leave_none_blank()
        await bench.rest()
        for first, second in (0, 2), (1, 4):
            pins.drive(scan=1, scan_row=first)
            await memory.tick()
            pins.scan_row = second
            clocks = 0
            while not (pins.scan_valid and clocks):
                await memory.tick()
                clocks += 1
            # The scan of the first is told, and for each there are a clock for its request, and L
            assert clocks == 1 + 2 * (1 + 1), (first, second)
            assert pins.scan_data == bench.model.row(second)
            pins.scan = 0
            await bench.rest()

    run(params, script, latency=1, pace=1)


@pytest.mark.parametrize("latency", [1, 9])
def test_an_error_of_the_last_write_comes_before_full(latency):
    params = params_with(96, map_cache=16)

    async def script(bench):
        await bench.swept()
        await bench.sets(*range(95))
        await bench.rest()
        bench.memory.errors = {len(bench.memory.taken)}
        await bench.sets(95)
        assert await until_error(bench) == (1, params.map_first_block)

    run(params, script, latency=latency)


def test_an_unwritten_row_stays_so_after_a_stop():
    """And no bit is set any more; a sweep follows."""
    params = params_with(200, map_cache=16)

    async def script(bench):
        await bench.swept()
        await bench.sets(0, 32, *range(64, 95))
        await bench.rest()
        before = len(bench.asked())
        bench.pins.stop = 1
        bench.pins.set.drive(valid=1, payload=95)
        for _ in range(20):
            await bench.memory.tick()
            assert not bench.pins.set_done and not bench.pins.busy
        assert len(bench.asked()) == before and bench.memory.rows[2] == 0
        bench.pins.set.valid = 0
        await bench.pins.pulse("sweep")
        bench.pins.drive(stop=0, live=0)
        await bench.swept()

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
        await bench.leave_none_blank()
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
