"""The arbiter that joins initiators, copier and copy map on one AXI4 port of the memory."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from ..params import CopierPort, Map
from . import axi4

__all__ = ["Axi4Arbiter"]

#: Bursts whose address was offered and whose data is still to be transferred.
_WRITES = 16


class Axi4Arbiter(wiring.Component):
    """Joins several AXI4 managers on one port.

    Each channel's requests pass in the clock in which they win, and answers pass back likewise. The
    ids at ``m`` have the number of the source above the source's own id, and so answers find home.
    Data passes in the order of the addresses, and not before its address is offered (A5.2.3); that
    of the map in the clock after that at the earliest.

    For each address channel the order is: the map if ``map_urgent``, the copier if ``urgent``
    (reads only), the copier and the map if they were denied the channel for ``share`` clocks, the
    initiators in turn (of writes: those that claim it), the copier, the map. An address that was
    offered stays so until it is taken (A3.2.1).

    Parameters
    ----------
    params : SnapshotParams

    Members
    -------
    gates : ``In(axi4.Signature).array(ports)``
    copier : ``In(axi4.Signature)``
        If it has no port of its own.
    map : ``In(axi4.Signature)``
        Only with a map in the memory, and so is ``map_urgent``.
    m : ``Out(axi4.Signature)``
    claims : ``In(ports)``
        Ports that may have a write's address in this clock; known early. The channel is theirs,
        whether they have one or not.
    urgent : ``In(1)``
        The copier has a read's address, and is urgent.
    map_urgent : ``In(1)``
    share : ``In(32)``
        0 for never.
    stood : ``Out(1)``
        An initiator's write was offered at ``m`` in the clock before, and not taken.
    """

    def __init__(self, params):
        self._params = params
        gate = axi4.Signature.of(params, id_width=params.id_width)
        other = axi4.Signature.of(params, id_width=1)
        self._extra = {}
        if params.copier_port is CopierPort.SHARED:
            self._extra["copier"] = In(other)
        if params.map is Map.MEMORY:
            self._extra["map"] = In(other)
        super().__init__({
            "gates": In(gate).array(params.ports),
            **self._extra,
            **({"map_urgent": In(1)} if "map" in self._extra else {}),
            "m": Out(axi4.Signature.of(params, id_width=params.memory_id_width)),
            "claims": In(params.ports),
            "urgent": In(1),
            "share": In(32),
            "stood": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        channels = axi4.Signature.channels(
            addr_width=self._params.addr_width, data_width=self._params.data_width,
            id_width=self._params.id_width, user_width=self._params.user_width)
        sources = [*self.gates, *(getattr(self, name) for name in self._extra)]
        room = Signal()
        self._choose(m, "ar", sources, channels["ar"], Const(1))
        owner, kept = self._choose(m, "aw", sources, channels["aw"], room)
        self._pass_data(m, owner, kept, sources, channels["w"], room)
        for channel in "b", "r":
            self._bring_home(m, channel, sources, channels[channel])
        return m

    def _choose(self, m, channel, sources, payload, room):
        """The source whose address is offered at ``m`` in this clock, if it has one; and whether
        that stood there before."""
        ports = self._params.ports
        valid = [getattr(source, channel + "valid") for source in sources]
        # Whether an initiator's write passes is known late. Who has the channel does not depend
        # on it: so only that the address is valid is as late
        wants = [*self.claims, *valid[ports:]] if channel == "aw" else valid
        owner = Signal(range(max(2, len(sources))), name=f"{channel}_owner")
        kept = Signal(name=f"{channel}_kept")
        kept_owner = Signal.like(owner, name=f"{channel}_kept_owner")
        if channel == "aw":
            m.d.comb += self.stood.eq(kept & (kept_owner < ports))
        accepted = Signal(name=f"{channel}_accepted")
        turn = Signal(range(max(2, ports)), name=f"{channel}_turn")      # was served last
        out = {name: getattr(self.m, channel + name) for name in (*payload, "valid", "ready")}

        # The last resort first, be there an address or not: known later than who else has one
        m.d.comb += owner.eq(min(ports, len(sources) - 1))
        for index in range(ports + 1, len(sources)):
            with m.If(valid[index] & ~valid[ports]):
                m.d.comb += owner.eq(index)
        for behind in 0, 1:
            for index in reversed(range(ports)):
                is_next = turn < index if behind else Const(1)
                with m.If(wants[index] & is_next):
                    m.d.comb += owner.eq(index)
        self._put_first(m, channel, owner, sources)
        with m.If(kept):
            m.d.comb += owner.eq(kept_owner)

        m.d.comb += [
            # What is kept is valid still (A3.2.1)
            out["valid"].eq(kept | room & Array(valid)[owner]),
            accepted.eq(out["valid"] & out["ready"]),
        ]
        m.d.sync += [kept.eq(out["valid"] & ~out["ready"]), kept_owner.eq(owner)]
        with m.If(accepted & (owner < ports)):
            m.d.sync += turn.eq(owner)
        with m.Switch(owner):
            for index, source in enumerate(sources):
                with m.Case(index):
                    m.d.comb += [out[name].eq(getattr(source, channel + name))
                                 for name in payload if name != "id"]
                    m.d.comb += [
                        out["id"].eq(self._full_id(getattr(source, channel + "id"), index)),
                        getattr(source, channel + "ready").eq(out["ready"] & (room | kept)),
                    ]
        return owner, kept

    def _put_first(self, m, channel, owner, sources):
        """What comes before the initiators."""
        ports = self._params.ports
        numbers = {name: ports + index for index, name in enumerate(self._extra)}
        if not numbers:
            return
        valid = [getattr(source, channel + "valid") for source in sources]
        waiting = Cat(valid[ports:]).any()
        served = Cat(each & getattr(source, channel + "ready")
                     for each, source in zip(valid[ports:], sources[ports:], strict=True)).any()
        # Both are known late in the clock, and counted in the next
        lost = Signal(name=f"{channel}_lost")
        # Clocks lost in a row up to the next one, if this one and the next are: then these are due
        denied = Signal(32, init=2, name=f"{channel}_denied")
        is_next = Signal(name=f"{channel}_is_next")       # it is due, if that clock was lost
        due = Signal(name=f"{channel}_due")
        m.d.comb += due.eq(lost & is_next)
        m.d.sync += [
            lost.eq(waiting & ~served),
            is_next.eq(Mux(lost, (self.share != 0) & (denied >= self.share), self.share == 1)),
        ]
        with m.If(~lost):
            m.d.sync += denied.eq(denied.init)
        with m.Elif(~due):
            m.d.sync += denied.eq(denied + 1)
        if "copier" in numbers:
            # What was denied has an address still
            has = valid[ports] if len(numbers) > 1 else Const(1)
            with m.If(due & has | (self.urgent if channel == "ar" else 0)):
                m.d.comb += owner.eq(ports)
        if "map" in numbers:        # has the last word
            with m.If(valid[numbers["map"]] & (due | self.map_urgent)):
                m.d.comb += owner.eq(numbers["map"])

    def _full_id(self, own, index):
        source = ceil_log2(self._params.memory_sources)
        return Cat(own, Const(0, self._params.id_width - len(own)), Const(index, source))

    def _pass_data(self, m, owner, kept, sources, payload, room):
        """Data in the order of the addresses: that of ``owner`` too, once it is offered."""
        m.submodules.order = order = Memory(shape=unsigned(len(owner)), depth=_WRITES, init=[])
        put, get = order.write_port(), order.read_port(domain="comb")
        count = Signal(range(_WRITES + 1))
        offered = Signal()       # for the first time
        # That is known late in the clock, and counted in the next, if its data has not passed
        before = Signal()
        some = Signal()
        current = Signal.like(owner)
        at_once = Signal()       # the data of ``owner`` may pass with its address
        ends = Signal()          # the last of a write's data is transferred, if it may pass
        ends_behind = Signal()   # the last of a write that was offered before
        counts = Signal()
        put_at = Signal.like(put.addr)     # not counting ``before``
        direct = self._params.ports + ("copier" in self._extra)
        may_end = Array(source.wvalid & source.wlast for source in sources)
        m.d.comb += [
            some.eq((count != 0) | before),
            room.eq((count != _WRITES) & ~(before & (count == _WRITES - 1))),
            offered.eq(Array(source.awvalid for source in sources)[owner] & room & ~kept),
            current.eq(Mux(some, get.data, owner)),
            at_once.eq(owner < direct),
            ends.eq(may_end[current] & self.m.wready),
            ends_behind.eq(ends & some),
            # What passes as a whole with its address is not
            counts.eq(offered & ~(ends & at_once & ~some)),
            put.en.eq(room),        # of no consequence before one is offered
            put.addr.eq(put_at + before),
            put.data.eq(owner),
        ]
        m.d.sync += [
            before.eq(counts),
            put_at.eq(put.addr),
        ]
        with m.If(ends_behind):
            m.d.sync += get.addr.eq(get.addr + 1)
        with m.If(before ^ ends_behind):
            m.d.sync += count.eq(count + Mux(before, 1, -1))
        with m.Switch(current):
            for index, source in enumerate(sources):
                with m.Case(index):
                    m.d.comb += [getattr(self.m, "w" + name).eq(getattr(source, "w" + name))
                                 for name in payload]
                    passes = Signal(name=f"passes{index}")
                    m.d.comb += passes.eq(some | (source.awvalid & ~kept if index < direct else 0))
                    m.d.comb += [self.m.wvalid.eq(source.wvalid & passes),
                                 source.wready.eq(self.m.wready & passes)]

    def _bring_home(self, m, channel, sources, payload):
        """Answers to the source that their id names."""
        number = getattr(self.m, channel + "id")[self._params.id_width:]
        for source in sources:
            m.d.comb += [getattr(source, channel + name).eq(getattr(self.m, channel + name))
                         for name in payload]
        if len(sources) == 1:
            source, = sources
            m.d.comb += [getattr(source, channel + "valid").eq(getattr(self.m, channel + "valid")),
                         getattr(self.m, channel + "ready").eq(getattr(source, channel + "ready"))]
            return
        valid, ready = getattr(self.m, channel + "valid"), getattr(self.m, channel + "ready")
        home = Array(getattr(source, channel + "ready") for source in sources)
        # Not ready for what is not valid, whose id may be anything
        m.d.comb += ready.eq(valid & home[number])
        for index, source in enumerate(sources):
            m.d.comb += getattr(source, channel + "valid").eq(valid & (number == index))
