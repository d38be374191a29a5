"""Counts what a snapshot did and what it cost."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .arithmetic import is_below
from .control import Counters
from .job_table import JobKind
from .stopwatch import Stopwatch

__all__ = ["Statistics"]


class Statistics(wiring.Component):
    """The counters of the current or last snapshot; they start anew with each accepted start.

    All but the duration lag by a clock: they show what there was up to the clock before the last.

    Parameters
    ----------
    params : SnapshotParams

    Members
    -------
    accepted : ``In(1)``
        A start is accepted.
    arming, active : ``In(1)``
    hold : ``In(ports)``
        A port's write is being held in this clock.
    held : ``In(1)``
        A held write turned out to wait for a copy; one clock.
    retired, retired_kind : ``In(1)``, ``In(JobKind)``
        A block was copied.
    hold_limit, deadline : ``In(32)``
        In clocks, 0 for none.
    over : ``Out(ports)``
        A port's write was held for ``hold_limit`` clocks before this one; one clock.
    overdue : ``Out(1)``
        ``deadline`` clocks have passed since the instant; one clock.
    counters : ``Out(Counters)``
    """

    def __init__(self, params):
        self._params = params
        super().__init__({
            "accepted": In(1),
            "arming": In(1),
            "active": In(1),
            "hold": In(params.ports),
            "held": In(1),
            "retired": In(1),
            "retired_kind": In(JobKind),
            "hold_limit": In(32),
            "deadline": In(32),
            "over": Out(params.ports),
            "overdue": Out(1),
            "counters": Out(Counters),
        })

    def elaborate(self, platform):
        m = Module()
        clock = Signal(64)
        counters = self.counters
        # What is counted is known late in its clock, and is counted in the next
        seen = {name: Signal.like(getattr(self, name), name=f"seen_{name}") for name in (
            "accepted", "arming", "active", "hold", "held", "retired", "retired_kind")}
        m.d.sync += [each.eq(getattr(self, name)) for name, each in seen.items()]
        m.d.sync += clock.eq(clock + 1)
        self._count_stalls(m, seen["hold"])
        m.submodules.elapsed = elapsed = Stopwatch()
        m.d.comb += [
            elapsed.on.eq(self.active), elapsed.limit.eq(self.deadline),
            self.overdue.eq(elapsed.over),
        ]
        with m.If(self.active):
            m.d.sync += counters.duration.eq(elapsed.clocks)
        with m.If(seen["active"]):
            with m.If(seen["held"]):
                m.d.sync += counters.held.eq(counters.held + 1)
            with m.If(seen["retired"]):
                with m.Switch(seen["retired_kind"]):
                    for kind in JobKind:
                        with m.Case(kind):
                            each = counters[f"blocks_{kind.name.lower()}"]
                            m.d.sync += each.eq(each + 1)
        with m.If(seen["arming"]):
            m.d.sync += [
                counters.armed.eq(counters.armed + 1),
                counters.instant.eq(clock),
            ]
        with m.If(seen["accepted"]):
            m.d.sync += [each.eq(0) for each in (
                counters.duration, counters.held, counters.stall_total, counters.stall_longest,
                counters.blocks_demand, counters.blocks_initial, counters.blocks_background)]
            m.d.sync += counters.armed.eq(1)
        return m

    def _count_stalls(self, m, seen):
        """Counts the clocks of held writes; ``seen`` is of the clock before."""
        counters = self.counters
        with m.If(seen.any()):
            m.d.sync += counters.stall_total.eq(
                counters.stall_total + (sum(seen) if len(seen) > 1 else 1))
        stalls = []
        for port, hold in enumerate(self.hold):
            m.submodules[f"stall{port}"] = stall = Stopwatch(late=True)
            m.d.comb += [
                stall.on.eq(hold), stall.limit.eq(self.hold_limit),
                self.over[port].eq(stall.over),
            ]
            stalls.append(stall.clocks)
        clocks = stalls[0]
        for port in range(1, len(stalls)):
            clocks = Mux(self._holds_longest(m, port), stalls[port], clocks)
        longest = Signal(32)
        m.d.comb += longest.eq(Mux(seen.any() & is_below(counters.stall_longest, clocks), clocks,
                                   counters.stall_longest))
        m.d.sync += counters.stall_longest.eq(longest)

    def _holds_longest(self, m, port):
        """Whether a port's write was held, and for longer than those of the ports before it.

        It began before them, so that no counts need be compared. Of the clock before.
        """
        first = Signal(port, name=f"first{port}")
        for other in range(port):
            with m.If(~self.hold[port] | ~self.hold[other]):
                m.d.sync += first[other].eq(self.hold[port])
        return first.all()
