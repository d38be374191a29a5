"""The sequencer between a model of the copy map, of the copier and of a gate that asks."""

from collections import deque
from dataclasses import dataclass, field

import pytest
from memsnap.job_table import JobKind
from memsnap.params import Release
from memsnap.sequencer import Sequencer
from memsnap_sim.kit.regions import RegionEntries

from sim import params_of, seeded, simulate


@dataclass
class Job:
    """A block in the copier."""

    block: int
    kind: JobKind
    order: list                                  # beats to read, the next one first
    issued: set = field(default_factory=set)
    captured: set = field(default_factory=set)
    copied: bool = False


class Bench:
    """Everything around the sequencer, and what must be true of it."""

    def __init__(self, pins, params, rng, regions, *, knows=True):
        self.pins, self.params, self.rng, self.regions = pins, params, rng, regions
        self.early = params.release is Release.CAPTURED
        self.knows = knows                       # the reader tells of single beats
        self.checked = 0                         # which, was said in the clock before
        self.seen = set()
        self.history = []
        self.forget()

    def forget(self):
        self.copied = set()                      # the map's bits
        self.setting = None
        self.jobs = {}
        self.claimed = {}                        # block: kind
        self.unread, self.uncopied = deque(), deque()
        self.wanted = self.ask = self.shown = None
        self.late = None, 0                      # of a map with a latency of 2, what comes next
        self.now = None                          # the job to read first
        self.asked = 0                           # clocks for which the write has asked
        self.held = self.moved = 0               # pulses of held, opens and visits, for it
        self.asked_before = False
        self.securing = False                    # the write waits for its beat alone
        self.pins.drive(enable=0, map_read=0)
        self.pins.ask.valid = 0

    def walk(self, regions):
        """The blocks of the enabled regions in their order."""
        for first, last, enable in regions:
            if enable:
                yield from range(first, last + 1)

    def row(self, index):
        return sum(1 << bit for bit in range(self.params.map_row_bits)
                   if (block := 32 * index + bit) in self.copied or block >= self.params.blocks)

    def copy(self):
        """The copier's progress in this clock."""
        pins, rng, jobs = self.pins, self.rng, self.jobs
        pins.reading = sum(1 << number for number, job in jobs.items() if job.order)
        captured = copied = None
        self.securing = self.wanted is not None
        pins.pending = bool(self.wanted and self.wanted[1] not in jobs[self.wanted[0]].issued)
        if self.unread and rng.random() < self.rate:
            number, beat = self.unread.popleft()
            jobs[number].captured.add(beat)
            if len(jobs[number].captured) == self.params.block_beats:
                captured = number
                self.uncopied.append(number)
        elif self.uncopied and rng.random() < self.rate / 2:
            copied = self.uncopied.popleft()
            jobs[copied].copied = True
        pins.secured = bool(self.wanted and self.wanted[1] in jobs[self.wanted[0]].captured)
        if pins.secured:
            self.wanted = None
        pins.drive(captured=captured is not None, captured_job=captured or 0,
                   copied=copied is not None, copied_job=copied or 0)

    def read(self):
        """Reads one beat, of the job that is wanted first."""
        ready = [number for number, job in self.jobs.items() if job.order]
        if ready and self.rng.random() < self.rate:
            number = self.now if self.now in ready else self.rng.choice(ready)
            beat = self.jobs[number].order.pop(0)
            self.jobs[number].issued.add(beat)
            self.unread.append((number, beat))

    def check_grant(self):
        """A write goes on only when what it overwrites is safe."""
        pins = self.pins
        block, beat = self.ask
        if block in self.copied:
            assert pins.whole or self.early and self.moved
            self.seen.add("copied")
        else:
            assert self.early, "the strict form waits for the whole block in the shadow"
            captured = next(job for job in self.jobs.values() if job.block == block).captured
            assert beat in captured
            assert not pins.whole or len(captured) == self.params.block_beats
            self.seen.add("whole" if pins.whole else "beat")
        assert self.held == (self.moved > 0 or self.asked > 1 + self.params.map_latency)

    def check_commands(self):
        """What is opened and visited."""
        pins, params = self.pins, self.params
        assert pins.open + pins.visit + pins.follow <= 1
        if pins.follow:
            number = next(n for n, job in self.jobs.items() if job.block == self.ask[0])
            assert self.ask[1] in self.jobs[number].issued
            self.moved += 1
            self.seen.add("follow")
            self.wanted = number, self.ask[1]
        if not pins.open and not pins.visit:
            return
        number, place = pins.check_job if pins.visit else pins.job, pins.place
        if pins.visit or pins.demand:
            assert (place.block, place.beat) == self.ask
            self.moved += 1
        if pins.open:
            free = params.jobs - len(self.jobs)
            assert pins.vacant and number not in self.jobs and place.block < params.blocks
            assert place.block not in self.claimed, "claimed twice"
            assert place.block not in self.copied
            assert free >= (1 if pins.demand else 2), "the last job is kept for a demand"
            assert pins.demand or not self.asked_before, "demand first"
            kind = (JobKind.DEMAND if pins.demand else
                    JobKind.BACKGROUND if pins.initial_done else JobKind.INITIAL)
            self.claimed[place.block] = kind
            self.history.append((place.block, kind))
            beats = params.block_beats
            order = [(place.beat + step) % beats for step in range(beats)]
            self.jobs[number] = Job(place.block, kind, order)
        else:
            job = self.jobs[number]
            assert job.block == place.block and job.order
            self.seen.add("visit")
            while place.beat in job.order and job.order[0] != place.beat:
                job.order.append(job.order.pop(0))
        if pins.visit or pins.demand:
            self.now, self.wanted = number, (number, place.beat)

    async def clock(self):
        pins, rng = self.pins, self.rng
        if self.ask is None and pins.enable and rng.random() < self.asks:
            block = rng.choice([rng.randrange(self.params.blocks),
                                *(job.block for job in self.jobs.values())])
            self.ask = block, rng.randrange(self.params.block_beats)
            pins.ask.payload = {"block": self.ask[0], "beat": self.ask[1]}
            pins.ask.valid, self.asked, self.held, self.moved = 1, 0, 0, 0
        if not pins.map_read and rng.random() < 0.1:
            pins.drive(map_read=1, map_row=rng.randrange(self.params.map_rows))
            self.patience = 0
        self.copy()
        assert not pins.set.valid or self.params.map_beside or pins.scan_first == pins.scan
        pins.set.ready = not pins.scan and self.setting is None
        pins.set_done = self.setting is not None
        job = self.jobs.get(pins.check_job)
        if job and self.knows:
            pins.check_captured = self.checked in job.captured
            pins.check_issued = self.checked in job.issued
        else:
            pins.drive(check_captured=0, check_issued=0)

        # Software's window
        if pins.map_read:
            self.patience += 1
            assert self.patience < 400
        if pins.map_valid:
            assert pins.map_data == self.shown
            pins.map_read = 0
            self.seen.add("window")

        self.held += pins.held
        if pins.ask.ready and self.ask:
            self.check_grant()
        self.check_commands()
        if pins.initial_done and pins.enable:
            assert set(self.initial) <= self.claimed.keys() | self.copied
        if pins.all_claimed and pins.enable:
            assert len(self.claimed) == self.params.blocks
        assert pins.retired == (self.setting is not None)
        if pins.retired:
            number = next(n for n, job in self.jobs.items() if job.block == self.setting)
            retired = self.jobs.pop(number)
            assert retired.copied
            assert (pins.retired_block, pins.retired_kind) == (retired.block, retired.kind)

        # The end of the clock
        self.asked_before = bool(self.ask and pins.enable and not self.securing)
        self.shown = self.row(pins.scan_row)
        taken = pins.ask.ready and self.ask
        scanned = self.shown if pins.scan else rng.getrandbits(self.params.map_row_bits)
        if self.params.map_latency == 2:
            (self.shown, scanned), self.late = self.late, (self.shown, scanned)
        if self.setting is not None:
            self.copied.add(self.setting)
        self.setting = pins.set.payload if pins.set.valid and pins.set.ready else None
        self.asked += 1
        self.read()
        self.checked, probe = pins.check_beat, pins.probe
        await pins.tick()
        pins.scan_data = scanned
        pins.probe_copied = scanned >> probe & 1
        if taken:
            self.ask, pins.ask.valid = None, 0

    async def snapshot(self, clocks=20000):
        """One snapshot, to its end or for some clocks."""
        pins, rng, params = self.pins, self.rng, self.params
        self.rate, self.asks = rng.choice([0.2, 0.9]), rng.choice([0, 0.05, 0.5])
        pins.drive(reset=0)
        regions = []
        for _ in range(params.regions):
            first = rng.randrange(params.blocks)
            last = min(params.blocks - 1, first + rng.randrange(5))
            regions.append((first, last, rng.random() < 0.7))
        self.regions.entries = regions
        self.initial = list(self.walk(regions))
        self.history = []
        await pins.tick(2)
        pins.enable = 1
        while clocks and not (pins.all_claimed and len(self.copied) == params.blocks
                              and self.ask is None):
            await self.clock()
            clocks -= 1
        if clocks:
            self.check_order()
            assert len(self.history) == params.blocks
        pins.enable = 0
        pins.ask.valid = 0
        await pins.tick(rng.randrange(1, 4))
        self.forget()
        pins.drive(reset=1, secured=0, captured=0, copied=0, set_done=0, reading=0)
        await pins.tick()
        pins.reset = 0
        return clocks

    def check_order(self):
        """The regions in their order, then the rest in ascending order."""
        walked = dict.fromkeys(self.initial)
        initial = [block for block, kind in self.history if kind is JobKind.INITIAL]
        assert initial == [block for block in walked if block in initial]
        background = [block for block, kind in self.history if kind is JobKind.BACKGROUND]
        assert background == sorted(background)
        demand = {block for block, kind in self.history if kind is JobKind.DEMAND}
        assert walked.keys() - set(initial) <= demand


