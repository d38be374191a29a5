"""The compiled system on LiteDRAM's controller: images are exact on real DRAM timing."""

import importlib
from types import SimpleNamespace

import pytest
from memsnap import SnapshotParams
from memsnap_sim import soc
from memsnap_sim.elf import load
from memsnap_sim.soc.litedram import GenerationError
from memsnap_sim.soc.run import _settle
from memsnap_sim.surroundings import Fault
from memsnap_sim.toolchain import build_program
from memsnap_sim.verilated import BuildError

pytestmark = pytest.mark.systems

SYSTEMS = {"wishbone": SnapshotParams(), "axi4": SnapshotParams(bus="axi4")}
#: Clocks from one refresh to the next: 64 ms in 8192 steps, at 100 MHz.
REFRESH = 64e-3 / 8192 * 100e6


@pytest.fixture(scope="module", params=SYSTEMS)
def system(request):
    return soc.build(SYSTEMS[request.param], memory="litedram")


def run(binary, name, **options):
    params = binary.params
    end = params.memory_size if params.map_base is None else params.map_base
    program = load(build_program(name, memory_size=end))
    return program, soc.run(binary, program.segments, program.entry, soc.RunOptions(
        **{"at_address": program.symbol("checkpoint")[0], "wait": True, **options}))


def test_images_are_exact(system):
    """The program is stopped when the snapshot surely has come to its end."""
    _, result = run(system, "touch", nth=2, max_clocks=450_000)
    params, counters = system.params, result.counters
    assert result.status.done and result.mismatch(params) is None
    assert counters.blocks_demand > 0
    assert result.stalls["length"].sum() == counters.stall_total
    beats, told = params.memory_size // params.beat_bytes, result.commands_in_snapshot
    assert told.read > beats and told.write >= beats, "the copy, and what the program does"
    assert told.refresh == pytest.approx(counters.duration / REFRESH, abs=2)
    assert told.activate > told.refresh


def test_a_program_runs_to_its_end(system):
    _, result = run(system, "kernel", nth=3)
    assert (result.ended, result.exit_code) == (True, 0), result.console
    assert result.status.done and result.mismatch(system.params) is None


def test_what_a_dram_cannot_do_is_refused(system):
    with pytest.raises(ValueError, match="^LiteDRAM answers no access with an error: leave out"):
        run(system, "touch", faults=(Fault(side="memory", block=3),))
    with pytest.raises(ValueError, match="^an ungated IO device has no way to LiteDRAM's memory"):
        run(system, "touch", ungated=True)


@pytest.mark.parametrize("params, message", [
    ({"io_hold": True}, "io_hold must be left out with LiteDRAM"),
    ({"shadow_base": 0x800_0000}, "memory and shadow must end within the 0x8000000 bytes")])
def test_systems_are_checked(params, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        soc.build(SnapshotParams(**params), memory="litedram")


def test_a_missing_generator_is_told(monkeypatch, tmp_path):
    building = importlib.import_module("memsnap_sim.soc.build")

    def generate(config):
        raise GenerationError("pip install 'memsnap[litedram]'")

    monkeypatch.setattr(building, "generate", generate)
    with pytest.raises(BuildError, match=r"^pip install 'memsnap\[litedram\]'$"):
        soc.build(SnapshotParams(), memory="litedram", cache=tmp_path)


def test_a_stray_sdram_is_noticed():
    now = SimpleNamespace(clock=lambda: 0, run=lambda until, to_end: None)
    now.stray = lambda: 0x1000
    _settle(now, 0x1000)
    now.stray = lambda: 0x123
    with pytest.raises(RuntimeError, match="does not hold at 0x123 what was written to it"):
        _settle(now, 0x1000)


@pytest.mark.soak
@pytest.mark.parametrize("given", [
    {"pipelined": False}, {"data_width": 64, "pipelined": False, "shadow": "separate"},
    {"data_width": 64}, {"map": "memory", "ports": 2},
    {"bus": "axi4", "data_width": 64, "map": "memory", "ports": 2},
    {"bus": "axi4", "block_size": 4096, "shadow": "separate", "registers": "wishbone"}], ids=str)
def test_other_systems(given):
    binary = soc.build(SnapshotParams(**given), memory="litedram")
    for name, nth in ("touch", 3), ("kernel", 5):
        _, result = run(binary, name, nth=nth)
        assert (result.ended, result.exit_code) == (True, 0), result.console
        assert result.status.done and result.mismatch(binary.params) is None
