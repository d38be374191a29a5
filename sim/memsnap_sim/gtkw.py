"""GTKWave save files: a waveform that opens with its signals grouped, named and in words."""

from dataclasses import dataclass, replace
from math import log2
from pathlib import Path

from amaranth.hdl import Shape
from amaranth.lib.wiring import In
from memsnap.bus.axi4 import LiteSignature
from memsnap.bus.axi4_lite_csr import LITE_ADDR_WIDTH
from memsnap.bus.fabric import bus_members, upstream_names
from memsnap.bus.wishbone_csr import CSR_ADR_WIDTH
from memsnap.control import State
from memsnap.params import Bus, Registers, Shadow
from vcd.gtkw import GTKWColor, GTKWSave, make_translation_filter

from .report.record import Kind

__all__ = ["Group", "Trace", "cpu_group", "unit_groups", "write_save_file"]

#: Words for what is not an enumeration of the hardware, and colours of the states.
KIND_WORDS = {kind.value: kind.name for kind in Kind}
#: GTKWave's zoom at which its window, 1500 pixels wide, shows one unit of time.
FULL_ZOOM = 2.1
STATE_COLOURS = {"ARMING": "DarkGoldenrod", "INITIAL": "SteelBlue", "BACKGROUND": "DarkSlateGray",
                 "DONE": "DarkGreen", "STOPPING": "FireBrick"}


@dataclass(frozen=True)
class Trace:
    """One signal: its ``name`` in its scope, a ``label``, its ``width`` in bits, and how it is
    shown: in ``words`` (an enumeration, or words by value), or in the ``radix`` ``"hex"``,
    ``"dec"`` or ``"bin"``.
    """

    name: str
    label: str = ""
    width: int = 1
    words: object = None
    radix: str = "hex"


@dataclass(frozen=True)
class Group:
    """Signals that are shown together under a ``title``; all of them lie in ``scope``."""

    title: str
    scope: str
    traces: tuple[Trace, ...]
    colour: GTKWColor = GTKWColor.normal
    closed: bool = False


def unit_groups(scope, params, *, trace="trace_"):
    """The groups of a snapshot unit's own ports.

    ``scope`` is the unit's path in the dump, ``trace`` the prefix of the ports that it has for
    simulation.
    """
    snapshot = Group("snapshot", scope, (
        Trace("trigger"),
        Trace(trace + "state", "state", 3, State),
        Trace(trace + "active", "writes guarded"),
        Trace(trace + "held", "write held, by port", 4, radix="bin"),
        Trace(trace + "copied", "block copied"),
        Trace(trace + "block", "  block", 32, radix="dec"),
        Trace(trace + "kind", "  copied by", 2, KIND_WORDS),
        Trace("irq"),
    ), GTKWColor.orange)
    if params.io_hold:
        snapshot = replace(snapshot, traces=(*snapshot.traces, Trace("io_hold"), Trace("io_held")))
    buses = _axi4_groups if params.bus is Bus.AXI4 else _wishbone_groups
    registers = _REGISTER_BUS
    if params.registers is Registers.AXI4_LITE:
        registers = _axi4_traces("csr_axil_", LiteSignature(addr_width=LITE_ADDR_WIDTH))
    name = registers[0].name.rpartition("_")[0]
    return [snapshot, *buses(scope, params),
            Group(f"registers ({name})", scope, registers, GTKWColor.blue, closed=True)]


def _wishbone_groups(scope, params):
    shadow = [Group("shadow (x_wb)", scope, bus_traces("x_wb_", params), GTKWColor.yellow)]
    return [
        *(Group(f"initiator ({name})", scope, bus_traces(f"{name}_", params), GTKWColor.green)
          for name in upstream_names(params)),
        Group("memory (m_wb)", scope, bus_traces("m_wb_", params), GTKWColor.yellow),
        *(shadow if params.shadow is Shadow.SEPARATE else []),
    ]


def _axi4_groups(scope, params):
    titles = {"m": "memory", "x": "shadow", "c": "copier"}
    for name, member in bus_members(params).items():
        initiator = member.flow is In
        yield Group(f"{'initiator' if initiator else titles[name[0]]} ({name})", scope,
                    _axi4_traces(f"{name}_", member.signature),
                    GTKWColor.green if initiator else GTKWColor.yellow)


