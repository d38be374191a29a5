"""What the model covers; the rest is refused."""

from memsnap.params import Bus

from .accesses import MOST_BEATS
from .timing import Dram, FixedLatency

__all__ = ["check"]


def check(params, *, memory, shadow):
    """Refuses a configuration that the model does not cover.

    Raises
    ------
    NotImplementedError
        With what is not covered, and what is.
    """
    rules = [
        ("features", not params.features & {"rty", "lock", "cti"}, sorted(params.features),
         "without rty, lock and cti"),
    ]
    for name, covered, value, wanted in rules:
        if not covered:
            raise NotImplementedError(f"the model covers {name} {wanted}, not {value!r}; "
                                      f"measure this configuration in the simulator")
    for name, timing in ("memory", memory), ("shadow", shadow):
        if not isinstance(timing, FixedLatency | Dram):
            raise TypeError(f"{name} must be a FixedLatency or a Dram, not {timing!r}")
        longest = timing.longest
        if params.bus is Bus.AXI4 and isinstance(timing, Dram):
            longest *= MOST_BEATS
        if params.timeout and longest >= params.timeout:
            raise NotImplementedError(
                f"the model covers snapshots that end well, and a {name} that takes "
                f"{longest} clocks fails one with a timeout of {params.timeout!r}; "
                f"use a longer timeout")
