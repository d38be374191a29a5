"""Repeats the copier's failed accesses, as often as it is told to."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from .arithmetic import step_count
from .copier import Answer

__all__ = ["Retry"]


class Retry(wiring.Component):
    """Stands between one half of the copier and its bus, and keeps what is not answered yet.

    Requests and answers pass in the clock in which they come, until an answer is an error. Then
    all answers that are due go unheard, and the requests are made again, from the failed one on, in
    their order, one in two clocks. What was not heard is not taken for captured or copied by
    anybody, so that it is safe to repeat.

    An access that failed ``retries`` times more in a row is ``spent``. If it may be ``spared``, its
    tries begin anew; else the error is passed on.

    Parameters
    ----------
    shape : ShapeLike
        Of a request.
    width : int
        Bits of an answer's data.
    depth : int
        Requests without an answer, a power of two.

    Members
    -------
    request, answer : ``In(stream.Signature(shape))``, ``Out(Answer(width))``
        The copier's side.
    bus_request, bus_answer : ``Out(stream.Signature(shape))``, ``In(Answer(width))``
    retries : ``In(4)``
    spent : ``Out(1)``
        One clock; ``failing`` is the access.
    failing : ``Out(shape)``
    spare : ``In(1)``
        In the clock of ``spent``.
    stop : ``In(1)``
        Repeats nothing: what is left to be repeated is answered with an error.
    drop : ``In(1)``
        With ``stop``: withdraws the request on offer.
    """

    def __init__(self, shape, *, width, depth):
        self._shape = shape
        self._depth = depth
        super().__init__({
            "request": In(stream.Signature(shape)),
            "answer": Out(Answer(width)),
            "bus_request": Out(stream.Signature(shape)),
            "bus_answer": In(Answer(width)),
            "retries": In(4),
            "spent": Out(1),
            "failing": Out(shape),
            "spare": In(1),
            "stop": In(1),
            "drop": In(1),
        })
        count = range(depth + 1)
        self._kept = Signal(count)      # requests that the copier has no answer to
        self._room = Signal(init=1)     # for one more of them
        self._unsent = Signal(count)    # of them, those that are to be made again
        self._due = Signal(count)       # answers that the bus owes
        self._draining = Signal()       # answers go unheard
        self._repeating = Signal()      # requests come from the ring
        self._made = Signal()           # the bus takes a request
        self._new = Signal()            # that is, one of the copier
        self._heard = Signal()          # the copier gets an answer
        self._settled = Signal()        # nothing is due or on offer after this clock

    def elaborate(self, platform):
        m = Module()
        m.submodules.ring = ring = Memory(shape=self._shape, depth=self._depth, init=[])
        put, get = ring.write_port(), ring.read_port()
        oldest = Signal(range(self._depth))
        next_up = Signal.like(oldest)   # to be made again
        shown = Signal()                # ``get`` shows it

        self._offer(m, get=get, put=put, next_up=next_up, shown=shown)
        m.d.comb += [
            self.failing.eq(get.data),
            # Whether the bus takes a request is known late
            self._settled.eq(Mux(
                self._made, (self._due == 0) & self.bus_answer.valid,
                (self._due == self.bus_answer.valid) & (~self.bus_request.valid | self.drop))),
        ]
        step_count(m, self._due, -1, early=self.bus_answer.valid, late=self._made)
        step_count(m, self._kept, -1, early=self._heard, late=self._new)
        m.d.sync += [
            self._room.eq(self._heard | Mux(self._new, self._kept != self._depth - 1, self._room)),
            oldest.eq(oldest + self._heard),
        ]
        with m.If(~self._repeating):    # so that the failed one is shown when it is needed
            m.d.comb += get.addr.eq(oldest)
            m.d.sync += next_up.eq(oldest)
        self._hear(m, shown=shown)
        return m

    def _offer(self, m, *, get, put, next_up, shown):
        """Requests of the copier; or from the ring; or the one that is on offer and must stay."""
        offered = Signal()    # in the clock before, and not taken
        put_at = Signal(range(self._depth))
        quiet = self._draining | self.stop
        m.d.comb += [
            self._made.eq(self.bus_request.valid & self.bus_request.ready),
            # Of no consequence before the bus takes it
            put.en.eq(self._room),
            put.addr.eq(put_at),
            put.data.eq(self.request.payload),
        ]
        m.d.sync += offered.eq(self.bus_request.valid & ~self.bus_request.ready & ~self.drop)
        with m.If(self._repeating):
            m.d.comb += [
                self.bus_request.payload.eq(get.data),
                self.bus_request.valid.eq(shown & (~quiet | offered)),
                get.addr.eq(next_up),
            ]
            m.d.sync += [
                shown.eq(~self._made),
                next_up.eq(next_up + self._made),
                self._unsent.eq(self._unsent - self._made),
            ]
            with m.If(self._made & (self._unsent == 1) & ~self._draining):
                m.d.sync += self._repeating.eq(0)
        with m.Else():
            room = self._room & (~self._draining | offered)
            m.d.comb += [
                self.bus_request.payload.eq(self.request.payload),
                self.bus_request.valid.eq(self.request.valid & room),
                self.request.ready.eq(self.bus_request.ready & room),
                self._new.eq(self._made),
            ]
            m.d.sync += [shown.eq(0), put_at.eq(put_at + self._new)]

    def _hear(self, m, *, shown):
        """Answers, errors, and what follows from them."""
        tries = Signal(4)
        failed = Signal()
        m.d.comb += [
            failed.eq(self.bus_answer.valid & self.bus_answer.error & ~self.stop),
            self.answer.data.eq(self.bus_answer.data),
            self.answer.valid.eq(self._heard),
        ]
        with m.If(~self._draining):
            m.d.comb += [
                self._heard.eq(self.bus_answer.valid & ~failed),
                self.answer.error.eq(self.bus_answer.error),
            ]
            with m.If(failed):
                m.d.sync += self._draining.eq(1)
            with m.Elif(self._heard):
                m.d.sync += tries.eq(0)
            with m.If(self._repeating & self.stop & self._settled):
                m.d.sync += self._draining.eq(1)
        drained = Signal()
        m.d.sync += drained.eq(self._draining & self._settled)
        with m.If(self._draining & drained):
            with m.If(self.stop & (self._kept != 0)):
                m.d.comb += [self._heard.eq(1), self.answer.error.eq(1)]
            with m.Elif(self.stop | (self._kept == 0)):
                m.d.sync += [self._draining.eq(0), self._repeating.eq(0), tries.eq(0)]
            with m.Elif(self._repeating):
                m.d.sync += self._repeating.eq(0)          # back to the failed one
            with m.Elif(shown):
                pass
            with m.Else():
                m.d.comb += self.spent.eq(tries == self.retries)
                with m.If(self.spent & ~self.spare):
                    m.d.comb += [self._heard.eq(1), self.answer.error.eq(1)]
                with m.Else():
                    m.d.sync += [
                        tries.eq(0),
                        self._draining.eq(0),
                        self._repeating.eq(1),
                        self._unsent.eq(self._kept),
                    ]
                    with m.If(~self.spent):
                        m.d.sync += tries.eq(tries + 1)
        return m
