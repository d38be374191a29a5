"""Random configurations, memories and streams for the model, each made from its seed alone."""

import random
from dataclasses import asdict, replace
from functools import partial

from memsnap import SnapshotParams
from memsnap.params import Map
from memsnap_sim.kit import DramTarget, MemoryTarget
from memsnap_sim.model import Dram, FixedLatency, accesses_of
from model_rtl import Rtl

__all__ = ["Case", "stream_rows", "with_late_map"]


class Case:
    """What both are given.

    Parameters
    ----------
    seed : int
    beats : int
        Of the memory at the most, and of an initiator, roughly: a run takes about six times as many
        clocks.

    Attributes
    ----------
    params : SnapshotParams
    streams : list of array
    options : dict
        For :func:`memsnap_sim.model.simulate`, but the start.
    start : int or tuple
    """

    #: Goes before the seed.
    kind = "model"
    #: How it is run in the RTL, and memories of fixed latency and with the timing of a DRAM.
    run_of = Rtl
    targets = (MemoryTarget, DramTarget)

    def __init__(self, seed, *, beats):
        rng = random.Random(f"{self.kind} {seed}")
        self.seed = seed
        self.beats = beats
        self.params = self._params(rng, beats)
        self.streams = [self._stream(rng, beats) for _ in range(self.params.ports)]
        self.options = {
            "memory": self._timing(rng),
            "shadow": self._timing(rng),
            "regions": _regions(rng, self.params),
            "share": rng.choice([0, 1, 2, 4, 16, 16, 100]),
            "pace": min(rng.choice([0, 0, 0, 3, 50, 300]), 2000 // self.params.blocks),
            "max_in_flight": rng.choice([1, 2, 3, 16, 64]),
        }
        clock = rng.randrange(400)
        self.start = rng.choice([max(clock, self.params.sweep_clocks),
                                 ("access", rng.randrange(len(self.streams[0])))])

    def __str__(self):
        return f"seed {self.seed}: {self.params}, start {self.start}, {self.options}"

    def rtl(self, start):
        """The same in the RTL, with the start in this clock."""
        options = dict(self.options)
        for name in "memory", "shadow":
            options[name] = self._target(options[name])
        return self.run_of(self.params, self.streams, start=start, **options).run()

    def _target(self, timing):
        """A memory with this timing, on the bus that it is given."""
        size = self.params.memory_base + self.params.shadow_base + 2 * self.params.memory_size
        fixed, dram = self.targets
        if isinstance(timing, FixedLatency):
            return partial(fixed, image=bytes(size), latency=timing.clocks)
        return partial(dram, image=bytes(size), **asdict(timing))

    def _params(self, rng, most):
        return _params(rng, most)

    def _timing(self, rng):
        return _timing(rng, self.params)

    def _stream(self, rng, most):
        beat = self.params.beat_bytes
        return accesses_of(stream_rows(rng, self.params, most, [1, beat, 2 * beat]))


def with_late_map(case):
    """A kind of case whose map, if it is on chip, gives a row in two clocks.

    In each fourth the background copy waits for so few clocks that a row comes meanwhile.
    """
    class LateMap(case):
        kind = f"{case.kind} late map"

        def __init__(self, seed, *, beats):
            super().__init__(seed, beats=beats)
            if seed % 4 == 1:
                self.options["pace"] = 1 + seed // 4 % 3

        def _params(self, rng, most):
            params = super()._params(rng, most)
            return replace(params, map_latency=2) if params.map is Map.CHIP else params
    return LateMap


def _params(rng, most):
    width = rng.choice([8, 32, 32, 32, 64])
    beat = width // 8
    sizes = [0, 1, 2, 3, 4, 4, 5, 5 if most < 1024 else 7]
    block = beat << rng.choice(sizes)
    beats = rng.randrange(1, most + 1) if rng.random() < 0.7 else most
    many = rng.random() < 0.05
    if many:     # so many blocks that a map on chip has a summary
        block, beats = beat, 1025 + rng.randrange(400)
    size = max(1, beats * beat // block) * block
    span = 1 << (size - 1).bit_length()
    ports = rng.choice([1, 1, 1, 2, 2, 3, 4])
    jobs = rng.choice([None, None, *(ports + more for more in (1, 2, 3, 4, 12))])
    options = dict(
        memory_base=0, memory_size=size, shadow_base=span, data_width=width, block_size=block,
        addr_width=24, buffer_depth=rng.choice([4, 8, 16, 32, 64, 64, 128]), jobs=jobs,
        max_in_flight=rng.choice([2, 4, 16, 64, 64]), regions=rng.choice([1, 2, 4]),
        pipelined=rng.random() < 0.7, retry=rng.random() < 0.2, ports=ports,
        shadow=rng.choice(["same", "same", "separate"]),
        release=rng.choice(["captured", "captured", "copied"]))
    return params_of(rng, options, on_chip=many)


def params_of(rng, options, *, on_chip=False):
    """A configuration with these options; some have the map in the memory, unless ``on_chip``."""
    if rng.random() < 0.3 and not on_chip:
        try:
            return SnapshotParams(map="memory", map_cache=rng.choice([2, 2, 4, 16]), **options)
        except ValueError:      # its blocks, or its rows, do not fit
            pass
    return SnapshotParams(**options)


def _timing(rng, params):
    if params.blocks > 1024:
        return FixedLatency(clocks=rng.choice([1, 2, 3]))
    if rng.random() < 0.6:
        return FixedLatency(clocks=rng.choice([1, 1, 2, 3, 4, 8, 16, 32]))
    t_rp, t_rfc = rng.choice([0, 2, 5]), rng.choice([1, 7, 20])
    t_refi = rng.choice([0, 2 * (t_rp + t_rfc), 100, 200, 780])
    return Dram(banks=rng.choice([1, 2, 4, 8]),
                row_bytes=params.beat_bytes << rng.choice([0, 3, 5, 8]),
                t_rcd=rng.choice([0, 2, 5]), t_rp=t_rp, t_cl=rng.choice([1, 3, 7]),
                t_wr=rng.choice([1, 2, 4]), t_rfc=t_rfc,
                t_refi=t_refi)


def _regions(rng, params):
    regions = []
    for _ in range(rng.randrange(params.regions + 1)):
        first = rng.randrange(params.blocks)
        most = params.blocks // 2 if params.blocks > 1024 else 6
        last = min(params.blocks - 1, first + rng.randrange(most))
        regions.append((params.memory_base + first * params.block_size,
                        params.memory_base + (last + 1) * params.block_size - 1))
    return regions


def stream_rows(rng, params, most, sizes):
    """Accesses of these sizes in some manner, with gaps in some manner."""
    size, beat = params.memory_size, params.beat_bytes
    gaps = rng.choice([[0], [0, 0, 0, 1], [0, 1, 2, 3], [5, 40], [0] * 20 + [200]])
    writes = rng.choice([0.1, 0.5, 0.5, 1.0])
    pattern = rng.choice(["any", "near", "run", "storm"])
    at = rng.randrange(0, size, beat)
    rows = []
    for _ in range(rng.choice([most // 20, most // 4, most])):
        if pattern == "any":
            at = rng.randrange(0, size, beat)
        elif pattern == "near":
            at = (at + rng.randrange(-2 * params.block_size, 2 * params.block_size + 1)) % size
        elif pattern == "run":
            at = (at + beat) % size if rng.random() < 0.97 else rng.randrange(0, size, beat)
        else:
            at = (at + params.block_size) % size
        address = params.memory_base + at
        if rng.random() < 0.01:
            address = params.shadow_base + at
        rows.append((rng.choice(gaps), address, rng.random() < writes,
                     rng.choice(sizes)))
    return rows
