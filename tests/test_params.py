"""SnapshotParams: every refusal word for word, and the derived figures."""

import pytest
from memsnap import Release, SnapshotParams

KINDS = [
    (dict(memory_size="64K"), "memory_size must be an integer, not '64K'"),
    (dict(data_width=32.0), "data_width must be an integer, not 32.0"),
    (dict(block_size=True), "block_size must be an integer, not True"),
    (dict(jobs="4"), "jobs must be an integer, not '4'"),
    (dict(timeout=None), "timeout must be an integer, not None"),
    (dict(map=1), "map must be 'chip' or 'memory', not 1"),
    (dict(map="memory", map_base="top"), "map_base must be an integer, not 'top'"),
    (dict(release=1), "release must be 'captured' or 'copied', not 1"),
    (dict(pipelined=1), "pipelined must be True or False, not 1"),
    (dict(features=3), "features must be a set of strings, not 3"),
]

RANGES = [
    (dict(release="late"), "release must be 'captured' or 'copied', not 'late'"),
    (dict(features=("lock", "tga")), "features must be of bte, cti, lock, rty, not 'tga'"),
    (dict(memory_base=-4096), "memory_base must not be negative, not -4096"),
    (dict(jobs=-1), "jobs must not be negative, not -1"),
    (dict(data_width=24), "data_width must be 8, 16, 32 or 64 bits, not 24"),
    (dict(data_width=128), "data_width must be 8, 16, 32 or 64 bits, not 128"),
    (dict(bus="axi4", data_width=16),
     "data_width must be 32, 64, 128, 256 or 512 bits on AXI4, not 16"),
    (dict(bus="ahb"), "bus must be 'wishbone' or 'axi4', not 'ahb'"),
    (dict(registers="apb"), "registers must be 'wishbone' or 'axi4-lite', not 'apb'"),
    (dict(copier_port="own"), "copier_port must be left out on Wishbone, not 'own'; "
                              "use bus='axi4'"),
    (dict(burst_beats=32), "burst_beats must be left out on Wishbone, not 32; use bus='axi4'"),
    (dict(bus="axi4", features=["lock"]), "features must be left out on AXI4, not ['lock']; "
                                          "use bus='wishbone'"),
    (dict(bus="axi4", pipelined=False), "pipelined must be left out on AXI4, not False; "
                                        "use bus='wishbone'"),
    (dict(bus="axi4", addr_width=10), "addr_width must be 12 to 64 bits on AXI4, whose bursts stay "
                                      "within 4096 bytes, not 10"),
    (dict(bus="axi4", id_width=0), "id_width must be 1 to 16, not 0"),
    (dict(bus="axi4", user_width=65), "user_width must be 0 to 64, not 65"),
    (dict(bus="axi4", burst_beats=24),
     "burst_beats must be a power of two from 1 to 256 with beats of 4 bytes, not 24"),
    (dict(bus="axi4", data_width=512, block_size=64, burst_beats=128),
     "burst_beats must be a power of two from 1 to 64 with beats of 64 bytes, not 128"),
    (dict(addr_width=65), "addr_width must be 3 to 64 bits, not 65"),
    (dict(addr_width=2), "addr_width must be 3 to 64 bits, not 2"),
    (dict(data_width=64, addr_width=3), "addr_width must be 4 to 64 bits, not 3"),
    (dict(block_size=0), "block_size must be a power of two, not 0; use 4"),
    (dict(block_size=48), "block_size must be a power of two, not 48; use 64"),
    (dict(block_size=2), "block_size must be 4 (one beat) to 65536 bytes, not 2"),
    (dict(block_size=131072), "block_size must be 4 (one beat) to 65536 bytes, not 131072"),
    (dict(memory_size=0), "memory_size must be a multiple of block_size (0x40), not 0x0; guard "
     "0x40 bytes, or use smaller blocks"),
    (dict(memory_size=0x1050), "memory_size must be a multiple of block_size (0x40), not 0x1050; "
     "guard 0x1080 bytes, or use smaller blocks"),
    (dict(memory_base=0x8000), "memory_base must be a multiple of 0x10000 (memory_size rounded up "
     "to a power of two), not 0x8000; use 0x0 or 0x10000"),
    (dict(memory_size=0xC000, shadow_base=0xC000), "shadow_base must be a multiple of 0x10000 "
     "(memory_size rounded up to a power of two), not 0xc000; use 0x0 or 0x10000"),
    (dict(addr_width=16), "shadow_base 0x10000 and 0x10000 bytes must fit addr_width=16 bits; "
     "widen addr_width to 17"),
    (dict(addr_width=17, memory_base=0x20000), "memory_base 0x20000 and 0x10000 bytes must fit "
     "addr_width=17 bits; widen addr_width to 18"),
    (dict(shadow_base=0), "shadow_base must not overlap the memory at 0x0 to 0xffff, not 0x0; "
     "use 0x10000, or shadow='separate' for a memory of its own"),
    (dict(buffer_depth=48), "buffer_depth must be a power of two from 4 to 4096, not 48"),
    (dict(buffer_depth=2), "buffer_depth must be a power of two from 4 to 4096, not 2"),
    (dict(buffer_depth=8192), "buffer_depth must be a power of two from 4 to 4096, not 8192"),
    (dict(max_in_flight=1), "max_in_flight must be a power of two from 2 to 4096, not 1"),
    (dict(max_in_flight=0), "max_in_flight must be a power of two from 2 to 4096, not 0"),
    (dict(jobs=1), "jobs must be 2 to 64, not 1; one more than ports is the least, so that a "
     "demand copy never waits for a background copy"),
    (dict(jobs=65), "jobs must be 2 to 64, not 65; one more than ports is the least, so that a "
     "demand copy never waits for a background copy"),
    (dict(jobs=4, ports=4), "jobs must be 5 to 64, not 4; one more than ports is the least, "
     "so that a demand copy never waits for a background copy"),
    (dict(regions=0), "regions must be 1 to 16, not 0"),
    (dict(regions=17), "regions must be 1 to 16, not 17"),
    (dict(timeout=1 << 32), "timeout must fit 32 bits, not 4294967296"),
    (dict(share=1 << 32), "share must fit 32 bits, not 4294967296"),
    (dict(map="flash"), "map must be 'chip' or 'memory', not 'flash'"),
    (dict(map_base=0x1000), "map_base must be None with a map on chip, not 0x1000; use "
     "map='memory' for a map in the memory"),
    (dict(map="memory", data_width=16), "data_width must be 32 bits or more with a map in the "
     "memory, not 16, because its rows are 32 bits; use map='chip'"),
    (dict(map="memory", map_bits=4096), "map_bits must be None with a map in the memory, not 4096; "
     "map_cache says how many rows are kept on chip"),
    (dict(map_latency=0), "map_latency must be 1 or 2 clocks, not 0"),
    (dict(map_latency=3), "map_latency must be 1 or 2 clocks, not 3"),
    (dict(map="memory", map_latency=2), "map_latency must be 1 with a map in the memory, not 2; "
     "its rows are cached in distributed RAM"),
    (dict(map="memory", map_cache=3), "map_cache must be a power of two from 2 to 1024, not 3"),
    (dict(map="memory", map_cache=2048), "map_cache must be a power of two from 2 to 1024, not "
     "2048"),
    (dict(map="memory", memory_size=64), "memory_size must be more than the 0x40 bytes of the map "
     "in it, not 0x40; guard more, or use map='chip'"),
    (dict(map="memory", map_base=0x1010), "map_base must be a multiple of block_size (0x40), not "
     "0x1010; use 0x1000"),
    (dict(map="memory", map_base=0x10000), "map_base must be 0x0 to 0xff80, so that 0x80 bytes of "
     "map are in the memory, not 0x10000; leave it out for 0xff80"),
    (dict(map_bits=1023), "map_bits must be at least 1024 (one bit for each block of 64 bytes), "
     "not 1023; give the map more bits or use blocks of 128 bytes"),
    (dict(map_bits=100), "map_bits must be at least 1024 (one bit for each block of 64 bytes), "
     "not 100; give the map more bits or use blocks of 1024 bytes"),
]


