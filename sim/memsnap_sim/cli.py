"""The command line, ``memsnap``. Heavy imports wait until a command needs them."""

import re
import sys
from pathlib import Path

import click

from .config import Config
from .config_tables import TABLES, parse_identifier, parse_size, show_size
from .errors import InputError
from .host.commands import host
from .settings import Settings, parse_region, parse_region_symbol
from .surroundings import MEMORIES

__all__ = ["main"]

#: Exit codes: the snapshot is exact; it is not, or there is none; bad input; a fault of memsnap.
EXACT, NOT_EXACT, BAD_INPUT, FAULT = 0, 1, 2, 3


class Tool(click.Group):
    """A group whose errors are a line or two that say what to do, never a traceback."""

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            message = _remedy(error)
            if message:
                raise _failure(message, BAD_INPUT) from error
            if ctx.params["debug"]:
                raise
            raise _failure(f"internal fault: {type(error).__name__}: {error}\n"
                           f"Run `memsnap --debug {ctx.invoked_subcommand} …` and report what it "
                           f"prints.", FAULT) from error

    def main(self, args=None, *, standalone_mode=True, **extra):
        extra["prog_name"] = "memsnap"
        if not standalone_mode:
            return super().main(args, standalone_mode=False, **extra)
        try:
            code = super().main(args, standalone_mode=False, **extra)
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message())
            code = BAD_INPUT
        except click.UsageError as error:
            where = error.ctx.command_path if error.ctx else "memsnap"
            click.echo(f"memsnap: {error.format_message()}\nSee: {where} --help", err=True)
            code = BAD_INPUT
        except click.ClickException as error:
            click.echo(f"memsnap: {error.format_message()}", err=True)
            code = error.exit_code
        except click.Abort:
            click.echo("memsnap: stopped", err=True)
            code = 130
        sys.exit(code or 0)


def _remedy(error):
    """What to tell of an error that the user can put right; None of any other."""
    match error:
        case InputError():
            return str(error)
        case ModuleNotFoundError(name=str(name)) if not name.startswith("memsnap"):
            extra = ("registers" if name.startswith(("systemrdl", "peakrdl")) else
                     "model" if name.startswith(("numba", "dask", "distributed")) else "sim")
            return (f"the Python package of {name!r} is missing: "
                    f"pip install 'memsnap[{extra}]'")
        case FileNotFoundError():
            return f"no such file: {error.filename or error}"
        case OSError():
            return f"{error.filename or 'system'}: {error.strerror or error}"


def _failure(message, code):
    error = click.ClickException(message)
    error.exit_code = code
    return error


class Parsed(click.ParamType):
    """An option that one of the functions of :mod:`settings` reads."""

    def __init__(self, name, read):
        self.name, self.read = name, read

    def convert(self, value, param, ctx):
        try:
            return self.read(value) if isinstance(value, str) else value
        except InputError as error:
            self.fail(str(error), param, ctx)


NUMBER = Parsed("number", parse_size)
REGION = Parsed("start-limit[:kind]", parse_region)
REGION_SYMBOL = Parsed("symbol[:kind]", parse_region_symbol)


LIST = Parsed("names", lambda text: [name.strip() for name in text.split(",") if name.strip()])


def config_option(command):
    return click.option("--config", metavar="FILE.toml", help="Take the settings from a file; "
                        "options override it.")(command)


def table_options(table, *, leave=()):
    """Options for the keys of a configuration's table but those to ``leave``."""
    def add(command):
        for key in reversed([key for key in TABLES[table].values() if key.name not in leave]):
            command = _option(key)(command)
        return command
    return add


def _option(key):
    name = (key.option or key.name).replace("_", "-")
    about = re.split(r"(?<=[^.]\.)\s", key.about)[0]
    if key.default is not None:
        about += f"  [default: {_shown(key)}]"
    match key.kind:
        case "flag":
            given = {"default": None}
            name = f"{name}/--no-{name}"
        case "choice":
            given = {"type": click.Choice(key.choices)}
        case "list":
            given = {"type": LIST, "metavar": "NAME,..."}
        case _:
            given = {"type": NUMBER, "metavar": "SIZE" if "size" in name else "N"}
    return click.option(f"--{name}", help=about, **given)


#: The options that describe the hardware, each a field of SnapshotParams.
unit_options = table_options("unit")
memory_options = table_options("memory")
#: Registers that are set before the start; those that the unit has a reset value for are with it.
policy_options = table_options("policy", leave=TABLES["unit"])


def _shown(key):
    match key.default:
        case bool():
            return "yes" if key.default else "no"
        case int() if key.name.endswith("_size") and key.default >= 1024:
            return show_size(key.default)
        case list():
            return ",".join(key.default) or "none"
    return key.default


