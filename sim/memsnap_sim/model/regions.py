"""The regions of the initial copy, as blocks."""

__all__ = ["region_blocks"]


def region_blocks(params, regions):
    """First and last block of each region, checked as the unit checks them.

    Raises
    ------
    ValueError
        There are more than the unit's table holds, or one is not in the memory.
    """
    regions = list(regions)
    if len(regions) > params.regions:
        raise ValueError(f"regions must be at most {params.regions}, as many as the unit's table "
                         f"holds, not {len(regions)}; build it with more, or leave some out")
    end = params.memory_base + params.memory_size
    for base, limit in regions:
        if not params.memory_base <= base <= limit < end:
            raise ValueError(f"a region must lie within {params.memory_base:#x} to {end - 1:#x}, "
                             f"first byte first, not {base:#x} to {limit:#x}")
    return [((base - params.memory_base) // params.block_size,
             (limit - params.memory_base) // params.block_size) for base, limit in regions]
