"""The life of a snapshot: start, instant, end, and everything that can end it early."""

from amaranth.hdl import Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .control import Cause, Failure, Refusal, State
from .stopwatch import Stopwatch

__all__ = ["Lifecycle"]

#: Clocks for which the buffer shows the place of a failure before it is reset.
_SETTLE = 4


class Lifecycle(wiring.Component):
    """Takes a snapshot from its start to its end.

    A start is accepted in ``IDLE`` and ``DONE`` if the enabled regions are sound, else refused with
    its reason and without any other effect; while they are being checked it waits. Two clocks
    after an accepted start ``active`` rises, unless a write is waiting at the memory's port: that
    clock is the instant. ``enable`` follows when all that was accepted before is answered.

    A snapshot ends as done, failed or cancelled, in exactly one way: an error comes before all
    else, completion before a cancel, a cancel before a timeout. Held writes are released at once;
    the end is reported when no answer is due to the copier any more, together with its cause and
    block.

    Parameters
    ----------
    params : SnapshotParams

    Members
    -------
    start, cancel, clear : ``In(1)``
    trigger : ``In(1)``
        A rising edge is a start.
    unsound, checking, timeout
        See :class:`memsnap.control.Signature`.
    can_arm, drained : ``In(1)``
        See the gate.
    full, sweeping : ``In(1)``
        Of the copy map, and whether anything is still being swept.
    sweep_failed : ``In(1)``
        The sweep of a map in the memory met a bus error at ``error_block``; ``clear`` tries again.
    busy, error, error_write, error_block
        See :class:`memsnap.copier.Copier`.
    waiting, aborting : ``In(memory_ports)``
        See the arbiter; the second bit is of the port to a separate shadow.
    io_waiting : ``In(1)``
        The instant waits for a master that is to hold still.
    failure, retries, hold_io
        See :class:`memsnap.control.Signature`.
    overdue : ``In(1)``
        As many clocks have passed since the instant as the deadline allows; one clock.
    hold_expired : ``In(1)``
        A write was held for too long.
    accepted : ``Out(1)``
        A start is accepted in this clock.
    arming, active, enable, protected, locked, ready : ``Out(1)``
    stop, drop, reset, sweep : ``Out(1)``
        Commands to copier and map.
    abort : ``Out(memory_ports)``
        Command to the arbiter, and to the port to a separate shadow.
    state, done, failed, cancelled, refused, cause, refusal, ready_in, fail_block, ended
        See :class:`memsnap.control.Signature`.
    all_initial, all_claimed : ``In(1)``
        All blocks of the regions, or all blocks, are claimed.
    """

    def __init__(self, params):
        self._params = params
        super().__init__({
            "start": In(1),
            "cancel": In(1),
            "clear": In(1),
            "trigger": In(1),
            "unsound": In(Refusal),
            "checking": In(1),
            "timeout": In(32),
            "failure": In(Failure),
            "retries": In(4),
            "hold_io": In(1),
            "io_waiting": In(1),
            "overdue": In(1),
            "hold_expired": In(1),
            "can_arm": In(1),
            "drained": In(1),
            "all_initial": In(1),
            "all_claimed": In(1),
            "full": In(1),
            "sweeping": In(1),
            "sweep_failed": In(1),
            "busy": In(1),
            "error": In(1),
            "error_write": In(1),
            "error_block": In(params.block_bits),
            "waiting": In(params.memory_ports),
            "aborting": In(params.memory_ports),
            "accepted": Out(1),
            "arming": Out(1),
            "active": Out(1),
            "enable": Out(1),
            "protected": Out(1),
            "locked": Out(1),
            "ready": Out(1),
            "ready_in": Out(32),
            "stop": Out(1),
            "drop": Out(1),
            "reset": Out(1),
            "sweep": Out(1),
            "abort": Out(params.memory_ports),
            "state": Out(State),
            "done": Out(1),
            "failed": Out(1),
            "cancelled": Out(1),
            "refused": Out(1),
            "cause": Out(Cause),
            "refusal": Out(Refusal),
            "fail_block": Out(params.block_bits),
            "ended": Out(1),
        })
        self._stops = Signal()     # in this clock, and for what
        self._stops_for = Signal(Cause)
        self._pending_cause = Signal(Cause)
        self._forgets = Signal()   # the last result
        self._gave_up = Signal()   # what the copier had asked for was aborted

    def elaborate(self, platform):
        m = Module()
        start = Signal()
        expired = Signal(self._params.memory_ports + 1)    # the last is of ungated masters
        self._start(m, start=start)
        self._watch(m, expired=expired)
        m.d.comb += [
            self.arming.eq(self.state == State.ARMING),
            self.ready.eq((self.state == State.IDLE) | (self.state == State.DONE)),
            self.protected.eq(self.active | self.done),
            self.enable.eq(self.active & self.drained),
        ]
        # Arming, active, or on its way to the end
        m.d.sync += self.locked.eq(self.accepted | self.locked & ~self.ended)
        self._tell_when(m)
        with m.If(self.abort.any()):
            m.d.sync += self._gave_up.eq(1)
        with m.Switch(self.state):
            with m.Case(State.CLEARING):
                with m.If(~self.sweeping):
                    m.d.sync += self.state.eq(State.IDLE)
                with m.If(self.sweep_failed & self.clear):
                    m.d.comb += self.sweep.eq(1)
                with m.Elif(self.sweep_failed & ~self.cancelled & ~self.failed):
                    m.d.sync += [self.failed.eq(1), self.cause.eq(Cause.WRITE_ERROR),
                                 self.fail_block.eq(self.error_block)]
            with m.Case(State.IDLE, State.DONE):
                with m.If(self.accepted):
                    m.d.sync += self.state.eq(State.ARMING)
                with m.Elif(self.clear):
                    m.d.sync += self.state.eq(State.IDLE)
            with m.Case(State.ARMING):
                with m.If(self.cancel):
                    self._stop(m, Cause.CANCELLED)
                with m.Elif(expired[-1]):
                    self._stop(m, Cause.IO_TIMEOUT)
                with m.Elif(expired.any()):
                    self._stop(m, Cause.TIMEOUT)
                with m.Elif(self.can_arm & ~self.io_waiting):
                    m.d.sync += [self.state.eq(State.INITIAL), self.active.eq(1)]
            with m.Case(State.INITIAL, State.BACKGROUND, State.DRAINING):
                self._run(m, expired=expired)
            with m.Case(State.STOPPING):
                self._finish(m, expired=expired)
        # Whether the snapshot stops may be known late in the clock
        with m.If(self._stops):
            m.d.sync += [self.state.eq(State.STOPPING), self.stop.eq(1), self.active.eq(0)]
        with m.If(~self.stop):
            m.d.sync += self._pending_cause.eq(self._stops_for)
        # A result does not come in the same clock, so that this may be the flip-flops' own reset
        m.d.comb += self._forgets.eq(self.accepted | (self.clear & ~self.locked))
        with m.If(self._forgets):
            m.d.sync += [each.eq(0) for each in (self.done, self.failed, self.cancelled,
                                                 self.fail_block)]
            m.d.sync += self.cause.eq(Cause.NONE)
        return m

    def _start(self, m, *, start):
        """Accepts or refuses a start, and forgets the last result."""
        before = Signal(init=1)
        asked = Signal()
        waits = Signal()
        impossible = Signal()
        m.d.sync += [
            before.eq(self.trigger),
            waits.eq(asked & self.checking),
            impossible.eq(self._impossible()),      # after a change, ``checking`` goes on till then
        ]
        willing = Signal()
        m.d.comb += [
            asked.eq(self.start | (self.trigger & ~before) | waits),
            start.eq(asked & ~self.checking),
            willing.eq(self.ready & (self.unsound == Refusal.NONE) & ~impossible & ~self.checking),
            self.accepted.eq(asked & willing),
        ]
        with m.If(self._forgets):
            m.d.sync += [self.refused.eq(0), self.refusal.eq(Refusal.NONE)]
        with m.If(start & ~willing):
            m.d.sync += self.refused.eq(1)
            with m.If(~self.ready):
                m.d.sync += self.refusal.eq(Refusal.BUSY)
            with m.Elif(impossible):
                m.d.sync += self.refusal.eq(Refusal.POLICY)
            with m.Else():
                m.d.sync += self.refusal.eq(self.unsound)

    def _impossible(self):
        """Whether the policy asks for what this build cannot do."""
        params = self._params
        wrong = Const(0)
        if not params.retry:
            wrong |= self.retries != 0
        if not params.can_fail_write:
            wrong |= self.failure == Failure.FAIL_WRITE
        if not params.io_hold:
            wrong |= self.hold_io
        return wrong

    def _watch(self, m, *, expired):
        """Counts the clocks in which somebody owes something and gives nothing."""
        waiting_for = [*self.waiting, *([self.io_waiting] if self._params.io_hold else [])]
        for index, waiting in enumerate(waiting_for):
            m.submodules[f"silence{index}"] = silence = Stopwatch()
            m.d.comb += [
                silence.on.eq(waiting & self.locked & ~silence.over),
                silence.limit.eq(self.timeout),
                expired[index].eq(silence.over),
            ]

    def _tell_when(self, m):
        """Counts down to the end of a sweep; while one may yet come, says how long it takes."""
        most = self._params.sweep_clocks
        left = Signal(range(most + 1), init=most)
        with m.If(self.state != State.CLEARING):
            m.d.sync += left.eq(most)
        with m.Elif(left != 0):
            m.d.sync += left.eq(left - 1)
        with m.If(~self.ready):
            m.d.comb += self.ready_in.eq(left)

    def _run(self, m, *, expired):
        """From the instant to the end."""
        with m.If(self.all_initial & (self.state == State.INITIAL)):
            m.d.sync += self.state.eq(State.BACKGROUND)
        with m.If(self.all_claimed & (self.state == State.BACKGROUND)):
            m.d.sync += self.state.eq(State.DRAINING)
        with m.If(self.error & self.error_write):
            self._stop(m, Cause.WRITE_ERROR)
        with m.Elif(self.error):
            self._stop(m, Cause.READ_ERROR)
        with m.Elif(self.full):
            m.d.comb += self.ended.eq(1)
            m.d.sync += [self.state.eq(State.DONE), self.active.eq(0), self.done.eq(1)]
        with m.Elif(self.cancel):
            self._stop(m, Cause.CANCELLED)
        with m.Elif(expired.any()):
            self._stop(m, Cause.TIMEOUT)
            m.d.comb += self.abort.eq(Mux(self.busy, expired, 0))
        with m.Elif(self.hold_expired):
            self._stop(m, Cause.HOLD_LIMIT)
        with m.Elif(self.overdue):
            self._stop(m, Cause.DEADLINE)

    def _stop(self, m, cause):
        m.d.comb += [self._stops.eq(1), self._stops_for.eq(cause)]

    def _finish(self, m, *, expired):
        """Waits until nothing is due to the copier, then reports and clears."""
        settled = Signal(range(_SETTLE + 1))
        was_busy = Signal()
        m.d.sync += was_busy.eq(self.busy)
        m.d.comb += [self.abort.eq(Mux(self.busy, expired, 0)), self.drop.eq(self._gave_up)]
        with m.If(was_busy | self.aborting.any()):
            m.d.sync += settled.eq(0)
        with m.Elif(settled != _SETTLE):
            m.d.sync += settled.eq(settled + 1)
        with m.Else():
            m.d.comb += [self.ended.eq(1), self.reset.eq(1), self.sweep.eq(1)]
            m.d.sync += [
                settled.eq(0),
                self.stop.eq(0),
                self._gave_up.eq(0),
                self.state.eq(State.CLEARING),
                self.cause.eq(self._pending_cause),
                self.cancelled.eq(self._pending_cause == Cause.CANCELLED),
                self.failed.eq(self._pending_cause != Cause.CANCELLED),
            ]
            with m.If(self._pending_cause != Cause.CANCELLED):
                m.d.sync += self.fail_block.eq(self.error_block)
