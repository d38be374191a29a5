"""What one run showed: the verdict on its image, and the figures of a report."""

from collections import Counter
from dataclasses import dataclass
from enum import Enum

from .story import stalls_by_port, story, summary
from .words import count

__all__ = ["COMPARED", "DRAM_FIGURES", "FIGURES", "SOFTWARE_FIGURES", "Figure", "Mismatch",
           "Outcome", "Report", "find_mismatch", "histogram"]


class Outcome(Enum):
    """How a run ended for its snapshot. Only :attr:`EXACT` is a success."""

    EXACT = "exact"             #: complete, and equal to the memory at the instant
    WRONG = "wrong"             #: complete, yet different from the memory at the instant
    FAILED = "failed"           #: the unit gave up and said why
    CANCELLED = "cancelled"     #: software stopped it
    REFUSED = "refused"         #: the unit did not accept the start
    UNFINISHED = "unfinished"   #: the program ended before the last block was copied
    NOT_TAKEN = "not taken"     #: the trigger never came


@dataclass(frozen=True)
class Mismatch:
    """Where an image differs from the memory at the instant, first byte first.

    ``address`` is that of the byte in the guarded memory, ``wrong_bytes`` and ``wrong_blocks``
    count all differences, and ``history`` tells what happened to its block, a line an event.
    """

    address: int
    block: int
    expected: int
    found: int
    wrong_bytes: int
    wrong_blocks: int
    history: tuple[str, ...]


#: Events that the history of a block tells at most.
HISTORY = 40


@dataclass(frozen=True)
class Figure:
    """One line of the report: the key in ``report.json``, a name, a unit, what it means."""

    key: str
    name: str
    unit: str
    meaning: str


FIGURES = (
    Figure("instant", "instant T", "clocks",
           "The image shows the memory as it was at this clock, counted from reset."),
    Figure("clocks_to_armed", "start to T", "clocks",
           "From the start (register write or pin) until every write is guarded."),
    Figure("clocks_to_done", "T to done", "clocks",
           "From the instant until the last block was safe in the shadow."),
    Figure("copy_rate", "copy rate", "beats/clock",
           "Beats copied in a clock from T to done, in the mean."),
    Figure("blocks_total", "blocks", "blocks",
           "Blocks in the guarded memory; each is copied exactly once."),
    Figure("blocks_initial", "initial copies", "blocks",
           "Copied right after the instant, because a region asked for it."),
    Figure("blocks_demand", "demand copies", "blocks",
           "Copied because the program wanted to write to them just then."),
    Figure("blocks_background", "background copies", "blocks",
           "Copied in slots of the bus that the program left unused."),
    Figure("writes_held", "writes held", "writes",
           "Writes that had to wait until the old data was saved."),
    Figure("stall_longest", "longest stall", "clocks",
           "The longest that any one write was held."),
    Figure("stall_total", "total stall", "clocks",
           "Clocks that all writes waited together, looks at the copy map included."),
    Figure("slowdown", "slow-down", "%",
           "How much longer the program took than without a snapshot."),
    Figure("baseline_pause", "software's pause", "clocks",
           "How long the program stands still when it copies all of the memory itself instead."),
)

#: Those that are shown beside the same of an ideal memory.
COMPARED = ("clocks_to_done", "copy_rate", "writes_held", "stall_longest", "stall_total")

#: Figures of a DRAM, from the instant to the end of the snapshot.
DRAM_FIGURES = (
    Figure("dram_reads", "reads", "beats", "Read commands of the SDRAM: the program's and the "
           "copier's."),
    Figure("dram_writes", "writes", "beats", "Write commands, likewise."),
    Figure("dram_rows_opened", "rows opened", "rows",
           "Activations: the first access to a row after another one of its bank or a refresh."),
    Figure("dram_row_hits", "row hits", "%", "Reads and writes that found their row open."),
    Figure("dram_refreshes", "refreshes", "refreshes",
           "The controller closes all rows for each, and answers nothing meanwhile."),
)

