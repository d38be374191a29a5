"""What always holds in the job table, the copy map and the sequencer."""

from amaranth.hdl import Cat, Value
from amaranth.utils import exact_log2
from memsnap.copy_map import bit_of
from memsnap.params import Release

from .inside import Fact, Part, any_of, count

__all__ = ["JobsInside", "MapInside"]


class MapInside(Part):
    """The copy map, of one row.

    Attributes
    ----------
    bits : Value
        The blocks that are copied.
    read : Value
        What was read of them in the clock before.
    """

    def __init__(self, m, signals, params):
        super().__init__(m, signals, "map")
        self._blocks = params.blocks
        self._beside = params.map_beside
        self._row = self.words("ram")[0]
        phase = self["phase"].replicate(len(self._row))
        self.bits = self.let("bits", self._row ^ phase)
        self.read = self["ram.read0"] ^ phase

    def copied(self, block):
        """Whether the bit of a block is set."""
        return self.bits.bit_select(block, 1)

    def holds(self):
        sweeping, row, writing = self["sweeping"], self["sweep_row"], self["writing"]
        swept = sweeping & (row != 0)
        yield Fact(sweeping | (self["count"] == count(self.bits)), "count")
        yield Fact(~swept | (self._row == 0) & ~self["phase"] & (self["count"] == 0), "swept")
        yield Fact(sweeping | (row == 0), "sweep_row")
        at, old = ("old_at", "ram.read2") if self._beside else ("scan_at", "ram.read0")
        yield Fact((self["look_at"] == 0) & (~writing | (self[at] == 0)), "another row")
        yield Fact(sweeping | ~writing | (self[old] == self._row), "a row is old")


class JobsInside(Part):
    """The jobs and the sequencer's decisions.

    Attributes
    ----------
    busy, block, captured, copied : Array
        Of each job.
    """

    def __init__(self, m, signals, params):
        super().__init__(m, signals, "sequencer")
        table = Part(m, signals, "sequencer.table")
        self._table = table
        self._jobs = range(params.jobs)
        self._strict = params.release is Release.COPIED
        self.busy, self.block, self.captured, self.copied = (
            table.each(name) for name in ("busy", "block", "captured", "copied"))
        self._late = params.map_latency > 1
        state = self["fsm_state"]
        states = "picking looking asked proposed" if self._late else "picking asked proposed"
        self._states = {name: state == index for index, name in enumerate(states.split())}
        self.picking, self.asked, self.proposed = (
            self._states[name] for name in ("picking", "asked", "proposed"))
        # An ask or a proposal is being looked up, or was
        self.asking, self.proposing = self.asked, self.proposed
        if self._late:
            self.asking |= self._states["looking"] & self["for_ask"]
            self.proposing |= self._states["looking"] & ~self["for_ask"]

    def empty(self):
        """No job."""
        table = self._table
        return ~any_of(self.busy) & ~table["finished__valid"] & ~table["taken"]

    def of(self, block):
        """Whether the block is being copied."""
        return any_of(self.busy[j] & (self.block[j] == block) for j in self._jobs)

    def holds(self, map_):
        """A block is in the table once, and not in the map."""
        table = self._table
        yield Fact(any_of(self._states.values()), "no such state")
        if self._strict:
            yield Fact(~self["securing"], "beats are not secured one by one")
        yield Fact(table["used"] == count(self.busy), "used is another count")
        leaving, finished, taken = table["leaving"], table["finished__valid"], table["taken"]
        for j in self._jobs:
            kept = Value.cast(table.words("jobs")[j])[:len(self.block[j])]
            yield Fact(~self.busy[j] | (kept == self.block[j]), "another block is kept")
            yield Fact(~self.busy[j] | map_["sweeping"] | ~map_.copied(self.block[j]),
                         "a job for a block that is copied")
            for other in range(j):
                yield Fact(~(self.busy[j] & self.busy[other])
                             | (self.block[j] != self.block[other]), "two jobs for a block")
        yield Fact(~(finished & taken), "a job leaves twice")
        yield Fact(~(finished | taken) | self.busy[leaving] & self.copied[leaving],
                     "a job leaves that is not copied")
        yield Fact(map_["sweeping"] | (map_["writing"] == taken), "not the table's block")
        yield Fact(~taken | (map_["mask"] == 1 << bit_of(self.block[leaving])),
                     "another block's bit")

    def decisions(self, map_, probed):
        """What was found of the block that was probed is true, or errs on the safe side."""
        table = self._table
        found, job = table["found"], table["found_job"]
        checked = self.asked | self.proposed
        rows = [(checked, map_.read)]
        if self._late:      # it is on its way to a register, or there
            rows = [(self._states["looking"], map_.read), (checked, map_["scan_data"])]
        for there, row in rows:
            seen = row.bit_select(probed, 1)
            yield Fact(~(there & seen) | map_.copied(probed), "copied: it is not")
            yield Fact(~(there & ~seen & ~found) | ~map_.copied(probed) & ~self.of(probed),
                       "unclaimed: it is not")
            yield Fact(~(there & found) | (self.block[job] == probed)
                       & (self.busy[job] | map_.copied(probed)), "found: it is not")
            yield Fact(~(there & found) | (table["found_at"] == 1 << job), "found twice")
        bit = bit_of(probed)[:exact_log2(len(map_.bits))]
        yield Fact(~checked | (map_["pair"] == 1 << bit[1:]) & (map_["odd"] == bit[0]),
                   "another bit is probed")
        yield Fact(~self.proposing | ~Cat(self.busy).all(), "no job is free")
