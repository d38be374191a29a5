"""Memory controllers from LiteDRAM's generator, as Verilog.

The generator comes from PyPI and runs in a process of its own. What it wrote is kept under a hash
of all that went into it.
"""

import hashlib
import importlib.metadata
import json
import math
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

__all__ = ["INSTALL", "DramConfig", "DramCore", "GenerationError", "generate"]

_WORKER = Path(__file__).with_name("litedram_generate.py")
#: What the generator imports; its own dependencies do not name all of it.
_PACKAGES = ("litedram", "litex", "liteeth", "litescope", "migen", "pyyaml")
#: The command that installs it.
INSTALL = "pip install 'memsnap[litedram]'"


class GenerationError(Exception):
    """The controller could not be made; the text says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class DramConfig:
    """A controller with SDR SDRAM, and one port.

    Parameters
    ----------
    phy : str
        ``"sim"``: the SDRAM is simulated, and inside. ``"gensdr"``: pins for one, through IO
        cells of Lattice's parts.
    module : str
        The SDRAM's type, as :mod:`litedram.modules` names it.
    lanes : int
        Bytes of its data bus, of all chips together: 1, 2, 4 or 8.
    clock : float
        Hz; refresh and timing are counted from it.
    port : str
        ``"wishbone"`` (classic, word addresses), ``"axi"`` or ``"native"``.
    data_width : int or None
        Bits of the port, a power of two; by default it is as wide as the data bus.
    id_width : int
        Bits of the ids of AXI.
    device : str
        Part for ``"gensdr"``, such as ``"LFE5U-25F-6BG381C"``.
    name : str
        Of the Verilog module.

    Raises
    ------
    ValueError
        A value is out of range.
    """

    phy: str = "sim"
    module: str = "MT48LC16M16"
    lanes: int = 4
    clock: float = 100e6
    port: str = "wishbone"
    data_width: int | None = None
    id_width: int = 4
    device: str = "LFE5U-25F-6BG381C"
    name: str = "litedram_core"

    def __post_init__(self):
        if self.phy not in ("sim", "gensdr"):
            raise ValueError(f"phy must be sim or gensdr, not {self.phy!r}")
        if self.port not in ("wishbone", "axi", "native"):
            raise ValueError(f"port must be wishbone, axi or native, not {self.port!r}")
        if self.lanes not in (1, 2, 4, 8):
            raise ValueError(f"lanes must be 1, 2, 4 or 8, not {self.lanes!r}")
        if self.data_width not in (None, 8, 16, 32, 64, 128):
            raise ValueError(f"data_width must be 8, 16, 32, 64 or 128, not {self.data_width!r}")


@dataclass(frozen=True, kw_only=True)
class DramCore:
    """A generated controller.

    Its ports are ``clk``, ``rst`` (not of a simulated one, which resets itself at the first
    clocks), ``user_port_memory_…``, ``wb_ctrl_…`` (Wishbone for its registers), ``init_done``,
    and ``sdram_…`` or, where that is simulated, the outputs ``dfi_activate``, ``dfi_precharge``,
    ``dfi_refresh``, ``dfi_read`` and ``dfi_write``, each high for a clock with that command.

    The simulated SDRAM is in the memories ``sdram_bank0`` and so on, of ``rows * columns`` beats:
    beat ``n`` of all is that of column ``n % columns`` in bank ``n // columns % banks`` in row
    ``n // columns // banks``.

    Attributes
    ----------
    config : DramConfig
    verilog : str
        The same from run to run.
    init : tuple of (address, value, wait)
        What is to be written to the registers at ``wb_ctrl``, byte addresses, and the clocks to
        wait after each, before the port answers.
    banks, rows, columns : int
    """

    config: DramConfig
    verilog: str = field(repr=False)
    init: tuple = field(repr=False)
    banks: int
    rows: int
    columns: int

    @property
    def bytes(self):
        """Bytes of the SDRAM."""
        return math.prod((self.banks, self.rows, self.columns, self.config.lanes))


def generate(config, *, cache="build/litedram"):
    """The controller of a :class:`DramConfig`; takes a few seconds the first time, then none.

    Parameters
    ----------
    config : DramConfig
    cache : path
        Where it is kept.

    Raises
    ------
    GenerationError
        A package is missing, or the generator failed.
    """
    key = hashlib.sha256()
    for part in (json.dumps(asdict(config)), _WORKER.read_text(), *map(_version, _PACKAGES)):
        key.update(part.encode() + b"\0")
    place = Path(cache).resolve() / f"{key.hexdigest()[:20]}.json"
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=place.parent, prefix="new-")
        os.close(handle)
        try:
            _run(config, name)
            os.replace(name, place)     # what is there is whole
        finally:
            Path(name).unlink(missing_ok=True)
    made = json.loads(place.read_text(encoding="utf-8"))
    made["init"] = tuple(map(tuple, made["init"]))
    return DramCore(config=config, **made)


def _run(config, output):
    # -P: the directory of this file is no place to import from, one of its modules is `litedram`
    done = subprocess.run([sys.executable, "-P", str(_WORKER), output],
                          input=json.dumps(asdict(config)), capture_output=True, text=True,
                          env={**os.environ, "PYTHONHASHSEED": "0"})    # it goes through sets
    if done.returncode:
        last = "\n".join(done.stderr.strip().splitlines()[-6:])
        raise GenerationError(f"LiteDRAM's generator failed ({done.returncode}):\n{last}")


def _version(package):
    try:
        return f"{package} {importlib.metadata.version(package)}"
    except importlib.metadata.PackageNotFoundError:
        raise GenerationError(f"LiteDRAM's generator needs the Python package {package}: "
                              f"{INSTALL}") from None
