"""The copier: the half that reads, the buffer, and the half that writes."""

from amaranth.hdl import Module, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect

from .copy_buffer import CopyBuffer, write_layout
from .copy_reader import CopyReader
from .ranges import beat_layout

__all__ = ["Answer", "Copier"]


class Answer(wiring.Signature):
    """An answer of a bus to the copier's oldest unanswered request, seen from the bus.

    Parameters
    ----------
    width : int
        Bits of ``data``; 0 for the answer to a write.
    """

    def __init__(self, width):
        super().__init__({"valid": Out(1), "error": Out(1), "data": Out(unsigned(width))})


class Copier(wiring.Component):
    """Reads the beats of the jobs' blocks from the memory, and writes them to the shadow.

    Knows no bus: requests are streams of places, answers come in the order of the requests, at the
    earliest in the clock after the request was taken.

    Parameters
    ----------
    params : SnapshotParams

    Members
    -------
    read : ``Out(stream.Signature(beat_layout))``
    read_answer : ``In(Answer(data_width))``
    write : ``Out(stream.Signature(write_layout))``
    write_answer : ``In(Answer(0))``
    open, vacant, visit, follow, demand, job, place, asker, pending, wanted, urgent, secured,
    reading, first, check_job, check_beat, check_captured, check_issued
        See :class:`CopyReader`.
    captured, captured_job, copied, copied_job, error, error_write, error_block
        See :class:`CopyBuffer`.
    busy : ``Out(1)``
        The bus owes an answer, or is offered a request.
    pause : ``In(1)``
        Issues no read in this clock, but one that a write waits for.
    stop : ``In(1)``
        Makes no new requests.
    drop : ``In(1)``
        With ``stop``: withdraws what is on offer. What had been taken is still answered.
    reset : ``In(1)``
        Forgets everything; allowed with ``stop`` once no answer is due.
    sweeping : ``Out(1)``
        Not ready for jobs, after a reset.
    """

    def __init__(self, params):
        self._params = params
        self._reader = CopyReader(params)
        self._buffer = CopyBuffer(params)
        members = {
            "read": Out(stream.Signature(beat_layout(params))),
            "read_answer": In(Answer(params.data_width)),
            "write": Out(stream.Signature(write_layout(params))),
            "write_answer": In(Answer(0)),
            "busy": Out(1),
            "pause": In(1),
            "stop": In(1),
            "drop": In(1),
            "reset": In(1),
        }
        for part, names in self._exposed().items():
            for name in names:
                members[name] = part.signature.members[name]
        super().__init__(members)

    def _exposed(self):
        return {
            self._reader: ("open", "vacant", "visit", "follow", "demand", "job", "place",
                           "asker", "pending", "wanted", "urgent", "secured", "reading", "first",
                           "check_job", "check_beat", "check_captured", "check_issued", "sweeping"),
            self._buffer: ("captured", "captured_job", "copied", "copied_job", "error",
                           "error_write", "error_block"),
        }

    def elaborate(self, platform):
        m = Module()
        withdrawn = Signal()
        m.submodules.reader = reader = self._reader
        m.submodules.buffer = buffer = self._buffer
        connect(m, wiring.flipped(self.read), reader.read)
        connect(m, wiring.flipped(self.write), buffer.write)
        for part, names in self._exposed().items():
            for name in names:
                inner, outer = getattr(part, name), getattr(self, name)
                if part.signature.members[name].flow is In:
                    m.d.comb += inner.eq(outer)
                else:
                    m.d.comb += outer.eq(inner)
        m.d.comb += [
            buffer.issue.eq(reader.issue),
            buffer.issue_place.eq(reader.issue_place),
            buffer.issue_job.eq(reader.issue_job),
            buffer.issue_last.eq(reader.issue_last),
            reader.room.eq(buffer.room),
            reader.ample.eq(buffer.ample),
            reader.unread.eq(buffer.unread),
            reader.read_valid.eq(self.read_answer.valid),
            buffer.read_valid.eq(self.read_answer.valid),
            buffer.read_data.eq(self.read_answer.data),
            buffer.read_error.eq(self.read_answer.error),
            buffer.write_valid.eq(self.write_answer.valid),
            buffer.write_error.eq(self.write_answer.error),
            reader.stop.eq(self.stop | buffer.erred | (self.pause & ~reader.pending)),
            buffer.stop.eq(self.stop),
            reader.drop.eq(self.drop),
            buffer.drop.eq(self.drop),
            reader.reset.eq(self.reset),
            buffer.reset.eq(self.reset),
            buffer.withdrawn.eq(withdrawn),
            self.busy.eq(~buffer.quiet),
        ]
        with m.If(self.drop & reader.read.valid & ~reader.read.ready):
            m.d.sync += withdrawn.eq(1)
        with m.If(self.reset):
            m.d.sync += withdrawn.eq(0)
        return m
