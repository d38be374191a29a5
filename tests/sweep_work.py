"""Work for the tests of a sweep's engine, where its workers can find it."""

import os
from pathlib import Path

from memsnap_sim.sweep.work import Outcome

__all__ = ["count", "die_at_first", "fail"]


def count(point, source, start_access):
    """Tells which process it was done in."""
    return Outcome(point=point, complete=True, duration=100, slow_down=start_access,
                   held=os.getpid())


def die_at_first(point, source, start_access):
    """Ends its worker, but not when the directory ``source`` shows that it did so before."""
    mark = Path(source) / point.name
    if not mark.exists():
        mark.touch()
        os._exit(1)
    return count(point, source, start_access)


def fail(point, source, start_access):
    """Has a defect."""
    raise ZeroDivisionError("of course")
