"""The contract of the copier's buffer, for one beat that stands for all."""

from amaranth.hdl import Assert, Assume, Cat, Cover, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In
from memsnap.copy_buffer import CopyBuffer

from .inside import look_inside
from .peek import peek

__all__ = ["CopyBufferSpec"]


class CopyBufferSpec(wiring.Component):
    """What is read for a place is written to it, once, in the order of issue; jobs' ends are told.

    Any issue may be the one that is followed, with ``pick``. Answers come at any time, in order,
    with or without an error; the buffer is stopped at any time, after an error at once.

    Parameters
    ----------
    params : SnapshotParams
    """

    def __init__(self, params):
        self._params = params
        self._buffer = CopyBuffer(params)
        pins = self._buffer.signature.members
        super().__init__({
            "pick": In(1), "write_ready": In(1),
            **{name: In(pins[name].shape) for name in (
                "issue", "issue_place", "issue_job", "issue_last", "read_valid", "read_error",
                "write_valid", "write_error", "stop", "drop", "reset")},
            "read_data": In(1),
        })

    def elaborate(self, platform):
        m = Module()
        buffer = self._buffer
        self._fragment, self._inside = look_inside(buffer)
        m.submodules.buffer = self._fragment
        depth = self._params.buffer_depth
        for name in self.signature.members:
            if name not in {"pick", "write_ready"}:
                m.d.comb += getattr(buffer, name).eq(getattr(self, name))
        m.d.comb += buffer.write.ready.eq(self.write_ready)
        unread, unwritten, writing, ends = (Signal(range(depth + 2), name=name) for name in (
            "reads", "captures", "writes", "ends"))
        take = buffer.write.valid & self.write_ready
        used = unread + unwritten + writing
        m.d.sync += [
            unread.eq(unread + self.issue - self.read_valid),
            unwritten.eq(unwritten + self.read_valid - take),
            writing.eq(writing + take - self.write_valid),
            ends.eq(ends + (self.issue & self.issue_last)),
        ]
        with m.If(self.reset):
            m.d.sync += [each.eq(0) for each in (unread, unwritten, writing, ends)]
        self._assume(m, buffer, unread=unread, writing=writing)
        m.d.sync += [
            Assert(buffer.free == depth - used, "free is another count"),
            Assert(buffer.unread == unread, "unread is another count"),
            Assert(~buffer.write.valid | (unwritten != 0), "a beat is written before it is read"),
            Assert(buffer.quiet == ((unread == 0) & (writing == 0) & ~buffer.write.valid),
                   "quiet is something else"),
        ]
        self._help(m, unread=unread, unwritten=unwritten, writing=writing)
        self._follow(m, buffer, unread=unread, unwritten=unwritten, writing=writing)
        return m

    def _help(self, m, *, unread, unwritten, writing):
        """What the pointers inside mean: asserts with which the unbounded proof is short."""
        inside = self._inside
        size = len(inside["issued"])
        for ahead, behind, count in (("issued", "read", unread), ("read", "taken", unwritten),
                                     ("taken", "answered", writing)):
            m.d.sync += Assert((inside[ahead] - inside[behind])[:size] == count[:size],
                               f"{ahead} and {behind}")
        jobs = self._params.jobs
        m.d.sync += [
            Assert(inside["unwritten"] == unwritten, "unwritten"),
            Assert(inside["writing"] == writing, "writing"),
            Assert(unread + unwritten + writing <= self._params.buffer_depth, "depth"),
            Assert(~inside["offered"] | (unwritten != 0), "offered"),
            Assert(self._jobs <= jobs, "jobs"),
            Assert(inside["uncopied"] <= self._jobs, "uncopied"),
            Assert(inside["uncaptured"] <= inside["uncopied"], "uncaptured"),
            *(Assert((inside["put"] - inside[pointer])[:len(inside["put"])]
                     == inside[count][:len(inside["put"])], f"put and {pointer}")
              for pointer, count in (("capture", "uncaptured"), ("copy", "uncopied"))),
        ]
        # The slots that end a job, from the oldest on, are in use and in the order of the ring
        offset = [Signal.like(unread, name=f"offset{index}") for index in range(jobs)]
        self._ends = [data.View(data.StructLayout({"slot": size, "job": len(self.issue_job)}),
                                inside[f"end{index}"]) for index in range(jobs)]
        self._waits = [((index - inside["copy"])[:len(inside["copy"])] < inside["uncopied"])
                       for index in range(jobs)]
        self._uncaptured = [((index - inside["capture"])[:len(inside["copy"])]
                             < inside["uncaptured"]) for index in range(jobs)]
        for index in range(jobs):
            after = (index + 1) % jobs
            m.d.comb += offset[index].eq(
                (self._ends[index].slot - inside["answered"])[:size])
            m.d.sync += [
                Assert(~self._waits[index] | (offset[index] < unread + unwritten + writing), "end"),
                Assert(~(self._waits[index] & self._waits[after] & (after != inside["copy"]))
                       | (offset[index] < offset[after]), "order of ends"),
                Assert(~self._waits[index] | (self._uncaptured[index]
                                              == (offset[index] >= writing + unwritten)),
                       "end captured"),
            ]

    def _before(self, m, value):
        before = Signal.like(value)
        m.d.sync += before.eq(value)
        return before

    def _assume(self, m, buffer, *, unread, writing):
        """What the rest of the copier keeps to, and the offer of a write."""
        stopped = self._before(m, self.stop & ~self.reset)
        offer = buffer.write
        offered = self._before(m, offer.valid & ~offer.ready)
        kept = self._before(m, offer.valid & ~offer.ready & ~self.drop)
        # No more jobs than there are end before they are copied
        self._jobs = jobs = Signal(range(self._params.jobs + 1))
        copied = Signal()
        m.d.comb += copied.eq(buffer.copied)
        m.d.sync += jobs.eq(Mux(self.reset, 0, jobs + (self.issue & self.issue_last) - copied))
        m.d.sync += [
            Assume(~(self.issue & self.issue_last) | (jobs != self._params.jobs)),
            Assume(~self.issue | (buffer.free != 0) & ~self.stop),
            Assume(~self.read_valid | (unread != 0)),
            Assume(~self.write_valid | (writing != 0)),
            Assume(~stopped | self.stop),
            Assume(~self.drop | self.stop),
            Assume(~self.reset | self.stop & (writing == 0) & ~offer.valid),
            Assume(~self._before(m, buffer.error) | self.stop),
            Assert(~kept | offer.valid & (offer.payload.as_value()
                                          == self._before(m, offer.payload.as_value())),
                   "a write on offer changes"),
            Assert(~(offer.valid & stopped) | offered, "a new write is made after a stop"),
            Assert(~self._inside["waiting"] | kept & self._inside["offered"], "waiting"),
        ]

    def _follow(self, m, buffer, *, unread, unwritten, writing):
        """The beat that was picked: its answers, its write, its job."""
        offer = buffer.write
        place = Signal.like(self.issue_place)
        job = Signal.like(self.issue_job)
        last = Signal()
        value = Signal()
        waits, captured, taken = (Signal(name=name) for name in ("waits", "captured", "taken"))
        ahead = Signal.like(unread)     # older beats that are still where the next step is
        picked = waits | captured | taken
        pick = self.pick & self.issue & ~picked
        take = offer.valid & offer.ready
        turn = ahead == 0
        is_read = waits & self.read_valid & turn
        is_taken = captured & take & turn
        is_written = taken & self.write_valid & turn
        step = (waits & self.read_valid) | (captured & take) | (taken & self.write_valid)
        with m.If(step & ~turn):
            m.d.sync += ahead.eq(ahead - 1)
        with m.If(pick):
            m.d.sync += [waits.eq(1), place.eq(self.issue_place), job.eq(self.issue_job),
                         last.eq(self.issue_last), ahead.eq(unread - self.read_valid)]
        with m.If(is_read):
            m.d.sync += [waits.eq(0), captured.eq(1), value.eq(self.read_data),
                         ahead.eq(unwritten - take)]
        with m.If(is_taken):
            m.d.sync += [captured.eq(0), taken.eq(1), ahead.eq(writing - self.write_valid)]
        with m.If(is_written):
            m.d.sync += taken.eq(0)
        with m.If(self.reset):
            m.d.sync += [waits.eq(0), captured.eq(0), taken.eq(0)]
        slot = Signal.like(self._inside["issued"])
        with m.If(pick):
            m.d.sync += slot.eq(self._inside["issued"])
        m.d.sync += [
            Assert(waits + captured + taken <= 1, "one step"),
            Assert(~picked | (peek(self._fragment, "places", slot) == place), "place"),
            Assert(~(captured | taken) | (peek(self._fragment, "beats", slot)[0] == value),
                   "data"),
        ]
        for at, pointer, count in ((waits, "read", unread), (captured, "taken", unwritten),
                                   (taken, "answered", writing)):
            m.d.sync += Assert(~at | (ahead < count) & (
                (slot - self._inside[pointer])[:len(slot)] == ahead[:len(slot)]), pointer)
        mine = [self._ends[index].slot == slot for index in range(self._params.jobs)]
        m.d.sync += [Assert(~(picked & self._waits[index] & mine[index])
                            | last & (self._ends[index].job == job), "the slot's end")
                     for index in range(self._params.jobs)]
        m.d.sync += [
            Assert(~(picked & last) | Cat(self._waits[index] & mine[index]
                                          for index in range(self._params.jobs)).any(),
                   "the end's slot"),
            Assert(~(captured & turn & offer.valid)
                   | (offer.payload.place == place) & (offer.payload.data == value),
                   "another place or value is written"),
            Assert(~is_read | (buffer.captured == last) & (~last | (buffer.captured_job == job)),
                   "captured is something else"),
            Assert(~is_written | (buffer.copied == (last & ~self.write_error))
                   & (~last | (buffer.copied_job == job)), "copied is something else"),
            Assert(~buffer.captured | self.read_valid, "captured without an answer"),
            Assert(~buffer.copied | self.write_valid, "copied without an answer"),
            Cover(is_written & last & (job != 0), "the last beat of a job is copied"),
            Cover(is_written & (unread + unwritten + writing == self._params.buffer_depth),
                  "a beat is copied while the buffer is full"),
        ]
        self._check_error(m, buffer, failing=Mux(buffer.error_write, is_written, is_read),
                          place=place, picked=picked)

    def _check_error(self, m, buffer, *, failing, place, picked):
        erred = Signal()
        mine = Signal()
        block = Signal(self._params.block_bits)
        quiet = Signal(range(4))
        with m.If(buffer.error & ~erred):
            m.d.sync += [erred.eq(1), mine.eq(failing), block.eq(place.block)]
        with m.If(self.reset):
            m.d.sync += erred.eq(0)
        failed = data.View(self.issue_place.shape(), peek(
            self._fragment, "places", self._inside["failed_slot"]))
        m.d.sync += [
            Assert(self._inside["erred"] == erred, "erred"),
            Assert(~erred | self._before(m, self.stop | buffer.error), "a stop after an error"),
            Assert(~(erred & mine) | (failed.block == block), "failed slot"),
        ]
        is_quiet = self.stop & buffer.quiet & ~self.reset
        m.d.sync += [
            quiet.eq(Mux(is_quiet, Mux(quiet == 3, 3, quiet + 1), 0)),
            Assert(buffer.error == (self.read_valid & self.read_error
                                    | self.write_valid & self.write_error), "error is another"),
            Assert(~(erred & mine & is_quiet & (quiet >= 2)) | (buffer.error_block == block),
                   "error_block is another"),
            Cover(erred & mine & is_quiet & (quiet >= 2) & (block != 0), "a failure is reported"),
        ]
