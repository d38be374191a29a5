"""A self-checking testbench in Verilog for any configuration of the unit."""

from amaranth.utils import ceil_log2

from ..params import Bus, Map, Shadow
from ..regs.fields import REGISTERS
from .render import render

__all__ = ["files"]

#: Members of a bus that the testbench's modules have; inputs of the others are tied to 0.
_WISHBONE = ("cyc", "stb", "we", "adr", "dat_w", "sel", "dat_r", "ack", "err", "stall")
_AXI4 = ("awid", "awaddr", "awlen", "awsize", "awburst", "awvalid", "awready",
         "wdata", "wstrb", "wlast", "wvalid", "wready", "bid", "bresp", "bvalid", "bready",
         "arid", "araddr", "arlen", "arsize", "arburst", "arvalid", "arready",
         "rid", "rdata", "rresp", "rlast", "rvalid", "rready")
#: Inputs that the testbench's own statements drive.
_DRIVEN = ("clk", "rst", "trigger")


def files(params, ports, *, name):
    """The files of the testbench.

    Parameters
    ----------
    params : SnapshotParams
    ports : list of memsnap.export.ports.Port
        Of the unit's module.
    name : str
        Of the unit's module.

    Returns
    -------
    dict
        From a file's name to its text: the top, an initiator and a memory for the bus.
    """
    kind = "axi4" if params.bus is Bus.AXI4 else "wishbone"
    values = _values(params, ports)
    return {f"tb/{name}_{part}.v": render(f"{template}.v.jinja", params=params, name=name, **values)
            for part, template in (("tb", "testbench"), ("tb_initiator", f"initiator_{kind}"),
                                   ("tb_memory", f"memory_{kind}"))}


def _values(params, ports):
    """What the templates need to know."""
    beats = params.memory_size // params.beat_bytes
    known = _AXI4 if params.bus is Bus.AXI4 else _WISHBONE
    sides = {port.bus.partition("_")[0]: port.bus for port in ports if port.bus}
    csr = sides.pop("csr")
    members = {side: {port.member: port.name for port in ports
                      if port.bus == bus and port.member in known}
               for side, bus in sides.items()}
    upstream = [side for side in members if side.startswith("s")]
    joined = {name for each in members.values() for name in each.values()}
    driven = {*_DRIVEN, *(port.name for port in ports if port.bus == csr and port.is_input)}
    return {
        "ports": ports,
        "upstream": upstream,
        "downstream": [side for side in members if side not in upstream],
        "members": members,
        "csr": csr,
        "csr_width": next(port.width for port in ports
                          if port.name in ("csr_wb_adr", "csr_axil_awaddr")),
        "driven": driven,
        "tied": [port for port in ports if port.is_input
                 and port.name not in {*joined, *driven, "io_held"}],
        "addr_width": params.addr_width if params.bus is Bus.AXI4 else params.adr_width,
        "id_width": {port.bus.partition("_")[0]: port.width for port in ports
                     if port.member == "awid"},
        "separate": params.shadow is Shadow.SEPARATE,
        "beats": beats,
        "index": f"[{max(1, ceil_log2(beats)) - 1}:0]",
        "spared_first": (0 if params.map is Map.CHIP
                         else (params.map_base - params.memory_base) // params.beat_bytes),
        "spared_beats": params.map_blocks * params.block_beats,
        "region_limit": params.memory_base + max(1, params.blocks // 8) * params.block_size - 1,
        "limit": 200_000 + 64 * beats,
        "registers": REGISTERS,
        "mask": lambda register, field: REGISTERS[register].field(field).mask,
    }
