"""The gate of an AXI4 port: passes reads and permitted writes, holds the others."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from ..copy_map import bit_of, row_of
from ..params import Shadow
from ..ranges import beat_layout
from . import axi4
from .axi4_range import PAGE_BITS, BurstRange
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
    while not ``active``. A burst whose blocks are copied takes no clock if their row is at hand and
    up to date, else one; and two more for each further row that it reaches into.

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
        })

    def elaborate(self, platform):
        m = Module()
        params = self._params
        m.submodules.touched = touched = BurstRange(params)
        m.submodules.write = write = Axi4Refuse(params, "w")
        m.submodules.read = read = Axi4Refuse(params, "r")
        held = Signal()
        drained = Signal()
        m.d.comb += [getattr(touched, name).eq(getattr(self.s, f"aw{name}"))
                     for name in ("addr", "len", "size", "burst")]
        self._permit(m, touched=touched, hold=held)

        # Writes
        m.d.comb += [
            self.core.held.eq(held),
            self.drained.eq(drained | (write.in_flight == 0)),
            write.hold.eq(held | (self.active & ~self.drained)),
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

    def _permit(self, m, *, touched, hold):
        """Decides ``hold``: walks what the burst touches, asks where the map does not permit it."""
        params, core = self._params, self.core
        place = beat_layout(params)
        here = data.View(place, Signal(place))   # all before it is permitted
        at = Signal(place)
        walking = Signal()                       # that is ``at``, else the first beat touched
        row = Signal.like(core.look_row)
        row_known = Signal()
        looked = Signal()                        # since this burst came
        granted = Signal(place)
        granted_valid = Signal()
        granted_whole = Signal()
        rest_copied = Signal()                   # from ``here`` to the end of the row or the burst
        here_copied = Signal()
        here_granted = Signal()
        in_last_block = Signal()
        in_last_row = Signal()
        permitted = Signal()

        row_here = row_known & (row == row_of(here.block))
        m.d.comb += [
            here.eq(Mux(walking, at, touched.first)),
            in_last_block.eq(here.block == touched.last.block),
            in_last_row.eq(row_of(here.block) == row_of(touched.last.block)),
            here_copied.eq(row_here & core.look_data.bit_select(bit_of(here.block), 1)),
            rest_copied.eq(row_here & self._all_copied(here, touched.last, in_last_row)),
            here_granted.eq(granted_valid & (granted.block == here.block)
                            & (granted_whole | (granted.beat == here.beat))),
            permitted.eq(rest_copied & in_last_row
                         | here_granted & in_last_block
                         & (granted_whole | (here.beat == touched.last.beat))),
            hold.eq(self.s.awvalid & self.active & touched.memory & ~permitted & ~touched.map),
            core.look.eq(hold & ~(looked & row_here)),
            core.look_row.eq(row_of(here.block)),
        ]
        with m.If(core.look):
            m.d.sync += [row_known.eq(1), row.eq(core.look_row)]
        m.d.sync += looked.eq(hold)

        # On
        next_beat = Signal(place)
        m.d.comb += next_beat.eq(here.as_value() + 1)
        with m.If(hold):
            with m.If(looked & rest_copied):
                m.d.sync += [walking.eq(1), at.eq(self._next_row(here.block))]
            with m.Elif((looked & here_copied) | (here_granted & granted_whole)):
                m.d.sync += [walking.eq(1), at.block.eq(here.block + 1), at.beat.eq(0)]
            with m.Elif(here_granted):
                m.d.sync += [walking.eq(1), at.eq(next_beat)]
            with m.Elif(~core.ask.valid):
                m.d.sync += [core.ask.valid.eq(1), core.ask.payload.eq(here)]

        with m.If(core.ask.valid & core.ask.ready):
            m.d.sync += core.ask.valid.eq(0)
            # What is permitted and on its way must stay so
            with m.If(hold):
                m.d.sync += [granted.eq(core.ask.payload), granted_whole.eq(core.whole),
                             granted_valid.eq(1)]
                # To the next beat of the block at once
                with m.If((core.ask.payload.as_value() == here.as_value()) & ~core.whole
                          & ~(in_last_block & (here.beat == touched.last.beat))
                          & ~here.beat.all()):
                    m.d.sync += [core.ask.valid.eq(1), core.ask.payload.eq(next_beat),
                                 walking.eq(1), at.eq(next_beat)]
        with m.If(~self.s.awvalid | self.s.awready):
            m.d.sync += walking.eq(0)
        with m.If(~self.active):
            m.d.sync += [core.ask.valid.eq(0), granted_valid.eq(0), row_known.eq(0),
                         walking.eq(0)]

    def _all_copied(self, here, last, in_last_row):
        """Whether the row that was read says so of all blocks from ``here`` to its end or the
        burst's."""
        seen = self.core.look_data
        if self._params.block_size >= 1 << PAGE_BITS:
            return seen.bit_select(bit_of(here.block), 1)     # there is no other
        # From ``here`` to each bit of the row, so that what comes late only chooses
        width = len(seen)
        before = ~(Const(-1, width) << bit_of(here.block))[:width]
        good = seen | before
        upto = Cat(good[:end + 1].all() for end in range(width))
        return Mux(in_last_row, upto.bit_select(bit_of(last.block)[:exact_log2(width)], 1),
                   upto[-1])

    def _next_row(self, block):
        """The first beat of the row behind that of ``block``."""
        width = len(block) - len(row_of(block))
        return Cat(Const(0, self._params.beat_bits + width), row_of(block) + 1)
