"""The accesses of the simulated system's CPU, as a stream for the model."""

import numpy as np

from ..model import ACCESS

__all__ = ["accesses_of_cpu"]


def accesses_of_cpu(recorded):
    """An array of accesses of four bytes, or fewer where a write is narrow.

    The CPU makes one access at a time, so that a gap is what it thinks between an answer and its
    next request.

    Parameters
    ----------
    recorded : numpy array
        :attr:`memsnap_sim.soc.RunResult.accesses`.
    """
    accesses = np.zeros(len(recorded), ACCESS)
    lanes = recorded["lanes"]
    first = np.zeros(len(recorded), np.uint64)
    for lane in reversed(range(4)):
        first[lanes >> lane & 1 == 1] = lane
    before = np.concatenate([[-1], recorded["answered"][:-1].astype(np.int64)])
    accesses["gap"] = recorded["requested"].astype(np.int64) - before - 1
    accesses["address"] = (recorded["address"] & 0xffff_fffc) + first
    accesses["write"] = lanes != 0
    accesses["size"] = np.where(lanes == 0, 4, np.bitwise_count(lanes))
    return accesses
