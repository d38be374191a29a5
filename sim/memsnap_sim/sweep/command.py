"""What the command ``memsnap sweep`` does."""

from pathlib import Path

from rich.console import Console
from rich.text import Text

from ..config_tables import TABLES
from ..errors import InputError
from ..session import Steps
from ..traces import PATTERNS
from .advice import advise, choose
from .engine import run
from .plots import write_plots
from .results import table, write_csv, write_json
from .source import PatternSource, TraceSource
from .space import parse_vary, points

__all__ = ["sweep"]

#: Columns of the table where it goes into a file.
_WIDTH = 140
_VARIED = ("block_size=64,256,1K,4K",)


def sweep(config, trace, options, *, console=None):
    """Runs a sweep and shows what came of it; returns whether a snapshot came to its end.

    Parameters
    ----------
    config : Config
    trace : str or None
    options : dict
        By the names of the command's options.
    """
    console = console or Console()
    if not console.is_terminal:
        console = Console(file=console.file, width=_WIDTH)
    vary = [parse_vary(text) for text in options["vary"] or _VARIED]
    unit = config.unit | {key: value for key, value in options.items()
                          if key in TABLES["unit"] and value is not None}
    source = _source(trace, options, unit)
    if trace and "memory_size" in unit:
        raise InputError("--memory-size is for a --pattern: a trace says by itself what it touches")
    latency = config.value("memory", "latency", options["latency"])
    out = Path(options["out"])
    with Steps(unit="accesses") as steps, steps.step("reading the accesses") as tell:
        size = source.size(tell)
    start = size.accesses // 10 if options["start"] is None else options["start"]
    if start >= size.accesses:
        raise InputError(f"--start must be below the {size.accesses:,} accesses that there are, "
                         f"not {start:,}")
    tried = points(vary, memory_bytes=size.memory_bytes, unit=unit, latency=latency,
                   shadow_latency=config.value("memory", "shadow_latency"))
    console.print(Text(f"{size.accesses:,} accesses, {size.writes:,} of them writes, to "
                       f"{size.memory_bytes:,} bytes; snapshot at access {start:,}; "
                       f"{len(tried)} configurations"))
    with Steps(unit="of these") as steps, steps.step("modelling") as tell:
        outcomes = run(tried, source, start, scheduler=options["scheduler"],
                       workers=options["workers"], max_in_flight=options["in_flight"],
                       cells=options["cells"],
                       progress=lambda done: tell(done, len(tried)))
    out.mkdir(parents=True, exist_ok=True)
    write_csv(outcomes, out / "sweep.csv")
    write_json(outcomes, out / "sweep.json", accesses=size.accesses, writes=size.writes,
               memory_bytes=size.memory_bytes, start=start)
    pictures = write_plots(outcomes, out)
    best = choose(outcomes)
    console.print(table(outcomes, best))
    advice = advise(outcomes)
    (out / "advice.txt").write_text("\n".join(advice) + "\n")
    for line in advice:
        console.print(Text(line), soft_wrap=True)
    names = ["sweep.csv", "sweep.json", "advice.txt", *(path.name for path in pictures)]
    console.print(Text(f"\nresults: {out}/ ({', '.join(names)})"), soft_wrap=True)
    return best is not None


def _source(trace, options, unit):
    """Where the accesses come from."""
    name = options["pattern"]
    if (trace is None) == (name is None):
        raise InputError("give either a TRACE or a --pattern, not both" if trace else
                         "give a TRACE, or a --pattern: " + ", ".join(PATTERNS))
    if trace:
        page = options["page"]
        if page & (page - 1):
            raise InputError(f"--page must be a power of two, or 0, not {page}")
        return TraceSource(str(Path(trace).resolve()), options["format_"],
                           options["clocks_per_instruction"], page or None)
    if name not in PATTERNS:
        raise InputError(f"--pattern must be one of {', '.join(PATTERNS)}, not {name!r}")
    size = TABLES["unit"]["memory_size"].read(unit.get("memory_size", "64K"))
    return PatternSource(name, options["accesses"], size, options["gap"], options["writes"])
