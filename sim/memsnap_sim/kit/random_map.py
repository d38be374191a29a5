"""Random places for a copy map in the memory."""

__all__ = ["random_map"]


def random_map(rng, data_width, block_size, blocks, base):
    """Where the copy map is, if it may be in the memory."""
    rows = -(-blocks // 32)
    room = blocks - -(-4 * rows // block_size)
    if data_width < 32 or room < 1 or rng.random() < 0.5:
        return {}
    place = rng.choice([None, base, base + rng.randint(0, room) * block_size])
    return {"map": "memory", "map_base": place, "map_cache": rng.choice([2, 2, 4, 16])}