#: Figures of a run in which the program carries the unit's method out itself. What follows
#: ``software_`` in the key names the member of :class:`Software`, ``slowdown`` apart.
SOFTWARE_FIGURES = (
    Figure("software_slowdown", "slow-down", "%",
           "How much longer the program took, all copies and calls included."),
    Figure("software_pause", "pause at the start", "clocks",
           "How long the program stands still while the initial blocks are copied."),
    Figure("software_first_write", "first write to a block", "clocks",
           "What the copy adds to it, in the mean."),
    Figure("software_first_write_longest", "longest first write", "clocks",
           "The most that it adds to any one."),
    Figure("software_later_write", "later write", "clocks",
           "What the look at the copy map adds, in the mean, as long as the snapshot runs."),
    Figure("software_background_block", "background, a block", "clocks",
           "What a block costs that is copied in the background, in the mean."),
    Figure("software_step_longest", "longest background step", "clocks",
           "The longest that the program stands still for it."),
    Figure("software_clocks_to_done", "T to done", "clocks",
           "From the instant until the last block was safe in the shadow."),
    Figure("software_blocks_initial", "initial copies", "blocks",
           "Copied at the start: the copy map, variables, the stack, a kernel."),
    Figure("software_blocks_demand", "demand copies", "blocks",
           "Copied because the program was about to write to them."),
    Figure("software_blocks_background", "background copies", "blocks",
           "Copied a few at a time, whenever the program came by."),
)


