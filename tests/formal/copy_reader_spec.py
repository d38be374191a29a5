"""The contract of the copier's half that reads, for one beat that stands for all."""

from amaranth.hdl import Array, Assert, Assume, Cat, Const, Cover, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In
from memsnap.copy_reader import CopyReader
from memsnap.params import Release
from memsnap.ranges import beat_layout

from .inside import look_inside
from .inside_reader import walks_of
from .past import past, until
from .peek import peek

__all__ = ["CopyReaderSpec"]


class CopyReaderSpec(wiring.Component):
    """Each beat of an open block is issued once, and what is said of a beat is true.

    Jobs are opened and visited as the sequencer does it, a block once in a snapshot. The buffer is
    a count of beats, with any number of free slots; reads are taken and answered at any time. The
    reader is stopped at any time.

    Parameters
    ----------
    params : SnapshotParams
        With few beats in a block: all of those of one block are followed.
    helped : bool
        With asserts on what lies inside, so that an unbounded proof is short.
    """

    def __init__(self, params, *, helped=True):
        self._params = params
        self._helped = helped
        self._fragment = None
        self._reader = CopyReader(params)
        pins = self._reader.signature.members
        super().__init__({
            "at": In(beat_layout(params)),
            "who": In(range(max(2, params.ports))), "asker": In(range(max(2, params.ports))),
            "again": In(1), "read_ready": In(1),
            **{name: In(pins[name].shape) for name in (
                "open", "vacant", "visit", "follow", "demand", "job", "place", "first", "check_job",
                "check_beat", "read_valid", "stop", "drop", "reset")},
            "free": In(range(params.buffer_depth + 1)),
        })

    def elaborate(self, platform):
        m = Module()
        reader = self._reader
        if self._helped:
            self._fragment, self._inside = look_inside(reader)
        m.submodules.reader = self._fragment or reader
        for name in self.signature.members:
            if name not in {"at", "who", "again", "read_ready", "free"}:
                m.d.comb += getattr(reader, name).eq(getattr(self, name))
        m.d.comb += reader.read.ready.eq(self.read_ready)
        self._fresh = self.reset | self.again      # between snapshots: all may be copied again
        self._buffer(m, reader)
        self._follow_jobs(m, reader)
        self._check_beats(m, reader)
        self._check_offer(m, reader)
        if self._helped:
            self._help_notes(m, reader)
            self._help_runs(m, reader)
        return m

    def _buffer(self, m, reader):
        """Counts what is issued; answers come to requests that were taken."""
        depth = self._params.buffer_depth
        unread = Signal(range(depth + 2))
        due = Signal(range(depth + 2))
        taken = reader.read.valid & self.read_ready
        m.d.comb += [
            reader.unread.eq(unread),
            reader.room.eq(self.free != 0),
            reader.ample.eq(self.free > depth // 8),
        ]
        m.d.sync += [
            unread.eq(Mux(self.reset, 0, unread + reader.issue - self.read_valid)),
            due.eq(due + taken - self.read_valid),
            Assume(self.free + unread <= depth),
            Assume(~self.read_valid | (due != 0)),
            Assume(~self.reset | self.stop & (due == 0) & ~reader.read.valid),
            Assume(~past(m, self.stop & ~self.reset) | self.stop),
            Assume(~self.drop | self.stop),
            Assert(~reader.issue | (self.free != 0), "a read without room for its beat"),
            Assert(unread >= due + reader.read.valid, "unread"),
        ]
        self._unread = unread

    def _follow_jobs(self, m, reader):
        """Opens and visits jobs as the sequencer does it."""
        params = self._params
        busy = [Signal(name=f"busy{index}") for index in range(params.jobs)]
        blocks = [Signal(params.block_bits, name=f"opened{index}") for index in range(params.jobs)]
        mine = Signal.like(self.job)          # the symbolic block's job
        self._answers = [Signal.like(self._unread, name=f"answers{index}")
                         for index in range(params.jobs)]
        opened = self.open & (self.place.block == self.at.block)
        been_opened = until(m, opened, self._fresh, "been_opened")
        known = until(m, opened, self._fresh | self.open & (self.job == mine) & ~opened,
                            "known")
        with m.If(opened):
            m.d.sync += mine.eq(self.job)
        for index, block in enumerate(blocks):
            # Not open again before the last of its beats was captured
            answers = self._answers[index]
            with m.If(self.read_valid & (answers != 0)):
                m.d.sync += answers.eq(answers - 1)
            with m.If(reader.issue & (reader.issue_job == index)):
                m.d.sync += answers.eq(self._unread + 1 - self.read_valid)
            with m.If(self.reset):
                m.d.sync += answers.eq(0)
            with m.If(self.open & (self.job == index)):
                m.d.sync += [busy[index].eq(1), block.eq(self.place.block)]
            with m.Elif(~reader.reading[index] & (answers == 0) | self.reset):
                m.d.sync += busy[index].eq(0)
            m.d.sync += [
                Assume(~self.visit | (self.check_job != index) | (self.place.block == block)),
                Assume(~self.vacant | (self.job != index) | ~busy[index]),
            ]
        begun = Signal()
        kept = Cat(self.at, self.who)
        m.d.sync += [
            begun.eq(1),
            Assume(~begun | (kept == past(m, kept))),
            Assume(~self.open | self.vacant & ~(reader.sweeping | self.stop)),
            Assume(~self.visit | reader.reading.bit_select(self.check_job, 1) & ~self.stop),
            Assume(~(self.open & self.visit)),
            Assume(~self.visit | self.demand),
            Assume(~(opened & been_opened)),
            Assume(~self.again | ~Cat(busy).any() & ~self.stop & ~self.open
                   & (self._unread == 0)),
            Assume((self.job < params.jobs) & (self.check_job < params.jobs)),
            Assume((self.asker < params.ports) & (self.who < params.ports)),
            *(Assume(place.block < params.blocks) for place in (self.place, self.at)),
        ]
        self._begins = begins = self.visit | self.open & self.demand
        m.d.sync += Assume(~self.follow | ~(self.open | self.visit | self.stop))
        if params.release is Release.CAPTURED:
            asked = Signal(params.ports)     # this port's beat is not secured
            m.d.sync += [
                asked.eq(Mux(self.reset, 0, asked & ~reader.secured)
                         | Mux(begins | self.follow, 1 << self.asker, 0)),
                Assume(~begins | ~reader.pending),
                Assume(~(begins | self.follow) | ~asked.bit_select(self.asker, 1)),
                Assert((reader.secured & ~asked) == 0, "secured, but not asked for"),
                Assert(reader.wanted == asked.any(), "wanted is another"),
            ]
        else:
            m.d.sync += Assume(~self.follow)
        self._known, self._mine = known, mine
        self._busy, self._blocks, self._been_opened = busy, blocks, been_opened

    def _check_beats(self, m, reader):
        """The symbolic block's beats, and the symbolic beat's answer."""
        known, mine, fresh = self._known, self._mine, self._fresh
        place = reader.issue_place
        issued = Signal(self._params.block_beats)     # of the symbolic block
        now = Signal.like(issued)
        is_here = reader.issue & (place.block == self.at.block)
        is_mine = is_here & (place.beat == self.at.beat)
        ahead = Signal.like(self._unread)             # answers before the symbolic beat's
        waits = Signal()
        answered = waits & self.read_valid & (ahead == 0)
        self._been_captured = until(m, answered, fresh, "been_captured")
        captured = self._been_captured | answered
        been_issued = issued.bit_select(self.at.beat, 1)
        with m.If(is_here):
            m.d.comb += now.eq(1 << place.beat)
        m.d.sync += issued.eq(Mux(fresh, 0, issued | now))
        with m.If(waits & self.read_valid):
            m.d.sync += [ahead.eq(ahead - 1), waits.eq(ahead != 0)]
        with m.If(is_mine):
            m.d.sync += [waits.eq(1), ahead.eq(self._unread - self.read_valid)]
        with m.If(self.reset):
            m.d.sync += waits.eq(0)
        checked = (self.check_job == mine) & (past(m, self.check_beat) == self.at.beat) & known
        wanted = Signal()      # it is the one that a port asked for last
        asks = Const(1) if self._params.release is Release.COPIED else self.asker == self.who
        with m.If((self._begins | self.follow) & asks):
            m.d.sync += wanted.eq(self.place == self.at)
        reading = reader.reading.bit_select(mine, 1)
        secured = reader.secured.bit_select(self.who, 1)
        m.d.sync += [
            Assume(~(self.follow & (self.place == self.at)) | known & been_issued),
            Assert(~is_here | known & (reader.issue_job == mine),
                   "a beat of a block that is not open is read"),
            Assert((issued & now) == 0, "a beat is read twice"),
            Assert(~is_here | (reader.issue_last == (issued | now).all()),
                   "another beat is said to be the last"),
            Assert(~known | self.stop | (reading == ~issued.all()), "a job ends at another time"),
            Assert(~(secured & wanted & known) | captured, "secured: it is not"),
            Assert(~(reader.check_captured & checked) | captured, "check_captured: it is not"),
            Assert(~(reader.check_issued & checked) | been_issued, "check_issued: it is not"),
        ]
        visited = until(m, self.visit & (self.check_job == mine) & known, fresh, "been_visited")
        m.d.sync += [
            Cover(is_mine & reader.issue_last & visited, "a visited block is read to its end"),
            Cover(reader.check_captured & checked & ~wanted, "the run of a visit is followed"),
            Cover(secured & wanted & known & reading, "a beat is secured before the others"),
        ]
        self._issued, self._waits, self._ahead, self._wanted = issued, waits, ahead, wanted

    def _check_offer(self, m, reader):
        """Each issued beat is on offer from the next clock until it is taken."""
        offer = reader.read
        payload = offer.payload.as_value()
        kept = past(m, offer.valid & ~offer.ready & ~self.drop)
        issued = past(m, reader.issue)
        m.d.sync += [
            Assert(offer.valid == (kept | issued), "a read is lost or made up"),
            Assert(~kept | (payload == past(m, payload)), "a read on offer changes"),
            Assert(~issued | (payload == past(m, reader.issue_place.as_value())),
                   "another beat than issued is read"),
            Assert(~(reader.issue & self.stop), "a new read is made after a stop"),
        ]

    def _help_notes(self, m, reader):
        """What the notes mean: a beat that was read, in each job."""
        inside = self._inside
        beats = self._params.block_beats
        bits = self._params.beat_bits
        shown = Signal()     # the note of the beat at hand
        at_hand = Signal.like(self.at.beat)
        again = Signal()     # it is read once more, by a visit
        lefts, at, visits = walks_of(inside, self._params)
        for job in range(self._params.jobs):
            left, beat, visited = lefts[job], at[job], visits[job]
            # What is written in the next clock counts as written
            phase = Mux(inside["set_phase__en"] & (inside["set_phase__addr"] == job),
                        inside["set_phase__data"], inside[f"phases[{job}]"])
            swept = reader.sweeping & (inside["sweep"] > job * beats)
            notes = Cat(peek(self._fragment, "notes",
                             Const(job << bits | each, bits + len(self.job)))
                        for each in range(beats))
            is_late = inside["set_note__en"] & (inside["set_note__addr"][bits:] == job)
            late = Mux(is_late, 1 << inside["set_note__addr"][:bits], 0)
            notes = Mux(inside["set_note__data"], notes | late, notes & ~late)
            read = notes ^ phase.replicate(beats)
            here = self._known & (self._mine == job)
            unread = sum(((~read)[each] for each in range(beats)), Const(0, 1))
            with m.If(inside["now"] == job):
                m.d.comb += [shown.eq(read.bit_select(beat, 1)), at_hand.eq(beat),
                             again.eq((left != 0) & visited & ~reader.sweeping)]
            m.d.sync += [
                Assert(reader.sweeping | (left == Mux(left == 0, 0, unread)), "left"),
                Assert((left != 0) == reader.reading[job], "reading"),
                Assert(reader.sweeping | (left != 0) | (read == 0), "notes of no job"),
                Assert(~here | (left == 0) | (read == self._issued), "notes of the block"),
                *(Assert(visited | (left <= step)
                         | ~read.bit_select((beat + step)[:bits], 1), "beats in order")
                  for step in range(beats)),
                *(Assert(~reader.sweeping | (job * beats + each >= inside["sweep"])
                         | ~(read[each] ^ phase), "notes swept") for each in range(beats)),
                Assert(~swept | ~phase, "phase swept"),
                Assert(~reader.sweeping | (left == 0), "a job while sweeping"),
                Assert((left == 0) | self._busy[job]
                       & (inside[f"blocks[{job}]"] == self._blocks[job]), "block"),
                Assert((left == 0) | (here == (self._blocks[job] == self.at.block)), "here"),
                Assert(~(here & ~self.stop & (left == 0)) | self._issued.all(), "all read"),
                Assert(~(inside["asked"] & (inside["now"] == job)) | visited & (left != 0),
                       "asked"),
            ]
        if self._params.deep_notes:
            m.d.sync += [
                Assert(~(inside["read"] & again) | (inside["shown"] == shown), "note that comes"),
                Assert(~inside["asked"] | ~inside["read"] & ~inside["set_note__en"], "asked"),
            ]
        else:
            m.d.sync += [
                Assert(~again | (inside["late"][0] == inside["set_note__en"] & (
                    inside["set_note__addr"] == Cat(at_hand, inside["now"]))), "a late note"),
                Assert(~(again & inside["late"][0]) | shown, "no note comes"),
            ]
        m.d.sync += [
            Assert(inside["more"] == reader.reading.bit_select(inside["now"], 1), "more"),
            Assert(inside["now"] < self._params.jobs, "now"),
            Assert(self._been_opened | ~self._known & (self._issued == 0) & ~self._been_captured,
                   "opened"),
            Assert(~inside["asked"] | (inside["noted"] == shown), "the note at hand"),
            Assert(reader.sweeping | (inside["sweep"] == 0), "sweep"),
        ]

    def _help_runs(self, m, reader):
        """Where the answers stand that runs and wanted beats wait for."""
        inside = self._inside
        known, waits, ahead, unread = self._known, self._waits, self._ahead, self._unread
        growing, before = inside["growing"], inside["before"]
        # Of a run that is new, what they hold is still that of the one before
        issued, captured = (Mux(inside["new"], 0, inside[name]) for name in ("issued", "captured"))
        left = Array(walks_of(inside, self._params)[0])[inside["job"]]
        distance = Signal.like(self.at.beat)
        strict = self._params.release is Release.COPIED
        m.d.comb += distance.eq(self.at.beat - inside["first"])
        in_run = known & (inside["job"] == self._mine) & (distance < issued)
        been_issued = self._issued.bit_select(self.at.beat, 1)
        m.d.sync += [
            Assert(captured <= issued, "captured"),
            Assert(issued <= self._params.block_beats, "issued"),
            Assert(~in_run | been_issued, "run issued"),
            Assert(~(in_run & waits) | (ahead + captured == before + distance), "run"),
            Assert(~(growing & (left != 0)) | (inside["now"] == inside["job"])
                   & (unread + captured == before + issued), "run grows"),
            Assert((captured == 0) | (before == 0), "before"),
            Assert((issued == 0) | (before + issued <= unread + captured), "run waits"),
            Assert(~waits | known & been_issued & ~self._been_captured, "waits"),
            Assert(~(known & been_issued) | waits | self._been_captured, "captured"),
            Assert(~waits | (ahead < Array(self._answers)[self._mine]), "ahead"),
            *(Assert((answers <= unread) & ((answers == 0) | busy), "answers")
              for answers, busy in zip(self._answers, self._busy, strict=True)),
            *(Assert(~(known & self._wanted & inside["waits"][port] & (self.who == port)
                       & ~(reader.pending & (inside["whose"] == port)))
                     | been_issued & (~waits | (inside[f"due{port}"] > ahead)), "due")
              for port in range(1 if strict else self._params.ports)),
        ]