def _read(config):
    return Config.read(config) if config else Config()


@click.group(cls=Tool, context_settings={"help_option_names": ["-h", "--help"],
                                         "max_content_width": 100})
@click.option("--debug", is_flag=True, help="Show the traceback of an internal fault.")
@click.version_option(package_name="memsnap", message="%(prog)s %(version)s")
def main(debug):
    """Exact images of memory at one clock edge, while the system goes on running.

    Start with `memsnap demo`, or `memsnap programs` and

    \b
        memsnap run dhrystone --at main
    """


@main.command()
@click.argument("program", required=False)
@click.option("--at", metavar="SYMBOL[:N]", help="Snapshot when the CPU reaches SYMBOL, for the "
              "Nth time.")
@click.option("--at-clock", type=NUMBER, metavar="CLOCK", help="Snapshot at a clock after reset.")
@click.option("--pin", type=NUMBER, metavar="CLOCK", help="Raise the trigger pin at a clock.")
@click.option("--self", "self_", is_flag=True, default=None,
              help="The program starts the snapshot itself, through the unit's registers.")
@click.option("--region", type=REGION, multiple=True, metavar="START-LIMIT[:KIND]",
              help="Copy these addresses first; KIND is user, kernel, dma or map. Can be repeated.")
@click.option("--region-symbol", type=REGION_SYMBOL, multiple=True,
              metavar="SYMBOL[:KIND]", help="Copy all of a symbol first. Can be repeated.")
@click.option("--initial", type=click.Choice(["auto", "none"]),
              help="Whether the program's kernel section is copied first by itself.  "
                   "[default: auto]")
@memory_options
@unit_options
@policy_options
@click.option("--wave", type=click.Choice(["fst", "vcd"]), help="Write a waveform, and a save "
              "file that GTKWave opens.")
@click.option("--wave-window", metavar="FROM-TO", help="Clocks that the waveform shows.  "
              "[default: around the instant]")
@click.option("--baseline/--no-baseline", default=None, help="Also run the program without a "
              "snapshot, and copying memory in software.  [default: baseline]")
@click.option("--record/--no-record", default=None, help="Also write the CPU's accesses to the "
              "memory, in a run without a snapshot: accesses.csv.gz, for `memsnap sweep`.  "
              "[default: no-record]")
@click.option("--wait/--no-wait", default=None, help="Let a snapshot finish that is still running "
              "when the program ends.  [default: no-wait]")
@click.option("--max-clocks", type=NUMBER, metavar="CLOCKS",
              help="Stop a program that does not end.  [default: 50 million]")
@click.option("--out", metavar="DIR", help="Where results go.  [default: build/run/PROGRAM]")
@config_option
def run(config, self_, region, region_symbol, **options):
    """Run PROGRAM on a simulated system, take a snapshot of it, and check the image.

    PROGRAM is an ELF file for RV32, or a name that `memsnap programs` lists. Say when to take the
    snapshot with one of --at, --at-clock, --pin and --self.

    \b
    Examples:
        memsnap run dhrystone --at main
        memsnap run program.elf --at checkpoint:3 --region-symbol table --wave vcd
        memsnap run --config run.toml

    DIR then holds report.html, report.json, image.bin, image.core (for gdb: `gdb-multiarch
    PROGRAM.elf image.core`) and the waveform.

    \b
    Exit code: 0 the image is exact; 1 it is not, or there is none; 2 bad input.
    """
    settings = Settings.build(_read(config), options | {
        "self": self_, "regions_of_run": tuple(region) + tuple(region_symbol)})
    from .session import run_and_report
    report = run_and_report(settings)
    return EXACT if report.expected else NOT_EXACT


@main.command()
@unit_options
@click.option("--name", type=Parsed("identifier", parse_identifier), metavar="NAME",
              help="Name of the module.  [default: memsnap]")
@click.option("-o", "--output", metavar="FILE.v|DIR", help="One file, or a directory for a whole "
              "package.  [default: the terminal]")
@config_option
def verilog(config, name, output, **options):
    """Write the unit as Verilog with flat, standard port names.

    With a directory (one that is there, a path that ends in /, or a name without a dot) it writes a
    package: the Verilog with an instance to paste, a testbench that runs as it is, the registers as
    C header and documentation, and what FuseSoC needs. Its README.md says what is what.

    \b
    Examples:
        memsnap verilog -o memsnap.v
        memsnap verilog --memory-size 1M --block-size 4K -o memsnap.v
        memsnap verilog --config unit.toml -o snapshot/
    """
    config = _read(config)
    params = config.params(options)
    name = config.value("verilog", "name", name)
    if output is not None and _is_directory(output):
        _write_package(Path(output), params, name)
        return
    from memsnap.export import verilog as export
    _write(output, export.convert(params, name=name))


