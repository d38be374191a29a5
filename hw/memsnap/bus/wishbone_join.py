"""Joins the gates of several initiators on the way to the one memory port."""

from amaranth.hdl import Module, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from . import wishbone

__all__ = ["WishboneJoin"]


class WishboneJoin(wiring.Component):
    """Lets several gates share one port, in turn.

    A request passes in the clock in which it wins, and answers pass back likewise. After each
    request the turn goes to the next gate that has one, so that none waits for more than one
    request of each other gate. A request that waits at the port keeps it until it is taken or given
    up. While a gate that has made a request asserts ``lock``, the turn stays with it; so it does
    in the classic form from a burst's first beat to its last.

    In the pipelined form requests of all gates may be in flight at once; answers come in order,
    and a queue of owners brings each home. In the classic form the port rests for a clock after a
    request that was given up, so that a late answer finds nobody.

    Parameters
    ----------
    params : SnapshotParams

    Members
    -------
    gates : ``In(wishbone.Signature).array(ports)``
    m : ``Out(wishbone.Signature)``
        It takes no more than ``max_in_flight`` requests before it answers.
    """

    def __init__(self, params):
        self._params = params
        bus = wishbone.Signature.of(params)
        super().__init__({"gates": In(bus).array(params.ports), "m": Out(bus)})
        self._owner = Signal(range(params.ports))   # who has the port in this clock
        self._last = Signal(range(params.ports))    # whose request was taken last
        self._resting = Signal()                    # no cycle in this clock

    def elaborate(self, platform):
        m = Module()
        answer = Signal()
        accepted = Signal()
        m.d.comb += answer.eq(self.m.ack | self.m.err | getattr(self.m, "rty", 0))
        self._choose(m, accepted=accepted)
        self._forward(m)
        if self._params.pipelined:
            m.d.comb += accepted.eq(self.m.stb & ~self.m.stall)
            self._answer_pipelined(m, accepted=accepted, answer=answer)
        else:
            m.d.comb += accepted.eq(self.m.stb & answer)
            self._answer_to(m, self._owner, self.m.stb)
            if "cti" in self._params.features:
                self._end_bursts(m, accepted=accepted)
        return m

    def _choose(self, m, *, accepted):
        """The next that asks, from the one behind the last on."""
        requests = [gate.cyc & gate.stb for gate in self.gates]
        keeps = Signal(self._params.ports)   # who may not be passed over
        waiting = Signal()
        waiting_owner = Signal.like(self._owner)
        m.d.comb += self._owner.eq(self._last)
        for after in 0, 1:      # from the one behind the last, else from the first
            for index in reversed(range(self._params.ports)):
                is_next = self._last < index if after else self._last >= index
                with m.If(requests[index] & is_next):
                    m.d.comb += self._owner.eq(index)
        m.d.sync += [waiting.eq(self.m.stb & ~accepted), waiting_owner.eq(self._owner)]
        for index, request in enumerate(requests):
            mine = waiting & (waiting_owner == index)
            with m.If(mine & request):
                m.d.comb += self._owner.eq(index)
            if not self._params.pipelined:
                with m.If(mine & ~request):
                    m.d.comb += self._resting.eq(1)
            with m.If(keeps[index]):
                m.d.comb += self._owner.eq(index)
            with m.If(accepted & (self._owner == index)):
                m.d.sync += self._last.eq(index)
            self._keep(m, index, keep=keeps[index], accepted=accepted)

    def _keep(self, m, index, *, keep, accepted):
        """Whether a gate keeps the turn: it has made a request to which more belong."""
        gate = self.gates[index]
        mine = accepted & (self._owner == index)
        if "lock" in self._params.features:
            locked = Signal(name=f"locked{index}")
            m.d.sync += locked.eq((locked | mine) & gate.cyc & gate.lock)
            with m.If(locked & gate.cyc & gate.lock):
                m.d.comb += keep.eq(1)
        if "cti" in self._params.features and not self._params.pipelined:
            open_burst = Signal(name=f"open_burst{index}")
            with m.If(~gate.cyc):
                m.d.sync += open_burst.eq(0)
            with m.Elif(mine):
                m.d.sync += open_burst.eq((gate.cti == wishbone.CycleType.CONST_BURST)
                                          | (gate.cti == wishbone.CycleType.INCR_BURST))
            with m.If(open_burst & gate.cyc):
                m.d.comb += keep.eq(1)

    def _forward(self, m):
        for name, member in self.m.signature.members.items():
            if member.flow is Out and name != "cyc":
                with m.Switch(self._owner):
                    for index, gate in enumerate(self.gates):
                        with m.Case(index):
                            value = getattr(gate, name)
                            if name in {"stb", "lock"}:
                                value = value & gate.cyc & ~self._resting
                            m.d.comb += getattr(self.m, name).eq(value)
        cycles = [gate.cyc for gate in self.gates]
        m.d.comb += self.m.cyc.eq(sum(cycles[1:], cycles[0]).any() & ~self._resting)
        for index, gate in enumerate(self.gates):
            m.d.comb += gate.dat_r.eq(self.m.dat_r)
            if self._params.pipelined:
                m.d.comb += gate.stall.eq((self._owner != index) | self.m.stall)

    def _answer_to(self, m, home, valid):
        for index, gate in enumerate(self.gates):
            mine = valid & (home == index)
            m.d.comb += [gate.ack.eq(self.m.ack & mine), gate.err.eq(self.m.err & mine)]
            if "rty" in self._params.features:
                m.d.comb += gate.rty.eq(self.m.rty & mine)

    def _answer_pipelined(self, m, *, accepted, answer):
        m.submodules.owners = owners = Memory(shape=unsigned(len(self._owner)),
                                              depth=self._params.max_in_flight, init=[])
        put = owners.write_port()
        get = owners.read_port(domain="comb")
        m.d.comb += [put.en.eq(accepted), put.data.eq(self._owner)]
        m.d.sync += [put.addr.eq(put.addr + accepted), get.addr.eq(get.addr + answer)]
        self._answer_to(m, get.data, 1)

    def _end_bursts(self, m, *, accepted):
        """Ends a burst whose gate has left it, by a clock without a cycle."""
        in_burst = Signal()
        with m.If(accepted):
            m.d.sync += in_burst.eq((self.m.cti == wishbone.CycleType.CONST_BURST)
                                    | (self.m.cti == wishbone.CycleType.INCR_BURST))
        with m.If(~self.m.cyc):
            m.d.sync += in_burst.eq(0)
        for index, gate in enumerate(self.gates):
            with m.If(in_burst & (self._last == index) & ~gate.cyc):
                m.d.comb += self._resting.eq(1)
