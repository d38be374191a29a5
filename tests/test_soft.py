"""The method in C against the reference model, on this machine."""

import ctypes
import re
import subprocess
import sys

import pytest
import soft_native
from memsnap_sim.reference import State
from soft_native import HEADER, SOURCE, STRICT, Config, Pair, Range, check, compile_library

SEEDS = range(6)
PAIRS = 40

#: Defects, each one change to the C text; every one is to be found by the comparison.
MUTANTS = {
    "bit set before the copy": (
        "    if (!copy_content(soft, block))\n        return fail(soft, block);\n"
        "    record(soft, block, kind);\n",
        "    record(soft, block, kind);\n    if (!copy_content(soft, block))\n"
        "        return fail(soft, block);\n"),
    "blocks of the map not first": (
        "    own[0] = blocks_of(soft, soft->config.map, words * sizeof(uint32_t));",
        "    own[0] = blocks_of(soft, soft->config.map, 0);"),
    "blocks of the state not first": (
        "blocks_of(soft, soft, sizeof *soft)", "blocks_of(soft, soft, 0)"),
    "map cleared before its copy": (
        "    // What changes from here on",
        "    soft->config.map[0] = 0;\n    // What changes from here on"),
    "only the first block of a write": (
        "run.last = ((offset + (bytes - 1)) >> soft->block_shift) + 1;",
        "run.last = run.first + 1;"),
    "last byte of a write forgotten": (
        "((offset + (bytes - 1)) >> soft->block_shift) + 1",
        "((offset + (bytes - 1 - (bytes > 1))) >> soft->block_shift) + 1"),
    "whole word taken for copied": (
        "block % BITS == 0 && map[block / BITS] == ALL_COPIED",
        "block % BITS == 0 && map[block / BITS] >> 1"),
    "old map kept": ("((volatile uint32_t *)soft->config.map)[word] = 0;", ";"),
    "background starts where the last one ended": ("    soft->next = 0;\n    for", "    for"),
    "failed copy recorded": (
        "        return fail(soft, block);\n    record(",
        "        fail(soft, block);\n    record("),
    "block size of the copy": (
        "config->block_size / sizeof(uint32_t))", "config->block_size / sizeof(uint32_t) - 1)"),
    "copies after a cancel": (
        "soft->state = MEMSNAP_SOFT_CANCELLED;", "soft->state = MEMSNAP_SOFT_RUNNING;"),
}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return compile_library(tmp_path_factory.mktemp("soft"))


@pytest.mark.parametrize("seed", SEEDS)
def test_equals_the_reference_model(library, seed):
    print(f"seed {seed}")
    check(library, seed, PAIRS)


@pytest.mark.parametrize("name", MUTANTS)
def test_comparison_finds(tmp_path, name):
    old, new = MUTANTS[name]
    text = SOURCE.read_text()
    assert text.count(old) == 1, "the text does not fit the mutant any more"
    broken = compile_library(tmp_path, text.replace(old, new))
    with pytest.raises(AssertionError):
        for seed in SEEDS:
            check(broken, seed, PAIRS)


@pytest.mark.parametrize("target", [
    (), ("-target", "riscv32-freestanding-none", "-mcpu=generic_rv32+m", "-ffreestanding")],
    ids=["here", "rv32im"])
def test_compiles_strictly(tmp_path, target):
    pytest.importorskip("ziglang")
    for optimise in "-O0", "-O2", "-Os":
        subprocess.run([sys.executable, "-m", "ziglang", "cc", *target, *STRICT, optimise,
                        f"-I{HEADER.parent}", "-c", SOURCE, "-o", tmp_path / "soft.o"], check=True)


def test_equals_the_reference_model_with_the_packaged_compiler(tmp_path):
    """Another compiler, which also traps undefined behaviour."""
    pytest.importorskip("ziglang")
    library = compile_library(tmp_path, command=[
        sys.executable, "-m", "ziglang", "cc", "-fsanitize=undefined", "-fsanitize-trap=undefined"])
    check(library, 77, PAIRS)


