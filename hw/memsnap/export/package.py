"""The unit as a package that drops into a project: its Verilog, and what one needs beside it.

Pure functions from a configuration to texts; who calls them writes the files.
"""

import hashlib
import re

from . import fusesoc, litex, registers, testbench, verilog
from .ports import instantiation, read_ports
from .render import render

__all__ = ["SUMS", "package"]

#: The file with the SHA-256 sums of the others, as ``sha256sum -c`` reads it.
SUMS = "SHA256SUMS"


def package(params, *, name="memsnap"):
    """The files of a package.

    Parameters
    ----------
    params : SnapshotParams
    name : str
        Of the unit's module.

    Returns
    -------
    dict
        From a file's name, with ``/`` between directories, to its text; sorted, and the same from
        run to run.
    """
    text = verilog.convert(params, name=name)
    ports = read_ports(text, name)
    files = {
        f"rtl/{name}.v": text,
        f"rtl/{name}_inst.vh": instantiation(params, ports, name=name),
        **testbench.files(params, ports, name=name),
        "sw/memsnap_regs.h": registers.header_text(),
        "doc/registers.md": registers.markdown_text(),
        "doc/registers.xml": registers.ipxact_text(),
        f"{name}.core": fusesoc.core_file(params, name=name),
    }
    if wrapper := litex.litex_module(params, ports, name=name):
        files[f"litex/{name}_litex.py"] = wrapper
    files["README.md"] = render(
        "readme.md.jinja", params=params, name=name, vlnv=fusesoc.vlnv(name),
        files=[(path, about) for path, about in _abouts(name) if path in files],
        configuration=re.findall(r"^//     (\w+ = .*)$", text, re.M),     # of the Verilog's head
        clocks=2 * params.memory_size // params.beat_bytes)
    files = dict(sorted(files.items()))
    files[SUMS] = "".join(f"{digest(text)}  {path}\n" for path, text in files.items())
    return files


def _abouts(name):
    """What each file is, in the order in which a reader wants to know."""
    return [
        (f"rtl/{name}.v", "the unit, without vendor primitives; not for editing"),
        (f"rtl/{name}_inst.vh", "an instance to paste, each port with a comment"),
        (f"tb/{name}_tb.v", "a testbench to start from: checks itself, prints `PASS` or `FAIL`"),
        (f"tb/{name}_tb_initiator.v", "its initiator: random reads and writes, checked"),
        (f"tb/{name}_tb_memory.v", "its memory port: answers after some clocks"),
        ("sw/memsnap_regs.h", "the registers for C"),
        ("doc/registers.md", "the registers for people"),
        ("doc/registers.xml", "the registers for tools (IP-XACT 1685-2014)"),
        (f"{name}.core", "a core file for FuseSoC"),
        (f"litex/{name}_litex.py", "adds the unit to a LiteX SoC, between a bus and its memory"),
    ]


def digest(text):
    """The SHA-256 sum of a file with this text."""
    return hashlib.sha256(text.encode()).hexdigest()
