"""A case in the cycle-level model, and beside the RTL."""

from dataclasses import asdict

import memsnap_sim.model
import pytest
from memsnap_sim.model.running import Run
from model_rtl import differences

__all__ = ["check_one_too_many", "compare", "is_noticed", "long_seeds", "model"]


def model(case, using=memsnap_sim.model, **changes):
    """What the model says of a case; ``using`` is its package."""
    streams = case.streams if case.params.ports > 1 else case.streams[0]
    options = {"start_at": case.start, "beat_clocks": True, **case.options, **changes}
    for name in "memory", "shadow":
        timing = options[name]
        options[name] = getattr(using, type(timing).__name__)(**asdict(timing))
    return using.simulate(case.params, streams, **options)


def compare(case):
    """Runs both, and fails with what differs."""
    print(f"repeat with MEMSNAP_SEED={case.seed} MEMSNAP_BEATS={case.beats}\n{case}")
    result = model(case)
    assert result.complete
    assert differences(result, case.rtl(result.start)) == []


def long_seeds(stop, *, first=950):
    """Seeds of long runs: those below 1000 for ``make long``, the others for ``make soak``."""
    return [*(pytest.param(seed, marks=pytest.mark.long) for seed in range(first, 1000)),
            *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1000, stop))]


def check_one_too_many(known, figure, monkeypatch):
    """Fails unless a ``known`` case differs once this parameter of the model is one more."""
    case, rtl = known
    set_params = Run._set_params

    def one_more(self, **options):
        set_params(self, **options)
        self._unit["params"][figure] += 1

    assert differences(model(case, start_at=rtl.start), rtl) == []
    monkeypatch.setattr(Run, "_set_params", one_more)
    assert differences(model(case, start_at=rtl.start), rtl) != []


def is_noticed(changed, known):
    """Whether a ``changed`` model differs from the RTL in some of the ``known`` pairs of both."""
    def give_up(so_far):
        if so_far.clock > 1_000_000:     # a change may keep a snapshot from its end
            raise KeyboardInterrupt

    return any(differences(model(case, using=changed, start_at=rtl.start, progress=give_up), rtl)
               for case, rtl in known)