class Report:
    """The verdict and the figures of a :class:`Record`.

    Members
    -------
    outcome : Outcome
    mismatch : Mismatch or None
    figures : dict
        Values by the keys of :data:`FIGURES`; ``slowdown`` is a fraction, and None stands for
        what was not measured.
    software_figures, dram_figures : dict
        The same of :data:`SOFTWARE_FIGURES` and :data:`DRAM_FIGURES`.
    ideal : Report or None
        The same program on an ideal memory.
    story : list of str
        What else happened, in sentences.
    ports : list of PortStalls
    """

    def __init__(self, record):
        self.record = record
        self.mismatch = find_mismatch(record) if record.done else None
        self.outcome = self._outcome()
        self.figures = {figure.key: getattr(record, figure.key, None) for figure in FIGURES}
        self.figures["blocks_total"] = record.params.blocks
        self.figures["slowdown"] = self._against_without(record.clocks)
        if record.instant is not None and not record.done:
            self.figures["clocks_to_done"] = None
        self.figures["copy_rate"] = self._copy_rate()
        self.dram_figures = _dram_figures(record.dram)
        self.ideal = Report(record.ideal) if record.ideal else None
        self.story = story(record)
        self.ports = stalls_by_port(record)
        self.software_figures = {
            figure.key: getattr(record.software, figure.key.removeprefix("software_"), None)
            for figure in SOFTWARE_FIGURES}
        if record.software:
            self.software_figures["software_slowdown"] = self._against_without(
                record.software.clocks)

    @property
    def exact(self):
        """The image is complete and equals the memory at the instant, byte for byte."""
        return self.outcome is Outcome.EXACT

    @property
    def expected(self):
        """The run ended as it was declared to: with an exact image, or with a certain failure."""
        if self.record.expect == "exact":
            return self.exact
        return self.outcome is Outcome.FAILED and self.record.cause == self.record.expect

    @property
    def heading(self):
        """The outcome in a word or two."""
        if self.record.expect == "exact":
            return self.outcome.value
        return f"{self.outcome.value}, {'' if self.expected else 'not '}as declared"

    @property
    def software_slowdown(self):
        """Slow-down of the program that copies memory itself, as a fraction, or None."""
        return self._against_without(self.record.clocks_software)

    @property
    def sentence(self):
        """The verdict in one sentence, with the remedy where there is one."""
        sentence = _SENTENCES[self.outcome](self)
        if self.expected and not self.exact:
            return f"{sentence} That is what this run is to show."
        if not self.expected and self.record.expect != "exact":
            return f"{sentence} The run was to fail instead: {self.record.expect}."
        return sentence

    def to_json(self):
        """Everything that ``report.json`` holds, as plain values."""
        record, params, mismatch = self.record, self.record.params, self.mismatch
        return {
            "exact": self.exact,
            "expected": self.expected,
            "outcome": self.outcome.value,
            "verdict": self.sentence,
            **self.figures,
            "units": _units(FIGURES),
            "program": record.program,
            "trigger": record.trigger,
            "exit_code": record.exit_code,
            "clocks": record.clocks,
            "clocks_without_snapshot": record.clocks_without,
            "clocks_software_baseline": record.clocks_software,
            "slowdown_software_baseline": self.software_slowdown,
            "software_exact": record.software and record.software.exact,
            "software_clocks": record.software and record.software.clocks,
            **self.software_figures,
            "software_units": _units(SOFTWARE_FIGURES),
            "story": self.story,
            "events": summary(record),
            "ports": [vars(port) for port in self.ports],
            "cause": record.cause,
            "refusal": record.refusal,
            "fail_block": record.fail_block,
            "memory": record.memory,
            **self.dram_figures,
            "dram_units": _units(DRAM_FIGURES),
            "ideal": self.ideal and self.ideal._compared(),
            "parameters": {
                "memory_base": params.memory_base, "memory_size": params.memory_size,
                "shadow_base": params.shadow_base, "block_size": params.block_size,
                "data_width": params.data_width, "release": params.release.value,
                "buffer_depth": params.buffer_depth, "pipelined": params.pipelined,
                "latency": record.latency, "shadow_latency": record.shadow_latency,
                "ports": params.ports, "shadow": params.shadow.value, "bus": params.bus.value,
            },
            "histogram": self._histogram(),
            "mismatch": mismatch and {
                "address": mismatch.address, "block": mismatch.block,
                "expected": mismatch.expected, "found": mismatch.found,
                "wrong_bytes": mismatch.wrong_bytes, "wrong_blocks": mismatch.wrong_blocks,
                "history": list(mismatch.history),
            },
        }

    def _compared(self):
        """What ``report.json`` holds of a run on an ideal memory."""
        return {"exact": self.exact, "clocks": self.record.clocks,
                **{key: self.figures[key] for key in COMPARED}, "histogram": self._histogram()}

    def _histogram(self):
        return [{"from": low, "to": high, "count": count}
                for low, high, count in histogram(s.length for s in self.record.stalls)]

    def _copy_rate(self):
        record = self.record
        if not record.done or not record.clocks_to_done:
            return None
        return record.params.memory_size // record.params.beat_bytes / record.clocks_to_done

    def _against_without(self, clocks):
        without = self.record.clocks_without
        return clocks / without - 1 if clocks and without else None

    def _outcome(self):
        record = self.record
        if record.failed:
            return Outcome.FAILED
        if record.cancelled:
            return Outcome.CANCELLED
        if record.done:
            return Outcome.WRONG if self.mismatch else Outcome.EXACT
        if record.refused and record.instant is None:
            return Outcome.REFUSED
        return Outcome.NOT_TAKEN if record.instant is None else Outcome.UNFINISHED


def _units(figures):
    """Units by key, of the plain values that ``report.json`` holds."""
    return {figure.key: "fraction" if figure.unit == "%" else figure.unit for figure in figures}


def _dram_figures(dram):
    """Values of :data:`DRAM_FIGURES`; None for all without a DRAM."""
    if dram is None:
        return dict.fromkeys(figure.key for figure in DRAM_FIGURES)
    accesses = dram.read + dram.write
    return {"dram_reads": dram.read, "dram_writes": dram.write, "dram_rows_opened": dram.activate,
            "dram_row_hits": 1 - dram.activate / accesses if accesses else None,
            "dram_refreshes": dram.refresh}


def histogram(lengths):
    """Counts of stalls by length, as ``(low, high, count)`` with both ends included.

    One bin a clock as far as 32 clocks; beyond that, bins double in width.
    """
    counts = Counter(lengths)
    if not counts:
        return []
    longest = max(counts)
    if longest <= 32:
        return [(n, n, counts[n]) for n in range(min(counts), longest + 1)]
    bins, low = [], 1
    while low <= longest:
        high = 2 * low - 1
        bins.append((low, high, sum(c for n, c in counts.items() if low <= n <= high)))
        low = high + 1
    while not bins[0][2]:
        del bins[0]
    return bins


