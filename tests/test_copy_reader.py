"""The reading half of the copier against a model of its walk, under random opens and visits."""

from collections import deque
from functools import partial

import pytest
from memsnap.copy_reader import CopyReader

from sim import params_of, seeded, simulate


class Job:
    """A block that is being read: a circle of beats, and excursions from it."""

    def __init__(self, block, beat, beats):
        self.block, self.at, self.beats = block, beat, beats
        self.circle = None      # where the circle goes on, while on an excursion
        self.read = set()       # issued
        self.captured = set()   # answered

    @property
    def open(self):
        return len(self.read) < self.beats

    def visit(self, beat):
        self.circle = self.at if self.circle is None else self.circle
        self.at = beat

    def issue(self, beat):
        self.read.add(beat)
        self.at = (beat + 1) % self.beats

    def next(self):
        """The beat that must be read next."""
        while self.at in self.read:
            if self.circle is not None:
                self.at, self.circle = self.circle, None
            else:
                self.at = (self.at + 1) % self.beats
        return self.at


class Bench:
    """Buffer, memory and sequencer around a reader."""

    def __init__(self, pins, params, rng):
        self.pins, self.params, self.rng = pins, params, rng
        self.finished = self.visits = self.again = self.follows = 0
        self.answer_rate = self.ready_rate = 0.7
        self.visit_rate = 0.2
        self.forget()

    def forget(self):
        self.jobs = [None] * self.params.jobs
        # Of each port: job, beat, whether no read was issued for it at the time
        self.wanted = [None] * self.params.ports
        self.late = [0] * self.params.ports    # clocks since it must have been captured
        self.calm = 0                # clocks since nothing is wanted
        self.first = None            # the job that must be read first
        self.request = None          # on offer to the memory
        self.requests = deque()      # issued, not answered: job, beat
        self.due = 0                 # taken by the memory, not answered
        self.used = 0                # slots of the buffer
        self.checked = 0             # the beat that was asked about in the clock before
        self.pins.drive(open=0, visit=0, follow=0, stop=0, drop=0, reset=0, read_valid=0)

    async def swept(self):
        for _ in range(self.params.notes):
            assert self.pins.sweeping and not self.pins.issue
            await self.pins.tick()
        assert not self.pins.sweeping

    def command(self):
        """Opens a job, visits one, or asks to be told of a beat that is being read."""
        pins, rng = self.pins, self.rng
        pins.drive(open=0, visit=0, follow=0, demand=0)
        job = rng.randrange(self.params.jobs)
        place = {"block": rng.randrange(self.params.blocks),
                 "beat": rng.randrange(self.params.block_beats)}
        held = self.jobs[job]
        pins.drive(job=job, vacant=held is None)
        asker = pins.asker = rng.randrange(self.params.ports)
        may_want = self.params.ports == 1 or not pins.pending and not self.wanted[asker]
        if held is None and rng.random() < 0.3:
            pins.drive(open=1, place=place, demand=may_want and rng.getrandbits(1))
        elif held and held.open and may_want and rng.random() < self.visit_rate:
            pins.drive(visit=1, check_job=job, demand=1,
                       place=place | {"block": held.block})
        elif held and held.read and not pins.pending and not self.wanted[asker] \
                and rng.random() < self.visit_rate:
            self.followed = job, rng.choice(sorted(held.read))
            pins.follow = 1

    def check_beat(self):
        """What the reader says of a beat is true, and comes true."""
        pins, rng = self.pins, self.rng
        number = pins.check_job if pins.visit else rng.randrange(self.params.jobs)
        beat, self.checked = self.checked, rng.randrange(self.params.block_beats)
        pins.drive(check_job=number, check_beat=self.checked)
        if self.jobs[number] is None:
            return
        job = self.jobs[number]
        if pins.check_captured:
            assert beat in job.captured
        if pins.check_issued:
            assert beat in job.read
            assert pins.check_captured or pins.unread

    def check_secured(self, answered):
        pins = self.pins
        assert pins.wanted == any(self.wanted)
        assert pins.wanted or not pins.secured
        self.calm = 0 if any(self.wanted) else self.calm + 1
        assert not pins.urgent or self.calm < 2
        for port, wanted in enumerate(self.wanted):
            secured = pins.secured >> port & 1
            if wanted is None:
                assert not secured
                self.late[port] = 0
                continue
            job, beat, fresh = wanted
            held = self.jobs[job]
            if beat not in held.read:
                blocked = self.request or not pins.room or not self.params.pipelined
                assert pins.urgent or not blocked
            elif self.request and self.requests[-1] == (job, beat):
                assert pins.urgent
            self.late[port] = 0 if self.requests or held.open else self.late[port] + 1
            assert self.late[port] < 3, "captured, but not said so"
            if secured:
                assert beat in held.captured
            if fresh:
                assert secured == (answered == (job, beat))

    def check_issue(self):
        """A read is issued: the right beat of the right job, once, and with room for it."""
        pins = self.pins
        job, place = pins.issue_job, pins.issue_place
        held = self.jobs[job]
        assert not pins.stop
        assert held and held.open and place.block == held.block
        assert place.beat == held.next() and place.beat not in held.read
        assert pins.issue_last == (len(held.read) == held.beats - 1)
        if self.first is not None and self.jobs[self.first].open:
            assert job == self.first
        wanted = pins.pending and any(each and each[:2] == (job, place.beat)
                                      for each in self.wanted)
        assert pins.room if wanted else pins.ample
        return job, place.beat

    async def clock(self, commands=True):
        pins, rng = self.pins, self.rng
        if commands:
            self.command()
        free = self.params.buffer_depth - self.used
        pins.drive(room=free > 0, ample=free > self.params.buffer_depth // 8,
                   unread=len(self.requests))
        pins.read.ready = rng.random() < self.ready_rate
        pins.read_valid = bool(self.due) and rng.random() < self.answer_rate
        answered = None
        if pins.read_valid:
            answered = self.requests.popleft()
            self.due -= 1
        self.check_beat()
        if answered:
            self.jobs[answered[0]].captured.add(answered[1])
        self.check_secured(answered)
        assert pins.reading == sum(1 << number for number, job in enumerate(self.jobs)
                                   if job and job.open)
        assert pins.read.valid == (self.request is not None)
        if self.request:
            assert (pins.read.payload.block, pins.read.payload.beat) == self.request
        issued = self.check_issue() if pins.issue else None

        # The model follows
        if self.request and pins.read.ready:
            self.request = None
            self.due += 1
        elif pins.drop:
            self.request = None
        self.wanted = [None if pins.secured >> port & 1 else each
                       for port, each in enumerate(self.wanted)]
        if issued:
            assert self.request is None
            job, beat = issued
            self.jobs[job].issue(beat)
            self.requests.append(issued)
            self.used += 1
            self.request = (self.jobs[job].block, beat)
        if self.used > len(self.requests) and rng.random() < 0.6:
            self.used -= 1
        self.follow()
        await pins.tick()

    def follow(self):
        """What was commanded in this clock, and jobs that leave."""
        pins, rng = self.pins, self.rng
        number, beat = pins.check_job if pins.visit else pins.job, pins.place.beat
        if pins.open:
            self.jobs[number] = Job(pins.place.block, beat, self.params.block_beats)
        if pins.visit:
            self.again += beat in self.jobs[number].read
            self.jobs[number].visit(beat)
            self.visits += 1
        if pins.visit or pins.open and pins.demand:
            self.wanted[pins.asker] = number, beat, beat not in self.jobs[number].read
            self.first = number
        if pins.follow:
            self.wanted[pins.asker] = *self.followed, False
            self.follows += 1
        wanted = {each[0] for each in self.wanted if each}
        busy = {number, self.first, *(job for job, _ in self.requests), *wanted}
        for index, job in enumerate(self.jobs):
            if job and not job.open and (index not in busy or rng.random() < 0.1) \
                    and len(job.captured) == job.beats and index not in wanted:
                self.jobs[index] = None
                self.first = None if self.first == index else self.first
                self.finished += 1

    async def stop(self):
        """Stops, perhaps withdraws, and resets when no answer is due."""
        pins, rng = self.pins, self.rng
        pins.drive(stop=1, open=0, visit=0, follow=0)
        if rng.getrandbits(1):
            pins.drop = 1
            await self.clock(commands=False)
            pins.drop = rng.getrandbits(1)
        while self.request or self.due:
            await self.clock(commands=False)
        assert not pins.read.valid
        pins.reset = 1
        await pins.tick()
        self.forget()
        assert not pins.wanted and not pins.secured and not pins.read.valid and not pins.reading
        await self.swept()


