"""What one does with a board's top: make its bitstream, or simulate it."""

import sys
from pathlib import Path

import click

from ..errors import InputError

__all__ = ["main"]


def main(config, top, platforms):
    """The command line of a board's file.

    Parameters
    ----------
    config : BoardConfig
    top : callable
        Makes the board's top.
    platforms : dict
        From the name of a variant of the board to a function that gives its platform; the first
        one is the default.
    """
    commands = click.Group(help=f"The board {config.name}.")

    @commands.command()
    @click.option("--out", metavar="DIR", default=f"build/board/{config.name}", show_default=True)
    @click.option("--device", type=click.Choice(list(platforms)), default=next(iter(platforms)),
                  show_default=True)
    @click.option("--seed", default=1, show_default=True, help="Of the placement.")
    def build(out, device, seed):
        """Make the bitstream; fails if it is too slow for the board's clock."""
        from ..session import Steps
        from . import bitstream
        with Steps() as steps, steps.step(f"bitstream for {config.name}, which takes minutes"):
            made = bitstream.build(platforms[device](), top, Path(out), name=config.name,
                                   seed=seed)
        for kind, (used, available) in made.used.items():
            click.echo(f"{kind:20} {used:6} of {available:6}  {100 * used / available:3.0f} %")
        for clock, (reached, wanted) in made.clocks.items():
            click.echo(f"{clock:20} {reached:6} MHz of {wanted} wanted")
        if not made.met:
            raise InputError(f"{made.path} is too slow for the board's clock: try another --seed")
        click.echo(f"wrote {made.path}")

    @commands.command()
    def simulate():
        """Run the board in simulation, with a serial port for `memsnap host`."""
        from ..soc.build import BuildError
        from .simulation import SimulatedBoard
        try:
            simulated = SimulatedBoard(config)
        except BuildError as error:
            raise InputError(str(error)) from error
        with simulated as board:
            click.echo(f"{config.name} runs; its serial port is {board.port}. End with Ctrl-C.")
            try:
                board.serve()
            except KeyboardInterrupt:
                click.echo()

    try:
        commands()
    except InputError as error:
        click.echo(f"{config.name}: {error}", err=True)
        sys.exit(1)
