"""What the model covers; the rest is refused."""

from memsnap.params import Bus

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
        if params.bus is Bus.AXI4 and not isinstance(timing, FixedLatency):
            raise NotImplementedError(f"the model covers a {name} of FixedLatency on AXI4, not "
                                      f"{timing!r}; measure this configuration in the simulator")
        if params.timeout and timing.longest >= params.timeout:
            raise NotImplementedError(
                f"the model covers snapshots that end well, and a {name} that takes "
                f"{timing.longest} clocks fails one with a timeout of {params.timeout!r}; "
                f"use a longer timeout")
