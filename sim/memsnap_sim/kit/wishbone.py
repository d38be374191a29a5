"""Wishbone initiator for Amaranth's simulator: a stream of accesses, and what came of each.

The driver is a simulator *process*: it samples the bus once a clock and changes it right after the
edge, as a register would. Clocks count from 0, the clock that ends with the first edge.
"""

from collections import deque
from dataclasses import dataclass

from amaranth.hdl import Value

__all__ = ["Access", "Initiator", "RegisterPort", "burst", "read", "write"]


@dataclass(slots=True, eq=False)
class Access:
    """One request of an initiator, and what came of it.

    ``adr`` counts words. ``gap`` is clocks without a request before this one; with ``drop`` the
    cycle ends before it (all answers are awaited first). ``abort`` gives the access up that many
    clocks after it was first requested, along with all that is unanswered then.

    The clocks are those in which the request was first on the bus, accepted, and answered or
    abandoned. In the classic form a request is accepted with its answer.
    """

    adr: int
    we: bool = False
    data: int = 0
    sel: int | None = None
    gap: int = 0
    drop: bool = False
    abort: int | None = None
    cti: int = 0
    bte: int = 0
    lock: int = 0
    requested: int | None = None
    accepted: int | None = None
    answered: int | None = None
    response: str | None = None   # "ack", "err", "rty", or None while open or if abandoned
    data_r: int | None = None

    def __str__(self):
        kind = f"write of {self.data:#x}" if self.we else "read"
        return (f"{kind} at word {self.adr:#x}, requested at {self.requested}, accepted at "
                f"{self.accepted}, answered at {self.answered} with {self.response}")


def read(adr, **options):
    """A read of a word."""
    return Access(adr, **options)


def write(adr, data, sel=None, **options):
    """A write of a word, or of the byte lanes in ``sel``."""
    return Access(adr, True, data, sel, **options)


def burst(accesses):
    """Marks accesses at rising addresses as one incrementing burst."""
    accesses = list(accesses)
    for access in accesses:
        access.cti = 0b010
    accesses[-1].cti = 0b111
    return accesses


