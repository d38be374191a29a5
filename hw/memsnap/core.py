"""The unit without its registers: one gated Wishbone port, map on chip, one memory port."""

from amaranth.hdl import Module, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from . import control
from .bus import wishbone
from .bus.wishbone_arbiter import WishboneArbiter
from .bus.wishbone_copy import WishboneCopyPort
from .bus.wishbone_gate import WishboneGate
from .copier import Copier
from .copy_map import CopyMap
from .job_table import JobKind
from .lifecycle import Lifecycle
from .sequencer import Sequencer
from .statistics import Statistics

__all__ = ["SnapshotCore", "Trace"]


class Trace(data.Struct):
    """What simulations may want to see of the unit's work."""

    state: control.State
    active: unsigned(1)     #: past the instant, before the end
    held: unsigned(1)       #: a write is being held in this clock
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
        From the initiator.
    m_wb : ``Out(wishbone.Signature)``
        To the memory.
    control : ``In(control.Signature)``
    trigger : ``In(1)``
        A rising edge starts a snapshot.
    trace : ``Out(Trace)``
    """

    def __init__(self, params):
        self._params = params
        bus = wishbone.Signature.of(params)
        super().__init__({
            "s_wb": In(bus),
            "m_wb": Out(bus),
            "control": In(control.Signature(params)),
            "trigger": In(1),
            "trace": Out(Trace),
        })

    def elaborate(self, platform):
        m = Module()
        params = self._params
        m.submodules.gate = gate = WishboneGate(params)
        m.submodules.arbiter = arbiter = WishboneArbiter(params)
        m.submodules.port = port = WishboneCopyPort(params)
        m.submodules.copier = copier = Copier(params)
        m.submodules.map = map_ = CopyMap(params)
        m.submodules.sequencer = sequencer = Sequencer(params)
        m.submodules.lifecycle = lifecycle = Lifecycle(params)
        m.submodules.statistics = statistics = Statistics()

        # The data path
        connect(m, flipped(self.s_wb), gate.s)
        connect(m, gate.m, arbiter.gate)
        connect(m, port.read_bus, arbiter.read)
        connect(m, port.write_bus, arbiter.write)
        connect(m, arbiter.m, flipped(self.m_wb))
        for name in "read", "read_answer", "write", "write_answer":
            connect(m, getattr(copier, name), getattr(port, name))

        # The decisions
        connect(m, gate.ask, sequencer.ask)
        connect(m, sequencer.set, map_.set)
        self._wire(m, map_, gate, "look look_row", "look_data")
        self._wire(m, map_, sequencer, "scan scan_row", "scan_data set_done")
        self._wire(m, sequencer, copier, "wanted secured reading check_captured check_issued "
                   "captured captured_job copied copied_job",
                   "open visit demand job place check_job check_beat")
        self._wire(m, lifecycle, gate, "can_arm drained", "active")
        self._wire(m, lifecycle, copier, "busy error error_write error_block", "stop drop reset")
        self._wire(m, lifecycle, arbiter, "waiting aborting", "abort")
        self._wire(m, lifecycle, map_, "full", "sweep restart")
        self._wire(m, lifecycle, sequencer, "all_claimed", "enable reset")
        m.d.comb += [
            gate.protect.eq(lifecycle.protected),
            gate.single.eq(lifecycle.locked),
            gate.whole.eq(sequencer.whole),
            arbiter.urgent.eq(copier.wanted),
            lifecycle.sweeping.eq(map_.sweeping | copier.sweeping),
            lifecycle.all_initial.eq(sequencer.initial_done),
            lifecycle.trigger.eq(self.trigger),
        ]

        # Registers and figures
        self._wire(m, self.control, lifecycle, "state cause refusal done failed cancelled refused "
                   "active locked protected ready fail_block ended",
                   "start cancel clear regions timeout")
        self._wire(m, statistics, lifecycle, "accepted arming active")
        self._wire(m, statistics, sequencer, "held retired retired_kind")
        self._wire(m, self.control, sequencer, "map_valid", "map_row map_read regions")
        m.d.comb += [
            statistics.hold.eq(gate.held),
            arbiter.share.eq(self.control.share),
            self.control.counters.eq(statistics.counters),
            self.control.map_data.eq(sequencer.map_data
                                     & (lifecycle.active | lifecycle.done).replicate(32)),
            self.trace.state.eq(lifecycle.state),
            self.trace.active.eq(lifecycle.active),
            self.trace.held.eq(gate.held),
            self.trace.copied.eq(sequencer.retired),
            self.trace.block.eq(sequencer.retired_block),
            self.trace.kind.eq(sequencer.retired_kind),
        ]
        return m

    @staticmethod
    def _wire(m, left, right, to_left, to_right=""):
        """Joins members of the same name: those ``to_left`` are driven by ``right``, and so on."""
        for name in to_left.split():
            m.d.comb += getattr(left, name).eq(getattr(right, name))
        for name in to_right.split():
            m.d.comb += getattr(right, name).eq(getattr(left, name))
