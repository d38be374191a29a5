"""An IO DMA device for Amaranth's simulator, and the software that serves it.

The two share a ring of descriptors in the memory. A descriptor is four words of 32 bits,
little-endian:

====== ======= ===============================================================================
byte   field
====== ======= ===============================================================================
0      address of the buffer, in bytes
4      length  of the buffer in bytes; the device puts that of its packet there
8      number  of the packet, from 0
12     flags   :data:`OWNED` by the device; it puts :data:`DONE` there, maybe :data:`ERROR`
====== ======= ===============================================================================

The device fills the slots in turn: it reads a descriptor until it is its own, writes a packet to
the buffer, and writes the descriptor back, its flags last.
"""

from dataclasses import dataclass

from .pauses import never
from .wishbone import Access

__all__ = ["DONE", "ERROR", "OWNED", "DmaDevice", "DmaDriver", "Ring", "packet"]

OWNED, DONE, ERROR = 1, 2, 4
#: Bytes of a descriptor.
DESCRIPTOR = 16
_LENGTH, _FLAGS = 4, 12
_WORD = 0xffffffff


def packet(number, length):
    """The content of a packet: its number, and words of 32 bits that all differ, cut to length."""
    words = -(-length // 4)
    return b"".join((number * 0x9e3779b1 + index * 0x85ebca6b & _WORD if index else number)
                    .to_bytes(4, "little") for index in range(words))[:length]


@dataclass(frozen=True, kw_only=True)
class Ring:
    """Where descriptors and buffers are.

    Parameters
    ----------
    base : int
        Byte address of the descriptors, a multiple of 16.
    slots : int
    buffers : int
        Byte address of the buffers, which follow each other.
    buffer_size : int
        Bytes of each, a multiple of 4.
    """

    base: int
    slots: int
    buffers: int
    buffer_size: int

    def __post_init__(self):
        if self.base % DESCRIPTOR:
            raise ValueError(f"base must be a multiple of {DESCRIPTOR}, not {self.base:#x}")
        if self.slots < 1:
            raise ValueError(f"slots must be at least 1, not {self.slots!r}")
        if self.buffer_size < 4 or self.buffer_size % 4:
            raise ValueError(f"buffer_size must be a multiple of 4 bytes, not "
                             f"{self.buffer_size!r}")
        if self.buffers % 4:
            raise ValueError(f"buffers must be a multiple of 4, not {self.buffers:#x}")
        (first, last), (other, end) = self.regions
        if first <= end and other <= last:
            raise ValueError(f"buffers must not overlap the descriptors at {first:#x} to "
                             f"{last:#x}, not {self.buffers:#x}")

    @property
    def regions(self):
        """First and last byte of the descriptors, and of the buffers."""
        return ((self.base, self.base + self.slots * DESCRIPTOR - 1),
                (self.buffers, self.buffers + self.slots * self.buffer_size - 1))

    def descriptor(self, slot):
        """Byte address of a slot's descriptor."""
        return self.base + slot * DESCRIPTOR

    def buffer(self, slot):
        """Byte address of a slot's buffer."""
        return self.buffers + slot * self.buffer_size

    def put_into(self, image):
        """The image of a memory (bytes, from address 0) with all descriptors the device's own."""
        image = bytearray(image)
        for slot in range(self.slots):
            at = self.descriptor(slot)
            image[at:at + DESCRIPTOR] = _pack(self.buffer(slot), self.buffer_size, 0, OWNED)
        return bytes(image)


class _Master:
    """Reads and writes of any bytes, as parts of a generator of accesses."""

    def __init__(self, bus):
        self.bytes = len(bus.sel)

    def _read(self, address, size):
        """Reads bytes; gives them, or None where an answer was no ``ack``."""
        spans = list(self._spans(address, size))
        accesses = [Access(adr, sel=(1 << last) - (1 << first)) for adr, first, last in spans]
        good = yield from self._all(accesses, never)
        if not good:
            return None
        return b"".join(access.data_r.to_bytes(self.bytes, "little")[first:last]
                        for access, (_, first, last) in zip(accesses, spans, strict=True))

    def _write(self, address, content, gap=never):
        """Writes bytes; gives whether all was answered with ``ack``."""
        content, accesses = memoryview(content), []
        for adr, first, last in self._spans(address, len(content)):
            part, content = content[:last - first], content[last - first:]
            accesses.append(Access(adr, True, int.from_bytes(part, "little") << 8 * first,
                                   (1 << last) - (1 << first)))
        return (yield from self._all(accesses, gap))

    def _all(self, accesses, gap):
        """Requests accesses and waits until all are answered."""
        for access in accesses:
            access.gap = gap()
            yield access
        while any(access.answered is None for access in accesses):
            yield None
        return all(access.response == "ack" for access in accesses)

    def _spans(self, address, size):
        """The words that bytes lie in: (word address, first lane, lane after the last)."""
        end = address + size
        while address < end:
            first = address % self.bytes
            last = min(self.bytes, first + end - address)
            yield address // self.bytes, first, last
            address += last - first


class DmaDevice(_Master):
    """The device: :meth:`traffic` is for an :class:`Initiator` on any Wishbone bus.

    Parameters
    ----------
    bus : Wishbone interface
    ring : Ring
    length : callable or None
        Gives each packet's bytes, 1 to ``ring.buffer_size``; see :mod:`pauses`. By default all of
        the buffer.
    gap, rest : callable
        Clocks before each write of a packet, and before each packet.
    packets : int or None
        After so many the device stops; None for never.

    Attributes
    ----------
    sent : list of (int, int)
        Number and bytes of each packet that was written back.
    """

    #: Clocks from one look at a descriptor that is not the device's to the next.
    POLL = 12

    def __init__(self, bus, ring, *, length=None, gap=never, rest=never, packets=None):
        super().__init__(bus)
        self.ring = ring
        self.length = length or (lambda: ring.buffer_size)
        self.gap = gap
        self.rest = rest
        self.packets = packets
        self.sent = []

    def traffic(self):
        """The device's accesses, and None where it waits."""
        while self.packets is None or len(self.sent) < self.packets:
            yield from self._wait(self.rest())
            slot = len(self.sent) % self.ring.slots
            fields = yield from self._owned(slot)
            yield from self._send(slot, *fields)

    def _owned(self, slot):
        """Looks at a descriptor until it is the device's; gives its address and length."""
        while True:
            content = yield from self._read(self.ring.descriptor(slot), DESCRIPTOR)
            if content is not None:
                address, length, _, flags = _unpack(content)
                if flags & OWNED:
                    return address, length
            yield from self._wait(self.POLL)

    def _send(self, slot, address, most):
        number = len(self.sent)
        length = min(most, self.length())
        good = yield from self._write(address, packet(number, length), self.gap)
        content = _pack(address, length, number, DONE | (0 if good else ERROR))
        descriptor = self.ring.descriptor(slot)
        yield from self._write(descriptor + _LENGTH, content[_LENGTH:])
        self.sent.append((number, length))

    def _wait(self, clocks):
        for _ in range(clocks):
            yield None


class DmaDriver(_Master):
    """The software's side: takes packets in turn, checks them, gives their slots back.

    Parameters
    ----------
    bus, ring
        As for :class:`DmaDevice`, of another initiator of the same memory.
    work : iterable of Access
        What it does while there is no packet.
    most : int or None
        Slots that are given back; None for all.

    Attributes
    ----------
    received : list of (int, int)
        Number and bytes of each packet.
    wrong : list of str
        What was not as it should be.
    """

    def __init__(self, bus, ring, *, work=(), most=None):
        super().__init__(bus)
        self.ring = ring
        self.work = iter(work)
        self.most = most
        self.received = []
        self.wrong = []

    def traffic(self):
        """The driver's accesses, and None where it waits."""
        while True:
            slot = len(self.received) % self.ring.slots
            content = yield from self._read(self.ring.descriptor(slot), DESCRIPTOR)
            address, length, number, flags = _unpack(content or bytes(DESCRIPTOR))
            if not flags & DONE:
                yield next(self.work, None)
                continue
            payload = yield from self._read(address, length)
            self._check(number, length, flags, payload)
            self.received.append((number, length))
            if self.most is not None and len(self.received) > self.most:
                continue
            again = _pack(self.ring.buffer(slot), self.ring.buffer_size, 0, 0)[_LENGTH:_FLAGS]
            descriptor = self.ring.descriptor(slot)
            yield from self._write(descriptor + _LENGTH, again)
            yield from self._write(descriptor + _FLAGS, OWNED.to_bytes(4, "little"))

    def _check(self, number, length, flags, payload):
        due = len(self.received)
        if number != due:
            self.wrong.append(f"packet {number} came instead of {due}")
        if flags & ERROR:
            self.wrong.append(f"packet {number} has an error")
        if payload != packet(number, length):
            self.wrong.append(f"packet {number} of {length} bytes has a wrong content")


def _pack(*words):
    return b"".join(word.to_bytes(4, "little") for word in words)


def _unpack(content):
    return [int.from_bytes(content[at:at + 4], "little") for at in range(0, len(content), 4)]
