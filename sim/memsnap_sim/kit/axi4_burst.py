"""AXI4 transactions: what is asked, what came of it, and which bytes each beat touches (A3.4)."""

from dataclasses import dataclass, field

from memsnap.bus.axi4 import Burst, Response

__all__ = ["ADDRESS_FIELDS", "Transaction", "faults", "is_error", "places", "read_burst",
           "write_burst"]

#: What an address channel carries beside ``len``, as attributes of a :class:`Transaction`.
ADDRESS_FIELDS = ("id", "addr", "size", "burst", "lock", "cache", "prot", "qos", "region", "user")


@dataclass(slots=True, eq=False, kw_only=True)
class Transaction:
    """One burst, as an initiator asks for it or as a memory sees it, and what came of it.

    ``addr`` is in bytes, ``size`` the log2 of a beat's bytes (None: the whole bus). ``data`` and
    ``strobes`` of a write have an item for each beat, as wide as the bus; without ``strobes`` all
    lanes that the beat may use are written. ``gap`` is clocks without a new request before it;
    with ``after``, it is not begun before that other transaction is over. ``port`` is the memory's.

    The clocks are those in which the address (or, earlier, the first data of a write) was first on
    the bus, in which the address was accepted, and of the last answer. ``clocks`` are those of the
    data beats. ``responses`` and ``data_r`` grow by one for each beat of a read; a write has one
    response. A transaction that a reset ended has no ``answered`` but ``abandoned``.
    """

    addr: int
    we: bool = False
    beats: int = 1
    size: int | None = None
    burst: Burst = Burst.INCR
    id: int = 0
    lock: int = 0
    cache: int = 0
    prot: int = 0
    qos: int = 0
    region: int = 0
    user: int = 0
    data: list = field(default_factory=list)
    strobes: list | None = None
    gap: int = 0
    after: object = None
    port: int = 0
    requested: int | None = None
    accepted: int | None = None
    answered: int | None = None
    abandoned: int | None = None
    clocks: list = field(default_factory=list)
    responses: list = field(default_factory=list)
    data_r: list = field(default_factory=list)
    users: list = field(default_factory=list)

    @property
    def is_open(self):
        """Neither answered nor abandoned."""
        return self.answered is None and self.abandoned is None

    def __str__(self):
        kind = "write" if self.we else "read"
        answer = ",".join(sorted({response.name for response in self.responses})) or "nothing"
        return (f"{'exclusive ' if self.lock else ''}{kind} of {self.beats} beats "
                f"{self.burst.name} at {self.addr:#x}, id {self.id:#x}, requested at "
                f"{self.requested}, accepted at {self.accepted}, answered at {self.answered} "
                f"with {answer}")


def read_burst(addr, beats=1, **options):
    """A read of ``beats`` beats."""
    return Transaction(addr=addr, beats=beats, **options)


def write_burst(addr, data, strobes=None, **options):
    """A write of the words in ``data``, or of their byte lanes in ``strobes``."""
    data = list(data)
    return Transaction(addr=addr, we=True, beats=len(data), data=data, strobes=strobes, **options)


def is_error(response):
    """Whether a response is SLVERR or DECERR."""
    return Response(response) in (Response.SLVERR, Response.DECERR)


def places(transaction, word_bytes):
    """For each beat, the bus word that it is in and its byte lanes, as a bit mask."""
    size = 1 << transaction.size
    addr, aligned = transaction.addr, transaction.addr // size * size
    found = []
    for beat in range(transaction.beats):
        at = addr if beat == 0 else aligned + beat * size
        if transaction.burst is Burst.FIXED:
            at = addr
        elif transaction.burst is Burst.WRAP:
            container = size * transaction.beats
            base = addr // container * container
            at = base + (addr - base + beat * size) % container
        end = at // size * size + size
        lanes = (1 << end - at) - 1 << at % word_bytes
        found.append((at // word_bytes, lanes & (1 << word_bytes) - 1))
    return found


def faults(transaction, word_bytes, addr_width=64):
    """What a request's address channel does that AXI4 forbids: pairs of rule and text."""
    beats, size, burst = transaction.beats, 1 << transaction.size, transaction.burst
    addr, found = transaction.addr, []
    if size > word_bytes:
        found.append(("size", f"beats of {size} bytes on a bus of {word_bytes}"))
    if not 0 <= addr < 1 << addr_width:
        found.append(("address", f"{addr:#x} does not fit {addr_width} bits"))
    if not 1 <= beats <= (256 if burst is Burst.INCR else 16):
        found.append(("length", f"{burst.name} of {beats} beats"))
    if burst is Burst.WRAP:
        if beats not in (2, 4, 8, 16):
            found.append(("wrap", f"WRAP of {beats} beats"))
        if addr % size:
            found.append(("wrap", f"WRAP at {addr:#x}, not aligned to {size} bytes"))
    last = addr // size * size + beats * size - 1
    if burst is Burst.INCR and addr >> 12 != last >> 12:
        found.append(("4 KiB", f"a burst from {addr:#x} to {last:#x} crosses a 4 KiB boundary"))
    if not transaction.cache & 2 and transaction.cache & 12:
        found.append(("cache", f"cache {transaction.cache:#06b} is reserved"))
    if transaction.lock:
        total = beats * size
        if total > 128 or beats > 16 or total & total - 1:
            found.append(("exclusive", f"an exclusive access of {beats} beats, {total} bytes"))
        elif addr % total:
            found.append(("exclusive", f"an exclusive access of {total} bytes at {addr:#x}, not "
                                       f"aligned to its size"))
    return found
