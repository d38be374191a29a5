"""The arbiter that joins the gate, the copier's two halves and the map on one memory port."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, unsigned
from amaranth.lib import enum, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ..arithmetic import is_below
from ..params import Map, Shadow
from . import wishbone

__all__ = ["WishboneArbiter"]


class _Owner(enum.Enum, shape=2):
    GATE = 0
    READ = 1
    WRITE = 2
    MAP = 3


class WishboneArbiter(wiring.Component):
    """Joins the initiator's, the copier's and the copy map's requests on one memory port.

    A request passes in the clock in which it wins, and answers pass back likewise. In the
    pipelined form requests of all may be in flight at once; the memory answers in order, and
    a queue of owners brings each answer home. In the classic form the winner keeps the port to its
    answer.

    The order is: the map if ``map_urgent``, the copier if ``urgent`` (reads first), the copier and
    the map if they were denied the port for ``share`` clocks, the gate if it ``comes``, the map,
    the copier's writes, its reads. A request that the memory stalls keeps the port.

    ``abort`` gives up all that is in flight: ``cyc`` falls for at least one clock, as
    Wishbone asks of an initiator that gives up, and each owner gets ``err`` for each of its
    requests. In the classic form that is the copier's request alone. After a request that its owner
    gave up the port rests for a clock, so that a late answer finds nobody.

    Parameters
    ----------
    params : SnapshotParams

    Members
    -------
    gate, read, write : ``In(wishbone.Signature)``
        A separate shadow has a port of its own: there is no ``write`` then.
    map : ``In(wishbone.Signature)``
        Only with a map in the memory, and so is ``map_urgent``.
    m : ``Out(wishbone.Signature)``
    comes : ``In(1)``
        The gate may make a request in this clock, and has its turn, whether it makes one or not:
        that is known too late for those who come after it. A request that it makes in another
        clock passes if nobody else makes one.
    offers : ``In(1)``
        The gate makes a request, if it holds nothing: known earlier.
    urgent, map_urgent : ``In(1)``
    share : ``In(32)``
        0 for never.
    abort : ``In(1)``
        For one clock or longer.
    aborting : ``Out(1)``
        The requests given up are being answered; from the clock after ``abort`` on.
    can_arm : ``Out(1)``
        No write of an initiator is waiting for the memory to take it, if none is held.
    waiting : ``Out(1)``
        The memory owes an answer or an acceptance, and gives none in this clock.
    """

    def __init__(self, params):
        self._params = params
        bus = wishbone.Signature.of(params)
        self._has_write = params.shadow is Shadow.SAME
        self._has_map = params.map is Map.MEMORY
        super().__init__({
            "gate": In(bus),
            "read": In(bus),
            **({"write": In(bus)} if self._has_write else {}),
            **({"map": In(bus), "map_urgent": In(1)} if self._has_map else {}),
            "m": Out(bus),
            "comes": In(1),
            "offers": In(1),
            "urgent": In(1),
            "share": In(32),
            "abort": In(1),
            "aborting": Out(1),
            "can_arm": Out(1),
            "waiting": Out(1),
        })
        self._gate_wins = Signal()         # the gate has the port in this clock
        self._before = Signal()            # it comes before all others
        self._other = Signal(_Owner)       # who has it else

    def elaborate(self, platform):
        m = Module()
        owner = Signal(_Owner)     # who has the port in this clock
        home = Signal(_Owner)      # whom this clock's answer is for
        request = Signal()
        accepted = Signal()
        answer = Signal()
        may_request = Signal()
        # The memory takes no request in this clock
        balks = self.m.stall if self._params.pipelined else ~answer
        given_up = Signal()        # the owner of a request in the making no longer makes it

        self._choose(m, owner=owner, request=request, may_request=may_request, balks=balks,
                     given_up=given_up)
        self._forward(m, owner=owner, request=request, may_request=may_request)
        m.d.comb += [
            answer.eq(self.m.ack | self.m.err | getattr(self.m, "rty", 0)),
            self.can_arm.eq(~(self.offers & self.gate.we & may_request & balks)),
        ]
        if self._params.pipelined:
            self._answer_pipelined(m, owner=owner, home=home, request=request, accepted=accepted,
                                   answer=answer, may_request=may_request)
        else:
            self._answer_classic(m, owner=owner, home=home, accepted=accepted, answer=answer,
                                 may_request=may_request, given_up=given_up)
        return m

    def _initiators(self):
        initiators = {_Owner.GATE: self.gate, _Owner.READ: self.read}
        initiators |= {_Owner.WRITE: self.write} if self._has_write else {}
        return initiators | ({_Owner.MAP: self.map} if self._has_map else {})

    def _choose(self, m, *, owner, request, may_request, balks, given_up):
        """The winner of this clock.

        Whether the gate makes its request depends on the address, and is known last; nobody else
        waits for it.
        """
        write = self.write.stb if self._has_write else Const(0)
        map_ = self.map.stb if self._has_map else Const(0)
        map_urgent = self.map_urgent if self._has_map else Const(0)
        gate = self.gate.stb    # never without cyc
        copier = self.read.stb | write | map_
        gate_first = Signal()   # it comes before all others
        kept = Signal(4)        # whose request was not taken in the clock before
        kept_gate, *kept_others = kept
        keeps = Signal(3)       # it is still made, and another's than the gate's
        denied = Signal(32, init=1)     # for how many clocks it will have been, if it is now
        due = Signal()

        last = _Owner.MAP if self._has_map else _Owner.WRITE
        pressing = self.urgent | due
        map_first = map_ & (map_urgent | ~self.urgent | ~self.read.stb & ~write)
        read_first = self.read.stb & (pressing | ~write)
        m.d.comb += [
            keeps.eq(Cat(kept_others) & Cat(self.read.stb, write, map_)),
            self._other.eq(Mux(
                keeps.any(), Mux(keeps[0], _Owner.READ, Mux(keeps[1], _Owner.WRITE, last)),
                Mux(map_first, _Owner.MAP, Mux(read_first, _Owner.READ, _Owner.WRITE)))),
            gate_first.eq(kept_gate | ~(keeps.any() | map_urgent & map_ | pressing)),
            self._before.eq(self.comes & gate_first),
            self._gate_wins.eq(~copier | self._before),
            owner.eq(Mux(self._gate_wins, _Owner.GATE, self._other)),
            request.eq(Mux(self._gate_wins, gate, copier)),
            given_up.eq(Mux(kept_gate, ~gate, Cat(kept_others).any() & ~keeps.any())),
        ]
        others = Cat(self._other == index for index in (_Owner.READ, _Owner.WRITE, _Owner.MAP))
        m.d.sync += kept.eq(Cat(self._gate_wins & gate,
                                others & (~self._gate_wins & copier).replicate(3))
                            & (may_request & balks).replicate(4))

        with m.If(~copier | (may_request & ~balks & ~self._gate_wins)):
            m.d.sync += [denied.eq(1), due.eq(0)]
        with m.Else():
            m.d.sync += due.eq((self.share != 0) & ~is_below(denied, self.share))
            with m.If(~due):
                m.d.sync += denied.eq(denied + 1)

    def _forward(self, m, *, owner, request, may_request):
        """The winner's request, and who must wait."""
        m.d.comb += self.m.stb.eq(request & may_request)
        for name, member in self.m.signature.members.items():
            if member.flow is Out and name not in {"cyc", "stb", "lock"}:
                value = getattr(self.m, name)
                # What there is without a request means nothing, and is whatever costs least
                m.d.comb += value.eq(getattr(self.read, name))
                if self._has_map:
                    with m.If(self._other == _Owner.MAP):
                        m.d.comb += value.eq(getattr(self.map, name))
                with m.If(self._gate_wins):
                    m.d.comb += value.eq(getattr(self.gate, name))
                if self._has_write:     # last what comes out of a block RAM, late in the clock
                    with m.If(~self._gate_wins & (self._other == _Owner.WRITE)):
                        m.d.comb += value.eq(getattr(self.write, name))
        if "lock" in self._params.features:
            m.d.comb += self.m.lock.eq(self.gate.cyc & self.gate.lock)
        for index, initiator in self._initiators().items():
            m.d.comb += initiator.dat_r.eq(self.m.dat_r)
            if self._params.pipelined:
                waits = ~self._gate_wins
                if index is not _Owner.GATE:
                    waits = (self._other != index) | self._before
                m.d.comb += initiator.stall.eq(waits | self.m.stall | ~may_request)

    def _answer_pipelined(self, m, *, owner, home, request, accepted, answer, may_request):
        depth = self._params.max_in_flight
        m.submodules.owners = owners = Memory(shape=unsigned(2), depth=depth, init=[])
        put = owners.write_port()
        get = owners.read_port(domain="comb")
        in_flight = Signal(range(depth + 1))    # but for the newest
        newest = Signal()   # a request was accepted in the clock before
        of_newest = Signal(_Owner)
        older = Signal()    # others are in flight
        after = Signal(range(depth), init=1 % depth)    # where the oldest but one is
        some = Signal()     # are in flight
        more = Signal()     # than one
        full = Signal()     # with the older ones
        nearly = Signal(init=depth == 1)    # with one more
        taken = Signal()
        owes = Signal()     # the memory an answer, and gives none
        copier = Cat(each.stb for index, each in self._initiators().items()
                     if index is not _Owner.GATE).any()
        # Whether a request is accepted: without the gate's, and with it, which is known last
        accepts = [~self.m.stall & may_request & Mux(self._gate_wins, gate, copier)
                   for gate in (0, 1)]
        with_request = Mux(may_request, self.m.stall & ~answer, owes)
        cycles = Cat(each.cyc for each in self._initiators().values()).any()

        m.d.comb += [
            some.eq(older | newest),
            more.eq((in_flight[1:] != 0) | in_flight[0] & newest),
            may_request.eq(~(full | newest & nearly | self.aborting)),
            accepted.eq(Mux(self.gate.stb, accepts[1], accepts[0])),
            put.en.eq(newest),
            put.data.eq(of_newest),
            get.addr.eq(after),
            taken.eq((answer | self.aborting) & some),
            self.m.cyc.eq((cycles | some) & ~self.aborting),
            owes.eq(some & ~answer),
            self.waiting.eq(Mux(request, with_request, owes)),
        ]
        m.d.sync += [
            newest.eq(accepted),
            of_newest.eq(owner),
            older.eq(more | owes & ~self.aborting),
            self.aborting.eq(self.abort | (self.aborting & more)),
        ]
        with m.If(newest):
            m.d.sync += put.addr.eq(put.addr + 1)
        with m.If(taken):
            m.d.sync += after.eq(after + 1)
        with m.If(newest ^ taken):
            m.d.sync += in_flight.eq(in_flight + Mux(taken, -1, 1))
            m.d.sync += [
                full.eq(~taken & nearly),
                nearly.eq(Mux(taken, full, in_flight == depth - 2)),
            ]
        # Whose answer comes next is known from the beginning of a clock
        with m.If(taken | ~some):
            m.d.sync += home.eq(Mux(in_flight[1:] != 0, get.data, Mux(more, of_newest, owner)))
        for index, initiator in self._initiators().items():
            mine = taken & (home == index)
            m.d.comb += [
                initiator.ack.eq(mine & self.m.ack & ~self.aborting),
                initiator.err.eq(mine & (self.m.err | self.aborting)),
            ]
            if "rty" in self._params.features:
                m.d.comb += initiator.rty.eq(mine & self.m.rty & ~self.aborting)

    def _answer_classic(self, m, *, owner, home, accepted, answer, may_request, given_up):
        cycles = Cat(each.cyc for each in self._initiators().values()).any()
        m.d.comb += [
            may_request.eq(~given_up & ~self.aborting),
            home.eq(owner),
            accepted.eq(self.m.stb & answer),
            self.m.cyc.eq(cycles & may_request),
            self.waiting.eq(self.m.stb & ~answer),
        ]
        m.d.sync += self.aborting.eq(self.abort & (owner != _Owner.GATE) & self.m.stb & ~answer)
        for index, initiator in self._initiators().items():
            mine = (home == index) & self.m.stb
            m.d.comb += [
                initiator.ack.eq(mine & self.m.ack),
                initiator.err.eq(mine & self.m.err | self.aborting & (home == index)),
            ]
            if "rty" in self._params.features:
                m.d.comb += initiator.rty.eq(mine & self.m.rty)
