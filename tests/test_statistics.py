"""The counters against counts."""

import pytest
from memsnap.job_table import JobKind
from memsnap.statistics import Statistics

from sim import params_of, seeded, simulate


class Model:
    """What each counter's description says."""

    def __init__(self, ports):
        self.counts = dict.fromkeys(("armed", "duration", "blocks_initial", "blocks_demand",
                                     "blocks_background", "held", "stall_longest",
                                     "stall_total", "instant"), 0)
        self.start = self.instant = None
        self.stalls = [0] * ports

    def step(self, clock, pins):
        counts = self.counts
        self.before = dict(counts)
        for port, stall in enumerate(self.stalls):
            held = pins.hold >> port & 1
            self.stalls[port] = stall + 1 if held else 0
            counts["stall_total"] += held
        counts["stall_longest"] = max(counts["stall_longest"], *self.stalls)
        if pins.active:
            counts["duration"] += 1
            counts["held"] += pins.held
            if pins.retired:
                counts[f"blocks_{pins.retired_kind.name.lower()}"] += 1
        if pins.accepted:
            self.start = clock
            counts.update(dict.fromkeys(counts.keys() - {"instant", "armed"}, 0))


@pytest.mark.parametrize("ports", [1, 2, 4])
@pytest.mark.parametrize("seed", range(3))
def test_random(seed, ports):
    rng = seeded(seed)

    def hold(before):
        """Stalls of all lengths, that begin and end together or one by one."""
        changes = rng.choice([0, 0, 1 << rng.randrange(ports), rng.randrange(1 << ports)])
        return before ^ changes

    async def script(pins):
        model = Model(ports)
        clock = 0

        async def step(**values):
            nonlocal clock
            pins.drive(hold=hold(pins.hold) if pins.active else 0, held=rng.random() < 0.3,
                     retired=rng.random() < 0.4, retired_kind=rng.choice(list(JobKind)))
            pins.drive(**values)
            model.step(clock, pins)
            await pins.tick()
            clock += 1
            got = pins.counters
            for name in model.counts.keys() - {"armed", "instant", "duration"}:
                assert got[name] == model.before[name], name
            assert got["duration"] == (model.before if pins.accepted else model.counts)["duration"]

        for _ in range(5):
            await step(active=0, hold=0)
            await step(accepted=1)
            start = clock - 1
            for _ in range(rng.choice([1, 1, 2, 30])):
                await step(accepted=0, arming=1)
            instant = clock
            await step(arming=0, active=1)
            for _ in range(rng.choice([1, 2, 300])):
                await step()
                assert pins.counters["instant"] == instant
                assert pins.counters["armed"] == instant - start
            for _ in range(3):
                await step(active=0, hold=0)    # all stay as they are
        await pins.warm_reset()
        assert pins.counters["duration"] == pins.counters["instant"] == 0
        await pins.pulse("accepted")            # the first clock after a reset is clock 0
        await pins.pulse("arming")
        await pins.tick()
        assert pins.counters["instant"] == 2

    simulate(Statistics(params_of("tiny", ports=ports, jobs=5)), script)


def test_longest_of_several_stalls():
    async def script(pins):
        await pins.pulse("accepted")
        pins.active = 1
        for clocks in 3, 7, 5, 1:
            pins.hold = 1
            await pins.tick(clocks)
            pins.hold = 0
            await pins.tick()
        await pins.tick()
        assert pins.counters["stall_longest"] == 7
        assert pins.counters["stall_total"] == 16
        assert pins.counters["duration"] == 21
        pins.active = 0
        await pins.pulse("accepted")
        await pins.tick()
        assert pins.counters["stall_longest"] == pins.counters["stall_total"] == 0

    simulate(Statistics(params_of("tiny")), script)
