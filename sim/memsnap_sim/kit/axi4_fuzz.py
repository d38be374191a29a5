"""Random configurations, traffic and memories on AXI4, for :func:`memsnap_sim.kit.fuzz.fuzz`."""

from itertools import islice

from memsnap import SnapshotParams

from . import pauses
from .axi4_channels import CHANNELS
from .axi4_traffic import random_exclusive, random_transaction
from .random_map import random_map

__all__ = ["axi4_options", "axi4_params", "axi4_shadow", "axi4_short_params", "axi4_traffic",
           "is_axi4"]

#: Clocks that a snapshot takes, roughly; memories are made small enough for it.
_CLOCKS = 3000
#: Numbers of jobs; those are taken that suffice for the ports.
_JOBS = (3, 4, 5, 8)


def is_axi4(params):
    """Whether a configuration is for AXI4."""
    bus = getattr(params, "bus", "wishbone")
    return getattr(bus, "value", bus) == "axi4"


def axi4_short_params(rng, latency=1):
    """The same for snapshots of some fifty clocks; all widths are as likely."""
    return axi4_params(rng, latency, clocks=rng.choice([24, 48, 90]), timeouts=(200,),
                       widths=(32, 64, 128, 256, 512), ports=(1, 1, 2, 2, 3, 4),
                       shares=(1, 2, 4))


