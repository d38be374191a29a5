"""P3 in the cycle-level model, which tries more writes than the bench can."""

import random

import numpy as np
import pytest
from memsnap import SnapshotParams
from memsnap_sim import bench_limits as limits
from memsnap_sim.model import ACCESS, FixedLatency, simulate


def _writes(rng, params, latency, twice):
    """Writes to anywhere, with time for the copy of what all ports write in between; some are soon
    followed by another one."""
    pause = 2 * latency + 40 + 2 * params.ports * limits.copy_clocks(params, params.block_beats)
    gaps = []
    while sum(gaps) < limits.copy_clocks(params, params.memory_size // params.beat_bytes):
        gaps.append(pause + rng.randrange(latency + 17))
        if twice and rng.getrandbits(1):
            gaps.append(rng.randrange(2 * latency + 16))
    rows = np.zeros(len(gaps), ACCESS)
    rows["gap"] = gaps
    rows["address"] = [rng.randrange(0, params.memory_size, params.beat_bytes) for _ in gaps]
    rows["write"], rows["size"] = 1, params.beat_bytes
    return rows


_CASES = [*[(size, ports, False) for size in (16, 64, 512) for ports in (1, 2, 4)],
          *[(size, 1, True) for size in (16, 64, 512)],
          *[(size, ports, True) for size in (64, 512) for ports in (2, 4)]]


@pytest.mark.parametrize("map_latency, block_size, ports, twice", [
    *[(1, *case) for case in _CASES],
    *[(2, *case) for case in _CASES if case[1] < 4]])    # with four it may take some clocks more
@pytest.mark.parametrize("latency", [1, 4, 16, 32])
def test_no_write_is_held_for_longer_than_the_goal(map_latency, latency, block_size, ports, twice):
    params = SnapshotParams(block_size=block_size, ports=ports, map_latency=map_latency)
    goal = limits.stall_goal(params, latency)
    held = 0
    for seed in range(4):
        rng = random.Random(seed)
        print(f"seed {seed}")
        streams = [_writes(rng, params, latency, twice) for _ in range(ports)]
        result = simulate(params, streams if ports > 1 else streams[0], start_at=200,
                          memory=FixedLatency(clocks=latency))
        # At the instant itself the writes that were accepted before it are waited for as well
        later = result.stalls[result.stalls["clock"] > result.instant + 2 * latency + 4]
        assert later["clocks"].max() <= goal
        held += len(later)
    assert held > 100