def find_mismatch(record):
    """Compares the image with the memory at the instant; the first difference, or None."""
    expected, found, params = record.memory_at_instant, record.image, record.params
    if len(expected) != params.memory_size or len(found) != params.memory_size:
        raise ValueError(f"an image and the memory at the instant must be {params.memory_size} "
                         f"bytes, not {len(found)} and {len(expected)}")
    if expected == found:
        return None
    size = params.block_size
    blocks = [n for n in range(params.blocks)
              if expected[n * size:(n + 1) * size] != found[n * size:(n + 1) * size]]
    wrong = [at for n in blocks for at in range(n * size, (n + 1) * size)
             if expected[at] != found[at]]
    first = wrong[0]
    return Mismatch(params.memory_base + first, blocks[0], expected[first], found[first],
                    len(wrong), len(blocks), _history(record, blocks[0]))


def _history(record, block):
    base = record.params.memory_base + block * record.params.block_size
    events = [(c.clock, f"copied ({c.kind.name.lower()})")
              for c in record.copies if c.block == block]
    events += [(s.clock, f"a write to {s.address:#x} was held for {s.length} clocks")
               for s in record.stalls if base <= s.address < base + record.params.block_size]
    events += [(w.clock, f"{w.data:#x} was written to {w.address:#x} (lanes {w.lanes:#b})")
               for w in record.writes if base <= w.address < base + record.params.block_size]
    lines = [f"clock {clock} (T {clock - record.instant:+d}): {text}"
             for clock, text in sorted(events)]
    if not any(copy.block == block for copy in record.copies):
        lines.append("it was never copied")
    if len(lines) > HISTORY:
        lines[HISTORY:] = [f"and {len(lines) - HISTORY} more events"]
    return tuple(lines)


def _copied(report):
    record = report.record
    return record.blocks_initial + record.blocks_demand + record.blocks_background


#: Causes in words.
_CAUSES = {
    "read error": "the memory answered a read of the unit with an error",
    "write error": "the shadow answered a write of the unit with an error",
    "timeout": "the memory gave no answer for too long",
    "deadline": "the snapshot took longer than its deadline",
    "hold limit": "a write was held for longer than the limit",
    "io timeout": "an ungated master did not hold still in time",
}


def _cause(record):
    block = f" at block {record.fail_block}" if record.fail_block is not None else ""
    about = f" ({_CAUSES[record.cause]})" if record.cause in _CAUSES else ""
    return f"{record.cause or 'no cause given'}{block}{about}"


_SENTENCES = {
    Outcome.EXACT: lambda r:
        f"The image equals the memory at the instant in all "
        f"{count(r.record.params.memory_size)} bytes.",
    Outcome.WRONG: lambda r:
        f"The image is wrong from address {r.mismatch.address:#x} (block {r.mismatch.block}): "
        f"{r.mismatch.expected:#04x} was there, {r.mismatch.found:#04x} is in the image; "
        f"{count(r.mismatch.wrong_bytes)} bytes in {count(r.mismatch.wrong_blocks)} blocks differ.",
    Outcome.FAILED: lambda r:
        f"The unit gave up: {_cause(r.record)}. There is no image.",
    Outcome.CANCELLED: lambda r:
        "The snapshot was cancelled by software. There is no image.",
    Outcome.REFUSED: lambda r:
        f"The unit refused to start: {r.record.refusal or 'no reason given'}.",
    Outcome.UNFINISHED: lambda r:
        f"The run was over ({r.record.ended}) when {count(_copied(r))} of "
        f"{count(r.record.params.blocks)} blocks were copied: start the snapshot "
        f"earlier, or guard less memory.",
    Outcome.NOT_TAKEN: lambda r:
        f"No snapshot was taken: {r.record.trigger} was never reached in "
        f"{count(r.record.clocks)} clocks"
        + (f"; the symbol was reached {count(r.record.seen)} times" if r.record.seen else "")
        + ".",
}
