"""The gate of a Wishbone port: passes reads and permitted writes, holds the others."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..copy_map import bit_of, look_there, row_of
from ..params import Map, Shadow
from ..ranges import beat_layout, in_map, in_range, place_of
from . import wishbone

__all__ = ["WishboneGate"]


class WishboneGate(wiring.Component):
    """The gate between an initiator and the memory.

    While ``active``, a write to the memory passes only if the block's bit in the copy map is set
    or the sequencer has granted it; until then it is held, before it becomes a request to the
    memory. While ``protect``, a write to a shadow behind the same port never passes and is answered
    with ``err``; so is a write to a copy map in the memory, at any time.
    Everything else passes in the clock in which it comes, and answers pass back likewise.

    The row of the map that was read last, and the place that was granted last, are kept. During a
    snapshot a bit only turns from 0 to 1, so what is kept errs on the safe side; both are forgotten
    while not ``active``. A write to a copied block takes no clock if its row is at hand and up to
    date, else as many as the map takes for a row. Each write to the memory reads its row, held or
    not; where the map is in the memory, and a row may have to be fetched, only one that is held.

    Parameters
    ----------
    params : SnapshotParams

    Members
    -------
    s, m : ``In(wishbone.Signature)``, ``Out(wishbone.Signature)``
        From the initiator, and to the memory.
    look, look_row, look_raw, flip
        Reader of the copy map, see :class:`CopyMap`.
    ask : ``Out(stream.Signature(beat_layout))``
        The place of the held write; withdrawn only when ``active`` falls. The place is granted with
        ``ask.ready``.
    whole : ``In(1)``
        With ``ask.ready``: the grant is for every beat of the block.
    active, protect : ``In(1)``
    deny_read : ``In(1)``
        Reads of a shadow behind the same port are answered with ``err``, too; from the next clock
        in which no request stands at ``m``.
    fail : ``In(1)``
        The held write is answered with ``err``, and does not reach the memory.
    single : ``In(1)``
        From before ``active`` rises until the copier is at rest, and whenever a copy map in the
        memory may be read or written: in classic Wishbone with ``cti``,
        bursts are carried as single accesses.
    can_arm : ``Out(1)``
        No burst is open whose next beat could not be held: ``active`` may rise at the end of this
        clock, if no write is waiting at the memory's port either.
    drained : ``Out(1)``
        All that had passed when ``active`` rose has been answered.
    held : ``Out(1)``
        A write is being held in this clock.
    comes : ``Out(1)``
        There may be a request at ``m`` in this clock: what is known early in the clock. 0 from the
        clock of a held write on that follows the one in which its row is there, but for the one
        after its place is granted.
    offers : ``Out(1)``
        There is a request at ``m`` in this clock, unless it is a write that is held.
    """

    def __init__(self, params):
        self._params = params
        bus = wishbone.Signature.of(params)
        super().__init__({
            "s": In(bus),
            "m": Out(bus),
            "look": Out(1),
            "look_row": Out(range(max(2, params.map_rows))),
            "look_raw": In(params.map_row_bits),
            "flip": In(1),
            "ask": Out(stream.Signature(beat_layout(params))),
            "whole": In(1),
            "active": In(1),
            "protect": In(1),
            "deny_read": In(1),
            "fail": In(1),
            "single": In(1),
            "can_arm": Out(1),
            "drained": Out(1, init=1),
            "held": Out(1),
            "comes": Out(1),
            "offers": Out(1),
        })
        self._refusing = Signal()   # the request of the clock before is answered with an error

    def elaborate(self, platform):
        m = Module()
        write = Signal()
        hold = Signal()
        barred = Signal()   # from where the request goes
        refuse = Signal()
        m.d.comb += [
            write.eq(self.s.cyc & self.s.stb & self.s.we),
            self.held.eq(hold),
            refuse.eq(hold & self.fail | barred),
        ]
        if self._params.shadow is Shadow.SAME:
            denied = Signal()
            moves = ~self.m.stall if self._params.pipelined else self._answer()
            # For reads alone, which are never held: whether a write is, is known late
            with m.If(~self.offers | self.s.we | moves):
                m.d.sync += denied.eq(self.deny_read)
            refused = Mux(self.s.we, self.protect, denied)
            with m.If(self.s.cyc & self.s.stb & refused
                      & in_range(self._params, self.s.adr, self._params.shadow_base)):
                m.d.comb += barred.eq(1)
        if self._params.map is Map.MEMORY:
            with m.If(write & in_map(self._params, self.s.adr)):
                m.d.comb += barred.eq(1)
        self._permit(m, write=write & ~in_map(self._params, self.s.adr), hold=hold)
        if self._params.pipelined:
            self._pass_pipelined(m, hold=hold, barred=barred, refuse=refuse)
        else:
            self._pass_classic(m, hold=hold, barred=barred, refuse=refuse)
        self._pass_through(m)
        return m

    def _permit(self, m, *, write, hold):
        """Decides ``hold`` from what is known of the map; asks where that does not do."""
        place = place_of(self._params, self.s.adr)
        row_known = Signal()
        row = Signal.like(self.look_row)
        granted = Signal(beat_layout(self._params))
        granted_valid = Signal()
        granted_whole = Signal()
        sees = Signal()         # a write to the memory, of which the map may say something
        copied = Signal()
        permitted = Signal()
        looked = Signal()
        settled = Signal()      # nothing was found out in the clock before that may end the hold

        m.d.comb += [
            copied.eq(row_known & (row == row_of(place.block))
                      & (self.look_raw.bit_select(bit_of(place.block), 1) ^ self.flip)),
            permitted.eq(granted_valid & (granted.block == place.block)
                         & (granted_whole | (granted.beat == place.beat))),
            sees.eq(write & self.active
                    & in_range(self._params, self.s.adr, self._params.memory_base)),
            hold.eq(sees & ~copied & ~permitted),
            self.look_row.eq(row_of(place.block)),
            self.look.eq((hold if self._params.map is Map.MEMORY else sees) & ~looked),
        ]
        seen = looked           # the row was there in the clock before, or is so now
        if self._params.map_latency > 1:
            seen = Signal(name="seen")
            m.d.sync += seen.eq(hold & looked)
        m.d.sync += [
            looked.eq(hold),
            settled.eq(hold & seen & ~(self.ask.valid & self.ask.ready)),
        ]
        m.d.comb += self.comes.eq(self.s.cyc & self.s.stb & ~settled & ~self._refusing)
        there, there_row = look_there(m, self._params, self.look, self.look_row)
        with m.If(there):
            m.d.sync += [row_known.eq(1), row.eq(there_row)]

        m.d.sync += self.ask.valid.eq(self.active & Mux(self.ask.valid, ~self.ask.ready, hold))
        with m.If(~self.ask.valid):     # of no consequence before it is
            m.d.sync += self.ask.payload.eq(place)
        with m.If(self.ask.valid & self.ask.ready):
            # Who asked may have given up: what is permitted and under way now must stay permitted
            with m.If(~(sees & permitted)):
                m.d.sync += [
                    granted.eq(self.ask.payload),
                    granted_whole.eq(self.whole),
                    granted_valid.eq(1),
                ]
        with m.If(~self.active):
            m.d.sync += [granted_valid.eq(0), row_known.eq(0)]

    def _pass_pipelined(self, m, *, hold, barred, refuse):
        """Requests and answers of the pipelined form, in order.

        Whether a request is accepted is known late in the clock, and is counted in the next.
        """
        in_flight = Signal(range(self._params.max_in_flight + 1))   # but for the newest
        newest = Signal()    # was accepted in the clock before
        some = Signal()      # are in flight
        after = Signal.like(in_flight)      # ``in_flight`` of the next clock
        flushing = Signal()  # the initiator dropped ``cyc`` before all answers had come
        answer = Signal()
        accepted = Signal()
        gone = Signal()     # after this clock no answer is due, if nothing is accepted in it
        left = Signal.like(in_flight)       # of what had passed when ``active`` rose, answers due
        was_active = Signal()

        m.d.comb += [
            some.eq((in_flight != 0) | newest),
            self.m.cyc.eq(self.s.cyc | some),
            self.offers.eq(self.s.cyc & self.s.stb & ~barred & ~flushing & ~self._refusing),
            self.m.stb.eq(self.offers & ~hold),
            self.s.stall.eq(Mux(refuse, some, hold | self.m.stall)
                            | flushing | self._refusing),
            accepted.eq(self.m.stb & ~self.m.stall),
            answer.eq(self._answer()),
            gone.eq(~((in_flight[1:] != 0) | in_flight[0] & newest | some & ~answer)),
            after.eq(in_flight - Cat(answer ^ newest, newest & ~answer).as_signed()),
            self._forward_answers(~flushing & self.s.cyc, self._refusing & self.s.cyc),
            self.can_arm.eq(1),
        ]
        m.d.sync += [
            in_flight.eq(after),
            newest.eq(accepted),
            # What is accepted belongs to a cycle that goes on
            flushing.eq((flushing | ~self.s.cyc) & ~gone),
            self._refusing.eq(refuse & ~some & ~flushing & ~self._refusing),
            was_active.eq(self.active),
            self.drained.eq(Mux(was_active & self.active, (left[1:] == 0) & (answer | ~left[0]),
                                gone & ~(accepted & ~self.active))),
        ]
        with m.If(~was_active):
            m.d.sync += left.eq(after)
        with m.Elif(answer & (left != 0)):
            m.d.sync += left.eq(left - 1)

    def _pass_classic(self, m, *, hold, barred, refuse):
        """Requests and answers of the classic form, one at a time."""
        pending = Signal()
        m.d.comb += [
            self.m.cyc.eq(self.s.cyc),
            self.offers.eq(self.s.cyc & self.s.stb & ~barred & ~self._refusing),
            self.m.stb.eq(self.offers & ~hold),
            pending.eq(self.m.stb & ~self._answer()),
            self._forward_answers(self.m.stb, self._refusing & self.s.cyc & self.s.stb),
            self.can_arm.eq(1),
            self.drained.eq(1),
        ]
        m.d.sync += self._refusing.eq(refuse & ~self._refusing)
        if "cti" in self._params.features:
            self._end_bursts(m, pending=pending, refuse=refuse)

    def _end_bursts(self, m, *, pending, refuse):
        """While ``single``, carries bursts as single accesses, so that any beat can be held."""
        cycle_type = wishbone.CycleType
        # From a reset on, the sweep of a map in the memory is between the beats of bursts
        single = Signal(init=self._params.map is Map.MEMORY)
        open_burst = Signal()
        with m.If(~pending):
            m.d.sync += single.eq(self.single)
        with m.If(~self.m.cyc):
            m.d.sync += open_burst.eq(0)
        with m.Elif(self.m.stb & ~pending):
            m.d.sync += open_burst.eq((self.m.cti == cycle_type.CONST_BURST)
                                      | (self.m.cti == cycle_type.INCR_BURST))
        m.d.comb += self.m.cti.eq(self.s.cti)
        with m.If(single):
            m.d.comb += self.m.cti.eq(Mux(open_burst, cycle_type.END_OF_BURST,
                                          cycle_type.CLASSIC))
        # A beat that does not follow ends the burst together with the cycle
        with m.If(open_burst & (refuse | (single & ~self.s.stb))):
            m.d.comb += self.m.cyc.eq(0)
        with m.If(~single | open_burst):
            m.d.comb += self.can_arm.eq(0)

    def _answer(self):
        answer = self.m.ack | self.m.err
        return answer | self.m.rty if "rty" in self._params.features else answer

    def _forward_answers(self, wanted, refusing):
        yield self.s.ack.eq(self.m.ack & wanted)
        yield self.s.err.eq(self.m.err & wanted | refusing)
        if "rty" in self._params.features:
            yield self.s.rty.eq(self.m.rty & wanted)

    def _pass_through(self, m):
        m.d.comb += [
            self.m.we.eq(self.s.we),
            self.m.adr.eq(self.s.adr),
            self.m.dat_w.eq(self.s.dat_w),
            self.m.sel.eq(self.s.sel),
            self.s.dat_r.eq(self.m.dat_r),
        ]
        for name in self._params.features & {"lock", "bte"}:
            m.d.comb += getattr(self.m, name).eq(getattr(self.s, name))
        if "cti" in self._params.features and self._params.pipelined:
            m.d.comb += self.m.cti.eq(self.s.cti)
