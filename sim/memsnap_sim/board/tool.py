"""What one does with a board's top: make its bitstream, or simulate it."""

import sys
from functools import partial
from pathlib import Path

import click

from ..errors import InputError
from .memory import MemoryKind

__all__ = ["main"]


def main(configs, top, platforms):
    """The command line of a board's file.

    Parameters
    ----------
    configs : sequence of BoardConfig
        The board's systems, each with its memory elsewhere; the first one is the default.
    top : callable
        Makes the board's top from one of them.
    platforms : dict
        From the name of a variant of the board to a function that gives its platform; the first
        one is the default.
    """
    systems = {config.memory.value: config for config in configs}
    board, *_ = systems.values()
    commands = click.Group(help=f"The board {board.name}.")

    def choice(command):
        return click.option("--memory", type=click.Choice(list(systems)), show_default=True,
                            default=board.memory.value, help=_memories(systems))(command)

    @commands.command()
    @choice
    @click.option("--out", metavar="DIR",
                  help=f"By default build/board/{board.name}, with another memory its name too.")
    @click.option("--device", type=click.Choice(list(platforms)), default=next(iter(platforms)),
                  show_default=True)
    @click.option("--seed", default=1, show_default=True, help="Of the placement.")
    def build(memory, out, device, seed):
        """Make the bitstream; fails if it is too slow for the board's clock."""
        from ..session import Steps
        from ..soc.litedram import GenerationError
        from . import bitstream
        config = systems[memory]
        out = Path(out or f"build/board/{config.name}")
        try:
            config.controller()
        except GenerationError as error:
            raise InputError(str(error)) from None
        with Steps() as steps, steps.step(f"bitstream for {config.name}, which takes minutes"):
            made = bitstream.build(platforms[device](), partial(top, config), out,
                                   name=config.name, clock_hz=config.clock_hz, seed=seed)
        for kind, (used, available) in made.used.items():
            click.echo(f"{kind:20} {used:6} of {available:6}  {100 * used / available:3.0f} %")
        for clock, (reached, wanted) in made.clocks.items():
            click.echo(f"{clock:20} {reached:6} MHz of {wanted} wanted")
        if not made.met:
            raise InputError(f"{made.path} is too slow for the board's clock: try another --seed")
        click.echo(f"wrote {made.path}")

    @commands.command()
    @choice
    def simulate(memory):
        """Run the board in simulation, with a serial port for `memsnap host`."""
        from ..verilated import BuildError
        from .simulation import SimulatedBoard
        config = systems[memory]
        try:
            simulated = SimulatedBoard(config)
        except BuildError as error:
            raise InputError(str(error)) from error
        with simulated as running:
            click.echo(f"{config.name} runs; its serial port is {running.port}. End with Ctrl-C.")
            try:
                running.serve()
            except KeyboardInterrupt:
                click.echo()

    try:
        commands()
    except InputError as error:
        click.echo(f"{board.name}: {error}", err=True)
        sys.exit(1)


def _memories(systems):
    words = {MemoryKind.BLOCK_RAM: "the FPGA's block RAM", MemoryKind.SPRAM: "its SPRAM",
             MemoryKind.SDRAM: "the SDRAM"}
    places = ", ".join(f"{name} is {words[config.memory]}" for name, config in systems.items())
    return f"What holds memory and shadow; {places}."
