"""The method in plain Python: what the unit does, without a bus, a clock or a buffer.

It is the oracle that the hardware is compared with, and it is meant to be read: a snapshot of a
memory that goes on being written is the memory as it was at the *instant*, because no block is
changed before it is copied.
"""

import enum

__all__ = ["Kind", "Snapshot", "State", "blocks_of"]


class State(enum.Enum):
    """Where a snapshot is in its life."""

    IDLE = "idle"            #: nothing was started
    RUNNING = "running"      #: past the instant, blocks are left to copy
    DONE = "done"            #: the shadow is the memory at the instant
    CANCELLED = "cancelled"  #: given up on request
    FAILED = "failed"        #: a block could not be copied


class Kind(enum.Enum):
    """Why a block was copied."""

    DEMAND = "demand"          #: a write to it was about to happen
    INITIAL = "initial"        #: it is part of a configured region
    BACKGROUND = "background"  #: it was its turn


def blocks_of(base, limit, block_size):
    """The blocks that hold the bytes from ``base`` to ``limit``, both included."""
    return range(base // block_size, limit // block_size + 1)


class Snapshot:
    """Snapshots of one memory, one after another.

    Whoever writes the memory calls :meth:`before_write` first (or uses :meth:`write`, which does).
    Whoever has time calls :meth:`step`. Any interleaving of the two gives the same image.

    Parameters
    ----------
    memory : bytearray
        The guarded memory; a whole number of blocks.
    shadow : bytearray
        Where the image goes, as large as the memory.
    block_size : int
        Bytes of a block, a power of two.
    bad_blocks : iterable of int
        Blocks that cannot be copied: the first attempt fails the snapshot.

    Raises
    ------
    ValueError
        The sizes do not fit together.
    """

    def __init__(self, memory, shadow, *, block_size, bad_blocks=()):
        if block_size <= 0 or block_size & (block_size - 1):
            raise ValueError(f"block_size must be a power of two, not {block_size!r}")
        if not memory or len(memory) % block_size:
            raise ValueError(f"memory must be a whole number of blocks of {block_size} bytes, "
                             f"not {len(memory)} bytes")
        if len(shadow) != len(memory):
            raise ValueError(f"shadow must be as large as the memory ({len(memory)} bytes), "
                             f"not {len(shadow)} bytes")
        self.memory = memory
        self.shadow = shadow
        self.block_size = block_size
        self.blocks = len(memory) // block_size
        self.bad_blocks = frozenset(bad_blocks)
        self.copied = [False] * self.blocks     # the copy map
        self.history = []                       # (block, Kind) in the order of copying
        self.state = State.IDLE
        self.fail_block = None
        self._initial = []

    def start(self, regions=()):
        """The instant. From here on, what the memory holds now is what the image will show.

        Parameters
        ----------
        regions : iterable of (int, int)
            First and last byte of each portion that is copied before everything else.

        Raises
        ------
        RuntimeError
            A snapshot is running.
        ValueError
            A region is not within the memory; nothing has changed.
        """
        if self.state is State.RUNNING:
            raise RuntimeError("start must wait until the running snapshot has ended")
        regions = list(regions)
        for base, limit in regions:
            if not 0 <= base <= limit < len(self.memory):
                raise ValueError(f"region must lie within 0x0 to {len(self.memory) - 1:#x}, "
                                 f"first byte first, not {base:#x} to {limit:#x}")
        self.copied = [False] * self.blocks
        self.history = []
        self.fail_block = None
        self.state = State.RUNNING
        self._initial = [block for base, limit in regions
                         for block in blocks_of(base, limit, self.block_size)]

    def before_write(self, address, length=1):
        """Copies each block that a write is about to change and that is not copied yet."""
        if length:
            for block in blocks_of(address, address + length - 1, self.block_size):
                if self.state is State.RUNNING and not self.copied[block]:
                    self._copy(block, Kind.DEMAND)

    def write(self, address, data):
        """A write of the running system: copy before write, then the write itself."""
        self.before_write(address, len(data))
        self.memory[address:address + len(data)] = data

    def step(self):
        """Copies one more block: the configured regions first, then the rest in order.

        Returns the block, or None when there was nothing left to do.
        """
        if self.state is not State.RUNNING:
            return None
        while self._initial:
            block = self._initial.pop(0)
            if not self.copied[block]:
                self._copy(block, Kind.INITIAL)
                return block
        block = self.copied.index(False)
        self._copy(block, Kind.BACKGROUND)
        return block

    def run(self):
        """Copies everything that is left, and returns the final state."""
        while self.state is State.RUNNING:
            self.step()
        return self.state

    def cancel(self):
        """Gives up: the memory is as the system left it, the image is incomplete."""
        if self.state is State.RUNNING:
            self.state = State.CANCELLED

    def block_of(self, storage, block):
        """The bytes of ``block`` in the memory or in the shadow."""
        return bytes(storage[block * self.block_size:(block + 1) * self.block_size])

    def _copy(self, block, kind):
        if block in self.bad_blocks:
            self.state = State.FAILED
            self.fail_block = block
            return
        place = slice(block * self.block_size, (block + 1) * self.block_size)
        self.shadow[place] = self.memory[place]
        self.copied[block] = True               # only now: the copy is safe
        self.history.append((block, kind))
        if all(self.copied):
            self.state = State.DONE
