"""The buffer between the copier's reads and its writes, and the half of the copier that writes."""

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from .arithmetic import step_count
from .ranges import beat_layout

__all__ = ["CopyBuffer", "write_layout"]


def write_layout(params):
    """A beat on its way into the shadow."""
    return data.StructLayout({"place": beat_layout(params), "data": unsigned(params.data_width)})


class CopyBuffer(wiring.Component):
    """A ring of beats between read and shadow, each with its own place.

    A beat takes its slot when its read is issued, is *captured* when the read is answered, is
    written when the shadow takes it, and leaves when the shadow has answered. All four happen in
    the order of issue, so that four pointers say everything, answers always find room, and the
    order of the reads is free. A captured beat is offered to the shadow two clocks later.

    Parameters
    ----------
    params : SnapshotParams

    Members
    -------
    issue : ``In(1)``
        A read is issued in this clock, for ``issue_place``.
    issue_place : ``In(beat_layout)``
    issue_job : ``In(range(jobs))``
    issue_last : ``In(1)``
        It is the last of its job.
    room, ample : ``Out(1)``
        A slot is free in this clock; or more than an eighth of them are.
    unread : ``Out(range(buffer_depth + 1))``
        Reads issued before this clock and not answered before it.
    read_valid, read_data, read_error
        The answer to the oldest unanswered read; at the earliest in the clock after its issue.
    captured : ``Out(1)``
        The last beat of job ``captured_job`` is captured in this clock.
    captured_job : ``Out(range(jobs))``
    write : ``Out(stream.Signature(write_layout))``
    write_valid, write_error
        The answer to the oldest unanswered write; at the earliest in the clock after it was taken.
    copied : ``Out(1)``
        The last beat of job ``copied_job`` was written and answered in this clock.
    copied_job : ``Out(range(jobs))``
    error : ``Out(1)``
        An answer in this clock was an error.
    error_write : ``Out(1)``
        It was a write's.
    erred : ``Out(1)``
        So was one before; nothing is to be issued until ``reset``, lest its place be lost.
    error_block : ``Out(block_bits)``
        From the third clock of ``stop`` with ``quiet`` on: the block of the first error, or of
        the oldest beat where there was none.
    stop : ``In(1)``
        Offers no more beats from the next clock on; a beat that is on offer stays so until it is
        taken.
    drop : ``In(1)``
        With ``stop``: withdraws the beat on offer.
    withdrawn : ``In(1)``
        With ``drop``: the read issued last was never made.
    quiet : ``Out(1)``
        No answer is due, and no beat is on offer.
    reset : ``In(1)``
        Forgets all beats; allowed when ``stop`` and ``quiet``.
    """

    def __init__(self, params):
        self._params = params
        place = beat_layout(params)
        job = range(params.jobs)
        count = range(params.buffer_depth + 1)
        super().__init__({
            "issue": In(1),
            "issue_place": In(place),
            "issue_job": In(job),
            "issue_last": In(1),
            "room": Out(1, init=1),
            "ample": Out(1, init=1),
            "unread": Out(count),
            "read_valid": In(1),
            "read_data": In(params.data_width),
            "read_error": In(1),
            "captured": Out(1),
            "captured_job": Out(job),
            "write": Out(stream.Signature(write_layout(params))),
            "write_valid": In(1),
            "write_error": In(1),
            "copied": Out(1),
            "copied_job": Out(job),
            "error": Out(1),
            "error_write": Out(1),
            "erred": Out(1),
            "error_block": Out(params.block_bits),
            "stop": In(1),
            "drop": In(1),
            "withdrawn": In(1),
            "quiet": Out(1),
            "reset": In(1),
        })

    def elaborate(self, platform):
        m = Module()
        depth = self._params.buffer_depth
        pointer = range(depth)
        issued, read, fetched, answered = (Signal(pointer, name=name) for name in
                                           ("issued", "read", "fetched", "answered"))
        writing = Signal(range(depth + 1))    # taken and not answered
        take = Signal()

        m.d.comb += [
            take.eq(self.write.valid & self.write.ready),
            self.error.eq(self.read_valid & self.read_error
                          | self.write_valid & self.write_error),
            self.error_write.eq(self.write_valid & self.write_error),
            self.quiet.eq((self.unread == self.withdrawn) & (writing == 0) & ~self.write.valid),
        ]
        m.d.sync += [
            issued.eq(issued + self.issue),
            read.eq(read + self.read_valid),
            answered.eq(answered + self.write_valid),
        ]
        step_count(m, self.unread, -1, early=self.read_valid, late=self.issue)
        step_count(m, writing, -1, early=self.write_valid, late=take)
        self._count_free(m)
        self._store(m, issued=issued, read=read, fetched=fetched, answered=answered)
        self._follow_jobs(m, issued=issued, read=read, answered=answered)
        with m.If(self.reset):
            m.d.sync += [pointer.eq(0) for pointer in (issued, read, fetched, answered)]
            m.d.sync += [self.unread.eq(0), writing.eq(0)]
        return m

    def _count_free(self, m):
        """Counts the free slots; what follows from the count is in registers of its own."""
        depth = self._params.buffer_depth
        few = depth // 8
        free = Signal(range(depth + 1), init=depth)
        step_count(m, free, 1, early=self.write_valid, late=self.issue)
        m.d.sync += [
            self.room.eq(Mux(self.issue, self.write_valid | (free[1:] != 0),
                             self.write_valid | self.room)),
            self.ample.eq(Mux(self.issue, self.ample & (self.write_valid | (free != few + 1)),
                              self.ample | (self.write_valid & (free == few)))),
        ]
        with m.If(self.reset):
            m.d.sync += [free.eq(depth), self.room.eq(1), self.ample.eq(1)]

    def _store(self, m, *, issued, read, fetched, answered):
        """Places and data, and the offer to the shadow.

        What is on offer was fetched from the memories: the slot at ``fetched`` is the next, when
        nothing is on offer or it is taken. So a late ``ready`` is no part of an address.
        """
        depth = self._params.buffer_depth
        # A slot that is offered was not being filled: no cells are needed to keep that right. The
        # places go into a block RAM like the data, whose latency at the output is theirs then, too
        place, beat = beat_layout(self._params), unsigned(self._params.data_width)
        m.submodules.places = places = Memory(shape=place, depth=depth, init=[],
                                              attrs={"no_rw_check": 1, "ram_style": "block"})
        m.submodules.beats = beats = Memory(shape=beat, depth=depth, init=[],
                                            attrs={"no_rw_check": 1})
        put_place, put_beat = places.write_port(), beats.write_port()
        get_place, get_beat = places.read_port(domain="comb"), beats.read_port(domain="comb")
        fetched_place = Signal(place)
        fetched_beat = Signal(beat)
        failed_slot = Signal.like(read)
        fetch = Signal()
        kept = Signal()      # on offer, and not taken

        m.d.comb += [
            # Of no consequence before the issue; what failed is kept
            put_place.en.eq(self.room & ~self.erred),
            put_place.addr.eq(issued),
            put_place.data.eq(self.issue_place),
            put_beat.en.eq(self.read_valid),
            put_beat.addr.eq(read),
            put_beat.data.eq(self.read_data),
            kept.eq(self.write.valid & ~self.write.ready),
            # What was read with an error is not written
            fetch.eq(~kept & (read != fetched) & ~self.erred),
            get_place.addr.eq(fetched),
            get_beat.addr.eq(fetched),
            self.write.payload.place.eq(fetched_place),
            self.write.payload.data.eq(fetched_beat),
            self.error_block.eq(fetched_place.block),
        ]
        with m.If(~kept):       # of no consequence without ``fetch``
            m.d.sync += [fetched_place.eq(get_place.data), fetched_beat.eq(get_beat.data)]
        m.d.sync += self.write.valid.eq(Mux(self.stop, kept & ~self.drop, kept | fetch))
        with m.If(fetch):
            m.d.sync += fetched.eq(fetched + 1)
        with m.If(~self.erred):
            m.d.sync += [
                self.erred.eq(self.error),
                failed_slot.eq(Mux(self.error_write, answered, read)),
            ]
        # The place of the failure is shown once nothing is on offer any more
        with m.If(self.stop & ~self.write.valid):
            m.d.sync += fetched.eq(Mux(self.erred, failed_slot, answered))
        with m.If(self.reset):
            m.d.sync += self.erred.eq(0)

    def _follow_jobs(self, m, *, issued, read, answered):
        """Whose the beat in each slot is, and whether it is the job's last; with two readers."""
        layout = data.StructLayout({"job": range(self._params.jobs), "last": 1})
        m.submodules.owners = owners = Memory(shape=layout, depth=self._params.buffer_depth,
                                              init=[])
        put = owners.write_port()
        of_read, of_answered = (owners.read_port(domain="comb") for _ in range(2))
        m.d.comb += [
            put.en.eq(self.room),       # of no consequence before the issue
            put.addr.eq(issued),
            put.data.job.eq(self.issue_job),
            put.data.last.eq(self.issue_last),
            of_read.addr.eq(read),
            self.captured.eq(self.read_valid & of_read.data.last),
            self.captured_job.eq(of_read.data.job),
            of_answered.addr.eq(answered),
            self.copied.eq(self.write_valid & of_answered.data.last & ~self.write_error),
            self.copied_job.eq(of_answered.data.job),
        ]