@pytest.mark.parametrize("kind, settings, message",
                         [(TypeError, *case) for case in KINDS]
                         + [(ValueError, *case) for case in RANGES],
                         ids=lambda value: str(value) if isinstance(value, dict) else "")
def test_refusal(kind, settings, message):
    with pytest.raises(kind) as refused:
        SnapshotParams(**settings)
    assert str(refused.value) == message


@pytest.mark.parametrize("settings", [
    dict(memory_size=64),                       # one block
    dict(memory_size=48, block_size=16, shadow_base=64),
    dict(block_size=4, memory_size=4),          # one block of one beat
    dict(data_width=8, block_size=1),
    dict(block_size=65536),
    dict(data_width=64, addr_width=64, memory_base=1 << 63, shadow_base=(1 << 64) - 0x10000),
    dict(addr_width=17),
    dict(map_bits=1024), dict(map_latency=2), dict(map_latency=2, block_size=4),
    dict(map="memory"),
    dict(map="memory", map_base=0x1040, map_cache=1024, data_width=64),
    dict(map="memory", memory_size=128, memory_base=128, shadow_base=0),
    dict(jobs=2), dict(jobs=64),
    dict(regions=1), dict(regions=16),
    dict(timeout=0, share=0),
    dict(timeout=(1 << 32) - 1, share=(1 << 32) - 1),
    dict(buffer_depth=4, max_in_flight=2),
    dict(buffer_depth=4096, max_in_flight=4096),
    dict(memory_base=0x10000, shadow_base=0),   # the shadow below the memory
], ids=str)
def test_the_ends_of_the_ranges_are_accepted(settings):
    SnapshotParams(**settings)


