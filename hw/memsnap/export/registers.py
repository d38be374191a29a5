"""From ``registers.rdl`` to everything that is made from it, each as text.

``python -m memsnap.export.registers --write`` regenerates the committed files, ``--check`` says
which of them are stale.
"""

import re
import sys
import tempfile
from pathlib import Path

import click
from peakrdl_cheader.c_standards import CStandard
from peakrdl_cheader.exporter import CHeaderExporter
from peakrdl_html import HTMLExporter
from peakrdl_ipxact import IPXACTExporter
from systemrdl import RDLCompiler
from systemrdl.node import RegfileNode, RegNode

from ..regs.constants import VERSION
from ..regs.table import Field, Kind, Register
from .markdown import MarkdownExporter

__all__ = ["elaborate", "fields_text", "header_text", "ipxact_text", "markdown_text", "write_html"]

SOURCE = Path(__file__).parents[1] / "registers.rdl"
ROOT = Path(__file__).parents[3]
COMMAND = "python -m memsnap.export.registers --write"


def elaborate():
    """The address map as systemrdl-compiler's tree."""
    compiler = RDLCompiler()
    compiler.compile_file(str(SOURCE))
    return compiler.elaborate().top


def _exported(name, export):
    """The text that an exporter writes into the file ``name``."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / name
        export(str(path))
        return path.read_text(encoding="utf-8")


# The table ---------------------------------------------------------------------------------------

def table():
    """The registers of the description, as :class:`Register` objects in order of their offsets."""
    registers = []
    for node in elaborate().children():
        if isinstance(node, RegfileNode):
            stride = node.array_stride
            count, = node.array_dimensions
            registers += [_register(child, f"{node.inst_name}.", node.raw_address_offset,
                                    count, stride) for child in node.children()]
        else:
            registers.append(_register(node))
    return registers


def _register(node, prefix="", offset=0, count=1, stride=0):
    return Register(prefix + node.inst_name, offset + node.address_offset,
                    tuple(_field(field) for field in node.fields()),
                    count=count, stride=stride, locked=node.get_property("locked", default=False))


def _field(node):
    encoding = node.get_property("encode")
    return Field(node.inst_name, node.lsb, node.width, _kind(node), node.get_property("member"),
                 node.get_property("member_lsb", default=0), node.get_property("reset", default=0),
                 encoding.type_name if encoding else None)


def _kind(node):
    """A field's behaviour from its standard properties."""
    if node.get_property("singlepulse"):
        return Kind.COMMAND
    if node.get_property("onwrite"):
        return Kind.EVENT
    if node.is_sw_writable:
        return Kind.CONFIG
    if not node.is_hw_writable:
        return Kind.CONSTANT
    if node.parent.external:
        return Kind.WINDOW
    return Kind.LATCHED if node.parent.get_property("latched") else Kind.STATUS


def enumerations():
    """The enumerations that fields use, by name."""
    found = {}
    for node in elaborate().descendants(in_post_order=False):
        if isinstance(node, RegNode):
            for field in node.fields():
                if encoding := field.get_property("encode"):
                    found[encoding.type_name] = list(encoding)
    return found


def fields_text():
    """The table as a Python module, from which the hardware and the driver are built."""
    lines = [
        '"""The registers, their fields and enumerations."""',
        "",
        f"# Generated from registers.rdl by: {COMMAND}",
        "",
        "import enum",
        "",
        "from .table import Field, Kind, Register",
        "",
    ]
    for name, members in enumerations().items():
        lines += ["", f"class {name}(enum.IntEnum):"]
        lines += [f"    {f'{member.name} = {member.value}':16}  #: {member.rdl_desc}"
                  for member in members]
        lines.append("")
    lines += ["", "REGISTERS = {register.name: register for register in ("]
    for register in table():
        options = "".join(f", {name}={value:{form}}" for name, value, form, plain in (
            ("count", register.count, "d", 1), ("stride", register.stride, "#x", 0),
            ("locked", register.locked, "", False)) if value != plain)
        lines.append(f'    Register("{register.name}", {register.offset:#05x}, (')
        lines += [f"        {_field_text(field)}," for field in register.fields]
        lines.append(f"    ){options}),")
    return "\n".join([*lines, ")}", ""])


