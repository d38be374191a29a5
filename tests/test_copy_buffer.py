"""The buffer between read and shadow against a list of beats."""

from dataclasses import dataclass

import pytest
from memsnap.copy_buffer import CopyBuffer

from sim import params_of, seeded, simulate


@dataclass
class Beat:
    """A beat from its issue to its leaving, and the clocks of its life."""

    block: int
    beat: int
    job: int
    last: bool
    data: int = 0
    issued: int = 0
    captured: int | None = None
    taken: int | None = None


class Bench:
    """Reader, memory, shadow and jobs around a buffer."""

    def __init__(self, pins, params, rng):
        self.pins, self.params, self.rng = pins, params, rng
        self.clock = 0
        self.rates = dict(issue=0.6, read=0.6, take=0.6, write=0.6)
        self.errors = 0
        self.forget()

    def forget(self):
        self.beats = []                # issued, not left
        self.jobs = []                 # job and beats to issue
        self.first_error = None
        self.stopped = self.was_stopped = False
        self.offered = None            # on offer in the clock before, and not taken
        self.quiet = 0
        self.pins.drive(issue=0, read_valid=0, write_valid=0, stop=0, drop=0, reset=0)

    def happens(self, what):
        return self.rng.random() < self.rates[what]

    def issue(self):
        """A read of one of the open jobs, in any order among them."""
        pins, rng, params = self.pins, self.rng, self.params
        pins.issue = 0
        used = {job["job"] for job in self.jobs} | {beat.job for beat in self.beats}
        free = sorted(set(range(params.jobs)) - used)
        if free and rng.random() < 0.3:
            self.jobs.append({"job": free[0], "block": rng.randrange(params.blocks),
                              "left": rng.randint(1, 2 * params.block_beats)})
        if self.stopped or not self.jobs or len(self.beats) == params.buffer_depth \
                or not self.happens("issue"):
            return None
        job = rng.choice(self.jobs)
        job["left"] -= 1
        if not job["left"]:
            self.jobs.remove(job)
        beat = Beat(job["block"], rng.randrange(params.block_beats), job["job"],
                    not job["left"], issued=self.clock)
        pins.drive(issue=1, issue_place={"block": beat.block, "beat": beat.beat},
                   issue_job=beat.job, issue_last=beat.last)
        return beat

    def answers(self, error_rate):
        """The memory's answer to a read, and the shadow's to a write."""
        pins, rng = self.pins, self.rng
        unread = [beat for beat in self.beats if beat.captured is None]
        read = unread[0] if unread and unread[0].issued < self.clock \
            and self.happens("read") else None
        written = self.beats[0] if self.beats and self.beats[0].taken is not None \
            and self.happens("write") else None
        pins.drive(read_valid=read is not None, read_data=rng.getrandbits(self.params.data_width),
                   read_error=rng.random() < error_rate,
                   write_valid=written is not None, write_error=rng.random() < error_rate)
        assert pins.unread == len(unread)
        return read, written

    def check_offer(self):
        """The oldest captured beat is on offer two clocks after its capture, or after the last."""
        pins = self.pins
        waiting = [beat for beat in self.beats if beat.captured is not None and beat.taken is None]
        due = bool(waiting) and waiting[0].captured <= self.clock - 2
        # One that is due in the first clock of a stop is still offered
        assert pins.write.valid == (due and (not self.was_stopped or self.offered is not None))
        if not pins.write.valid:
            return None
        payload = pins.write.payload
        beat = waiting[0]
        assert (payload.place.block, payload.place.beat, payload.data) == (
            beat.block, beat.beat, beat.data)
        return beat

    def check_events(self, read, written):
        pins = self.pins
        assert pins.captured == bool(read and read.last)
        assert not pins.captured or pins.captured_job == read.job
        assert pins.copied == bool(written and written.last and not pins.write_error)
        assert not pins.copied or pins.copied_job == written.job
        write_failed = bool(written and pins.write_error)
        read_failed = bool(read and pins.read_error)
        assert pins.error == (write_failed or read_failed)
        if pins.error:
            assert pins.error_write == write_failed
            if self.first_error is None:
                self.first_error = written.block if write_failed else read.block
                self.errors += 1

    async def step(self, error_rate=0.0):
        pins = self.pins
        issued = self.issue()
        read, written = self.answers(error_rate)
        pins.write.ready = self.happens("take")
        free = self.params.buffer_depth - len(self.beats)
        assert pins.room == (free > 0) and pins.ample == (free > self.params.buffer_depth // 8)
        offer = self.check_offer()
        self.check_events(read, written)
        owed = any(beat.captured is None or beat.taken is not None for beat in self.beats)
        assert pins.quiet == (not owed and offer is None)
        self.quiet = self.quiet + 1 if pins.quiet and pins.stop else 0
        if self.quiet >= 3 and (self.first_error is not None or self.beats):
            assert pins.error_block == (self.first_error if self.first_error is not None
                                        else self.beats[0].block)

        if read:
            read.captured, read.data = self.clock, pins.read_data
        if offer and pins.write.ready:
            offer.taken = self.clock
            offer = None
        self.offered = None if pins.drop else offer
        if written:
            self.beats.remove(written)
        if issued:
            self.beats.append(issued)
        self.was_stopped = self.stopped
        await pins.tick()
        self.clock += 1

    async def stop(self, drop):
        """Stops, waits until all answers have come, looks at the block and resets."""
        pins = self.pins
        pins.stop, self.stopped = 1, True
        pins.drop = drop
        for _ in range(1000):
            if self.quiet >= 4:
                break
            await self.step()
        else:
            pytest.fail("answers that are due never end")
        pins.drop, pins.reset = 0, 1
        await pins.tick()
        self.forget()


@pytest.mark.parametrize("shape", ["tiny", "three_blocks", "one_beat", "long_blocks"])
def test_random(shape):
    rng = seeded(len(shape))
    params = params_of(shape)

    async def script(pins):
        bench = Bench(pins, params, rng)
        for number in range(40):
            bench.rates = {what: rng.choice([0.1, 0.6, 1]) for what in bench.rates}
            for _ in range(rng.randrange(120)):
                await bench.step()
            if number % 4 == 0:
                await pins.warm_reset()
                bench.forget()
                continue
            while number % 2 and bench.first_error is None:
                await bench.step(error_rate=0.1)    # stops in the clock after the first error
            bench.rates.update(read=0.3, take=0.3, write=0.3)
            await bench.stop(drop=rng.getrandbits(1))
        assert bench.errors >= 20

    simulate(CopyBuffer(params), script)


def test_a_beat_a_clock():
    """The buffer as such costs no throughput, and two clocks."""
    params = params_of("long_blocks")

    async def script(pins):
        bench = Bench(pins, params, seeded(1))
        bench.rates = dict.fromkeys(bench.rates, 1)
        while not bench.beats:
            await bench.step()
        written = 0
        for clock in range(100):
            bench.jobs = bench.jobs or [{"job": 0, "block": 3, "left": 500}]
            written += pins.write_valid
            await bench.step()
            assert pins.write_valid or clock < 5
        assert written > 90

    simulate(CopyBuffer(params), script)
