"""A board, as its host sees it: CPU, memory, unit."""

import difflib
from dataclasses import dataclass
from pathlib import Path

from memsnap.driver import BusError, SnapshotDriver, SnapshotError

from ..board.devices import BOARD_ID, CHARACTER, CHARACTERS, Device, Flag
from ..board.interconnect import DEVICES, REGISTERS
from ..elf import load
from ..errors import InputError
from ..toolchain import PROGRAMS, build_program
from .link import LinkError

__all__ = ["Board", "Image"]

#: Characters that one request asks for.
_AT_ONCE = 64


@dataclass(frozen=True)
class Image:
    """A whole image: its bytes, their first address, and the clock that they are of.

    ``pc`` is the address of the instruction that the CPU had fetched last.
    """

    content: bytes
    base: int
    instant: int
    pc: int


class _Registers:
    """The unit's registers, for the driver."""

    def __init__(self, link):
        self._link = link

    def read32(self, offset):
        return self._link.read32(REGISTERS + offset)

    def write32(self, offset, value):
        self._link.write32(REGISTERS + offset, value)


class Board:
    """A board at the end of a line.

    Parameters
    ----------
    link : SerialLink

    Attributes
    ----------
    unit : SnapshotDriver
    capabilities : Capabilities
    clock_hz : int

    Raises
    ------
    LinkError
        What answers is no board of ours.
    """

    def __init__(self, link):
        self._link = link
        try:
            found = self._get(Device.ID)
        except BusError:
            found = None
        if found != BOARD_ID:
            raise LinkError(f"what answers at {link.port} is not a board of memsnap's: program it "
                            f"with the bitstream that `make board` makes")
        self.clock_hz = self._get(Device.CLOCK)
        self.unit = SnapshotDriver(_Registers(link))
        self.capabilities = self.unit.capabilities()

    # The CPU and its program ----------------------------------------------------------------------

    @property
    def running(self):
        """Whether the CPU is let run."""
        return bool(self._get(Device.CONTROL))

    @property
    def flags(self):
        """The :class:`Flag` that are set."""
        return Flag(self._get(Device.STATUS))

    @property
    def exit_code(self):
        """The code that the program has ended with, or None."""
        return self._get(Device.EXIT) if self.flags & Flag.ENDED else None

    def find(self, name):
        """The :class:`~memsnap_sim.elf.Program` in a file, or of ours, for this board's CPU."""
        caps = self.capabilities
        path = Path(name)
        if not path.exists() and path.name == str(name) and not path.suffix:
            if name not in PROGRAMS:
                near = difflib.get_close_matches(name, PROGRAMS, 1)
                hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(PROGRAMS)}"
                raise InputError(f"no file and no program is named {name!r}: {hint}")
            path = build_program(name, memory_size=caps.memory_size,
                                 multiply=bool(self.flags & Flag.MULTIPLIES))
        program = load(path, base=caps.memory_base, size=caps.memory_size)
        if program.entry != 0:
            raise InputError(f"{path} begins at {program.entry:#x}, but the CPU at 0: link it with "
                             f"its first instruction there")
        return program

    def load(self, program, variables=None, progress=lambda done, total: None):
        """Stops the CPU and puts a program into the memory.

        ``variables`` maps names of words of the program to other values than it gives them.
        """
        self.halt()
        segments = [(base, bytearray(content)) for base, content in program.segments]
        for name, value in (variables or {}).items():
            _set(program, segments, name, value)
        total, done = sum(len(content) for _, content in segments), 0
        for base, content in segments:
            start, end = base & ~3, -(-(base + len(content)) // 4) * 4
            padded = content.rjust(base + len(content) - start, b"\0").ljust(end - start, b"\0")
            self._link.write(start, bytes(padded),
                             lambda now, past=done: progress(past + now, total))
            done += len(content)

    def run(self):
        """Lets the CPU run, from the program's beginning if it stood still."""
        self._put(Device.CONTROL, 1)

    def halt(self):
        """Stops the CPU, and resets it."""
        self._put(Device.CONTROL, 0)

    def characters(self):
        """What the program has printed since the last call, as bytes."""
        text = bytearray()
        while True:
            words = self._link.read(DEVICES + 4 * CHARACTERS, 4 * _AT_ONCE)
            for at in range(0, len(words), 4):
                word = int.from_bytes(words[at:at + 4], "little")
                if not word & CHARACTER:
                    return bytes(text)
                text.append(word & 0xff)

    # The image ------------------------------------------------------------------------------------

    def image(self, progress=lambda done: None):
        """The :class:`Image` of a snapshot that is done. Raises SnapshotError if there is none."""
        caps = self.capabilities
        before = self._whole()
        pc = self._get(Device.PC)
        content = self._link.read(caps.shadow_base, caps.memory_size, progress)
        if self._whole() != before:
            raise SnapshotError("another snapshot began while the image was read; read it again")
        return Image(content, caps.memory_base, before, pc)

    def _whole(self):
        """The instant of the image that there is."""
        status = self.unit.status()
        if not status.done:
            raise SnapshotError(
                f"the image is not complete, the unit is in state {status.state.name}: "
                + ("wait for the end" if status.active else "start a snapshot and wait for it"))
        return self.unit.counters(latch=False).instant

    def _get(self, device):
        return self._link.read32(DEVICES + 4 * device)

    def _put(self, device, value):
        self._link.write32(DEVICES + 4 * device, value)


def _set(program, segments, name, value):
    address, size = program.symbol(name)
    if size != 4:
        raise InputError(f"{name} has {size} bytes: what can be set is a word of 4")
    for base, content in segments:
        if base <= address and address + size <= base + len(content):
            content[address - base:address - base + size] = value.to_bytes(size, "little")
            return
    raise InputError(f"{name} has no value in {program.path.name}, because the program clears it "
                     f"at its start: give it an initial value that is not 0")
