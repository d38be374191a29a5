"""The registers, their fields and enumerations."""

# Generated from registers.rdl by: python -m memsnap.export.registers --write

import enum

from .table import Field, Kind, Register


class Release(enum.IntEnum):
    CAPTURED = 0      #: A held write goes on when its old content is inside the unit.
    COPIED = 1        #: A held write goes on when its whole block is in the shadow.


class State(enum.IntEnum):
    CLEARING = 0      #: The map is being swept after a reset, cancel or failure.
    IDLE = 1          #: Ready for a start; no image is kept.
    ARMING = 2        #: A start was accepted; the instant is a few clocks away.
    INITIAL = 3       #: Past the instant, copying the configured regions.
    BACKGROUND = 4    #: Copying everything else.
    DRAINING = 5      #: Waiting for the answers of the last shadow writes.
    DONE = 6          #: The image is complete and protected; a start is possible.
    STOPPING = 7      #: Cancelled or failed; answers that are due are being awaited.


class Cause(enum.IntEnum):
    NONE = 0          #: The last snapshot did not fail.
    READ_ERROR = 1    #: The memory answered a read of the copier with an error.
    WRITE_ERROR = 2   #: The shadow answered a write of the copier with an error.
    TIMEOUT = 3       #: The memory gave no answer for TIMEOUT clocks.
    CANCELLED = 4     #: Software cancelled it.
    DEADLINE = 5      #: It took more than DEADLINE clocks.
    HOLD_LIMIT = 6    #: A write was held for HOLD_LIMIT clocks.
    IO_TIMEOUT = 7    #: An ungated master did not hold still for TIMEOUT clocks.


class Refusal(enum.IntEnum):
    NONE = 0          #: The last start was not refused.
    BUSY = 1          #: A snapshot is running, or the map is still being swept.
    REGION_ORDER = 2  #: The base of an enabled region is above its limit.
    REGION_RANGE = 3  #: An enabled region is not within the memory.
    POLICY = 4        #: POLICY asks for what this build cannot do.


class Failure(enum.IntEnum):
    BREAK = 0         #: The snapshot fails, and the held write goes on.
    FAIL_WRITE = 1    #: The held write is answered with a bus error, and the snapshot goes on.


class RegionKind(enum.IntEnum):
    USER = 0          #: Anything else.
    KERNEL = 1        #: An operating system's kernel.
    DMA = 2           #: Buffers that IO devices write.
    MAP = 3           #: The copy map.


