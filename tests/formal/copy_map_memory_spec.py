"""The contract of the copy map in the memory, for one block that stands for all."""

from amaranth.hdl import Assert, Assume, Cat, Cover, Module, Mux, Signal
from amaranth.lib.wiring import In
from memsnap.copy_map import bit_of, row_of
from memsnap.copy_map_memory import CopyMapMemory

from .fifo import Fifo
from .map_spec import MapSpec
from .past import past

__all__ = ["CopyMapMemorySpec"]


class CopyMapMemorySpec(MapSpec):
    """A bit is 0 after a sweep or a restart, and 1 from its own set on, until the next.

    So each reader shows it whenever it shows anything, and so it is in the memory when the map is
    full; whichever lines are replaced meanwhile, and whenever the memory takes requests and answers
    them, in order. After an error nothing is said until the next sweep.

    Parameters
    ----------
    params : SnapshotParams
    """

    def __init__(self, params):
        names = ["look", "look_row", "scan", "scan_row", "probe", "restart", "sweep", "word",
                 "live", "may_sweep", "stop", "drop"]
        super().__init__(params, CopyMapMemory(params), names, {
            "ready": In(1), "answer": In(1), "error": In(1),
            "data": In(params.data_width),           # of another row
            "any_row": In(params.map_row_bits),      # what a write that failed leaves behind
        })

    def elaborate(self, platform):
        m = Module()
        dut = self._drive(m)
        self._ends = self.restart | self.sweep | dut.sweeping
        self._failed = Signal()                     # a request of the snapshot
        with m.If(dut.error):
            m.d.sync += self._failed.eq(1)
        with m.If(self.sweep):
            m.d.sync += self._failed.eq(0)
        self._follow_sets(m, dut)
        self._live(m, dut)
        self._memory(m, dut)
        self._check_reads(m, dut)
        self._check_ends(m, dut)
        self._check_progress(m, dut)
        return m

    def _follow_sets(self, m, dut):
        """Which bits are set; each is set once at the most."""
        blocks = self._params.blocks
        self._copied = copied = Signal(blocks)
        self._phase = Signal()                      # of the bits as they are in the memory
        self._pending = pending = Signal()          # a set was taken, and is not done
        setting = Signal(range(blocks))
        self._sets = Signal()                       # the bit is set
        m.d.comb += self._sets.eq(dut.set_done & (setting == self.block))
        m.d.sync += [
            Assume(~(self.set & copied.bit_select(self.set_block, 1))),
            Assume(~(self.set & pending & (self.set_block == setting))),
            Assert(~dut.set_done | pending, "a set is done that was not taken"),
            Assert(~(dut.set.ready & pending), "a set is taken while another is not done"),
            Assert(~(dut.set_done | dut.set.ready) | ~dut.sweeping, "a set in a sweep"),
        ]
        with m.If(dut.set_done):
            m.d.sync += [copied.eq(copied | (1 << setting)), pending.eq(0)]
        with m.If(self.set & dut.set.ready):
            m.d.sync += [setting.eq(self.set_block), pending.eq(1)]
        with m.If(self.restart):
            m.d.sync += self._phase.eq(self._phase ^ copied.all())
        with m.If(self.sweep | dut.sweeping):
            m.d.sync += [self._phase.eq(0), pending.eq(0)]
        with m.If(self._ends):
            m.d.sync += copied.eq(0)

    def _live(self, m, dut):
        """The snapshots, as the lifecycle has them."""
        going = Signal()                            # since the restart, until full or swept
        been_live = Signal()
        kept = Signal()                             # full, and live since
        ended = dut.full & self.live
        before = {name: past(m, getattr(self, name)) for name in ("live", "stop", "may_sweep")}
        swept, active = past(m, self.sweep), past(m, dut.active)
        with m.If(self.restart):
            m.d.sync += [going.eq(1), been_live.eq(0)]
        with m.Elif(self.sweep):
            m.d.sync += going.eq(0)
        with m.Elif(going & ended):
            m.d.sync += [going.eq(0), kept.eq(1)]
        with m.If(self.live):
            m.d.sync += been_live.eq(1)
        with m.If(~self.live):
            m.d.sync += kept.eq(0)
        m.d.sync += [
            Assume(~self.restart | ~going & ~self.live & ~self.sweep & ~self.stop & ~dut.sweeping),
            Assume(~self.live | Mux(before["live"], going | kept, going & ~been_live)),
            Assume(self.live | ~(before["live"] & going) | self.stop),
            Assume(~self.live | ~self.stop & ~dut.sweeping),
            # A stop stays until the sweep; there is none but of a snapshot
            Assume(~self.stop | going),
            Assume(self.stop | ~before["stop"] | swept),
            Assume(~self.sweep | Mux(dut.sweeping, dut.sweep_failed, self.stop & ~dut.busy)),
            Assume(~self.drop | self.stop),
            Assume(~self.set | self.live | self.stop),
            Assume(self.may_sweep | ~before["may_sweep"] | ~self._begun | ~active),
        ]

    def _memory(self, m, dut):
        """Takes requests and answers them in order, both when it likes."""
        params = self._params
        most = params.max_in_flight
        row = row_of(self.block)
        self._stored = stored = Signal(params.map_row_bits)     # its row, in the memory
        found = Signal.like(stored)                             # what the last read of it finds
        request = dut.request.payload
        taken = dut.request.valid & self.ready
        mine = request.row == row
        # Of each that is due: whether it is a write, and of this row
        due = Fifo("due", bits=2, depth=most)
        is_write, is_mine = due.at(0)
        due.step(m, put=taken, item=Cat(request.we, mine), take=self.answer)
        lanes = params.data_width // params.map_row_bits
        m.d.comb += [
            dut.request.ready.eq(self.ready),
            dut.answer.valid.eq(self.answer),
            dut.answer.error.eq(self.error),
            dut.answer.data.eq(Mux(is_mine, found.replicate(lanes), self.data)),
        ]
        m.d.sync += [
            Assume(~self.ready | (due.count < most)),
            Assume(~self.answer | (due.count != 0)),
            Assume(~self.error | self.answer),
        ]
        with m.If(taken):
            with m.If(mine & request.we):
                m.d.sync += stored.eq(request.data)
            with m.If(mine & ~request.we):
                m.d.sync += found.eq(stored)
        # A write that fails may have been made or not
        with m.If(self.answer & self.error & is_write & is_mine):
            m.d.sync += stored.eq(self.any_row)
        with m.If(~self._begun):
            m.d.sync += stored.eq(self.any_row)

        waits = past(m, dut.request.valid & ~self.ready & ~self.drop)
        unset = self._shown(request.data) & ~self._of_row(self._copied)
        m.d.sync += [
            Assert(~waits | dut.request.valid & (request.as_value() == past(m, request.as_value())),
                   "a request is not kept"),
            Assert(~past(m, self.stop & (~dut.request.valid | self.ready)) | ~dut.request.valid,
                   "a request behind a stop"),
            Assert(~(dut.request.valid & request.we & mine) | self._failed | dut.sweeping
                   | (unset == 0), "a bit that is not set is written"),
            Assert(dut.busy == (dut.request.valid | (due.count != 0)), "busy is something else"),
            Assert(~dut.request.valid | dut.active, "a request that is not active"),
        ]

    def _shown(self, stored):
        """A row as it is in the memory, in bits that are 1 if copied."""
        return stored ^ self._phase.replicate(len(stored))

    def _of_row(self, blocks):
        """Of a bit for each block those of the row."""
        return (blocks >> (row_of(self.block) << len(bit_of(self.block))))[
            :self._params.map_row_bits]

    def _check_reads(self, m, dut):
        """Each reader shows the bit as it was in the clock of the read, or nothing."""
        bit = Signal()
        m.d.comb += bit.eq(self._copied.bit_select(self.block, 1))
        row = row_of(self.block)

        def of(data):
            return data.bit_select(bit_of(self.block), 1)

        known, expected = Signal(name="look_known"), Signal(name="look_expected")
        with m.If(self.look):
            m.d.sync += [known.eq(self.look_row == row), expected.eq(bit)]
        with m.If(self._ends):
            m.d.sync += known.eq(0)
        m.d.sync += Assert(~known | self._failed | ~of(dut.look_data) | expected,
                           "a gate sees a bit that is not set")

        # A scan in the clock of a set sees it
        known, expected = Signal(name="scan_known"), Signal(name="scan_expected")
        m.d.sync += [
            known.eq(self.scan & self.live & (self.scan_row == row) & ~self._ends),
            expected.eq(bit | self._sets),
        ]
        told = known & dut.scan_valid & ~self._failed
        probed = past(m, self.probe == bit_of(self.block))
        m.d.sync += [
            Assert(~told | (of(dut.scan_data) == expected), "another bit is scanned"),
            Assert(~(told & probed) | (dut.probe_copied == expected), "another bit is probed"),
        ]
        self._check_summary(m, dut)

    def _check_summary(self, m, dut):
        """A row is complete only if all its bits were set two clocks before."""
        row = row_of(self.block)
        beyond = -1 << self._params.blocks
        complete = self._of_row(self._copied | beyond).all()
        calm = past(m, ~self._ends) & past(m, past(m, ~self._ends)) & ~self._ends
        asked = past(m, past(m, self.word == row_of(row)))
        m.d.sync += Assert(
            ~(calm & asked & dut.word_data.bit_select(bit_of(row), 1)) | complete | self._failed,
            "the summary shows a row that is not complete")

    def _check_ends(self, m, dut):
        """What is in the memory at the end of a snapshot, and of a sweep."""
        m.d.sync += [
            Assert(~dut.full | self._copied.all() | self._failed, "full before all is copied"),
            Assert(~dut.full | self._failed | dut.sweeping | self.stop
                   | self._shown(self._stored).bit_select(bit_of(self.block), 1),
                   "full before all is in the memory"),
            Assert(~past(m, dut.sweeping) | dut.sweeping | (self._stored == 0),
                   "a row that was not swept"),
        ]
        rounds = Signal()
        with m.If(self.restart & dut.full):
            m.d.sync += rounds.eq(1)
        m.d.sync += [
            Cover(dut.full, "full"),
            Cover(rounds & dut.scan_valid & past(m, self.scan) & dut.scan_data.any(),
                  "a bit of the second snapshot is seen"),
        ]

    def _check_progress(self, m, dut):
        """While a set or a scan waits, the memory has something to do after some clocks."""
        waits = past(m, self.scan & self.live) & ~dut.scan_valid | self._pending
        idle = Signal(range(6))
        with m.If(waits & self.live & ~self._failed & ~dut.busy & ~dut.set_done):
            m.d.sync += idle.eq(idle + (idle != 5))
        with m.Else():
            m.d.sync += idle.eq(0)
        m.d.sync += Assert(idle < 5, "the map rests though it is waited for")
