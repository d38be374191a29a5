"""Builds the simulation of a configuration, once."""

import functools
from dataclasses import dataclass
from pathlib import Path

from memsnap import SnapshotParams
from memsnap.bus.wishbone_csr import CSR_ADR_WIDTH
from memsnap.export.verilog import convert
from memsnap.params import Bus, CopierPort, Registers, Shadow

from ..simulable import refusals, sdram_type
from ..verilated import BuildError, build_once, compile_library, version
from .litedram import DramConfig, GenerationError, generate

__all__ = ["SimBinary", "build"]

_HERE = Path(__file__).parent
_VERILOG = tuple(_HERE / "rtl" / name for name in (
    "soc.v", "dma.v", "wb_axi4.v", "wb_native.v", "public.vlt"))
_DRAM = _HERE / "rtl/dram.vlt"
_CPP = _HERE / "cpp/soc.cpp"
_SOURCES = (*_VERILOG, _DRAM, _CPP, _HERE / "cpp/axi4.h", _HERE / "cpp/dram.h")
_DUMPS = {"fst": ("SOC_FST", "--trace-fst", "verilated_fst_c.cpp", ["-lz", "-llz4"]),
          "vcd": ("SOC_VCD", "--trace", "verilated_vcd_c.cpp", [])}


@dataclass(frozen=True)
class SimBinary:
    """A built simulation.

    Attributes
    ----------
    library : Path
        The shared library, see ``cpp/soc.cpp`` for its functions.
    params : SnapshotParams
    wave : str or None
        ``"fst"`` or ``"vcd"`` if it can write waveforms.
    memory : str
        One of :data:`memsnap_sim.surroundings.MEMORIES`.
    """

    library: Path
    params: SnapshotParams
    wave: str | None = None
    memory: str = "ideal"


def build(params, *, wave=None, memory="ideal", cache="build/sim"):
    """The simulation of a system with this unit; takes some 20 s the first time, then none.

    Parameters
    ----------
    params : SnapshotParams
        32 or 64 bits wide, without optional signals, in the lowest 256 MiB.
    wave : str or None
        ``"fst"`` or ``"vcd"`` to be able to write waveforms, which makes it slower.
    memory : str
        ``"ideal"`` answers after a fixed number of clocks, ``"litedram"`` is LiteDRAM's controller
        and a simulated SDRAM.
    cache : path
        Where builds are kept.

    Raises
    ------
    ValueError
        The system cannot have such a unit.
    BuildError
        A tool is missing or failed.
    """
    for problem in refusals(params, memory):
        raise ValueError(problem)
    if wave not in (None, *_DUMPS):
        raise ValueError(f"wave must be fst or vcd, not {wave!r}")
    unit = _unit(params)
    dram = _dram(params) if memory == "litedram" else None
    place = build_once(
        cache, (unit, dram.verilog if dram else "", repr(wave), str(params),
                version("pythondata-cpu-picorv32"), *(path.read_text() for path in _SOURCES)),
        functools.partial(_make, unit=unit, dram=dram, params=params, wave=wave))
    return SimBinary(place / "libsoc.so", params, wave, memory)


@functools.cache
def _unit(params):
    return convert(params, trace=True, name="memsnap")


def _dram(params):
    """LiteDRAM's controller, with an SDRAM in which memory and shadow have room."""
    port = "axi" if params.bus is Bus.AXI4 else "native" if params.pipelined else "wishbone"
    try:
        return generate(DramConfig(module=sdram_type(params), lanes=params.beat_bytes, port=port,
                                   id_width=params.memory_id_width))
    except GenerationError as error:
        raise BuildError(str(error)) from None


def _shape(params):
    """What the system has, as macros for its Verilog and its C++."""
    devices = params.ports - 1 or int(params.io_hold)
    yield from (f"SOC_PORTS={params.ports}", f"SOC_DEVICES={devices}")
    yield ("SOC_ONE_PORT", "SOC_TWO_PORTS", "SOC_THREE_PORTS", "SOC_FOUR_PORTS")[params.ports - 1]
    if params.ports == 4:
        yield "SOC_THREE_PORTS"
    axi4 = params.bus is Bus.AXI4
    for name, given in (("PIPELINED", params.pipelined and not axi4), ("IO_HOLD", params.io_hold),
                        ("SEPARATE", params.shadow is Shadow.SEPARATE), ("AXI4_BUS", axi4),
                        ("COPIER_PORT", params.copier_port is CopierPort.OWN),
                        ("CSR_AXIL", params.registers is Registers.AXI4_LITE)):
        if given:
            yield f"SOC_{name}"


def _dram_shape(work, dram):
    """The same of LiteDRAM; what it needs to start is written into a header."""
    init = ", ".join(f"{{{address}, {value}, {wait}}}" for address, value, wait in dram.init)
    (work / "dram_init.h").write_text(
        f"struct DramInit {{ uint32_t address, value, wait; }};\n"
        f"constexpr DramInit kDramInit[] = {{{init}}};\n"
        f"constexpr uint64_t kDramColumns = {dram.columns}, kDramBanks = {dram.banks};\n")
    beats = dram.bytes // dram.config.lanes
    width = (dram.bytes if dram.config.port == "axi" else beats).bit_length() - 1
    yield from ("SOC_LITEDRAM", f"SOC_DRAM_ADR_WIDTH={width}")


def _make(work, *, unit, dram, params, wave):
    """Makes the library in the directory ``work``."""
    import pythondata_cpu_picorv32
    cpu = Path(pythondata_cpu_picorv32.data_location) / "picorv32.v"
    (work / "memsnap.v").write_text(unit)
    defines = [f"SOC_DATA_WIDTH={params.data_width}", f"SOC_ADR_WIDTH={params.adr_width}",
               f"SOC_ADDR_WIDTH={params.addr_width}", f"SOC_ID_WIDTH={params.id_width}",
               f"SOC_MEMORY_ID_WIDTH={params.memory_id_width}",
               f"SOC_CSR_ADR_WIDTH={CSR_ADR_WIDTH}", f"SOC_BYTES={params.beat_bytes}"]
    defines += _shape(params)
    sources = [*_VERILOG, work / "memsnap.v", cpu]
    if dram:
        (work / "dram.v").write_text(dram.verilog)
        defines += _dram_shape(work, dram)
        sources += [work / "dram.v", _DRAM]
    define, flag, runtime, libraries = _DUMPS.get(wave, (None, None, None, []))
    if wave:
        defines += ["SOC_DUMP", define]
    compile_library(work, "soc", sources, _CPP, options=[flag] if wave else [], defines=defines,
                    runtime=[runtime] if wave else [], libraries=libraries)