def _is_directory(output):
    """Whether ``-o`` means a directory."""
    path = Path(output)
    return path.is_dir() or output.endswith("/") or not (path.exists() or path.suffix)


def _write_package(directory, params, name):
    from memsnap.export.package import SUMS, package

    from .package_files import write_package
    files = package(params, name=name)
    for gone in write_package(directory, files, sums=SUMS):
        click.echo(f"removed {directory / gone}", err=True)
    for file in files:
        click.echo(f"wrote {directory / file}", err=True)


@main.command()
@click.argument("file", metavar="FILE.toml")
@click.option("--cells", is_flag=True, help="Also count cells: Yosys synthesizes exactly this unit "
              "for ECP5, which takes a minute.")
@click.option("--memory", type=click.Choice(MEMORIES), help="Also say whether it runs on this one: "
              "see `memsnap run`.  [default: as in the file]")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def check(file, cells, memory, as_json):
    """Say whether a configuration is sound, what it needs, and what it costs.

    \b
    Examples:
        memsnap check unit.toml
        memsnap check unit.toml --cells
        memsnap check unit.toml --memory litedram

    \b
    Exit code: 0 it is sound; 2 it is not, or cannot be read.
    """
    from .check import check as check_all
    from .check_show import show
    result = check_all(Config.read(file), memory=memory, count=cells)
    if as_json:
        import json
        click.echo(json.dumps(result, indent=1))
    else:
        show(result, file)
    return EXACT if result["sound"] else BAD_INPUT


@main.command()
@click.argument("file", required=False, metavar="[FILE.toml]")
@click.option("-o", "--output", metavar="FILE", help="Where to write.  [default: the terminal]")
def config(file, output):
    """Write a configuration with every key, its meaning and its value.

    Without FILE.toml the values are the defaults: a template to start from.

    \b
    Examples:
        memsnap config -o unit.toml
        memsnap config sim/configs/small.toml
    """
    from .config_template import template
    _write(output, template(_read(file)))


@main.command()
@click.option("--format", "format_", type=click.Choice(["header", "markdown", "ipxact"]),
              default="markdown", show_default=True, help="C header, documentation, or IP-XACT.")
@click.option("-o", "--output", metavar="FILE", help="Where to write.  [default: the terminal]")
def regs(format_, output):
    """Write the unit's register map.

    \b
    Example:
        memsnap regs --format header -o memsnap_regs.h
    """
    from memsnap.export import registers
    _write(output, getattr(registers, f"{format_}_text")())


def _write(output, text):
    if output is None:
        click.echo(text, nl=not text.endswith("\n"))
    else:
        Path(output).write_text(text)
        click.echo(f"wrote {output}", err=True)


@main.command()
def programs():
    """List the programs that come with memsnap.

    \b
    Example:
        memsnap programs
    """
    from .toolchain import shipped_programs
    for name, about in shipped_programs():
        click.echo(f"{name:12}  {about}")


@main.command()
@click.option("--out", metavar="DIR", default="build/demo", show_default=True,
              help="Where results go, a directory a program.")
@_option(TABLES["memory"]["model"])
@_option(TABLES["unit"]["bus"])
@click.argument("config", required=False, metavar="[CONFIG]")
def demo(config, out, **options):
    """Snapshot three programs, check the images, and show them.

    With CONFIG, instead: a run of that name in sim/configs, or of a .toml file. It is good if the
    run ends as the file declares, with an exact image or with the failure that it is to show.

    \b
    Examples:
        memsnap demo
        memsnap demo ungated
        memsnap demo --memory litedram
    """
    from .demo import run_configuration, run_demo
    if config:
        return EXACT if run_configuration(config, Path(out), options=options) else NOT_EXACT
    return EXACT if run_demo(Path(out), options=options) else NOT_EXACT


@main.command()
@click.argument("trace", required=False, metavar="[TRACE]")
@click.option("--vary", multiple=True, metavar="NAME=VALUE,VALUE,...",
              help="Try these values of a field of [unit], or of latency, shadow_latency or "
                   "initial (bytes from the start of the memory that are copied first). Can be "
                   "repeated: all combinations are tried.  [default: block_size=64,256,1K,4K]")
@click.option("--format", "format_", type=click.Choice(["lackey", "csv"]),
              help="Of the trace.  [default: from its first lines]")
@click.option("--clocks-per-instruction", type=click.IntRange(min=0), default=1, show_default=True,
              help="What an instruction counts for, in lackey's traces.")
@click.option("--page", type=NUMBER, default="4K", show_default=True, metavar="SIZE",
              help="Pages of this size are packed together in the order in which the trace touches "
                   "them; 0 takes the addresses as they are.")
