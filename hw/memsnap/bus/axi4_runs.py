"""Collects the copier's places, one a beat, into bursts."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from ..ranges import beat_layout

__all__ = ["BurstRuns", "run_layout"]

#: Clocks that an open run waits for its next beat.
_PATIENCE = 8


def run_layout(params):
    """A run of beats in ascending order: its first ``place``, and the beats in it less one."""
    return data.StructLayout({"place": beat_layout(params), "len": range(params.burst_beats)})


class BurstRuns(wiring.Component):
    """Collects consecutive beats into runs.

    A run lies in an aligned chunk of ``burst_beats`` beats, and so in 4096 bytes. It is sent when
    it reaches the end of its chunk, when the next beat does not go on with it, when none comes for
    8 clocks, or at once if ``urgent``; from the clock after its last beat on. A run that was sent
    does not change until it is taken. Takes a beat a clock.

    Parameters
    ----------
    params : SnapshotParams
    through : bool
        If ``urgent``, and no run is at hand, a beat is a run already in the clock in which it
        comes.

    Members
    -------
    beat : ``In(stream.Signature(beat_layout))``
    goes_on : ``In(1)``
        The beat's place is the one behind that of the beat before it.
    run : ``Out(stream.Signature(run_layout))``
    urgent : ``In(1)``
        The run does not grow.
    hold : ``In(1)``
        With ``urgent``: the run is not sent yet.
    cancel : ``In(1)``
        Forgets the beats of the run that is not sent yet.
    open : ``Out(range(burst_beats + 1))``
        Beats taken, and not sent before this clock.
    any : ``Out(1)``
        There is a beat of a run, or one that could be a run at once: ``run.valid``, if ``urgent``
        and not ``hold``, but known sooner.
    sends : ``Out(1)``
        The run is sent in this clock, for the first time.
    """

    def __init__(self, params, *, through=False):
        self._params = params
        self._through = through
        super().__init__({
            "beat": In(stream.Signature(beat_layout(params))),
            "goes_on": In(1),
            "run": Out(stream.Signature(run_layout(params))),
            "urgent": In(1),
            "hold": In(1),
            "cancel": In(1),
            "open": Out(range(params.burst_beats + 1)),
            "any": Out(1),
            "sends": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        within = exact_log2(self._params.burst_beats)
        valid = Signal()
        sent = Signal()        # in a clock before
        first = Signal(self.run.payload.place.shape())
        count = Signal.like(self.run.payload.len)     # beats less one
        idle = Signal(range(_PATIENCE + 1))
        full = Signal()        # up to the end of its chunk
        ends = Signal()        # whatever comes next
        grows = Signal()       # by the beat that comes, if one does
        extends = Signal()
        taken = Signal()
        passes = Signal()      # from ``beat`` to ``run``

        place = self.beat.payload.as_value()
        m.d.comb += [
            ends.eq(full | self.urgent | (idle == _PATIENCE)),
            grows.eq(~sent & ~ends & self.goes_on),
            passes.eq(~valid & self.beat.valid & self.urgent & ~self.cancel & self._through),
            self.run.payload.place.eq(Mux(valid, first.as_value(), place)),
            self.run.payload.len.eq(Mux(valid, count, 0)),
            self.run.valid.eq(passes | valid & (sent | ~self.hold & (
                ends | (self.beat.valid & ~self.goes_on)))),
            extends.eq(valid & self.beat.valid & grows),
            taken.eq(self.run.valid & self.run.ready),
            # A beat that comes either belongs to the run, or ends it
            self.beat.ready.eq(~self.cancel & (
                ~valid | grows | self.run.ready & (sent | ~self.hold))),
            self.any.eq(valid | self.beat.valid & ~self.cancel & self._through),
            self.sends.eq(self.run.valid & ~sent),
        ]
        with m.If(valid & ~sent):
            m.d.comb += self.open.eq(count + 1)
        m.d.sync += sent.eq(self.run.valid & ~self.run.ready)
        with m.If(extends):
            m.d.sync += [idle.eq(0), count.eq(count + 1)]
        with m.Elif(idle != _PATIENCE):
            m.d.sync += idle.eq(idle + 1)
        with m.If(self.beat.valid & self.beat.ready):
            m.d.sync += full.eq(place[:within].all())
            with m.If(~extends):
                m.d.sync += [valid.eq(~passes | ~self.run.ready), first.eq(self.beat.payload),
                             count.eq(0), idle.eq(0)]
        with m.Elif(taken | (self.cancel & ~self.run.valid)):
            m.d.sync += valid.eq(0)
        return m
