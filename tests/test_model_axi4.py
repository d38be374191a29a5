"""The cycle-level model on AXI4 and the RTL agree in every clock, on random configurations.

As in ``test_model_rtl`` each run is made from its seed alone, and ``MEMSNAP_SEED=1234`` runs that
one.
"""

import os

import pytest
from memsnap import SnapshotParams
from memsnap_sim.model import FixedLatency, accesses_of
from model_axi4_random import Axi4Case
from model_compare import check_one_too_many, compare, is_noticed, long_seeds, model
from model_mutants import AXI4_MUTANTS, changed_model
from model_random import with_late_map

SEED = os.environ.get("MEMSNAP_SEED")
BEATS = int(os.environ.get("MEMSNAP_BEATS", "64"))
# Both kinds of memory, both places of map and shadow, one port and more
SEEDS = [2, 4, 9, 12, 13, 16] if SEED is None else [int(SEED)]
# With a map of a latency of 2; in the last two a held write's row comes once more
LATE = [0, 1, 10, 12] if SEED is None else [int(SEED)]


@pytest.mark.parametrize("seed", SEEDS)
def test_model_agrees_with_rtl_on_axi4(seed):
    compare(Axi4Case(seed, beats=BEATS))


@pytest.mark.parametrize("seed", LATE)
def test_model_agrees_with_rtl_on_axi4_where_rows_come_late(seed):
    compare(with_late_map(Axi4Case)(seed, beats=BEATS))


@pytest.mark.parametrize("seed", [3000])
def test_model_agrees_with_rtl_on_axi4_where_a_row_comes_complete(seed):
    """On its way it does not tell yet that the rest of a burst is copied."""
    compare(with_late_map(Axi4Case)(seed, beats=96))


@pytest.mark.parametrize("seed", long_seeds(2000))
def test_model_agrees_with_rtl_on_many(seed):
    compare(Axi4Case(seed, beats=128))


@pytest.mark.parametrize("seed", long_seeds(1200, first=990))
def test_model_agrees_with_rtl_on_many_where_rows_come_late(seed):
    compare(with_late_map(Axi4Case)(seed, beats=64))


@pytest.fixture(scope="module")
def known():
    """A case, and what the RTL makes of it."""
    case = Axi4Case(1, beats=64)
    return case, case.rtl(model(case).start)


@pytest.mark.parametrize("figure", ["chunk_beats", "reserve", "background_jobs",
                                    "initiator_in_flight"])
def test_one_too_many_is_noticed(known, figure, monkeypatch):
    check_one_too_many(known, figure, monkeypatch)


def _long_after():
    """The copy goes on for more than a thousand clocks after the last access."""
    case = Axi4Case(0, beats=64)
    case.params = SnapshotParams(bus="axi4", data_width=32, memory_size=0x1000, shadow_base=0x1000)
    case.streams = [accesses_of((3, 4 * number, True, 4) for number in range(6))]
    case.start = 10
    case.options |= {"memory": FixedLatency(clocks=4), "pace": 0, "regions": [], "share": 16,
                     "max_in_flight": 16}
    return case


def test_model_agrees_with_rtl_on_axi4_long_after_the_last_access():
    compare(_long_after())


@pytest.fixture(scope="module")
def many_known():
    """Cases of all kinds, and what the RTL makes of them."""
    # The last: more rows of a map in the memory than are at hand
    cases = [Axi4Case(seed, beats=96) for seed in (*range(3000, 3024), 3134)]
    cases.append(_long_after())
    cases += [with_late_map(Axi4Case)(seed, beats=64) for seed in LATE]
    return [(case, case.rtl(model(case).start)) for case in cases]


@pytest.mark.soak
@pytest.mark.parametrize("mutant", AXI4_MUTANTS, ids=lambda mutant: f"{mutant[0]}: {mutant[1]}")
def test_each_change_of_the_model_is_noticed(many_known, mutant, tmp_path):
    assert is_noticed(changed_model(tmp_path, *mutant), many_known)