def axi4_params(rng, latency=1, *, clocks=_CLOCKS, timeouts=(400, 1000),
                widths=(32, 32, 32, 64, 64, 128, 256, 512), ports=(1, 1, 1, 2, 2, 3, 4),
                shares=(1, 4, 16)):
    """A configuration whose snapshots are short at this latency."""
    data_width = rng.choice(widths)
    beat = data_width // 8
    beats = max(8, clocks // (3 + latency // 8))
    block_size = rng.choice([1 << k for k in range(4, 13) if beat <= 1 << k <= beats * beat])
    blocks = rng.randint(1, max(1, min(beats * beat // block_size, rng.choice([4, 40, 100]))))
    memory_size = blocks * block_size
    span = 1 << (memory_size - 1).bit_length()
    places = rng.sample(range(4), 2)
    ports = rng.choice(ports)
    in_memory = random_map(rng, data_width, block_size, blocks, places[0] * span)
    return SnapshotParams(
        **in_memory, bus="axi4",
        registers=rng.choice(["axi4-lite", "axi4-lite", "wishbone"]),
        id_width=rng.choice([1, 2, 4, 4, 8]), user_width=rng.choice([0, 0, 1, 5]),
        copier_port=rng.choice(["shared", "shared", "own"]),
        burst_beats=rng.choice([1, 4, 16, 16, 64]),
        data_width=data_width,
        addr_width=max(13, (4 * span - 1).bit_length()) + rng.choice([0, 0, 4]),
        block_size=block_size, memory_size=memory_size, memory_base=places[0] * span,
        shadow_base=places[1] * span, buffer_depth=rng.choice([4, 8, 16, 64]),
        jobs=rng.choice([None, *(jobs for jobs in _JOBS if jobs > ports)]),
        max_in_flight=rng.choice([2, 4, 16, 64]), ports=ports,
        shadow=rng.choice(["same", "same", "separate"]), retry=rng.random() < 0.3,
        release=rng.choice(["captured", "copied"]), regions=rng.choice([1, 2, 4]),
        timeout=rng.choice(timeouts),
        share=rng.choice([0, *shares] if ports == 1 else shares),
        map_latency=1 if in_memory else rng.choice([1, 1, 2]))


def axi4_traffic(rng, params, *, busy=False):
    """Endless traffic of changing habits; with ``busy`` it hardly ever pauses."""
    word, size, block = params.beat_bytes, params.memory_size, params.block_size
    shape = {"word_bytes": word, "id_width": params.id_width, "user_width": params.user_width}

    def window(base, extent):
        return {"base": base, "size": extent, **shape}
    memory = window(params.memory_base, size)
    shadow = window(params.shadow_base, size)

    def near(address, reach):
        """A window around a place in the memory."""
        first = max(params.memory_base, address - reach)
        last = min(params.memory_base + size, address + reach)
        return window(first // word * word, max(word, (last - first) // word * word))

    def place():
        choice = rng.random()
        return memory if choice < 0.93 else shadow if choice < 0.98 else window(
            min((1 << params.addr_width) - word, params.memory_base + size), word)

    def some():
        """A stretch of one habit."""
        habit = rng.choice(["random", "random", "stream", "storm", "edges", "spot", "exclusive"])
        writes = rng.choice([0.1, 0.5, 0.9, 1.0])

        def one(where, **fixed):
            return random_transaction(rng, we=rng.random() < writes, **where, **fixed)
        count = rng.randint(1, 40)
        if habit == "stream":
            beats = min(rng.choice([4, 16]), size // word)
            first = rng.randrange(size // word)
            for index in range(count // 2):
                at = params.memory_base + (first + index * beats) * word % size
                yield one(near(at, beats * word))
        elif habit == "storm":
            for index in range(min(count, params.blocks)):
                at = params.memory_base + index * block + rng.randrange(block) // word * word
                yield random_transaction(rng, we=True, most=1, **window(at, word))
        elif habit == "edges":
            for _ in range(count):
                edge = params.memory_base + rng.randrange(params.blocks + 1) * block
                yield one(near(edge, max(word, rng.choice([word, 4 * word, 2 * block]))))
        elif habit == "exclusive":
            for _ in range(count // 4):
                yield from random_exclusive(rng, **rng.choice([memory, shadow, memory]))
        else:
            spots = [place() for _ in range(3)] if habit == "random" else [
                near(params.memory_base + rng.randrange(size), word)]
            for _ in range(count):
                yield one(rng.choice(spots))

    while True:
        pause = 0 if busy else rng.choice([0, 0, 2, 5, 20])
        for transaction in islice(some(), 40):
            transaction.gap = rng.randint(0, pause)
            yield transaction
        if not busy:
            yield random_transaction(rng, gap=rng.choice([1, 30, 100]), **place())


def axi4_shadow(rng):
    """Options of the memory behind a separate shadow."""
    shape = rng("x_shape")
    return {"rng": shape.choice([None, rng("x_order")]), "interleave": shape.random() < 0.5}


def axi4_options(rng, shape, params):
    """Options of the bench: how disorderly memory, managers and register port are."""
    waits = shape.choice([{}, {}, {"aw_after_w": True}, {"w_after_aw": True},
                          {"aw_after_w": True, "w_after_aw": True}, {"after_valid": True}])
    memory = {"rng": shape.choice([None, rng("order")]), "interleave": shape.random() < 0.5,
              "max_in_flight": shape.choice([2, 16, 64]), **waits}
    return {
        "memory": memory,
        "manager": [_manager(rng(f"manager{port}"), rng(f"manager{port} stall"))
                    for port in range(params.ports)],
        "max_in_flight": shape.choice([1, 2, 8, 16, 32]),
        "registers": {"lead": pauses.uniform(rng("lead"), -2, 2),
                      "stall": pauses.sometimes(rng("register"), 0.3, 3)}
        if _has_lite(params) else {},
    }


def _has_lite(params):
    """Whether the registers are on AXI4-Lite."""
    registers = getattr(params, "registers", "wishbone")
    return getattr(registers, "value", registers) == "axi4-lite"


def _manager(rng, stall):
    """Options of one manager."""
    pause = rng.choice([pauses.never, pauses.sometimes(stall, 0.3), pauses.bursty(stall, 12, 5)])
    return {"stall": {name: pause for name in CHANNELS if rng.random() < 0.7},
            "early_w": rng.random() < 0.6, "after_valid": rng.random() < 0.2,
            "ordered": rng.random() < 0.5}
