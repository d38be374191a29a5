"""Fills in the templates of this directory."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from ..params import Bus
from ..regs.constants import VERSION

__all__ = ["render"]

_HEAD = f"Made by memsnap {'.'.join(map(str, VERSION))}"


def render(template, *, params, **values):
    """The text of a template for a configuration."""
    environment = Environment(loader=PackageLoader(__package__, "templates"), trim_blocks=True,
                              lstrip_blocks=True, keep_trailing_newline=True,
                              undefined=StrictUndefined)
    environment.filters["pad"] = lambda text, width: text.ljust(width)
    return environment.get_template(template).render(
        head=_HEAD, params=params, axi4=params.bus is Bus.AXI4, **values)
