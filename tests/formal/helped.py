"""The contract of the core together with what makes it provable one clock at a time."""

from amaranth.hdl import Array, Cat, Mux
from amaranth.lib import data
from memsnap.control import State
from memsnap.params import Release
from memsnap.ranges import beat_layout

from .inside import Fact, Part, look_inside
from .inside_buffer import BufferInside
from .inside_bus import BusInside
from .inside_jobs import JobsInside, MapInside
from .inside_reader import ReaderInside
from .whole import WholeSpec

__all__ = ["HelpedSpec"]


class HelpedSpec(WholeSpec):
    """:class:`WholeSpec`, with asserts on what lies inside, which are proved like the rest.

    All of them together hold after a reset, and after each clock if they held before it; so they
    hold for any number of clocks. Each says something about the state alone.
    """

    def elaborate(self, platform):
        self._core_fragment, signals = look_inside(self._core)
        self._inside = signals
        m = super().elaborate(platform)
        params = self._params
        self._m, self._signals = m, signals
        self._buffer = BufferInside(m, signals, params)
        self._reader = ReaderInside(m, signals, params)
        self._map = MapInside(m, signals, params)
        self._jobs = JobsInside(m, signals, params)
        self._bus = BusInside(m, signals, self._queue, self._length)
        self._gate = Part(m, signals, "bus.gate")
        control = self._core.control
        let = self._gate.let
        self._active = self._core.trace.active
        self._stopping = let("stopping", control.state == State.STOPPING)
        buffer, reader, map_, jobs, bus = (self._buffer, self._reader, self._map, self._jobs,
                                           self._bus)
        facts = [
            *self._life(control),
            *bus.holds(buffer, reader, gave_up=signals["lifecycle._gave_up"],
                       withdrawn=signals["copier.withdrawn"]),
            *bus.answers(self._owed, self._owed_length),
            *buffer.holds(self._stopping, signals["error"]),
            *reader.holds(buffer),
            *reader.run(buffer),
            *map_.holds(),
            *jobs.holds(map_),
            *self._read_jobs(),
        ]
        active = [
            *self._join(),
            *jobs.decisions(map_, jobs["probed"]),
            *self._beat(),
            *self._grants(),
        ]
        m.d.sync += [fact.as_assert() for fact in facts]
        m.d.sync += [fact.as_assert(only_if=self._active) for fact in active]
        return m

    def _in(self, *states):
        return Cat(self._core.control.state == state for state in states).any()

    def _life(self, control):
        """The states, and that nothing goes on outside of a snapshot."""
        lifecycle = Part(self._m, self._signals, "lifecycle")
        running = self._in(State.INITIAL, State.BACKGROUND, State.DRAINING)
        done = control.state == State.DONE
        at_rest = (self._buffer.empty() & self._reader.empty() & self._jobs.empty())
        map_, gate = self._map, self._gate
        sweeping = map_["sweeping"] | self._reader["sweeping"]
        arming = self._in(State.ARMING)
        none, full = map_["count"] == 0, map_["count"] == self._params.blocks
        silence = Part(self._m, self._signals, "lifecycle.silence0")
        yield Fact((silence["clocks"] != 0) | silence["far"], "a clock that does not count")
        was_silent, below = silence["was_on"], silence["below"]
        yield Fact(lifecycle["locked"] == (arming | running | self._stopping), "locked")
        yield Fact(~was_silent[0] | self._was_locked, "silent, and not locked")
        yield Fact(~(was_silent[0] & below[0]) | self._timed, "below no limit")
        reaches = Mux(was_silent[1], below[1], self.timeout[0])
        yield Fact(~was_silent[0] | below[0] | ~reaches | self._timed, "over without a limit")
        yield Fact(self._active == running, "active")
        yield Fact(control.done == done, "done")
        yield Fact(~(control.failed | control.cancelled)
                     | self._in(State.CLEARING, State.IDLE), "a result goes on")
        yield Fact(~lifecycle["_gave_up"] | self._stopping, "given up, and goes on")
        yield Fact(lifecycle["stop"] == self._stopping, "stop")
        settled = lifecycle["settled"]
        busy = ((self._buffer.unread != self._signals["copier.withdrawn"])
                | (self._buffer.writing != 0) | self._buffer["write__valid"])
        yield Fact(~self._signals["error"] | running | self._stopping, "an error at rest")
        yield Fact((settled == 0) | self._stopping, "settled, and goes on")
        yield Fact((settled != 1) | lifecycle["was_busy"] | ~busy, "settled, but busy")
        yield Fact((settled < 2) | ~busy, "settled, but busy")
        yield Fact(running | self._stopping | at_rest, "not at rest")
        yield Fact(~running | self._was_active | at_rest, "not at rest at the instant")
        yield Fact(~self._first | self._in(State.CLEARING), "the first clock")
        policy = Cat(control.failure, control.hold_io, control.retries)
        yield Fact(self._first | (lifecycle["impossible"] == policy.any()), "another policy")
        yield Fact(~(arming | running) | ~control.failure.as_value(), "a policy that is refused")
        yield Fact(gate["denied"] == self._denied, "reads denied")
        yield Fact(~sweeping | self._in(State.CLEARING), "sweeping")
        restarts = self._signals["restart"]
        yield Fact(~arming | none | restarts & full, "a map that is not empty")
        yield Fact(~restarts | arming, "restarts, and goes on")
        if self._params.map_latency > 1:
            yield from self._window(there=self._active | done, nearly=arming, restarts=restarts)
        yield Fact(~self._in(State.CLEARING) | map_["sweeping"] | none, "a map not swept")
        yield Fact(~self._in(State.IDLE) | none | full, "a map in between")
        yield Fact(~done | full, "done before all is copied")
        yield Fact(~arming | ~self._was_active & ~gate["ask__valid"] & ~gate["granted_valid"]
                     & ~gate["row_known"] & self._jobs.picking & ~self._jobs["securing"],
                     "not ready for the instant")
        yield Fact(~(running & ~self._was_active) | self._jobs.picking & none
                     & ~self._jobs["securing"]
                     & ~gate["ask__valid"] & ~gate["granted_valid"] & ~gate["row_known"],
                     "not ready at the instant")

    def _window(self, *, there, nearly, restarts):
        """What is read for software, on its way to a register and in it, errs on the safe side."""
        map_ = self._map
        shows = reversed(self._jobs["_shown"])
        rows = ((there | nearly, map_["scan_at"], map_.read),
                (there, map_["scanned_at"], map_["scan_data"]))
        for shown, asked, (there, at, row) in zip(shows, self._asked, rows, strict=True):
            yield Fact(~shown | (at == asked), "another row is shown")
            yield Fact(~there | at | (row & ~map_.bits == 0), "a row shows too much")
        yield Fact(~restarts | map_["scan_at"] | (map_.read == map_.bits), "restarts on the way")

    def _read_jobs(self):
        """What is read, and what ends, is of a job; also of one that is given up."""
        buffer, reader, jobs = self._buffer, self._reader, self._jobs
        for j in range(self._params.jobs):
            left = reader.left[j]
            yield Fact((left == 0) | jobs.busy[j], "reads for no job")
            yield Fact(~(jobs.busy[j] & jobs.copied[j]) | (left == 0), "copied, but not read")
            yield Fact(~Cat(buffer.ends_of(j)).any() | self._read(j), "an end without a job")

    def _read(self, j):
        """Whether all of the job was read, and it is not said to be copied."""
        return self._jobs.busy[j] & (self._reader.left[j] == 0) & ~self._jobs.copied[j]

    def _join(self):
        """Reader, buffer and table mean the same jobs."""
        buffer, reader, jobs = self._buffer, self._reader, self._jobs
        for j in range(self._params.jobs):
            ends = buffer.ends_of(j)
            left = reader.left[j]
            yield Fact((left == 0) | (jobs.block[j] == reader.block[j]), "another block")
            # A job whose last write failed goes on until the error is told
            yield Fact(~self._read(j) | Cat(ends).any() | self._signals["error"],
                       "a job without an end")
            yield Fact(~(jobs.busy[j] & jobs.captured[j]) | (left == 0)
                         & ~Cat(end & ~captured for end, captured
                                in zip(ends, buffer.captured, strict=True)).any(), "captured")
        for slot, place in enumerate(buffer.places):
            owners = []
            for j in range(self._params.jobs):
                before_end = Cat(end & (buffer.age[slot] <= age) for end, age in zip(
                    buffer.ends_of(j), buffer.age, strict=True)).any()
                owners.append(jobs.busy[j] & (jobs.block[j] == place.block)
                              & ~jobs.copied[j] & ((reader.left[j] != 0) | before_end))
            yield Fact(~buffer.used[slot] | Cat(owners).any(), "a beat of no job")

    def _beat(self):
        """The symbolic beat on its way."""
        params = self._params
        buffer, reader, map_, jobs = self._buffer, self._reader, self._map, self._jobs
        let = buffer.let
        beat, block = self.beat[:params.beat_bits], self.beat[params.beat_bits:]
        mine = [let(f"mine{slot}", used & (place.as_value() == self.beat))
                for slot, (used, place) in enumerate(zip(buffer.used, buffer.places, strict=True))]
        mapped = let("mapped", map_.copied(block))
        here = [let(f"here{j}", jobs.busy[j] & (jobs.block[j] == block))
                for j in range(params.jobs)]
        issued = let("is_issued", mapped | Cat(
            here[j] & reader.issued(j, beat) for j in range(params.jobs)).any())
        asked = self._reader["read__valid"] & (reader["read__payload"] == self.beat)
        is_read = let("is_read", issued & ~asked)
        captured = let("is_captured", issued & ~Cat(
            each & ~done for each, done in zip(mine, buffer.captured, strict=True)).any())
        taken = let("is_taken", issued & ~Cat(
            each & ~done for each, done in zip(mine, buffer.taken, strict=True)).any())
        self._is_captured, self._issued, self._mine = captured, issued, mine
        image = self._image

        yield Fact(sum(mine) <= 1, "two slots")
        yield Fact(~Cat(mine).any() | issued, "a slot, but not issued")
        yield Fact(is_read | (self._memory_value == image), "written before it is read")
        for slot, each in enumerate(mine):
            yield Fact(~(each & buffer.captured[slot]) | (buffer.beats[slot] == image),
                         "another value is captured")
        places = Array(place.as_value() for place in buffer.places)
        size = len(buffer["read"])
        for is_read_entry, entry, older in self._bus.entries(1):
            place = places[(buffer["read"] + older)[:size]]
            yield Fact(~is_read_entry | (entry.mine == (place == self.beat)), "another read")
            yield Fact(~(is_read_entry & entry.mine) | entry.known & (entry.value == image),
                         "another value is read")
        fails = Cat(is_write & entry.fails
                    & (places[(buffer["answered"] + older)[:size]] == self.beat)
                    for is_write, entry, older in self._bus.entries(2)).any()
        stored = self._shadow_value == image
        # An error is told a clock after its answer, and ends the snapshot in the next
        yield Fact(~taken | fails | self._signals["error"] | stored, "another value is stored")
        yield Fact(~mapped | stored, "in the map, not stored")
        yield Fact(~Cat(here[j] & jobs.copied[j] for j in range(params.jobs)).any() | stored,
                   "copied, not stored")
        yield Fact(~self._copied | mapped, "copied, not in the map")
        yield from self._run(here, captured)

    def _run(self, here, captured):
        reader, buffer = self._reader, self._buffer
        mine = Array(self._mine)
        run_here = Array(here)[reader["job"]]
        yield from reader.run_holds(
            buffer, here=run_here, beat=self.beat[:self._params.beat_bits],
            slot_of=lambda slot: mine[slot] & ~Array(buffer.captured)[slot], captured=captured)

    def _grants(self):
        """What is granted, or about to be, is captured."""
        params = self._params
        buffer, reader, map_, jobs, gate = (self._buffer, self._reader, self._map, self._jobs,
                                            self._gate)
        layout = beat_layout(params)
        block = self.beat[params.beat_bits:]
        granted = data.View(layout, gate["granted"])
        phase = map_["phase"].replicate(len(map_.bits))
        known = map_["look_raw"] ^ phase
        yield Fact(~(gate["granted_valid"] & (granted.block == block)
                     & (gate["granted_whole"] | (granted.as_value() == self.beat)))
                   | self._is_captured, "granted, not captured")
        yield Fact(~gate["row_known"] | (known & ~map_.bits == 0), "a row shows too much")
        if params.map_latency > 1:
            coming = map_["ram.read1"] ^ phase
            yield Fact(gate["there"] == map_["look_there"], "a row that does not come")
            yield Fact(~gate["there"] | (coming & ~map_.bits == 0), "a row will show too much")

        ask = data.View(layout, gate["ask__payload"])
        job, due = reader["now"], reader["due0"]
        wanted = reader.beat[job]
        secure, pending = jobs["securing"], reader["pending"]
        old = Mux(gate["was_active"], gate["left"], gate["in_flight"] + gate["newest"])
        yield Fact(gate["drained"] == (old == 0), "drained")
        yield Fact(jobs.picking & ~secure | (old == 0), "not drained")
        yield Fact(~(jobs.asking | secure) | gate["ask__valid"], "nobody asks")
        yield Fact(~(jobs.asking & secure), "asked for twice")
        yield Fact(~jobs.asking | (ask.block == jobs["probed"]), "another block is asked for")
        distance = (ask.beat - reader["first"])[:len(reader["distance"])]
        yield Fact(~jobs.asked | reader["new"] | (reader["distance"] == distance),
                   "another beat is checked")
        yield Fact(~pending | jobs.busy[job] & ~jobs.copied[job], "wanted of no job")
        if params.release is Release.CAPTURED:
            yield Fact(~pending | secure & (jobs.block[job] == ask.block) & (wanted == ask.beat),
                       "another beat is being secured")
        coming = Cat(each & ((slot - buffer["read"])[:len(buffer["read"])] < due)
                     for slot, each in enumerate(self._mine)).any()
        yield Fact(~(secure & ~pending & (ask.as_value() == self.beat))
                   | self._issued & (self._is_captured | coming), "not under way")
        yield Fact(~secure | pending | (due <= buffer.unread), "due")
