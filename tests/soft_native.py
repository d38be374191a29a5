"""The C implementation of the method as a library of this machine, side by side with its oracle.

:class:`Pair` lets ``sw/lib/memsnap_soft.c`` and :class:`memsnap_sim.reference.Snapshot` do the
same, and compares all that one can see after each call.
"""

import ctypes
import random
import shutil
import subprocess
import sys
from pathlib import Path

from memsnap_sim.reference import Kind, Snapshot, State, blocks_of

SW = Path(__file__).resolve().parents[1] / "sw"
HEADER, SOURCE = SW / "include/memsnap_soft.h", SW / "lib/memsnap_soft.c"
STRICT = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic")
STATES = (State.IDLE, State.RUNNING, State.DONE, State.CANCELLED, State.FAILED)
KINDS = (Kind.DEMAND, Kind.INITIAL, Kind.BACKGROUND)
ARENA = 1 << 16

COPY = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p,
                        ctypes.c_size_t)


class Config(ctypes.Structure):
    _fields_ = [("memory", ctypes.c_void_p), ("size", ctypes.c_size_t),
                ("shadow", ctypes.c_void_p), ("block_size", ctypes.c_size_t),
                ("map", ctypes.c_void_p), ("map_bytes", ctypes.c_size_t),
                ("copy", COPY), ("context", ctypes.c_void_p)]


class Soft(ctypes.Structure):
    _fields_ = [("config", Config), ("block_shift", ctypes.c_uint), ("state", ctypes.c_int),
                ("blocks", ctypes.c_size_t), ("left", ctypes.c_size_t), ("next", ctypes.c_size_t),
                ("fail_block", ctypes.c_size_t), ("copied", ctypes.c_size_t * 3)]


class Range(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("bytes", ctypes.c_size_t)]


def compiler():
    """The command of this machine's C compiler, or of the packaged one."""
    return ["cc"] if shutil.which("cc") else [sys.executable, "-m", "ziglang", "cc"]


def compile_library(place, text=None, command=None):
    """Compiles the implementation, or ``text`` in its stead, in the directory ``place``."""
    source = place / "memsnap_soft.c"
    source.write_text(f"{text or SOURCE.read_text()}\nextern const size_t soft_size;\n"
                      "const size_t soft_size = sizeof(memsnap_soft);\n")
    library = place / "libsoft.so"
    subprocess.run([*(command or compiler()), *STRICT, "-O2", "-fPIC", "-shared",
                    f"-I{HEADER.parent}", source, "-o", library], check=True)
    soft = ctypes.CDLL(str(library))
    pointer, size = ctypes.c_void_p, ctypes.c_size_t
    for name, result, arguments in (
            ("init", ctypes.c_int, (pointer, pointer)),
            ("start", ctypes.c_int, (pointer, pointer, size)),
            ("before_write", ctypes.c_int, (pointer, pointer, size)),
            ("before_block", ctypes.c_int, (pointer, size)),
            ("protected", ctypes.c_int, (pointer, pointer, size)),
            ("step", size, (pointer, size)), ("cancel", None, (pointer,)),
            ("clear", ctypes.c_int, (pointer,)), ("is_copied", ctypes.c_int, (pointer, size)),
            ("error_text", ctypes.c_char_p, (ctypes.c_int,))):
        function = getattr(soft, f"memsnap_soft_{name}")
        function.restype, function.argtypes = result, arguments
    assert size.in_dll(soft, "soft_size").value == ctypes.sizeof(Soft)
    return soft


