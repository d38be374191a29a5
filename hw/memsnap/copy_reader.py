"""The half of the copier that reads: walks the open blocks, the wanted beat first."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from .arithmetic import is_below_soon
from .params import Release
from .ranges import beat_layout

__all__ = ["CopyReader", "walk_layout"]


def walk_layout(params):
    """Where the reading of a block is."""
    return data.StructLayout({
        "beat": unsigned(params.beat_bits),         # the next
        "left": range(params.block_beats + 1),      # how many are to be read
        "circle": unsigned(params.beat_bits),       # where it goes on, if
        "away": unsigned(1),                        # it is on an excursion
        "visited": unsigned(1),                     # it was on one
    })


def _lowest(mask):
    """The number of the lowest bit that is set, if any is."""
    if len(mask) <= 1:
        return Const(0, 0)
    half = 1 << (len(mask) - 1).bit_length() - 1
    low = mask[:half]
    return Cat(Mux(low.any(), _lowest(low), _lowest(mask[half:])), ~low.any())


class CopyReader(wiring.Component):
    """Reads the beats of the open jobs' blocks.

    A job is a block that is being copied. Its beats are read in a circle, from the beat that it
    was opened with, until all have been read. A *visit* makes an excursion from the circle: from
    another beat on, up to one that was read before; then the circle goes on. A note of each beat
    that was read (one bit a beat, in RAM) says which to pass over, so that no beat is read twice,
    and each costs a step of the circle at the most. Several jobs may be open; the one that was
    opened for a demand or visited last is read first, then those that are ``first``, then the
    others, each in turn. Which of them comes next is decided a clock ahead: a job that comes to
    hand with one beat left is followed by a clock without a read. While none is open, one that is
    opened is at hand in the next clock.

    A request is in a register of its own: it is made in the clock after the decision. Beats that
    were visited may use the last slots of the buffer, all others leave an eighth of it free.

    Parameters
    ----------
    params : SnapshotParams

    Members
    -------
    open : ``In(1)``
        Opens job ``job`` for the block and first beat in ``place``; needs ``vacant``.
    vacant : ``In(1)``
        That job is not open: what is kept of it may be written.
    visit : ``In(1)``
        Goes on with ``check_job`` at the beat in ``place``.
    follow : ``In(1)``
        A beat of which a read was issued is wanted.
    demand : ``In(1)``
        With ``open``: as urgent as a visit. With ``visit``: 1. May be 1 without any; notes that are
        read ahead then wait for a clock.
    job, place : ``In(range(jobs))``, ``In(beat_layout)``
    asker : ``In(range(ports))``
        With ``visit``, ``follow`` and ``demand``: whose write waits for the beat.
    pending : ``Out(1)``
        The beat that was opened for a demand, or visited, last is not read yet. With
        ``release="captured"`` none other may be, nor one of the same port before it is secured.
    wanted : ``Out(1)``
        A beat that was opened for a demand, visited or followed is not yet captured.
    urgent : ``Out(1)``
        The bus has not taken the read of such a beat yet, and is to be kept for it: the read is on
        offer, or waits for another one or for a slot of the buffer.
    secured : ``Out(ports)``
        In this clock the one of this port is being captured; one clock. Strictly, the last of any
        port is followed alone, as the first port's.
    reading : ``Out(jobs)``
        Jobs with beats to read.
    first : ``In(jobs)``
        Jobs that are read before those that are not.
    check_job, check_beat : ``In(range(jobs))``, ``In(beat_bits)``
    check_captured, check_issued : ``Out(1)``
        For certain, the beat of the clock before, of that job, is captured, or will be without a
        visit. Known for the beats that follow the one visited last; 0 does not say the contrary.
    read : ``Out(stream.Signature(beat_layout))``
    issue, issue_place, issue_job, issue_last, room, ample, unread, read_valid
        See :class:`CopyBuffer`.
    stop : ``In(1)``
        Makes no new requests.
    drop : ``In(1)``
        With ``stop``: withdraws the request on offer.
    reset : ``In(1)``
        Closes all jobs and starts a sweep of the notes; allowed with ``stop`` and no
        ``read.valid``.
    sweeping : ``Out(1)``
        A sweep is going on, one clock a note; no job may be opened. So it is after a reset.
    """

    def __init__(self, params):
        self._params = params
        place = beat_layout(params)
        job = range(params.jobs)
        count = range(params.buffer_depth + 1)
        super().__init__({
            "open": In(1),
            "vacant": In(1),
            "visit": In(1),
            "follow": In(1),
            "demand": In(1),
            "job": In(job),
            "place": In(place),
            "asker": In(range(params.ports)),
            "pending": Out(1),
            "wanted": Out(1),
            "urgent": Out(1),
            "secured": Out(params.ports),
            "reading": Out(params.jobs),
            "first": In(params.jobs),
            "check_job": In(job),
            "check_beat": In(params.beat_bits),
            "check_captured": Out(1),
            "check_issued": Out(1),
            "read": Out(stream.Signature(place)),
            "issue": Out(1),
            "issue_place": Out(place),
            "issue_job": Out(job),
            "issue_last": Out(1),
            "room": In(1),
            "ample": In(1),
            "unread": In(count),
            "read_valid": In(1),
            "stop": In(1),
            "drop": In(1),
            "reset": In(1),
            "sweeping": Out(1, init=1 if params.beat_bits else 0),
        })
        self._walk = walk_layout(params)
        self._commanded = Mux(self.visit, self.check_job, self.job)     # the job of a command

    def elaborate(self, platform):
        m = Module()
        jobs = self._params.jobs
        now = Signal(range(jobs))        # the job that is being read
        at_hand = Signal(self._walk)     # where it is
        more = Signal()                  # it has beats to read
        room = Signal()
        passed = Signal()                # the beat at hand needs no read
        decided = Signal()               # it is known whether it does
        skip = Signal()

        # One step of the circle; the beat at hand is the wanted one while that is pending
        m.d.comb += [
            room.eq(Mux(self.pending, self.room, self.ample)),
            self.issue.eq(more & decided & ~passed & room & ~self.stop
                          & (~self.read.valid | self.read.ready)),
            skip.eq(more & decided & passed),
            self.issue_place.beat.eq(at_hand.beat),
            self.issue_job.eq(now),
            self.issue_last.eq(at_hand.left == 1),
        ]
        with m.If(self.issue):
            m.d.sync += self.read.payload.eq(self.issue_place)
        m.d.sync += self.read.valid.eq(self.issue
                                   | (self.read.valid & ~self.read.ready & ~self.drop))

        self._walk_on(m, now=now, at_hand=at_hand, more=more, skip=skip)
        self._note_beats(m, now=now, at_hand=at_hand, more=more, decided=decided, passed=passed,
                         skip=skip)
        self._secure(m, more=more, skip=skip)
        self._follow_run(m, now=now, skip=skip)
        with m.If(self.reset):
            m.d.sync += [self.reading.eq(0), more.eq(0)]
        return m

    def _walk_on(self, m, *, now, at_hand, more, skip):
        """Which job is read, and where it is. Where the others are is kept in RAM."""
        jobs = self._params.jobs
        m.submodules.blocks = blocks = Memory(shape=unsigned(self._params.block_bits), depth=jobs,
                                              init=[])
        m.submodules.walks = walks = Memory(shape=self._walk, depth=jobs, init=[])
        put_block, put = blocks.write_port(), walks.write_port()
        get_block, get_other, get_job = (ram.read_port(domain="comb")
                                         for ram in (blocks, walks, walks))
        other = Signal(range(jobs))      # the job to go on with, chosen in the clock before
        other_valid = Signal()
        chosen = Signal()                # there was one
        moved = Signal()                 # another job was at hand then
        others = Signal(jobs)
        last = Signal()                  # the job at hand has no more beats after this clock
        begins = Signal()                # the job of the command is read from the next clock on
        theirs = Signal(self._walk)      # where the job of a visit is
        opened = Signal(self._walk)
        same = self.check_job == now     # a visit's job is the one at hand

        # The next in turn: one behind ``now``, else one before it
        behind = Cat(now < index for index in range(jobs))
        turn = _lowest(others)
        for mask in others & behind, others & self.first, others & self.first & behind:
            turn = Mux(mask.any(), _lowest(mask), turn)
        m.d.sync += [
            other.eq(turn),
            chosen.eq(others.any() & ~self.reset),
            moved.eq(begins | ((~more | last) & other_valid)),
        ]
        m.d.comb += [
            others.eq(self.reading & ~(1 << now)),
            other_valid.eq(chosen & ~moved),
            last.eq(self.issue & self.issue_last),
            begins.eq(self.visit | (self.open & (self.demand | (~more & ~other_valid)))),
            get_block.addr.eq(now),
            self.issue_place.block.eq(get_block.data),
            # What is kept of a job that is not open means nothing
            put_block.en.eq(self.vacant),
            put_block.addr.eq(self.job),
            put_block.data.eq(self.place.block),
            get_other.addr.eq(other),
            get_job.addr.eq(self.check_job),
            theirs.eq(Mux(same, at_hand, get_job.data)),
            opened.beat.eq(self.place.beat),
            opened.left.eq(self._params.block_beats),
        ]

        # Whether a read is issued is known last: where the job at hand is after this clock if one
        # is, and if none is
        if_issued, if_not, after = (Signal(self._walk, name=name) for name in
                                    ("if_issued", "if_not", "after"))
        following = Signal(self._walk)   # what is read next without a command
        m.d.comb += [
            if_issued.eq(at_hand),
            if_issued.left.eq(at_hand.left - 1),
            if_issued.beat.eq(at_hand.beat + 1),
            if_not.eq(at_hand),
            after.eq(Mux(self.issue, if_issued, if_not)),
            following.eq(Mux(
                self.issue, Mux(self.issue_last & other_valid, get_other.data, if_issued),
                Mux(~more & other_valid, get_other.data, if_not))),
        ]
        with m.If(skip):
            m.d.comb += [
                if_not.beat.eq(Mux(at_hand.away, at_hand.circle, at_hand.beat + 1)),
                if_not.away.eq(0),
            ]

        # What waits, or is left for the job of the command
        m.d.comb += [
            # Nor does what is kept of the job at hand
            put.en.eq(self.demand | self.vacant),
            put.addr.eq(Mux(self.demand, now, self.job)),
            put.data.eq(Mux(self.demand, after, opened)),
            put.data.circle.eq(at_hand.circle),     # means nothing but on an excursion
        ]
        m.d.sync += [
            at_hand.eq(following),
            more.eq(Mux(self.issue, ~self.issue_last | other_valid, more | other_valid)),
        ]
        with m.If((~more | last) & other_valid):
            m.d.sync += now.eq(other)
        with m.If(last):
            m.d.sync += self.reading.bit_select(now, 1).eq(0)
        with m.If(self.open):
            m.d.sync += self.reading.bit_select(self.job, 1).eq(1)
        with m.If(begins):
            m.d.sync += [
                now.eq(self._commanded),
                at_hand.eq(opened),
                more.eq(1),
            ]
            m.d.sync += at_hand.circle.eq(following.circle)     # likewise
        with m.If(self.visit):
            m.d.sync += [
                at_hand.left.eq(Mux(same, after.left, theirs.left)),
                at_hand.circle.eq(Mux(theirs.away, theirs.circle, theirs.beat)),
                at_hand.away.eq(1),
                at_hand.visited.eq(1),
                more.eq(~(same & last)),
            ]

    def _note_beats(self, m, *, now, at_hand, more, decided, passed, skip):
        """Notes which beats were read, for the jobs that were visited."""
        depth = self._params.notes
        if depth == 0:
            m.d.comb += decided.eq(1)
            return
        m.submodules.notes = notes = Memory(shape=unsigned(1), depth=depth, init=[])
        get, set_note = notes.read_port(), notes.write_port()
        # A note is set if it differs from its job's phase: they are equal after each job
        m.submodules.phases = phases = Memory(shape=unsigned(1), depth=self._params.jobs, init=[])
        phase, set_phase = phases.read_port(domain="comb"), phases.write_port()
        asked = Signal()                     # it is known whether the beat at hand was read:
        noted = Signal()                     # it was
        stays = Signal()                     # it is at hand in the next clock, too
        sweep = Signal(range(depth))
        at = Cat(at_hand.beat, now)

        m.d.comb += [
            phase.addr.eq(now),
            stays.eq(~self.issue & ~skip & ~self.visit & ~(self.open & self.demand)
                     & at_hand.visited & more),
            decided.eq(asked | ~at_hand.visited),
            passed.eq(asked & noted),
            set_phase.addr.eq(set_note.addr[self._params.beat_bits:]),
            set_phase.data.eq(set_note.data),
        ]
        # Written a clock later: of no consequence, but where a visit finds the beat being issued
        m.d.sync += [
            set_note.en.eq(self.issue | self.sweeping),
            set_note.addr.eq(Mux(self.sweeping, sweep, at)),
            set_note.data.eq(~self.sweeping & ~phase.data),
            set_phase.en.eq(self.issue & self.issue_last | self.sweeping),
        ]
        with m.If(self.sweeping):
            m.d.sync += sweep.eq(sweep + 1)
            with m.If(sweep == depth - 1):
                m.d.sync += self.sweeping.eq(0)
        with m.Elif(self.reset):
            m.d.sync += self.sweeping.eq(1)
        if self._params.deep_notes:
            self._read_ahead(m, phases, get, now=now, at_hand=at_hand, phase=phase, asked=asked,
                             noted=noted, stays=stays, skip=skip, set_note=set_note)
        else:
            phase_at_hand = Signal()         # as ``get`` shows the note of the beat at hand
            late = Signal(2)                 # the note of the visited beat comes, as it is issued
            m.d.comb += [
                get.addr.eq(at),
                noted.eq(late[1] | get.data ^ phase_at_hand),
            ]
            m.d.sync += [
                asked.eq(stays),
                phase_at_hand.eq(phase.data),
                late.eq(Cat(self.issue & self.visit & (self.check_job == now)
                            & (self.place.beat == at_hand.beat), late)),
            ]
        with m.If(self.reset):
            m.d.sync += asked.eq(0)

    def _read_ahead(self, m, phases, get, *, now, at_hand, phase, asked, noted, stays, skip,
                    set_note):
        """Reads notes from a block RAM, whose data comes late in its clock: it is noted then.

        So the note of the job's next beat is read while the one at hand is decided on, and that of
        a visited beat in the clock of the visit.
        """
        their_phase = phases.read_port(domain="comb")
        visited = Cat(self.place.beat, self.check_job)
        beat = Signal.like(at_hand.beat)
        read = Signal()             # ``get`` shows the note of the beat at hand
        shown = Signal()            # by that it was read, or by
        late = Signal()             # its note, which was not written yet
        phase_at_hand = Signal()    # its job's
        m.d.comb += [
            # What is known to be skipped at the end of an excursion leads back to the circle
            beat.eq(Mux(asked, Mux(noted & at_hand.away, at_hand.circle, at_hand.beat + 1),
                        at_hand.beat)),
            get.addr.eq(Mux(self.demand, visited, Cat(beat, now))),
            their_phase.addr.eq(self.check_job),
            shown.eq(late | get.data ^ phase_at_hand),
        ]
        m.d.sync += [
            read.eq(self.visit | ~self.demand & Mux(asked, self.issue & ~self.issue_last | skip,
                                                    stays & ~read)),
            asked.eq(stays & (asked | read)),
            phase_at_hand.eq(Mux(self.demand, their_phase.data, phase.data)),
            late.eq(self.visit & (self.issue & (Cat(at_hand.beat, now) == visited)
                                  | set_note.en & (set_note.addr == visited))),
        ]
        with m.If(~asked):
            m.d.sync += noted.eq(shown)
        with m.If(self.reset):
            m.d.sync += read.eq(0)

    def _secure(self, m, *, more, skip):
        """Follows the wanted beats until they are captured: one of each port."""
        strict = self._params.release is Release.COPIED
        ports = 1 if strict else self._params.ports
        whose = Signal(range(ports))
        waits = Signal(ports)       # the port's beat is not captured
        begins = Signal()
        offered = Signal()          # a wanted beat's read may be on offer to the bus
        under_way = Signal()        # the wanted beat's read is issued, if it was not before

        # A classic bus carries one access at a time: one that began would be in the way, too
        in_the_way = self.read.valid | ~self.room if self._params.pipelined else Const(1)
        # Every beat of a job that has none left is under way; it is the one at hand till then
        past = self.issue | skip | ~more
        m.d.comb += [
            begins.eq(self.visit | (self.open & self.demand)),
            under_way.eq(self.pending & past),
            self.wanted.eq(waits.any()),
            self.urgent.eq(offered | self.pending & in_the_way),
        ]
        # All of this is known late: no enables
        m.d.sync += [
            self.pending.eq(begins | self.pending & ~(past | self.reset)),
            offered.eq(under_way | self.follow | offered & self.read.valid & ~self.read.ready),
        ]
        for port in range(ports):
            due = Signal.like(self.unread, name=f"due{port}")  # answers until that beat's has come
            mine = whose == port
            asks = (0 if strict else self.asker) == port
            self._count_down(m, due, (under_way & mine) | (self.follow & asks))
            m.d.comb += self.secured[port].eq(
                waits[port] & ~(self.pending & mine)
                & ((due == 0) | ((due == 1) & self.read_valid)))
            m.d.sync += waits[port].eq((begins | self.follow) & asks
                                       | waits[port] & ~(self.secured[port] | self.reset))
        with m.If(begins):
            m.d.sync += whose.eq(0 if strict else self.asker)

    def _count_down(self, m, count, start):
        """Counts the answers that are due to what was issued up to a clock of ``start``."""
        started = Signal()
        kept = Signal.like(count)
        m.d.comb += count.eq(Mux(started, self.unread, kept))
        m.d.sync += [started.eq(start), kept.eq(count - (self.read_valid & (count != 0)))]

    def _follow_run(self, m, *, now, skip):
        """Follows the run of beats from the last visit on, for writes that stream through it."""
        job = Signal.like(self.job)
        first = Signal.like(self.check_beat)
        count = range(self._params.block_beats + 1)
        issued = Signal(count)          # of the run, but for the clock in which it is new
        captured = Signal(count)
        growing = Signal()
        new = Signal()                  # it began in the clock before: none is issued, or captured
        before = Signal.like(self.unread)  # answers to come that belong to earlier reads
        distance = Signal.like(self.check_beat)
        known = Signal()                # the beat checked is of its job
        grows = Signal()

        m.d.sync += distance.eq(self.check_beat - first)
        m.d.comb += [
            known.eq((self.check_job == job) & ~new),
            self.check_captured.eq(known & is_below_soon(distance, captured)),
            self.check_issued.eq(known & is_below_soon(distance, issued)),
            grows.eq(self.issue & growing & (now == job)),
        ]
        with m.If(grows):
            m.d.sync += issued.eq(issued + 1)
        with m.If(self.read_valid & (before == 0) & (captured != issued)):
            m.d.sync += captured.eq(captured + 1)
        with m.If(new):
            m.d.sync += [issued.eq(grows), captured.eq(0)]
        begins = self.visit | (self.open & (self.demand | (self.job == job))) | self.reset
        self._count_down(m, before, begins)
        m.d.sync += [
            new.eq(begins),
            growing.eq(begins & (self.visit | self.demand) & ~self.reset
                       | ~begins & growing & ~(skip & (now == job))),
        ]
        with m.If(begins):
            m.d.sync += [
                job.eq(self._commanded),
                first.eq(self.place.beat),
            ]
