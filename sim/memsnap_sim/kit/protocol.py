"""The rules of Wishbone B4 on one bus, watched clock by clock in simulation.

A pure observer: it drives nothing, and costs nothing where it is not used.
"""

from types import SimpleNamespace

from amaranth.hdl import Value

from .violation import Violation

__all__ = ["ProtocolChecker"]

_INCREMENTING = 0b010


class ProtocolChecker:
    """Checks a Wishbone bus, classic or pipelined, from either side.

    ========== ===================================================================================
    rule       what it asks
    ========== ===================================================================================
    cycle      ``stb`` only with ``cyc``
    steady     a request that was not taken is there in the next clock, unchanged, unless ``cyc``
               falls
    answer     an answer only within ``cyc``, only to an open request, and (pipelined) at the
               earliest in the clock after its acceptance
    single     one of ``ack``, ``err``, ``rty`` at a time
    burst      within an incrementing burst (classic with ``cti``) the address goes up as ``bte``
               says
    direction  only with ``strict``: ``we`` does not change while an answer is outstanding
    ========== ===================================================================================

    In the one clock in which ``cyc`` falls before all answers have come, an answer is let pass: a
    target with registered outputs cannot know.

    Add :meth:`process` to the simulator, or call :meth:`sample` for each clock.

    Parameters
    ----------
    bus : Wishbone interface
    name : str
        How violations call the bus.
    strict : bool

    Attributes
    ----------
    violations : list of Violation
    accepted, answered, aborted : int
        Requests so far; ``aborted`` counts the requests given up when ``cyc`` fell.
    outstanding : int
        Requests without an answer.
    """

    def __init__(self, bus, *, name="bus", strict=False):
        self.bus = bus
        self.name = name
        self.strict = strict
        self.pipelined = bus.signature.pipelined
        self.optional = [feature for feature in ("cti", "bte", "lock")
                         if feature in bus.signature.features]
        self.violations = []
        self.clock = 0
        self.accepted = self.answered = self.aborted = self.outstanding = 0
        self._pending = None          # the request of the last clock that was not taken
        self._last_cyc = 0
        self._aborting = 0
        self._direction = None
        self._next_adr = None

    async def process(self, ctx):
        """The observer, for ``Simulator.add_process``."""
        bus = self.bus
        request = [bus.cyc, bus.stb, bus.we, bus.adr, bus.dat_w, bus.sel]
        request += [Value.cast(getattr(bus, name)) for name in self.optional]
        features = bus.signature.features
        names = ["ack", "err"] + ["rty"] * ("rty" in features) + ["stall"] * self.pipelined
        answers = [getattr(bus, name) for name in names]
        count = len(request)
        async for _, rst, *values in ctx.tick().sample(*request, *answers):
            self.sample(rst, values[:count], dict(zip(names, values[count:], strict=True)))

    def sample(self, rst, request, answer):
        """One clock: ``cyc, stb, we, adr, dat_w, sel, ...`` and a mapping with the answers."""
        cyc, stb, we = request[:3]
        ack, err, rty = answer["ack"], answer["err"], answer.get("rty", 0)
        if rst:
            self._pending = self._next_adr = None
            self._last_cyc = self._aborting = self.outstanding = 0
        elif cyc or stb or ack or err or rty or self._last_cyc:
            if stb and not cyc:
                self._violated("cycle", "stb without cyc")
            if ack + err + rty > 1:
                self._violated("single", f"ack={ack} err={err} rty={rty} in one clock")
            if not cyc:
                self.aborted += self.outstanding
                self._aborting = self.outstanding
                self.outstanding = 0
                self._next_adr = None
            self._check_steady(cyc, stb, request)
            step = self._pipelined if self.pipelined else self._classic
            step(SimpleNamespace(cyc=cyc, stb=stb, we=we, answer=ack or err or rty, ack=ack,
                                 stall=answer.get("stall", 0), request=request))
            self._last_cyc = cyc
        self.clock += 1

    def _check_steady(self, cyc, stb, request):
        if self._pending is None:
            return
        pending, self._pending = self._pending, None
        if not cyc:
            self.aborted += not self.pipelined
            return
        if not stb:
            self._violated("steady", "the request was withdrawn before it was taken")
            return
        names = ["cyc", "stb", "we", "adr", "dat_w", "sel", *self.optional]
        for name, before, now in zip(names, pending, request, strict=True):
            if before != now and (name != "dat_w" or pending[2]):
                self._violated("steady", f"{name} changed from {before:#x} to {now:#x} before the "
                                         f"request was taken")

    def _pipelined(self, now):
        if now.answer:
            if self.outstanding:
                self.outstanding -= 1
                self.answered += 1
            elif not now.cyc and self._last_cyc and self._aborting:
                pass
            elif not now.cyc:
                self._violated("answer", "an answer without cyc")
            else:
                self._violated("answer", "an answer with no request outstanding")
        if now.cyc and now.stb:
            if self.strict and self.outstanding and self._direction != now.we:
                self._violated("direction", f"we={now.we} while {self.outstanding} answers to "
                                            f"requests with we={self._direction} are outstanding")
            if now.stall:
                self._pending = now.request
            else:
                self._direction = now.we
                self.outstanding += 1
                self.accepted += 1

    def _classic(self, now):
        if now.answer and not now.cyc and not self._last_cyc:
            self._violated("answer", "an answer without cyc")
        elif now.answer and now.cyc and not now.stb and self._next_adr is None:
            self._violated("answer", "an answer without a request")
        if not (now.cyc and now.stb):
            return
        if self._next_adr is not None and now.request[3] != self._next_adr:
            self._violated("burst", f"adr is {now.request[3]:#x} where the burst goes on at "
                                    f"{self._next_adr:#x}")
        if now.answer:
            self.accepted += 1
            self.answered += 1
            self._next_adr = self._upcoming(now)
        else:
            self._pending = now.request

    def _upcoming(self, now):
        """The next address of an incrementing burst, or None."""
        optional = dict(zip(self.optional, now.request[6:], strict=True))
        if not now.ack or optional.get("cti") != _INCREMENTING:
            return None
        adr = now.request[3]
        wrap = (0, 4, 8, 16)[optional.get("bte", 0)]
        if not wrap:
            return adr + 1 & (1 << len(self.bus.adr)) - 1
        return adr // wrap * wrap + (adr + 1) % wrap

    def _violated(self, rule, text):
        self.violations.append(Violation(rule, f"{self.name}: {text}", self.clock))
