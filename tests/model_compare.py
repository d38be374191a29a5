"""A case in the cycle-level model, and beside the RTL."""

from dataclasses import asdict

import memsnap_sim.model
from model_rtl import differences

__all__ = ["compare", "is_noticed", "model"]


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


def is_noticed(changed, known):
    """Whether a ``changed`` model differs from the RTL in some of the ``known`` pairs of both."""
    def give_up(so_far):
        if so_far.clock > 1_000_000:     # a change may keep a snapshot from its end
            raise KeyboardInterrupt

    return any(differences(model(case, using=changed, start_at=rtl.start, progress=give_up), rtl)
               for case, rtl in known)
