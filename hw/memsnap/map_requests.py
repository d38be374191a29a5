"""The copy map's reads and writes of rows in the memory, and their answers."""

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from .copier import Answer
from .params import MAP_ROW_BITS

__all__ = ["MapRequests", "request_layout"]


def request_layout(params):
    """A read or write of one row."""
    return data.StructLayout({
        "row": range(max(2, params.map_rows)),
        "data": unsigned(params.map_row_bits),
        "we": unsigned(1),
    })


class MapRequests(wiring.Component):
    """A register for the next request, and a count of those that are in flight.

    Requests are taken, and answered, in the order in which they were put. Writes may be in flight
    in any number; a read is put only when no other read is on its way.

    Parameters
    ----------
    params : SnapshotParams

    Members
    -------
    put : ``In(stream.Signature(request_layout))``
    request : ``Out(stream.Signature(request_layout))``
        What was put, from the next clock on.
    answer : ``In(Answer(data_width))``
        To the oldest request; at the earliest in the clock after it was taken.
    read : ``Out(1)``
        The read is answered in this clock; without an ``error``, ``read_data`` is the row.
    read_data : ``Out(map_row_bits)``
    written : ``Out(1)``
        A write is answered in this clock.
    error : ``Out(1)``
        The answer in this clock is an error.
    busy : ``Out(1)``
        A request is on offer, or its answer is due.
    clears : ``Out(1)``
        Not any more after this clock, if nothing is put.
    stop : ``In(1)``
        Nothing is put any more; what is on offer stays so until it is taken.
    drop : ``In(1)``
        With ``stop``: withdraws what is on offer.
    """

    def __init__(self, params):
        self._params = params
        request = stream.Signature(request_layout(params))
        super().__init__({
            "put": In(request),
            "request": Out(request),
            "answer": In(Answer(params.data_width)),
            "read": Out(1),
            "read_data": Out(params.map_row_bits),
            "written": Out(1),
            "error": Out(1),
            "busy": Out(1),
            "clears": Out(1),
            "stop": In(1),
            "drop": In(1),
        })

    def elaborate(self, platform):
        m = Module()
        count = range(self._params.max_in_flight + 2)
        before = Signal(count)     # writes in flight; if a read is, those before it:
        any_before = Signal()      # there are such
        reading = Signal()         # a read is in flight
        after = Signal(count)      # writes in flight behind it
        row = Signal.like(self.put.payload.row)
        taken = Signal()
        taken_write = Signal()

        m.d.comb += [
            self.put.ready.eq(~self.stop & (~self.request.valid | self.request.ready)),
            taken.eq(self.request.valid & self.request.ready),
            taken_write.eq(taken & self.request.payload.we),
            self.written.eq(self.answer.valid & any_before),
            self.read.eq(self.answer.valid & ~any_before & reading),
            self.read_data.eq(self._row_of_beat(row)),
            self.error.eq(self.answer.valid & self.answer.error),
            self.busy.eq(self.request.valid | any_before | reading),
            self.clears.eq(~self.request.valid & Mux(reading, self.read & (after == 0),
                                                     self.written & (before == 1))),
        ]
        with m.If(self.put.ready):
            m.d.sync += [self.request.valid.eq(self.put.valid),
                         self.request.payload.eq(self.put.payload)]
        with m.Elif(self.request.ready | self.drop):
            m.d.sync += self.request.valid.eq(0)
        with m.If(taken & ~self.request.payload.we):
            m.d.sync += [reading.eq(1), row.eq(self.request.payload.row)]
        with m.If(self.read):
            m.d.sync += [reading.eq(0), before.eq(after + taken_write), after.eq(0),
                         any_before.eq((after != 0) | taken_write)]
        with m.Else():
            more = taken_write & ~reading
            m.d.sync += [
                before.eq(before + more - self.written),
                any_before.eq(more | Mux(self.written, before != 1, any_before)),
                after.eq(after + (taken_write & reading)),
            ]
        return m

    def _row_of_beat(self, row):
        """The part of a beat that holds the row."""
        beat = self.answer.data
        rows = exact_log2(len(beat) // MAP_ROW_BITS)
        return beat.word_select(row[:rows], MAP_ROW_BITS)
