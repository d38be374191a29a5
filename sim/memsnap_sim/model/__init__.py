"""The cycle-level model: what a snapshot costs in clocks, without a simulator.

::

    from memsnap_sim.model import Dram, accesses_of, simulate

    result = simulate(params, accesses_of([(3, 0x40, True), (0, 0x44, False)]), memory=Dram())
    print(result.slow_down, result.stall_longest)

See ``docs/model.md`` for what it models and how it is checked.
"""

from .accesses import ACCESS, accesses_of
from .result import CLOCKS, COPIES, STALLS, Result
from .running import Progress
from .simulate import simulate
from .timing import Dram, FixedLatency

__all__ = ["ACCESS", "CLOCKS", "COPIES", "Dram", "FixedLatency", "Progress", "Result", "STALLS",
           "accesses_of", "simulate"]
