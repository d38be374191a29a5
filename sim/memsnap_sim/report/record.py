"""The bare facts of one run, as the simulation hands them over."""

from dataclasses import dataclass, field
from enum import IntEnum

from memsnap import SnapshotParams

__all__ = ["BlockCopy", "Dram", "Event", "Kind", "Record", "Software", "Stall", "Write"]


class Kind(IntEnum):
    """What made the unit copy a block."""

    DEMAND = 0
    INITIAL = 1
    BACKGROUND = 2


@dataclass(frozen=True)
class Stall:
    """One held write: the ``clock`` it arrived in, its byte ``address``, clocks it was held, and
    the ``port`` that it came by.
    """

    clock: int
    address: int
    length: int
    port: int = 0


@dataclass(frozen=True)
class Event:
    """What else happened at a ``clock``.

    ``what`` is ``"fault"`` (an access of the unit to ``address`` went wrong, of the shadow if
    ``port`` is 1), ``"bus error"`` (answered to ``port``), ``"hold"``, ``"held"`` or ``"let go"``
    (of masters that are not gated), or ``"packet"`` (number ``address`` was written by a device;
    ``port`` is 1 if it met an error).
    """

    clock: int
    what: str
    address: int = 0
    port: int = 0


@dataclass(frozen=True)
class BlockCopy:
    """``block`` was safe in the shadow at ``clock``, copied for the reason ``kind``."""

    block: int
    clock: int
    kind: Kind


@dataclass(frozen=True)
class Write:
    """A write to the memory that was accepted at ``clock``: a beat at ``address``, with the bytes
    of ``data`` that ``lanes`` selects.
    """

    clock: int
    address: int
    data: int
    lanes: int


@dataclass(frozen=True, kw_only=True)
class Software:
    """What came of the same program with the unit's method in software.

    Copies, and clocks: of the whole run (None where it did other work than without a snapshot), of
    the start with its initial copy, from the instant to the last copy; in the mean, and at most, of
    telling of a first write to a block; of telling of a later one; of the background for a block;
    and of its longest step. None stands for what did not happen.
    """

    exact: bool
    clocks: int | None
    pause: int | None
    clocks_to_done: int | None
    blocks_initial: int
    blocks_demand: int
    blocks_background: int
    first_write: int | None
    first_write_longest: int | None
    later_write: int | None
    background_block: int | None
    step_longest: int | None

    @property
    def longest(self):
        """Clocks that the program stands still at once, at most: by far the start in most cases."""
        return max(self.pause or 0, self.first_write_longest or 0, self.step_longest or 0)


@dataclass(frozen=True, kw_only=True)
class Dram:
    """Commands that an SDRAM was given from the instant to the end of the snapshot."""

    activate: int
    precharge: int
    refresh: int
    read: int
    write: int


@dataclass(frozen=True, kw_only=True)
class Record:
    """The bare facts of one run. All clocks count from the release of reset.

    ``instant`` is None where no snapshot was started, and the counters are then 0; ``seen`` is how
    often the program came to the symbol that was to start it, ``writes`` those to the first block
    that differs; ``regions`` are first and last bytes of the initial copy, ``events`` all that else
    happened; ``policy`` says in words what is to happen to a copy that fails; ``expect`` is
    ``"exact"``, or the cause of the failure that the run is to show; ``clocks_without`` and
    ``clocks_software`` are the lengths of the same program's run without a snapshot and with one
    that it makes itself by copying, None where these were not measured; ``software`` is about one
    that it makes itself by the unit's method. ``memory`` is what is behind the unit, ``dram`` what
    happened to its SDRAM, and ``ideal`` the record of the same program on an ideal memory.
    """

    program: str
    trigger: str
    params: SnapshotParams
    memory: str = "ideal"
    latency: int
    shadow_latency: int | None = None
    ungated: bool = False
    expect: str = "exact"
    policy: str = ""
    clocks: int
    exit_code: int | None = None
    ended: str = "the program ended"
    seen: int | None = None
    console: str = ""
    instant: int | None = None
    clocks_to_armed: int = 0
    clocks_to_done: int = 0
    writes_held: int = 0
    stall_longest: int = 0
    stall_total: int = 0
    blocks_initial: int = 0
    blocks_demand: int = 0
    blocks_background: int = 0
    done: bool = False
    failed: bool = False
    cancelled: bool = False
    refused: bool = False
    cause: str = ""
    refusal: str = ""
    fail_block: int | None = None
    memory_at_instant: bytes = field(default=b"", repr=False)
    image: bytes = field(default=b"", repr=False)
    regions: tuple[tuple[int, int], ...] = ()
    events: tuple[Event, ...] = field(default=(), repr=False)
    stalls: tuple[Stall, ...] = field(default=(), repr=False)
    copies: tuple[BlockCopy, ...] = field(default=(), repr=False)
    writes: tuple[Write, ...] = field(default=(), repr=False)
    clocks_without: int | None = None
    clocks_software: int | None = None
    baseline_pause: int | None = None
    software: Software | None = None
    dram: Dram | None = None
    ideal: "Record | None" = None
