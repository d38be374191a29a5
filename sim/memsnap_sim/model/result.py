"""What the model found."""

from dataclasses import dataclass

import numpy as np
from memsnap import SnapshotParams

__all__ = ["COPIES", "CLOCKS", "Result", "STALLS"]

#: A write that was held: its port, its number among the port's beats, the first clock in which it
#: was held, its byte address, for how many clocks, and whether for a copy (else for a look at the
#: map alone).
STALLS = np.dtype([("port", np.int64), ("beat", np.int64), ("clock", np.int64),
                   ("address", np.int64), ("clocks", np.int64), ("waited", np.int64)])

#: A block that was marked in the copy map: the clock, the block, and why it was copied (0 demand,
#: 1 initial, 2 background).
COPIES = np.dtype([("clock", np.int64), ("block", np.int64), ("kind", np.int64)])

#: The clocks in which a beat was first on the bus, accepted, and answered; -1 if it was not.
CLOCKS = np.dtype([("requested", np.int64), ("accepted", np.int64), ("answered", np.int64)])


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a snapshot cost, in clocks.

    Clocks count from 0, the first without reset. The counters are those of the unit's registers.
    On AXI4 what is said of a beat here is said of a burst.

    Attributes
    ----------
    params : SnapshotParams
    complete : bool
        The snapshot is done, and all accesses are answered. Else the run was interrupted, or no
        start came, and the figures are of what there was up to ``clock``.
    clock : int
        Clocks that were modelled.
    beats : int
        Beats that were answered, of all ports.
    start, instant, end : int or None
        The clocks in which the start was accepted, of the instant, and in which the snapshot ended.
    armed, duration : int
        Clocks from start to instant, and from there to the end.
    blocks_demand, blocks_initial, blocks_background : int
        Blocks copied in each of the three ways.
    held, stall_longest, stall_total : int
        Writes that were held for a copy; clocks of the longest wait, and of all, looks at the map
        included.
    finished, finished_without : int
        The clock of the last answer to an initiator, and without a snapshot.
    stalls : array of :data:`STALLS`
    copies : array of :data:`COPIES`
        In the order of the clocks. Under ``copies="touched"`` without those of the background.
    beat_clocks : list of array of :data:`CLOCKS`, or None
        For each port, if asked for.
    """

    params: SnapshotParams
    complete: bool
    clock: int
    beats: int
    start: int | None
    instant: int | None
    end: int | None
    armed: int
    duration: int
    blocks_demand: int
    blocks_initial: int
    blocks_background: int
    held: int
    stall_longest: int
    stall_total: int
    finished: int
    finished_without: int
    stalls: np.ndarray
    copies: np.ndarray
    beat_clocks: list | None

    @property
    def slow_down(self):
        """Clocks that the accesses took longer than without a snapshot."""
        return self.finished - self.finished_without