def test_defaults():
    params = SnapshotParams()
    assert (params.beat_bytes, params.block_beats, params.blocks) == (4, 16, 1024)
    assert (params.map_rows, params.block_bits, params.beat_bits) == (32, 10, 4)
    assert (params.beat_shift, params.adr_width, params.span_bits) == (2, 30, 14)
    assert params.jobs == 6
    assert params.release is Release.CAPTURED


def test_sizes_that_are_no_powers_of_two():
    params = SnapshotParams(memory_size=33 * 16, block_size=16, shadow_base=0x400)
    assert (params.blocks, params.map_rows, params.block_bits) == (33, 2, 6)
    assert params.span_bits == 8        # 132 beats


def test_the_least_of_everything():
    params = SnapshotParams(memory_size=4, block_size=4, shadow_base=4, addr_width=3)
    assert (params.blocks, params.map_rows, params.block_bits) == (1, 1, 1)
    assert (params.beat_bits, params.span_bits, params.adr_width) == (0, 0, 1)


@pytest.mark.parametrize("depth, block_size, jobs", [
    (64, 64, 6), (64, 128, 5), (64, 4096, 16), (64, 4, 42), (4, 64, 16), (4096, 64, 16)])
def test_default_jobs_follow_the_buffer(depth, block_size, jobs):
    assert SnapshotParams(buffer_depth=depth, block_size=block_size).jobs == jobs


@pytest.mark.parametrize("jobs, build", [
    (16, dict(block_size=16)),
    (22, dict(block_size=16, data_width=64)),
    (25, dict(block_size=16, data_width=64, ports=4)),
    (22, dict(block_size=16, shadow="separate", buffer_depth=128)),
    (19, dict(block_size=16, shadow="separate")),          # the buffer holds no more
    (16, dict(bus="axi4", data_width=64)),
    (28, dict(bus="axi4", data_width=128)),
    (42, dict(block_size=16, data_width=64, shadow="separate", buffer_depth=128)),
    (55, dict(bus="axi4", data_width=64, block_size=16)),
    (55, dict(bus="axi4", data_width=128, block_size=16)),
    (64, dict(bus="axi4", block_size=16, burst_beats=64, buffer_depth=1024)),
])
def test_default_jobs_give_full_rate_to_small_blocks(jobs, build):
    assert SnapshotParams(**build).jobs == jobs


@pytest.mark.parametrize("background, build", [
    (4, dict()),                                   # of 6: two for held writes
    (4, dict(ports=2)),                            # of 8: two for each port
    (3, dict(jobs=4)),                             # of 4: full rate takes more
    (14, dict(block_size=16)),
    (5, dict(shadow="separate")),
    (2, dict(block_size=4096)),                    # of 16: no more fit into the buffer
    (1, dict(jobs=2)),
    (1, dict(jobs=4, ports=3)),
])
def test_background_jobs_leave_some_to_held_writes(background, build):
    assert SnapshotParams(**build).background_jobs == background


def test_values_are_brought_into_one_form():
    one = SnapshotParams(release="copied", features=["lock", "cti"])
    other = SnapshotParams(release=Release.COPIED, features=frozenset({"cti", "lock"}))
    assert one == other
    assert hash(one) == hash(other)


def test_is_frozen_and_takes_keywords_only():
    params = SnapshotParams()
    with pytest.raises(AttributeError):
        params.regions = 8
    with pytest.raises(TypeError):
        SnapshotParams(0)
