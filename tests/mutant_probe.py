"""Runs the unit through a few rough scenarios; exits 1 with what it found, 0 if that is nothing.

Run by ``test_mutants.py`` in a process of its own, with a broken copy of the unit first on the
path. As a program, takes the number of the scenario to begin with.
"""

import random
import sys

from memsnap import SnapshotParams
from memsnap_sim.kit.harness import Bench
from memsnap_sim.kit.memory import errors_at
from memsnap_sim.kit.wishbone import read, write


def traffic(seed, beats, count, *, writes=0.7, pause=0, shadow=0.02):
    """Accesses all over the memory, a few of them to the shadow behind it."""
    rng = random.Random(seed)
    for _ in range(count):
        adr = rng.randrange(beats) + (beats if rng.random() < shadow else 0)
        gap = rng.randint(0, pause)
        if rng.random() < writes:
            yield write(adr, rng.getrandbits(32), rng.randint(0, 15), gap=gap)
        else:
            yield read(adr, gap=gap)


def spots(seed, beats, count):
    """Writes that stay at one place for a while, and often come back to an earlier one."""
    rng = random.Random(seed)
    places = [rng.randrange(beats)]
    for _ in range(count):
        places.append(rng.choice([rng.randrange(beats), rng.choice(places[-3:])]))
        for _ in range(rng.randint(1, 12)):
            yield write(places[-1], rng.getrandbits(32), gap=rng.randint(0, 6))


def along(seed, beats, count):
    """Writes that go on by a few beats each, as the copy does."""
    rng = random.Random(seed)
    adr = 0
    for _ in range(count):
        adr = (adr + rng.choice([1, 1, 1, 2, 3, -1, 5])) % beats
        yield write(adr, rng.getrandbits(32), gap=rng.randint(0, 3))


async def two_snapshots(bench):
    """One after the other, without a pause for the traffic."""
    await bench.ready()
    await bench.start(regions=[(0, 100)])
    await bench.end()
    await bench.start(pin=True)
    await bench.end()


async def eight_snapshots(bench):
    """One right after the other."""
    await bench.ready()
    for _ in range(8):
        await bench.start(pin=True)
        await bench.end()


async def cancelled_snapshots(bench):
    """Two to their end, each behind some that are cancelled. The last blocks come first, so that no
    row of a map in the memory is known without a look."""
    for _ in range(2):
        for delay in range(450, 50, -50):
            await bench.ready()
            await bench.start()
            await bench.clocks(delay)
            await bench.cancel()
            await bench.end()
        await bench.ready()
        await bench.start(regions=[(400, 447)])
        await bench.end()


async def far_region(bench):
    """The initial copy ends in another row of the map than the background copy begins in, and an
    entry of the table is not in use behind it."""
    await bench.ready()
    await bench.start(regions=[(512, 1023)])
    await bench.end()


async def paced_snapshots(bench):
    """Two, whose background copy takes a block in two clocks at the most."""
    await bench.ready()
    await bench.write("PACE", 2)
    await two_snapshots(bench)


async def one_snapshot(bench):
    """With the copy map read on the way."""
    await bench.ready()
    await bench.start()
    await bench.clocks(40)
    await bench.copy_map()
    await bench.end()


async def silent_shadow(bench):
    """A snapshot; then another, whose shadow no longer answers."""
    await two_snapshots(bench)
    await bench.start()
    await bench.clocks(40)
    bench.shadow.answering = False
    record = await bench.end(limit=1500)
    bench.expect(record.result == "failed", "C5", f"{record.result} without the shadow's answers")
    bench.shadow.answering = True
    await bench.ready()


SMALL = {"memory_size": 512, "shadow_base": 512, "addr_width": 12}


def scenario(script, traffics, options=None, **params):
    """Makes a bench with its script, when it is called."""
    def make():
        first, *others = traffics
        return Bench(SnapshotParams(**{**SMALL, **params}), traffic=first, others=others,
                     **{"patience": 3000, **(options or {})}), script
    return make


def rows(width, script=two_snapshots):
    """A map of rows in the memory, more of them than on chip."""
    return scenario(script, [traffic(width, 112, 700, shadow=0)], {"latency": 2},
                    block_size=width // 8, map="memory", map_cache=2, jobs=4, map_base=256,
                    data_width=width, memory_size=14 * width, shadow_base=1024, addr_width=13)


def late_map(script, accesses, **params):
    """A map on chip that gives each of its rows in two clocks."""
    return scenario(script, [accesses], {"latency": 2}, memory_size=1024, shadow_base=1024,
                    addr_width=13, map_latency=2, **params)


SCENARIOS = (
    scenario(two_snapshots, [traffic(1, 128, 1200)], {"latency": 6}, block_size=64),
    scenario(one_snapshot, [traffic(2, 128, 4000, writes=0, shadow=0)],
             {"latency": 1, "patience": 2500}, block_size=64, share=4),
    scenario(two_snapshots, [traffic(3, 128, 1000, pause=3)], {"latency": 3}, block_size=256),
    scenario(one_snapshot, [traffic(4, 128, 400)],
             {"latency": 2, "errors": errors_at(addresses=[128 + 77], writes=True, reads=False)},
             block_size=16),
    scenario(two_snapshots, [traffic(5, 128, 800), traffic(6, 128, 800)], {"latency": 3},
             block_size=64, ports=2),
    scenario(silent_shadow, [traffic(7, 128, 800, shadow=0)],
             {"latency": 2, "shadow": {"latency": 9}}, block_size=64, shadow="separate",
             timeout=200),
    rows(64),
    rows(32),
    scenario(eight_snapshots, [spots(8, 128, 120)], {"latency": 6}, block_size=16),
    rows(32, cancelled_snapshots),
    scenario(one_snapshot, [traffic(9, 256, 300, shadow=0)], {"latency": 2}, block_size=4,
             map="memory", map_cache=2, map_base=0, memory_size=1024, shadow_base=1024,
             addr_width=13),
    scenario(two_snapshots, [traffic(10, 128, 900)], {"latency": 2}, block_size=4),
    scenario(two_snapshots, [spots(11, 128, 300)], {"latency": 2}, block_size=128,
             buffer_depth=16),
    scenario(two_snapshots, [along(0, 128, 600)], {"latency": 1}, block_size=64, buffer_depth=4),
    late_map(eight_snapshots, spots(13, 256, 300), block_size=16),
    late_map(far_region, traffic(14, 256, 150, writes=0, shadow=0), block_size=4, regions=2),
    late_map(paced_snapshots, traffic(15, 256, 150, writes=0.2, pause=4), block_size=8, jobs=5),
)


def main(first=0):
    """The first scenario that finds something ends the run; begins with number ``first``."""
    for make in SCENARIOS[first:] + SCENARIOS[:first]:
        bench, script = make()
        bench.run(script)
        if bench.violations:
            print(*bench.violations[:3], sep="\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