def _axi4_traces(prefix, signature):
    """The signals of a port, channel by channel; of each ``valid`` and ``ready`` first."""
    widths = {name: Shape.cast(member.shape).width for name, member in signature.members.items()}
    channel = {name: next(each for each in ("aw", "ar", "w", "b", "r") if name.startswith(each))
               for name in widths}
    order = sorted(widths, key=lambda name: (
        ("aw", "w", "b", "ar", "r").index(channel[name]),
        not name.endswith("valid"), not name.endswith("ready")))
    return tuple(Trace(prefix + name, name, widths[name],
                       radix="bin" if name.endswith("strb") else "hex") for name in order)


def cpu_group(scope):
    """PicoRV32's program counter and its memory interface."""
    return Group("CPU", scope, (
        Trace("reg_pc", "pc", 32), Trace("mem_valid"), Trace("mem_ready"), Trace("mem_instr"),
        Trace("mem_addr", width=32), Trace("mem_wstrb", width=4, radix="bin"),
        Trace("mem_wdata", width=32), Trace("mem_rdata", width=32), Trace("trap"),
    ), GTKWColor.violet)


def bus_traces(prefix, params):
    """The signals of a Wishbone port; its address counts beats."""
    return _bus_traces(prefix, params.pipelined, params.adr_width, params.data_width)


def _bus_traces(prefix, pipelined, adr_width, data_width):
    names = ["cyc", "stb", *(["stall"] if pipelined else []), "we", "adr", "sel", "dat_w", "ack",
             "err", "dat_r"]
    widths = {"adr": adr_width, "sel": data_width // 8, "dat_w": data_width, "dat_r": data_width}
    return tuple(Trace(prefix + name, name, widths.get(name, 1),
                       radix="bin" if name == "sel" else "hex") for name in names)


_REGISTER_BUS = _bus_traces("csr_wb_", False, CSR_ADR_WIDTH, 32)


def write_save_file(path, dump, groups, *, start=0, marker=-1, span=400):
    """Writes ``path`` (.gtkw) for the file ``dump``, and beside it the words of its states.

    Parameters
    ----------
    path, dump : str or Path
        The files lie in one directory; ``gtkwave path`` opens both.
    groups : list of Group
    start : int
        Time at the left edge of the window, in the dump's unit.
    marker : int
        Time of the primary marker, -1 for none.
    span : int
        Time that the window shows at first.

    Returns
    -------
    list of Path
        All the files that were written.
    """
    path, dump = Path(path).resolve(), Path(dump).resolve()
    written = [path]
    with open(path, "w") as file:
        save = GTKWSave(file)
        save.dumpfile(str(dump))
        save.savefile(str(path))
        save.timestart(max(0, start))
        save.size(1500, 900)
        save.sst_expanded(False)
        save.signals_width(300)
        save.zoom_markers(FULL_ZOOM - log2(max(1, span)), marker)
        for group in groups:
            with save.group(group.title, closed=group.closed):
                for trace in group.traces:
                    words = trace.words and _words_file(path, trace)
                    if words and words not in written:
                        written.append(words)
                    suffix = f"[{trace.width - 1}:0]" if trace.width > 1 else ""
                    save.trace(f"{group.scope}.{trace.name}{suffix}",
                               alias=trace.label or trace.name, color=group.colour,
                               datafmt=trace.radix,
                               translate_filter_file=str(words) if words else None)
    return written


def _words_file(path, trace):
    """Writes the words of a signal's values; named after its enumeration or the signal."""
    if isinstance(trace.words, dict):
        name, words = trace.name, trace.words
    else:
        name, words = trace.words.__name__, {word.value: word.name for word in trace.words}
    file = path.with_name(f"{path.stem}.{name.lower()}.words")
    lines = [(value, word, STATE_COLOURS[word]) if word in STATE_COLOURS and len(words) > 4
             else (value, word) for value, word in words.items()]
    file.write_text(make_translation_filter(lines, datafmt=trace.radix, size=trace.width) + "\n")
    return file
