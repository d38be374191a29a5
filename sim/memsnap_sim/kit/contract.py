"""The contract, decided from outside: from the memory's own port and the unit's registers.

The checker knows nothing of how the unit works. It is given what the memory held at first, every
access that the memory accepted, what each initiator asked and got, and what the registers said of
each snapshot; from these it plays the run again and decides C1, C2, C3, C5 and C7.
"""

from collections import Counter
from dataclasses import dataclass

from .matching import WishboneMatcher
from .memory import merge, words_of
from .violation import Violation

__all__ = ["ContractChecker", "SnapshotRecord"]

_FOREVER = 1 << 62


@dataclass
class SnapshotRecord:
    """What the outside knows of one snapshot. All clocks are counted from the start of the run.

    Parameters
    ----------
    requested : int
        The start, at the latest when its register write was answered or the pin rose.
    instant : int or None
        T. None where it is not known, or was never reached.
    ended : int or None
        The last clock of the snapshot; None if it never ended.
    released : int or None
        When the image was given up: cleared, a new start, or a reset.
    lifted : int or None
        Where it is later than ``released``: the clock by which the shadow can surely be written.
    result : str
        ``"done"``, ``"failed"``, ``"cancelled"``, ``"reset"`` or ``"running"``.
    copied : sequence of bool or None
        The copy map as it was read at the end.
    quiet : int or None
        Where it is later than ``ended``: the clock by which the unit is known to be at rest.
    counters : dict or None
        Figures of the registers, by name; for whoever looks at the results.
    retries : int
        How often a failed access of the copier is repeated.
    fail_write : bool
        A held write may be answered with ``err`` in the snapshot's stead.
    """

    requested: int
    instant: int | None = None
    ended: int | None = None
    released: int | None = None
    result: str = "running"
    fail_block: int | None = None
    copied: list | None = None
    quiet: int | None = None
    lifted: int | None = None
    counters: dict | None = None
    retries: int = 0
    fail_write: bool = False

    @property
    def last(self):
        """The last clock of the snapshot."""
        return _FOREVER if self.ended is None else self.ended

    @property
    def last_copy(self):
        """The last clock in which the unit may have copied."""
        return self.last if self.quiet is None else max(self.last, self.quiet)

    @property
    def given_up(self):
        """The clock from which initiators may write the shadow again."""
        return _FOREVER if self.released is None else self.released

    @property
    def last_refusal(self):
        """The last clock in which an initiator's write to the shadow may be refused."""
        return self.given_up if self.lifted is None else max(self.given_up, self.lifted)

    @property
    def kept(self):
        """The last clock up to which the image must not change."""
        return self.given_up - 1 if self.result == "done" else self.last


