"""What always holds between the memory's queue of answers, the arbiter and the gate."""

from amaranth.hdl import Mux

from .inside import Fact, Part, count

__all__ = ["BusInside"]


class BusInside(Part):
    """What is in flight, as the arbiter, its three initiators and the memory count it.

    Parameters
    ----------
    queue, length
        The memory's answers that are due, oldest first, and how many there are.
    """

    def __init__(self, m, signals, queue, length):
        super().__init__(m, signals, "bus.arbiter")
        self._gate = Part(m, signals, "bus.gate")
        self._queue, self._length = queue, length
        # The newest is counted a clock later
        self._in_flight = self.let("all_in_flight", self["in_flight"] + self["newest"])
        self._gate_in_flight = self.let("gate_in_flight",
                                        self._gate["in_flight"] + self._gate["newest"])
        owners, after = self.words("owners"), self["after"]
        self._owners = [self["home"], *(
            Mux(self["newest"] & (self["in_flight"] == k), self["of_newest"],
                owners[(after + k - 1)[:len(after)]]) for k in range(1, len(queue)))]
        self._owner = [[self.let(f"entry{k}_is_{index}",
                                 (self._in_flight > k) & (owner == index))
                        for index in range(3)] for k, owner in enumerate(self._owners)]

    def owned(self, owner):
        """How many answers are due to an initiator."""
        return count(is_owned[owner] for is_owned in self._owner)

    def entries(self, owner):
        """Of each entry: it is the initiator's, the entry, how many of its are older."""
        for k, entry in enumerate(self._queue):
            yield (self._owner[k][owner], entry,
                   count(is_owned[owner] for is_owned in self._owner[:k]))

    def holds(self, buffer, reader, *, gave_up, withdrawn):
        """All count the same; an abort is the arbiter's alone to answer."""
        length, aborting, in_flight = self._length, self["aborting"], self._in_flight
        yield Fact((in_flight == length) | aborting & (length == 0), "in flight: another count")
        yield Fact(in_flight <= len(self._queue), "too many in flight")
        older, depth = self["in_flight"], len(self._queue)
        yield Fact((self["put__addr"] - self["after"] + 1)[:len(self["put__addr"])]
                     == older[:len(self["put__addr"])], "owners: another count")
        yield Fact(self["older"] == (older != 0), "older")
        yield Fact(self["full"] == (older == depth), "full")
        yield Fact(self["nearly"] == (older == depth - 1), "nearly full")
        for k, owner in enumerate(self._owners):
            yield Fact((in_flight <= k) | (owner != 3), "nobody's answer")
        yield Fact(self.owned(0) == self._gate_in_flight, "the gate's answers")
        yield Fact(self.owned(1) + reader["read__valid"] + withdrawn == buffer.unread, "reads")
        yield Fact(~withdrawn | gave_up & ~reader["read__valid"], "withdrawn, and goes on")
        yield Fact(self.owned(2) == buffer.writing, "writes")
        yield Fact(~aborting | gave_up, "an abort without a timeout")
        yield Fact(~gave_up | aborting | (self.owned(1) == 0) & (self.owned(2) == 0)
                   & ~reader["read__valid"] & ~buffer["write__valid"], "not given up")

    def answers(self, owed, owed_length):
        """What the initiator is owed is what the memory owes the gate."""
        flushing, refusing = (self._gate[name] for name in ("flushing", "_refusing"))
        in_flight = self._gate_in_flight
        yield Fact(~flushing | (in_flight != 0) & ~refusing, "flushing nothing")
        yield Fact(~refusing | (in_flight == 0) & (owed_length == 1) & owed[0].fails,
                     "refusing")
        yield Fact(~flushing | (owed_length == 0), "owed of a cycle that was given up")
        yield Fact(flushing | refusing | (owed_length == in_flight), "owed: another count")
        for is_owned, entry, older in self.entries(0):
            for index, mine in enumerate(owed):
                same = (mine.fails == entry.fails) & (
                    ~mine.known | entry.known & (mine.value == entry.value))
                same = Mux(self._length != 0, same, mine.fails)
                yield Fact(~(is_owned & (older == index)) | flushing | same, "another answer")
