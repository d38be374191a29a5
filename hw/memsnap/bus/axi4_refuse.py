"""One direction of an AXI4 port: passes transactions, or answers them with SLVERR."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from . import axi4

__all__ = ["Axi4Refuse"]


class Axi4Refuse(wiring.Component):
    """Passes the transactions of one direction, holds them, or refuses them.

    A transaction that is refused does not reach ``m``. It waits until all before it are answered,
    so that answers stay in the order of AXI's ids (A5.3); then the data of a write is taken and
    dropped, and one answer is given, or one to each beat of a read. Whatever is passed is passed in
    the clock in which it comes.

    Parameters
    ----------
    params : SnapshotParams
    direction : str
        ``"w"``: the channels AW, W, B; ``"r"``: AR and R.

    Members
    -------
    s_awvalid …, m_awvalid …
        The members of :class:`memsnap.bus.axi4.Signature` of these channels, upstream and
        downstream.
    hold : ``In(1)``
        The address at ``s`` does not pass in this clock.
    refuse : ``In(1)``
        It is to be refused; comes before ``hold``. Both count only while it is valid; neither rises
        while it stands at ``m``.
    idle : ``Out(1)``
        All transactions whose addresses have passed before this clock were answered before it.
    offers : ``Out(1)``
        Known early in the clock: an address comes that passes, if it is neither held nor refused.
    """

    def __init__(self, params, direction):
        self._params = params
        self._is_write = direction == "w"
        bus = axi4.Signature.of(params, id_width=params.id_width)
        channels = ("aw", "w", "b") if self._is_write else ("ar", "r")
        names = {name: member for name, member in bus.members.items()
                 if next(each for each in ("aw", "ar", "w", "b", "r")
                         if name.startswith(each)) in channels}
        self._names = list(names)
        upstream = {f"s_{name}": member.flip() for name, member in names.items()}
        downstream = {f"m_{name}": member for name, member in names.items()}
        self.shared = [*upstream, *downstream]
        super().__init__({
            **upstream, **downstream,
            "hold": In(1),
            "refuse": In(1),
            "idle": Out(1),
            "offers": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        taken = Signal()        # an address that is refused
        taking = Signal()       # the data of the write that is refused
        answering = Signal()
        address, answer = ("aw", "b") if self._is_write else ("ar", "r")
        for name in self._names:
            left, right = getattr(self, "s_" + name), getattr(self, "m_" + name)
            flow = self.signature.members["s_" + name].flow
            m.d.comb += right.eq(left) if flow is In else left.eq(right)

        valid, ready = getattr(self, f"s_{address}valid"), getattr(self, f"s_{address}ready")
        # An address that is not valid may be anything; ``ready`` must not
        most = self._params.max_in_flight
        in_flight = Signal(range(most + 1))
        # Kept beside the count, as what they tell is wanted early
        none = Signal(init=1)         # it is 0
        is_most, is_near = Signal(), Signal()      # it is ``most``, or one less
        # That an address passes is known late in the clock, and counted in the next
        passed = Signal()
        full = is_most | passed & is_near
        busy = taking | answering | full
        passes = ~(self.hold | valid & self.refuse | busy)
        m.d.comb += [
            self.idle.eq(none & ~passed),
            self.offers.eq(valid & ~busy),
            taken.eq(valid & self.refuse & self.idle & ~taking & ~answering),
            getattr(self, f"m_{address}valid").eq(valid & passes),
            ready.eq(Mux(passes, getattr(self, f"m_{address}ready"), taken)),
        ]
        answered = (getattr(self, f"m_{answer}valid") & getattr(self, f"m_{answer}ready")
                    & getattr(self, f"m_{answer}last", 1))
        m.d.sync += passed.eq(getattr(self, f"m_{address}valid")
                              & getattr(self, f"m_{address}ready"))
        after = Signal.like(in_flight)
        m.d.comb += after.eq(in_flight + Mux(answered, -1, 1))
        with m.If(passed ^ answered):
            m.d.sync += [in_flight.eq(after), none.eq(after == 0), is_most.eq(after == most),
                         is_near.eq(after == most - 1)]

        # The answer to what is refused
        own_id = Signal.like(getattr(self, f"s_{address}id"))
        with m.If(taken):
            m.d.sync += own_id.eq(getattr(self, f"s_{address}id"))
        with m.If(answering):
            m.d.comb += [
                getattr(self, f"s_{answer}valid").eq(1),
                getattr(self, f"s_{answer}id").eq(own_id),
                getattr(self, f"s_{answer}resp").eq(axi4.Response.SLVERR),
                getattr(self, f"m_{answer}ready").eq(0),
            ]
            if self._params.user_width:
                m.d.comb += getattr(self, f"s_{answer}user").eq(0)
        if self._is_write:
            self._drop_data(m, taken=taken, taking=taking, answering=answering)
        else:
            self._answer_beats(m, taken=taken, answering=answering)
        return m

    def _drop_data(self, m, *, taken, taking, answering):
        with m.If(taking):
            m.d.comb += [self.m_wvalid.eq(0), self.s_wready.eq(1)]
        with m.If(taken):
            m.d.sync += taking.eq(1)
        with m.If(taking & self.s_wvalid & self.s_wlast):
            m.d.sync += [taking.eq(0), answering.eq(1)]
        with m.If(answering & self.s_bready):
            m.d.sync += answering.eq(0)

    def _answer_beats(self, m, *, taken, answering):
        left = Signal.like(self.s_arlen)
        with m.If(answering):
            m.d.comb += [self.s_rdata.eq(0), self.s_rlast.eq(left == 0)]
            with m.If(self.s_rready):
                m.d.sync += [left.eq(left - 1), answering.eq(left != 0)]
        with m.If(taken):
            m.d.sync += [left.eq(self.s_arlen), answering.eq(1)]
