"""Random snapshots of the whole unit, under random traffic, pauses, errors, cancels and resets.

Each run is made from its seed alone. ``MEMSNAP_SEED=1234`` runs that one; ``MEMSNAP_RUNS=200`` runs
more. ``tests/soak.py`` runs thousands on all cores.
"""

import os

import pytest
from memsnap_sim.kit.fuzz import fuzz

RUNS = int(os.environ.get("MEMSNAP_RUNS", "20"))
SEED = os.environ.get("MEMSNAP_SEED")
SEEDS = range(RUNS) if SEED is None else [int(SEED)]


@pytest.mark.parametrize("seed", SEEDS)
def test_random_run(seed):
    print(f"repeat with MEMSNAP_SEED={seed}")
    bench = fuzz(seed)
    assert bench.snapshots
    bench.check()
