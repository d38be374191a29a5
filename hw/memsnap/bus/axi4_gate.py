"""The gate of an AXI4 port: passes reads and permitted writes, holds the others."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from ..copy_map import bit_of, look_there, row_of
from ..params import Shadow
from ..ranges import beat_layout
from . import axi4
from .axi4_range import BurstRange
from .axi4_refuse import Axi4Refuse
from .fabric import GateSignature

__all__ = ["Axi4Gate"]


class Axi4Gate(wiring.Component):
    """The gate between an initiator and the memory.

    While ``active``, the address of a write passes only if every block that the burst touches is
    copied, or every beat that it touches was granted by the sequencer; until then it is held before
    anything of it reaches the memory. From the instant on all writes are held until those before it
    are answered. Reads never wait. While ``protect``, a write that touches a shadow behind the same
    port is answered with SLVERR; so is a write to a copy map in the memory, at any time. Everything
    else passes in the clock in which it comes, and answers pass back likewise.

    The row of the map that was read last, and the place that was granted last, are kept. During a
    snapshot a bit only turns from 0 to 1, so what is kept errs on the safe side; both are forgotten
    while not ``active``. A burst in one block that is copied takes no clock if its row is at hand
    and up to date, else one. One of several blocks that are copied is walked through: it takes a
    clock for each block, less one if the row of the first was at hand, and one more for each
    further row. A row that is complete takes three clocks at the most. All this with a map that
    gives a row in a clock; where it takes two, each row that is not at hand takes one more.

    Parameters
    ----------
    params : SnapshotParams

    Members
    -------
    s, m : ``In(axi4.Signature)``, ``Out(axi4.Signature)``
        From the initiator, and to the memory. Data at ``m`` may come before its address: who takes
        it must wait for that.
    core : ``Out(GateSignature)``
    active, protect : ``In(1)``
    drained : ``Out(1)``
        While ``active``: all writes that had passed when it rose have been answered.
    offers : ``Out(1)``
        Known early in the clock: a write comes that would pass if it were not held, nor refused.
    claims : ``Out(1)``
        So is this: such a write may pass in this clock. One that asks, and is not granted in the
        clock before, may not.
    """

    def __init__(self, params):
        self._params = params
        bus = axi4.Signature.of(params, id_width=params.id_width)
        super().__init__({
            "s": In(bus),
            "m": Out(bus),
            "core": Out(GateSignature(params)),
            "active": In(1),
            "protect": In(1),
            "drained": Out(1),
            "offers": Out(1),
            "claims": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        params = self._params
        m.submodules.touched = touched = BurstRange(params)
        m.submodules.write = write = Axi4Refuse(params, "w")
        m.submodules.read = read = Axi4Refuse(params, "r")
        held = Signal()
        stuck = Signal()       # is held in this clock, as is known from the one before
        drained = Signal()
        m.d.comb += [getattr(touched, name).eq(getattr(self.s, f"aw{name}"))
                     for name in ("addr", "len", "size", "burst")]
        self._permit(m, touched=touched, hold=held, stuck=stuck)

        # Writes
        m.d.comb += [
            self.core.held.eq(held),
            self.offers.eq(write.offers),
            self.claims.eq(write.offers & ~stuck),
            self.drained.eq(drained | write.idle),
            write.hold.eq(held | stuck | (self.active & ~self.drained)),
            write.refuse.eq(held & self.core.fail | touched.map),
        ]
        m.d.sync += drained.eq(self.active & self.drained)
        if params.shadow is Shadow.SAME:
            m.submodules.read_from = read_from = BurstRange(params)
            denied = Signal()
            with m.If(~self.m.arvalid | self.m.arready):
                m.d.sync += denied.eq(self.core.deny_read)
            m.d.comb += [getattr(read_from, name).eq(getattr(self.s, f"ar{name}"))
                         for name in ("addr", "len", "size", "burst")]
            m.d.comb += read.refuse.eq(denied & read_from.shadow)
            with m.If(self.protect & touched.shadow):
                m.d.comb += write.refuse.eq(1)
        for part in write, read:
            for name in part.shared:
                outer, inner = getattr(self, name[0]), getattr(part, name)
                flow = part.signature.members[name].flow
                outer = getattr(outer, name[2:])
                m.d.comb += inner.eq(outer) if flow is In else outer.eq(inner)
        return m

    def _permit(self, m, *, touched, hold, stuck):
        """Decides ``hold``, and ``stuck`` a clock ahead: walks what the burst touches, asks where
        the map does not permit it.

        In the clock in which a burst comes only what stays in one block is permitted, without the
        arithmetic of bursts. From the next clock on all is decided from registers.
        """
        core = self.core
        place = beat_layout(self._params)
        at = data.View(place, Signal(place))     # all before it is permitted
        end = data.View(place, Signal(place))    # the last that is touched
        walking = Signal()                       # these are of the burst on offer
        here = data.View(place, Signal(place))   # ``at``, else the first beat touched
        row = Signal.like(core.look_row)
        row_known = Signal()
        granted = Signal(place)
        granted_valid = Signal()
        granted_whole = Signal()
        start = touched.start
        start_copied, start_granted = Signal(), Signal()
        row_here = Signal()
        row_copied = Signal()                    # so it was in the clock before
        here_copied, here_granted = Signal(), Signal()
        in_last_block = Signal()
        in_last_row = Signal()
        rest_copied = Signal()                   # from ``at`` on, being in a row that is complete
        walked = Signal()                        # permitted as a whole
        may_hold = Signal()

        def copied(block):
            bit = bit_of(block)[:exact_log2(len(core.look_raw))]
            return core.look_raw.bit_select(bit, 1) ^ core.flip

        def is_granted(where):
            return granted_valid & (granted.block == where.block) & (
                granted_whole | (granted.beat == where.beat))

        one_beat = (self.s.awlen == 0) | (self.s.awburst == axi4.Burst.FIXED)
        m.d.comb += [
            here.eq(Mux(walking, at, touched.first)),
            start_copied.eq(row_known & (row == row_of(start.block)) & copied(start.block)),
            start_granted.eq(is_granted(start)),
            row_here.eq(row_known & (row == row_of(at.block))),
            here_copied.eq(row_here & copied(at.block)),
            here_granted.eq(is_granted(at)),
            in_last_block.eq(at.block == end.block),
            in_last_row.eq(row_of(at.block) == row_of(end.block)),
            rest_copied.eq(row_here & row_copied & in_last_row),
            walked.eq(walking & (
                rest_copied | here_copied & in_last_block
                | here_granted & in_last_block & (granted_whole | (at.beat == end.beat)))),
            may_hold.eq(self.s.awvalid & self.active & touched.memory & ~touched.map),
            hold.eq(may_hold & ~walked & ~(~walking & touched.within & (
                start_copied | start_granted & (granted_whole | one_beat)))),
            core.look.eq(hold & ~(walking & row_here)),
            core.look_row.eq(row_of(Mux(walking, at.block, start.block))),
        ]
        there, there_row = look_there(m, self._params, core.look, core.look_row)
        with m.If(there):
            m.d.sync += [row_known.eq(1), row.eq(there_row)]
        settled = row_here      # nothing more is told of the row in the next clock
        if self._params.map_latency > 1:
            settled &= ~there
        # What is known of a row stays true, also if the look at it finds it no longer on chip
        m.d.sync += row_copied.eq(row_known & (row == core.look_row)
                                  & (core.look_data.all() | walking & row_copied))

        # On: to the next beat, block or row, but not past the end. Where it is on from does not
        # depend on whether it is permitted, which is known late
        moves = Signal()
        asks = Signal()
        block_passed = Signal()
        row_passed = Signal()
        following = Signal(place)
        with m.If(walking):
            m.d.comb += [
                moves.eq(~in_last_block & (here_copied | here_granted)
                         | here_granted & ~granted_whole & ~here_copied & (at.beat != end.beat)),
                asks.eq(~here_copied & ~here_granted & ~rest_copied),
                block_passed.eq(here_copied | here_granted & granted_whole),
                row_passed.eq(row_here & row_copied & ~in_last_row),
            ]
        with m.Else():
            m.d.comb += [
                moves.eq(start_copied & ~touched.within & (self.s.awburst == axi4.Burst.INCR)),
                asks.eq(~start_copied & ~start_granted),
                block_passed.eq(1),
            ]
            m.d.sync += end.eq(touched.last)
        in_row = bit_of(here.block)
        m.d.comb += following.eq(Cat(
            here.beat | block_passed.replicate(len(here.beat)),
            in_row | row_passed.replicate(len(in_row)), row_of(here.block)) + 1)
        m.d.sync += [
            at.eq(Mux(moves, following, here)),
            walking.eq(self.s.awvalid & ~self.s.awready),
            # What is found from registers, and from a row that was read for it, changes with a
            # grant alone
            stuck.eq(may_hold & walking & settled & asks & ~(core.ask.valid & core.ask.ready)),
        ]
        with m.If(~core.ask.valid):
            m.d.sync += [core.ask.valid.eq(may_hold & asks), core.ask.payload.eq(here)]
        with m.Elif(core.ask.ready):
            m.d.sync += [core.ask.valid.eq(0), core.ask.payload.eq(following)]
            # What is permitted and on its way must stay so
            with m.If(hold):
                m.d.sync += [granted.eq(core.ask.payload), granted_whole.eq(core.whole),
                             granted_valid.eq(1)]
                # To the next beat of the block at once
                with m.If(walking & ~moves & (core.ask.payload.as_value() == at.as_value())
                          & ~core.whole & ~(in_last_block & (at.beat == end.beat))
                          & ~at.beat.all()):
                    m.d.sync += [core.ask.valid.eq(1), at.eq(following)]
        with m.If(~self.active):
            m.d.sync += [core.ask.valid.eq(0), granted_valid.eq(0), row_known.eq(0),
                         walking.eq(0), stuck.eq(0)]
