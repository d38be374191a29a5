"""What the driver gives and raises."""

from dataclasses import dataclass

from .fields import Cause, Failure, Refusal, RegionKind, Release, State

__all__ = ["BusError", "Capabilities", "Counters", "Policy", "Region", "SnapshotError",
           "SnapshotFailedError", "StartRefusedError", "Status"]

_CAUSES = {
    Cause.NONE: "the unit gives no cause",
    Cause.READ_ERROR: "the memory answered a read with an error",
    Cause.WRITE_ERROR: "the shadow answered a write with an error",
    Cause.TIMEOUT: "the memory gave no answer for as long as set_timeout() allows",
    Cause.CANCELLED: "it was cancelled",
    Cause.DEADLINE: "it took longer than set_deadline() allows",
    Cause.HOLD_LIMIT: "a write was held for longer than set_hold_limit() allows",
    Cause.IO_TIMEOUT: "an ungated master did not hold still within set_timeout()",
}
#: Causes of which the block is known.
_WITH_BLOCK = (Cause.READ_ERROR, Cause.WRITE_ERROR)


@dataclass(frozen=True)
class Capabilities:
    """How a unit was built; sizes and addresses are in bytes.

    ``retry`` and ``io_hold`` tell what :class:`Policy` may ask for.
    """

    version: tuple
    data_width: int
    block_size: int
    regions: int
    release: Release
    pipelined: bool
    ports: int
    buffer_depth: int
    jobs: int
    memory_base: int
    memory_size: int
    shadow_base: int
    shadow_separate: bool
    retry: bool
    io_hold: bool
    map_base: int | None      #: of a copy map in the memory; None if it is on chip

    @property
    def blocks(self):
        """Blocks in the memory."""
        return self.memory_size // self.block_size


@dataclass(frozen=True)
class Status:
    """What the unit is doing and how the last snapshot ended.

    ``fail_block`` is the block whose copy failed, if ``cause`` is an error of memory or shadow.
    """

    state: State
    done: bool
    failed: bool
    cancelled: bool
    refused: bool
    active: bool
    locked: bool
    protected: bool
    ready: bool
    cause: Cause
    refusal: Refusal
    fail_block: int


@dataclass(frozen=True)
class Counters:
    """Figures of one clock, of the current or the last snapshot; times are in clocks."""

    instant: int
    armed: int
    duration: int
    blocks_initial: int
    blocks_demand: int
    blocks_background: int
    held: int
    stall_longest: int
    stall_total: int


@dataclass(frozen=True)
class Region:
    """An entry of the region table: bytes ``base`` to ``limit``, both included."""

    base: int
    limit: int
    kind: RegionKind
    enable: bool


@dataclass(frozen=True)
class Policy:
    """What gives way when a write is held for too long or a copy fails.

    ``retries`` is how often a failed access of the copier is repeated, 0 to 15; ``hold_io`` tells
    that ungated masters are held from the start until the regions are safe.
    """

    failure: Failure = Failure.BREAK
    retries: int = 0
    hold_io: bool = False


class BusError(Exception):
    """The bus answered with an error; for ``read32`` and ``write32`` to raise."""


class SnapshotError(Exception):
    """The unit did not do what was asked; the message says why and what helps."""


class StartRefusedError(SnapshotError):
    """A start was refused, for the reason in ``refusal``."""

    def __init__(self, refusal, message):
        super().__init__(message)
        self.refusal = refusal


class SnapshotFailedError(SnapshotError):
    """A snapshot ended without an image, for the reason in ``status.cause``."""

    def __init__(self, status):
        at = f" in block {status.fail_block}" if status.cause in _WITH_BLOCK else ""
        super().__init__(f"the snapshot ended without an image: {_CAUSES[status.cause]}{at}")
        self.status = status
