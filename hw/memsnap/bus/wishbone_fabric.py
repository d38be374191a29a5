"""The data path of a unit on Wishbone: gates, copier port, map port, and the memories' ports."""

from amaranth.hdl import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import connect, flipped

from ..params import Map, Shadow
from .fabric import fabric_members, upstream_names
from .wishbone_arbiter import WishboneArbiter
from .wishbone_copy import WishboneCopyPort
from .wishbone_gate import WishboneGate
from .wishbone_join import WishboneJoin
from .wishbone_map import WishboneMapPort
from .wishbone_shadow import WishboneShadowPort

__all__ = ["WishboneFabric"]


class WishboneFabric(wiring.Component):
    """Gates for the initiators, and the ways of all requests to the memories.

    Parameters
    ----------
    params : SnapshotParams

    Members
    -------
    See :func:`memsnap.bus.fabric.fabric_members`.
    """

    def __init__(self, params):
        self._params = params
        super().__init__(fabric_members(params))

    def elaborate(self, platform):
        m = Module()
        m.submodules.arbiter = arbiter = WishboneArbiter(self._params)
        m.submodules.port = port = WishboneCopyPort(self._params)
        gates = self._join_gates(m, arbiter=arbiter)
        for name in "read", "write":
            connect(m, flipped(getattr(self, name)), getattr(port, name))
            connect(m, getattr(port, name + "_answer"), flipped(getattr(self, name + "_answer")))
        connect(m, port.read_bus, arbiter.read)
        connect(m, arbiter.m, flipped(self.m_wb))
        memory_ports = [arbiter]
        if self._params.shadow is Shadow.SAME:
            connect(m, port.write_bus, arbiter.write)
        else:
            m.submodules.shadow = shadow = WishboneShadowPort(self._params)
            connect(m, port.write_bus, shadow.write)
            connect(m, shadow.m, flipped(self.x_wb))
            memory_ports.append(shadow)
        if self._params.map is Map.MEMORY:
            m.submodules.map_port = map_port = WishboneMapPort(self._params)
            connect(m, flipped(self.map_request), map_port.request)
            connect(m, map_port.answer, flipped(self.map_answer))
            connect(m, map_port.bus, arbiter.map)
            m.d.comb += arbiter.map_urgent.eq(self.map_urgent)
        m.d.comb += [
            *(each.abort.eq(self.abort[index]) for index, each in enumerate(memory_ports)),
            self.aborting.eq(Cat(each.aborting for each in memory_ports)),
            self.waiting.eq(Cat(each.waiting for each in memory_ports)),
            self.can_hold.eq(Cat(gate.can_arm for gate in gates).all()),
            self.can_arm.eq(arbiter.can_arm & self.can_hold),
            self.drained.eq(Cat(gate.drained for gate in gates).all()),
            arbiter.comes.eq(Cat(gate.comes for gate in gates).any()),
            arbiter.offers.eq(gates[0].offers if len(gates) == 1 else arbiter.gate.stb),
            arbiter.urgent.eq(self.urgent),
            arbiter.share.eq(self.share),
        ]
        return m

    def _join_gates(self, m, *, arbiter):
        """A gate for each port, its data to the arbiter."""
        gates = [WishboneGate(self._params) for _ in range(self._params.ports)]
        if len(gates) == 1:
            m.submodules.gate, = gates
            connect(m, gates[0].m, arbiter.gate)
        else:
            m.submodules.join = join = WishboneJoin(self._params)
            connect(m, join.m, arbiter.gate)
            for index, gate in enumerate(gates):
                m.submodules[f"gate{index}"] = gate
                connect(m, gate.m, join.gates[index])
        for gate, name, told in zip(gates, upstream_names(self._params), self.gates, strict=True):
            connect(m, flipped(getattr(self, name)), gate.s)
            connect(m, gate.ask, flipped(told.ask))
            m.d.comb += [getattr(told, each).eq(getattr(gate, each))
                         for each in ("look", "look_row", "held")]
            m.d.comb += [getattr(gate, each).eq(getattr(told, each))
                         for each in ("look_raw", "flip", "whole", "deny_read", "fail")]
            m.d.comb += gate.active.eq(self.active)
            m.d.comb += [gate.protect.eq(self.protect), gate.single.eq(self.single)]
        return gates
