"""How long a memory takes: always the same, or as a DRAM with rows, banks and refresh."""

from dataclasses import dataclass

import numpy as np

from ._compiled import compiled

__all__ = ["Dram", "FixedLatency", "burst", "latency"]

_FIXED, _DRAM = 0, 1
# Where the figures are in the array that the compiled functions get
_KIND, _CLOCKS = 0, 1
(_BANKS, _ROW_WORDS, _T_RCD, _T_RP, _T_CL, _T_WR, _T_REFI, _T_RFC, _FREE, _REFRESH,
 _ROWS) = range(1, 12)


@dataclass(frozen=True, kw_only=True)
class FixedLatency:
    """A memory that takes a request in each clock, and answers each ``clocks`` clocks later.

    Parameters
    ----------
    clocks : int
        From an accepted request to its answer, at least 1.

    Raises
    ------
    ValueError
        The latency is out of range.
    """

    clocks: int = 1

    def __post_init__(self):
        _check(self, clocks=1)

    @property
    def longest(self):
        """The most clocks that an answer may take when nothing is ahead of it."""
        return self.clocks

    def encode(self, beat_bytes):
        """The figures and the state for :func:`latency`."""
        return np.array([_FIXED, self.clocks], np.int64)


@dataclass(frozen=True, kw_only=True)
class Dram:
    """A DRAM behind a controller that works on the requests in their order, rows left open.

    All times are in clocks of the unit. A request takes one beat; on AXI4 a read is a request for
    each of its beats in the clock in which its address is accepted, and a write in that of its last
    data. Of what comes in one clock the initiators' port is first, and on each a read. Consecutive
    rows are in consecutive banks. A request that comes in clock c is begun in clock c, or when the
    request before it has had its column command, whichever is later; then

    - every refresh that is due by then comes first, also if it falls due while another is done: a
      refresh is due every ``t_refi`` clocks, begins then or after the last column command before
      it, takes ``t_rp`` + ``t_rfc`` clocks, and closes all rows;
    - if the bank has another row open, that is closed: ``t_rp`` clocks;
    - if the bank has no row open then, the row is opened: ``t_rcd`` clocks;
    - the column command takes one clock, and the answer comes ``t_cl`` clocks after its clock to a
      read and ``t_wr`` clocks after it to a write; answers keep the order of the requests, one in
      a clock. On AXI4 a read's answers begin when all of them can follow in every clock, a write
      has one for its last request, and neither waits for the other.

    Parameters
    ----------
    banks : int
        A power of two.
    row_bytes : int
        Bytes of a row, a power of two.
    t_rcd, t_rp : int
        To open a row, and to close it.
    t_cl, t_wr : int
        From a column command to the answer of a read, and of a write; at least 1.
    t_refi, t_rfc : int
        From one refresh to the next (0 for no refresh), and what one takes.

    Raises
    ------
    ValueError
        A figure is out of range.
    """

    banks: int = 4
    row_bytes: int = 1024
    t_rcd: int = 2
    t_rp: int = 2
    t_cl: int = 3
    t_wr: int = 1
    t_refi: int = 780
    t_rfc: int = 7

    def __post_init__(self):
        _check(self, banks=1, row_bytes=1, t_rcd=0, t_rp=0, t_cl=1, t_wr=1, t_refi=0, t_rfc=0)
        for name in "banks", "row_bytes":
            value = getattr(self, name)
            if value & (value - 1):
                raise ValueError(f"{name} must be a power of two, not {value!r}")
        busy = self.t_rp + self.t_rfc
        if self.t_refi and self.t_refi <= busy:
            raise ValueError(f"t_refi must be more than t_rp + t_rfc ({busy} clocks), so that "
                             f"there is time for requests, not {self.t_refi!r}; 0 is for none")

    @property
    def longest(self):
        """The most clocks that an answer may take when nothing is ahead of it."""
        return 2 * self.t_rp + self.t_rfc + self.t_rcd + max(self.t_cl, self.t_wr)

    def encode(self, beat_bytes):
        """The figures and the state for :func:`latency`."""
        if self.row_bytes < beat_bytes:
            raise ValueError(f"row_bytes must be at least a beat's {beat_bytes} bytes, "
                             f"not {self.row_bytes!r}")
        figures = [_DRAM, self.banks, self.row_bytes // beat_bytes, self.t_rcd, self.t_rp,
                   self.t_cl, self.t_wr, self.t_refi, self.t_rfc, 0,
                   self.t_refi]
        return np.array(figures + [-1] * self.banks, np.int64)


def _check(timing, **least):
    for name, smallest in least.items():
        value = getattr(timing, name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError(f"{name} must be an integer, not {value!r}")
        if value < smallest:
            raise ValueError(f"{name} must be at least {smallest}, not {value!r}")


@compiled
def burst(timing, clock, adr, beats, we):
    """The clock of the answer to a write of some beats from word ``adr`` on, whose data is here in
    ``clock``, or the first of a read's, so that the others can follow in every clock."""
    if timing[_KIND] == _FIXED:
        return clock + timing[_CLOCKS]
    first = clock
    for beat in range(beats):
        answer = clock + latency(timing, clock, adr + beat, we)
        first = answer if we else max(first, answer - beat)
    return first


@compiled
def latency(timing, clock, adr, we):
    """Clocks from a request at word ``adr``, taken in ``clock``, to its answer."""
    if timing[_KIND] == _FIXED:
        return timing[_CLOCKS]
    begin = max(clock, timing[_FREE])
    if timing[_T_REFI]:
        due = timing[_REFRESH]
        if due <= begin:
            for bank in range(timing[_BANKS]):
                timing[_ROWS + bank] = -1
        while due <= begin:
            if timing[_FREE] <= due:      # idle since: of these only the last may be in the way
                due += (begin - due) // timing[_T_REFI] * timing[_T_REFI]
            timing[_FREE] = max(timing[_FREE], due) + timing[_T_RP] + timing[_T_RFC]
            due += timing[_T_REFI]
            begin = max(clock, timing[_FREE])
        timing[_REFRESH] = due
    row = adr // timing[_ROW_WORDS]
    bank = row % timing[_BANKS]
    if timing[_ROWS + bank] != row:
        if timing[_ROWS + bank] >= 0:
            begin += timing[_T_RP]
        begin += timing[_T_RCD]
        timing[_ROWS + bank] = row
    timing[_FREE] = begin + 1
    return begin - clock + (timing[_T_WR] if we else timing[_T_CL])
