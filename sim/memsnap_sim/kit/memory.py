"""A memory behind a Wishbone bus, for Amaranth's simulator: latency, stalls, errors, a log.

The target is a simulator *process*: all its outputs are as if from registers. Words are kept as
integers; :attr:`MemoryTarget.log` holds every access that the memory accepted.
"""

from collections import deque
from dataclasses import dataclass
from functools import cache

from amaranth.hdl import Value

from .pauses import fixed, never

__all__ = ["Entry", "MemoryTarget", "errors_at", "image_of", "lane_mask", "merge", "words_of"]

_CONST_BURST = 0b001
_INCR_BURST = 0b010


@dataclass(slots=True)
class Entry:
    """One access that the memory accepted: the clock, the word address, the data, the answer.

    ``data`` is what was written (all lanes as on the bus) or read. ``response`` is ``"ack"``,
    ``"err"`` or ``"rty"``; without ``landed``, only a write with ``"ack"`` changed anything.
    ``answered`` is the clock of the answer, None while it is due or if it was forgotten.

    Of a burst each beat has an entry. A memory that does later what it accepted logs it where it
    was done, and says when in ``done``; ``landed`` says whether a write changed anything, where
    ``response`` does not tell. ``source`` is the transaction that the entry is a beat of.
    """

    clock: int
    adr: int
    we: bool
    data: int
    sel: int
    response: str = "ack"
    answered: int | None = None
    done: int | None = None
    landed: bool | None = None
    source: object = None

    @property
    def effect(self):
        """The clock in which it was done."""
        return self.clock if self.done is None else self.done

    @property
    def changed(self):
        """Whether it is a write that was done."""
        return self.we and (self.response == "ack" if self.landed is None else self.landed)

    def __str__(self):
        kind = f"write {self.data:#x} sel {self.sel:#x}" if self.we else f"read {self.data:#x}"
        return f"clock {self.clock}: {kind} at word {self.adr:#x}, {self.response}"


@cache
def lane_mask(sel):
    """The bits of the byte lanes in ``sel``."""
    return sum(0xff << 8 * lane for lane in range(sel.bit_length()) if sel >> lane & 1)


def merge(old, new, sel):
    """``old`` with the byte lanes of ``sel`` taken from ``new``."""
    mask = lane_mask(sel)
    return old & ~mask | new & mask


def words_of(image, word_bytes):
    """The words of an image in bytes, little-endian."""
    return [int.from_bytes(image[at:at + word_bytes], "little")
            for at in range(0, len(image), word_bytes)]


def image_of(words, word_bytes):
    """The bytes of a list of words, little-endian."""
    return b"".join(word.to_bytes(word_bytes, "little") for word in words)


def errors_at(*, addresses=(), nth=(), response="err", reads=True, writes=True):
    """A rule for ``MemoryTarget(errors=...)``: word addresses, or the nth accepted accesses."""
    addresses, nth = frozenset(addresses), frozenset(nth)

    def rule(index, adr, we):
        if (writes if we else reads) and (adr in addresses or index in nth):
            return response
        return None
    return rule


