"""The contract of the copier's buffer, for one beat that stands for all."""

from amaranth.hdl import Assert, Assume, Cat, Cover, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In
from memsnap.copy_buffer import CopyBuffer

from .inside import look_inside
from .past import past
from .peek import peek

__all__ = ["CopyBufferSpec"]


class CopyBufferSpec(wiring.Component):
    """What is read for a place is written to it, once, in the order of issue; jobs' ends are told.

    Any issue may be the one that is followed, with ``pick``. Answers come at any time, in order,
    with or without an error; the buffer is stopped at any time, after an error two
    clocks later at the latest.

    Parameters
    ----------
    params : SnapshotParams
    helped : bool
        With asserts on what lies inside, so that an unbounded proof is short.
    """

    def __init__(self, params, *, helped=True):
        self._params = params
        self._helped = helped
        self._fragment = None
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
        if self._helped:
            self._fragment, self._inside = look_inside(buffer)
        m.submodules.buffer = self._fragment or buffer
        depth = self._params.buffer_depth
        for name in self.signature.members:
            if name not in {"pick", "write_ready"}:
                m.d.comb += getattr(buffer, name).eq(getattr(self, name))
        m.d.comb += buffer.write.ready.eq(self.write_ready)
        unread, unwritten, writing = (Signal(range(depth + 2), name=name) for name in (
            "reads", "captures", "writes"))
        take = buffer.write.valid & self.write_ready
        used = unread + unwritten + writing
        m.d.sync += [
            unread.eq(unread + self.issue - self.read_valid),
            unwritten.eq(unwritten + self.read_valid - take),
            writing.eq(writing + take - self.write_valid),
        ]
        with m.If(self.reset):
            m.d.sync += [each.eq(0) for each in (unread, unwritten, writing)]
        self._assume(m, buffer, unread=unread, writing=writing)
        m.d.sync += [
            Assert(buffer.room == (depth - used != 0), "room"),
            Assert(buffer.ample == (depth - used > depth // 8), "ample"),
            Assert(buffer.unread == unread, "unread is another count"),
            Assert(~buffer.write.valid | (unwritten != 0), "a beat is written before it is read"),
            Assert(buffer.quiet == ((unread == 0) & (writing == 0) & ~buffer.write.valid),
                   "quiet is something else"),
        ]
        self._follow(m, buffer, unread=unread, unwritten=unwritten, writing=writing)
        if self._helped:
            counts = {"read": unread, "taken": unwritten, "answered": writing}
            m.d.sync += Assert(self._inside["free"] == depth - used, "free is another count")
            self._help_counts(m, counts)
            self._help_picked(m, buffer, counts)
        return m

    def _assume(self, m, buffer, *, unread, writing):
        """What the rest of the copier keeps to, and the offer of a write."""
        stopped = past(m, self.stop & ~self.reset)
        just_errored = past(m, buffer.error)
        errored = past(m, just_errored)
        offer = buffer.write
        offered = past(m, offer.valid & ~offer.ready)
        kept = past(m, offer.valid & ~offer.ready & ~self.drop)
        m.d.sync += [
            Assume(~self.issue | buffer.room & ~self.stop & ~buffer.erred),
            Assume(~self.read_valid | (unread != 0)),
            Assume(~self.write_valid | (writing != 0)),
            Assume(~stopped | self.stop),
            Assume(~self.drop | self.stop),
            Assume(~self.reset | self.stop & (writing == 0) & ~offer.valid),
            Assume(~errored | self.stop),
            Assert(~kept | offer.valid & (offer.payload.as_value()
                                          == past(m, offer.payload.as_value())),
                   "a write on offer changes"),
            Assert(~(offer.valid & stopped) | offered, "a new write is made after a stop"),
        ]
        self._stopped = stopped
        self._errored = just_errored | errored

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
        m.d.sync += [
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
                          place=place)
        self._picked = {"pick": pick, "place": place, "value": value, "job": job, "last": last,
                        "ahead": ahead, "waits": waits, "captured": captured, "taken": taken}

    def _check_error(self, m, buffer, *, failing, place):
        erred = Signal()
        mine = Signal()
        block = Signal(self._params.block_bits)
        quiet = Signal(range(4))
        self._failed = {"erred": erred, "mine": mine, "block": block, "quiet": quiet}
        with m.If(buffer.error & ~erred):
            m.d.sync += [erred.eq(1), mine.eq(failing), block.eq(place.block)]
        with m.If(self.reset):
            m.d.sync += erred.eq(0)
        is_quiet = self.stop & buffer.quiet & ~self.reset
        m.d.sync += [
            quiet.eq(Mux(is_quiet, Mux(quiet == 3, 3, quiet + 1), 0)),
            Assert(buffer.error == (self.read_valid & self.read_error
                                    | self.write_valid & self.write_error), "error is another"),
            Assert(~(erred & mine & is_quiet & (quiet >= 2)) | (buffer.error_block == block),
                   "error_block is another"),
            Cover(erred & mine & is_quiet & (quiet >= 2) & (block != 0), "a failure is reported"),
        ]

    def _help_counts(self, m, counts):
        """What the pointers inside mean."""
        inside = self._inside
        bits = len(inside["issued"])
        taken = (inside["answered"] + counts["answered"])[:bits]
        self._pointers = {"read": inside["read"], "taken": taken, "answered": inside["answered"]}
        ahead = inside["issued"]
        for name, pointer in self._pointers.items():
            m.d.sync += Assert((ahead - pointer)[:bits] == counts[name][:bits], name)
            ahead = pointer
        m.d.sync += [
            Assert(self._stopped
                   | (inside["fetched"] == (taken + inside["write__valid"])[:bits]), "fetched"),
            Assert(inside["writing"] == counts["answered"], "writing"),
            Assert(sum(counts.values()) <= self._params.buffer_depth, "depth"),
            Assert(~inside["write__valid"] | (counts["taken"] != 0), "offered"),
        ]

    def _help_picked(self, m, buffer, counts):
        """The slot of the beat that was picked, and of the first that failed."""
        inside, picked, failed = self._inside, self._picked, self._failed
        slot = Signal.like(inside["issued"])
        with m.If(picked["pick"]):
            m.d.sync += slot.eq(inside["issued"])
        place = peek(self._fragment, "places", slot)
        steps = {"read": picked["waits"], "taken": picked["captured"], "answered": picked["taken"]}
        for name, here in steps.items():
            m.d.sync += Assert(~here | (picked["ahead"] < counts[name]) & (
                (slot - self._pointers[name])[:len(slot)] == picked["ahead"][:len(slot)]), name)
        owner = peek(self._fragment, "owners", slot)
        is_picked = Cat(steps.values()).any()
        taken = self._pointers["taken"]
        failed_place = peek(self._fragment, "places", inside["failed_slot"])
        m.d.sync += [
            Assert(sum(steps.values()) <= 1, "one step"),
            Assert(~is_picked | (place == picked["place"]), "place"),
            Assert(~(steps["taken"] | steps["answered"])
                   | (peek(self._fragment, "beats", slot) == picked["value"]), "data"),
            Assert(~is_picked | (owner.last == picked["last"]) & (owner.job == picked["job"]),
                   "owner"),
            Assert(~inside["write__valid"]
                   | (buffer.write.payload.place == peek(self._fragment, "places", taken))
                   & (buffer.write.payload.data == peek(self._fragment, "beats", taken)),
                   "offer"),
            Assert(inside["erred"] == failed["erred"], "erred"),
            Assert((failed["quiet"] == 0) | self._stopped & self.stop & buffer.quiet, "quiet"),
            Assert(~(failed["erred"] & (failed["quiet"] >= 2))
                   | (buffer.error_block == failed_place.block), "shown"),
            Assert(~(failed["erred"] & (failed["quiet"] != 0))
                   | (inside["fetched"] == inside["failed_slot"]), "fetched failed"),
            Assert(~failed["erred"] | self._stopped | self._errored, "stop"),
            Assert(~(failed["erred"] & failed["mine"]) | (failed_place.block == failed["block"]),
                   "failed slot"),
        ]
