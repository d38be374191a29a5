"""The rules of AXI4, for a specification to assume of one side and to assert of the other.

Those of :class:`memsnap_sim.kit.axi4_protocol.Axi4Checker` that a component between two sides could
break. Where a rule is about one transaction, one that is picked at will stands for all.
"""

from amaranth.hdl import Cat, Mux, Signal
from memsnap.bus.axi4 import Burst, Response

from .past import past
from .rules import Rules

__all__ = ["Axi4Rules", "BurstAddresses"]

_PAGE_BITS = 12


class BurstAddresses:
    """Where the transfers of a burst are, in the words of the standard (A3.4.1).

    Parameters
    ----------
    bus : AXI4 interface
    channel : str
        ``"aw"`` or ``"ar"``.

    Attributes
    ----------
    low, high : Value
        The lowest and the highest byte that a legal burst touches.
    legal : Value
        The standard allows the burst.
    """

    def __init__(self, bus, channel):
        self._start, self._length, size, burst = (
            getattr(bus, channel + name) for name in ("addr", "len", "size", "burst"))
        start, length = self._start, self._length
        shift = (len(bus.wstrb) - 1).bit_length()
        self._narrow = size[:shift.bit_length()]
        self._wraps, self._goes_on = burst == Burst.WRAP, burst == Burst.INCR
        number_bytes = 1 << self._narrow
        self._total_bytes = (length + 1) << self._narrow
        self._aligned_address = (start & ~(number_bytes - 1))[:len(start)]
        self._wrap_boundary = (start & ~(self._total_bytes - 1))[:len(start)]
        last = self._aligned_address + Mux(self._goes_on, length << self._narrow, 0)
        self.low = Mux(self._wraps, self._wrap_boundary, start)
        self.high = Mux(self._wraps, self._wrap_boundary + self._total_bytes,
                        last + number_bytes) - 1
        self.legal = (
            (size <= shift) & (burst.as_value() != 3)
            & (self._goes_on | (length < 16))
            & (~self._wraps | Cat(length == each for each in (1, 3, 7, 15)).any()
               & (start == self._aligned_address))
            & (~self._goes_on | (self.high[_PAGE_BITS:] == start[_PAGE_BITS:])))

    def of(self, index):
        """The address of a transfer; the first has index 0."""
        after = self._aligned_address + (index << self._narrow)
        end = self._wrap_boundary + self._total_bytes
        address = Mux((index == 0) | ~(self._wraps | self._goes_on), self._start,
                      Mux(self._wraps & (after >= end), after - self._total_bytes, after))
        return address[:len(self._start)]


