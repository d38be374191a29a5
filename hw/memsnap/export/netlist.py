"""Rewrites cells of a Yosys netlist, so that its Verilog is plain for every tool.

Yosys writes some cells in ways that tools complain of or misread: ``$pmux`` as a function whose
name starts with a dollar (a system function to Icarus), operands of unequal widths as they are
(legal, but a warning each in Verilator). Here, in the text form of the netlist (RTLIL), a ``$pmux``
becomes a chain of ``$mux``, operands get the width of their operation, and ``!x`` of many bits
becomes ``x == 0``.
"""

import re

__all__ = ["plain", "renamed_modules", "with_ports"]

_CELL = re.compile(r"^  cell (\$\w+) (\S+)\n((?:    .*\n)*)  end\n", re.M)
_PARAMETER = re.compile(r"^    parameter (?:signed )?\\(\w+) (.*)\n", re.M)
_CONNECTION = re.compile(r"^    connect \\(\w+) (.*)\n", re.M)
_PORT = re.compile(r"^  wire( width \d+)? (input|output|inout) \d+ (\S+)\n", re.M)

#: Both operands as wide as the wider of them.
_COMPARE = {"$eq", "$ne", "$lt", "$le", "$gt", "$ge"}
#: Both operands as wide as the result.
_ARITHMETIC = {"$add", "$sub", "$and", "$or", "$xor", "$mul"}
#: The first operand as wide as the result, or the result as wide as the first operand.
_SHIFT = {"$shl", "$shr", "$shift"}


def plain(rtlil):
    """The netlist with cells that every tool reads alike; its function is the same."""
    return _CELL.sub(_rewrite, rtlil)


def renamed_modules(rtlil):
    """The netlist with modules ``a.b.c`` named ``a_b_c``, which need no escapes in Verilog."""
    names = re.findall(r"^module \\(\S+)", rtlil, re.M)
    short = {name: re.sub(r"\W", "_", name) for name in names}
    if len(set(short.values())) != len(short):
        return rtlil
    return re.sub(r"^(module|  cell) \\(\S+)",
                  lambda found: f"{found[1]} \\{short.get(found[2], found[2])}", rtlil, flags=re.M)


def with_ports(rtlil, top, ports, optional=()):
    """The netlist with the ports of module ``top`` in the order of ``ports``.

    Parameters
    ----------
    ports : dict
        From a port's name to its direction, ``"input"`` or ``"output"``.
    optional : iterable of str
        Those that may be missing.

    Raises
    ------
    ValueError
        The module's ports are not these.
    """
    start = rtlil.index(f"module \\{top}\n")
    end = rtlil.index("\nend\n", start) + 1
    order = {name: number for number, name in enumerate(ports, 1)}

    def number(found):
        width, direction, name = found[1] or "", found[2], found[3].removeprefix("\\")
        if name not in ports:
            raise ValueError(f"port {name!r} of {top!r} must be one of {', '.join(ports)}; is a "
                             f"clock domain other than 'sync' in use?")
        if direction != ports[name]:
            raise ValueError(f"port {name!r} of {top!r} must be an {ports[name]}, not an "
                             f"{direction}; does the component drive it?")
        return f"  wire{width} {direction} {order.pop(name)} {found[3]}\n"

    body = _PORT.sub(number, rtlil[start:end])
    if missing := [name for name in order if name not in optional]:
        raise ValueError(f"ports {', '.join(missing)} of {top!r} must be in the netlist; "
                         f"does the component use them?")
    return rtlil[:start] + body + rtlil[end:]


def _rewrite(found):
    kind, name, body = found.groups()
    parameters = dict(_PARAMETER.findall(body))
    ends = dict(_CONNECTION.findall(body))
    if kind == "$pmux":
        return _mux_chain(name, ends, int(parameters["WIDTH"]), int(parameters["S_WIDTH"]))
    if kind == "$logic_not" and int(parameters["A_WIDTH"]) > 1:
        width = int(parameters["A_WIDTH"])
        parameters["B_SIGNED"], parameters["B_WIDTH"] = parameters["A_SIGNED"], width
        ends["B"] = _zeros(width)
        return _cell("$eq", name, parameters, ends)
    if kind in _COMPARE | _ARITHMETIC or kind in _SHIFT and _unsigned(parameters):
        return _widened(kind, name, parameters, ends)
    return found[0]


def _mux_chain(name, ends, width, choices):
    """The multiplexers of a ``$pmux``: the first set bit of S chooses its part of B, or none A."""
    text, before = "", ends["A"]
    for choice in reversed(range(choices)):
        after = ends["Y"] if choice == 0 else f"{name}_{choice}"
        if choice:
            text += f"  wire width {width} {after}\n"
        text += _cell("$mux", f"{name}_mux{choice}", {"WIDTH": width}, {
            "A": before, "S": f"{ends['S']} [{choice}]", "Y": after,
            "B": f"{ends['B']} [{(choice + 1) * width - 1}:{choice * width}]"})
        before = after
    return text


def _widened(kind, name, parameters, ends):
    widths = {end: int(parameters[f"{end}_WIDTH"]) for end in "ABY"}
    signed = not _unsigned(parameters)
    text = ""
    if kind in _COMPARE:
        wanted = dict.fromkeys("AB", max(widths["A"], widths["B"]))
    elif kind in _ARITHMETIC:
        wanted = dict.fromkeys("AB", widths["Y"])
    else:
        wanted = {"A": max(widths["A"], widths["Y"])}
        signed = bool(int(parameters["A_SIGNED"]))      # whatever the shift's amount is
        if widths["Y"] < wanted["A"]:
            full = f"{name}_full"
            text += f"  wire width {wanted['A']} {full}\n"
            text += f"  connect {ends['Y']} {full} [{widths['Y'] - 1}:0]\n"
            ends["Y"], parameters["Y_WIDTH"] = full, wanted["A"]
    for end, width in wanted.items():
        if width > widths[end]:
            ends[end] = _extended(ends[end], widths[end], width, signed=signed)
        elif width < widths[end]:
            ends[end] = f"{ends[end]} [{width - 1}:0]"
        parameters[f"{end}_WIDTH"] = width
    return text + _cell(kind, name, parameters, ends)


def _unsigned(parameters):
    """Whether the cell takes its operands as unsigned; it takes both alike."""
    return not (int(parameters["A_SIGNED"]) and int(parameters["B_SIGNED"]))


def _extended(end, width, wanted, *, signed):
    fill = f"{end} [{width - 1}] " * (wanted - width) if signed else _zeros(wanted - width)
    return f"{{ {fill} {end} }}"


def _zeros(width):
    return f"{width}'{'0' * width}"


def _cell(kind, name, parameters, ends):
    lines = [f"  cell {kind} {name}"]
    lines += [f"    parameter \\{key} {value}" for key, value in parameters.items()]
    lines += [f"    connect \\{key} {value}" for key, value in ends.items()]
    return "\n".join([*lines, "  end", ""])
