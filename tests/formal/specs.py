"""The specifications that are proved, by name, each for parameters that keep the proof short.

As a program, prints one of them as RTLIL: a process of its own can do so from a broken copy of the
unit.
"""

import sys
from functools import partial
from unittest import mock

from amaranth.back import rtlil
from formal.arbiter_spec import ArbiterSpec
from formal.axi4_gate_spec import Axi4GateSpec
from formal.copier_spec import CopierSpec
from formal.copy_buffer_spec import CopyBufferSpec
from formal.copy_map_memory_spec import CopyMapMemorySpec
from formal.copy_map_spec import CopyMapSpec
from formal.copy_reader_spec import CopyReaderSpec
from formal.gate_spec import GateSpec
from formal.helped import HelpedSpec
from formal.retry_spec import RetrySpec
from formal.sequencer_spec import SequencerSpec
from formal.whole import WholeSpec
from memsnap import SnapshotParams

__all__ = ["SPECS", "rtlil_of"]


def small(*, blocks=4, block_size=2, **changes):
    """Beats of one byte; the memory, the shadow behind it, and as much again."""
    size = blocks * block_size
    return SnapshotParams(**{
        "data_width": 8, "addr_width": (4 * size - 1).bit_length(), "block_size": block_size,
        "memory_size": size, "memory_base": 0, "shadow_base": 1 << (size - 1).bit_length(),
        "buffer_depth": 4, "jobs": 2, "max_in_flight": 2, "regions": 1, **changes})


def small_axi4(**changes):
    """Beats of four bytes; the memory behind as much that is not guarded."""
    return {"bus": "axi4", "data_width": 32, "addr_width": 13, "block_size": 8, "memory_size": 32,
            "memory_base": 32, "shadow_base": 64, "burst_beats": 2, "id_width": 1,
            "user_width": 1, **changes}


def convert(spec):
    return rtlil.convert(spec, name="top")


def rows_of_two(spec, **changes):
    """With a copy map of rows of two blocks; two rows, if not said otherwise."""
    with mock.patch("memsnap.params.MAP_ROW_BITS", 2), mock.patch("memsnap.copy_map._BIT_BITS", 1):
        return convert(spec(small(**changes)))


def map_in_memory(**changes):
    """With rows of two blocks in the memory, each a byte there; two of them are on chip."""
    with mock.patch("memsnap.copy_map_memory.MAP_ROW_BYTES", 1), \
            mock.patch("memsnap.params.MAP_ROW_BYTES", 1), \
            mock.patch("memsnap.map_requests.MAP_ROW_BITS", 2):
        return rows_of_two(CopyMapMemorySpec, map="memory", map_cache=2, **changes)


def assuming(figure, make, value=True):
    """Makes it with this property of the parameters as it is with others."""
    with mock.patch.object(SnapshotParams, figure, value):
        return make()


def helped(name, spec, params):
    """With asserts on what lies inside, for an unbounded proof, and without."""
    return {name: lambda: convert(spec(params)),
            f"{name} unhelped": lambda: convert(spec(params, helped=False))}


SPECS = {
    **helped("copy buffer", CopyBufferSpec, small(jobs=4, buffer_depth=8)),
    **helped("copy reader", CopyReaderSpec, small(blocks=2, block_size=4)),
    **helped("copy reader two ports", CopyReaderSpec, small(blocks=2, ports=2, jobs=3)),
    **helped("copy reader strict", CopyReaderSpec, small(blocks=2, release="copied")),
    **{name: partial(assuming, "deep_notes", make) for name, make in helped(
        "copy reader deep notes", CopyReaderSpec, small(blocks=2, block_size=4)).items()},
    "copier": lambda: convert(CopierSpec(small(blocks=2))),
    "copy map": lambda: rows_of_two(CopyMapSpec),
    "copy map beside": lambda: rows_of_two(CopyMapSpec, block_size=1),
    "copy map late": lambda: rows_of_two(CopyMapSpec, map_latency=2),
    "copy map in memory": lambda: map_in_memory(blocks=6),
    "retry": lambda: convert(RetrySpec()),
    "sequencer": lambda: rows_of_two(SequencerSpec, jobs=3),
    "sequencer strict": lambda: rows_of_two(SequencerSpec, release="copied"),
    "sequencer beside": lambda: rows_of_two(SequencerSpec, jobs=3, block_size=1),
    "sequencer late map": lambda: rows_of_two(SequencerSpec, jobs=3, map_latency=2, regions=2),
    "sequencer late map, three rows": partial(
        assuming, "map_summary",
        lambda: rows_of_two(SequencerSpec, blocks=6, map_latency=2), False),
    "gate pipelined": lambda: convert(GateSpec(small())),
    "gate late map": lambda: convert(GateSpec(small(map_latency=2))),
    "gate classic": lambda: convert(GateSpec(small(pipelined=False))),
    "arbiter pipelined": lambda: convert(ArbiterSpec(small())),
    "arbiter classic": lambda: convert(ArbiterSpec(small(pipelined=False))),
    "axi4 gate": lambda: rows_of_two(Axi4GateSpec, **small_axi4()),
    "axi4 gate permits": lambda: rows_of_two(
        lambda params: Axi4GateSpec(params, part="permits"), **small_axi4()),
    "axi4 gate late map": lambda: rows_of_two(Axi4GateSpec, **small_axi4(map_latency=2)),
    "axi4 gate pages": lambda: convert(Axi4GateSpec(small(**small_axi4(
        block_size=1024, memory_size=4096, memory_base=4096, shadow_base=8192, addr_width=14)))),
    "axi4 gate map": lambda: convert(Axi4GateSpec(small(**small_axi4(map="memory")))),
    "whole": lambda: convert(HelpedSpec(small())),
    "whole strict": lambda: convert(HelpedSpec(small(release="copied"))),
    "whole beside": partial(assuming, "map_beside", lambda: convert(HelpedSpec(small()))),
    "whole late map": lambda: convert(HelpedSpec(small(map_latency=2))),
    "whole longer": lambda: convert(HelpedSpec(small(block_size=4))),
    "whole deep notes": partial(
        assuming, "deep_notes", lambda: convert(HelpedSpec(small(block_size=4)))),
    "whole deeper": lambda: convert(HelpedSpec(small(
        blocks=8, jobs=4, buffer_depth=8))),
    "whole unhelped": lambda: convert(WholeSpec(small(blocks=2))),
    "whole busy": lambda: convert(WholeSpec(small(blocks=2), memory="quick", traffic="writes")),
    "whole idle": lambda: convert(WholeSpec(small(blocks=2), memory="quick", traffic="none")),
}


def rtlil_of(name):
    """A specification as Yosys reads it."""
    return SPECS[name]()


if __name__ == "__main__":
    print(rtlil_of(sys.argv[1]))
