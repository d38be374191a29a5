"""One port of an AXI4 memory: what it takes, in which order it answers, when it is ready."""

from collections import deque

from memsnap.bus.axi4 import Burst, Response

from .axi4_burst import ADDRESS_FIELDS, Transaction
from .axi4_channels import Driver, channels_of

__all__ = ["MemoryPort"]


class MemoryPort:
    """One port: its queues, and what it drives.

    Parameters
    ----------
    memory : Axi4Memory
        Whose port it is.
    bus : AXI4 interface
    index : int
        Which of its ports.
    """

    def __init__(self, memory, bus, index):
        self.memory = memory
        self.index = index
        self.channels = channels = channels_of(bus)
        self.drivers = {name: Driver(channel) for name, channel in channels.items()}
        self.signals = [channels["b"].ready, channels["r"].ready]
        for name in "aw", "w", "ar":
            self.signals += [channels[name].valid, *channels[name].payload]
        self._clear()

    def _clear(self):
        self.writes = deque()       # accepted, not yet answered: [transaction, due or None]
        self.reads = deque()        # the same of reads
        self.data = deque()         # beats whose address is yet to come
        self.begun = 0              # writes whose data was offered, less addresses accepted
        self.in_write = False       # the last data beat offered was not the last of its write
        self.counted = False        # the beat that is offered is in ``begun``
        self.current = None         # the read that goes on, without interleaving

    def step(self, ctx, rst, values):
        """One clock."""
        seen = self._sort(values)
        if self.memory.listeners[self.index] is not None:
            self.memory.listeners[self.index](rst, seen)
        if rst:
            self._clear()
            for name, driver in self.drivers.items():
                if name in ("b", "r"):
                    driver.withdraw(ctx)
                else:
                    driver.set_ready(ctx, 0)
            return
        self._take(seen)
        self._answered(ctx, seen)
        self._offer_b(ctx)
        self._offer_r(ctx)
        self._be_ready(ctx, seen)

    def _sort(self, values):
        drivers = self.drivers
        seen = {name: (drivers[name].valid, ready, tuple(drivers[name].values))
                for name, ready in zip("br", values, strict=False)}
        at = 2
        for name in "aw", "w", "ar":
            end = at + 1 + len(self.channels[name].payload)
            seen[name] = values[at], drivers[name].ready, tuple(values[at + 1:end])
            at = end
        return seen

    # Requests ----------------------------------------------------------------------------------

    def _take(self, seen):
        """Addresses and data that were transferred in this clock."""
        memory = self.memory
        for name, queue in ("aw", self.writes), ("ar", self.reads):
            valid, ready, values = seen[name]
            if valid and ready:
                transaction = self._transaction(name == "aw", self.channels[name].decode(values))
                memory.transactions.append(transaction)
                memory.storage.admit(transaction)
                due = None if name == "aw" else memory.due(transaction)
                queue.append([transaction, due])
                if name == "aw":
                    self.begun -= 1
                elif memory.rng is not None and memory.rng.random() < 0.3:
                    self._do(queue, transaction)
        valid, ready, values = seen["w"]
        if valid and not self.counted and not self.in_write:
            self.begun += 1
        self.counted = bool(valid and not ready)
        if valid and ready:
            beat = self.channels["w"].decode(values)
            self.data.append((memory.clock, beat))
            self.in_write = not beat.last
        self._fill()

    def _transaction(self, we, request):
        return Transaction(we=we, beats=request.len + 1, accepted=self.memory.clock,
                           port=self.index, burst=Burst(request.burst),
                           **{name: getattr(request, name) for name in ADDRESS_FIELDS
                              if name != "burst"})

    def _fill(self):
        """Gives data to the writes that wait for it, in the order of their addresses."""
        memory = self.memory
        for item in self.writes:
            transaction, due = item
            if due is not None:
                continue
            while self.data and len(transaction.data) < transaction.beats:
                clock, beat = self.data.popleft()
                transaction.clocks.append(clock)
                transaction.data.append(beat.data)
                transaction.strobes = [*(transaction.strobes or ()), beat.strb]
                transaction.users.append(beat.user)
            if len(transaction.data) < transaction.beats:
                return
            item[1] = memory.due(transaction)
            if memory.rng is None or memory.rng.random() < 0.3:
                self._do(self.writes, transaction)

    def _do(self, queue, transaction):
        """Does a transaction now, after those of its id that came before it."""
        for other, _ in queue:
            if other.id == transaction.id:
                self.memory.storage.do_all(other, self.memory.clock)
            if other is transaction:
                return

    def _be_ready(self, ctx, seen):
        memory = self.memory
        room = {"aw": len(self.writes) < memory.max_in_flight,
                "w": len(self.data) < memory.max_in_flight,
                "ar": len(self.reads) < memory.max_in_flight}
        if memory.aw_after_w and self.begun <= 0:
            room["aw"] = False
        if memory.w_after_aw and all(due is not None for _, due in self.writes):
            room["w"] = False
        for name, free in room.items():
            valid, ready, _ = seen[name]
            if memory.after_valid and not (valid and not ready):
                free = False
            self.drivers[name].set_ready(ctx, int(free and not memory.stall[name]()))

    # Answers -----------------------------------------------------------------------------------

    def _answered(self, ctx, seen):
        clock = self.memory.clock
        for name, queue in ("b", self.writes), ("r", self.reads):
            valid, ready, values = seen[name]
            if not (valid and ready):
                continue
            answer = self.channels[name].decode(values)
            item = next(item for item in queue if item[0].id == answer.id)
            transaction = item[0]
            transaction.responses.append(Response(answer.resp))
            self.memory.storage.answered(transaction, clock)
            if name == "r":
                transaction.clocks.append(clock)
                transaction.data_r.append(answer.data)
                transaction.users.append(answer.user)
            if name == "b" or answer.last:
                transaction.answered = clock
                queue.remove(item)
            self.drivers[name].withdraw(ctx)

    def _heads(self, queue):
        """Of each id the first, if its time has come, in the order of acceptance."""
        ids = set()
        for transaction, due in queue:
            if transaction.id not in ids:
                ids.add(transaction.id)
                if due is not None and due <= self.memory.clock + 1:
                    yield transaction

    def _choose(self, queue):
        heads = list(self._heads(queue))
        if not heads or not self.memory.answering:
            return None
        return heads[0] if self.memory.rng is None else self.memory.rng.choice(heads)

    def _offer_b(self, ctx):
        if self.drivers["b"].valid:
            return
        transaction = self._choose(self.writes)
        if transaction is None or self.memory.stall["b"]():
            return
        self._do(self.writes, transaction)
        self.drivers["b"].offer(ctx, id=transaction.id, user=transaction.user,
                                resp=self.memory.storage.response(transaction).value)

    def _offer_r(self, ctx):
        if self.drivers["r"].valid:
            return
        if self.current is not None and not self.memory.interleave:
            transaction = self.current if self.memory.answering else None
        else:
            transaction = self._choose(self.reads)
        if transaction is None or self.memory.stall["r"]():
            return
        beat = len(transaction.data_r)
        data, response = self.memory.storage.read(transaction, beat, self.memory.clock)
        last = beat == transaction.beats - 1
        self.current = None if last else transaction
        self.drivers["r"].offer(ctx, id=transaction.id, data=data, resp=response.value,
                                last=int(last), user=transaction.user)
