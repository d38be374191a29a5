"""The cycle-level model and the RTL agree in every clock, on random configurations and streams.

Each run is made from its seed alone; ``MEMSNAP_SEED=1234`` runs that one, and shorter ones are
tried with a smaller ``MEMSNAP_BEATS``.
"""

import os

import pytest
from memsnap import SnapshotParams
from memsnap_sim.model import FixedLatency, accesses_of
from memsnap_sim.model.accesses import beats_of
from model_compare import check_one_too_many, compare, is_noticed, long_seeds, model
from model_mutants import MUTANTS, changed_model
from model_random import Case, with_late_map

SEED = os.environ.get("MEMSNAP_SEED")
BEATS = int(os.environ.get("MEMSNAP_BEATS", "64"))
# Two of the first thirty have a map with a summary, which takes long; one will do here
SEEDS = [*range(29), 30] if SEED is None else [int(SEED)]
# With a map of a latency of 2; in the last two an ask takes the place of a proposal
LATE = [*range(6), 20, 34] if SEED is None else [int(SEED)]


@pytest.mark.parametrize("seed", SEEDS)
def test_model_agrees_with_rtl(seed):
    compare(Case(seed, beats=BEATS))


@pytest.mark.parametrize("seed", [32, 1964, 4482])
def test_model_agrees_with_rtl_where_rows_are_not_at_hand(seed):
    """Of a map in the memory. A line is replaced in the clock before a bit of its row is set; the
    map asks for the port while a wanted read is not made yet; a row is still being read when the
    snapshot ends."""
    compare(Case(seed, beats=96))


@pytest.mark.parametrize("seed", [171, 188])
def test_model_agrees_with_rtl_where_a_write_went_on_before_its_grant(seed):
    """The row of the map shows its block to be copied; the grant is kept nevertheless."""
    compare(Case(seed, beats=96))


@pytest.mark.parametrize("seed", LATE)
def test_model_agrees_with_rtl_where_rows_come_late(seed):
    compare(with_late_map(Case)(seed, beats=96 if SEED is None else BEATS))


@pytest.mark.parametrize("seed", [971])
def test_model_agrees_with_rtl_where_the_scan_begins_behind_a_region(seed):
    """The row that is read before the regions are done is not the scan's."""
    compare(with_late_map(Case)(seed, beats=96))


@pytest.mark.parametrize("seed", [4246])
def test_model_agrees_with_rtl_where_a_row_came_while_the_copy_waited(seed):
    """None is read ahead of it, or its blocks are left out, and the snapshot does not end."""
    case = with_late_map(Case)(seed, beats=96)
    case.options["pace"] = 2
    compare(case)


def test_the_access_after_a_refused_one_starts_the_snapshot():
    """The refused one is answered in that clock, and the other is taken in the next."""
    case = Case(0, beats=64)
    case.params = SnapshotParams(memory_size=0x400, shadow_base=0x400, map="memory")
    case.streams = [accesses_of((400 * (at == 0), at, True) for at in (0, 0x3c0, 4, 8, 0x3c4, 12))]
    case.start = ("access", 2)
    case.options |= {"memory": FixedLatency(clocks=2), "regions": [], "max_in_flight": 16}
    compare(case)


@pytest.mark.parametrize("seed", long_seeds(2100))
def test_model_agrees_with_rtl_on_many(seed):
    compare(Case(seed, beats=256))


@pytest.mark.parametrize("seed", long_seeds(1200, first=990))
def test_model_agrees_with_rtl_on_many_where_rows_come_late(seed):
    compare(with_late_map(Case)(seed, beats=96))


@pytest.fixture(scope="module")
def known():
    """A case, and what the RTL makes of it."""
    case = Case(10, beats=96)
    return case, case.rtl(model(case).start)


def test_an_access_that_starts_the_snapshot_does_so_in_its_first_clock():
    case = Case(6, beats=400)
    number = len(case.streams[0]) // 2
    result = model(case, start_at=("access", number))
    beat = len(beats_of(case.streams[0][:number], case.params.beat_bytes))
    assert beat > number
    assert result.start == result.beat_clocks[0][beat]["requested"]


@pytest.mark.parametrize("figure", ["reserve", "background_jobs", "initiator_in_flight", "pace"])
def test_one_too_many_is_noticed(known, figure, monkeypatch):
    check_one_too_many(known, figure, monkeypatch)


@pytest.fixture(scope="module")
def many_known():
    """Cases of all kinds, and what the RTL makes of them."""
    # The first four: a write that goes on before its grant; a row of a map in the memory that was
    # just replaced; a wanted beat whose read nothing is in the way of, so that no port is kept;
    # notes that are read ahead
    cases = [Case(seed, beats=96) for seed in (188, 1964, 3157, 4382, *range(3000, 3024))]
    cases += [with_late_map(Case)(seed, beats=96) for seed in LATE]
    return [(case, case.rtl(model(case).start)) for case in cases]


@pytest.mark.soak
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant[0]}: {mutant[1]}")
def test_each_change_of_the_model_is_noticed(many_known, mutant, tmp_path):
    assert is_noticed(changed_model(tmp_path, *mutant), many_known)
