"""The ports of the exported unit, and the template of its instantiation."""

import re
from dataclasses import dataclass

from ..params import Bus, Registers, Shadow
from .render import render

__all__ = ["Port", "bus_about", "instantiation", "read_ports"]


@dataclass(frozen=True)
class Port:
    """One port of the exported module.

    Attributes
    ----------
    name : str
        As in the Verilog: ``s_wb_cyc``.
    bus : str
        The bus that it belongs to, ``s_wb``; empty for a single wire.
    member : str
        Its name in that bus, ``cyc``; without a bus its name.
    is_input : bool
        As the unit sees it.
    width : int
    """

    name: str
    bus: str
    member: str
    is_input: bool
    width: int

    @property
    def range(self):
        """What a declaration has before the name: ``"[31:0] "``, or nothing for one bit."""
        return f"[{self.width - 1}:0] " if self.width > 1 else ""


def read_ports(text, name):
    """The ports of a module of exported Verilog, in the order of its header.

    Parameters
    ----------
    text : str
        What :func:`memsnap.export.verilog.convert` returns.
    name : str
        Of the module.

    Returns
    -------
    list of :class:`Port`
    """
    header, body = re.search(rf"^module {name}\((.*?)\);\n(.*?)^endmodule", text,
                             re.S | re.M).groups()
    kinds = {port: (direction == "input", int(high or 0) + 1) for direction, high, port in
             re.findall(r"^  (input|output)(?: \[(\d+):0\])? (\w+);", body, re.M)}
    ports = []
    for port in re.split(r"[,\s]+", header):
        bus, member = re.fullmatch(r"(?:([smxc]\d?_(?:wb|axi)|csr_wb|csr_axil)_)?(\w+)",
                                   port).groups()
        ports.append(Port(port, bus or "", member, *kinds[port]))
    return ports


#: What a bus of the unit is for, by its name without the number of a port.
_BUSES = {
    "s": "from initiator{number}: its writes pass the gate",
    "m": "to the memory{shadow}",
    "c": "of the copier, to the same memory as m_axi",
    "x": "to the memory of the shadow",
    "csr": "registers, 32 bits",
}
#: What a single wire is for.
_WIRES = {
    "clk": "the one clock of all ports",
    "rst": "synchronous, active high",
    "trigger": "a rising edge starts a snapshot; 0 if not used",
    "irq": "high from the end of a snapshot until IRQ_STATUS is cleared, if IRQ_ENABLE is set",
    "io_hold": "asks masters that reach the memory by another way to hold still",
    "io_held": "their answer; io_hold if there are none",
}


def instantiation(params, ports, *, name):
    """An instance of the unit to paste: each port, with a comment."""
    return render("instance.vh.jinja", params=params, name=name, ports=ports,
                  column=2 * max(len(port.name) for port in ports) + 4,
                  about={port.name: _about(port, params) for port in ports},
                  heads={port.name: bus_about(port.bus, params) for port in ports})


def bus_about(bus, params):
    """What a bus is for; empty for a single wire."""
    if not bus:
        return ""
    side = bus.partition("_")[0]
    kind, number = side.rstrip("0123456789"), side.lstrip("csmrx")
    about = _BUSES[kind].format(
        number=f" {number}" if number else "s",
        shadow="" if params.shadow is Shadow.SEPARATE else ", and to the shadow")
    if kind == "csr":
        form = "AXI4-Lite" if params.registers is Registers.AXI4_LITE else "Wishbone classic"
    elif params.bus is Bus.AXI4:
        form = "AXI4"
    else:
        form = f"Wishbone {'pipelined' if params.pipelined else 'classic'}"
    return f"{bus}: {about}; {form}"


def _about(port, params):
    """A port's direction, width and what is not obvious of it."""
    bits = f"{'input' if port.is_input else 'output'} {port.width}"
    if not port.bus:
        return f"{bits}: {_WIRES[port.name]}"
    if port.member == "adr":
        size = 4 if port.bus.startswith("csr") else params.beat_bytes
        return f"{bits}: counts words of {size} bytes" if size > 1 else f"{bits}: counts bytes"
    return bits