def map_bytes(size, block_size):
    return (size // block_size + 31) // 32 * 4


class Arena:
    """Addresses to lay things out at: ``ARENA`` bytes, aligned to 4096."""

    def __init__(self):
        self._raw = ctypes.create_string_buffer(ARENA + 4096)
        self.base = -(-ctypes.addressof(self._raw) // 4096) * 4096

    def view(self, offset, size):
        """A buffer that shares the bytes."""
        return (ctypes.c_ubyte * size).from_address(self.base + offset)


class Pair:
    """The implementation and its oracle on equal memories.

    ``map_at`` and ``soft_at`` are offsets in the memory, or None for a place apart. With ``hook``
    the blocks are copied by a function of ours, which sees their order and fails at ``bad_blocks``.
    """

    def __init__(self, library, *, size, block_size, content, map_at=None, soft_at=None, hook=True,
                 bad_blocks=()):
        self.library, self.size, self.block_size = library, size, block_size
        self.arena = Arena()
        self.memory = self.arena.view(ARENA // 4, size)
        self.shadow = self.arena.view(ARENA // 2, size)
        self.memory[:] = content
        inside = ctypes.addressof(self.memory)
        self.map_address = self.arena.base if map_at is None else inside + map_at
        self.soft_address = (self.arena.base + ARENA // 8 if soft_at is None
                             else inside + soft_at)
        self.soft = Soft.from_address(self.soft_address)
        self.map_bytes = map_bytes(size, block_size)
        self.own = [(at, at + bytes_ - 1) for at, bytes_ in (
            (map_at, self.map_bytes), (soft_at, ctypes.sizeof(Soft))) if at is not None]
        self.order, self.faults, self.starting = [], [], False
        self.hook = hook
        self._copy = COPY(self._copied) if hook else COPY()
        self.oracle = Snapshot(bytearray(content), bytearray(size), block_size=block_size,
                               bad_blocks=bad_blocks)
        config = Config(inside, size, ctypes.addressof(self.shadow), block_size,
                        self.map_address, self.map_bytes, self._copy, None)
        assert library.memsnap_soft_init(self.soft_address, ctypes.byref(config)) == 0

    def _copied(self, context, to, source, size):
        block, rest = divmod(source - ctypes.addressof(self.memory), self.block_size)
        if (rest or size != self.block_size
                or to - ctypes.addressof(self.shadow) != block * self.block_size):
            self.faults.append(f"copied {size} bytes from {source:#x} to {to:#x}")
        if self.starting and self._is_own(block):
            if bytes(self.memory) != self.image:
                self.faults.append(f"memory changed before block {block} of map or state was safe")
        elif self.bit(block):
            self.faults.append(f"the bit of block {block} was set before it was copied")
        if block in self.oracle.bad_blocks:
            return 1
        ctypes.memmove(to, source, size)
        self.order.append(block)
        return 0

    def _is_own(self, block):
        return any(block in blocks_of(*own, self.block_size) for own in self.own)

    def bit(self, block):
        """The map's bit, as the memory has it."""
        return ctypes.c_uint32.from_address(self.map_address + block // 32 * 4
                                            ).value >> block % 32 & 1

    def hits_own(self, address, length):
        return any(first < address + length and address <= last for first, last in self.own)

    def start(self, ranges):
        """A start with ranges of (first, last); then both have copied the initial blocks."""
        self.image = bytes(self.memory)
        self.oracle.memory[:] = self.image
        self.order.clear()
        given = (Range * len(ranges))(*(
            Range(ctypes.addressof(self.memory) + first, last - first + 1)
            for first, last in ranges))
        self.starting = True
        error = self.library.memsnap_soft_start(self.soft_address, given, len(ranges))
        self.starting = False
        self.oracle.start([*self.own, *ranges])
        initial = self.oracle._initial
        while (self.oracle.state is State.RUNNING
               and not all(self.oracle.copied[block] for block in initial)):
            self.oracle.step()
        self.compare()
        assert (error != 0) == (self.oracle.state is State.FAILED)

    def write(self, address, data):
        """A write to bytes of the memory that are not the map's or the state's."""
        assert not self.hits_own(address, len(data))
        at = ctypes.addressof(self.memory) + address
        blocks = blocks_of(address, address + len(data) - 1, self.block_size) if data else ()
        if len(blocks) == 1 and data[0] & 1:
            error = self.library.memsnap_soft_before_block(self.soft_address, blocks[0])
        else:
            error = self.library.memsnap_soft_before_write(self.soft_address, at, len(data))
        before = self.oracle.state
        self.memory[address:address + len(data)] = data
        self.oracle.write(address, data)
        self.compare()
        assert (error != 0) == (before is not self.oracle.state is State.FAILED)

    def step(self, most):
        done = self.library.memsnap_soft_step(self.soft_address, most)
        before = len(self.oracle.history)
        for _ in range(most):
            self.oracle.step()
        self.compare()
        assert done == len(self.oracle.history) - before

    def cancel(self):
        self.library.memsnap_soft_cancel(self.soft_address)
        self.oracle.cancel()
        self.compare()

    def compare(self):
        """All that one can see, in both."""
        oracle, soft = self.oracle, self.soft
        assert self.faults == []
        assert STATES[soft.state] is oracle.state
        assert bytes(self.shadow) == oracle.shadow
        assert [self.library.memsnap_soft_is_copied(self.soft_address, block)
                for block in range(oracle.blocks + 1)] == [*oracle.copied, False]
        assert [self.bit(block) for block in range(oracle.blocks)] == oracle.copied
        assert soft.left == oracle.copied.count(False)
        if self.hook:
            assert self.order == [block for block, _ in oracle.history]
        assert list(soft.copied) == [sum(kind is one for _, one in oracle.history)
                                     for kind in KINDS]
        if oracle.state is State.FAILED:
            assert soft.fail_block == oracle.fail_block
        if oracle.state is State.DONE:
            assert bytes(self.shadow) == self.image
        kept = bytearray(self.memory)
        for first, last in self.own:
            kept[first:last + 1] = oracle.memory[first:last + 1]
        assert kept == oracle.memory


def random_pair(library, rng):
    """A pair of random sizes, with map and state in the memory or apart."""
    block_size = 1 << rng.randint(2, 9)
    size = block_size * rng.choice((1, rng.randint(1, 31), 32, 33, rng.randint(2, 70)))
    size = min(size, ARENA // 4 // block_size * block_size)
    needs, soft = map_bytes(size, block_size), ctypes.sizeof(Soft)
    map_at = soft_at = None
    if needs <= size and rng.random() < 0.6:
        map_at = rng.randint(0, (size - needs) // 4) * 4
    if soft + 8 <= size and rng.random() < 0.3:
        soft_at = rng.randint(0, (size - soft) // 8) * 8
        if map_at is not None and soft_at < map_at + needs and map_at < soft_at + soft:
            soft_at = None
    hook = rng.random() < 0.8
    bad = {rng.randrange(size // block_size)} if hook and rng.random() < 0.15 else ()
    return Pair(library, size=size, block_size=block_size, content=rng.randbytes(size),
                map_at=map_at, soft_at=soft_at, hook=hook, bad_blocks=bad)


def random_snapshot(pair, rng):
    """One snapshot with writes before, during and after it."""
    ranges = []
    for _ in range(rng.choice((0, 0, 1, 2, 3))):
        last = rng.randrange(pair.size)
        ranges.append((rng.randint(max(0, last - 4 * pair.block_size), last), last))
    pair.start(ranges)
    for _ in range(rng.randint(0, 40)):
        if rng.random() < 0.35:
            pair.step(rng.choice((1, 1, 2, 5)))
        elif rng.random() < 0.01:
            pair.cancel()
        else:
            address = rng.randrange(pair.size)
            length = min(pair.size - address, rng.choice((0, 1, 1, 4, 4, 2 * pair.block_size)))
            if not pair.hits_own(address, length):
                pair.write(address, rng.randbytes(length))
    if rng.random() < 0.8:
        pair.step(pair.size // pair.block_size)
    else:
        pair.cancel()


def check(library, seed, pairs):
    """Random pairs, each with several snapshots in a row; an AssertionError tells a difference."""
    rng = random.Random(seed)
    for _ in range(pairs):
        pair = random_pair(library, rng)
        for _ in range(rng.randint(1, 4)):
            random_snapshot(pair, rng)
