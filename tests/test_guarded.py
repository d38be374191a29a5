"""The method in software on the simulated CPU: exact images, and what is measured of it."""

import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from memsnap import SnapshotParams
from memsnap_sim import guarded, soc, toolchain
from memsnap_sim.guarded import build_guarded, copies_of, options_of, software_of
from memsnap_sim.machine import _segments
from memsnap_sim.report import BlockCopy, Kind
from memsnap_sim.soc.run import _CALL, _WRITE
from memsnap_sim.toolchain import GUARDED, MEMORY_SIZE

pytestmark = pytest.mark.systems

PARAMS = SnapshotParams()


@pytest.fixture(scope="module")
def binary():
    return soc.build(PARAMS)


def ran(binary, program, at):
    """The result of a run that starts the snapshot at checkpoint number ``at``."""
    options = options_of(program, soc.RunOptions(latency=4))
    segments = list(_segments(program, start_snapshot=0, soft_at=at))
    return soc.run(binary, segments, program.entry, options)


@pytest.mark.parametrize("name, block_size", [
    *((name, 64) for name in GUARDED), ("touch", 32), ("touch", 1024), ("chase", 4096)])
def test_images_are_exact(binary, name, block_size):
    params = replace(PARAMS, block_size=block_size)     # the unit has no part in it
    program = build_guarded(name, params)
    result = ran(binary, program, 9)
    software = software_of(result, program, params)
    assert result.exit_code == 0 and not result.status.refused
    assert software.exact and software.clocks == result.clocks
    copies = copies_of(result, program, params)
    assert len(copies) == params.blocks == (
        software.blocks_initial + software.blocks_demand + software.blocks_background)
    assert 0 < software.pause < software.clocks_to_done < result.clocks - result.fired
    assert [copy.kind for copy in copies[:software.blocks_initial]] == (
        [Kind.INITIAL] * software.blocks_initial)
    assert bool(software.blocks_demand) == (software.first_write is not None) == (name != "kernel")
    if software.blocks_demand:
        assert software.later_write < software.first_write <= software.first_write_longest
    assert software.background_block <= software.step_longest <= software.longest
    told_first(result, program, params, copies)


def told_first(result, program, params, copies):
    """No write after the instant comes before the copy of its block, map and state apart."""
    when = np.zeros(params.blocks, "u8")
    when[[copy.block for copy in copies]] = [copy.clock for copy in copies]
    writes = result.writes[result.writes["clock"] >= result.fired]
    blocks = writes["adr"].astype("i8") // params.block_size
    own = [program.symbol(name) for name in ("soft_map", "soft_snapshot")]
    is_own = np.isin(blocks, [at // params.block_size for address, size in own
                              for at in range(address, address + size)])
    assert (writes["clock"][~is_own] > when[blocks[~is_own]]).all()


def test_the_map_and_the_state_are_copied_first(binary):
    program = build_guarded("touch", PARAMS)
    copies = copies_of(ran(binary, program, 3), program, PARAMS)
    own = [[*range(address // 64, (address + size - 1) // 64 + 1)]
           for address, size in (program.symbol("soft_map"), program.symbol("soft_snapshot"))]
    first = list(dict.fromkeys(own[0] + own[1]))
    assert [copy.block for copy in copies[:len(first)]] == first


@pytest.mark.parametrize("old, new", [
    ("            about_to_write(&memory[block * BLOCK], BLOCK);\n            memory",
     "            memory"),
    ("            about_to_write(&memory[block * BLOCK], BLOCK);\n            memory",
     "            about_to_write(&memory[block * BLOCK] + BLOCK, BLOCK);\n            memory"),
])
def test_a_program_that_does_not_tell_is_found(binary, tmp_path, monkeypatch, old, new):
    shutil.copytree(toolchain._SW, tmp_path / "sw")
    source = tmp_path / "sw/programs/touch.c"
    text = source.read_text()
    assert text.count(old) == 1
    source.write_text(text.replace(old, new))
    monkeypatch.setattr(toolchain, "_SW", tmp_path / "sw")
    program = build_guarded("touch", PARAMS)
    result = ran(binary, program, 40)
    assert result.exit_code == 0 and not software_of(result, program, PARAMS).exact
    with pytest.raises(AssertionError):
        told_first(result, program, PARAMS, copies_of(result, program, PARAMS))


def test_a_start_that_never_comes(binary):
    program = build_guarded("touch", PARAMS)
    result = ran(binary, program, 10**6)
    assert result.exit_code == 0 and software_of(result, program, PARAMS) is None


def test_both_builds_leave_the_same_memory():
    """So that a program does the same work in both."""
    for name in set(GUARDED) - {"kernel"}:
        program = toolchain.build_program(name)
        plain = guarded.load(program, size=MEMORY_SIZE).symbols
        other = build_guarded(name, PARAMS).symbols
        assert plain["__free_start"] == other["__free_start"]
        assert plain["__free_end"] == other["__free_end"]


@pytest.mark.parametrize("name", ["dhrystone", "self", "a/path.elf"])
def test_programs_that_cannot(name):
    assert build_guarded(name, PARAMS) is None


def test_a_file_of_that_name_is_no_program_of_ours(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "touch").write_text("")
    assert build_guarded("touch", PARAMS) is None


# What is made of the writes to the map -------------------------------------------------------

START, HOOK, STEP = 0x100, 0x200, 0x300
MADE_UP = SimpleNamespace(symbol={
    "soft_map": (0x24, 4), guarded.START: (START, 8), guarded.HOOK: (HOOK, 8),
    guarded.STEP: (STEP, 8)}.__getitem__)
CALLS = np.array([(10, 40, START), (50, 60, HOOK), (70, 90, STEP), (95, 97, HOOK)], _CALL)


@pytest.mark.parametrize("width, adr, shift", [(32, 0x24, 0), (64, 0x20, 32)])
def test_copies_are_read_from_the_map(width, adr, shift):
    params = SnapshotParams(data_width=width, memory_size=256, shadow_base=256)
    lanes = 0xf << shift // 8
    words = [(15, 0b0000), (20, 0b0010), (55, 0b0110), (75, 0b1110), (85, 0b1111)]
    result = SimpleNamespace(
        fired=10, clocks=100, ended=True, image=b"x", memory_at_instant=b"x", calls=CALLS,
        writes=np.array([*((clock, adr, word << shift, lanes, 0) for clock, word in words),
                         (86, adr + 8, 0xff << shift, lanes, 0),            # behind the map
                         (87, adr, 0x3ff << shift, 0x2 << shift // 8, 0)], _WRITE))
    assert copies_of(result, MADE_UP, params) == [
        BlockCopy(1, 20, Kind.INITIAL), BlockCopy(2, 55, Kind.DEMAND),
        BlockCopy(3, 75, Kind.BACKGROUND), BlockCopy(0, 85, Kind.BACKGROUND),
        BlockCopy(8, 87, Kind.BACKGROUND), BlockCopy(9, 87, Kind.BACKGROUND)]
    result.writes = result.writes[:5]
    software = software_of(result, MADE_UP, params, clocks=False)
    assert software.exact and software.clocks is None
    assert (software.pause, software.clocks_to_done, software.first_write, software.later_write,
            software.background_block, software.step_longest, software.longest) == (
                30, 75, 10, 2, 10, 20, 30)
    result.writes = result.writes[:4]
    software = software_of(result, MADE_UP, params)
    assert not software.exact and software.clocks_to_done is None
