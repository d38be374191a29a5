"""The report of a run: figures, terminal, pictures and one self-contained HTML page."""

from .files import write_results
from .html import render_html
from .model import Mismatch, Outcome, Report
from .record import BlockCopy, Dram, Event, Kind, Record, Software, Stall, Write
from .terminal import show

__all__ = ["BlockCopy", "Dram", "Event", "Kind", "Mismatch", "Outcome", "Record", "Report",
           "Software", "Stall", "Write", "render_html", "show", "write_results"]
