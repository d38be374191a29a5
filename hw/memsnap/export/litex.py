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
        None if the unit is on Wishbone pipelined, which is no bus of LiteX's.
    """
    axi4 = params.bus is Bus.AXI4
    if params.pipelined and not axi4:
        return None
    upstream = list(dict.fromkeys(port.bus for port in ports if re.match(r"s\d?_", port.bus)))
    others = [port for port in ports if re.match(r"[mxc]_", port.bus)]
    return render(
        "litex.py.jinja", params=params, name=name,
        axi_lite=params.registers is Registers.AXI4_LITE,
        separate=params.shadow is Shadow.SEPARATE,
        others={port.bus[0]: _id_width(others, port.bus) for port in others},
        connections=[(("i_" if port.is_input else "o_") + port.name, _signal(port, upstream))
                     for port in ports if port.name not in _WIRES
                     and (port.is_input or port.member not in _UNKNOWN)],
        bare=[port for port in ports if not port.bus and port.name not in _WIRES])


def _id_width(ports, bus):
    """Bits of an AXI4 bus' ids; 0 on Wishbone."""
    return max((port.width for port in ports if port.bus == bus and port.member == "awid"),
               default=0)


def _signal(port, upstream):
    """What a port is connected to, as Python."""
    if not port.bus:
        return f"self.{port.name}"
    if port.member in _UNKNOWN:
        return "0"
    side, _, form = port.bus.partition("_")
    bus = f"self.s[{upstream.index(port.bus)}]" if side.startswith("s") else f"self.{side}"
    member = port.member
    if form != "wb":
        channel = re.match("aw|ar|w|b|r", member)[0]
        member = f"{channel}.{member.removeprefix(channel)}"
    if side == "csr" and member.endswith(("adr", "addr")):
        return f"{bus}.{member}[:{port.width}]"
    return f"{bus}.{member}"
