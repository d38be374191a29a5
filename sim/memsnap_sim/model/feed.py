"""The accesses of all initiators, a piece at a time."""

from dataclasses import dataclass

import numpy as np
from memsnap.params import Bus

from .accesses import ACCESS, beats_of, bursts_of

__all__ = ["Feed", "Piece"]

#: Accesses in a piece.
_PIECE = 1 << 18


@dataclass(frozen=True, kw_only=True)
class Piece:
    """The next beats of each port, whether there are more, and when the start is, if known.

    The start is in clock ``start_clock``, or in the first clock of beat ``start_beat`` of the first
    port; -1 for not. On AXI4 each is a burst.
    """

    beats: tuple
    more: bool
    start_clock: int
    start_beat: int


class Feed:
    """Makes pieces of what :func:`simulate` is given, and checks that.

    Attributes
    ----------
    beats : int or None
        The most beats of a port, where that is known beforehand.
    """

    def __init__(self, params, accesses, *, start_at):
        self.params = params
        self.beats = None
        self._start_clock = -1
        self._start_access = None
        known = None
        if params.ports > 1:
            accesses = [self._check(each) for each in accesses]
            if len(accesses) != params.ports:
                raise ValueError(f"accesses must be {params.ports} arrays, one for each port, not "
                                 f"{len(accesses)}")
            self._pieces = iter([accesses])
            known = len(accesses[0])
            self.beats = max(self._count(each) for each in accesses)
        elif isinstance(accesses, np.ndarray):
            known = len(self._check(accesses))
            self.beats = self._count(accesses)
            self._pieces = self._cut([accesses])
        else:
            self._pieces = self._cut(accesses)
        self._take_start(start_at, known)

    def _take_start(self, start_at, known):
        if start_at is None:
            return
        if isinstance(start_at, int) and start_at >= 0:
            self._start_clock = start_at
            return
        try:
            word, access = start_at
        except (TypeError, ValueError):
            word = access = None
        if word != "access" or not isinstance(access, int) or access < 0:
            raise ValueError(f"start_at must be a clock, ('access', number) or None, "
                             f"not {start_at!r}")
        if known is not None and access >= known:
            raise ValueError(f"start_at must be one of the {known} accesses, not {start_at!r}")
        self._start_access = access

    @staticmethod
    def _check(accesses):
        if not isinstance(accesses, np.ndarray) or accesses.dtype != ACCESS:
            kind = getattr(accesses, "dtype", type(accesses).__name__)
            raise TypeError(f"accesses must be arrays of memsnap_sim.model.ACCESS, not of {kind}")
        return accesses

    def _count(self, accesses):
        return sum(len(self._beats(piece)) for piece, in self._cut([accesses]))

    def _cut(self, arrays):
        for array in arrays:
            self._check(array)
            for at in range(0, len(array), _PIECE):
                yield [array[at:at + _PIECE]]

    def _beats(self, accesses):
        cut = bursts_of if self.params.bus is Bus.AXI4 else beats_of
        return cut(accesses, self.params.beat_bytes)

    def __iter__(self):
        empty = [np.empty(0, ACCESS)] * self.params.ports
        piece = next(self._pieces, empty)
        accesses_before = beats_before = 0
        while piece is not None:
            following = next(self._pieces, None)
            beats = tuple(self._beats(each) for each in piece)
            start_beat = -1
            if self._start_access is not None:
                index = self._start_access - accesses_before
                if 0 <= index < len(piece[0]):
                    start_beat = beats_before + len(self._beats(piece[0][:index]))
                    self._start_access = None
            yield Piece(beats=beats, more=following is not None, start_clock=self._start_clock,
                        start_beat=start_beat)
            accesses_before += len(piece[0])
            beats_before += len(beats[0])
            piece = following
