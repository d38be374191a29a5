"""A wrapper for SoCs that are built with LiteX."""

import re

from ..params import Bus, Registers, Shadow
from .render import render

__all__ = ["litex_module"]

#: What is connected by itself.
_WIRES = ("clk", "rst")
#: Members that LiteX's Wishbone has not.
_UNKNOWN = ("rty", "lock")


def litex_module(params, ports, *, name):
    """A Python module that adds the unit to a LiteX SoC.

    Parameters
    ----------
    params : SnapshotParams
    ports : list of memsnap.export.ports.Port
        Of the unit's module.
    name : str
        Of the unit's module.

    Returns
    -------
    str or None
        None unless the unit and its registers are on Wishbone classic, the bus of LiteX's memories.
    """
    if (params.bus is Bus.AXI4 or params.pipelined
            or params.registers is Registers.AXI4_LITE):
        return None
    upstream = list(dict.fromkeys(port.bus for port in ports if re.match(r"s\d?_", port.bus)))
    others = list(dict.fromkeys(port.bus for port in ports
                                if re.match(r"[mxc]_", port.bus)))
    return render(
        "litex.py.jinja", params=params, name=name, upstream=upstream, others=others,
        separate=params.shadow is Shadow.SEPARATE,
        connections=[(("i_" if port.is_input else "o_") + port.name, _signal(port, upstream))
                     for port in ports if port.name not in _WIRES
                     and (port.is_input or port.member not in _UNKNOWN)],
        bare=[port for port in ports if not port.bus and port.name not in _WIRES])


def _signal(port, upstream):
    """What a port is connected to, as Python."""
    if not port.bus:
        return f"self.{port.name}"
    if port.member in _UNKNOWN:
        return "0"
    side = port.bus.partition("_")[0]
    bus = f"self.s[{upstream.index(port.bus)}]" if side.startswith("s") else f"self.{side}"
    if port.bus == "csr_wb" and port.member == "adr":
        return f"{bus}.adr[:{port.width}]"
    return f"{bus}.{port.member}"
