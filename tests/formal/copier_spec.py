"""The contract of the copier, for one beat that stands for all."""

from amaranth.hdl import Assert, Assume, Cover, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In
from memsnap.copier import Copier
from memsnap.params import Release
from memsnap.ranges import beat_layout

from .past import past, until

__all__ = ["CopierSpec"]


class _Order:
    """The place of the symbolic request among those that an answer is due to, oldest first.

    Attributes
    ----------
    due : Signal
        How many there are.
    answer : Signal
        The oldest is answered in this clock.
    mine : Signal
        That is the symbolic one.
    """

    def __init__(self, m, request, is_mine, answered, most, name):
        self.due = Signal(range(most + 2), name=f"{name}_due")
        self.answer = Signal(name=f"{name}_answer")
        self.mine = Signal(name=f"{name}_mine")
        waiting = Signal(name=f"{name}_waiting")
        ahead = Signal(range(most + 1), name=f"{name}_ahead")
        taken = request.valid & request.ready
        m.d.comb += [
            self.answer.eq(answered & (self.due != 0)),
            self.mine.eq(self.answer & waiting & (ahead == 0)),
        ]
        m.d.sync += [
            self.due.eq(self.due + taken - self.answer),
            Assert(self.due <= most, f"more {name}s than the buffer has room for"),
        ]
        with m.If(self.answer & waiting):
            m.d.sync += [ahead.eq(ahead - 1), waiting.eq(ahead != 0)]
        with m.If(taken & is_mine):
            m.d.sync += [waiting.eq(1), ahead.eq(self.due - self.answer)]


