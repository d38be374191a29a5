"""What the register bank and the core tell each other: commands, configuration, status."""

from amaranth.hdl import unsigned
from amaranth.lib import data, enum, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Cause", "Counters", "Failure", "Refusal", "RegionKind", "RegionLookup", "Signature",
           "State"]


class State(enum.Enum, shape=3):
    """Where the unit is in the life of a snapshot."""

    CLEARING = 0    #: the map is being swept after a reset, cancel or failure; a start waits
    IDLE = 1        #: ready for a start, no image kept
    ARMING = 2      #: a start was accepted, the instant is a few clocks away
    INITIAL = 3     #: past the instant, copying the configured regions
    BACKGROUND = 4  #: copying everything else
    DRAINING = 5    #: every block is claimed, the last shadow writes wait for their answers
    DONE = 6        #: the image is complete and protected; a start is possible
    STOPPING = 7    #: cancelled or failed, answers that are still due are being awaited


class Cause(enum.Enum, shape=3):
    """Why the last snapshot is not complete."""

    NONE = 0
    READ_ERROR = 1   #: the memory answered a read of the copier with an error
    WRITE_ERROR = 2  #: the shadow answered a write of the copier with an error
    TIMEOUT = 3      #: the memory gave no answer for as long as the timeout register says
    CANCELLED = 4    #: software asked
    DEADLINE = 5     #: the snapshot took longer than the deadline register allows
    HOLD_LIMIT = 6   #: a write was held for longer than the hold limit register allows
    IO_TIMEOUT = 7   #: an ungated master did not hold still for as long as the timeout says


class Refusal(enum.Enum, shape=3):
    """Why the last start was refused."""

    NONE = 0
    BUSY = 1            #: a snapshot is running, or the map is still being swept
    REGION_ORDER = 2    #: an enabled region's base is above its limit, both within the memory
    REGION_RANGE = 3    #: an enabled region is not within the memory
    POLICY = 4          #: the policy register asks for what this build cannot do


class Failure(enum.Enum, shape=1):
    """What gives way when a held write waits for what does not come."""

    BREAK = 0        #: the snapshot: it fails, and the write goes on
    FAIL_WRITE = 1   #: the write: it is answered with an error, and the snapshot goes on


class RegionKind(enum.Enum, shape=2):
    """What a region of the initial copy holds."""

    USER = 0
    KERNEL = 1
    DMA = 2
    MAP = 3


class RegionLookup(wiring.Signature):
    """A look at an entry of the region table, seen from the table.

    Parameters
    ----------
    params : SnapshotParams

    Members
    -------
    index : ``In(range(regions))``
    first, last : ``Out(block_bits)``
        Its blocks, both included, in the clock after; checked.
    enable : ``Out(1)``
        With them: it is used.
    """

    def __init__(self, params):
        super().__init__({
            "index": In(range(max(2, params.regions))),
            "first": Out(params.block_bits),
            "last": Out(params.block_bits),
            "enable": Out(1),
        })


class Counters(data.Struct):
    """Figures of the current or last snapshot, all of the same clock.

    Clocks are counted from the instant unless said otherwise.
    """

    instant: unsigned(64)           #: clocks from reset to the instant
    armed: unsigned(32)             #: clocks from the start to the instant
    duration: unsigned(32)          #: clocks from the instant to the end
    blocks_initial: unsigned(32)
    blocks_demand: unsigned(32)
    blocks_background: unsigned(32)
    held: unsigned(32)              #: writes that were held for a copy
    stall_longest: unsigned(32)     #: clocks of the longest wait, looks at the map included
    stall_total: unsigned(32)       #: clocks of all waits, looks at the map included


class Signature(wiring.Signature):
    """The core's side of the registers, seen from the register bank.

    Parameters
    ----------
    params : SnapshotParams

    Members
    -------
    start, cancel, clear : ``Out(1)``
        Commands, one clock each. ``clear`` forgets the last snapshot's result and lifts the
        protection of its image.
    regions : ``Out(RegionLookup(params))``
    unsound : ``Out(Refusal)``
        What the region table lets a start be refused for, or ``NONE``.
    checking : ``Out(1)``
        The configuration is just being written and looked at: a start waits. At the least in the
        clock in which what was written holds for the first time.
    timeout, share, deadline, hold_limit : ``Out(32)``
    pace : ``Out(16)``
    pause, hold_io : ``Out(1)``
    failure : ``Out(Failure)``
    retries : ``Out(4)``
    deny_read : ``Out(ports)``
        See ``docs/registers.md``.
    map_row : ``Out(range(map_rows))``
        Row of the copy map to read.
    map_read : ``Out(1)``
        Asks for the row; held until ``map_valid``.
    map_valid : ``In(1)``
        ``map_data`` holds the row asked for, one bit a block, 1 for copied.
    map_data : ``In(32)``
    state, cause, refusal : ``In(State)``, ``In(Cause)``, ``In(Refusal)``
    done, failed, cancelled, refused : ``In(1)``
        Results, kept until ``clear`` or the next accepted start.
    active : ``In(1)``
        Writes are gated: from the instant to the end.
    locked : ``In(1)``
        The configuration must not change: from the accepted start to the end.
    protected : ``In(1)``
        Initiators cannot write the shadow.
    ready : ``In(1)``
        A start would be accepted now, were the regions sound.
    ready_in : ``In(32)``
        Clocks until a start is possible, once nothing is due to the copier; 0 if one is.
    fail_block : ``In(32)``
        First block whose copy failed.
    ended : ``In(1)``
        One clock when a snapshot ends in any way (the interrupt's source).
    counters : ``In(Counters)``
    """

    def __init__(self, params):
        self.params = params
        super().__init__({
            "start": Out(1),
            "cancel": Out(1),
            "clear": Out(1),
            "regions": Out(RegionLookup(params)),
            "unsound": Out(Refusal),
            "checking": Out(1),
            "timeout": Out(32),
            "share": Out(32),
            "deadline": Out(32),
            "hold_limit": Out(32),
            "pace": Out(16),
            "pause": Out(1),
            "hold_io": Out(1),
            "failure": Out(Failure),
            "retries": Out(4),
            "deny_read": Out(params.ports),
            "map_row": Out(range(max(2, params.map_rows))),
            "map_read": Out(1),
            "map_valid": In(1),
            "map_data": In(32),
            "state": In(State),
            "cause": In(Cause),
            "refusal": In(Refusal),
            "done": In(1),
            "failed": In(1),
            "cancelled": In(1),
            "refused": In(1),
            "active": In(1),
            "locked": In(1),
            "protected": In(1),
            "ready": In(1),
            "ready_in": In(32),
            "fail_block": In(32),
            "ended": In(1),
            "counters": In(Counters),
        })
