"""The report on the terminal: compact, the same figures as on the page."""

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from .model import COMPARED, DRAM_FIGURES, FIGURES, SOFTWARE_FIGURES, histogram
from .story import port_name
from .words import MEMORY_NAMES, count, figure_text, percent, size

__all__ = ["show"]

#: Longest bar of the stall histogram, in characters.
BAR = 30
#: Bins shown; what lies beyond is in the page and in report.json.
BINS = 12


def show(report, console):
    """Prints ``report`` on a rich console."""
    record, params = report.record, report.record.params
    good = report.expected
    parts = [Text(report.sentence, style="bold green" if good else "bold red")]
    if report.mismatch:
        parts += [Text("  " + line) for line in report.mismatch.history]
    if record.instant is not None:
        parts += [_figures(report), _dram(report), _ports(report), _stalls(report),
                  _software(report)]
    parts += [Text(f"• {line}.") for line in report.story]
    bus = "AXI4" if params.bus.value == "axi4" else "Wishbone"
    about = (f"{size(params.memory_size)} in blocks of {size(params.block_size)}, "
             f"{_memory(record)}, {bus} of {params.data_width} bit"
             + (f", separate shadow with latency {record.shadow_latency}"
                if params.shadow.value == "separate" else ""))
    console.print(Panel(
        Group(*[part for part in parts if part is not None]),
        title=Text(f"{record.program}: {report.heading}"),
        subtitle=Text(about), title_align="left", subtitle_align="left",
        border_style="green" if good else "red", width=min(console.width, 92)))


def _figures(report):
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), show_header=False, pad_edge=False)
    for justify in "left", "right", "left":
        table.add_column(justify=justify)
    for figure in FIGURES:
        if report.figures[figure.key] is None:
            continue
        table.add_row(figure.name, figure_text(figure, report.figures[figure.key]),
                      Text(_unit(figure, report), style="dim"))
    return table


def _memory(record):
    if record.memory == "ideal":
        return f"read latency {record.latency}"
    return MEMORY_NAMES[record.memory]


def _dram(report):
    """What the DRAM does to the figures, beside those of an ideal memory."""
    if not report.record.dram:
        return None
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    table.add_column("from T to done", header_style="dim")
    for head in MEMORY_NAMES[report.record.memory], "ideal memory":
        table.add_column(head, justify="right", header_style="dim")
    ideal = report.ideal.figures if report.ideal else {}
    for figure in (*FIGURES, *DRAM_FIGURES):
        mine = report.dram_figures if figure in DRAM_FIGURES else report.figures
        if figure in DRAM_FIGURES or figure.key in COMPARED and ideal:
            table.add_row(f"{figure.name}, {figure.unit}", figure_text(figure, mine[figure.key]),
                          figure_text(figure, ideal[figure.key]) if figure.key in ideal else "")
    return table


def _ports(report):
    if len(report.ports) < 2:
        return None
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    table.add_column("stalls by port", header_style="dim")
    for head in "writes", "for a copy", "past the regions", "longest", "total":
        table.add_column(head, justify="right", header_style="dim")
    for port in report.ports:
        table.add_row(port_name(port.port), *map(count, (
            port.held, port.for_copies, port.later, port.longest, port.total)))
    return table


#: What the terminal shows of the figures of the method in software.
SOFTWARE = ("software_slowdown", "software_pause", "software_first_write", "software_later_write",
            "software_background_block")


def _software(report):
    software = report.record.software
    if not software:
        return None
    head = Text("the same method in software: " + ("exact" if software.exact else "NOT exact"),
                style="dim" if software.exact else "bold red")
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), show_header=False, pad_edge=False)
    for justify in "left", "right", "left":
        table.add_column(justify=justify)
    for figure in SOFTWARE_FIGURES:
        if figure.key in SOFTWARE:
            table.add_row(figure.name, figure_text(figure, report.software_figures[figure.key]),
                          Text(figure.unit, style="dim"))
    return Group(head, table)


def _unit(figure, report):
    if figure.key == "slowdown" and report.software_slowdown is not None:
        return f"%   (copying in software: {percent(report.software_slowdown)} %)"
    longest, pause = report.record.stall_longest, report.record.baseline_pause
    if figure.key == "baseline_pause" and longest and pause:
        return f"clocks   ({count(round(pause / longest))} times the longest stall)"
    return figure.unit


def _stalls(report):
    bins = histogram(stall.length for stall in report.record.stalls)
    if not bins:
        return None
    top = max(number for _, _, number in bins)
    table = Table.grid(padding=(0, 1))
    table.add_column(justify="right")
    for low, high, number in bins[:BINS]:
        bar = "█" * -(-BAR * number // top)
        table.add_row(f"{low}" if low == high else f"{low}–{high}", Text(bar, style="yellow"),
                      count(number))
    head = Text("stalls by length in clocks", style="dim")
    rest = sum(number for _, _, number in bins[BINS:])
    tail = [Text(f"and {count(rest)} longer ones", style="dim")] if rest else []
    return Group(head, table, *tail)
