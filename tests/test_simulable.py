"""What the simulated system refuses: the value, the rule, the remedy."""

import pytest
from click.testing import CliRunner
from memsnap import SnapshotParams
from memsnap_sim.check import problems
from memsnap_sim.cli import main
from memsnap_sim.config import Config
from memsnap_sim.simulable import refusals, sdram_type
from memsnap_sim.surroundings import Fault

WORD = Fault(block=1)

#: Units that the system has not, on whatever memory.
NOWHERE = [
    ({"bus": "axi4", "user_width": 3}, "user_width must be 0 in this system, not 3: leave it out"),
    ({"data_width": 16}, "data_width must be 32 or 64 in this system, not 16: set data_width = 32"),
    ({"bus": "axi4", "data_width": 256},
     "data_width must be 32 or 64 in this system, not 256: set data_width = 64"),
    ({"features": {"lock", "cti"}},
     "features must be none in this system, not cti, lock: leave them out"),
    ({"memory_size": 0x1000_0000, "shadow_base": 0x1000_0000},
     "memory and shadow must lie below 0x10000000 in this system, where the console begins, and "
     "end at 0x20000000: lower memory_base, shadow_base or memory_size")]
#: Those that LiteDRAM cannot serve, with what is around them.
NOT_ON_DRAM = [
    ({"memory_size": 0x400_0000, "shadow_base": 0x800_0000}, {},
     "memory and shadow must end within the 0x8000000 bytes of the largest SDRAM, not at "
     "0xc000000: lower shadow_base or memory_size, set data_width = 64, or use --memory ideal"),
    ({"io_hold": True}, {"ungated": True},
     "io_hold must be left out with LiteDRAM, whose one port is the unit's: gate the IO device, "
     "with ports = 2 under [unit], or use --memory ideal"),
    ({"ports": 2}, {"ungated": True},
     "an ungated IO device has no way to LiteDRAM's memory: gate it (ungated = false under [dma]), "
     "or use --memory ideal"),
    ({"bus": "axi4", "copier_port": "own"}, {},
     "copier_port must be shared with LiteDRAM, whose one port is the unit's: leave it out, or use "
     "--memory ideal"),
    ({}, {"faults": (WORD,)},
     "LiteDRAM answers no access with an error: leave out [[fault]], or use --memory ideal")]


@pytest.mark.parametrize("memory", ["ideal", "litedram"])
@pytest.mark.parametrize("given, message", NOWHERE)
def test_on_no_memory(given, message, memory):
    assert list(refusals(SnapshotParams(**given), memory)) == [message]


@pytest.mark.parametrize("given, around, message", NOT_ON_DRAM)
def test_not_on_a_dram(given, around, message):
    params = SnapshotParams(**given)
    assert list(refusals(params, "litedram", **around)) == [message]
    assert list(refusals(params, "ideal", **around)) == []


@pytest.mark.parametrize("given, chip", [
    ({}, "MT48LC4M16"), ({"memory_size": 0x100_0000, "shadow_base": 0x100_0000}, "MT48LC16M16"),
    ({"memory_size": 0x400_0000, "shadow_base": 0x400_0000}, "AS4C32M16"),
    ({"data_width": 64, "memory_size": 0x400_0000, "shadow_base": 0x800_0000}, "AS4C32M16"),
    ({"shadow": "separate", "shadow_base": 0xf00_0000}, "MT48LC4M16")])
def test_the_smallest_sdram_is_taken(given, chip):
    params = SnapshotParams(**given)
    assert sdram_type(params) == chip
    assert list(refusals(params, "litedram")) == []


def test_a_separate_shadow_may_fail_beside_a_dram():
    assert list(refusals(SnapshotParams(shadow="separate"), "litedram", faults=(WORD,))) == []


@pytest.mark.parametrize("tables, count", [
    ({"memory": {"model": "litedram"}, "unit": {"io_hold": True}, "fault": [{"block": 1}]}, 2),
    ({"unit": {"data_width": 16}}, 0),          # a unit to be exported
    ({"unit": {"data_width": 16}, "run": {"program": "x.elf"}}, 1)])
def test_check_tells_all(tables, count):
    assert len(problems(Config.of(tables))) == count


def test_both_commands_refuse(tmp_path):
    file = tmp_path / "x.toml"
    file.write_text('[unit]\nio_hold = true\n[dma]\nungated = true\n'
                    '[run]\nprogram = "packets"\nself = true\n')
    message = "io_hold must be left out with LiteDRAM"
    for options, code in ([], 0), (["--memory", "litedram"], 2):
        done = CliRunner().invoke(main, ["check", str(file), *options], standalone_mode=False)
        assert (done.return_value, message in done.output) == (code, bool(code))
    done = CliRunner().invoke(main, ["run", "--config", str(file), "--memory", "litedram"])
    assert done.exit_code == 2 and message in done.output
    done = CliRunner().invoke(main, ["run", "touch", "--self", "--memory", "litedram",
                                     "--latency", "8"])
    assert done.exit_code == 2 and done.output == (
        "memsnap: latency is that of an ideal memory, and LiteDRAM has its own timing: leave it "
        "out, or use --memory ideal\n")