# What is refused ---------------------------------------------------------------------------


def errors():
    """The error's names by the order of the header."""
    return re.findall(r"MEMSNAP_SOFT_(\w+)(?: = 0)?,",
                      HEADER.read_text().split("} memsnap_soft_error;")[0])


BASE, TOP = 0x10000, 1 << 8 * ctypes.sizeof(ctypes.c_void_p)


@pytest.mark.parametrize("changes, error", [
    ({}, "OK"),
    ({"map": BASE + 0x40}, "OK"),
    ({"map": BASE + 0x1ffc}, "OK"),                         # the memory's last word
    ({"map": BASE - 4}, "OK"),                              # the word before it
    ({"shadow": BASE + 0x2000}, "OK"),
    ({"shadow": BASE - 0x2000}, "OK"),
    ({"memory": TOP - 0x2000}, "OK"),                     # up to the last address
    ({"block_size": 0}, "BLOCK_SIZE"), ({"block_size": 2}, "BLOCK_SIZE"),
    ({"block_size": 48}, "BLOCK_SIZE"),
    ({"size": 0}, "SIZE"), ({"size": 0x1f00}, "SIZE"),
    ({"memory": TOP - 0x1000}, "SIZE"), ({"shadow": TOP - 0x1000}, "SIZE"),
    ({"memory": BASE + 4}, "MISALIGNED"), ({"shadow": 0x40100}, "MISALIGNED"),
    ({"shadow": BASE}, "OVERLAP"), ({"shadow": BASE + 0x1e00}, "OVERLAP"),
    ({"shadow": BASE - 0x1e00}, "OVERLAP"),
    ({"map": 0x30002}, "MAP_ALIGN"),
    ({"map_bytes": 3}, "MAP_SIZE"), ({"block_size": 128}, "MAP_SIZE"),
    ({"map": 0x40000}, "MAP_PLACE"), ({"map": 0x41ffc}, "MAP_PLACE"),
    ({"map": BASE - 4, "block_size": 128, "map_bytes": 8}, "MAP_PLACE"),
    ({"map": BASE + 0x1ffc, "block_size": 128, "map_bytes": 8}, "MAP_PLACE"),
])
def test_configuration_is_checked(library, changes, error):
    values = {"memory": BASE, "size": 0x2000, "shadow": 0x40000, "block_size": 512,
              "map": 0x30000, "map_bytes": 4, **changes}
    soft = soft_native.Soft()
    soft.blocks = 99
    config = Config(**values)
    found = library.memsnap_soft_init(ctypes.byref(soft), ctypes.byref(config))
    assert errors()[found] == error
    assert (soft.blocks == 99) == (error != "OK")


def test_every_error_has_a_sentence(library):
    names = errors()
    texts = [library.memsnap_soft_error_text(code).decode() for code in range(len(names))]
    assert names[0] == "OK" and len(set(texts)) == len(names) == 12
    assert library.memsnap_soft_error_text(len(names)) == b"no such error"
    assert library.memsnap_soft_error_text(-1) == b"no such error"


@pytest.fixture
def pair(library):
    """16 blocks of 64 bytes; the map is in the last of them."""
    return Pair(library, size=1024, block_size=64, content=bytes(range(256)) * 4, map_at=1020)



@pytest.mark.parametrize("first, size", [(0, 0), (-1, 2), (1024, 1), (1000, 25), (0, TOP - 1)])
def test_a_wrong_range_changes_nothing(pair, first, size):
    base = ctypes.addressof(pair.memory)
    before = bytes(pair.memory), bytes(pair.soft)
    given = (Range * 2)(Range(base, 1), Range(base + first, size))
    code = pair.library.memsnap_soft_start(pair.soft_address, given, 2)
    assert errors()[code] == "RANGE"
    assert (bytes(pair.memory), bytes(pair.soft)) == before and pair.order == []


