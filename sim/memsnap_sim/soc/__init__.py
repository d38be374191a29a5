"""A compiled simulation of a system: PicoRV32, the unit, memory, console and register access."""

from .build import SimBinary, build
from .run import RunOptions, RunResult, What, run

__all__ = ["RunOptions", "RunResult", "SimBinary", "What", "build", "run"]