class Initiator:
    """Makes accesses on a Wishbone bus, classic or pipelined, in order.

    Add :meth:`process` to the simulator with ``add_process``. Accesses are pulled from an iterable
    when they are due, so it may be endless, and may decide by what happened so far; None stands for
    nothing to request in this clock.

    Parameters
    ----------
    bus : Wishbone interface
        Its initiator's side.
    accesses : iterable of Access or None
    max_in_flight : int
        Most requests without an answer (pipelined only).

    Attributes
    ----------
    log : list of Access
        Every access that was requested, in order.
    idle : bool
        Nothing is left to do.
    clock : int
        Clocks seen so far.
    """

    def __init__(self, bus, accesses=(), *, max_in_flight=16):
        if max_in_flight < 1:
            raise ValueError(f"max_in_flight must be at least 1, not {max_in_flight!r}")
        self.bus = bus
        self.max_in_flight = max_in_flight
        self.pipelined = bus.signature.pipelined
        self.all_lanes = (1 << len(bus.sel)) - 1
        self.log = []
        self.clock = 0
        self.idle = False
        self._accesses = iter(accesses)
        self._more = deque()
        self._stopped = False
        self._waiting = None      # the next access, not yet requested
        self._wait = 0            # clocks of its gap that are left
        self._current = None      # requested, not yet accepted
        self._open = deque()      # accepted, not yet answered
        self._broken_off = False  # the cycle was ended before its answers had come
        self._driven = {}

    def add(self, *accesses):
        """Puts more accesses behind those that are there."""
        self._more.extend(accesses)
        self.idle = False

    def stop(self):
        """Requests nothing more; what is open is completed."""
        self._stopped = True

    async def process(self, ctx):
        """The driver, for ``Simulator.add_process``."""
        bus = self.bus
        features = bus.signature.features
        optional = [name for name in ("cti", "bte", "lock") if name in features]
        self._signals = {name: Value.cast(getattr(bus, name))
                         for name in ("cyc", "stb", "we", "adr", "dat_w", "sel", *optional)}
        self._driven = {name: 0 for name in self._signals}
        stall = bus.stall if self.pipelined else bus.ack
        rty = bus.rty if "rty" in features else bus.err
        self._advance()
        self._drive(ctx)
        async for _, rst, ack, err, rty_, stall_, dat_r in ctx.tick().sample(
                bus.ack, bus.err, rty, stall, bus.dat_r):
            if rst:
                self._abandon()
            else:
                if self._driven["cyc"] and (ack or err or rty_):
                    self._answer("ack" if ack else "err" if err else "rty", dat_r)
                if self.pipelined and self._current is not None and not stall_:
                    self._current.accepted = self.clock
                    self._open.append(self._current)
                    self._current = None
                self._give_up()
            self.clock += 1
            if not rst:
                self._advance()
            self._drive(ctx)

    def _answer(self, response, dat_r):
        if self.pipelined:
            if not self._open:
                return                       # the protocol checker's business
            access = self._open.popleft()
        else:
            if self._current is None:
                return
            access, self._current = self._current, None
            access.accepted = self.clock
        access.answered = self.clock
        access.response = response
        access.data_r = None if access.we else dat_r

    def _give_up(self):
        if self._current is None and not self._open:
            return
        access = self._open[-1] if self._current is None else self._current
        if access.abort is not None and self.clock + 1 >= access.requested + access.abort:
            self._abandon()
            self._wait = max(self._wait, 1)

    def _abandon(self):
        self._broken_off = True
        for access in self._open:
            access.answered = self.clock
        self._open.clear()
        if self._current is not None:
            self._current.answered = self.clock
            self._current = None

    def _advance(self):
        """Decides on what is requested in the coming clock."""
        if self._waiting is None and not self._stopped:
            self._waiting = next(self._accesses, None)
            if self._waiting is None and self._more:
                self._waiting = self._more.popleft()
            if self._waiting is not None:
                self._wait = max(self._wait, self._waiting.gap, self._waiting.drop)
        if self._waiting is None:
            self.idle = self._current is None and not self._open
            return
        self.idle = False
        if self._current is not None or len(self._open) >= self.max_in_flight:
            return
        if self._waiting.drop and self._open:
            return
        if self._wait:
            self._wait -= 1
            return
        if self._stopped:
            self._waiting = None
            return
        self._current, self._waiting = self._waiting, None
        self._current.requested = self.clock
        self._broken_off = False
        self.log.append(self._current)

    def _drive(self, ctx):
        current = self._current
        if current is not None:
            self._set(ctx, "cyc", 1)
            self._set(ctx, "stb", 1)
            self._set(ctx, "we", int(current.we))
            self._set(ctx, "adr", current.adr)
            self._set(ctx, "dat_w", current.data)
            self._set(ctx, "sel", self.all_lanes if current.sel is None else current.sel)
            for name in "cti", "bte", "lock":
                if name in self._signals:
                    self._set(ctx, name, getattr(current, name))
        else:
            ends = self._waiting is None or self._waiting.drop or self._broken_off
            self._set(ctx, "stb", 0)
            if not self._open and ends:
                self._set(ctx, "cyc", 0)

    def _set(self, ctx, name, value):
        if self._driven[name] != value:
            self._driven[name] = value
            ctx.set(self._signals[name], value)


class RegisterPort:
    """Reads and writes 32-bit registers over a classic Wishbone bus, one at a time.

    For coroutines of a testbench: ``await port.write(ctx, 0x10, 1)``. Addresses are in bytes.

    Parameters
    ----------
    bus : Wishbone interface
    patience : int
        Clocks after which a register that does not answer is an error.

    Raises
    ------
    PermissionError
        The register was answered with ``err``.
    TimeoutError
        It was not answered.
    """

    def __init__(self, bus, *, patience=1000):
        self.bus = bus
        self.patience = patience

    async def read(self, ctx, address):
        """The register's value."""
        return await self._access(ctx, address, 0, 0, 0xf)

    async def write(self, ctx, address, value, sel=0xf):
        """Returns right after the edge that ends the clock of the answer."""
        await self._access(ctx, address, 1, value, sel)

    async def _access(self, ctx, address, we, value, sel):
        bus = self.bus
        if address % 4:
            raise ValueError(f"address must be a multiple of 4, not {address:#x}")
        ctx.set(bus.adr, address // 4)
        ctx.set(bus.we, we)
        ctx.set(bus.dat_w, value)
        ctx.set(bus.sel, sel)
        ctx.set(bus.cyc, 1)
        ctx.set(bus.stb, 1)
        try:
            for _ in range(self.patience):
                _, rst, ack, err, dat_r = await ctx.tick().sample(bus.ack, bus.err, bus.dat_r)
                if rst:
                    raise ConnectionResetError(f"register {address:#x} was interrupted by reset")
                if err:
                    raise PermissionError(f"register {address:#x} was answered with err")
                if ack:
                    return dat_r
        finally:
            ctx.set(bus.cyc, 0)
            ctx.set(bus.stb, 0)
            ctx.set(bus.we, 0)
        raise TimeoutError(f"register {address:#x} gave no answer in {self.patience} clocks")
