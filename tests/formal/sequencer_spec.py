"""The contract of the sequencer, for one beat that stands for all."""

from amaranth.hdl import Assert, Assume, Cat, Const, Cover, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In
from memsnap.copy_map import bit_of, row_of
from memsnap.params import Release
from memsnap.ranges import beat_layout
from memsnap.sequencer import Sequencer

from .past import past, until

__all__ = ["SequencerSpec"]


class SequencerSpec(wiring.Component):
    """No block is claimed twice, no write is granted too early, and all blocks are claimed.

    Job table, initial walk and background scan are inside as they are. Around them are the
    contracts of the others: the copy map is one bit a block; the copier reads, captures and copies
    the blocks of its jobs at any time, and may keep from the sequencer what it knows of a beat; the
    gate asks for any place. A snapshot ends when all is copied, or at any other time.

    Parameters
    ----------
    params : SnapshotParams
    """

    def __init__(self, params):
        self._params = params
        self._sequencer = Sequencer(params)
        pins = self._sequencer.signature.members
        super().__init__({
            "at": In(beat_layout(params)),
            "ask": In(1), "ask_place": In(beat_layout(params)),
            "region_on": In(1), "region_first": In(params.block_bits),
            "region_last": In(params.block_bits),
            "set_ready": In(1), "again": In(1), "other_data": In(params.map_row_bits),
            "reads_end": In(params.jobs), "capture": In(1), "copy": In(1),
            "at_capture": In(1), "at_issue": In(1), "secure": In(1), "tell": In(2),
            "pending": In(1),
            **{name: In(pins[name].shape) for name in (
                "enable", "reset", "map_read", "map_row", "captured_job", "copied_job",
                "go")},
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.sequencer = dut = self._sequencer
        self._life(m, dut)
        self._map(m, dut)
        self._copier(m, dut)
        self._gate(m, dut)
        self._check_claims(m, dut)
        self._check_grants(m, dut)
        self._check_ends(m, dut)
        self._check_window(m, dut)
        self._check_progress(m, dut)
        return m

    def _life(self, m, dut):
        """Snapshots begin, end and begin again; what must stay, stays."""
        params = self._params
        begun = Signal()
        kept = Cat(self.at, self.region_on, self.region_first, self.region_last)
        m.d.comb += [
            dut.enable.eq(self.enable), dut.reset.eq(self.reset), dut.go.eq(self.go),
            dut.map_read.eq(self.map_read), dut.map_row.eq(self.map_row),
            dut.regions.enable.eq(self.region_on & (past(m, dut.regions.index) == 0)),
            dut.regions.first.eq(self.region_first), dut.regions.last.eq(self.region_last),
        ]
        was_enabled = past(m, self.enable)
        # After the end nothing begins before the map is swept, or was full and is restarted
        ended = until(m, was_enabled & ~self.enable, self.reset | self.again, "ended")
        m.d.sync += [
            begun.eq(1),
            Assume(~begun | (kept == past(m, kept))),
            Assume(self.region_first <= self.region_last),
            *(Assume(block < params.blocks) for block in (
                self.at.block, self.region_last, self.ask_place.block)),
            Assume(~self.enable | ~ended & begun & ~past(m, self.reset)),
            Assume(~(self.reset | self.again) | ~self.enable & ~was_enabled),
        ]
        self._fresh = self.reset | self.again

    def _map(self, m, dut):
        """One bit a block; a set needs a clock, and a read shows the row of its clock."""
        params = self._params
        self._copied = copied = Signal(params.blocks)
        setting = Signal(params.block_bits)
        set_done = Signal()
        row_bits = params.map_row_bits
        row = Signal(row_bits)
        scanned, shown = past(m, dut.scan), past(m, row)
        if params.map_latency > 1:     # the row of the clock before that
            scanned, shown = past(m, scanned), past(m, shown)
        free = Const(1)
        if not params.map_beside:
            free = ~dut.scan
            m.d.sync += Assert(~dut.set.valid | (dut.scan_first == dut.scan),
                               "another address than the scan's")
        m.d.comb += [
            row.eq(Cat(copied, Const(-1, 1).replicate(
                params.map_rows * row_bits - params.blocks)).word_select(dut.scan_row, row_bits)),
            dut.set.ready.eq(self.set_ready & free & ~set_done),
            dut.set_done.eq(set_done),
            dut.scan_data.eq(Mux(scanned, shown, self.other_data)),
            dut.probe_copied.eq(dut.scan_data.bit_select(past(m, dut.probe), 1)),
        ]
        m.d.sync += [
            set_done.eq(dut.set.valid & dut.set.ready & ~self.reset),    # else swept
            setting.eq(dut.set.payload),
        ]
        with m.If(set_done):
            m.d.sync += copied.eq(copied | (1 << setting))
        with m.If(self._fresh):
            m.d.sync += copied.eq(0)
        block = self.at.block
        m.d.sync += [
            # It ends in the clock in which all is found to be copied
            Assume(~self.again | copied.all()),
            Assume(~(copied.all() & self.enable) | ~past(m, copied.all())),
            Assume(~(self.reset & set_done)),
        ]
        self._bit = copied.bit_select(block, 1)
        self._bit_set = set_done & (setting == block)
        self._setting = setting

    def _copier(self, m, dut):
        """Jobs are read to the end, then captured, then copied; the symbolic beat before that."""
        params = self._params
        open_ = [dut.open & (dut.job == index) for index in range(params.jobs)]
        self._blocks = [Signal(params.block_bits, name=f"opened{index}")
                        for index in range(params.jobs)]
        self._busy = [Signal(name=f"open{index}") for index in range(params.jobs)]
        reading, captured = ([Signal(name=f"{name}{index}") for index in range(params.jobs)]
                             for name in ("reads", "captured"))
        stopped = past(m, ~self.enable)
        at_captured = Signal()
        at_issued = Signal()
        mine = Signal.like(dut.job)
        m.d.comb += [
            dut.reading.eq(Cat(reading)),
            dut.captured.eq(self.capture), dut.captured_job.eq(self.captured_job),
            dut.copied.eq(self.copy), dut.copied_job.eq(self.copied_job),
        ]
        opened = dut.open & (dut.place.block == self.at.block)
        for index in range(params.jobs):
            is_mine = (mine == index) & self._busy[index] & (self._blocks[index] == self.at.block)
            capture = self.capture & (self.captured_job == index)
            copy = self.copy & (self.copied_job == index)
            with m.If(self.reads_end[index] & ~stopped):
                m.d.sync += reading[index].eq(0)
            with m.If(capture):
                m.d.sync += captured[index].eq(1)
            with m.If(copy):
                m.d.sync += self._busy[index].eq(0)
            with m.If(open_[index]):
                m.d.sync += [self._busy[index].eq(1), reading[index].eq(1), captured[index].eq(0),
                             self._blocks[index].eq(dut.place.block)]
            m.d.sync += [
                Assume(~capture | self._busy[index] & ~reading[index] & ~captured[index]),
                Assume(~(self.reads_end[index] & is_mine) | at_issued),
                Assume(~(capture & is_mine) | at_captured | self.at_capture),
                Assume(~copy | self._busy[index] & captured[index]),
            ]
            with m.If(self.reset):
                m.d.sync += [self._busy[index].eq(0), reading[index].eq(0)]
        with m.If(opened):
            m.d.sync += mine.eq(dut.job)
        known = until(m, opened, self._fresh, "known")
        with m.If(self.at_issue):
            m.d.sync += at_issued.eq(1)
        with m.If(self.at_capture):
            m.d.sync += at_captured.eq(1)
        with m.If(self._fresh):
            m.d.sync += [at_captured.eq(0), at_issued.eq(0)]
        # What is known of beats
        wanted = Signal()
        is_at = Signal()
        checked = known & (dut.check_job == mine) & (past(m, dut.check_beat) == self.at.beat)
        captured_now = at_captured | self.at_capture
        begins = dut.visit | dut.follow | dut.open & dut.demand
        m.d.comb += [
            dut.pending.eq(wanted & self.pending),
            dut.secured.eq(wanted & self.secure),
            dut.check_captured.eq(self.tell[0]), dut.check_issued.eq(self.tell[1]),
        ]
        with m.If(dut.secured | self.reset):
            m.d.sync += wanted.eq(0)
        with m.If(begins):
            m.d.sync += [wanted.eq(1), is_at.eq(dut.place == self.at)]
        m.d.sync += [
            Assume(~self.at_issue | known & ~at_issued),
            Assume(~self.at_capture | at_issued & ~at_captured),
            Assume(~(self.secure & is_at & wanted) | captured_now),
            Assert(~(dut.follow & known & (dut.place == self.at)) | at_issued,
                   "a beat is followed that is not read"),
            Assume(~self.again | ~wanted),    # what is copied was secured
            Assume(~(self.tell[0] & checked & self._busy_at(mine)) | captured_now),
            Assume(~(self.tell[1] & checked & self._busy_at(mine)) | at_issued),
        ]
        self._known, self._mine, self._captured, self._opened = known, mine, captured_now, opened
        self._reading, self._wanted = reading, wanted

    def _busy_at(self, job):
        return Cat(self._busy).bit_select(job, 1)

    def _gate(self, m, dut):
        """Asks for a place until it is granted."""
        waits = past(m, self.ask & ~dut.ask.ready & self.enable)
        place = past(m, self.ask_place.as_value())
        m.d.comb += [dut.ask.valid.eq(self.ask), dut.ask.payload.eq(self.ask_place)]
        m.d.sync += Assume(~(waits & self.enable)
                           | self.ask & (self.ask_place.as_value() == place))

    def _check_claims(self, m, dut):
        """Jobs are opened and visited as the copier's contract asks for."""
        params = self._params
        blocks = [(busy & (block == dut.place.block)) for busy, block in zip(
            self._busy, self._blocks, strict=True)]
        m.d.sync += [
            Assert(~self._opened | ~self._known & ~self._bit, "a block is claimed twice"),
            Assert(~(dut.open | dut.visit | dut.follow) | self.enable, "a job after the end"),
            Assert(dut.open + dut.visit + dut.follow <= 1, "two jobs at once"),
            Assert(~dut.open | dut.vacant, "a job is opened that is not free"),
            Assert(~dut.vacant | ~self._busy_at(dut.job), "a job is said to be free that is open"),
            Assert(~dut.open | ~Cat(blocks).any(), "two jobs hold a block"),
            Assert(~dut.open | (dut.place.block < params.blocks), "there is no such block"),
            Assert(~dut.visit | Cat(self._reading).bit_select(dut.check_job, 1)
                   & Cat(blocks).bit_select(dut.check_job, 1), "a visit to another block"),
        ]
        if params.release is Release.CAPTURED:
            wants = dut.open & dut.demand | dut.visit | dut.follow
            m.d.sync += Assert(~wants | ~self._wanted,
                               "another beat before the wanted one is secured")

    def _check_grants(self, m, dut):
        """A write is granted when its beat is safe, and for the whole block when that is."""
        granted = dut.ask.valid & dut.ask.ready & self.enable
        here = self.ask_place.block == self.at.block
        mine = granted & here & (dut.whole | (self.ask_place.beat == self.at.beat))
        strict = self._params.release is Release.COPIED
        m.d.sync += [
            Assert(~mine | (self._bit if strict else self._captured),
                   "a write is granted before its beat is safe"),
            Assert(~(granted & here & dut.whole) | self._captured, "a block is not all safe"),
            Cover(mine & self._bit & past(m, self.ask), "granted: copied"),
        ]
        if not strict:
            m.d.sync += [
                Cover(mine & ~self._bit & dut.whole, "granted: all captured"),
                Cover(mine & ~self._bit & ~dut.whole & ~dut.secured, "granted: beat captured"),
                Cover(mine & dut.secured, "granted: secured"),
            ]

    def _check_ends(self, m, dut):
        """Each bit is set once, when its block is copied; everything is claimed."""
        copied = until(m, self.copy & (self.copied_job == self._mine) & self._known
                             & self._busy_at(self._mine), self._fresh, "been_copied")
        setting = dut.set.valid & (dut.set.payload == self.at.block)
        in_region = self.region_on & (self.at.block >= self.region_first) & (
            self.at.block <= self.region_last)
        m.d.sync += [
            Assert(~(setting & ~self.reset) | copied & ~self._bit & ~self._bit_set,
                   "a bit is set that is not to be"),
            Assert(~(self._bit & self.enable) | copied, "a bit is set too early"),
            Assert(dut.retired == dut.set_done, "retired is something else"),
            Assert(~dut.retired | (dut.retired_block == self._setting), "another block is retired"),
            Assert(~(dut.initial_done & in_region & self.enable) | self._known,
                   "a block of a region is left out"),
            Assert(~(dut.all_claimed & self.enable) | self._known, "a block is left out"),
        ]
        if self._params.release is Release.CAPTURED:     # in the strict form it takes long
            m.d.sync += Cover(self._copied.all() & dut.all_claimed & self.region_on,
                              "all is copied")

    def _check_window(self, m, dut):
        """Software's window shows the row that it asked for."""
        wanted, asked, bit = past(m, self.map_read), past(m, self.map_row), past(m, self._bit)
        if self._params.map_latency > 1:
            wanted, asked, bit = past(m, wanted), past(m, asked), past(m, bit)
        m.d.sync += [
            Assert(~dut.map_valid | wanted, "a row that nobody asked for"),
            Assert(~(dut.map_valid & (asked == row_of(self.at.block)))
                   | (dut.map_data.bit_select(bit_of(self.at.block), 1) == bit),
                   "another row is shown"),
            Cover(dut.map_valid & bit, "a copied block is shown"),
        ]

    def _check_progress(self, m, dut):
        """Nothing waits but for what it has to wait for."""
        held = Signal(range(self._params.jobs + 1))      # jobs, from claim to retirement
        m.d.sync += held.eq(Mux(self.reset, 0, held + dut.open - dut.retired))
        # A write whose block is copied is granted, one whose block can be claimed has it claimed
        copied = self._copied.bit_select(self.ask_place.block, 1)
        here = self.ask_place.block == self.at.block
        can_claim = here & ~self._known & (held != self._params.jobs)
        asks = self.enable & self.ask & ~self._wanted & (copied | can_claim)
        asked = Signal(range(8))
        m.d.sync += asked.eq(Mux(asks & ~dut.ask.ready & ~dut.open, asked + (asked != 7), 0))
        # Without held writes and open jobs, the map is read until all is claimed
        longest = 5 if self._params.map_latency > 1 else 4
        idle = (self.enable & ~self.ask & (held == 0) & ~dut.all_claimed & ~self.map_read
                & self.go & ~dut.scan)
        rests = Signal(range(8))
        m.d.sync += rests.eq(Mux(idle, rests + (rests != 7), 0))
        m.d.sync += [
            Assert(held <= self._params.jobs, "more jobs than there are"),
            Assert(asked < longest, "a write is not answered"),
            Assert(rests < longest, "blocks are left, and nothing is done"),
        ]
