"""Lets the held writes of several gates have their answers in turn."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .ranges import beat_layout

__all__ = ["AskTurns"]


class AskTurns(wiring.Component):
    """Hands the asks of the gates to the sequencer, one at a time.

    While ``choose``, the next gate that asks has its turn, so that each is looked at before any is
    looked at again; else the turn stays.

    Parameters
    ----------
    params : SnapshotParams

    Members
    -------
    asks : ``In(stream.Signature(beat_layout)).array(ports)``
    ask : ``Out(stream.Signature(beat_layout))``
        The one whose turn it is.
    asker : ``Out(range(ports))``
        Whose ask that is.
    choose : ``In(1)``
        The sequencer is free for any of them.
    """

    def __init__(self, params):
        self._params = params
        ask = stream.Signature(beat_layout(params))
        super().__init__({
            "asks": In(ask).array(params.ports),
            "ask": Out(ask),
            "asker": Out(range(params.ports)),
            "choose": In(1),
        })

    def elaborate(self, platform):
        m = Module()
        turn = Signal.like(self.asker)
        m.d.comb += self.asker.eq(turn)
        m.d.sync += turn.eq(self.asker)
        with m.If(self.choose):
            for after in 0, 1:      # from the one behind ``turn``, else from the first
                for index in reversed(range(self._params.ports)):
                    is_next = turn < index if after else turn >= index
                    with m.If(self.asks[index].valid & is_next):
                        m.d.comb += self.asker.eq(index)
        with m.Switch(self.asker):
            for index, ask in enumerate(self.asks):
                with m.Case(index):
                    m.d.comb += [
                        self.ask.valid.eq(ask.valid),
                        self.ask.payload.eq(ask.payload),
                        ask.ready.eq(self.ask.ready),
                    ]
        return m
