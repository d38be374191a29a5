"""The one place where a configuration of the unit is described and checked."""

from dataclasses import dataclass, fields

from amaranth.lib import enum
from amaranth.utils import ceil_log2, exact_log2

__all__ = ["Bus", "CopierPort", "Map", "Registers", "Release", "Shadow", "SnapshotParams"]


class Bus(enum.Enum):
    """The bus of the initiators and the memories: Wishbone B4, or AXI4."""

    WISHBONE = "wishbone"
    AXI4 = "axi4"


class Registers(enum.Enum):
    """The bus of the registers: Wishbone B4 (classic), or AXI4-Lite."""

    WISHBONE = "wishbone"
    AXI4_LITE = "axi4-lite"


class CopierPort(enum.Enum):
    """The copier *shares* the memory's port with the initiators, or has one of its *own*."""

    SHARED = "shared"
    OWN = "own"


class Release(enum.Enum):
    """When a held write goes on: its beat is *captured*, or its whole block is *copied*."""

    CAPTURED = "captured"
    COPIED = "copied"


class Shadow(enum.Enum):
    """Where the image goes: behind the memory's port (*same*), or behind one of its own."""

    SAME = "same"
    SEPARATE = "separate"


class Map(enum.Enum):
    """Where the copy map is: in a RAM of the unit (*chip*), or in the memory that it describes."""

    CHIP = "chip"
    MEMORY = "memory"


#: Wishbone signals that a system may or may not have; ``err`` is always there, because a write
#: to the protected shadow must be refused, and ``stall`` comes with the pipelined form.
OPTIONAL_SIGNALS = frozenset({"rty", "lock", "cti", "bte"})

#: Blocks that one row of the copy map describes (the width of the software's window on it).
MAP_ROW_BITS = 32

#: Bytes that a row takes where the map is in the memory.
MAP_ROW_BYTES = 4


#: Bits for notes on beats that the default number of jobs may take.
_NOTES = 1 << 15

#: Bits for notes on beats up to which they are put into distributed RAM.
_FEW_NOTES = 256

#: Clocks from a read to its data at which the default number of jobs still gives the full rate.
_LATENCY = 32


def _is_power_of_two(value):
    return value > 0 and value & (value - 1) == 0