def test_blocks_of_the_map_come_first(pair):
    pair.start([(0, 64)])
    assert pair.order == [15, 0, 1]


def test_one_snapshot_at_a_time(pair):
    library, soft = pair.library, pair.soft_address
    pair.start([])
    assert errors()[library.memsnap_soft_start(soft, None, 0)] == "BUSY"
    assert errors()[library.memsnap_soft_clear(soft)] == "BUSY"
    pair.compare()
    pair.step(16)
    assert pair.oracle.state is State.DONE
    assert errors()[library.memsnap_soft_clear(soft)] == "OK"
    assert soft_native.STATES[pair.soft.state] is State.IDLE
    assert not library.memsnap_soft_is_copied(soft, 0)
    pair.start([])


def test_there_is_no_such_block(pair):
    pair.start([])
    before = pair.library.memsnap_soft_before_block
    assert errors()[before(pair.soft_address, 16)] == "BLOCK"
    assert errors()[before(pair.soft_address, 3)] == "OK"
    assert pair.order == [15, 3]


@pytest.mark.parametrize("offset, length, blocks", [
    (-64, 64, []), (-64, 65, [0]), (-64, 2000, [*range(15)]), (0, 0, []), (1024, 5, []),
    (959, 1, [14]), (950, 2**62, [14]), (63, 2, [0, 1])])
def test_bytes_outside_the_memory_are_passed_over(pair, offset, length, blocks):
    pair.start([])
    address = ctypes.addressof(pair.memory) + offset
    assert pair.library.memsnap_soft_before_write(pair.soft_address, address, length) == 0
    assert pair.order == [15, *blocks]


def test_shadow_and_map_are_protected(pair):
    def protected(address, length):
        return bool(pair.library.memsnap_soft_protected(pair.soft_address, address, length))

    def all_protected():
        return {protected(shadow, 1), protected(shadow + 1023, 1), protected(shadow - 1, 2),
                protected(memory + 1020, 1), protected(memory + 1000, 21)}

    memory, shadow = ctypes.addressof(pair.memory), ctypes.addressof(pair.shadow)
    assert all_protected() == {False}
    pair.start([])
    assert all_protected() == {True}
    assert not protected(memory, 1020) and not protected(shadow - 1, 1)
    assert not protected(shadow + 1024, 9) and not protected(shadow, 0)
    pair.step(16)
    assert all_protected() == {True}
    pair.library.memsnap_soft_clear(pair.soft_address)
    assert all_protected() == {False}
    pair.start([])
    pair.cancel()
    assert all_protected() == {False}


def test_a_failure_ends_the_snapshot_and_lets_writes_go_on(library):
    pair = Pair(library, size=1024, block_size=64, content=bytes(1024), bad_blocks=[5])
    pair.start([])
    pair.write(5 * 64, b"\x02\x02")
    assert pair.oracle.state is State.FAILED and pair.soft.fail_block == 5
    pair.write(0, b"\x02")
    assert pair.order == []
    pair.oracle.bad_blocks = frozenset()
    pair.start([])
    pair.step(16)
    assert pair.oracle.state is State.DONE


def test_a_map_that_cannot_be_copied_fails_the_start(library):
    pair = Pair(library, size=1024, block_size=64, content=bytes(1024), map_at=1020,
                bad_blocks=[15])
    pair.start([])
    assert pair.oracle.state is State.FAILED and pair.soft.fail_block == 15


def test_the_example_of_the_documentation_compiles(tmp_path):
    text = (HEADER.parents[2] / "docs/software.md").read_text()
    example, = re.findall(r"```c\n(.*?)```", text, re.S)
    (tmp_path / "example.c").write_text(example)
    subprocess.run([*soft_native.compiler(), *STRICT, f"-I{HEADER.parent}", "-c",
                    tmp_path / "example.c", "-o", tmp_path / "example.o"], check=True)
