"""The unit without its registers: a bus fabric, a copy map, and all that decides."""

from amaranth.hdl import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from . import control
from .ask_turns import AskTurns
from .bus.axi4_fabric import Axi4Fabric
from .bus.fabric import bus_members
from .bus.wishbone_fabric import WishboneFabric
from .copier import Copier
from .copy_map import CopyMap, look_names
from .copy_map_memory import CopyMapMemory
from .held_writes import HeldWrites
from .io_hold import IoHold
from .job_table import JobKind
from .lifecycle import Lifecycle
from .pace import Pace
from .params import Bus, Map
from .retry import Retry
from .sequencer import Sequencer
from .statistics import Statistics

__all__ = ["SnapshotCore", "Trace"]


class Trace(data.Struct):
    """What simulations may want to see of the unit's work."""

    state: control.State
    active: unsigned(1)     #: past the instant, before the end
    held: unsigned(4)       #: a write of this port is being held in this clock
    copied: unsigned(1)     #: ``block`` is marked in the copy map in this clock
    block: unsigned(32)
    kind: JobKind


class SnapshotCore(wiring.Component):
    """The snapshot unit without its registers.

    Parameters
    ----------
    params : SnapshotParams

    Members
    -------
    s_wb : ``In(wishbone.Signature)``
        From the initiator; with several ports ``s0_wb``, ``s1_wb``, ….
    m_wb : ``Out(wishbone.Signature)``
        To the memory.
    x_wb : ``Out(wishbone.Signature)``
        To the shadow, if it is separate.
    control : ``In(control.Signature)``
    trigger : ``In(1)``
        A rising edge starts a snapshot.
    io_hold, io_held : ``Out(1)``, ``In(1)``
        With ``params.io_hold``: see :class:`memsnap.io_hold.IoHold`.
    trace : ``Out(Trace)``
    """

    def __init__(self, params):
        self._params = params
        super().__init__({
            **bus_members(params),
            "control": In(control.Signature(params)),
            "trigger": In(1),
            **({"io_hold": Out(1), "io_held": In(1)} if params.io_hold else {}),
            "trace": Out(Trace),
        })

    def elaborate(self, platform):
        m = Module()
        params = self._params
        fabric = Axi4Fabric if params.bus is Bus.AXI4 else WishboneFabric
        m.submodules.bus = bus = fabric(params)
        m.submodules.copier = copier = Copier(params)
        in_memory = params.map is Map.MEMORY
        m.submodules.map = map_ = CopyMapMemory(params) if in_memory else CopyMap(params)
        m.submodules.sequencer = sequencer = Sequencer(params)
        m.submodules.lifecycle = lifecycle = Lifecycle(params)
        m.submodules.statistics = statistics = Statistics(params)
        m.submodules.held_writes = held_writes = HeldWrites(params)

        # The data path
        for name, member in bus_members(params).items():
            outer, inner = flipped(getattr(self, name)), getattr(bus, name)
            connect(m, outer, inner) if member.flow is In else connect(m, inner, outer)
        for half in "read", "write":
            self._join_half(m, half, copier=copier, bus=bus, lifecycle=lifecycle,
                            held_writes=held_writes)

        # The decisions
        connect(m, sequencer.set, map_.set)
        self._wire(m, map_, sequencer, "scan scan_row probe", "scan_data probe_copied set_done")
        if not in_memory:
            self._wire(m, map_, sequencer, "scan_first", "")
        if params.map_summary:
            self._wire(m, map_, sequencer, "word", "word_data")
        self._wire(m, sequencer, copier, "pending secured reading check_captured check_issued "
                   "captured captured_job copied copied_job",
                   "open vacant visit follow demand job place asker first check_job check_beat")
        self._wire(m, lifecycle, copier, "busy error_block", "stop drop reset")
        self._wire(m, lifecycle, map_, "full", "sweep")
        self._wire(m, lifecycle, sequencer, "all_claimed", "enable reset")
        self._wire(m, lifecycle, bus, "can_arm drained aborting", "abort active")
        self._ask(m, bus=bus, map_=map_, sequencer=sequencer)
        if params.bus is Bus.AXI4:
            self._pause(m, bus=bus, copier=copier)
        m.d.comb += [
            bus.protect.eq(lifecycle.protected),
            bus.single.eq(lifecycle.accepted | lifecycle.locked
                          | (map_.active if in_memory else 0)),
            # On AXI4 the bus may have taken a read and still collect others for the same burst
            bus.urgent.eq(copier.wanted if params.bus is Bus.AXI4 else copier.urgent),
            bus.share.eq(self.control.share),
            lifecycle.sweeping.eq(map_.sweeping | copier.sweeping | bus.owing),
            lifecycle.all_initial.eq(sequencer.initial_done),
            lifecycle.trigger.eq(self.trigger),
        ]
        # What the memory answers, and whether a write is held, is known late in its clock, and
        # tells a clock later
        m.d.sync += [
            lifecycle.hold_expired.eq(held_writes.expired),
            lifecycle.waiting.eq(bus.waiting),
            lifecycle.error.eq(copier.error),
            lifecycle.error_write.eq(copier.error_write),
            # Nobody asks the map before the clock after this
            map_.restart.eq(lifecycle.accepted),
        ]
        if in_memory:
            self._join_map(m, map_=map_, bus=bus, sequencer=sequencer, lifecycle=lifecycle,
                           copier=copier)
        self._apply_policy(m, gates=bus.gates, lifecycle=lifecycle, statistics=statistics,
                           held_writes=held_writes, sequencer=sequencer)

        # Registers and figures
        self._wire(m, self.control, lifecycle, "state cause refusal done failed cancelled refused "
                   "active locked protected ready ready_in fail_block ended",
                   "start cancel clear unsound checking timeout failure retries hold_io")
        self._wire(m, statistics, lifecycle, "accepted arming active")
        self._wire(m, statistics, sequencer, "held retired retired_kind")
        self._wire(m, self.control, sequencer, "map_valid", "map_row map_read")
        connect(m, flipped(self.control.regions), sequencer.regions)
        m.d.comb += [
            statistics.hold.eq(Cat(gate.held for gate in bus.gates)),
            self.control.counters.eq(statistics.counters),
            self.control.map_data.eq(sequencer.map_data
                                     & (lifecycle.active | lifecycle.done).replicate(32)),
            self.trace.state.eq(lifecycle.state),
            self.trace.active.eq(lifecycle.active),
            self.trace.held.eq(statistics.hold),
            self.trace.copied.eq(sequencer.retired),
            self.trace.block.eq(sequencer.retired_block),
            self.trace.kind.eq(sequencer.retired_kind),
        ]
        return m

    def _join_half(self, m, half, *, copier, bus, lifecycle, held_writes):
        """Joins the copier's reads or writes to their bus; what fails may be repeated."""
        request, answer = getattr(copier, half), getattr(copier, half + "_answer")
        bus_request, bus_answer = getattr(bus, half), getattr(bus, half + "_answer")
        if not self._params.retry:
            connect(m, request, bus_request)
            connect(m, answer, bus_answer)
            return
        depth = min(self._params.max_in_flight, self._params.buffer_depth)
        retry = Retry(request.payload.shape(), width=len(answer.data), depth=depth)
        m.submodules[half + "_retry"] = retry
        connect(m, request, retry.request)
        connect(m, answer, retry.answer)
        connect(m, retry.bus_request, bus_request)
        connect(m, retry.bus_answer, bus_answer)
        place = retry.failing if half == "read" else retry.failing.place
        m.d.comb += [
            retry.retries.eq(self.control.retries),
            retry.spare.eq(held_writes.spare),
            retry.stop.eq(lifecycle.stop),
            retry.drop.eq(lifecycle.drop),
        ]
        with m.If(retry.spent):
            m.d.comb += [held_writes.spent.eq(1), held_writes.spent_block.eq(place.block)]

    def _apply_policy(self, m, *, gates, lifecycle, statistics, held_writes, sequencer):
        """Who waits for how long, and what happens then."""
        control = self.control
        m.submodules.pace = pace = Pace()
        m.d.comb += [
            pace.clocks.eq(control.pace),
            pace.pause.eq(control.pause),
            pace.claimed.eq(sequencer.background_claim),
            sequencer.go.eq(pace.go),
            statistics.hold_limit.eq(control.hold_limit),
            statistics.deadline.eq(control.deadline),
            held_writes.over.eq(statistics.over),
            held_writes.failure.eq(control.failure),
            lifecycle.overdue.eq(statistics.overdue),
        ]
        for index, gate in enumerate(gates):
            m.d.comb += [
                held_writes.held[index].eq(gate.held),
                held_writes.asks[index].eq(gate.ask.valid),
                held_writes.blocks[index].eq(gate.ask.payload.block),
                gate.fail.eq(held_writes.fail[index]),
                gate.deny_read.eq(control.deny_read[index]),
            ]
        if self._params.io_hold:
            m.submodules.io_hold = io_hold = IoHold()
            m.d.comb += [
                self.io_hold.eq(io_hold.io_hold),
                io_hold.io_held.eq(self.io_held),
                io_hold.use.eq(control.hold_io),
                io_hold.arming.eq(lifecycle.arming),
                io_hold.active.eq(lifecycle.active),
                io_hold.safe.eq(sequencer.initial_safe),
                lifecycle.io_waiting.eq(io_hold.waiting),
            ]

    def _ask(self, m, *, bus, map_, sequencer):
        """The gates' questions to map and sequencer."""
        wholes = [sequencer.whole]
        if self._params.ports == 1:
            connect(m, bus.gates[0].ask, sequencer.ask)
        else:
            m.submodules.turns = turns = AskTurns(self._params)
            connect(m, turns.ask, sequencer.ask)
            self._wire(m, sequencer, turns, "asker", "choose securing whole")
            m.d.comb += turns.secured.eq(sequencer.secured & sequencer.securing)
            wholes = turns.wholes
            for gate, ask in zip(bus.gates, turns.asks, strict=True):
                connect(m, gate.ask, ask)
        for gate, look, whole in zip(bus.gates, look_names(self._params), wholes, strict=True):
            m.d.comb += [
                getattr(map_, look).eq(gate.look),
                getattr(map_, look + "_row").eq(gate.look_row),
                gate.look_data.eq(getattr(map_, look + "_data")),
                gate.look_raw.eq(getattr(map_, look + "_raw")),
                gate.flip.eq(map_.flip),
                gate.whole.eq(whole),
            ]

    def _pause(self, m, *, bus, copier):
        """Clears the way for the read that a held write asks for.

        On AXI4 a read stays for a clock where bursts are collected. One that nobody waits for must
        not do so in the clock in which the wanted one comes, the third after the ask at the
        earliest.
        """
        asks = Cat(gate.ask.valid for gate in bus.gates)
        asked = Signal.like(asks)
        m.d.sync += [asked.eq(asks), copier.pause.eq((asks & ~asked).any())]

    def _join_map(self, m, *, map_, bus, sequencer, lifecycle, copier):
        """A map in the memory: its requests to the bus, its errors to the lifecycle."""
        maps_fault = Signal()    # the first failure is that of a request of the map
        copy_error, map_error = Signal(), Signal()      # in the clock before
        connect(m, map_.request, bus.map_request)
        connect(m, bus.map_answer, map_.answer)
        self._wire(m, map_, lifecycle, "stop drop", "")
        self._wire(m, sequencer, map_, "scan_valid scan_wait scan_comes")
        self._wire(m, lifecycle, map_, "sweep_failed")
        with m.If(lifecycle.active):
            m.d.sync += maps_fault.eq(Mux(copy_error | map_error, ~copy_error, ~copier.busy))
        m.d.sync += [
            copy_error.eq(copier.error),
            map_error.eq(map_.error),
            lifecycle.error.eq(copier.error | map_.error),
            lifecycle.error_write.eq(copier.error_write | map_.error_write),
        ]
        m.d.comb += [
            bus.map_urgent.eq(sequencer.map_urgent),
            map_.live.eq(lifecycle.active | lifecycle.done),
            map_.may_sweep.eq(bus.can_hold),
            lifecycle.busy.eq(copier.busy | map_.busy),
            lifecycle.error_block.eq(Mux(maps_fault | map_.sweep_failed, map_.error_block,
                                         copier.error_block)),
        ]

    @staticmethod
    def _wire(m, left, right, to_left, to_right=""):
        """Joins members of the same name: those ``to_left`` are driven by ``right``, and so on."""
        for name in to_left.split():
            m.d.comb += getattr(left, name).eq(getattr(right, name))
        for name in to_right.split():
            m.d.comb += getattr(right, name).eq(getattr(left, name))
