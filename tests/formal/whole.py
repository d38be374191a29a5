"""The contract of the whole core, for one beat address that stands for all.

The address is an input that never changes. The memory is abstract: it knows the value of that beat
in memory and shadow; every other read gives anything. Its answers come in order, after any time,
its stalls come at any time, and any request may fail. The initiator does anything that Wishbone
allows; start, trigger, cancel and clear come at any time, software reads the map at any time, the
pace changes at any time, and limits whenever they are not locked.
"""

from amaranth.hdl import Assert, Assume, Cat, Cover, Module, Mux, ResetSignal, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In
from memsnap.control import Refusal, State
from memsnap.copy_map import bit_of, row_of
from memsnap.core import SnapshotCore

from .past import past

__all__ = ["WholeSpec"]


class WholeSpec(wiring.Component):
    """C1, C2, C3, C5 and C7 of :class:`SnapshotCore` with pipelined Wishbone.

    Parameters
    ----------
    params : SnapshotParams
    memory : str
        ``"any"``, or ``"quick"``: takes each request at once, answers in the next clock, and
        never fails; no cancel, no region and no reset either.
    traffic : str
        ``"any"``; ``"writes"``: to one beat, all the time; ``"none"``.
    """

    def __init__(self, params, *, memory="any", traffic="any"):
        self._params = params
        self._quick = memory == "quick"
        self._traffic = traffic
        self._core = SnapshotCore(params)
        self._core_fragment = None
        self._inside = None
        super().__init__({
            "beat": In(params.span_bits),
            "cyc": In(1), "stb": In(1), "we": In(1), "adr": In(params.adr_width),
            "dat_w": In(params.data_width), "sel": In(params.data_width // 8),
            "m_stall": In(1), "m_answer": In(1), "m_fails": In(1),
            "m_data": In(params.data_width),
            "start": In(1), "trigger": In(1), "cancel": In(1), "clear": In(1),
            "map_read": In(1), "map_row": In(range(max(2, params.map_rows))),
            "timeout": In(32), "share": In(32), "deadline": In(32), "hold_limit": In(32),
            "pace": In(16), "pause": In(1), "policy": In(6), "deny_read": In(1),
            "region_on": In(1), "region_base": In(params.addr_width),
            "region_limit": In(params.addr_width),
        })

    def elaborate(self, platform):
        m = Module()
        core = self._core
        m.submodules.core = self._core_fragment or core
        self._drive(m, core)
        memory, shadow = self._memory(m, core)
        self._check_image(m, core, memory, shadow)
        self._check_writes(m, core)
        self._check_reads(m, core, memory)
        self._cover(m, core)
        self._restrict(m)
        return m

    def _restrict(self, m):
        """What is asked for with ``memory`` and ``traffic``."""
        if self._quick:
            m.d.sync += [Assume(~self.m_stall & self.m_answer),
                         Assume(~self.m_fails & (self.timeout == 0) & (self.share == 2)),
                         Assume((self.deadline == 0) & (self.hold_limit == 0) & (self.pace == 0)),
                         Assume(~self.pause & (self.policy == 0)),
                         Assume(~self.cancel & ~self.clear & ~self.region_on & ~ResetSignal()),
                         Assume(self.start & ~self.trigger & ~self.map_read),
                         Assume((self.beat == 0) & (self.m_data == 0) & (self.dat_w == 0))]
        if self._traffic == "writes":
            m.d.sync += Assume(self._first | self.cyc & self.stb & self.we & (self.adr == 0))
        if self._traffic == "none":
            m.d.sync += Assume(~self.cyc & ~self.stb & self.start)

    def _at(self, adr, base):
        """Whether a bus address is the symbolic beat, counted from ``base``."""
        return adr == (base >> self._params.beat_shift) + self.beat

    def _block(self, address):
        """The block of a byte address in the memory."""
        params = self._params
        offset = address - params.memory_base
        return (offset >> params.beat_shift + params.beat_bits)[:params.block_bits]

    def _in_memory(self, address):
        params = self._params
        return (address >= params.memory_base) & (address < params.memory_base + params.memory_size)

    def _in_shadow(self, adr):
        params = self._params
        return adr >> params.span_bits == params.shadow_base >> params.beat_shift + params.span_bits

    def _drive(self, m, core):
        s, c = core.s_wb, core.control
        m.d.comb += [
            s.cyc.eq(self.cyc), s.stb.eq(self.stb), s.we.eq(self.we), s.adr.eq(self.adr),
            s.dat_w.eq(self.dat_w), s.sel.eq(self.sel),
            c.start.eq(self.start), c.cancel.eq(self.cancel), c.clear.eq(self.clear),
            c.regions.enable.eq(self.region_on), c.regions.first.eq(self._block(self.region_base)),
            c.regions.last.eq(self._block(self.region_limit)),
            c.share.eq(self.share), c.timeout.eq(self.timeout), core.trigger.eq(self.trigger),
            c.map_read.eq(self.map_read), c.map_row.eq(self.map_row),
            c.deadline.eq(self.deadline), c.hold_limit.eq(self.hold_limit), c.pace.eq(self.pace),
            c.pause.eq(self.pause), c.deny_read.eq(self.deny_read),
            Cat(c.failure, c.hold_io, c.retries).eq(self.policy),
        ]
        # What the table of regions says of them
        with m.If(self.region_on & ~(self._in_memory(self.region_base)
                                     & self._in_memory(self.region_limit))):
            m.d.comb += c.unsound.eq(Refusal.REGION_RANGE)
        with m.Elif(self.region_on & (self.region_base > self.region_limit)):
            m.d.comb += c.unsound.eq(Refusal.REGION_ORDER)
        # The symbolic beat and the configuration stay; a stalled request does, unless cyc falls
        started = Signal()
        m.d.sync += started.eq(1)
        for value in (self.beat, self.policy,
                      Cat(self.region_on, self.region_base, self.region_limit)):
            before = Signal.like(value)
            m.d.sync += [before.eq(value), Assume(~started | (value == before))]
        limits = Cat(self.timeout, self.deadline, self.hold_limit)
        limits_before = Signal.like(limits)
        self._timeout_before = limits_before[:len(self.timeout)]
        self._was_locked = locked = Signal()
        m.d.sync += [
            limits_before.eq(limits), locked.eq(c.locked),
            Assume(~locked | (limits == limits_before)),
        ]
        request = Cat(s.stb, s.we, s.adr, s.dat_w, s.sel)
        request_before = Signal.like(request)
        stalled = Signal()
        self._denied = denied = Signal()
        m.d.sync += [
            stalled.eq(s.cyc & s.stb & s.stall),
            request_before.eq(request),
            Assume(~stalled | ~s.cyc | (request == request_before)),
            denied.eq(self.deny_read),
            Assume(~(s.cyc & s.stb) | (self.deny_read == denied)),
            Assume(self.beat < self._params.memory_size // self._params.beat_bytes),
        ]

    def _memory(self, m, core):
        """The abstract memory; gives the symbolic beat's value in memory and shadow."""
        bus = core.m_wb
        depth = self._params.max_in_flight
        entry = data.StructLayout({"known": 1, "value": self._params.data_width, "fails": 1,
                                   "mine": 1})
        queue = [Signal(entry, name=f"queue{i}") for i in range(depth)]
        length = Signal(range(depth + 1))
        memory = Signal(self._params.data_width)
        shadow = Signal(self._params.data_width)
        first = Signal(init=1)
        accepted = Signal()
        answered = Signal()
        fails = Signal()
        new = Signal(entry)
        self._timed = timed = Signal()     # there was a timeout in the clock before

        m.d.sync += first.eq(0)
        m.d.comb += [
            timed.eq(self._timeout_before != 0),
            accepted.eq(bus.cyc & bus.stb & ~bus.stall),
            answered.eq(bus.ack | bus.err),
            fails.eq(self.m_fails),
            bus.stall.eq(self.m_stall),
            bus.ack.eq(bus.cyc & (length != 0) & self.m_answer & ~queue[0].fails),
            bus.err.eq(bus.cyc & (length != 0) & self.m_answer & queue[0].fails),
            bus.dat_r.eq(Mux(queue[0].known, queue[0].value, self.m_data)),
            new.known.eq(self._at(bus.adr, self._params.memory_base)
                         | self._at(bus.adr, self._params.shadow_base)),
            new.value.eq(Mux(self._at(bus.adr, self._params.memory_base), memory, shadow)),
            new.fails.eq(fails),
            new.mine.eq(self._at(bus.adr, self._params.memory_base)),
        ]
        self._queue, self._length, self._first = queue, length, first
        self._memory_value, self._shadow_value = memory, shadow
        self._given_up = ~bus.cyc & (length != 0)
        left = Signal.like(length)
        m.d.comb += left.eq(length - answered)
        with m.If(answered):
            m.d.sync += [queue[i].eq(queue[i + 1]) for i in range(depth - 1)]
        with m.If(accepted):
            with m.Switch(left):
                for i in range(depth):
                    with m.Case(i):
                        m.d.sync += queue[i].eq(new)
        m.d.sync += length.eq(Mux(bus.cyc, left + accepted, 0))
        m.d.sync += [
            Assert(~accepted | (left < depth), "too many requests in flight"),
            Assert(~self._given_up | timed & (core.control.state == State.STOPPING),
                   "C3: answers are given up without a timeout"),
        ]
        for value, base in ((memory, self._params.memory_base), (shadow, self._params.shadow_base)):
            with m.If(first):
                m.d.sync += value.eq(self.m_data)   # anything
            with m.Elif(accepted & bus.we & ~fails & self._at(bus.adr, base)):
                for lane, selected in enumerate(bus.sel):
                    with m.If(selected):
                        m.d.sync += value.word_select(lane, 8).eq(bus.dat_w.word_select(lane, 8))
        m.d.sync += Assume(~first | ~(accepted & bus.we))
        return memory, shadow

    def _check_image(self, m, core, memory, shadow):
        """C1, C2 and C5: what the shadow holds."""
        active, done = core.trace.active, core.control.done
        was_active = Signal()
        at_instant = Signal.like(memory)
        image = Signal.like(memory)
        copied = Signal()
        mine = core.trace.copied & (core.trace.block == self.beat[self._params.beat_bits:])
        m.d.comb += image.eq(Mux(active & ~was_active, memory, at_instant))
        m.d.sync += [
            was_active.eq(active),
            at_instant.eq(image),
            copied.eq((copied | (mine & active)) & (active | done)),
            Assert(~(copied & (active | done)) | (shadow == image), "C2: a copied block differs"),
            Assert(~done | (shadow == at_instant), "C2: the image is not the memory at T"),
            Assert(~(done & (core.control.failed | core.control.cancelled)), "C5: two results"),
            Assert(~(core.control.failed & core.control.cancelled), "C5: two results"),
        ]
        self._image, self._was_active, self._copied = image, was_active, copied
        self._check_map(m, core, shadow == image)

    def _check_map(self, m, core, is_image):
        """C2: software sees the bits of copied blocks alone."""
        block = self.beat[self._params.beat_bits:]
        self._asked = [past(m, self.map_row)]       # the rows whose bits may come
        if self._params.map_latency > 1:
            self._asked.append(past(m, *self._asked))
        m.d.sync += [
            Assert(~(core.control.map_valid & (self._asked[-1] == row_of(block))
                     & core.control.map_data.bit_select(bit_of(block), 1)) | is_image,
                   "C2: a block that the map shows as copied differs"),
        ]

    def _check_writes(self, m, core):
        """C3 and C7: each write is the initiator's, unchanged, or the copier's into the shadow."""
        s, bus = core.s_wb, core.m_wb
        write = bus.cyc & bus.stb & bus.we
        same = (s.cyc & s.stb & s.we & (s.adr == bus.adr) & (s.dat_w == bus.dat_w)
                & (s.sel == bus.sel))
        in_shadow = self._in_shadow(bus.adr)
        control = core.control
        m.d.sync += [
            Assert(~write | in_shadow | same, "C7: a write outside the shadow that is nobody's"),
            Assert(~write | same | control.active | (control.state == State.STOPPING),
                   "C7: the copier writes while no snapshot runs"),
            Assert(~(write & control.active & self._at(bus.adr, self._params.shadow_base))
                   | ((bus.dat_w == self._image) & bus.sel.all()),
                   "C2: the shadow is written with something else than the memory at T"),
            Assert(~(write & in_shadow & control.done),
                   "C7: an image that is kept is written"),
        ]

    def _check_reads(self, m, core, memory):
        """C3: each answer is for a request, in order, and a read gives what the memory holds."""
        s, bus = core.s_wb, core.m_wb
        depth = self._params.max_in_flight + 1
        entry = data.StructLayout({"known": 1, "value": self._params.data_width, "fails": 1,
                                   "refused": 1})
        queue = [Signal(entry, name=f"owed{i}") for i in range(depth)]
        length = Signal(range(depth + 1))
        left = Signal.like(length)
        new = Signal(entry)
        self._owed, self._owed_length = queue, length
        accepted = s.cyc & s.stb & ~s.stall
        answered = s.ack | s.err
        forwarded = bus.cyc & bus.stb & ~bus.stall
        m.d.comb += [
            new.known.eq(~s.we & self._at(s.adr, self._params.memory_base)),
            new.value.eq(memory),
            new.refused.eq(Mux(s.we, core.control.protected, self.deny_read)
                           & self._in_shadow(s.adr)),
            new.fails.eq(self.m_fails | new.refused),
            left.eq(length - answered),
        ]
        with m.If(answered):
            m.d.sync += [queue[i].eq(queue[i + 1]) for i in range(depth - 1)]
        with m.If(accepted):
            with m.Switch(left):
                for i in range(depth):
                    with m.Case(i):
                        m.d.sync += queue[i].eq(new)
        with m.If(self._given_up):
            m.d.sync += [each.fails.eq(1) for each in queue]
        m.d.sync += [
            length.eq(Mux(s.cyc, left + accepted, 0)),
            Assert(~(s.ack & s.err), "C3: two answers at once"),
            Assert(~answered | ~s.cyc | (length != 0), "C3: an answer to no request"),
            Assert(~answered | s.cyc, "C3: an answer without a cycle"),
            Assert(~(answered & s.cyc) | (s.err == (queue[0].fails | self._given_up)),
                   "C3: another answer"),
            Assert(~(s.ack & s.cyc & queue[0].known) | (s.dat_r == queue[0].value),
                   "C3: a read gives something else"),
            Assert(~accepted | new.refused | (forwarded & (bus.adr == s.adr) & (bus.we == s.we)),
                   "C3: a request is swallowed"),
        ]

    def _cover(self, m, core):
        """What is reached, of what the traffic can lead to."""
        control = core.control
        if self._traffic == "none":
            m.d.sync += Cover(control.done, "a snapshot is done")
            return
        held = Signal()
        with m.If(core.trace.held):
            m.d.sync += held.eq(1)
        write = core.m_wb.cyc & core.m_wb.stb & core.m_wb.we & ~core.m_wb.stall
        memory_write = write & (core.m_wb.adr < self._params.memory_size)
        m.d.sync += [
            Cover(held, "a write is held"),
            Cover(held & control.active & memory_write, "a held write goes on in the snapshot"),
            Cover(core.trace.copied & (core.trace.kind.as_value() == 0),
                  "a block is copied on demand"),
        ]
