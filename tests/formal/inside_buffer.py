"""What always holds in the copier's buffer."""

from amaranth.lib import data
from memsnap.ranges import beat_layout

from .inside import Fact, Part, any_of, count

__all__ = ["BufferInside"]


class BufferInside(Part):
    """The ring of beats.

    Attributes
    ----------
    used, captured, taken : list of Value
        For each slot: it holds a beat on its way; that has been read; the shadow has taken it.
    age : list of Value
        For each slot: how many are older.
    owners : list of View
        For each slot: whose job the beat is, and whether it is its last.
    """

    def __init__(self, m, signals, params):
        super().__init__(m, signals, "copier.buffer")
        self._depth = depth = params.buffer_depth
        layout = beat_layout(params)
        self.places = [data.View(layout, word) for word in self.words("places")]
        self.beats = self.words("beats")
        issued, answered = self["issued"], self["answered"]
        self.unread, self.writing = self["unread"], self["writing"]
        self.unwritten = self.let("unwritten", depth - self["free"] - self.unread - self.writing)
        taken = self.writing
        captured = taken + self.unwritten
        used = captured + self.unread
        self.total = self.let("total", used)
        self.age = [self.let(f"age{s}", (s - answered)[:len(issued)]) for s in range(depth)]
        self.used = [self.let(f"used{s}", self.age[s] < used) for s in range(depth)]
        self.captured = [self.let(f"captured{s}", self.age[s] < captured) for s in range(depth)]
        self.taken = [self.let(f"taken{s}", self.age[s] < taken) for s in range(depth)]
        owner = data.StructLayout({"job": range(params.jobs), "last": 1})
        self.owners = [data.View(owner, word) for word in self.words("owners")]

    def holds(self, stopping, error):
        """Four pointers and their distances; a job has one last beat."""
        depth, bits = self._depth, len(self["issued"])
        yield Fact(self.unread + self.writing + self["free"] <= depth, "more beats than slots")
        yield Fact(self["room"] == (self["free"] != 0), "room")
        yield Fact(self["ample"] == (self["free"] > depth // 8), "ample")
        yield Fact((self["issued"] - self["read"])[:bits] == self.unread[:bits], "unread")
        yield Fact((self["read"] - self["answered"])[:bits]
                   == (self.unwritten + self.writing)[:bits], "unwritten")
        yield Fact(stopping | (
            (self["fetched"] - self["answered"])[:bits]
            == (self.writing + self["write__valid"])[:bits]), "fetched")
        yield from self._offer(stopping, error)
        for slot, owner in enumerate(self.owners):
            for other in range(slot):
                both = self.used[slot] & owner.last & self.used[other] & self.owners[other].last
                yield Fact(~both | (owner.job != self.owners[other].job), "two ends")

    def _offer(self, stopping, error):
        """What is on offer is the oldest beat that was read and not taken."""
        offer = self["write__valid"]
        shown = (self["answered"] + self.writing)[:len(self["answered"])]
        yield Fact(~offer | (self.unwritten != 0), "an offer of nothing")
        for slot, (place, beat) in enumerate(zip(self.places, self.beats, strict=True)):
            here = offer & (shown == slot)
            yield Fact(~here | (self["fetched_place"] == place.as_value()), "another place")
            yield Fact(~here | (self["fetched_beat"] == beat), "another beat")
        yield Fact(~self["erred"] | stopping | error, "a failure goes on")

    def ends_of(self, job):
        """For each slot, whether the beat is the last of the job."""
        return [used & owner.last & (owner.job == job)
                for used, owner in zip(self.used, self.owners, strict=True)]

    def empty(self):
        """Nothing on its way."""
        return (self.total == 0) & ~self["write__valid"]

    def others_differ(self, beat):
        """The place is in one slot at the most."""
        mine = [used & (place.as_value() == beat)
                for used, place in zip(self.used, self.places, strict=True)]
        yield Fact(count(mine) <= 1, "a beat in two slots")
        return any_of(mine)
