"""Pauses: functions of no arguments that say how many clocks to wait.

The kit asks one per request (a gap), per access (a latency) or per clock (a stall: anything but
0). Any callable serves; these are the usual ones. A random one takes the generator that it draws
from. So that a run is repeated by its seed, each part needs a generator of its own: the order in
which the simulator runs processes within a clock is not fixed. :func:`generators` gives them.
"""

import itertools
import random

__all__ = ["always", "bursty", "cycle", "fixed", "generators", "never", "sometimes", "uniform"]


def generators(seed):
    """A function from a name to a random generator, all independent and all fixed by the seed."""
    return lambda name: random.Random(f"{seed} {name}")


def fixed(clocks):
    """The same every time."""
    return lambda: clocks


#: No pause at all.
never = fixed(0)

#: A stall that does not end.
always = fixed(1)


def uniform(rng, least, most):
    """Any number from ``least`` to ``most``, all alike."""
    return lambda: rng.randint(least, most)


def sometimes(rng, chance, most=1):
    """0, but with the given chance 1 to ``most``."""
    return lambda: rng.randint(1, most) if rng.random() < chance else 0


def cycle(values):
    """The values in turn, again and again."""
    values = itertools.cycle(values)
    return lambda: next(values)


def bursty(rng, calm, busy):
    """0 for up to ``calm`` times, then 1 for up to ``busy`` times, and so on."""
    def values():
        while True:
            yield from itertools.repeat(0, rng.randint(1, calm))
            yield from itertools.repeat(1, rng.randint(1, busy))
    return values().__next__
