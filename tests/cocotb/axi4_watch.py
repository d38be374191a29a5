"""Observers of AXI4 buses, and what must be alike on both sides of the unit.

They look at nothing but the signals of the exported Verilog.
"""

from collections import deque
from dataclasses import dataclass, field

from clock import RuleError, level

__all__ = ["Axi4Watch", "Burst", "check_transparent", "touches"]

_ADDRESS = ("id", "addr", "len", "size", "burst", "lock", "cache", "prot", "qos", "region", "user")
_PAYLOADS = {"aw": _ADDRESS, "w": ("data", "strb", "last", "user"), "b": ("id", "resp", "user"),
             "ar": _ADDRESS, "r": ("id", "data", "resp", "last", "user")}
_SLVERR = 2
_FIXED, _INCR, _WRAP = range(3)


@dataclass
class Burst:
    """A transaction: when its address was taken, its address channel, its beats and its answer."""

    clock: int
    address: dict
    beats: list = field(default_factory=list)       # payloads of W, or of R
    times: list = field(default_factory=list)       # clocks of them
    answer: dict | None = None                      # payload of B
    answered: int = -1                              # its clock, or that of the last beat read

    def places(self, beat_bytes):
        """The first address of the bus word of each beat (A3.4.1)."""
        start, size = self.address["addr"], 1 << self.address["size"]
        count, kind = self.address["len"] + 1, self.address["burst"]
        aligned = start // size * size
        for index in range(count):
            place = start if index == 0 or kind == _FIXED else aligned + index * size
            if kind == _WRAP:
                low = start // (size * count) * (size * count)
                place = low + (aligned - low + index * size) % (size * count)
            yield place // beat_bytes * beat_bytes

    def __str__(self):
        return (f"burst of clock {self.clock} at {self.address['addr']:#x}, "
                f"{self.address['len'] + 1} x {1 << self.address['size']} bytes, "
                f"id {self.address['id']:#x}")


def touches(burst, beat_bytes, base, size):
    """Whether a burst's words are in a range, some of them."""
    return any(base < place + beat_bytes and place < base + size
               for place in burst.places(beat_bytes))


class Axi4Watch:
    """Watches a bus: what was transferred, and whether valid and payload hold until ready.

    Parameters
    ----------
    dut : handle
    name : str
        Such as ``m_axi``.
    downstream : bool
        The unit is the manager, and promises more: no data before its address is offered.

    Attributes
    ----------
    writes, reads : list of Burst
        In the order in which their addresses were taken.
    """

    def __init__(self, dut, name, *, downstream):
        self.name = name
        self.beat_bytes = len(getattr(dut, f"{name}_wdata")) // 8
        self._downstream = downstream
        self._pins = {}
        for channel, names in _PAYLOADS.items():
            pins = {each: getattr(dut, f"{name}_{channel}{each}", None)
                    for each in ("valid", "ready", *names)}
            self._pins[channel] = (pins.pop("valid"), pins.pop("ready"), {
                each: pin for each, pin in pins.items() if pin is not None})
        self.reset()

    def reset(self):
        self.writes, self.reads = [], []
        self._data = []                     # of each write: its beats, also before its address
        self._index = -1                    # the write whose data comes
        self._starts = True                 # the next beat is the first of its
        self._stalled = {}
        self._unanswered = {"w": {}, "r": {}}      # id: bursts, the oldest first
        self._offers = False                # an address of a write stands

    @property
    def waiting(self):
        """An initiator waits here."""
        return not self._downstream and not self.idle

    @property
    def idle(self):
        """Nothing is offered, and nothing is owed."""
        return not (self._stalled or any(queue for side in self._unanswered.values()
                                         for queue in side.values())
                    or len(self._data) != len(self.writes))

    def sample(self, clock):
        """One clock; whether anything was transferred."""
        moved = False
        for channel, (valid, ready, payload) in self._pins.items():
            is_valid, is_ready = level(valid, clock), level(ready, clock)
            if channel == "aw":
                self._offers = is_valid
            if not is_valid:
                if channel in self._stalled:
                    raise RuleError(f"{valid._name} fell before ready in clock {clock}")
                continue
            seen = {name: level(pin, clock) for name, pin in payload.items()}
            if self._stalled.pop(channel, seen) != seen:
                raise RuleError(f"{self.name}: {channel} changed before ready in clock {clock}")
            if is_ready:
                getattr(self, "_" + channel)(clock, seen)
                moved = True
            else:
                self._stalled[channel] = seen
        return moved

    def _aw(self, clock, seen):
        burst = Burst(clock, seen)
        index = len(self.writes)
        self.writes.append(burst)
        if index == len(self._data):
            self._data.append(([], []))
        burst.beats, burst.times = self._data[index]
        self._unanswered["w"].setdefault(seen["id"], deque()).append(burst)

    def _w(self, clock, seen):
        self._index += self._starts
        index = self._index
        if index == len(self._data):
            self._data.append(([], []))
        if self._downstream and index == len(self.writes) and not self._offers:
            raise RuleError(f"{self.name}: data without its address in clock {clock}")
        beats, times = self._data[index]
        beats.append(seen)
        times.append(clock)
        self._starts = bool(seen["last"])
        if index < len(self.writes):
            count = self.writes[index].address["len"] + 1
            if len(beats) > count or seen["last"] != (len(beats) == count):
                raise RuleError(f"{self.name}: wlast is {seen['last']} in beat {len(beats)} of the "
                                f"{self.writes[index]}")

    def _b(self, clock, seen):
        queue = self._unanswered["w"].get(seen["id"])
        if not queue:
            raise RuleError(f"{self.name}: an answer for id {seen['id']:#x} in clock {clock}, "
                            f"which owes none")
        burst = queue.popleft()
        if len(burst.beats) <= burst.address["len"]:
            raise RuleError(f"{self.name}: the {burst} is answered before its data")
        burst.answer, burst.answered = seen, clock

    def _ar(self, clock, seen):
        burst = Burst(clock, seen)
        self.reads.append(burst)
        self._unanswered["r"].setdefault(seen["id"], deque()).append(burst)

    def _r(self, clock, seen):
        queue = self._unanswered["r"].get(seen["id"])
        if not queue:
            raise RuleError(f"{self.name}: data for id {seen['id']:#x} in clock {clock}, which "
                            f"owes none")
        burst = queue[0]
        burst.beats.append(seen)
        burst.times.append(clock)
        if seen["last"] != (len(burst.beats) == burst.address["len"] + 1):
            raise RuleError(f"{self.name}: rlast is {seen['last']} in beat {len(burst.beats)} of "
                            f"the {burst}")
        if seen["last"]:
            burst.answered = clock
            queue.popleft()