@click.option("--pattern", metavar="NAME", help="Instead of a trace, accesses by a rule: "
              "sequential, random, hot or stride.")
@click.option("--accesses", type=NUMBER, default="1M", show_default=True, metavar="N",
              help="How many, of a pattern.")
@click.option("--gap", type=click.FloatRange(min=0), default=3, show_default=True,
              help="Clocks between a pattern's accesses, in the mean.")
@click.option("--writes", type=click.FloatRange(0, 1), default=0.3, show_default=True,
              help="The share of a pattern's accesses that write.")
@click.option("--start", type=NUMBER, metavar="ACCESS", help="The snapshot starts with this access."
              "  [default: a tenth of all]")
@click.option("--in-flight", type=click.IntRange(min=1), default=1, show_default=True,
              help="Accesses that the initiator may have without an answer.")
@click.option("--latency", type=NUMBER, metavar="CLOCKS", help="Of the memory.  [default: 4]")
@click.option("--cells", is_flag=True, help="Also count cells for ECP5, a minute for each unit; "
              "kept in build/cells.")
@click.option("--scheduler", metavar="tcp://HOST:PORT", help="Spread the work over the workers of "
              "a Dask scheduler; they must find the trace under the same path.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes here.  [default: all cores]")
@click.option("--out", metavar="DIR", default="build/sweep", show_default=True,
              help="Where sweep.csv, sweep.json and the pictures go.")
@unit_options
@config_option
def sweep(config, trace, **options):
    """Try configurations on a stream of accesses with the cycle-level model.

    TRACE is what Valgrind's lackey prints with --trace-mem=yes, or a table of comma-separated
    values with the head gap,address,write,size; either may be compressed (.gz). The result is a
    table, pictures and a recommendation.

    \b
    Examples:
        valgrind --tool=lackey --trace-mem=yes --log-file=sort.lk sort file
        memsnap sweep sort.lk --vary block_size=64,256,4K --vary latency=4,16
        memsnap sweep --pattern stride --memory-size 1M --vary buffer_depth=16,64

    \b
    Exit code: 0; 1 no snapshot came to its end; 2 bad input.
    """
    from .sweep.command import sweep as run_sweep
    done = run_sweep(_read(config), trace, options)
    return EXACT if done else NOT_EXACT


@main.command()
@click.option("--out", metavar="DIR", default="build/bench", show_default=True,
              help="Where bench.json, figures.md and the plots go.")
@click.option("--against", metavar="FILE.json", type=click.Path(exists=True, dir_okay=False),
              help="Compare with these results, and name what has changed.")
@click.option("--figure", "figures_wanted", multiple=True, metavar="P1",
              type=click.Choice(["P1", "P2", "P3", "P4", "P5", "P6"]),
              help="Only this one. Can be repeated.")
def bench(out, against, figures_wanted):
    """Count the unit's figures in clocks, beside what is possible and what is wanted.

    A figure that misses its goal is marked; it is no error. One that got worse than in --against
    is.

    \b
    Examples:
        memsnap bench
        memsnap bench --figure P3
        memsnap bench --against docs/figures/bench.json

    \b
    Exit code: 0; 1 a figure is worse than it was; 2 bad input.
    """
    from rich.console import Console

    from . import bench as figures
    from .bench_page import compare, write_page
    from .bench_program import RUNS, program_cost
    from .session import Steps
    wanted = set(figures_wanted) or {"P1", "P2", "P3", "P4", "P5", "P6"}
    chosen = figures.cases_of(wanted)
    before = figures.read_json(against) if against else None
    rows = []
    with Steps(unit="cases") as steps:
        if wanted & {"P3", "P5"}:
            with steps.step("running programs") as tell:
                for number, (program, bus) in enumerate(RUNS):
                    tell(number, len(RUNS))
                    rows += [row for row in program_cost(program, bus, Path(out))
                             if row.figure in wanted]
        with steps.step("counting") as tell:
            rows += figures.run(chosen, lambda number: tell(number, len(chosen)))
    rows.sort(key=lambda row: row.figure)
    Console().print(figures.table(rows))
    path = Path(out) / "bench.json"
    figures.write_json(rows, path)
    write_page(rows, Path(out))
    missed = sum(not row.met for row in rows)
    click.echo(f"{len(rows) - missed} of {len(rows)} goals met; wrote {path} and figures.md")
    if before is None:
        return EXACT
    changes = compare(rows, [row for row in before if row.figure in wanted])
    for change in changes:
        click.echo(str(change))
    worse = sum(change.worse for change in changes)
    click.echo(f"{worse} of {len(rows)} figures are worse than in {against}")
    return NOT_EXACT if worse else EXACT


main.add_command(host)