class CopierSpec(wiring.Component):
    """Each beat of an open block is read once, and written once with what was read, to its place.

    What is said of jobs and beats (*captured*, *copied*, *secured*) is true. Jobs are opened and
    visited as the sequencer does it, a block once in a snapshot; reads and writes are taken and
    answered at any time, in order, with or without an error; the copier is stopped at any time,
    after an error two clocks later at the latest.

    Parameters
    ----------
    params : SnapshotParams
    """

    def __init__(self, params):
        self._params = params
        self._copier = Copier(params)
        pins = self._copier.signature.members
        super().__init__({
            "at": In(beat_layout(params)),
            "again": In(1),
            **{name: In(pins[name].shape) for name in (
                "open", "vacant", "visit", "follow", "demand", "job", "place", "first", "check_job",
                "check_beat", "stop", "drop", "reset")},
            **{f"{side}_{name}": In(1) for side in ("read", "write")
               for name in ("ready", "answer", "error")},
            "read_data": In(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.copier = copier = self._copier
        depth = self._params.buffer_depth
        m.d.comb += [getattr(copier, name).eq(getattr(self, name)) for name in (
            "open", "vacant", "visit", "follow", "demand", "job", "place", "first", "check_job",
            "check_beat", "stop", "drop", "reset")]
        reads = _Order(m, copier.read, copier.read.payload == self.at, self.read_answer, depth,
                       "read")
        writes = _Order(m, copier.write, copier.write.payload.place == self.at, self.write_answer,
                        depth, "write")
        m.d.comb += [
            copier.read.ready.eq(self.read_ready),
            copier.write.ready.eq(self.write_ready),
            copier.read_answer.valid.eq(reads.answer),
            copier.read_answer.error.eq(self.read_error),
            copier.read_answer.data.eq(self.read_data),
            copier.write_answer.valid.eq(writes.answer),
            copier.write_answer.error.eq(self.write_error),
        ]
        self._fresh = Signal()    # between snapshots: all may be copied again
        m.d.comb += self._fresh.eq(self.reset | self.again)
        self._follow_jobs(m, copier)
        self._stop(m, copier, reads, writes)
        self._check_beat(m, copier, reads, writes)
        return m

    def _follow_jobs(self, m, copier):
        """Opens and visits jobs as the sequencer does it."""
        busy = Signal(self._params.jobs)
        mine = Signal.like(self.job)          # the symbolic beat's job
        blocks = [Signal(self._params.block_bits, name=f"opened{index}")
                  for index in range(self._params.jobs)]
        opened = self.open & (self.place.block == self.at.block)
        been_opened = until(m, opened, self._fresh, "been_opened")
        known = until(m, opened, self._fresh | self.open & (self.job == mine) & ~opened,
                            "known")
        with m.If(opened):
            m.d.sync += mine.eq(self.job)
        with m.If(copier.copied):
            m.d.sync += busy.bit_select(copier.copied_job, 1).eq(0)
        for index, block in enumerate(blocks):
            with m.If(self.open & (self.job == index)):
                m.d.sync += [busy[index].eq(1), block.eq(self.place.block)]
            m.d.sync += Assume(~(self.visit & (self.check_job == index))
                               | (self.place.block == block))
        with m.If(self.reset):
            m.d.sync += busy.eq(0)
        begun = Signal()
        at = Signal.like(self.at)
        m.d.sync += [
            begun.eq(1),
            at.eq(self.at),
            Assume(~begun | (self.at == at)),
            Assume(~self.vacant | ~busy.bit_select(self.job, 1)),
            Assume(~self.open | self.vacant & ~(copier.sweeping | self.stop)),
            Assume(~self.visit | copier.reading.bit_select(self.check_job, 1) & ~self.stop),
            Assume(~(self.open & self.visit) & ~(self.open & self.reset)),
            Assume(~self.visit | self.demand),
            Assume(~(opened & been_opened)),
            Assume(~self.again | ~busy.any() & ~copier.busy & ~self.stop & ~self.open),
            *(Assume((self.place.block if place is self.place else self.at.block)
                     < self._params.blocks) for place in (self.place, self.at)),
        ]
        if self._params.release is Release.CAPTURED:
            wants = self.open & self.demand | self.visit | self.follow
            m.d.sync += Assume(~wants | ~copier.wanted)
        m.d.sync += Assume(~self.follow | ~(self.open | self.visit | self.stop))
        self._known, self._mine = known, mine

    def _stop(self, m, copier, reads, writes):
        """Stops, drops and resets as the lifecycle does it."""
        stopped = past(m, self.stop & ~self.reset)
        offers = {"read": copier.read, "write": copier.write}
        for name, offer in offers.items():
            kept = past(m, offer.valid & ~offer.ready & ~self.drop)
            payload = offer.payload.as_value()
            m.d.sync += [
                Assert(~kept | offer.valid & (payload == past(m, payload)),
                       f"a {name} on offer changes"),
                Assert(~(offer.valid & stopped) | past(m, offer.valid & ~offer.ready),
                       f"a new {name} is made after a stop"),
            ]
        at_work = (copier.read.valid | copier.write.valid | (reads.due != 0) | (writes.due != 0))
        dropped = until(m, self.drop, self.reset, "dropped")
        m.d.sync += [
            Assume(~stopped | self.stop),
            Assume(~self.reset | self.stop & ~at_work),
            Assume(~self.drop | self.stop),
            Assume(~past(m, past(m, copier.error)) | self.stop),
            # A read that was withdrawn still counts
            Assert(Mux(dropped, copier.busy | ~at_work, copier.busy == at_work),
                   "busy is another"),
        ]

    def _check_beat(self, m, copier, reads, writes):
        """The symbolic beat on its way, and what is said of it."""
        known, mine, fresh = self._known, self._mine, self._fresh
        value = Signal()
        read_taken = copier.read.valid & copier.read.ready & (copier.read.payload == self.at)
        write = copier.write.payload
        writing = copier.write.valid & (write.place == self.at)
        write_taken = writing & copier.write.ready
        read = until(m, read_taken, fresh, "been_read")
        captured = until(m, reads.mine, fresh, "been_captured")
        written = until(m, write_taken, fresh, "been_written")
        stored = until(m, writes.mine & ~self.write_error, fresh, "been_stored")
        with m.If(reads.mine):
            m.d.sync += value.eq(self.read_data)
        captured_now = captured | reads.mine
        stored_now = stored | writes.mine & ~self.write_error
        checked = (self.check_job == mine) & (past(m, self.check_beat) == self.at.beat)
        wanted = Signal()      # it is the one that was asked for last
        with m.If(self.visit | self.follow | self.open & self.demand):
            m.d.sync += wanted.eq(self.place == self.at)
        reading = copier.reading.bit_select(mine, 1)
        m.d.sync += [
            Assert(~(copier.read.valid & (copier.read.payload == self.at)) | known & ~read,
                   "a beat is read that is not to be read"),
            Assume(~(self.follow & (self.place == self.at))
                   | known & (read | copier.read.valid & (copier.read.payload == self.at))),
            Assert(~writing | captured & ~written & (write.data == value),
                   "something else than the captured beat is written"),
            Assert(~known | self.stop | reading | read | copier.read.valid
                   & (copier.read.payload == self.at), "a job ends without one of its beats"),
            Assert(~(copier.captured & known & (copier.captured_job == mine)) | captured_now,
                   "captured: it is not"),
            Assert(~(copier.copied & known & ~self.stop & (copier.copied_job == mine))
                   | stored_now, "copied: it is not"),
            Assert(~(copier.check_captured & known & checked) | captured_now,
                   "check_captured: it is not"),
            Assert(~(copier.secured & wanted & known) | captured_now, "secured: it is not"),
        ]
        self._check_error(m, copier, reads, writes)
        visited = until(m, self.visit & (self.check_job == mine) & known, fresh, "been_visited")
        m.d.sync += [
            Cover(copier.copied & known & (copier.copied_job == mine) & visited,
                  "a visited block is copied"),
            Cover(copier.check_captured & checked & known & ~copier.wanted & ~stored,
                  "a beat is known to be captured"),
            Cover(copier.secured & wanted & reading, "a beat is secured before the others"),
            Cover(stored & (mine == 0) & past(m, copier.copied & (copier.copied_job == 1)),
                  "one of several blocks is copied"),
        ]

    def _check_error(self, m, copier, reads, writes):
        first = until(m, copier.error, self.reset, "been_error")
        mine = Signal()
        with m.If(copier.error & ~first):
            m.d.sync += mine.eq(Mux(copier.error_write, writes.mine, reads.mine & self.read_error))
        quiet = Signal(range(4))
        m.d.sync += quiet.eq(Mux(self.stop & ~copier.busy & ~self.reset,
                                 Mux(quiet == 3, 3, quiet + 1), 0))
        m.d.sync += [
            Assert(~(first & mine & (quiet >= 2) & self.stop & ~copier.busy)
                   | (copier.error_block == self.at.block), "error_block is another"),
            Assert(copier.error == (reads.answer & self.read_error
                                    | writes.answer & self.write_error), "error is another"),
        ]