class Axi4Rules(Rules):
    """The rules on one bus.

    Parameters
    ----------
    m : Module
        Where the monitor goes.
    bus : AXI4 interface
    name : str
        How the messages call the bus.
    most : int
        Transactions of a direction without an answer that it must count.
    id : Value
        Of the write and the read that are followed; always the same.
    picks : dict of str to Value
        By address channel: if what is offered for the first time in this clock has such an id, it
        is followed to its end.

    Attributes
    ----------
    taken : dict of str to Signal
        By channel: something is transferred in this clock.
    comes : dict of str to Signal
        By address channel: an address is on offer that was not in the clock before.
    write, read
        What is followed, see :class:`_Followed`.
    due : Signal
        Writes whose address was offered, and whose last data was not transferred.
    owed : dict of str to Signal
        By address channel: transactions whose address was taken, and that are not answered.
    complete : Signal
        Writes of these whose data was transferred.
    manager : dict of str to Value
        What a manager keeps to, by its message: ``steady``: what is not taken stays as it is
        (A3.2.1); ``reset``: nothing is valid in the first clock (A3.1.2); ``burst``: it is legal
        (A3.4.1); ``last``: with the last data of a write, and with no other (A3.4.2).
    subordinate : dict of str to Value
        What a subordinate keeps to: ``steady``, ``reset`` and ``last`` likewise; ``answer``: only
        to what is open, to a write when all of it was taken (A3.3.1), in order for each id (A5.3);
        ``exokay``: only to exclusive accesses (A3.4.4).
    """

    def __init__(self, m, bus, *, name, most, id, picks):
        self._m, self._bus, self._name, self._most, self._id = m, bus, name, most, id
        self.taken = {channel: self._let(f"{channel}_taken", valid & ready)
                      for channel, (valid, ready) in self._handshakes("aw", "w", "b", "ar", "r")}
        self.comes = {channel: self._let(f"{channel}_comes", valid & ~past(m, valid & ~ready))
                      for channel, (valid, ready) in self._handshakes("aw", "ar")}
        begun = Signal(name=f"{name}_begun")
        m.d.sync += begun.eq(1)
        self.manager = {
            **{f"{name} {channel} steady": self._steady(channel) for channel in ("aw", "w", "ar")},
            **{f"{name} {channel} burst": ~valid | BurstAddresses(bus, channel).legal
               for channel, (valid, _) in self._handshakes("aw", "ar")},
            f"{name} reset": begun | ~(bus.awvalid | bus.wvalid | bus.arvalid),
        }
        self.subordinate = {
            **{f"{name} {channel} steady": self._steady(channel) for channel in ("b", "r")},
            f"{name} reset": begun | ~(bus.bvalid | bus.rvalid),
        }
        ends = self.taken["w"] & bus.wlast
        self.due = self._count("due", self.comes["aw"], ends)
        self.owed = {"aw": self._count("owed_writes", self.taken["aw"], self.taken["b"]),
                     "ar": self._count("owed_reads", self.taken["ar"],
                                       self.taken["r"] & bus.rlast)}
        # The last data may come before its address is taken
        ended = self._count("ended", ends, self.taken["b"])
        self.complete = self._let("complete", Mux(ended < self.owed["aw"], ended, self.owed["aw"]))
        self._write(picks["aw"])
        self._read(picks["ar"])

    def _write(self, pick):
        """Follows a write through its data."""
        m, bus, name = self._m, self._bus, self._name
        self.write = write = self._follow("aw", "b", pick)
        before = Signal.like(self.due, name=f"{name}_write_before")     # data of others before its
        done = Signal(name=f"{name}_write_done")                        # all of it is transferred
        now_before = Mux(write.follows, before, self.due)
        data = self._let("write_data", self.taken["w"] & (now_before == 0)
                         & (write.begins | write.follows & ~done))
        left = self._beats_left("write", write, bus.awlen, data)
        m.d.sync += [
            before.eq(now_before - (self.taken["w"] & bus.wlast & (now_before != 0))),
            done.eq(write.follows & done | data & bus.wlast),
        ]
        self.manager[f"{name} w last"] = ~data | (bus.wlast == (left == 0))
        self.subordinate |= {
            f"{name} b answer": ~bus.bvalid | (self.complete != 0) & write.is_open & (
                ~write.answered | done),
            f"{name} b exokay": ~write.answered | write.lock | (bus.bresp != Response.EXOKAY),
        }

    def _read(self, pick):
        """Follows a read through its data."""
        bus, name = self._bus, self._name
        self.read = read = self._follow("ar", "r", pick)
        left = self._beats_left("read", read, bus.arlen, read.answered & bus.rready)
        self.subordinate |= {
            f"{name} r answer": ~bus.rvalid | read.is_open,
            f"{name} r last": ~read.answered | (bus.rlast == (left == 0)),
            f"{name} r exokay": ~read.answered | read.lock | (bus.rresp != Response.EXOKAY),
        }

    def _follow(self, address, answer, pick):
        last = getattr(self._bus, f"{answer}last", 1)
        return _Followed(
            self._m, self._bus, address, answer, name=f"{self._name}_{address}", id=self._id,
            owed=self.owed[address], pick=pick & self.comes[address], taken=self.taken[address],
            ends=self.taken[answer] & last)

    def _beats_left(self, what, followed, length, beat):
        """Beats behind the one that comes next, or is on its way."""
        left = Signal.like(length, name=f"{self._name}_{what}_left")
        now = self._let(f"{what}_now_left", Mux(followed.follows, left, length))
        self._m.d.sync += left.eq(now - beat)
        return now

    def _handshakes(self, *channels):
        for channel in channels:
            yield channel, tuple(getattr(self._bus, channel + name) for name in ("valid", "ready"))

    def _let(self, name, value):
        signal = Signal.like(value, name=f"{self._name}_{name}")
        self._m.d.comb += signal.eq(value)
        return signal

    def _count(self, name, more, less):
        count = Signal(range(self._most + 2), name=f"{self._name}_{name}")
        self._m.d.sync += count.eq(count + more - less)
        return count

    def _steady(self, channel):
        (_, (valid, ready)), = self._handshakes(channel)
        payload = Cat(getattr(self._bus, name) for name in self._bus.signature.members
                      if name.startswith(channel) and not name.endswith(("valid", "ready")))
        return ~past(self._m, valid & ~ready) | valid & (payload == past(self._m, payload))


class _Followed:
    """One transaction, from the clock in which its address is first on offer to its last answer.

    Attributes
    ----------
    begins : Signal
        It is that clock.
    follows : Signal
        It was an earlier one.
    here : Signal
        Its address is on offer.
    is_open : Value
        Of the id on the answer channel, or if it is not the one that is followed, of any other,
        something is open.
    answered : Signal
        An answer to it is on offer.
    lock : Signal
        It is an exclusive access.
    """

    def __init__(self, m, bus, address, answer, *, name, id, owed, pick, taken, ends):
        def signal(text):
            return Signal(name=f"{name}_{text}")

        address_id, answer_id = getattr(bus, f"{address}id"), getattr(bus, f"{answer}id")
        self.begins, self.follows, self.here, self.answered, self.lock = (
            signal(text) for text in ("begins", "follows", "here", "answered", "lock"))
        accepted = signal("accepted")
        mine = Signal.like(owed, name=f"{name}_mine")           # open ones of this id
        ahead = Signal.like(mine, name=f"{name}_ahead")         # of these, before it
        ends_mine = ends & (answer_id == id)
        m.d.comb += [
            self.begins.eq(pick & (address_id == id) & ~self.follows),
            self.here.eq(self.begins | self.follows & ~accepted),
            self.answered.eq(accepted & (ahead == 0) & getattr(bus, f"{answer}valid")
                             & (answer_id == id)),
        ]
        self.is_open = Mux(answer_id == id, mine != 0, mine != owed)
        over = ends_mine & accepted & (ahead == 0)
        m.d.sync += [
            mine.eq(mine + (taken & (address_id == id)) - ends_mine),
            self.follows.eq((self.begins | self.follows) & ~over),
            accepted.eq((accepted | self.here & taken) & ~over),
            ahead.eq(Mux(accepted, ahead, mine) - ends_mine),
        ]
        with m.If(self.begins):
            m.d.sync += self.lock.eq(getattr(bus, f"{address}lock"))
