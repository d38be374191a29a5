"""The job table against a list of jobs."""

from dataclasses import dataclass

import pytest
from memsnap.job_table import JobKind, JobTable

from sim import params_of, seeded, simulate


@dataclass
class Job:
    block: int
    kind: JobKind
    captured: bool = False
    copied: bool = False


@pytest.mark.parametrize("shape, jobs", [("tiny", 2), ("one_beat", 3), ("long_blocks", 5),
                                         ("long_blocks", 16)])
def test_random(shape, jobs):
    """Every output in every clock, with everything that may happen in one clock happening."""
    rng = seeded(jobs)
    params = params_of(shape, jobs=jobs)

    async def script(pins):
        table = [None] * jobs
        taken = held = None
        idle = 0
        find = found = was = None
        for _ in range(3000):
            free = [index for index, job in enumerate(table) if job is None]
            assert pins.free == (len(free) >= 1)
            assert pins.spare == (jobs - len(free) < params.background_jobs)
            assert not free or pins.next_job in free
            ready = {job.block for job in table if job and job.copied}
            offered = pins.finished.payload if pins.finished.valid else None
            assert offered is None or offered in ready and taken is None
            assert held is None or offered == held, "an offer stays until it is taken"
            idle = 0 if offered is not None or taken is not None or not ready else idle + 1
            assert idle < 3
            if find is not None:
                assert pins.found == (found is not None)
                if found is not None:
                    assert pins.found_job == found
                    assert pins.found_captured == was.captured

            # What happens in this clock
            reset = rng.random() < 0.003
            blocks = {job.block for job in table if job}
            unused = [block for block in range(params.blocks) if block not in blocks]
            claim = bool(free) and bool(unused) and rng.random() < 0.4
            block, kind = rng.choice(unused or [0]), rng.choice(list(JobKind))
            find = rng.choice([*blocks, block, rng.randrange(params.blocks)])
            capture = rng.choice([None] * 2 + [i for i, job in enumerate(table)
                                               if job and not job.captured])
            copy = rng.choice([None] * 2 + [i for i, job in enumerate(table)
                                            if job and job.captured and not job.copied])
            retire = taken is not None
            pins.drive(reset=reset, claim=claim, claim_block=block, claim_kind=kind, find=find,
                     captured=capture is not None, captured_job=capture or 0,
                     copied=copy is not None, copied_job=copy or 0, retire=retire)
            pins.finished.ready = rng.random() < 0.6
            if retire:
                assert pins.retired_block == table[taken].block
                assert pins.retired_kind == table[taken].kind
            next_job = pins.next_job

            # What it makes of the model
            found = next((i for i, job in enumerate(table) if job and job.block == find), None)
            was = table[found] if found is not None else None
            if capture is not None:
                table[capture].captured = True
            if copy is not None:
                table[copy].copied = True
            if retire:
                table[taken] = None
            taken = held = None
            if offered is not None and pins.finished.ready:
                taken = next(i for i, job in enumerate(table) if job and job.block == offered)
            else:
                held = offered
            if claim:
                table[next_job] = Job(block, kind)
            if reset:
                table = [None] * jobs
                taken = held = None
            await pins.tick()

    simulate(JobTable(params), script)


def test_claimed_in_the_clock_of_the_search():
    """A block that is claimed in the clock in which it is looked for is not found, but next."""
    params = params_of("long_blocks")

    async def script(pins):
        pins.drive(claim=1, claim_block=0, find=0)
        await pins.tick()
        pins.claim = 0
        assert not pins.found
        await pins.tick()
        assert pins.found and not pins.found_captured
        pins.drive(captured=1, captured_job=pins.found_job)
        assert not pins.found_captured
        await pins.tick()
        pins.captured = 0
        assert pins.found_captured
        await pins.warm_reset()
        await pins.tick()
        assert not pins.found and pins.spare

    simulate(JobTable(params), script)
