"""A description of the package for FuseSoC (a core file, CAPI2)."""

from ..regs.constants import VERSION
from .render import render

__all__ = ["core_file", "vlnv"]


def vlnv(name):
    """The core's name: vendor, library, name and version."""
    return f"memsnap:ip:{name}:{'.'.join(map(str, VERSION))}"


def core_file(params, *, name):
    """The core file's text.

    Its targets are ``default`` (the Verilog for other cores), ``sim`` (the testbench under Icarus),
    ``sim_verilator`` and ``lint``.
    """
    return render("fusesoc.core.jinja", params=params, name=name, vlnv=vlnv(name))
