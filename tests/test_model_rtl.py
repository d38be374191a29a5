"""The cycle-level model and the RTL agree in every clock, on random configurations and streams.

Each run is made from its seed alone; ``MEMSNAP_SEED=1234`` runs that one, and shorter ones are
tried with a smaller ``MEMSNAP_BEATS``.
"""

import os

import pytest
from memsnap_sim.model import simulate
from model_random import Case
from model_rtl import differences

SEED = os.environ.get("MEMSNAP_SEED")
BEATS = int(os.environ.get("MEMSNAP_BEATS", "96"))
SEEDS = range(30) if SEED is None else [int(SEED)]


def model(case, **changes):
    """What the model says of a case."""
    streams = case.streams if case.params.ports > 1 else case.streams[0]
    options = {"start_at": case.start, "beat_clocks": True, **case.options, **changes}
    return simulate(case.params, streams, **options)


def compare(case):
    """Runs both, and fails with what differs."""
    print(f"repeat with MEMSNAP_SEED={case.seed} MEMSNAP_BEATS={case.beats}\n{case}")
    result = model(case)
    assert result.complete
    assert differences(result, case.rtl(result.start)) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_model_agrees_with_rtl(seed):
    compare(Case(seed, beats=BEATS))


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1000, 2100))
def test_model_agrees_with_rtl_on_many(seed):
    compare(Case(seed, beats=512))


def test_one_clock_is_noticed():
    case = Case(3, beats=64)
    rtl = case.rtl(model(case).start)
    later = case.options["memory"].clocks + 1
    found = differences(model(case, memory=type(case.options["memory"])(clocks=later),
                              start_at=rtl.start), rtl)
    assert found
