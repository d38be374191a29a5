"""Random snapshots of the whole unit on AXI4: many short ones of small memories, and a few long.

Each run is made from its seed alone; ``MEMSNAP_SEED=1234`` runs that one. ``tests/soak.py
--bus axi4`` runs thousands on all cores.
"""

import os

import pytest
from memsnap.bus.axi4 import Burst
from memsnap_sim.kit import pauses
from memsnap_sim.kit.axi4_burst import places
from memsnap_sim.kit.axi4_fuzz import axi4_short_params
from memsnap_sim.kit.fuzz import fuzz

#: Seeds of runs.
RUNS = 18
SEED = os.environ.get("MEMSNAP_SEED")
SEEDS = range(RUNS) if SEED is None else [int(SEED)]
#: Snapshots in a run, by its ports: a clock of more ports takes longer to simulate.
SNAPSHOTS = {1: 48, 2: 30, 3: 15, 4: 10}
KINDS = {"FIXED", "INCR", "WRAP", "narrow", "unaligned", "exclusive", "over a block edge"}


def kinds(transaction, params):
    """What is particular about a burst."""
    found = {Burst(transaction.burst).name}
    if 1 << transaction.size < params.beat_bytes:
        found.add("narrow")
    if transaction.addr % (1 << transaction.size):
        found.add("unaligned")
    if transaction.lock:
        found.add("exclusive")
    blocks = {word * params.beat_bytes // params.block_size
              for word, _ in places(transaction, params.beat_bytes)}
    if len(blocks) > 1:
        found.add("over a block edge")
    return found


def params_of(seed):
    """The configuration that :func:`fuzz` draws for a seed; all but its latency."""
    return axi4_short_params(pauses.generators(seed)("params"))


@pytest.mark.parametrize("seed", SEEDS)
def test_short_snapshots(seed):
    print(f"repeat with MEMSNAP_SEED={seed}")
    count = SNAPSHOTS[params_of(seed).ports]
    bench = fuzz(seed, bus="axi4", snapshots=count)
    bench.check()
    assert len(bench.snapshots) == count
    active = [record for record in bench.snapshots if record.instant is not None]
    assert len(active) >= 2 / 3 * count
    accepted = [asked for asked in bench.memory.transactions if asked.port == 0]
    during = set().union(*(kinds(asked, bench.params) for asked in accepted if any(
        record.instant <= asked.accepted <= record.ended for record in active)))
    assert len(during & KINDS) >= 4


def test_there_are_500():
    """Those above are enough, and of all sorts."""
    seen = [params_of(seed) for seed in range(RUNS)]
    assert sum(SNAPSHOTS[params.ports] for params in seen) >= 500
    for name, values in (("data_width", 5), ("ports", 4), ("map", 2), ("shadow", 2), ("retry", 2),
                         ("copier_port", 2), ("registers", 2), ("release", 2)):
        assert len({getattr(params, name) for params in seen}) == values, name
