"""The data path of a unit on AXI4: gates, the copier's bursts, map port, the memories' ports."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import connect, flipped
from amaranth.utils import exact_log2

from ..params import CopierPort, Map, Shadow
from .axi4_arbiter import Axi4Arbiter
from .axi4_copy import Axi4CopyReads, Axi4CopyWrites
from .axi4_gate import Axi4Gate
from .axi4_map import Axi4MapPort
from .axi4_sharing import Axi4Sharing
from .axi4_silence import Axi4Silence
from .axi4_skid import AddressSkid
from .fabric import fabric_members, upstream_names

__all__ = ["Axi4Fabric"]


class Axi4Fabric(wiring.Component):
    """Gates for the initiators, and the ways of all requests to the memories.

    AXI4 has no way to take back a request: what the copier asked of a memory that fell silent is
    still awaited after the snapshot has ended, and no other can start until it has come.

    Parameters
    ----------
    params : SnapshotParams

    Members
    -------
    See :func:`memsnap.bus.fabric.fabric_members`. Of several ports to memories the first is
    ``m_axi``, then come ``x_axi`` and ``c_axi``.
    """

    def __init__(self, params):
        self._params = params
        super().__init__(fabric_members(params))

    def elaborate(self, platform):
        m = Module()
        params = self._params
        m.submodules.arbiter = arbiter = Axi4Arbiter(params)
        m.submodules.reads = reads = Axi4CopyReads(params)
        m.submodules.writes = writes = Axi4CopyWrites(params)
        names = ["m_axi"]
        names += ["x_axi"] if params.shadow is Shadow.SEPARATE else []
        names += ["c_axi"] if params.copier_port is CopierPort.OWN else []
        ports = {}
        for name in names:
            m.submodules[f"{name}_silence"] = ports[name] = Axi4Silence(getattr(self, name), params)
        read_name = "c_axi" if params.copier_port is CopierPort.OWN else "m_axi"
        write_name = "x_axi" if params.shadow is Shadow.SEPARATE else read_name
        users = {reads: read_name, writes: write_name}

        gates = self._join_gates(m, arbiter=arbiter, writes=writes)
        connect(m, arbiter.m, flipped(self.m_axi))
        for name, user, channels in ((read_name, reads, "ar r"), (write_name, writes, "aw w b")):
            if name == "m_axi":
                self._share(m, user, channels.split()[0], gates)
                skid = self._join_shared(m, user.bus, arbiter.copier, channels.split())
                if user is reads:
                    m.d.comb += arbiter.urgent.eq(reads.presses | self.urgent & ~skid.i_ready)
            else:
                self._join(m, user.bus, flipped(getattr(self, name)), channels.split())
        for half, user in ("read", reads), ("write", writes):
            connect(m, flipped(getattr(self, half)), user.request)
            connect(m, user.answer, flipped(getattr(self, half + "_answer")))
        if params.map is Map.MEMORY:
            m.submodules.map_port = map_port = Axi4MapPort(params)
            users[map_port] = "m_axi"
            connect(m, flipped(self.map_request), map_port.request)
            connect(m, map_port.answer, flipped(self.map_answer))
            connect(m, map_port.bus, arbiter.map)
            m.d.comb += arbiter.map_urgent.eq(self.map_urgent)
        for index, (name, silence) in enumerate(ports.items()):
            here = [user for user, port in users.items() if port == name]
            m.d.comb += [
                self.waiting[index].eq(silence.waiting),
                self.aborting[index].eq(Cat(user.aborting for user in here).any()),
                *(user.abort.eq(self.abort[index]) for user in here),
            ]
        m.d.comb += [
            self.owing.eq(Cat(user.owing for user in users).any()),
            self.can_hold.eq(1),
            # As long as no snapshot is active nothing is held: what comes may stand at the port
            self.can_arm.eq(self.m_axi.awready
                            | ~(arbiter.stood | Cat(gate.offers for gate in gates).any())),
            self.drained.eq(Cat(gate.drained for gate in gates).all()),
            arbiter.claims.eq(Cat(gate.claims for gate in gates)),
            reads.urgent.eq(self.urgent),
            arbiter.share.eq(self.share),
        ]
        return m

    def _share(self, m, user, channel, gates):
        """The copier and the initiators on one channel."""
        m.submodules[f"{channel}_sharing"] = sharing = Axi4Sharing()
        m.d.comb += [
            sharing.asked.eq(Cat(getattr(gate.m, channel + "valid") for gate in gates).any()),
            sharing.waits.eq(user.waits),
            sharing.beat.eq(self.m_axi.rvalid if channel == "ar"
                            else self.m_axi.wvalid & self.m_axi.wready),
            user.single.eq(sharing.single),
        ]

    def _join_shared(self, m, manager, target, channels):
        """Connects channels of two buses, where the gates' late decisions say who has the port."""
        self._join(m, manager, target, channels)
        address = channels[0]
        m.submodules[f"{address}_skid"] = skid = AddressSkid(
            addr_width=self._params.addr_width, len_width=exact_log2(self._params.burst_beats))
        for name in "addr", "len", "valid", "ready":
            given, out = getattr(manager, address + name), getattr(target, address + name)
            i, o = getattr(skid, f"i_{name}"), getattr(skid, f"o_{name}")
            m.d.comb += [given.eq(i), o.eq(out)] if name == "ready" else [i.eq(given), out.eq(o)]
        return skid

    @staticmethod
    def _join(m, manager, target, channels):
        """Connects some channels of two buses."""
        for name, member in manager.signature.members.items():
            if any(name.startswith(channel) for channel in channels):
                left, right = getattr(manager, name), getattr(target, name)
                m.d.comb += right.eq(left) if member.flow is wiring.Out else left.eq(right)

    def _join_gates(self, m, *, arbiter, writes):
        """A gate for each port.

        The shadow stays protected as long as the copier's writes to it may still come, also past
        the end of a snapshot that fails.
        """
        protect = Signal()
        kept = Signal()
        m.d.comb += protect.eq(self.protect | kept)
        m.d.sync += kept.eq(protect & writes.busy)
        gates = []
        for index, name in enumerate(upstream_names(self._params)):
            gate = Axi4Gate(self._params)
            suffix = "" if self._params.ports == 1 else str(index)
            m.submodules["gate" + suffix] = gate
            connect(m, flipped(getattr(self, name)), gate.s)
            connect(m, gate.m, arbiter.gates[index])
            connect(m, gate.core, flipped(self.gates[index]))
            m.d.comb += [gate.active.eq(self.active), gate.protect.eq(protect)]
            gates.append(gate)
        return gates
