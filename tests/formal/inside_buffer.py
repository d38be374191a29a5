"""What always holds in the copier's buffer."""

from amaranth.hdl import Mux
from amaranth.lib import data
from memsnap.ranges import beat_layout

from .inside import Fact, Part, any_of, count

__all__ = ["BufferInside"]


class BufferInside(Part):
    """The ring of beats, and the queue of the slots that end a job.

    Attributes
    ----------
    used, captured, taken : list of Value
        For each slot: it holds a beat on its way; that has been read; the shadow has taken it.
    age : list of Value
        For each slot: how many are older.
    valid, waits : list of Value
        For each end of a job: its last write is not answered; its last read is not.
    """

    def __init__(self, m, signals, params):
        super().__init__(m, signals, "copier.buffer")
        self._depth = depth = params.buffer_depth
        self._jobs = jobs = params.jobs
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

        end = data.StructLayout({"slot": len(issued), "job": range(jobs)})
        self.ends = [data.View(end, word) for word in self.words("ends")]
        self.end_age = [self.let(f"end_age{k}", (end.slot - answered)[:len(issued)])
                        for k, end in enumerate(self.ends)]
        self._turn = [self.let(f"turn{k}", Mux(self["copy"] > k, k + jobs, k) - self["copy"])
                      for k in range(jobs)]
        captures = self["uncopied"] - self["uncaptured"]
        self.valid = [self.let(f"valid{k}", self._turn[k] < self["uncopied"])
                      for k in range(jobs)]
        self.waits = [self.let(f"waits{k}", self.valid[k] & (self._turn[k] >= captures))
                      for k in range(jobs)]

    def holds(self, stopping, error):
        """Four pointers and their distances; each end in its place."""
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
        yield from self._ends()

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

    def _ends(self):
        """The ends are in the order of their slots, each is a job's only one."""
        jobs = self._jobs
        uncopied, uncaptured = self["uncopied"], self["uncaptured"]
        yield Fact(uncopied <= jobs, "more ends than jobs")
        yield Fact(uncaptured <= uncopied, "copied before it is captured")
        for name, behind in ("copy", uncopied), ("capture", uncaptured):
            ahead = self[name] + behind
            yield Fact(self["put"] == Mux(ahead >= jobs, ahead - jobs, ahead), f"end of {name}")
        for k in range(jobs):
            slot = self.end_age[k]
            captured = slot < self.writing + self.unwritten
            yield Fact(~self.valid[k] | (slot < self.total), "an end without a beat")
            yield Fact(~self.valid[k] | (self.waits[k] == ~captured), "captured is another")
            for other in range(jobs):
                if other != k:
                    both = self.valid[k] & self.valid[other]
                    yield Fact(~both | (self.ends[k].job != self.ends[other].job), "two ends")
                    yield Fact(~(both & (self._turn[k] < self._turn[other]))
                                 | (slot < self.end_age[other]), "ends out of order")

    def ends_of(self, job):
        """For each end, whether it is that of the job."""
        return [self.valid[k] & (end.job == job) for k, end in enumerate(self.ends)]

    def empty(self):
        """Nothing on its way."""
        return (self.total == 0) & ~self["write__valid"] & (self["uncopied"] == 0)

    def others_differ(self, beat):
        """The place is in one slot at the most."""
        mine = [used & (place.as_value() == beat)
                for used, place in zip(self.used, self.places, strict=True)]
        yield Fact(count(mine) <= 1, "a beat in two slots")
        return any_of(mine)