@pytest.mark.parametrize("shape, ports", [("tiny", 1), ("three_blocks", 1), ("one_beat", 1),
                                          ("long_blocks", 1), ("long_blocks", 3),
                                          ("deep_notes", 1), ("deep_notes", 3)])
def test_random(shape, ports):
    rng = seeded(len(shape))
    params = params_of(shape, ports=ports, jobs=5) if ports > 1 else params_of(shape)
    assert params.deep_notes == (shape == "deep_notes")

    async def script(pins):
        bench = Bench(pins, params, rng)
        await bench.swept()
        for phase in range(24):
            bench.answer_rate, bench.ready_rate = rng.choice([(1, 1), (0.7, 0.7), (0.2, 0.9),
                                                              (0.9, 0.2)])
            bench.visit_rate = rng.choice([0.02, 0.3])
            for _ in range(250):
                await bench.clock()
            if phase % 3 == 1:
                await bench.stop()
            elif phase % 3 == 2:
                await pins.warm_reset()
                bench.forget()
                await bench.swept()
        for _ in range(1000):   # all that is open comes to an end
            if not any(job and job.open for job in bench.jobs) and not any(bench.wanted):
                break
            pins.drive(open=0, visit=0, follow=0)
            await bench.clock(commands=False)
        else:
            pytest.fail("jobs that never end")
        assert bench.finished > 40 and bench.visits > 30 and bench.follows > 10
        assert bench.again > 10 or params.block_beats == 1

    simulate(CopyReader(params), script)


