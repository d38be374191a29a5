"""What no unit could beat on a bus and a memory: the limits beside the bench's figures.

Each follows from what the bus carries in a clock and from L, the clocks from an accepted read to
its data and from a write to its answer. None is measured, and none knows how the unit is built.
"""

from memsnap.params import Bus, Map, Shadow

__all__ = ["copy_clocks", "copy_ends", "copy_rate", "drain", "missed_row", "row_clocks",
           "row_goal", "stall", "stall_goal"]


def _one_way(params):
    """Reads and writes of a copy have the same slots: one port that carries one access a clock."""
    return params.bus is Bus.WISHBONE and params.shadow is Shadow.SAME


def copy_clocks(params, beats):
    """Clocks of a copy of so many beats, but for its ends.

    Each is read once and written once. A Wishbone port carries one access a clock; on AXI4 reads
    and writes have channels of their own, and so they have with a separate shadow.
    """
    return 2 * beats if _one_way(params) else beats


def copy_ends(params, latency):
    """Clocks of a copy in which its slots cannot be filled.

    On one port the first writes can fill the slots behind the reads, so that only the last
    write's answer is left to wait for: L. Where reads and writes do not share slots, no beat is
    written before the first data comes, which is another L.
    """
    return latency if _one_way(params) else 2 * latency


def row_clocks(params):
    """Clocks of a copy that a row of the map takes.

    With a map in the memory, the bits that tell of 32 blocks are a row of it, which has to be
    written at least once. That takes a slot of the memory's port or, on AXI4, of its channel for
    writes, which with a separate shadow the copy leaves free.
    """
    return int(params.map is Map.MEMORY and not (params.bus is Bus.AXI4
                                                 and params.shadow is Shadow.SEPARATE))


def copy_rate(params):
    """Beats a clock of a long copy."""
    beats = params.map_row_bits * params.block_beats
    return beats / (copy_clocks(params, beats) + row_clocks(params))


def stall(params, latency, *, row_on_chip=True):
    """Longest stall of a write whose block is not copied.

    The beat that it overwrites has to be read before: a clock for the request, and L. One memory
    reads for one port after the other. If the block's row of the map is not on chip, nothing else
    tells whether the beat has still to be read, so that one read follows the other. (Both at once
    would take a read in vain for each write to a copied block.)
    """
    return latency + params.ports + (0 if row_on_chip else missed_row(latency))


def stall_goal(params, latency, *, row_on_chip=True):
    """What a stall may take: 7 clocks more than the limit, and on AXI4 a burst that has begun.

    And one where the rows of the map go into a register first.
    """
    burst = params.burst_beats if params.bus is Bus.AXI4 else 0
    register = params.map_latency - 1
    return stall(params, latency, row_on_chip=row_on_chip) + 7 + burst + register


def row_goal(params):
    """What a write to a copied block may take if its row is on chip, but not at hand."""
    return params.map_latency


def drain(latency):
    """Clocks until the writes accepted before the instant are done, in the clock of the instant.

    That a write is accepted does not say that a read after it sees it: AXI4 has no order between
    the two, and a Wishbone target may accept what it does later. Only its answer does. The last
    one was accepted in the clock before, so that a clock of L is over.
    """
    return latency - 1


def missed_row(latency):
    """Clocks added to a write to a copied block whose row of the map is in the memory alone.

    Only the row tells that the block is copied: a clock for the request, and L.
    """
    return latency + 1
