"""The boards' files, which are no package, and a simulated board with its host."""

import importlib.util
from dataclasses import replace
from pathlib import Path

from click.testing import CliRunner
from memsnap_sim.cli import main

BOARDS = Path(__file__).parents[1] / "boards"

#: A line as fast as the clock allows, which is less to simulate.
CLOCK_HZ, BAUD = 12_000_000, 3_000_000


def board_file(name):
    """The module of a board."""
    spec = importlib.util.spec_from_file_location(name, BOARDS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def fast_config(name):
    """A board's configuration, with the fast line; with `-sdram`, its memory is in the SDRAM."""
    if name == "ulx3s-sdram":
        config = board_file("ulx3s").SDRAM_CONFIG
        # As slow as LiteDRAM's refresh allows, and no larger than the program needs it
        return replace(config, clock_hz=15_000_000, baud=BAUD, params=replace(
            config.params, memory_size=0x8000, shadow_base=0x8000))
    return replace(board_file(name).CONFIG, clock_hz=CLOCK_HZ, baud=BAUD)


def host(port, *words, baud=BAUD, code=0, patience=20):
    """What ``memsnap host`` prints; it ends with this exit code."""
    result = CliRunner().invoke(main, [
        "host", "--port", port, "--baud", str(baud), "--patience", str(patience),
        *map(str, words)])
    assert result.exit_code == code, result.output
    return result.output