class ContractChecker:
    """Plays a run again and decides the contract.

    ========== ===================================================================================
    rule       what it asks
    ========== ===================================================================================
    C1         a word that is written at T or later was read by the copier first (where the memory
               does things out of order: the copier has it); the copier reads nothing before all
               writes accepted before T are answered
    C2         what goes into the shadow is the memory at T; a block marked copied, and everything
               once done, is in the shadow as it was at T; it stays so until it is given up
    C3         every read returns what a flat memory holds, in the order of acceptance; every write
               reaches the memory once, unchanged, in order; answers are those of the memory (only
               where it gave none, a snapshot that fails may answer ``err``)
    C5         a snapshot in which an access of the copier failed is not done
    C7         the copier reads memory and writes shadow, only during a snapshot; initiators' writes
               to the shadow are refused during a snapshot, and at no other time. A copy map in the
               memory is written by the unit alone: in a snapshot after its blocks are in the
               shadow, and never while an image is kept; initiators' writes to it are refused
    ========== ===================================================================================

    Parameters
    ----------
    params : SnapshotParams
        Or anything with its ``memory_base``, ``memory_size``, ``shadow_base``, ``block_size`` and
        ``beat_bytes``; with a map in the memory also ``map_base`` and ``map_blocks``.
    image : bytes
        What the memory target held at first, from address 0.
    log : list of Entry
        In the order in which the memory did them.
    accesses : list of Access
        Those of the initiator, in order; on AXI4 a list of Transaction.
    snapshots : list of SnapshotRecord
        In order.
    others : iterable of list of Access
        Those of further initiators.
    matcher : Matcher or None
        What tells the initiators' accesses from the copier's: a :class:`WishboneMatcher` or an
        :class:`Axi4Matcher`.
    deny_read : bool
        Reads of the shadow may be refused, too.
    most : int
        Violations of one rule that are kept.
    """

    def __init__(self, params, image, log, accesses=(), snapshots=(), *, others=(), matcher=None,
                 deny_read=False, most=20):
        self.params = params
        self.beat_bytes = params.beat_bytes
        self.block_beats = params.block_size // params.beat_bytes
        self.beats = params.memory_size // params.beat_bytes
        self.memory = params.memory_base // params.beat_bytes
        self.shadow = params.shadow_base // params.beat_bytes
        self.map = range(0)       # the beats of the map, if that is in the memory
        if getattr(params, "map_blocks", 0):
            first = params.map_base // params.beat_bytes
            self.map = range(first, first + params.map_blocks * self.block_beats)
        self.all_lanes = (1 << params.beat_bytes) - 1
        self.words = words_of(image, params.beat_bytes)
        self.log = log
        self.ports = [list(accesses), *map(list, others)]
        self.snapshots = list(snapshots)
        self.matcher = matcher or WishboneMatcher()
        self.deny_read = deny_read
        self.most = most
        self.violations = []
        self._count = Counter()
        self._current = None      # the snapshot that runs, or whose image is kept
        self._at_instant = None   # the memory at its T
        self._seen = {}           # the beats that its copier has, and since when
        self._map_left = set()    # the beats of the map that are not in the shadow
        self._map_copied = -1     # the last answer to the write of one of them
        self._drained = -1        # the last answer to a write accepted before its T
        self._last_answer = -1    # the last answer to a write so far
        self._position = 0        # in the log
        self._upcoming = self._milestones()

    def check(self):
        """The violations, in the order of the run."""
        owners = self.matcher.match(self)
        for entry, owner in zip(self.log, owners, strict=True):
            self._pass_milestones(entry.effect)
            if owner is None:
                self._check_copier(entry)
            else:
                self._check_initiator(entry, owner)
            self._position += 1
        self._pass_milestones(_FOREVER)
        self._check_image()
        self.violations.sort(key=lambda violation: violation.clock)
        return self.violations

    def _milestones(self):
        """Where snapshots begin, end, and are given up, in order, as (clock, action, record)."""
        milestones = []
        for record in self.snapshots:
            if record.instant is not None:
                milestones.append((record.instant, self._begin, record))
                if record.ended is not None:
                    milestones.append((record.last_copy + 1, self._end, record))
                if record.result == "done" and record.released is not None:
                    milestones.append((record.released, self._give_up, record))
        return milestones

    def _pass_milestones(self, clock):
        while self._upcoming and self._upcoming[0][0] <= clock:
            _, action, record = self._upcoming.pop(0)
            action(record)

    def _begin(self, record):
        self._current = record
        self._at_instant = self.words[self.memory:self.memory + self.beats]
        self._seen = {}
        self._map_left = {adr - self.memory for adr in self.map}
        self._map_copied = -1
        self._drained = self._last_answer
        for entry in self.log[self._position:]:      # what was accepted before T, yet done later
            if entry.we and entry.clock < record.instant:
                self._drained = max(self._drained, entry.answered or 0)
                beat = entry.adr - self.memory
                if entry.changed and 0 <= beat < self.beats:
                    self._at_instant[beat] = merge(self._at_instant[beat], entry.data, entry.sel)

    def _end(self, record):
        self._check_image()
        if record.result != "done":
            self._current = None

    def _give_up(self, record):
        self._check_image()
        self._current = None

    # One access --------------------------------------------------------------------------------

    def _check_initiator(self, entry, access):
        current = self._current
        if not access.we:
            if access.response == "ack" and access.data_r != self._word(entry.adr):
                self.violated("C3", f"a read returned {access.data_r:#x}, memory held "
                                     f"{self._word(entry.adr):#x}", entry.clock, entry.adr)
            return
        if entry.answered is not None:
            self._last_answer = max(self._last_answer, entry.answered)
        if not entry.changed:
            return
        beat = entry.adr - self.memory
        if entry.adr in self.map:
            self.violated("C7", "an initiator wrote the map", entry.clock, entry.adr)
        running = current is not None and current.instant <= entry.clock <= current.last
        if (running and 0 <= beat < self.beats and entry.sel
                and self._seen.get(beat, _FOREVER) > entry.clock
                and current.result in ("done", "running")):
            self.violated("C1", "a write at T or later reached the memory before the copier had "
                                 "read the word", entry.clock, entry.adr)
        if (current is not None and 0 <= entry.adr - self.shadow < self.beats
                and current.instant <= entry.clock <= current.kept):
            self.violated("C7", "an initiator wrote the protected shadow", entry.clock, entry.adr)
        self._apply(entry)

    def _check_copier(self, entry):
        current = self._current
        if entry.adr in self.map and self._is_of_the_map(entry):
            return
        running = current is not None and current.instant <= entry.clock <= current.last_copy
        late = not running and any(
            record.instant is not None and record.instant <= entry.clock <= record.last_copy
            and entry.effect != entry.clock for record in self.snapshots)
        unknown = any(record.instant is None and record.requested <= entry.clock <= record.last_copy
                      for record in self.snapshots)
        place = self.shadow if entry.we else self.memory
        beat = entry.adr - place
        kind = "write" if entry.we else "read"
        if not 0 <= beat < self.beats:
            self.violated("C7", f"a {kind} that no initiator made, outside the "
                                 f"{'shadow' if entry.we else 'memory'}", entry.clock, entry.adr)
        elif not running and (unknown or late):
            pass
        elif not running:
            self.violated("C7", f"a {kind} that no initiator made, while no snapshot runs",
                           entry.clock, entry.adr)
        elif entry.response != "ack":
            if current.result == "done" and not (current.retries or current.fail_write):
                self.violated("C5", f"a {kind} of the copier failed, yet the snapshot is done",
                               entry.clock, entry.adr)
        elif not entry.we:
            known = entry.clock if entry.done is None else entry.answered
            if known is not None:
                self._seen[beat] = min(known, self._seen.get(beat, _FOREVER))
            if entry.clock <= self._drained:
                self.violated("C1", "the copier reads before a write accepted before T is "
                                     "answered", entry.clock, entry.adr)
        elif entry.data != self._at_instant[beat] or entry.sel != self.all_lanes:
            self.violated("C2", f"the shadow is written with {entry.data:#x} sel {entry.sel:#x}, "
                                 f"memory at T held {self._at_instant[beat]:#x}",
                           entry.clock, entry.adr)
        if entry.changed:
            self._apply(entry)
            if beat in self._map_left and entry.answered is not None:
                self._map_left.discard(beat)
                self._map_copied = max(self._map_copied, entry.answered)

    def _is_of_the_map(self, entry):
        """An access to a row of the map; False if it may be the copier's."""
        current = self._current
        running = current is not None and current.instant <= entry.clock <= current.last
        if entry.response != "ack":
            again = not entry.we and running and (current.retries or current.fail_write)
            if running and current.result == "done" and not again:
                self.violated("C5", "an access to the map failed, yet the snapshot is done",
                               entry.clock, entry.adr)
            return True
        if not entry.we:
            return not running
        if running and (self._map_left or self._map_copied >= entry.clock):
            self.violated("C7", "the map is written before its blocks are in the shadow",
                           entry.clock, entry.adr)
        if current is not None and current.result == "done" and current.last_copy < entry.clock:
            self.violated("C7", "the map is written while an image is kept", entry.clock,
                           entry.adr)
        self._apply(entry)
        return True

    def _apply(self, entry):
        if entry.adr < len(self.words):
            self.words[entry.adr] = merge(self.words[entry.adr], entry.data, entry.sel)

    def _word(self, adr):
        return self.words[adr] if adr < len(self.words) else 0

    # The image ---------------------------------------------------------------------------------

    def _check_image(self):
        """C2 for what is marked copied, at this point of the run."""
        record = self._current
        if record is None or (record.result != "done" and record.copied is None):
            return
        for beat, expected in enumerate(self._at_instant):
            got = self.words[self.shadow + beat]
            done = record.result == "done"
            if got != expected and (done or record.copied[beat // self.block_beats]):
                self.violated(
                    "C2", f"the image holds {got:#x}, memory at T held {expected:#x}, and "
                          f"{'the snapshot is done' if done else 'its block is marked copied'}",
                    record.last, self.shadow + beat)
                self._current = None
                return

    # Reporting ---------------------------------------------------------------------------------

    def violated(self, rule, text, clock, adr):
        """Notes a violation at a word; of each rule the first ``most``."""
        self._count[rule] += 1
        if self._count[rule] > self.most:
            return
        block = None
        for base in self.memory, self.shadow:
            if base <= adr < base + self.beats:
                block = (adr - base) // self.block_beats
        self.violations.append(Violation(rule, text, clock, adr * self.beat_bytes, block,
                                         self._history(block, clock)))

    def _history(self, block, clock, most=12):
        """What happened to a block, up to a clock."""
        if block is None:
            return ()
        first = block * self.block_beats
        places = [range(base + first, base + first + self.block_beats)
                  for base in (self.memory, self.shadow)]
        lines = [str(entry) for entry in self.log
                 if entry.clock <= clock and any(entry.adr in place for place in places)]
        starts = [f"T = {record.instant}, requested at {record.requested}, {record.result}, ended "
                  f"at {record.ended}" for record in self.snapshots
                  if record.requested <= clock]
        return (*starts[-1:], *lines[-most:])
