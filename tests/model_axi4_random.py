"""Random AXI4 configurations, latencies and streams for the model, made from their seeds alone."""

import random

from memsnap_sim.kit import Axi4Dram, Axi4Memory
from memsnap_sim.model import accesses_of
from model_axi4_rtl import Axi4Rtl
from model_random import Case, params_of, stream_rows

__all__ = ["Axi4Case"]


class Axi4Case(Case):
    """As a :class:`Case`, on AXI4, where an access is a burst.

    Of 128 ``beats`` or more some blocks are of 4 KiB, and some maps have a summary.
    """

    kind = "axi4"
    run_of = Axi4Rtl
    targets = (Axi4Memory, Axi4Dram)

    def _params(self, rng, most):
        width = rng.choice([32, 64, 64, 128])
        beat = width // 8
        sizes = [beat, 16, 16, 64, 64, 64, 128, 512] + [4096] * (most >= 128)
        block = max(beat, rng.choice(sizes))
        beats = rng.randrange(1, most + 1) if rng.random() < 0.7 else most
        if most >= 128 and rng.random() < 0.03:
            block, beats = beat, 1025 + rng.randrange(400)
        size = max(1, beats * beat // block) * block
        span = 1 << (size - 1).bit_length()
        ports = rng.choice([1, 1, 1, 2, 2, 3, 4])
        jobs = rng.choice([None, None, *(ports + more for more in (1, 2, 3, 4, 12))])
        options = dict(
            bus="axi4", memory_base=rng.choice([0, 2 * span]), memory_size=size, shadow_base=span,
            data_width=width, block_size=block, addr_width=24,
            buffer_depth=rng.choice([4, 8, 16, 32, 64, 128, 128]), jobs=jobs,
            max_in_flight=rng.choice([2, 4, 16, 64, 64]), regions=rng.choice([1, 2, 4]),
            retry=rng.random() < 0.2, ports=ports,
            copier_port=rng.choice(["shared", "shared", "own"]),
            shadow=rng.choice(["same", "same", "separate"]),
            burst_beats=rng.choice([1, 2, 4, 8, 8, 8, 16, 32]),
            release=rng.choice(["captured", "captured", "copied"]))
        return params_of(rng, options)

    def _stream(self, rng, most):
        beat = self.params.beat_bytes
        sizes = rng.choice([[beat], [1, beat, 2 * beat], [8 * beat], [beat, 5 * beat, 40 * beat]])
        rows = stream_rows(rng, self.params, most, sizes)
        pause = random.Random(f"pause {self.seed}")
        if rows and pause.random() < 0.1:  # about as long as the copier remembers an initiator for
            at = pause.randrange(len(rows))
            rows[at] = (pause.randrange(1000, 1050), *rows[at][1:])
        return accesses_of(rows)
