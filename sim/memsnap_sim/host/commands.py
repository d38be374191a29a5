"""``memsnap host``: a snapshot of a board, from the other end of its serial line."""

import sys
from contextlib import contextmanager
from pathlib import Path

import click

from ..config_tables import parse_size
from ..errors import InputError
from ..settings import parse_region

__all__ = ["host"]

_BAUD = 1_000_000


@click.group()
@click.option("--port", required=True, metavar="PORT", envvar="MEMSNAP_PORT",
              help="The board's serial port, such as /dev/ttyUSB1; or set MEMSNAP_PORT.")
@click.option("--baud", type=int, default=_BAUD, show_default=True, metavar="N",
              help="Its rate.")
@click.option("--patience", type=float, default=1.0, show_default=True, metavar="SECONDS",
              help="How long to wait for an answer.")
@click.pass_context
def host(ctx, **options):
    """Take a snapshot of a board, over its serial line.

    \b
    Examples:
        memsnap host --port /dev/ttyUSB1 status
        memsnap host --port /dev/ttyUSB1 load ledger --set transfers=0 --run
        memsnap host --port /dev/ttyUSB1 start
        memsnap host --port /dev/ttyUSB1 wait
        memsnap host --port /dev/ttyUSB1 image --out image

    \b
    Exit code: 0 done; 1 there is no image, or no end; 2 bad input, or no board.
    """
    ctx.obj = options


@contextmanager
def _board(ctx):
    """The board; what it refuses is told in a line."""
    from memsnap.driver import BusError, SnapshotError

    from .board import Board
    from .link import SerialLink
    options = ctx.obj
    with SerialLink(options["port"], baud=options["baud"], patience=options["patience"]) as link:
        try:
            yield Board(link)
        except (BusError, SnapshotError, TimeoutError) as error:
            failure = click.ClickException(str(error))
            failure.exit_code = 1
            raise failure from error


def _value(context, parameter, texts):
    values = {}
    for text in texts:
        name, _, value = text.partition("=")
        if not name or not value:
            raise click.BadParameter(f"{text!r} is not NAME=VALUE")
        try:
            values[name] = parse_size(value)
        except InputError as error:
            raise click.BadParameter(str(error)) from None
        if not 0 <= values[name] < 1 << 32:
            raise click.BadParameter(f"{name} must fit 32 bits, not {value}")
    return values


def _regions(context, parameter, texts):
    try:
        return [parse_region(text) for text in texts]
    except InputError as error:
        raise click.BadParameter(str(error)) from None


@host.command()
@click.pass_context
def status(ctx):
    """Say what board this is, and what CPU and unit are doing."""
    from .words import lines
    with _board(ctx) as board:
        for name, text in lines(board):
            click.echo(f"{name:9} {text}")


@host.command()
@click.argument("program")
@click.option("--set", "variables", multiple=True, callback=_value, metavar="NAME=VALUE",
              help="Give a word of the program another value. Can be repeated.")
@click.option("--run/--no-run", "go", default=True, show_default=True,
              help="Let it run then.")
@click.pass_context
def load(ctx, program, variables, go):
    """Put PROGRAM into the board's memory, and let it run.

    PROGRAM is an ELF file for RV32, or a name that `memsnap programs` lists.

    \b
    Example:
        memsnap host --port /dev/ttyUSB1 load ledger --set transfers=0
    """
    with _board(ctx) as board, _steps("bytes") as steps:
        found = board.find(program)
        if "start_snapshot" in found.symbols:
            variables = {"start_snapshot": 0, **variables}
        with steps.step(f"loading {found.path.name}") as tell:
            board.load(found, variables, tell)
        if go:
            board.characters()
            board.run()
    path = found.path.resolve()
    if path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    click.echo(f"{path} is loaded" + (", and runs" if go else ""))


@host.command()
@click.pass_context
def run(ctx):
    """Let the CPU run, from its program's beginning if it stood still."""
    with _board(ctx) as board:
        board.run()


@host.command()
@click.pass_context
def halt(ctx):
    """Stop the CPU, and reset it."""
    with _board(ctx) as board:
        board.halt()


@host.command()
@click.pass_context
def console(ctx):
    """Show what the program has printed since the last time."""
    with _board(ctx) as board:
        sys.stdout.write(board.characters().decode("ascii", "replace"))


@host.command()
@click.option("--region", "regions", multiple=True, callback=_regions,
              metavar="START-LIMIT[:KIND]", help="Copy these addresses first; KIND is user, "
              "kernel, dma or map. Can be repeated.")
@click.pass_context
def start(ctx, regions):
    """Start a snapshot."""
    from memsnap.driver import RegionKind
    with _board(ctx) as board:
        caps = board.capabilities
        last = caps.memory_base + caps.memory_size - 1
        if len(regions) > caps.regions:
            raise InputError(f"regions must be {caps.regions} at most on this board, not "
                             f"{len(regions)}")
        for region in regions:
            if region.start < caps.memory_base or region.limit > last:
                raise InputError(f"region {region.start:#x}-{region.limit:#x} is not within the "
                                 f"memory, {caps.memory_base:#x}-{last:#x}")
        board.unit.wait_ready(timeout=1)
        for index in range(caps.regions):
            board.unit.disable_region(index)
        for index, region in enumerate(regions):
            board.unit.set_region(index, region.start, region.limit,
                                  RegionKind[region.kind.upper()])
        board.unit.start()
    click.echo("a snapshot has begun")


@host.command()
@click.pass_context
def cancel(ctx):
    """End the snapshot that is under way, without an image."""
    with _board(ctx) as board:
        board.unit.cancel()


@host.command()
@click.option("--timeout", type=float, default=60.0, show_default=True, metavar="SECONDS",
              help="How long to wait.")
@click.pass_context
def wait(ctx, timeout):
    """Wait until the snapshot has ended, and say how."""
    import time

    from .words import counted
    with _board(ctx) as board, _steps("blocks") as steps:
        end = time.monotonic() + timeout
        with steps.step("copying") as tell:
            while (state := board.unit.status()).locked and time.monotonic() < end:
                counters = board.unit.counters()
                tell(counters.blocks_initial + counters.blocks_demand + counters.blocks_background,
                     board.capabilities.blocks)
        if state.locked:
            raise TimeoutError(f"the snapshot has not ended within {timeout:g} seconds; it is in "
                               f"state {state.state.name}")
        board.unit.wait(timeout=0)
        click.echo(counted(board))


@host.command()
@click.option("--out", metavar="DIR", default="build/host", show_default=True,
              help="Where image.bin and image.core go.")
@click.pass_context
def image(ctx, out):
    """Read the image, and write it as it is and for a debugger.

    DIR then holds image.bin, the memory's bytes, and image.core, for gdb: `gdb-multiarch
    PROGRAM.elf image.core`. Of the CPU's registers only its program counter is known.

    \b
    Example:
        memsnap host --port /dev/ttyUSB1 image --out image
    """
    from ..core import write_core
    with _board(ctx) as board, _steps("bytes") as steps:
        total = board.capabilities.memory_size
        with steps.step("reading the image") as tell:
            found = board.image(lambda done: tell(done, total))
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    (out / "image.bin").write_bytes(found.content)
    write_core(out / "image.core", image=found.content, base=found.base, pc=found.pc)
    click.echo(f"wrote {out / 'image.bin'} and {out / 'image.core'}: {len(found.content):,} bytes, "
               f"as they were at clock {found.instant:,}")


def _steps(unit):
    from ..session import Steps
    return Steps(unit=unit)
