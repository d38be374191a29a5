"""The contract of the repetition of failed accesses."""

from amaranth.hdl import Assert, Assume, Cover, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In
from memsnap.retry import Retry

from .fifo import Fifo
from .past import past

__all__ = ["RetrySpec"]

#: Bits of a request, and the requests that can be without an answer.
_BITS, _DEPTH = 2, 4
#: The most that is repeated.
_RETRIES = 2


class RetrySpec(wiring.Component):
    """Each request is answered once, in order: with what the bus answered to it, if that is good.

    With an error only if it failed ``retries`` times more in a row and is not spared, or after a
    stop. What is made again is what has no answer, in order.
    """

    def __init__(self):
        super().__init__({
            "valid": In(1), "payload": In(_BITS), "ready": In(1),
            "answer": In(1), "error": In(1), "data": In(1),
            "retries": In(range(_RETRIES + 1)), "spare": In(1), "stop": In(1), "drop": In(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.retry = dut = Retry(_BITS, width=1, depth=_DEPTH)
        m.d.comb += [
            dut.request.valid.eq(self.valid), dut.request.payload.eq(self.payload),
            dut.bus_request.ready.eq(self.ready),
            dut.bus_answer.valid.eq(self.answer), dut.bus_answer.error.eq(self.error),
            dut.bus_answer.data.eq(self.data),
            dut.retries.eq(self.retries), dut.spare.eq(self.spare),
            dut.stop.eq(self.stop), dut.drop.eq(self.drop),
        ]
        # What the copier has asked, and got no answer to; what the bus owes an answer
        self._waiting = Fifo("waiting", bits=_BITS, depth=_DEPTH)
        self._on_bus = Fifo("on_bus", bits=_BITS, depth=_DEPTH)
        self._offer = Signal()              # is on offer to the bus after this clock
        self._passed = Signal()             # an error was passed on; a stop follows
        self._made = dut.bus_request.valid & self.ready
        self._taken = self.valid & dut.request.ready
        self._waiting.step(m, put=self._taken, item=self.payload, take=dut.answer.valid)
        self._on_bus.step(m, put=self._made, item=dut.bus_request.payload, take=self.answer)
        m.d.comb += self._offer.eq(dut.bus_request.valid & ~self.ready & ~self.drop)
        self._assume(m, dut)
        self._check(m, dut)
        return m

    def _assume(self, m, dut):
        """What copier, bus and lifecycle keep to."""
        quiet = (self._waiting.count == 0) & (self._on_bus.count == 0) & ~self.valid
        stays = past(m, self.valid & ~self._taken & ~self.drop)
        begun = Signal()
        stop = past(m, self.stop)
        m.d.sync += [
            begun.eq(1),
            Assume(~stays | self.valid & (self.payload == past(m, self.payload))),
            Assume(~self.valid | ~self.stop | stays),
            Assume(~self.answer | (self._on_bus.count != 0)),
            Assume(self.retries <= _RETRIES),
            Assume(~begun | (self.retries == past(m, self.retries))),
            Assume(~self.drop | self.stop),
            # A stop lasts until all is answered, and some clocks more
            Assume(self.stop | ~stop | past(m, quiet & past(m, quiet & past(m, quiet)))),
        ]
        with m.If(dut.answer.valid & dut.answer.error):
            m.d.sync += self._passed.eq(1)
        with m.If(~self.stop & stop):
            m.d.sync += self._passed.eq(0)

    def _check(self, m, dut):
        waiting, on_bus = self._waiting, self._on_bus
        unheard = Signal(range(2 * _DEPTH + 2))     # answers that nobody is to hear
        failures = Signal(range(_RETRIES + 3))      # of the oldest request, in a row
        ever = Signal()                             # an answer was an error, or there was a stop
        fails = self.answer & (unheard == 0) & self.error & ~self.stop
        good = self.answer & (unheard == 0) & ~fails
        sent = dut.bus_request.payload
        left = Signal.like(unheard)
        m.d.comb += left.eq(Mux(fails, on_bus.count - 1 + self._made + self._offer,
                                unheard - (self.answer & (unheard != 0))))
        withdrawn = self.drop & dut.bus_request.valid & ~self.ready & (left != 0)
        m.d.sync += [
            unheard.eq(left - withdrawn),
            ever.eq(ever | fails | self.stop),
            failures.eq(Mux(dut.answer.valid | dut.spent, 0, failures + fails)),

            # The bus
            Assert(~past(m, self._offer) | dut.bus_request.valid & (sent == past(m, sent)),
                   "a request is not kept"),
            Assert(ever | (dut.bus_request.valid == (self.valid & (waiting.count < _DEPTH))),
                   "a request is not passed on at once"),
            Assert(~self._taken | self._made & (sent == self.payload) & (waiting.count < _DEPTH),
                   "another request is made"),
            Assert(~(self._made & ~self._taken & (unheard == 0))
                   | (on_bus.count < waiting.count) & (sent == waiting.at(on_bus.count)),
                   "another request is repeated"),

            # The copier
            Assert(~dut.answer.valid | (waiting.count != 0), "an answer to nothing"),
            Assert(~good | dut.answer.valid, "an answer is lost"),
            Assert(~good | (on_bus.at(0) == waiting.at(0)), "an answer to another request"),
            Assert(~good | (dut.answer.error == self.error) & (dut.answer.data == self.data),
                   "another answer"),
            Assert(~(dut.answer.valid & ~good) | dut.answer.error
                   & (self.stop | self._passed | dut.spent & ~self.spare),
                   "an answer that is made up"),
            Assert(~dut.spent | self._passed | (failures == self.retries + 1) & ~self.stop
                   & (dut.failing == waiting.at(0)), "spent too early, or another one"),
            Assert(self._passed | (failures <= self.retries + 1), "repeated too often"),
        ]
        self._check_progress(m, dut)
        m.d.sync += [
            Cover(dut.spent & self.spare & (self.retries == _RETRIES), "spared"),
            Cover(good & ~self.error & (failures == 1) & (waiting.count == _DEPTH), "repeated"),
        ]

    def _check_progress(self, m, dut):
        """While a request has no answer, and the bus owes none, the bus is asked."""
        rests = ((self._waiting.count != 0) | self.valid & ~self.stop) & (
            self._on_bus.count == 0) & ~dut.bus_request.valid & ~dut.answer.valid
        idle = Signal(range(9))
        m.d.sync += idle.eq(Mux(rests, idle + (idle != 8), 0))
        m.d.sync += Assert(idle < 8, "nothing is repeated")
