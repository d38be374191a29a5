"""Where a beat address falls, for every address of small spaces and edges of large ones."""

import pytest
from amaranth.hdl import Module, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from memsnap import SnapshotParams
from memsnap.ranges import beat_adr, beat_layout, in_range, place_of

from sim import SHAPES, params_of, seeded, simulate

PARAMS = {shape: params_of(shape) for shape in SHAPES} | {
    # the last bytes of the address space, and a space as wide as an address can be
    "top": SnapshotParams(memory_base=0xc0, memory_size=0x40, shadow_base=0x80, addr_width=8,
                          block_size=16),
    "wide": SnapshotParams(memory_base=0x40 << 56, memory_size=3 << 12, shadow_base=0x80 << 56,
                           addr_width=64, data_width=64, block_size=4096),
    "one_block": params_of("three_blocks", memory_size=16),
    "one_beat_in_all": params_of("one_beat", memory_size=8),
}


class Ranges(wiring.Component):
    """All the functions of one address."""

    def __init__(self, params):
        self._params = params
        super().__init__({"adr": In(params.adr_width), "in_memory": Out(1), "in_shadow": Out(1),
                          "place": Out(beat_layout(params)), "memory_adr": Out(params.adr_width),
                          "shadow_adr": Out(params.adr_width)})

    def elaborate(self, platform):
        m = Module()
        params = self._params
        m.d.comb += [
            self.in_memory.eq(in_range(params, self.adr, params.memory_base)),
            self.in_shadow.eq(in_range(params, self.adr, params.shadow_base)),
            Value.cast(self.place).eq(Value.cast(place_of(params, self.adr))),
            self.memory_adr.eq(beat_adr(params, self.place, params.memory_base)),
            self.shadow_adr.eq(beat_adr(params, self.place, params.shadow_base)),
        ]
        return m


def addresses(params):
    """All of a small space; else the edges of both ranges, the ends, and some at random."""
    top = 1 << params.adr_width
    if top <= 2048:
        return range(top)
    rng = seeded(params.addr_width)
    beats = params.memory_size // params.beat_bytes
    edges = [base // params.beat_bytes + offset + near
             for base in (params.memory_base, params.shadow_base, 0)
             for offset in (0, beats, 1 << params.span_bits) for near in range(-2, 3)]
    inside = [base // params.beat_bytes + rng.randrange(beats)
              for base in (params.memory_base, params.shadow_base) for _ in range(200)]
    return [adr % top for adr in [*edges, *inside, *(rng.randrange(top) for _ in range(200))]]


@pytest.mark.parametrize("name", PARAMS)
def test_every_address(name):
    params = PARAMS[name]
    beats = params.memory_size // params.beat_bytes
    memory = params.memory_base // params.beat_bytes
    shadow = params.shadow_base // params.beat_bytes

    async def script(pins):
        for adr in addresses(params):
            pins.adr = adr
            assert pins.in_memory == (memory <= adr < memory + beats)
            assert pins.in_shadow == (shadow <= adr < shadow + beats)
            for base, inside in (memory, pins.in_memory), (shadow, pins.in_shadow):
                if inside:
                    assert pins.place.block == (adr - base) // params.block_beats
                    assert pins.place.beat == (adr - base) % params.block_beats
                    assert pins.memory_adr == memory + adr - base
                    assert pins.shadow_adr == shadow + adr - base

    simulate(Ranges(params), script)


def test_place_of_one_beat_blocks_has_no_beat():
    layout = beat_layout(params_of("one_beat"))
    assert isinstance(layout, data.StructLayout)
    assert layout["beat"].width == 0
    assert layout["block"].width == params_of("one_beat").block_bits
