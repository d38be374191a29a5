"""What always holds in the half of the copier that reads."""

from amaranth.hdl import Array, Cat, Mux
from amaranth.lib import data
from memsnap.copy_reader import walk_layout

from .inside import Fact, Part, count

__all__ = ["ReaderInside", "walks_of"]


def walks_of(signals, params):
    """Of each job: how many beats it has left, the beat it is at, and whether it was visited."""
    layout, jobs = walk_layout(params), range(params.jobs)
    now, hand = signals["now"], data.View(layout, signals["at_hand"])
    walks = [data.View(layout, signals[f"walks[{job}]"]) for job in jobs]
    left = [Mux(now == job, Mux(signals["more"], hand.left, 0),
                Mux(signals["reading"][job], walks[job].left, 0)) for job in jobs]
    beat = [Mux(now == job, hand.beat, walks[job].beat) for job in jobs]
    visited = [Mux(now == job, hand.visited, walks[job].visited) for job in jobs]
    return left, beat, visited


class ReaderInside(Part):
    """The jobs' circles, the notes of the beats that were read, and what is said of them.

    Attributes
    ----------
    left, block : Array
        Of each job.
    noted : list of list of Value
        For each job and beat: a note says that it was read.
    """

    def __init__(self, m, signals, params):
        super().__init__(m, signals, "copier.reader")
        self._jobs = jobs = params.jobs
        self._beats = beats = params.block_beats
        self._deep = params.deep_notes
        self.block = self.words("blocks")
        self.left, self.beat, self.visited = (Array(each) for each in walks_of(self, params))
        words = [Mux(self["set_note__en"] & (self["set_note__addr"] == index),
                     self["set_note__data"], word)
                 for index, word in enumerate(self.words("notes"))]
        # What is written in the next clock counts as written
        self._phases = [Mux(self["set_phase__en"] & (self["set_phase__addr"] == j),
                            self["set_phase__data"], phase)
                        for j, phase in enumerate(self.words("phases"))]
        self.noted = [Array(self.let(f"noted{j}_{k}", words[j * beats + k] ^ self._phases[j])
                            for k in range(beats)) for j in range(jobs)]
        self._words = words

    def empty(self):
        """Nothing to read."""
        return (~Cat(left != 0 for left in self.left).any() & ~self["read__valid"]
                & ~self["pending"])

    def holds(self, buffer):
        yield from self._notes()
        other, now = self["other"], self["now"]
        yield Fact(~self["chosen"] | self["moved"]
                   | self["reading"].bit_select(other, 1) & (other != now), "no other job")
        request = self["read__payload"]
        yield Fact(~self["read__valid"] | (buffer.unread != 0), "a request without a slot")
        for slot, place in enumerate(buffer.places):
            newest = (self["read__valid"]
                      & ((buffer["issued"] - 1)[:len(buffer["issued"])] == slot))
            yield Fact(~newest | (request == place.as_value()), "a request for another place")

    def _notes(self):
        """A note is set for each beat that was read of a job that has more to read."""
        sweeping, sweep, now = self["sweeping"], self["sweep"], self["now"]
        yield Fact(self["more"] == self["reading"].bit_select(now, 1), "more")
        for j in range(self._jobs):
            left = self.left[j]
            yield Fact(left <= self._beats, "left")
            yield Fact((left != 0) == self["reading"][j], "reading")
            yield Fact(sweeping | (count(self.noted[j])
                                     == Mux(left == 0, 0, self._beats - left)), "notes")
            # Without a visit the beats are read in order
            for k in range(self._beats):
                ahead = (self.beat[j] + k)[:len(self.beat[j])]
                yield Fact(sweeping | self.visited[j] | (left <= k) | ~self.noted[j][ahead],
                             "a beat is read twice")
        for index, word in enumerate(self._words):
            yield Fact(~(sweeping & (index < sweep)) | ~word, "not swept")
        for j, phase in enumerate(self._phases):
            yield Fact(~(sweeping & (sweep > j * self._beats)) | (phase == 0), "phase")
        yield Fact(sweeping | (sweep == 0), "sweep")
        at = Cat(self.beat[now], now)
        noted = Array(self._words)[at] ^ Array(self._phases)[now]
        reads = (self.left[now] != 0) & self.visited[now]
        yield Fact(~self["asked"] | (self["noted"] == noted) & reads, "another note")
        underway = self["set_note__en"] & (self["set_note__addr"] == at)
        if self._deep:
            yield Fact(~(self["read"] & reads) | (self["shown"] == noted), "another note is read")
            yield Fact(~self["asked"] | ~self["read"] & ~self["set_note__en"], "too early")
            yield Fact(sweeping | ~reads | self["asked"] | self["read"] | ~underway,
                       "a note comes late")
            comes = self["set_note__addr"]
            job = comes[len(self.beat[now]):]
            yield Fact(sweeping | ~self["set_note__en"] | (self.left[job] == 0)
                       | Array(self._words)[comes] ^ Array(self._phases)[job], "no note comes")
        else:
            late = self["late"]
            yield Fact(~self["asked"]
                       | (self["phase_at_hand"] == Array(self._phases)[now]), "another phase")
            yield Fact(sweeping | ~reads | (underway == late[0]), "a note comes late")
            yield Fact(~(late[0] & reads) | noted, "no note comes")
        yield Fact(~self["set_phase__en"] | (self.left[self["set_phase__addr"]] == 0),
                     "another phase in the midst of a job")

    def issued(self, job, beat):
        """Whether the beat of the job's block was read, or is being read."""
        return (self.left[job] == 0) | self.noted[job][beat]

    def run(self, buffer):
        """The run of beats from the last visit on."""
        job, before = self["job"], self["before"]
        issued, captured = self._run_counts()
        pending = issued - captured
        yield Fact(captured <= issued, "run")
        yield Fact(issued <= self._beats, "run")
        yield Fact((before == 0) | (captured == 0), "run before")
        none = ~self["growing"] & (issued == 0)
        yield Fact(none | (before + pending <= buffer.unread), "run unread")
        noted = Array(self.noted)[job]
        for k in range(self._beats):
            beat = (self["first"] + k)[:len(self["first"])]
            yield Fact((self.left[job] == 0) | (issued <= k) | noted[beat], "run not noted")
        yield Fact((self.left[job] == 0) | (issued + self.left[job] <= self._beats), "run length")
        grows = self["growing"] & (self.left[job] != 0)
        yield Fact(~grows | (self["now"] == job) & (before + pending == buffer.unread)
                     & (self.beat[job] == (self["first"] + issued)[:len(self["first"])]),
                     "run grows")

    def _run_counts(self):
        """How many beats of the run are issued, and captured: of a new one, none."""
        return [Mux(self["new"], 0, self[name]) for name in ("issued", "captured")]

    def run_holds(self, buffer, *, here, beat, slot_of, captured):
        """What the run says of a beat of its block is true."""
        distance = (beat - self["first"])[:len(self["first"])]
        issued_beats, captured_beats = self._run_counts()
        issued = here & (distance < issued_beats)
        is_captured = distance < captured_beats
        slot = (buffer["read"] + self["before"] + distance - captured_beats)
        yield Fact(~(issued & is_captured) | captured, "run captured")
        yield Fact(~(issued & ~is_captured) | slot_of(slot[:len(buffer["read"])]), "run issued")
