"""AXI4 manager for Amaranth's simulator: a stream of bursts, and what came of each.

The driver is a simulator *process*: it samples the bus once a clock and changes it right after the
edge, as a register would. Clocks count from 0, the clock that ends with the first edge.
"""

from collections import defaultdict, deque

from memsnap.bus.axi4 import Response

from .axi4_burst import ADDRESS_FIELDS, faults, places
from .axi4_channels import CHANNELS, Driver, Sampled, channels_of
from .pauses import never

__all__ = ["Manager", "stalls"]


def stalls(stall):
    """Pauses for each channel, from one callable for all or from a mapping of some."""
    if callable(stall):
        return dict.fromkeys(CHANNELS, stall)
    for name in set(stall or ()) - set(CHANNELS):
        raise ValueError(f"stall must name channels of {', '.join(CHANNELS)}, not {name!r}")
    return {name: (stall or {}).get(name, never) for name in CHANNELS}


class Manager:
    """Makes transactions on an AXI4 bus: reads and writes at once, each direction in order.

    Add :meth:`process` to the simulator with ``add_process``. Transactions are pulled from an
    iterable when they are due, so it may be endless, and may decide by what happened so far.

    Parameters
    ----------
    bus : AXI4 interface
        Its manager's side.
    transactions : iterable of Transaction
        See :func:`read_burst` and :func:`write_burst`.
    max_in_flight : int
        Most reads without their last answer, and as many writes.
    stall : callable or mapping
        Pauses, one for all channels or by name: asked each clock in which something may be offered
        (``aw``, ``w``, ``ar``) or taken (``b``, ``r``); anything but 0 is a pause.
    early_w : bool
        Data may be offered ahead of its address; otherwise with it at the earliest.
    after_valid : bool
        ``bready`` and ``rready`` rise only after their ``valid``.
    ordered : bool
        A transaction waits for all earlier ones that it has a byte in common with, unless both are
        reads; so the memory is as if all were done one after the other.

    Attributes
    ----------
    log : list of Transaction
        Every one that was begun, in order.
    idle : bool
        Nothing is left to do.
    clock : int
        Clocks seen so far.
    listener : callable or None
        Called with each clock: reset, and for each channel (valid, ready, payload). See
        :meth:`Axi4Checker.sample`.
    """

    def __init__(self, bus, transactions=(), *, max_in_flight=16, stall=None, early_w=False,
                 after_valid=False, ordered=False):
        if max_in_flight < 1:
            raise ValueError(f"max_in_flight must be at least 1, not {max_in_flight!r}")
        self.bus = bus
        self.channels = channels = channels_of(bus)
        self.sampled = Sampled([
            *(channels[name].ready for name in ("aw", "w", "ar")),
            channels["b"].valid, channels["r"].valid,
            *channels["b"].payload, *channels["r"].payload])
        self.word_bytes = len(bus.wstrb)
        self.addr_width = len(bus.awaddr)
        self.id_width = len(bus.awid)
        self.max_in_flight = max_in_flight
        self.stall = stalls(stall)
        self.early_w = early_w
        self.after_valid = after_valid
        self.ordered = ordered
        self.log = []
        self.clock = 0
        self.idle = False
        self.listener = None
        self._transactions = iter(transactions)
        self._more = deque()
        self._stopped = False
        self._waiting = None              # the next transaction, not yet begun
        self._wait = 0                    # clocks of its gap that are left
        self._addresses = {"aw": deque(), "ar": deque()}     # begun, address not yet accepted
        self._data = deque()              # (transaction, beat), not yet accepted
        self._open = {True: defaultdict(deque), False: defaultdict(deque)}   # by direction and id
        self._in_flight = {True: 0, False: 0}

    def add(self, *transactions):
        """Puts more transactions behind those that are there."""
        self._more.extend(transactions)
        self.idle = False

    def stop(self):
        """Begins nothing more; what is open is completed."""
        self._stopped = True

    async def process(self, ctx):
        """The driver, for ``Simulator.add_process``."""
        channels = self.channels
        self._drivers = {name: Driver(channel) for name, channel in channels.items()}
        split = 5 + len(channels["b"].payload)
        async for _, rst, *values in ctx.tick().sample(*self.sampled.signals):
            values = self.sampled.split(values)
            awready, wready, arready, bvalid, rvalid = values[:5]
            seen = {name: (driver.valid, ready, tuple(driver.values)) for name, ready, driver in (
                (name, ready, self._drivers[name])
                for name, ready in (("aw", awready), ("w", wready), ("ar", arready)))}
            seen["b"] = bvalid, self._drivers["b"].ready, tuple(values[5:split])
            seen["r"] = rvalid, self._drivers["r"].ready, tuple(values[split:])
            if self.listener is not None:
                self.listener(rst, seen)
            if rst:
                self._abandon(ctx)
            else:
                self._take(ctx, seen)
            self.clock += 1
            if not rst:
                self._begin()
                self._offer(ctx)
                self._be_ready(ctx, seen)

    def _take(self, ctx, seen):
        """What was transferred in this clock."""
        done = {name: valid and ready for name, (valid, ready, _) in seen.items()}
        for name in "aw", "ar":
            if done[name]:
                self._addresses[name].popleft().accepted = self.clock
                self._drivers[name].withdraw(ctx)
        if done["w"]:
            transaction, _ = self._data.popleft()
            transaction.clocks.append(self.clock)
            self._drivers["w"].withdraw(ctx)
        if done["b"]:
            answer = self.channels["b"].decode(seen["b"][2])
            self._answer(True, answer, last=True)
        if done["r"]:
            answer = self.channels["r"].decode(seen["r"][2])
            self._answer(False, answer, last=answer.last)

    def _answer(self, we, answer, last):
        queue = self._open[we][answer.id]
        if not queue:
            return                                  # the protocol checker's business
        transaction = queue[0]
        transaction.responses.append(Response(answer.resp))
        transaction.users.append(answer.user)
        if not we:
            transaction.clocks.append(self.clock)
            transaction.data_r.append(answer.data)
        if last:
            transaction.answered = self.clock
            queue.popleft()
            self._in_flight[we] -= 1

    def _abandon(self, ctx):
        for by_id in self._open.values():
            for queue in by_id.values():
                for transaction in queue:
                    transaction.abandoned = self.clock
                queue.clear()
        for queue in *self._addresses.values(), self._data:
            queue.clear()
        self._in_flight = {True: 0, False: 0}
        for name, driver in self._drivers.items():
            if name in ("b", "r"):
                driver.set_ready(ctx, 0)
            else:
                driver.withdraw(ctx)

    def _begin(self):
        """Begins what is due in the coming clock: at most one transaction of each direction."""
        begun = set()
        while True:
            if self._waiting is None and not self._stopped:
                self._waiting = next(self._transactions, None)
                if self._waiting is None and self._more:
                    self._waiting = self._more.popleft()
                if self._waiting is not None:
                    self._check(self._waiting)
                    self._wait = self._waiting.gap
            if self._waiting is None or self._stopped:
                self._waiting = None
                self.idle = not any(self._in_flight.values())
                return
            if self._wait:
                self._wait -= 1
                return
            transaction = self._waiting
            if (transaction.we in begun or self._in_flight[transaction.we] >= self.max_in_flight
                    or transaction.after is not None and transaction.after.is_open
                    or self.ordered and self._must_wait(transaction)):
                return
            self._waiting = None
            begun.add(transaction.we)
            self._enter(transaction)

    def _enter(self, transaction):
        """Puts a transaction, which begins in this clock, with those in flight."""
        self.log.append(transaction)
        self._in_flight[transaction.we] += 1
        self._open[transaction.we][transaction.id].append(transaction)
        self._addresses["aw" if transaction.we else "ar"].append(transaction)
        if transaction.we:
            self._data.extend((transaction, beat) for beat in range(transaction.beats))

    def _check(self, transaction):
        """Completes a transaction, and refuses what AXI4 forbids."""
        if transaction.size is None:
            transaction.size = self.word_bytes.bit_length() - 1
        for _, text in faults(transaction, self.word_bytes, self.addr_width):
            raise ValueError(f"a transaction must keep to AXI4, not {text}")
        if transaction.id >> self.id_width:
            raise ValueError(f"id must fit {self.id_width} bits, not {transaction.id:#x}")
        if not transaction.we:
            return
        lanes = [lanes for _, lanes in places(transaction, self.word_bytes)]
        if transaction.strobes is None:
            transaction.strobes = lanes
        if len(transaction.data) != transaction.beats:
            raise ValueError(f"data must have {transaction.beats} words, one for each beat, "
                             f"not {len(transaction.data)}")
        for strobe, allowed in zip(transaction.strobes, lanes, strict=True):
            if strobe & ~allowed:
                raise ValueError(f"strobes must be within the beat's lanes {allowed:#x}, "
                                 f"not {strobe:#x}")

    def _must_wait(self, transaction):
        mine = self._span(transaction)
        for we, by_id in self._open.items():
            if we or transaction.we:
                for queue in by_id.values():
                    for other in queue:
                        theirs = self._span(other)
                        if mine[0] <= theirs[1] and theirs[0] <= mine[1]:
                            return True
        return False

    def _span(self, transaction):
        words = [word for word, _ in places(transaction, self.word_bytes)]
        return min(words), max(words)

    def _offer(self, ctx):
        """Offers addresses and data for the coming clock."""
        for name in "aw", "ar":
            driver, queue = self._drivers[name], self._addresses[name]
            if not driver.valid and queue and not self.stall[name]():
                transaction = queue[0]
                driver.offer(ctx, len=transaction.beats - 1, **{
                    field: getattr(transaction, field) for field in ADDRESS_FIELDS
                    if field != "burst"}, burst=transaction.burst.value)
                self._request(transaction)
        driver = self._drivers["w"]
        if driver.valid or not self._data:
            return
        transaction, beat = self._data[0]
        announced = transaction.accepted is not None or (
            self._drivers["aw"].valid and self._addresses["aw"][0] is transaction)
        if (announced or self.early_w) and not self.stall["w"]():
            driver.offer(ctx, data=transaction.data[beat], strb=transaction.strobes[beat],
                         last=int(beat == transaction.beats - 1), user=transaction.user)
            self._request(transaction)

    def _request(self, transaction):
        if transaction.requested is None:
            transaction.requested = self.clock

    def _be_ready(self, ctx, seen):
        for name in "b", "r":
            driver = self._drivers[name]
            waited = not self.after_valid or seen[name][0] and not driver.ready
            driver.set_ready(ctx, int(bool(waited) and not self.stall[name]()))
