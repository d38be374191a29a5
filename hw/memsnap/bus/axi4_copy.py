"""The copier's port on AXI4: its reads and writes as bursts."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ..copier import Answer
from ..copy_buffer import write_layout
from ..ranges import beat_adr, beat_layout
from . import axi4
from .axi4_runs import BurstRuns

__all__ = ["Axi4CopyReads", "Axi4CopyWrites"]


def _announce(params, bus, channel, run, base):
    """An address: whole words, ascending; normal memory, neither cached nor buffered on the way, so
    that an answer to a write comes from where it ends (A4.4); privileged, secure, data (A4.7)."""
    values = {"addr": Cat(Const(0, params.beat_shift), beat_adr(params, run.payload.place, base)),
              "len": run.payload.len, "size": params.beat_shift, "burst": axi4.Burst.INCR,
              "cache": 0b0010, "prot": 0b001, "valid": run.valid}
    yield run.ready.eq(getattr(bus, channel + "ready"))
    for name, value in values.items():
        yield getattr(bus, channel + name).eq(value)


class Axi4CopyReads(wiring.Component):
    """Makes the copier's reads AXI4 bursts.

    An answer passes in the clock in which it comes. ``abort`` gives up what is not answered: each
    request is answered with an error, from the next clock on, and what the memory still sends is
    dropped; until all has come, ``owing``.

    Parameters
    ----------
    params : SnapshotParams

    Members
    -------
    request, answer
        See :class:`memsnap.copier.Copier`.
    bus : ``Out(axi4.Signature)``
        Of which AR and R are used.
    urgent : ``In(1)``
        Bursts are sent at once, however short.
    presses : ``Out(1)``
        While ``urgent``: there is a burst on offer. Known early in the clock.
    single : ``In(1)``
        Bursts are of one beat; see :class:`memsnap.bus.axi4_sharing.Axi4Sharing`.
    waits : ``Out(1)``
        The memory has not answered a request.
    abort, aborting, owing
        See :func:`memsnap.bus.fabric.fabric_members`.
    """

    def __init__(self, params):
        self._params = params
        super().__init__({
            "request": In(stream.Signature(beat_layout(params))),
            "answer": Out(Answer(params.data_width)),
            "bus": Out(axi4.Signature.of(params, id_width=1)),
            "urgent": In(1),
            "presses": Out(1),
            "single": In(1),
            "waits": Out(1),
            "abort": In(1),
            "aborting": Out(1),
            "owing": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.runs = runs = BurstRuns(self._params, through=True)
        count = range(self._params.buffer_depth + 2)
        pending = Signal(count)     # requests that the copier has no answer to
        owed = Signal(count)        # beats of the bursts that were sent, still to come
        comes = Signal()
        takes = Signal()
        following = Signal.like(runs.beat.payload.as_value())   # the place behind the last
        m.d.comb += _announce(self._params, self.bus, "ar", runs.run, self._params.memory_base)
        m.d.comb += [
            runs.beat.payload.eq(self.request.payload),
            runs.beat.valid.eq(self.request.valid & ~self.owing),
            runs.goes_on.eq(runs.beat.payload.as_value() == following),
            self.request.ready.eq(runs.beat.ready & ~self.owing),
            runs.urgent.eq(self.urgent | self.single),
            self.presses.eq(self.urgent & runs.any),
            self.waits.eq(pending != 0),
            runs.cancel.eq(self.owing),
            takes.eq(self.request.valid & self.request.ready),
            comes.eq(self.bus.rvalid & (owed != 0)),
            self.bus.rready.eq(1),
            self.answer.data.eq(self.bus.rdata),
            self.answer.valid.eq(Mux(self.owing, self.aborting, comes)),
            self.answer.error.eq(self.owing | self.bus.rresp.as_value()[1]),
            self.aborting.eq(self.owing & (pending != 0)),
        ]
        m.d.sync += [
            pending.eq(pending + takes - self.answer.valid),
            owed.eq(owed + Mux(runs.sends, runs.run.payload.len + 1, 0) - comes),
        ]
        with m.If(takes):
            m.d.sync += following.eq(self.request.payload.as_value() + 1)
        with m.If(self.abort):
            m.d.sync += self.owing.eq(1)
        with m.Elif(~self.aborting & (owed == 0) & (runs.open == 0)):
            m.d.sync += self.owing.eq(0)
        return m


class Axi4CopyWrites(wiring.Component):
    """Makes the copier's writes AXI4 bursts.

    A burst is announced when all its data is here, so that nobody waits behind it for long, in the
    second clock after its last beat was taken at the earliest. Its beats are answered one by one
    from the second clock after its answer. ``abort`` is as in :class:`Axi4CopyReads`; the data of a
    burst that was announced is still sent (A3.4.1).

    Parameters
    ----------
    params : SnapshotParams

    Members
    -------
    request, answer
        See :class:`memsnap.copier.Copier`.
    bus : ``Out(axi4.Signature)``
        Of which AW, W and B are used.
    busy : ``Out(1)``
        A request is on offer, or the memory has not answered one yet.
    single, waits, abort, aborting, owing
        See :class:`Axi4CopyReads`.
    """

    def __init__(self, params):
        self._params = params
        super().__init__({
            "request": In(stream.Signature(write_layout(params))),
            "answer": Out(Answer(0)),
            "bus": Out(axi4.Signature.of(params, id_width=1)),
            "busy": Out(1),
            "single": In(1),
            "waits": Out(1),
            "abort": In(1),
            "aborting": Out(1),
            "owing": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        params = self._params
        m.submodules.runs = runs = BurstRuns(params)
        pending = Signal(range(params.buffer_depth + 1))   # requests that have no answer
        bursts = Signal.like(pending)                      # announced, and not answered
        unsent = Signal(range(2 * params.burst_beats + 1))   # of them, those with data to send
        sent = Signal()                                    # the last beat of one goes
        takes = Signal()
        answered = Signal()
        length = {}
        m.submodules.lengths = lengths = Memory(
            shape=range(params.burst_beats), depth=params.buffer_depth, init=[])
        announce = lengths.write_port()
        for name, step in ("data", sent), ("answer", answered):
            length[name] = lengths.read_port(domain="comb")
            with m.If(step):
                m.d.sync += length[name].addr.eq(length[name].addr + 1)

        m.d.comb += _announce(params, self.bus, "aw", runs.run, params.shadow_base)
        m.d.comb += [
            runs.urgent.eq(self.single),
            # Data that is announced is ahead of any initiator's
            runs.hold.eq(self.single & (unsent > 1)),
            self.waits.eq(pending != 0),
            runs.cancel.eq(self.owing),
            announce.en.eq(runs.sends),
            announce.data.eq(runs.run.payload.len),
            takes.eq(self.request.valid & self.request.ready),
            answered.eq(self.bus.bvalid & self.bus.bready & (bursts != 0)),
            self.aborting.eq(self.owing & (pending != 0)),
            self.busy.eq(self.request.valid | (pending != 0) | (bursts != 0)),
        ]
        m.d.sync += announce.addr.eq(announce.addr + runs.sends)
        # What is known later in the clock decides last
        for count, step, early, late in (
                (pending, -1, self.answer.valid, takes), (bursts, -1, answered, runs.sends),
                (unsent, 1, runs.sends, sent)):
            with m.If(early ^ late):
                m.d.sync += count.eq(count + Mux(early, step, -step))
        self._send(m, runs=runs, takes=takes, unsent=unsent, sent=sent, length=length["data"].data)
        self._answer(m, answered=answered, length=length["answer"].data)
        with m.If(self.abort):
            m.d.sync += self.owing.eq(1)
        with m.Elif(~self.aborting & (bursts == 0) & (runs.open == 0)):
            m.d.sync += self.owing.eq(0)
        return m

    def _send(self, m, *, runs, takes, unsent, sent, length):
        """Data in a queue: beats of bursts that are announced, and of the run that grows."""
        params = self._params
        depth = 2 * params.burst_beats
        m.submodules.beats = beats = Memory(shape=unsigned(params.data_width), depth=depth, init=[])
        put, get = beats.write_port(), beats.read_port(domain="comb")
        count = Signal(range(depth + 1))
        dropped = Signal.like(runs.open)
        room = Signal()
        # A place waits here for a clock, so that what its beat makes of the run is known early
        staged = Signal()
        place = Signal.like(self.request.payload.place)
        following = Signal.like(place.as_value())      # the place behind the last that was staged
        # It was the one that came: said by each three bits of it, which come late, out of a RAM
        goes_on = Signal(-(-len(following) // 3))
        index = Signal.like(length)
        beat = Signal()
        m.d.comb += [
            room.eq((count != depth) & ~self.owing),
            runs.beat.valid.eq(staged & ~self.owing),
            runs.beat.payload.eq(place),
            runs.goes_on.eq(goes_on.all()),
            following.eq(place.as_value() + 1),
            self.request.ready.eq((~staged | runs.beat.ready) & room),
            put.en.eq(takes),
            put.data.eq(self.request.payload.data),
            dropped.eq(Mux(self.owing, Mux(runs.run.valid, 0, runs.open) + staged, 0)),
            # Also with the address: then its length is not in the memory yet
            self.bus.wvalid.eq((unsent != 0) | runs.sends),
            self.bus.wdata.eq(get.data),
            self.bus.wstrb.eq(~0),
            self.bus.wlast.eq(index == Mux(unsent != 0, length, runs.run.payload.len)),
            beat.eq(self.bus.wvalid & self.bus.wready),
            sent.eq(beat & self.bus.wlast),
        ]
        m.d.sync += [
            put.addr.eq(put.addr + takes - dropped),
            staged.eq((takes | staged & ~runs.beat.ready) & ~self.owing),
        ]
        with m.If(beat):
            m.d.sync += [
                get.addr.eq(get.addr + 1),
                index.eq(Mux(self.bus.wlast, 0, index + 1)),
            ]
        with m.If(self.owing):
            m.d.sync += count.eq(count - dropped - beat)
        with m.Elif(takes ^ beat):
            m.d.sync += count.eq(count + Mux(takes, 1, -1))
        with m.If(takes):
            m.d.sync += [
                place.eq(self.request.payload.place),
                goes_on.eq(Cat(self.request.payload.place.as_value()[at:at + 3]
                               == following[at:at + 3] for at in range(0, len(following), 3))),
            ]

    def _answer(self, m, *, answered, length):
        """Each beat of a burst gets the burst's answer."""
        left = Signal(range(self._params.burst_beats + 1))
        error = Signal()
        m.d.comb += [
            self.bus.bready.eq((left <= 1) | self.owing),
            self.answer.valid.eq(Mux(self.owing, self.aborting, left != 0)),
            self.answer.error.eq(self.owing | error),
        ]
        with m.If(answered):
            m.d.sync += [left.eq(length + 1), error.eq(self.bus.bresp.as_value()[1])]
        with m.Elif(left != 0):
            m.d.sync += left.eq(left - 1)
        with m.If(self.owing):
            m.d.sync += left.eq(0)
