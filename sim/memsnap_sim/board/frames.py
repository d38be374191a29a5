"""What goes over the serial line between a host and a board.

The host asks, the board answers; there is one request at a time. A request asks to read or to
write 1 to 256 words of 32 bits at addresses one after the other, within 1024 aligned bytes::

    request   0x6d, tag, address (4), words - 1, CRC (2)
              then, to write: 4 bytes a word, CRC (2) of these
    answer    0x4d, tag, then, of a read: 4 bytes a word; status, CRC (2)

Numbers are little-endian, but for the CRC: that is CRC-16/IBM-3740 of all bytes before it, its
high byte first. The tag's lowest bit is 1 to write; the others are the host's, and come back in
the answer. The status is 0, or 1 if the bus answered an access with an error; then the accesses
after it did not happen.

A board does nothing for a request before all of it has arrived whole, and does not answer one that
has not: it waits until the line has been quiet for some time (:data:`QUIET` seconds at most), then
for the byte 0x6d. So a host that has no answer waits for that long, and asks again.
"""

import binascii
import struct

__all__ = ["ANSWER", "MOST_WORDS", "QUIET", "REQUEST", "WRITE", "answer_size", "crc",
           "read_request", "write_request"]

#: First bytes.
REQUEST, ANSWER = 0x6d, 0x4d
#: The bit of the tag that asks to write.
WRITE = 1
#: Words of one request, at most.
MOST_WORDS = 256
#: Seconds without a byte after which a board gives up a request that is not whole.
QUIET = 0.1

_HEAD = struct.Struct("<BBIB")


def crc(data):
    """CRC-16/IBM-3740 (polynomial 0x1021, initial value 0xffff), as two bytes."""
    return binascii.crc_hqx(data, 0xffff).to_bytes(2, "big")


def read_request(tag, address, words):
    """The request with this tag, of which the lowest bit is left alone, to read ``words``."""
    return _head(tag & ~WRITE, address, words)


def write_request(tag, address, data):
    """The request to write the bytes ``data``, whole words."""
    return _head(tag | WRITE, address, len(data) // 4) + data + crc(data)


def answer_size(words):
    """Bytes of an answer with so many words of data: 0 for one to a write."""
    return 2 + 4 * words + 3


def _head(tag, address, words):
    last = address + 4 * words - 1
    if address % 4 or not 1 <= words <= MOST_WORDS or address // 1024 != last // 1024:
        raise ValueError(f"words must be 1 to {MOST_WORDS} within 1024 aligned bytes, not {words} "
                         f"at {address:#x}")
    head = _HEAD.pack(REQUEST, tag, address, words - 1)
    return head + crc(head)
