"""The values of registers that depend on the build alone."""

from amaranth.utils import exact_log2

from ..params import Bus, Map, Release, Shadow

__all__ = ["VERSION", "constants"]

#: Version of the hardware and its registers: major, minor, patch.
VERSION = (0, 1, 0)


def constants(params):
    """The constants of a build, by the name of the field's member in the table.

    Parameters
    ----------
    params : SnapshotParams

    Returns
    -------
    dict of str to int
        For a configuration field, the value after reset. What is missing here has the reset
        value of its field.
    """
    major, minor, patch = VERSION
    return {
        "major": major,
        "minor": minor,
        "patch": patch,
        "data_width_log2": exact_log2(params.data_width),
        "block_size_log2": exact_log2(params.block_size),
        "regions": params.regions,
        "release": int(params.release is Release.COPIED),
        "pipelined": int(params.pipelined),
        "ports": params.ports,
        "map_kind": int(params.map is Map.MEMORY),
        "shadow_kind": int(params.shadow is Shadow.SEPARATE),
        "bus": int(params.bus is Bus.AXI4),
        "buffer_depth": params.buffer_depth,
        "jobs": params.jobs,
        "retry": int(params.retry),
        "io_hold": int(params.io_hold),
        "memory_base": params.memory_base,
        "memory_size": params.memory_size,
        "shadow_base": params.shadow_base,
        "map_base": params.map_base or 0,
        "timeout": params.timeout,
        "share": params.share,
    }