def _field_text(field):
    options = "".join(f", {name}={value}" for name, value, plain in (
        ("member_lsb", field.member_lsb, 0), ("reset", hex(field.reset), "0x0"),
        ("enum", f'"{field.enum}"', '"None"')) if value != plain)
    return (f'Field("{field.name}", {field.lsb}, {field.width}, Kind.{field.kind.name}, '
            f'"{field.member}"{options})')


# Exports -----------------------------------------------------------------------------------------

def header_text():
    """The C header: masks, shifts, offsets and enumerations, and a structure of the registers.

    Two things differ from what the exporter writes: the structures are not packed, because a
    compiler may access a packed member byte by byte, and no hosted header is included.
    """
    text = _exported("memsnap_regs.h", lambda path: CHeaderExporter().export(
        elaborate(), path, std=CStandard.gnu99, generate_bitfields=False,
        bitfield_order_ltoh=True, reuse_typedefs=True, wide_reg_subword_size=32,
        explode_top=False, instantiate=False, inst_offset=0, testcase=False))
    text = text.replace("struct __attribute__ ((__packed__))", "struct")
    lines = ["// Generated from registers.rdl by: " + COMMAND, "", "// Offsets in bytes"]
    for register in table():
        name = "MEMSNAP_" + register.name.replace(".", "_")
        if register.count == 1:
            lines.append(f"#define {name} {register.offset:#05x}u")
        else:
            lines.append(f"#define {name}(i) "
                         f"({register.offset:#05x}u + {register.stride:#x}u * (i))")
    for name, members in enumerations().items():
        name = re.sub("(?<=.)(?=[A-Z])", "_", name)
        lines += ["", f"enum memsnap_{name.lower()} {{"]
        lines += [f"    MEMSNAP_{name.upper()}_{member.name} = {member.value}, "
                  f"// {member.rdl_desc}" for member in members]
        lines.append("};")
    size = elaborate().size
    lines += ["", f'typedef char memsnap_size_check[sizeof(memsnap_t) == {size:#x} ? 1 : -1];', ""]
    before, mark, after = text.rpartition("\n#ifdef __cplusplus\n}")
    return before + "\n".join(lines) + mark + after


def markdown_text():
    """The reference for people who read text."""
    return _exported("registers.md", lambda path: MarkdownExporter(COMMAND).export(
        elaborate(), path, rename="registers.rdl"))


def ipxact_text():
    """The registers as an IEEE 1685-2014 component."""
    exporter = IPXACTExporter(vendor="memsnap", library="memsnap",
                              version=".".join(map(str, VERSION)))
    return _exported("memsnap.xml", lambda path: exporter.export(
        elaborate(), path, component_name="memsnap"))


def write_html(directory):
    """Writes the reference for people who browse, as a directory whose first page is index.html."""
    HTMLExporter().export(elaborate(), str(directory), title="memsnap registers")


# Committed files ---------------------------------------------------------------------------------

#: What is committed, and the function that makes it.
COMMITTED = {
    "hw/memsnap/regs/fields.py": fields_text,
    "sw/include/memsnap_regs.h": header_text,
    "docs/registers.md": markdown_text,
    "docs/memsnap.xml": ipxact_text,
}


def stale(root=ROOT):
    """The committed files that are not what the description makes now."""
    return [name for name, make in COMMITTED.items()
            if not (root / name).is_file() or (root / name).read_text(encoding="utf-8") != make()]


@click.command()
@click.option("--write/--check", "write", required=True,
              help="Regenerate the committed files, or say which of them are stale.")
def main(write):
    """Makes the committed register files from registers.rdl."""
    if not (ROOT / "pyproject.toml").is_file():
        raise click.ClickException(f"{ROOT} is no checkout of the project; run this from one")
    names = stale()
    for name in names:
        if write:
            (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / name).write_text(COMMITTED[name](), encoding="utf-8")
        click.echo(f"{'wrote' if write else 'stale:'} {name}")
    if names and not write:
        click.echo(f"run: {COMMAND}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
