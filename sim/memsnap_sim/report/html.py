"""The report as one HTML page that needs no other file."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from . import words
from .model import COMPARED, DRAM_FIGURES, FIGURES, SOFTWARE_FIGURES
from .story import port_name

__all__ = ["render_html"]


def render_html(report):
    """The page as text; pictures are drawn in it, so that it can be mailed as it is."""
    from . import pictures  # matplotlib takes a second to import

    record = report.record
    colours = {kind.name.lower(): colour for kind, colour in pictures.COLOURS.items()}
    colours["not_copied"] = pictures.NOT_COPIED
    return _environment().get_template("page.html.jinja").render(
        report=report, record=record, params=record.params, figures=FIGURES,
        software_figures=SOFTWARE_FIGURES, dram_figures=DRAM_FIGURES,
        compared=[figure for figure in FIGURES if figure.key in COMPARED],
        memory_name=words.MEMORY_NAMES[record.memory], port_name=port_name,
        colours=colours, rows=pictures.ROWS,
        life=pictures.copy_map_life(report) if record.copies else "",
        stalls=pictures.stall_histogram(report) if record.stalls else "",
        standstill=pictures.standstill(report) if record.baseline_pause else "")


def _environment():
    environment = Environment(loader=PackageLoader(__package__, "."), autoescape=True,
                              trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)
    environment.filters |= {
        "count": words.count, "percent": words.percent, "size": words.size,
        "text": words.figure_text,
        "capitalize_first": lambda text: text[:1].upper() + text[1:],
    }
    return environment
