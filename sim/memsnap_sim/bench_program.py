"""The figure P5: what a program pays while all of its memory is copied in idle slots; and its P3.

Counted in the compiled system, so as exactly as the others. The slow-down is that of the time of
the snapshot, not of the whole run, of which a snapshot is only a small part.
"""

from pathlib import Path

from . import bench_limits as limits
from .bench_row import case_name, row
from .machine import Machine
from .settings import Settings

__all__ = ["RUNS", "program_cost"]

#: The programs, each with the place at which its snapshot begins.
_PROGRAMS = {"dhrystone": "Proc_1:40", "chase": "checkpoint:20", "stream": "checkpoint:4"}

#: Program and bus of each run.
RUNS = [(program, bus) for bus in ("wishbone", "axi4") for program in _PROGRAMS]


def program_cost(program, bus, out=Path("build/bench")):
    """P5 of one program, its slow-down and its pause, and P3, the longest stall of a write of it.

    The pause is the longest time that the program stands still at once. Copying everything while
    it stands still costs it the copy of the whole memory, so that a copy of only the initial
    portion is shorter by the ratio of the two; here nothing is asked for, and what is left is the
    longest held write.
    """
    settings = Settings.build(
        {"run": {"program": program, "at": _PROGRAMS[program]},
         "unit": {"share": 0, "bus": bus}}, {"out": str(out / f"{program}-{bus}")})
    machine = Machine(settings)
    machine.load()
    machine.build()
    record = machine.snapshot(_silent)
    without = machine.plain(_silent)
    _, pause = machine.software(_silent)
    if not (record.done and without):
        raise RuntimeError(f"{program} did not end, or its snapshot did not")
    added = (record.clocks - without) / record.clocks_to_done
    params, latency = settings.params, settings.latency
    initial = max(1, record.blocks_initial) * params.block_size
    name = program if bus == "wishbone" else f"AXI4, {program}"
    return [
        row("P5", f"{name}, slow-down while all is copied", added, 0, 0.05),
        row("P5", f"{name}, shorter pause than stop and copy, times",
            pause / max(1, record.stall_longest), params.memory_size / initial,
            params.memory_size / initial, least=True),
        row("P3", case_name(params, latency, "a program", program, "clocks"), record.stall_longest,
            limits.stall(params, latency), limits.stall_goal(params, latency)),
    ]


def _silent(_done, _limit=None):
    pass
