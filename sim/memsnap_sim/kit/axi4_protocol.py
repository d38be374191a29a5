"""The rules of AXI4 on one bus, watched clock by clock in simulation.

A pure observer: it drives nothing. It serves AXI4-Lite as well.
"""

from collections import defaultdict, deque

from memsnap.bus.axi4 import Burst, Response

from .axi4_burst import ADDRESS_FIELDS, Transaction, faults, places
from .axi4_channels import CHANNELS, Sampled, channels_of
from .violation import Violation

__all__ = ["Axi4Checker"]


class Axi4Checker:
    """Checks an AXI4 or AXI4-Lite bus, from either side.

    ========= ====================================================================================
    rule      what it asks
    ========= ====================================================================================
    steady    on each channel, what was offered and not taken is there in the next clock, unchanged
              (A3.2.1)
    reset     after a clock of reset, and in the first clock, nothing is valid (A3.1.2)
    size      a beat is not wider than the bus (A3.4.1)
    length    up to 256 beats INCR, 16 FIXED or WRAP (A3.4.1)
    wrap      WRAP of 2, 4, 8 or 16 beats, at a multiple of the beat's size (A3.4.1)
    burst     the burst type is not the reserved one (A3.4.1)
    4 KiB     an INCR burst stays within 4 KiB (A3.4.1)
    cache     no reserved value (A4.4)
    exclusive the shape of exclusive accesses (A7.2.4)
    wlast     with the last beat of each write, and with no other (A3.4.2)
    strobes   only in lanes that the beat may use (A3.4.3)
    answer    a write's answer after its address and its last data; a read's beats after its
              address; both only to open ids, a clock later at the earliest (A3.3.1, A5.3)
    rlast     with the last beat of each read, in the order of the addresses of its id, and with no
              other (A3.4.2, A5.3)
    exokay    only to exclusive accesses, never on AXI4-Lite (A3.4.4, B1.1.1)
    address   only with ``strict``: a write's data is not offered in a clock before its address
    ========= ====================================================================================

    What an id's answers are to is known by their order alone; the kit's matcher compares their
    content with what the memory gave.

    Add :meth:`process` to the simulator, or call :meth:`sample` for each clock; as ``listener`` of
    a :class:`Manager` or an :class:`Axi4Memory` it costs least.

    Parameters
    ----------
    bus : AXI4 or AXI4-Lite interface
    name : str
        How violations call the bus.
    strict : bool

    Attributes
    ----------
    violations : list of Violation
    writes, reads : int
        Addresses accepted so far.
    outstanding : int
        Reads and writes accepted and not fully answered.
    """

    def __init__(self, bus, *, name="bus", strict=False):
        self.name = name
        self.strict = strict
        self.channels = channels_of(bus)
        self.sampled = Sampled([signal for channel in self.channels.values() for signal in
                                (channel.valid, channel.ready, *channel.payload)])
        self.word_bytes = len(bus.wstrb)
        self.addr_width = len(bus.awaddr)
        self.is_lite = not hasattr(bus, "awlen")
        self.violations = []
        self.clock = 0
        self.writes = self.reads = 0
        self._after_reset = True
        self._clear()

    def _clear(self):
        self._pending = dict.fromkeys(CHANNELS)     # payloads that were offered and not taken
        self._lacking = deque()              # writes accepted that lack data
        self._early = deque()                # data beats ahead of their address
        self._open = {"b": defaultdict(deque), "r": defaultdict(deque)}
        self._announced = 0                  # addresses offered, less data bursts begun
        self._in_data = False                # the last data beat offered was not a burst's last

    @property
    def outstanding(self):
        """Reads and writes accepted and not fully answered."""
        return sum(len(queue) for by_id in self._open.values() for queue in by_id.values())

    async def process(self, ctx):
        """The observer, for ``Simulator.add_process``."""
        async for _, rst, *values in ctx.tick().sample(*self.sampled.signals):
            values = self.sampled.split(values)
            seen, at = {}, 0
            for name, channel in self.channels.items():
                end = at + 2 + len(channel.payload)
                seen[name] = values[at], values[at + 1], tuple(values[at + 2:end])
                at = end
            self.sample(rst, seen)

    def sample(self, rst, seen):
        """One clock: for each channel a tuple of ``valid``, ``ready`` and the payload's values."""
        fresh = set()                        # channels on which something is offered anew
        for name in CHANNELS:
            valid, ready, payload = seen[name]
            pending = self._pending[name]
            if valid and pending is None:
                fresh.add(name)
            if self._after_reset:
                if valid:
                    self._violated("reset", f"{name}valid after reset")
            elif pending is not None and not rst:
                self._check_steady(name, valid, payload)
            self._pending[name] = payload if valid and not ready else None
        if rst:
            self._clear()
        else:
            self._check_answers(seen, fresh)
            self._check_requests(seen, fresh)
        self._after_reset = rst
        self.clock += 1

    def _check_steady(self, name, valid, payload):
        pending = self._pending[name]
        if not valid:
            self._violated("steady", f"{name}valid fell before {name}ready")
        elif payload != pending:
            for member, old, new in zip(self.channels[name].names, pending, payload, strict=True):
                if old != new:
                    self._violated("steady", f"{name}{member} changed from {old:#x} to {new:#x} "
                                             f"before {name}ready")

    # Requests ----------------------------------------------------------------------------------

    def _check_requests(self, seen, fresh):
        for name in "aw", "ar":
            valid, ready, payload = seen[name]
            if valid and ready:
                transaction = self._accept(name, self.channels[name].decode(payload))
                if name == "aw":
                    self.writes += 1
                    self._lacking.append(transaction)
                    self._open["b"][transaction.id].append(transaction)
                else:
                    self.reads += 1
                    self._open["r"][transaction.id].append(transaction)
        self._announced += "aw" in fresh
        valid, ready, payload = seen["w"]
        if "w" in fresh and not self._in_data:
            self._announced -= 1
            if self.strict and self._announced < 0:
                self._violated("address", "a write's data is offered before its address")
        if valid and ready:
            beat = self.channels["w"].decode(payload)
            self._in_data = not beat.last
            self._early.append(beat)
        self._give_data()

    def _accept(self, name, request):
        """The transaction of an address that was accepted."""
        try:
            burst = Burst(request.burst)
        except ValueError:
            self._violated("burst", f"{name}burst is {request.burst:#04b}", request.addr)
            burst = Burst.INCR
        transaction = Transaction(we=name == "aw", beats=request.len + 1, accepted=self.clock,
                                  burst=burst, **{field: getattr(request, field)
                                                  for field in ADDRESS_FIELDS if field != "burst"})
        for rule, text in faults(transaction, self.word_bytes, self.addr_width):
            self._violated(rule, f"{name}: {text}", transaction.addr)
        return transaction

    def _give_data(self):
        """Compares data with the writes that it is of, in the order of their addresses."""
        while self._early and self._lacking:
            transaction = self._lacking[0]
            beat = self._early.popleft()
            index = len(transaction.data)
            transaction.data.append(beat.data)
            last = index == transaction.beats - 1
            if beat.last != last:
                self._violated("wlast", f"wlast is {beat.last} with beat {index + 1} of "
                                        f"{transaction.beats}", transaction.addr)
            lanes = places(transaction, self.word_bytes)[index][1]
            if beat.strb & ~lanes and not self.is_lite:
                self._violated("strobes", f"wstrb {beat.strb:#x} reaches beyond the lanes "
                                          f"{lanes:#x} of beat {index + 1}", transaction.addr)
            if last:
                self._lacking.popleft()
                transaction.clocks.append(self.clock)

    # Answers -----------------------------------------------------------------------------------

    def _check_answers(self, seen, fresh):
        valid, ready, payload = seen["b"]
        if valid and (ready or "b" in fresh):
            answer = self.channels["b"].decode(payload)
            queue = self._open["b"][answer.id]
            if not queue or not queue[0].clocks:
                self._violated("answer", f"a write's answer to id {answer.id:#x}, which has "
                               + ("no write open" if not queue else "data outstanding"))
            elif "b" in fresh:
                self._check_exokay("b", queue[0], answer)
            if queue and ready:
                queue.popleft()
        valid, ready, payload = seen["r"]
        if not valid or not (ready or "r" in fresh):
            return
        answer = self.channels["r"].decode(payload)
        queue = self._open["r"][answer.id]
        if not queue:
            self._violated("answer", f"a read's answer to id {answer.id:#x}, which has no read "
                                     f"open")
            return
        transaction = queue[0]
        index = len(transaction.data_r)
        last = index == transaction.beats - 1
        if "r" in fresh:
            self._check_exokay("r", transaction, answer)
            if answer.last != last:
                self._violated("rlast", f"rlast is {answer.last} with beat {index + 1} of "
                                        f"{transaction.beats}, id {answer.id:#x}",
                               transaction.addr)
        if ready:
            transaction.data_r.append(answer.data)
            if last:
                queue.popleft()

    def _check_exokay(self, name, transaction, answer):
        if Response(answer.resp) is Response.EXOKAY and not transaction.lock:
            self._violated("exokay", f"{name}resp is EXOKAY to an access that is not exclusive",
                           transaction.addr)

    def _violated(self, rule, text, address=None):
        self.violations.append(Violation(rule, f"{self.name}: {text}", self.clock, address))