@dataclass(frozen=True, kw_only=True)
class SnapshotParams:
    """A configuration of the snapshot unit.

    All addresses and sizes are in bytes. Every inconsistent combination is refused on construction
    with the value, the rule and the remedy.

    Parameters
    ----------
    memory_base, memory_size : int
        The guarded memory. The size is a multiple of the block size, and the base a multiple of
        the size rounded up to a power of two.
    shadow_base : int
        Where the image goes; the shadow is as large as the memory, and aligned in the same way.
        Behind the same port it does not overlap the memory.
    data_width : int
        Width of the memory port in bits: 8, 16, 32 or 64; on AXI4 32, 64, 128, 256 or 512.
    addr_width : int
        Width of a byte address in bits, at most 64.
    block_size : int
        Bytes of one block, a power of two from one beat to 64 KiB.
    buffer_depth : int or None
        Beats between a read's issue and its shadow write's answer, a power of two; by default 64,
        and 128 on AXI4. Full copy rate at a read latency of L clocks takes about L + 8 beats, and
        on AXI4, where L counts for writes too, 2 L + 5 ``burst_beats``.
    jobs : int or None
        Blocks between claim and copied. By default as many as the buffer can hold, within 4..16, or
        more where blocks of a few beats need more for full rate at a read latency of 32 clocks;
        where the buffer does not hold even one, as many as 32768 bits have a note for.
    max_in_flight : int
        Requests without an answer that the memory port keeps track of, a power of two.
    ports : int
        Initiators that are gated, 1 to 4, each with a port of its own.
    shadow : Shadow or str
        The shadow is behind the memory's port (``"same"``), or has a port of its own
        (``"separate"``). Initiators do not reach a separate one through the unit.
    retry : bool
        Failed accesses of the copier can be repeated, and a held write can be failed in the
        snapshot's stead.
    io_hold : bool
        Pins to hold masters that reach the memory by another way.
    release : Release or str
        A held write goes on when the beat that it overwrites is inside the unit (``"captured"``),
        or when its whole block is in the shadow (``"copied"``).
    regions : int
        Entries of the table of regions for the initial copy, 1..16.
    pipelined : bool
        Wishbone pipelined (with ``stall``), or classic.
    features : frozenset of str
        Optional Wishbone signals that are passed through: of ``rty``, ``lock``, ``cti``, ``bte``.
    bus : Bus or str
        Of the initiators and the memories: ``"wishbone"`` or ``"axi4"``.
    registers : Registers, str or None
        Of the registers: ``"wishbone"`` or ``"axi4-lite"``; by default the one that goes with
        ``bus``.
    id_width, user_width : int
        AXI4: bits of an initiator's ids, 1 to 16, and of its user signals, 0 to 64 (0 for none).
        The ids at the memory have more bits, for the port that they come from.
    copier_port : CopierPort or str
        AXI4: the copier shares the port ``m_axi`` (``"shared"``), or has ``c_axi`` to the same
        memory (``"own"``).
    burst_beats : int
        AXI4: beats of the copier's longest bursts, a power of two from 1 to 256.
    timeout : int
        Reset value of the timeout register: clocks without an answer of the memory after which a
        snapshot fails; 0 for never.
    share : int
        Reset value of the share register: the copier gets a slot after it was denied one for this
        many clocks, however busy the initiator is; 0 for idle slots alone.
    map : Map or str
        ``"chip"``: the copy map is in a RAM of the unit. ``"memory"``: its rows are in the guarded
        memory, in blocks of its own, which initiators cannot write; a few of them are cached on
        chip. The memory port is then at least 32 bits wide.
    map_base : int or None
        Where the map in the memory begins, a multiple of the block size. By default it takes the
        last blocks of the memory.
    map_cache : int
        Rows of the map in the memory that are kept on chip, a power of two.
    map_bits : int or None
        On-chip bits that the copy map may take, or None for as many as it needs; for a map on chip.
    map_latency : int
        Clocks in which a map on chip gives a row, 1 or 2. A map of 2048 blocks or more lies in
        block RAM, whose data comes late in a clock: with 2 it goes into a register first. The unit
        then has a higher clock, and a block that is looked up takes one clock more: a held write,
        and a write to a copied block in another row than the last one.

    Raises
    ------
    TypeError
        A value is of the wrong kind.
    ValueError
        A value, or a combination, is out of range.
    """

    memory_base: int = 0
    memory_size: int = 0x10000
    shadow_base: int = 0x10000
    data_width: int = 32
    addr_width: int = 32
    block_size: int = 64
    buffer_depth: int | None = None
    jobs: int | None = None
    max_in_flight: int = 64
    ports: int = 1
    shadow: Shadow = Shadow.SAME
    retry: bool = False
    io_hold: bool = False
    release: Release = Release.CAPTURED
    regions: int = 4
    pipelined: bool = True
    features: frozenset = frozenset()
    bus: Bus = Bus.WISHBONE
    registers: Registers | None = None
    id_width: int = 4
    user_width: int = 0
    copier_port: CopierPort = CopierPort.SHARED
    burst_beats: int = 8
    timeout: int = 65536
    share: int = 16
    map: Map = Map.CHIP
    map_base: int | None = None
    map_cache: int = 16
    map_bits: int | None = None
    map_latency: int = 1

    def __post_init__(self):
        self._check_kinds()
        self._check_widths()
        self._check_bus()
        self._check_ranges()
        self._check_sizes()
        if self.map is Map.MEMORY:
            self._place_map()
        else:
            self._check_map_on_chip()
        if self.jobs is None:
            object.__setattr__(self, "jobs", self._default_jobs())

    # Derived figures ---------------------------------------------------------------------------

    @property
    def beat_bytes(self):
        """Bytes of one beat."""
        return self.data_width // 8

    @property
    def block_beats(self):
        """Beats of one block."""
        return self.block_size // self.beat_bytes

    @property
    def blocks(self):
        """Blocks in the memory."""
        return self.memory_size // self.block_size

    @property
    def map_row_bits(self):
        """Blocks of one row of the copy map: :data:`MAP_ROW_BITS`, or less if there are fewer."""
        return min(MAP_ROW_BITS, 1 << self.block_bits)

    @property
    def map_rows(self):
        """Rows of the copy map."""
        return -(-self.blocks // self.map_row_bits)

    @property
    def map_summary(self):
        """Whether a summary says which rows are complete: where reading all of them takes long."""
        return self.map_rows > (1 if self.map is Map.MEMORY else MAP_ROW_BITS)

    @property
    def map_words(self):
        """Words of the summary, each for as many rows as a row has blocks."""
        return -(-self.map_rows // self.map_row_bits)

    @property
    def map_blocks(self):
        """Blocks that hold the copy map; 0 with a map on chip."""
        if self.map is Map.CHIP:
            return 0
        return -(-self.map_rows * MAP_ROW_BYTES // self.block_size)

    @property
    def map_first_block(self):
        """The first of the blocks that hold the copy map; 0 with a map on chip."""
        return 0 if self.map is Map.CHIP else (self.map_base - self.memory_base) // self.block_size

    @property
    def copy_clocks(self):
        """Clocks that a block's copy takes the ports at the least.

        A Wishbone port carries one access a clock; on AXI4 reads and writes have channels of their
        own, and so they have with a separate shadow.
        """
        shared = self.bus is Bus.WISHBONE and self.shadow is Shadow.SAME
        return 2 * self.block_beats if shared else self.block_beats

    @property
    def notes(self):
        """Bits in which the copier notes which beats of its jobs' blocks it read."""
        return self.block_beats << ceil_log2(self.jobs) if self.beat_bits else 0

    @property
    def deep_notes(self):
        """The notes are many, or a block has more beats than the buffer.

        Many notes lie in a block RAM, whose data comes late in its clock. So it goes into a
        register first, and is read ahead.
        """
        return self.notes > _FEW_NOTES or self.block_beats > self.buffer_depth

    @property
    def map_beside(self):
        """Bits are set in the map beside claims, through a reader of their own.

        Where blocks are copied in fewer clocks than the three that claim and bit take one after
        the other, and a look-up takes one.
        """
        return self.map is Map.CHIP and self.map_latency == 1 and self.copy_clocks < 3

    @property
    def map_clocks(self):
        """Clocks that a block takes the copy map.

        One to look it up, or two, one for its claim, and one for its bit, if that is not beside.
        """
        return self.map_latency + 1 + (not self.map_beside)

    @property
    def map_lines(self):
        """Rows of the copy map in the memory that are kept on chip; no more than there are."""
        return min(self.map_cache, 1 << ceil_log2(max(2, self.map_rows)))

    @property
    def memory_ports(self):
        """Ports to memories: the initiators', a separate shadow's, and the copier's own."""
        return 1 + (self.shadow is Shadow.SEPARATE) + (self.copier_port is CopierPort.OWN)

    @property
    def memory_sources(self):
        """Who makes requests at the AXI4 port of the memory: initiators, copier, copy map."""
        return self.ports + (self.copier_port is CopierPort.SHARED) + (self.map is Map.MEMORY)

    @property
    def memory_id_width(self):
        """Bits of an id at the AXI4 port of the memory; the upper ones tell the source."""
        return self.id_width + ceil_log2(self.memory_sources)

    @property
    def can_fail_write(self):
        """Whether a held write can be failed in the snapshot's stead."""
        return self.retry and self.release is Release.COPIED

    @property
    def background_jobs(self):
        """Jobs in use up to which a block is claimed that no write waits for.

        As many as fill the buffer, but of the others at least one is for the held writes of each
        port, or two where the copy keeps its rate: so a program's next write to a new block finds
        one while the block of the write before is still being copied.
        """
        return min(self._fill_jobs() + 1, self.jobs - self.ports,
                   max(self._copy_jobs(), self.jobs - 2 * self.ports))

    @property
    def sweep_clocks(self):
        """Clocks from the end of a snapshot without an image until the next can start."""
        return max(2, self.map_rows, self.notes) + 1

    @property
    def beat_shift(self):
        """log2 of the bytes of a beat."""
        return exact_log2(self.beat_bytes)

    @property
    def adr_width(self):
        """Width of a Wishbone address, which counts beats."""
        return self.addr_width - self.beat_shift

    @property
    def span_bits(self):
        """log2 of the memory's size in beats, rounded up."""
        return ceil_log2(self.memory_size // self.beat_bytes)

    @property
    def beat_bits(self):
        """Bits of a beat's index in its block; 0 where a block is one beat."""
        return exact_log2(self.block_beats)

    @property
    def block_bits(self):
        """Bits of a block's index; at least 1."""
        return max(1, ceil_log2(self.blocks))

    # Checks ------------------------------------------------------------------------------------

    def _check_kinds(self):
        axi4 = self.bus in (Bus.AXI4, Bus.AXI4.value)
        if self.registers is None:
            object.__setattr__(self, "registers",
                               Registers.AXI4_LITE if axi4 else Registers.WISHBONE)
        if self.buffer_depth is None:
            object.__setattr__(self, "buffer_depth", 128 if axi4 else 64)
        choices = {"release": Release, "shadow": Shadow, "map": Map, "bus": Bus,
                   "registers": Registers, "copier_port": CopierPort}
        for name, kind in choices.items():
            self._check_choice(name, kind)
        flags = {"pipelined", "retry", "io_hold"}
        for name in sorted(flags):
            if not isinstance(getattr(self, name), bool):
                raise TypeError(f"{name} must be True or False, not {getattr(self, name)!r}")
        try:
            object.__setattr__(self, "features", frozenset(self.features))
        except TypeError:
            raise TypeError(
                f"features must be a set of strings, not {self.features!r}") from None
        for feature in sorted(self.features - OPTIONAL_SIGNALS, key=repr):
            raise ValueError(f"features must be of {', '.join(sorted(OPTIONAL_SIGNALS))}, "
                             f"not {feature!r}")
        optional = {"jobs", "map_bits", "map_base"}
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in flags | {*choices, "features"}:
                continue
            if value is None and field.name in optional:
                continue
            if not isinstance(value, int) or isinstance(value, bool):
                raise TypeError(f"{field.name} must be an integer, not {value!r}")
            if value < 0:
                raise ValueError(f"{field.name} must not be negative, not {value!r}")

    def _check_choice(self, name, kind):
        value = getattr(self, name)
        choices = " or ".join(repr(choice.value) for choice in kind)
        if isinstance(value, str):
            try:
                value = kind(value)
            except ValueError:
                raise ValueError(f"{name} must be {choices}, not {value!r}") from None
            object.__setattr__(self, name, value)
        if not isinstance(value, kind):
            raise TypeError(f"{name} must be {choices}, not {value!r}")

    def _check_widths(self):
        axi4 = self.bus is Bus.AXI4
        widths = (32, 64, 128, 256, 512) if axi4 else (8, 16, 32, 64)
        if self.data_width not in widths:
            raise ValueError(f"data_width must be {', '.join(map(str, widths[:-1]))} or "
                             f"{widths[-1]} bits{' on AXI4' if axi4 else ''}, "
                             f"not {self.data_width!r}")
        if not self.beat_shift < self.addr_width <= 64:
            raise ValueError(f"addr_width must be {self.beat_shift + 1} to 64 bits, "
                             f"not {self.addr_width!r}")
        if not _is_power_of_two(self.block_size):
            raise ValueError(f"block_size must be a power of two, not {self.block_size!r}; "
                             f"use {max(self.beat_bytes, 1 << (self.block_size - 1).bit_length())}")
        if not self.beat_bytes <= self.block_size <= 65536:
            raise ValueError(f"block_size must be {self.beat_bytes} (one beat) to 65536 bytes, "
                             f"not {self.block_size!r}")

    def _check_bus(self):
        """What one bus has and the other has not."""
        if self.bus is Bus.WISHBONE:
            for name in "id_width", "user_width", "copier_port", "burst_beats":
                default = SnapshotParams.__dataclass_fields__[name].default
                value = getattr(self, name)
                if value != default:
                    raise ValueError(f"{name} must be left out on Wishbone, not "
                                     f"{getattr(value, 'value', value)!r}; use bus='axi4'")
            return
        if self.features or not self.pipelined:
            name, value = ("features", sorted(self.features)) if self.features else (
                "pipelined", self.pipelined)
            raise ValueError(f"{name} must be left out on AXI4, not {value!r}; "
                             f"use bus='wishbone'")
        if self.addr_width < 12:
            raise ValueError(f"addr_width must be 12 to 64 bits on AXI4, whose bursts stay within "
                             f"4096 bytes, not {self.addr_width!r}")
        for name, least, most in ("id_width", 1, 16), ("user_width", 0, 64):
            value = getattr(self, name)
            if not least <= value <= most:
                raise ValueError(f"{name} must be {least} to {most}, not {value!r}")
        most = min(256, 4096 // self.beat_bytes)
        if not _is_power_of_two(self.burst_beats) or self.burst_beats > most:
            raise ValueError(f"burst_beats must be a power of two from 1 to {most} with beats of "
                             f"{self.beat_bytes} bytes, not {self.burst_beats!r}")

    def _check_ranges(self):
        if self.memory_size == 0 or self.memory_size % self.block_size:
            raise ValueError(
                f"memory_size must be a multiple of block_size ({self.block_size:#x}), not "
                f"{self.memory_size:#x}; guard "
                f"{max(1, -(-self.memory_size // self.block_size)) * self.block_size:#x} bytes, "
                f"or use smaller blocks")
        span = 1 << (self.memory_size - 1).bit_length()
        for name in "memory_base", "shadow_base":
            base = getattr(self, name)
            if base % span:
                raise ValueError(
                    f"{name} must be a multiple of {span:#x} (memory_size rounded up to a power "
                    f"of two), not {base:#x}; use {base // span * span:#x} or "
                    f"{(base // span + 1) * span:#x}")
            if base + self.memory_size > 1 << self.addr_width:
                raise ValueError(
                    f"{name} {base:#x} and {self.memory_size:#x} bytes must fit "
                    f"addr_width={self.addr_width} bits; widen addr_width to "
                    f"{(base + self.memory_size - 1).bit_length()}")
        if self.memory_base == self.shadow_base and self.shadow is Shadow.SAME:
            raise ValueError(
                f"shadow_base must not overlap the memory at {self.memory_base:#x} to "
                f"{self.memory_base + self.memory_size - 1:#x}, not {self.shadow_base:#x}; "
                f"use {self.memory_base + span:#x}, or shadow='separate' for a memory of its own")

    def _check_sizes(self):
        for name, least, most in ("buffer_depth", 4, 4096), ("max_in_flight", 2, 4096):
            value = getattr(self, name)
            if not _is_power_of_two(value) or not least <= value <= most:
                raise ValueError(f"{name} must be a power of two from {least} to {most}, "
                                 f"not {value!r}")
        if not 1 <= self.ports <= 4:
            raise ValueError(f"ports must be 1 to 4, not {self.ports!r}; join initiators ahead of "
                             f"the unit where there are more")
        if self.jobs is not None and not self.ports < self.jobs <= 64:
            raise ValueError(f"jobs must be {self.ports + 1} to 64, not {self.jobs!r}; one more "
                             f"than ports is the least, so that a demand copy never waits for a "
                             f"background copy")
        if not 1 <= self.regions <= 16:
            raise ValueError(f"regions must be 1 to 16, not {self.regions!r}")
        for name in "timeout", "share":
            if getattr(self, name) >= 1 << 32:
                raise ValueError(f"{name} must fit 32 bits, not {getattr(self, name)!r}")

    def _check_map_on_chip(self):
        if self.map_latency not in (1, 2):
            raise ValueError(f"map_latency must be 1 or 2 clocks, not {self.map_latency!r}")
        if self.map_base is not None:
            raise ValueError(f"map_base must be None with a map on chip, not {self.map_base:#x}; "
                             f"use map='memory' for a map in the memory")
        if self.map_bits is not None and self.map_bits < self.blocks:
            raise ValueError(
                f"map_bits must be at least {self.blocks} (one bit for each block of "
                f"{self.block_size} bytes), not {self.map_bits!r}; give the map more bits or use "
                f"blocks of {self._fitting_block_size()} bytes")

    def _place_map(self):
        """Checks the map in the memory, and puts it on top unless it has a place."""
        if self.data_width < MAP_ROW_BITS:
            raise ValueError(f"data_width must be 32 bits or more with a map in the memory, not "
                             f"{self.data_width!r}, because its rows are 32 bits; use map='chip'")
        if self.map_bits is not None:
            raise ValueError(f"map_bits must be None with a map in the memory, not "
                             f"{self.map_bits!r}; map_cache says how many rows are kept on chip")
        if self.map_latency != 1:
            raise ValueError(f"map_latency must be 1 with a map in the memory, not "
                             f"{self.map_latency!r}; its rows are cached in distributed RAM")
        if not _is_power_of_two(self.map_cache) or not 2 <= self.map_cache <= 1024:
            raise ValueError(f"map_cache must be a power of two from 2 to 1024, "
                             f"not {self.map_cache!r}")
        size = self.map_blocks * self.block_size
        if size >= self.memory_size:
            raise ValueError(f"memory_size must be more than the {size:#x} bytes of the map in it, "
                             f"not {self.memory_size:#x}; guard more, or use map='chip'")
        end = self.memory_base + self.memory_size
        if self.map_base is None:
            object.__setattr__(self, "map_base", end - size)
        if self.map_base % self.block_size:
            raise ValueError(
                f"map_base must be a multiple of block_size ({self.block_size:#x}), not "
                f"{self.map_base:#x}; use {self.map_base // self.block_size * self.block_size:#x}")
        if not self.memory_base <= self.map_base <= end - size:
            raise ValueError(
                f"map_base must be {self.memory_base:#x} to {end - size:#x}, so that {size:#x} "
                f"bytes of map are in the memory, not {self.map_base:#x}; leave it out for "
                f"{end - size:#x}")

    def _fitting_block_size(self):
        size = self.block_size
        while self.map_bits and self.memory_size // size > self.map_bits:
            size *= 2
        return size

    def _default_jobs(self):
        """As many as fill the buffer, and two for the held writes of each port; but of more than 16
        only those that full rate takes at L = 32, and one a port.

        What a job costs is a block's number that each look compares with another, and its place in
        all that chooses among jobs; so there are no more than are of use.
        """
        if self.block_beats > self.buffer_depth:
            # A job is long, so that several demands may be in work; each has notes of its beats
            return max(3 + self.ports, min(16, self.blocks + 1, _NOTES // self.block_beats))
        fill = max(self._fill_jobs(), self._copy_jobs())
        return min(64, fill + 2 * self.ports, max(16, self._other_jobs() + self.ports))

    def _fill_jobs(self):
        """Blocks whose beats fill the buffer."""
        return -(-self.buffer_depth // self.block_beats)

    def _copy_jobs(self):
        """Jobs with which the copy has its full rate at L = 32, if the buffer is large enough."""
        return 1 + min(self._other_jobs(), self._fill_jobs())

    def _other_jobs(self):
        """Blocks that are claimed in what a job lives beside the reads of its own block, at L = 32.

        Those are the L clocks of the last read and those of the last write's answer, and about 18
        inside the unit, on AXI4 those of five bursts.
        """
        axi4 = self.bus is Bus.AXI4
        life = 2 * _LATENCY + (5 * self.burst_beats + 4 if axi4 else 18)
        return -(-life // max(self.map_clocks, self.copy_clocks))