class MemoryTarget:
    """A memory with in-order answers, classic or pipelined.

    Add :meth:`process` to the simulator with ``add_process``. An access is accepted in the clock
    in which ``stb`` is taken (pipelined) or answered (classic). A read gives what was there when it
    was accepted (pipelined). Requests in a clock of reset, and answers still due when ``cyc``
    falls, are forgotten.

    Parameters
    ----------
    bus : Wishbone interface
        Its initiator's side, as in ``unit.m_wb``.
    image : bytes
        Content at the start, from address 0; wherever it does not reach is answered with ``err``.
    latency : int or callable
        Clocks from the request to its answer, at least 1; a callable is asked for each access.
    stall : callable
        Asked each clock; other than 0 stalls the next (pipelined only).
    errors : callable or None
        ``rule(index, adr, we)`` gives ``"err"``, ``"rty"`` or None. See :func:`errors_at`.
    bursts : bool
        Answers every clock in a burst by ``cti`` (classic only).
    late : bool
        A write changes the memory when it is answered, and a read that is accepted before gives
        the old content (pipelined only).

    Attributes
    ----------
    words : list of int
    log : list of Entry
    answering : bool
        Set to False, no answer is given until it is True again.
    listener : callable or None
        Called with each clock's raw samples; :class:`memsnap_sim.kit.protocol.ProtocolChecker`
        has a fitting method.
    """

    def __init__(self, bus, image, *, latency=1, stall=never, errors=None, bursts=False,
                 late=False):
        self.bus = bus
        self.pipelined = bus.signature.pipelined
        self.word_bytes = len(bus.sel)
        if len(image) % self.word_bytes:
            raise ValueError(f"image must be a multiple of {self.word_bytes} bytes, "
                             f"not {len(image)} bytes")
        if not callable(latency) and latency < 1:
            raise ValueError(f"latency must be at least 1 clock, not {latency!r}")
        self.words = words_of(image, self.word_bytes)
        self.latency = latency if callable(latency) else fixed(latency)
        self.stall = stall
        self.errors = errors
        self.bursts = bursts and "cti" in bus.signature.features
        self.late = late and self.pipelined
        self.log = []
        self.answering = True
        self.listener = None
        self.clock = 0
        self._accepted = 0

    @property
    def image(self):
        """The content now, in bytes."""
        return image_of(self.words, self.word_bytes)

    def request_latency(self, adr, we):
        """Clocks from a request that comes in this clock to its answer."""
        return self.latency()

    async def process(self, ctx):
        """The target, for ``Simulator.add_process``."""
        bus = self.bus
        features = bus.signature.features
        step = self._step_pipelined if self.pipelined else self._step_classic
        self._outputs = {"ack": bus.ack, "err": bus.err, "dat_r": bus.dat_r}
        self._outputs["rty"] = bus.rty if "rty" in features else None
        self._outputs["stall"] = bus.stall if self.pipelined else None
        self._driven = dict.fromkeys(self._outputs, 0)
        self._due = deque()
        self._last_due = 0
        self._remaining = None
        self._optional = [name for name in ("cti", "bte", "lock") if name in features]
        samples = [bus.cyc, bus.stb, bus.we, bus.adr, bus.dat_w, bus.sel]
        samples += [Value.cast(getattr(bus, name)) for name in self._optional]
        async for _, rst, *request in ctx.tick().sample(*samples):
            if self.listener is not None:
                self.listener(rst, request, self._driven)
            if rst:
                self._due.clear()
                self._remaining = None
                self._set(ctx, "ack", 0)
                self._set(ctx, "err", 0)
                self._set(ctx, "rty", 0)
            else:
                step(ctx, *request)
            if self.pipelined:
                self._set(ctx, "stall", 1 if self.stall() else 0)
            self.clock += 1

    def _step_pipelined(self, ctx, cyc, stb, we, adr, dat_w, sel, *_):
        due = self._due
        if not cyc:
            due.clear()
        elif stb and not self._driven["stall"]:
            self._last_due = max(self.clock + self.request_latency(adr, we), self._last_due + 1)
            due.append((self._last_due, self._perform(we, adr, dat_w, sel)))
        response = None
        if due and due[0][0] <= self.clock + 1 and self.answering:
            entry = due.popleft()[1]
            response = entry.response
            entry.answered = self.clock + 1
            if not entry.we:
                self._set(ctx, "dat_r", entry.data)
            elif self.late:
                self._write(entry)
        self._respond(ctx, response)

    def _step_classic(self, ctx, cyc, stb, we, adr, dat_w, sel, *optional):
        answered = self._driven["ack"] or self._driven["err"] or self._driven["rty"]
        requested = cyc and stb
        if not requested:
            self._remaining = None
            self._respond(ctx, None)
            return
        upcoming = adr
        if answered:
            response = next(name for name in ("ack", "err", "rty") if self._driven[name])
            self._perform(we, adr, dat_w, sel, response).answered = self.clock
            upcoming = self._next_in_burst(adr, optional)
            if upcoming is None:
                self._remaining = None
                self._respond(ctx, None)
                return
            self._remaining = 0
        elif self._remaining is None:
            self._remaining = max(1, self.request_latency(adr, we)) - 1
        elif self._remaining:
            self._remaining -= 1
        if self._remaining == 0 and self.answering:
            response = self._response(upcoming, we)
            if not we:
                self._set(ctx, "dat_r", self._word(upcoming))
            self._respond(ctx, response)
        else:
            self._respond(ctx, None)

    def _next_in_burst(self, adr, optional):
        """Where a burst goes on after the access that was answered now, or None."""
        if not (self.bursts and self._driven["ack"] and self.answering):
            return None
        optional = dict(zip(self._optional, optional, strict=True))
        if optional["cti"] == _CONST_BURST:
            return adr
        if optional["cti"] != _INCR_BURST:
            return None
        wrap = (0, 4, 8, 16)[optional.get("bte", 0)]
        return adr // wrap * wrap + (adr + 1) % wrap if wrap else adr + 1

    def _word(self, adr):
        return self.words[adr] if adr < len(self.words) else 0

    def _response(self, adr, we):
        """The answer to the access that is accepted next."""
        response = self.errors(self._accepted, adr, we) if self.errors is not None else None
        return response or ("ack" if adr < len(self.words) else "err")

    def _perform(self, we, adr, dat_w, sel, response=None):
        """Accepts an access in this clock."""
        response = response or self._response(adr, we)
        self._accepted += 1
        entry = Entry(self.clock, adr, bool(we), dat_w if we else self._word(adr), sel, response)
        if we and not self.late:
            self._write(entry)
        self.log.append(entry)
        return entry

    def _write(self, entry):
        if entry.response == "ack":
            self.words[entry.adr] = merge(self.words[entry.adr], entry.data, entry.sel)

    def _respond(self, ctx, response):
        self._set(ctx, "ack", int(response == "ack"))
        self._set(ctx, "err", int(response == "err"))
        self._set(ctx, "rty", int(response == "rty"))

    def _set(self, ctx, name, value):
        if self._driven[name] != value:
            self._driven[name] = value
            ctx.set(self._outputs[name], value)