def check_transparent(upstream, memory, *, id_width, may_refuse):
    """Raises :class:`RuleError` unless each port's bursts reached the memory as they were, in their
    order, and so came their answers; or were refused, where they may be.

    Parameters
    ----------
    upstream : list of Axi4Watch
    memory : Axi4Watch
    id_width : int
        Of ids upstream; at the memory the number of the port stands above.
    may_refuse : callable
        Whether a burst, and whether a write, may be answered with SLVERR instead.
    """
    for port, watch in enumerate(upstream):
        for kind, asked, all_reached in (("write", watch.writes, memory.writes),
                                         ("read", watch.reads, memory.reads)):
            reached = deque(each for each in all_reached if each.address["id"] >> id_width == port)
            for burst in asked:
                at_memory = reached[0] if reached else None
                if at_memory and _alike(burst, at_memory, port << id_width):
                    _check_answer(watch, kind, burst, reached.popleft(), port << id_width)
                elif not (may_refuse(burst, kind == "write") and _is_refused(burst, kind)):
                    raise RuleError(f"{watch.name}: the {kind} {burst} did not reach the memory; "
                                    f"next there is the {at_memory}")
            if reached:
                raise RuleError(f"{memory.name}: nobody asked for the {kind} {reached[0]}")


def _alike(burst, other, source):
    return {**burst.address, "id": burst.address["id"] | source} == other.address


def _is_refused(burst, kind):
    answers = [burst.answer] if kind == "write" else burst.beats
    return all(answer is not None and answer["resp"] == _SLVERR for answer in answers)


def _check_answer(watch, kind, burst, other, source):
    def own(answer):
        return {**answer, "id": answer["id"] | source}
    same = burst.beats == other.beats if kind == "write" else (
        [own(beat) for beat in burst.beats] == other.beats)
    if kind == "write":
        same = same and burst.answer is not None and own(burst.answer) == other.answer
    if not same:
        raise RuleError(f"{watch.name}: data or answers of the {kind} {burst} are not those of the "
                        f"memory")
    forward = [(burst.clock, other.clock)]
    back = [(burst.answered, other.answered)]
    (forward if kind == "write" else back).extend(zip(burst.times, other.times, strict=True))
    if any(there < here for here, there in forward) or any(here < there for here, there in back):
        raise RuleError(f"{watch.name}: something of the {kind} {burst} passed before it was there")
