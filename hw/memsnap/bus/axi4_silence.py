"""Tells when an AXI4 memory owes something and gives nothing."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

__all__ = ["Axi4Silence"]


class Axi4Silence(wiring.Component):
    """Watches a port to a memory.

    Parameters
    ----------
    bus : interface of axi4.Signature
        Is looked at, and not driven.
    params : SnapshotParams

    Members
    -------
    waiting : ``Out(1)``
        A transaction is offered or unanswered, and in this clock the memory accepts nothing and
        answers nothing. So it is too while an initiator keeps it waiting for data.
    """

    def __init__(self, bus, params):
        self._bus = bus
        self._most = (params.ports + 1) * params.max_in_flight + 2 * params.buffer_depth
        super().__init__({"waiting": Out(1)})

    def elaborate(self, platform):
        m = Module()
        bus = self._bus
        reads, writes = Signal(range(self._most + 1)), Signal(range(self._most + 1))
        taken = {name: getattr(bus, name + "valid") & getattr(bus, name + "ready")
                 for name in ("aw", "w", "b", "ar", "r")}
        # That an address is taken is known late in the clock, and counted in the next
        read, written = Signal(), Signal()
        m.d.sync += [read.eq(taken["ar"]), written.eq(taken["aw"])]
        for count, more, less in ((reads, read, taken["r"] & bus.rlast),
                                  (writes, written, taken["b"])):
            with m.If(more ^ less):
                m.d.sync += count.eq(count + Mux(less, -1, 1))
        m.d.comb += self.waiting.eq(
            ((reads != 0) | read | (writes != 0) | written | bus.arvalid | bus.awvalid)
            & ~(taken["aw"] | taken["w"] | taken["ar"] | bus.rvalid | bus.bvalid))
        return m