REGISTERS = {register.name: register for register in (
    Register("ID", 0x000, (
        Field("magic", 0, 32, Kind.CONSTANT, "magic", reset=0x50414e53),
    )),
    Register("VERSION", 0x004, (
        Field("patch", 0, 8, Kind.CONSTANT, "patch"),
        Field("minor", 8, 8, Kind.CONSTANT, "minor"),
        Field("major", 16, 16, Kind.CONSTANT, "major"),
    )),
    Register("CAPS0", 0x008, (
        Field("data_width_log2", 0, 4, Kind.CONSTANT, "data_width_log2"),
        Field("block_size_log2", 4, 5, Kind.CONSTANT, "block_size_log2"),
        Field("regions", 9, 5, Kind.CONSTANT, "regions"),
        Field("release", 14, 1, Kind.CONSTANT, "release", enum="Release"),
        Field("pipelined", 15, 1, Kind.CONSTANT, "pipelined"),
        Field("ports", 16, 3, Kind.CONSTANT, "ports"),
        Field("map_kind", 19, 1, Kind.CONSTANT, "map_kind"),
        Field("shadow_kind", 20, 1, Kind.CONSTANT, "shadow_kind"),
        Field("bus", 21, 2, Kind.CONSTANT, "bus"),
    )),
    Register("CAPS1", 0x00c, (
        Field("buffer_depth", 0, 16, Kind.CONSTANT, "buffer_depth"),
        Field("jobs", 16, 8, Kind.CONSTANT, "jobs"),
        Field("retry", 24, 1, Kind.CONSTANT, "retry"),
        Field("io_hold", 25, 1, Kind.CONSTANT, "io_hold"),
    )),
    Register("CONTROL", 0x010, (
        Field("start", 0, 1, Kind.COMMAND, "start"),
        Field("cancel", 1, 1, Kind.COMMAND, "cancel"),
        Field("clear", 2, 1, Kind.COMMAND, "clear"),
        Field("latch", 3, 1, Kind.COMMAND, "bank.latch"),
    )),
    Register("STATUS", 0x014, (
        Field("state", 0, 3, Kind.STATUS, "state", enum="State"),
        Field("done", 8, 1, Kind.STATUS, "done"),
        Field("failed", 9, 1, Kind.STATUS, "failed"),
        Field("cancelled", 10, 1, Kind.STATUS, "cancelled"),
        Field("refused", 11, 1, Kind.STATUS, "refused"),
        Field("active", 12, 1, Kind.STATUS, "active"),
        Field("locked", 13, 1, Kind.STATUS, "locked"),
        Field("protected", 14, 1, Kind.STATUS, "protected"),
        Field("ready", 15, 1, Kind.STATUS, "ready"),
    )),
    Register("CAUSE", 0x018, (
        Field("cause", 0, 3, Kind.STATUS, "cause", enum="Cause"),
        Field("refusal", 8, 3, Kind.STATUS, "refusal", enum="Refusal"),
    )),
    Register("FAIL_BLOCK", 0x01c, (
        Field("block", 0, 32, Kind.STATUS, "fail_block"),
    )),
    Register("MEMORY_BASE_LO", 0x020, (
        Field("value", 0, 32, Kind.CONSTANT, "memory_base"),
    )),
    Register("MEMORY_BASE_HI", 0x024, (
        Field("value", 0, 32, Kind.CONSTANT, "memory_base", member_lsb=32),
    )),
    Register("MEMORY_SIZE_LO", 0x028, (
        Field("value", 0, 32, Kind.CONSTANT, "memory_size"),
    )),
    Register("MEMORY_SIZE_HI", 0x02c, (
        Field("value", 0, 32, Kind.CONSTANT, "memory_size", member_lsb=32),
    )),
    Register("SHADOW_BASE_LO", 0x030, (
        Field("value", 0, 32, Kind.CONSTANT, "shadow_base"),
    )),
    Register("SHADOW_BASE_HI", 0x034, (
        Field("value", 0, 32, Kind.CONSTANT, "shadow_base", member_lsb=32),
    )),
    Register("MAP_BASE_LO", 0x038, (
        Field("value", 0, 32, Kind.CONSTANT, "map_base"),
    )),
    Register("MAP_BASE_HI", 0x03c, (
        Field("value", 0, 32, Kind.CONSTANT, "map_base", member_lsb=32),
    )),
    Register("TIMEOUT", 0x040, (
        Field("clocks", 0, 32, Kind.CONFIG, "timeout", reset=0x10000),
    ), locked=True),
    Register("SHARE", 0x044, (
        Field("clocks", 0, 32, Kind.CONFIG, "share", reset=0x10),
    )),
    Register("DEADLINE", 0x048, (
        Field("clocks", 0, 32, Kind.CONFIG, "deadline"),
    ), locked=True),
    Register("HOLD_LIMIT", 0x04c, (
        Field("clocks", 0, 32, Kind.CONFIG, "hold_limit"),
    ), locked=True),
    Register("IRQ_ENABLE", 0x050, (
        Field("ended", 0, 1, Kind.CONFIG, "bank.irq_enable"),
    )),
    Register("IRQ_STATUS", 0x054, (
        Field("ended", 0, 1, Kind.EVENT, "ended"),
    )),
    Register("IRQ_TEST", 0x058, (
        Field("ended", 0, 1, Kind.COMMAND, "bank.irq_test"),
    )),
    Register("MAP_INDEX", 0x060, (
        Field("row", 0, 32, Kind.CONFIG, "bank.map_row"),
    )),
    Register("MAP_DATA", 0x064, (
        Field("copied", 0, 32, Kind.WINDOW, "map_data"),
    )),
    Register("POLICY", 0x068, (
        Field("failure", 0, 1, Kind.CONFIG, "failure", enum="Failure"),
        Field("retries", 4, 4, Kind.CONFIG, "retries"),
        Field("hold_io", 8, 1, Kind.CONFIG, "hold_io"),
    ), locked=True),
    Register("PACE", 0x06c, (
        Field("clocks", 0, 16, Kind.CONFIG, "pace"),
    )),
    Register("PAUSE", 0x070, (
        Field("pause", 0, 1, Kind.CONFIG, "pause"),
    )),
    Register("PROTECT", 0x074, (
        Field("deny_read", 0, 4, Kind.CONFIG, "deny_read"),
    ), locked=True),
    Register("LOCK", 0x078, (
        Field("until_reset", 0, 1, Kind.CONFIG, "bank.lock"),
    ), locked=True),
    Register("READY_IN", 0x07c, (
        Field("clocks", 0, 32, Kind.STATUS, "ready_in"),
    )),
    Register("INSTANT_LO", 0x080, (
        Field("value", 0, 32, Kind.LATCHED, "counters.instant"),
    )),
    Register("INSTANT_HI", 0x084, (
        Field("value", 0, 32, Kind.LATCHED, "counters.instant", member_lsb=32),
    )),
    Register("ARMED", 0x088, (
        Field("value", 0, 32, Kind.LATCHED, "counters.armed"),
    )),
    Register("DURATION", 0x08c, (
        Field("value", 0, 32, Kind.LATCHED, "counters.duration"),
    )),
    Register("BLOCKS_INITIAL", 0x090, (
        Field("value", 0, 32, Kind.LATCHED, "counters.blocks_initial"),
    )),
    Register("BLOCKS_DEMAND", 0x094, (
        Field("value", 0, 32, Kind.LATCHED, "counters.blocks_demand"),
    )),
    Register("BLOCKS_BACKGROUND", 0x098, (
        Field("value", 0, 32, Kind.LATCHED, "counters.blocks_background"),
    )),
    Register("HELD", 0x09c, (
        Field("value", 0, 32, Kind.LATCHED, "counters.held"),
    )),
    Register("STALL_LONGEST", 0x0a0, (
        Field("value", 0, 32, Kind.LATCHED, "counters.stall_longest"),
    )),
    Register("STALL_TOTAL", 0x0a4, (
        Field("value", 0, 32, Kind.LATCHED, "counters.stall_total"),
    )),
    Register("REGION.BASE_LO", 0x100, (
        Field("value", 0, 32, Kind.CONFIG, "regions.base"),
    ), count=16, stride=0x20, locked=True),
    Register("REGION.BASE_HI", 0x104, (
        Field("value", 0, 32, Kind.CONFIG, "regions.base", member_lsb=32),
    ), count=16, stride=0x20, locked=True),
    Register("REGION.LIMIT_LO", 0x108, (
        Field("value", 0, 32, Kind.CONFIG, "regions.limit"),
    ), count=16, stride=0x20, locked=True),
    Register("REGION.LIMIT_HI", 0x10c, (
        Field("value", 0, 32, Kind.CONFIG, "regions.limit", member_lsb=32),
    ), count=16, stride=0x20, locked=True),
    Register("REGION.ATTR", 0x110, (
        Field("enable", 0, 1, Kind.CONFIG, "regions.enable"),
        Field("kind", 1, 2, Kind.CONFIG, "regions.kind", enum="RegionKind"),
    ), count=16, stride=0x20, locked=True),
)}