def test_a_beat_a_clock():
    """Without visits the jobs are read one beat a clock, without a gap between them."""
    params = params_of("long_blocks", buffer_depth=64)

    async def script(pins):
        bench = Bench(pins, params, seeded(1))
        bench.answer_rate = bench.ready_rate = 1
        await bench.swept()
        for job in 0, 1:
            pins.drive(open=1, vacant=1, job=job, place={"block": job, "beat": 0})
            await bench.clock(commands=False)
            pins.drive(open=0, vacant=0)
        reads = 1                       # the first was issued in the clock of the second open
        while pins.issue:
            await bench.clock(commands=False)
            reads += 1
        assert reads == 32

    simulate(CopyReader(params), script)


@pytest.mark.parametrize("visited, order", [
    (None, [0, 2, 4, 5, 1, 3]), (1, [0, 1, 2, 4, 5, 0, 3]), (3, [0, 3, 4, 2, 5, 0, 1])])
def test_the_first_are_read_before_the_others(visited, order):
    """One that is at hand or visited is not put off."""
    params = params_of("long_blocks", buffer_depth=64, jobs=6)

    async def script(pins):
        bench = Bench(pins, params, seeded(1))
        bench.answer_rate = bench.ready_rate = 1
        await bench.swept()
        seen = []
        pins.first = 0b010100
        for clock in range(6 * 17):
            pins.drive(open=clock < 6, vacant=clock < 6, visit=0, job=min(clock, 5),
                       place={"block": 0, "beat": 0})
            if clock == 8 and visited is not None:
                pins.drive(visit=1, demand=1, check_job=visited)
            if pins.issue and [pins.issue_job] != seen[-1:]:
                seen.append(pins.issue_job)
            await bench.clock(commands=False)
        assert seen == order

    simulate(CopyReader(params), script)


def test_checks_know_the_beats_after_the_wanted_one():
    """After a demand at beat 3: 3, 4, 5 ... are known one after another, round the circle."""
    params = params_of("long_blocks", buffer_depth=64)

    async def script(pins, offset):
        bench = Bench(pins, params, seeded(1))
        bench.answer_rate = bench.ready_rate = 1
        bench.check_beat = lambda: None
        await bench.swept()
        pins.drive(open=1, vacant=1, demand=1, job=2, place={"block": 7, "beat": 3}, check_job=2,
                   check_beat=(3 + offset) % 16)
        await bench.clock(commands=False)
        pins.drive(open=0, vacant=0)
        for clock in range(20):
            assert pins.check_issued == (offset < clock)
            assert pins.check_captured == (offset < clock - 2)
            await bench.clock(commands=False)

    for offset in range(16):
        simulate(CopyReader(params), partial(script, offset=offset))
