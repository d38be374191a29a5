"""Small changes of the model's source, each of which the comparison with the RTL must notice."""

import importlib
import shutil
import sys
from pathlib import Path

import memsnap_sim.model

__all__ = ["AXI4_MUTANTS", "MUTANTS", "changed_model"]

#: File, what stands there once, and what is put in its place.
MUTANTS = [
    ("arbiter.py", "b.denied + 1 >= p.share", "b.denied >= p.share"),
    ("arbiter.py", "u.reader.valid or u.buffer.free == 0 or not p.pipelined", "True"),
    ("buffer.py", "b.offered = b.unwritten > w.take", "b.offered = b.unwritten > 0"),
    ("gate.py", "if not w.permits[port]:", "if hold:"),
    ("gate.py", "w.looks[port] = not g.looked and (", "w.looks[port] = ("),
    ("gate.py", "w.hold[port] or not p.in_memory", "w.hold[port]"),
    ("gate.py", "p.map_latency == 1 else g.seen", "True else g.seen"),
    ("join.py", "range(1, p.ports + 1)", "range(p.ports)"),
    ("map_memory.py", "not m.take_blank and not m.wrote", "not m.take_blank"),
    ("memory.py", "memory.last_answer + 1", "memory.last_answer"),
    ("proposals.py", "scan.seen = read and not found", "scan.seen = read"),
    ("reader.py", "if not p.deep_notes:", "if True:"),
    ("reader.py", "r.due[port] <= w.read_answer", "r.due[port] == 0"),
    ("sequencer.py", "if s.then == PROPOSED and _asks", "if 0 and _asks"),
    ("sequencer.py", "row >= 0 and not s.reading", "row >= 0"),
    ("sequencer.py", "u.clock - u.pace.claimed >= p.pace", "u.clock - u.pace.claimed > p.pace"),
    ("table.py", "table.used < u.params.background_jobs", "table.used <= u.params.background_jobs"),
    ("timing.py", "timing[_FREE] = begin + 1", "timing[_FREE] = begin"),
]

#: The same of what is AXI4's.
AXI4_MUTANTS = [
    ("axi4_arbiter.py", "b.denied[way] + 1 >= share", "b.denied[way] >= share"),
    ("axi4_arbiter.py", "    if b.count:\n", "    if b.count > 1:\n"),
    ("axi4_arbiter.py", "(turn + ahead) % ports", "ahead % ports"),
    ("axi4_copy.py", "u.axi4_writes.left <= 1", "u.axi4_writes.left == 0"),
    ("axi4_copy.py", "queued != 2 * p.burst_beats", "queued != p.burst_beats"),
    ("axi4_copy.py", "<= _RECENT", "< _RECENT"),
    ("axi4_copy.py", "u.axi4_writes.unsent > 1", "u.axi4_writes.unsent > 2"),
    ("axi4_copy.py", "c.lag[way] >= _SLOW", "c.lag[way] > _SLOW"),
    ("axi4_copy.py", "not c.was_slow[way]", "not c.slow[way]"),
    ("axi4_copy.py", "min(2 * _SLOW - 1,", "min(2 * _SLOW,"),
    ("axi4_gate.py", "x.here_copied and not x.within if came", "0 if came"),
    ("axi4_gate.py", "row_bits & all_of_row == all_of_row", "0"),
    ("axi4_skid.py", "return not s.kept", "return not s.offers"),
    ("axi4_gate.py", "and not g.granted_whole and not ends:", "and not g.granted_whole:"),
    ("axi4_gate.py", "x.stuck = not came and", "x.stuck = 0 and"),
    ("axi4_gate.py", "x.row_here and not coming and", "x.row_here and"),
    ("axi4_gate.py", "and x.in_flight[_WRITE] == 0 and not x.dropping", "and not x.dropping"),
    ("axi4_initiator.py", "x.data <= x.accepted[_WRITE]", "x.data < x.accepted[_WRITE]"),
    ("axi4_machine.py", "g.ask_valid and not x.asked", "0"),
    ("axi4_map.py", "x.we or x.writes == 0", "x.we or True"),
    ("axi4_memory.py", "m.last[_READ] + 1", "m.last[_READ]"),
    ("axi4_runs.py", "r.idle == _PATIENCE", "r.idle >= _PATIENCE - 1"),
]


def changed_model(where, file, old, new):
    """A copy of the model with one change, imported from below ``where``."""
    name = f"changed_model_{where.name}".replace("-", "_")
    package = where / name
    shutil.copytree(Path(memsnap_sim.model.__file__).parent, package,
                    ignore=shutil.ignore_patterns("__pycache__"))
    path = package / file
    text = path.read_text()
    assert text.count(old) == 1, f"{file} has {old!r} {text.count(old)} times, not once"
    path.write_text(text.replace(old, new))
    sys.path.insert(0, str(where))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(where))
