"""Words of a board's address space, read and written over a serial line."""

import time

import serial
from memsnap.driver import BusError
from serial.tools import list_ports

from ..board.frames import (
    ANSWER,
    MOST_WORDS,
    QUIET,
    WRITE,
    answer_size,
    crc,
    read_request,
    write_request,
)
from ..errors import InputError

__all__ = ["BAUD", "LinkError", "SerialLink", "UnansweredError"]

#: The rate of our boards.
BAUD = 1_000_000
_WINDOW = 4 * MOST_WORDS


class LinkError(InputError):
    """The line cannot be used; the text says why and what to do."""


class UnansweredError(LinkError):
    """A board did not answer, or not in words that can be understood."""


class SerialLink:
    """Requests to a board, and its answers.

    Parameters
    ----------
    port : str
        Such as ``/dev/ttyUSB1`` or ``COM3``, or one of pyserial's URLs.
    baud : int
    patience : float
        Seconds without a byte after which an answer no longer is waited for.
    tries : int
        How often a request is made.

    Raises
    ------
    LinkError
        The port cannot be opened.
    """

    def __init__(self, port, *, baud=BAUD, patience=1.0, tries=3):
        self.port, self.baud = port, baud
        self._tries = tries
        self._tag = 0
        self._heard = 0         # bytes that made no answer
        try:
            self._serial = serial.serial_for_url(port, baud, timeout=patience,
                                                 write_timeout=patience, exclusive=True)
        except (serial.SerialException, ValueError) as error:
            raise LinkError(_cannot_open(port, error)) from None
        self._serial.reset_input_buffer()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        """Gives the port back."""
        self._serial.close()

    def read(self, address, size, progress=lambda done: None):
        """The ``size`` bytes at ``address``, both multiples of 4.

        ``progress(done)`` is told the bytes so far. Raises :class:`BusError` where the board's bus
        answers with an error.
        """
        content = bytearray()
        while len(content) < size:
            at = address + len(content)
            words = min(size - len(content), _WINDOW - at % _WINDOW) // 4
            content += self._exchange(read_request, at, words, words)
            progress(len(content))
        return bytes(content)

    def write(self, address, data, progress=lambda done: None):
        """Writes whole words at ``address``; see :meth:`read`.

        They may be written more than once: where that matters, use :meth:`write32`.
        """
        done = 0
        while done < len(data):
            at = address + done
            part = data[done:done + _WINDOW - at % _WINDOW]
            self._exchange(write_request, at, part, 0)
            done += len(part)
            progress(done)

    def read32(self, address):
        """The word at ``address``."""
        return int.from_bytes(self.read(address, 4), "little")

    def write32(self, address, value):
        """Writes a word, once: an answer that is lost is an error."""
        self._exchange(write_request, address, value.to_bytes(4, "little"), 0, tries=1)

    def _exchange(self, make, address, what, words, tries=None):
        """The data of the answer to a request, of so many words."""
        for _ in range(tries or self._tries):
            self._tag = (self._tag + 2) & 0xff
            request = make(self._tag, address, what)
            try:
                self._serial.write(request)
                answer = self._answer(request[1], words)
            except serial.SerialTimeoutException:
                answer = None
            except (serial.SerialException, OSError) as error:
                raise LinkError(f"{self.port} is gone: {_reason(error)}") from None
            if answer is not None:
                if answer[-3]:
                    what = "write" if request[1] & WRITE else "read"
                    raise BusError(f"the board's bus answered a {what} at {address:#x} with an "
                                   f"error")
                return answer[2:-3]
            self._settle()
        raise UnansweredError(self._complaint())

    def _answer(self, tag, words):
        """A whole answer with this tag, or None."""
        size = answer_size(words)
        answer = b""
        while True:
            more = self._serial.read(size - len(answer))
            if not more:
                self._heard += len(answer)
                return None
            answer += more
            # Behind what is no answer to this request there may be one
            while answer and not (answer[0] == ANSWER and answer[1:2] in (b"", bytes([tag]))):
                answer = answer[1:]
                self._heard += 1
            if len(answer) == size:
                if crc(answer[:-2]) == answer[-2:]:
                    return answer
                self._heard += size
                return None

    def _settle(self):
        """Waits until the board has given up what was not whole, and nothing more comes."""
        end = time.monotonic() + QUIET
        while time.monotonic() < end:
            time.sleep(QUIET / 4)
            if waiting := self._serial.in_waiting:
                self._heard += len(self._serial.read(waiting))
                end = time.monotonic() + QUIET

    def _complaint(self):
        if self._heard:
            return (f"what comes from {self.port} at {self.baud} baud is no answer: give the "
                    f"board's rate with --baud (usually {BAUD}), or its port, if it is another one")
        return (f"no answer from {self.port} at {self.baud} baud: is this the board's port, is "
                f"its bitstream loaded, and is its rate right (usually {BAUD})?")


def _reason(error):
    return getattr(error, "strerror", None) or str(error)


def _cannot_open(port, error):
    """What to tell of a port that does not open."""
    import errno
    code = getattr(error, "errno", None)
    if code == errno.EACCES:
        return (f"no permission to open {port}: add yourself to the group that owns it (often "
                f"dialout), and log in anew")
    if code in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        others = sorted(each.device for each in list_ports.comports())
        return (f"no such port: {port}; there " + (f"are {', '.join(others)}" if others else
                "is no serial port here: is the board plugged in?"))
    if code in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in str(error):
        return f"{port} is in use by another program: close that one"
    return f"{port} cannot be opened: {_reason(error)}"