@pytest.mark.parametrize("latency", [1, 2])
@pytest.mark.parametrize("release", ["captured", "copied"])
@pytest.mark.parametrize("shape", ["tiny", "three_blocks", "one_beat", "long_blocks"])
def test_random(shape, release, latency):
    rng = seeded(len(shape))
    params = params_of(shape, release=release, map_latency=latency)

    sequencer = Sequencer(params)
    regions = RegionEntries(sequencer.regions)

    async def script(pins):
        bench = Bench(pins, params, rng, regions)
        for number in range(6 if params.blocks > 10 else 24):
            bench.knows = rng.getrandbits(1)
            cut = number % 3 == 2
            left = await bench.snapshot(*[rng.randrange(300)] if cut else [])
            assert left or cut, "a snapshot that does not end"
            if number % 4 == 3:
                await pins.warm_reset()
                bench.forget()
        assert {"copied", "window"} <= bench.seen
        if release == "captured" and params.block_beats > 1:
            assert {"beat", "visit", "follow", "whole"} <= bench.seen

    simulate(sequencer, script, processes=[regions.process])


def test_a_write_that_waited_at_a_cancel_is_forgotten():
    """The next snapshot counts its first held write, though the last one was waiting at its end."""
    params = params_of("tiny")      # two jobs

    async def script(pins):
        async def held_pulses(block, clocks=12):
            pins.ask.payload = {"block": block, "beat": 0}
            pins.ask.valid = 1
            pulses = 0
            for _ in range(clocks):
                pulses += pins.held
                await pins.tick()
            return pulses

        for _ in range(3):
            pins.enable = 1
            assert await held_pulses(5) == 1    # takes a job
            pins.secured = 1
            assert pins.ask.ready
            await pins.tick()
            pins.secured = pins.ask.valid = 0
            await pins.tick()
            assert await held_pulses(6) == 1    # takes the other
            await pins.pulse("secured")
            assert await held_pulses(7) == 1    # has to wait for one, and does so at the cancel
            assert not pins.ask.ready
            pins.enable = pins.ask.valid = 0
            await pins.tick()
            await pins.pulse("reset")

    simulate(Sequencer(params), script)


@pytest.mark.parametrize("release", ["captured", "copied"])
@pytest.mark.parametrize("latency", [1, 2])
@pytest.mark.parametrize("ports", [1, 2, 4])
def test_the_window_is_served_while_writes_wait_for_a_job(ports, latency, release):
    """However long they wait, software's read of the map's row takes a few clocks."""
    params = params_of("long_blocks", ports=ports, release=release, jobs=ports + 1,
                       map_latency=latency)

    async def script(pins):
        pins.enable = 1
        pins.ask.valid = 1
        opened = 0
        for _ in range(20 * latency):     # nothing of what is claimed is ever read
            pins.ask.payload = {"block": opened, "beat": 0}
            opened += pins.open
            pins.secured = pins.securing
            await pins.tick()
        pins.secured = 0
        assert opened == params.jobs
        pins.map_read = 1
        waited = 0
        while not pins.map_valid:
            waited += 1
            assert waited < 4 + latency and not pins.ask.ready
            await pins.tick()

    simulate(Sequencer(params), script)
