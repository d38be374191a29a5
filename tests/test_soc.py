"""The compiled system: programs run, images are exact, the baseline copies, faults are told."""

from dataclasses import replace

import numpy as np
import pytest
from memsnap import SnapshotParams
from memsnap.control import RegionKind
from memsnap_sim import soc, verilated
from memsnap_sim.elf import load
from memsnap_sim.soc import firmware
from memsnap_sim.toolchain import PROGRAMS, build_program

pytestmark = pytest.mark.systems

#: Systems that differ in all that soc.v and soc.cpp tell apart.
CLASSIC = SnapshotParams(data_width=64, pipelined=False, block_size=256, ports=2, io_hold=True,
                         shadow="separate", shadow_base=0x20000)
SYSTEMS = {"pipelined-32": SnapshotParams(), "classic-64": CLASSIC}


@pytest.fixture(scope="module", params=SYSTEMS)
def system(request):
    return soc.build(SYSTEMS[request.param])


@pytest.fixture(scope="module")
def pipelined():
    return soc.build(SYSTEMS["pipelined-32"])


def started(binary, name, options):
    """Runs one of our programs, without a snapshot of its own."""
    program = load(build_program(name))
    address = program.symbols.get("start_snapshot", (None, 0))[0]
    segments = [(base, content if address is None or not base <= address < base + len(content)
                 else content[:address - base] + bytes(4) + content[address - base + 4:])
                for base, content in program.segments]
    return soc.run(binary, segments, program.entry, options)


@pytest.mark.parametrize("name", [name for name in PROGRAMS
                                  if name not in ("driver", "self", "packets")])
def test_images_are_exact(system, name):
    options = soc.RunOptions(at_clock=200_000, latency=3, stall=0.1, seed=7, wait=True,
                             regions=((0x1000, 0x1fff, RegionKind.KERNEL),))
    result = started(system, name, options)
    assert (result.ended, result.exit_code) == (True, 0)
    assert result.status.done
    assert result.mismatch(system.params) is None
    blocks = system.params.blocks
    counters = result.counters
    assert (counters.blocks_initial + counters.blocks_demand + counters.blocks_background
            == blocks == len(result.copies))
    assert len(np.unique(result.copies["block"])) == blocks
    assert result.stalls["length"].sum() == counters.stall_total
    assert result.stalls["length"].max(initial=0) == counters.stall_longest


def test_a_run_is_the_same_every_time(pipelined):
    options = soc.RunOptions(at_clock=300_000, latency=2, stall=0.2, seed=3)
    first, second = (started(pipelined, "touch", options) for _ in range(2))
    assert first.clocks == second.clocks
    assert first.counters == second.counters
    assert first.image == second.image
    assert first.registers == second.registers


def test_program_takes_its_own_snapshot(pipelined):
    program = load(build_program("self"))
    result = soc.run(pipelined, program.segments, program.entry, soc.RunOptions(latency=2))
    assert (result.ended, result.exit_code) == (True, 0)
    assert result.mismatch(pipelined.params) is None
    assert not result.status.refused


def test_software_copies_while_the_program_stands_still(pipelined):
    plain = started(pipelined, "touch", soc.RunOptions(snapshot="none"))
    result = started(pipelined, "touch",
                     soc.RunOptions(snapshot="software", at_clock=300_000))
    assert (result.ended, result.exit_code) == (True, 0)
    assert result.console == plain.console
    words = pipelined.params.memory_size // 4
    assert result.pause >= 4 * words
    assert result.clocks == pytest.approx(plain.clocks + result.pause, abs=500)
    assert any(result.image)


def test_address_triggers_at_the_nth_time(pipelined):
    program = load(build_program("touch"))
    address = program.symbol("checkpoint")[0]
    results = [started(pipelined, "touch", soc.RunOptions(at_address=address, nth=nth))
               for nth in (1, 2)]
    assert [result.seen for result in results] == [1, 2]
    assert results[0].instant < results[1].instant
    for result in results:
        assert result.instant == result.fired + result.counters.armed
        assert result.pc // 0x1_0000 == 0
    never = started(pipelined, "touch", soc.RunOptions(at_address=address, nth=10**9))
    assert never.instant is None
    assert never.seen > 2


def test_a_wrong_byte_is_found_with_its_history(pipelined):
    result = started(pipelined, "touch", soc.RunOptions(at_clock=300_000))
    params = pipelined.params
    at = int(result.writes["adr"][0])
    image = bytearray(result.image)
    image[at] ^= 0x40
    found = replace(result, image=bytes(image)).mismatch(params)
    assert (found.address, found.block) == (at, at // params.block_size)
    assert found.image == found.memory ^ 0x40
    assert found.history[0][1] == at


def test_a_program_that_does_not_fit(pipelined):
    with pytest.raises(ValueError, match="outside the memory of 0x10000 bytes at 0x0; enlarge"):
        soc.run(pipelined, [(0xfff0, bytes(32))], 0, soc.RunOptions())


@pytest.mark.parametrize("options, message", [
    (dict(snapshot="some"), "snapshot must be unit, software, program or none, not 'some'"),
    (dict(latency=0), "latency must be 1 to 1024 clocks, not 0"),
    (dict(stall=1.0), "stall must be a chance from 0 to less than 1, not 1.0"),
])
def test_options_are_checked(options, message):
    with pytest.raises(ValueError) as caught:
        soc.RunOptions(**options)
    assert str(caught.value) == message


@pytest.mark.parametrize("params, message", [
    (SnapshotParams(data_width=16), "data_width must be 32 or 64 in this system, not 16"),
    (SnapshotParams(features={"lock"}), "features must be none in this system, not lock"),
    (SnapshotParams(memory_base=1 << 28), "memory and shadow must lie below 0x10000000"),
])
def test_systems_are_checked(params, message):
    with pytest.raises(ValueError, match=message):
        soc.build(params)


def test_without_a_compiler_the_wheel_of_zig_serves(monkeypatch):
    monkeypatch.setattr(verilated.shutil, "which", lambda name: None)
    assert verilated._compiler()[1:] == ["-m", "ziglang", "c++"]


def test_a_compiler_that_fails_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(verilated, "_compiler", lambda: ["false"])
    with pytest.raises(verilated.BuildError, match="false .* failed"):
        soc.build(SYSTEMS["pipelined-32"], cache=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_firmware_encodes_its_instructions():
    """Words as an assembler gives them."""
    assert firmware._lui(5, 0x30008000) == 0x300082b7            # lui t0, 0x30008
    assert firmware._addi(6, 7, -1) == 0xfff38313                # addi t1, t2, -1
    assert firmware._lw(10, 5, 28) == 0x01c2a503                 # lw a0, 28(t0)
    assert firmware._sw(17, 6, 28) == 0x01132e23                 # sw a7, 28(t1)
    assert firmware._bltu(5, 7, -72) == 0xfa72ece3               # bltu t0, t2, -72
    assert firmware._li(5, 0xffffffdf) == [0x000002b7, 0xfdf28293]
    assert firmware._retirq() == 0x0400000b
    with pytest.raises(ValueError, match="size must be a multiple of 32 bytes, not 0x10"):
        firmware.boot_image(0, 0, 16, 64)
