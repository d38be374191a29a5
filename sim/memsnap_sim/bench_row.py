"""One line of the bench, and how lines are kept in a file."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from memsnap.params import Bus, CopierPort, Map, Shadow

__all__ = ["Row", "case_name", "read_json", "row", "write_json"]


@dataclass
class Row:
    """One line of the bench: what was counted, the limit, the goal, and whether it is met.

    With ``least`` more is better, and limit and goal are the most and the least of the value.
    ``why`` says what in the unit costs it a goal that it misses.
    """

    figure: str
    case: str
    value: float
    limit: float
    goal: float
    met: bool
    least: bool = False
    why: str = ""


def row(figure, case, value, limit, goal, *, least=False, why=""):
    """A :class:`Row`, with what was counted rounded and compared with its goal."""
    met = value >= goal if least else value <= goal
    return Row(figure, case, round(value, 4), round(limit, 4), round(goal, 4), met, least,
               "" if met else why)


def case_name(params, latency, *more):
    """What a row's unit and memory are, for its case, with what more there is to say."""
    parts = [f"L={latency}", f"{params.data_width} bit", f"{params.block_size} B blocks"]
    parts += ["separate shadow"] * (params.shadow is Shadow.SEPARATE)
    parts += ["copier's own port"] * (params.copier_port is CopierPort.OWN)
    parts += ["map in memory"] * (params.map is Map.MEMORY)
    parts += ["map latency 2"] * (params.map_latency > 1)
    parts += [f"{params.ports} ports"] * (params.ports > 1)
    axi4 = ["AXI4"] * (params.bus is Bus.AXI4)
    return ", ".join([*axi4, *parts, *more])


def write_json(rows, path):
    """Writes the rows to ``path``, a row a line."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(asdict(each)) for each in rows)
    path.write_text(f"[\n{lines}\n]\n")


def read_json(path):
    """The rows that :func:`write_json` wrote."""
    return [Row(**each) for each in json.loads(Path(path).read_text())]
