"""Lets the held writes of several gates have their answers in turn."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .ranges import beat_layout

__all__ = ["AskTurns"]


class AskTurns(wiring.Component):
    """Hands the asks of the gates to the sequencer, one at a time.

    While ``choose``, the next gate that asks has its turn, so that each is looked at before any is
    looked at again; else the turn stays. A gate whose beat is being secured has no turn: it is
    granted when that is done.

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
    securing, secured : ``In(ports)``
        This gate's beat is being secured; it is so in this clock.
    whole : ``In(1)``
        The grant of ``ask`` is for every beat of the block.
    wholes : ``Out(ports)``
        So is this gate's.
    """

    def __init__(self, params):
        self._params = params
        ask = stream.Signature(beat_layout(params))
        super().__init__({
            "asks": In(ask).array(params.ports),
            "ask": Out(ask),
            "asker": Out(range(params.ports)),
            "choose": In(1),
            "securing": In(params.ports),
            "secured": In(params.ports),
            "whole": In(1),
            "wholes": Out(params.ports),
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
                    with m.If(self.asks[index].valid & ~self.securing[index] & is_next):
                        m.d.comb += self.asker.eq(index)
        with m.Switch(self.asker):
            for index, ask in enumerate(self.asks):
                with m.Case(index):
                    m.d.comb += [
                        self.ask.valid.eq(ask.valid),
                        self.ask.payload.eq(ask.payload),
                        self.wholes[index].eq(self.whole),
                        ask.ready.eq(self.ask.ready),
                    ]
        for ask, secured in zip(self.asks, self.secured, strict=True):
            with m.If(secured):
                m.d.comb += ask.ready.eq(1)
        return m
