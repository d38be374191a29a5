"""DRAMs behind a bus, for Amaranth's simulator: rows, banks and refresh."""

import inspect

from .axi4_burst import places
from .axi4_memory import Axi4Memory
from .memory import MemoryTarget

__all__ = ["Axi4Dram", "DramTarget"]


class _Bank:
    """One bank: which row is open, if any."""

    def __init__(self):
        self.row = None


class _Controller:
    """Works on requests in their order, command by command; see :class:`DramTarget`."""

    def __init__(self, *, banks=4, row_bytes=1024, t_rcd=2, t_rp=2, t_cl=3, t_wr=1, t_refi=780,
                 t_rfc=7):
        self._row_bytes = row_bytes
        self._banks = [_Bank() for _ in range(banks)]
        self._t = {"rcd": t_rcd, "rp": t_rp, "cl": t_cl, "wr": t_wr, "refi": t_refi, "rfc": t_rfc}
        self._idle_from = 0          # the clock from which on it has nothing in hand
        self._next_refresh = t_refi

    def answered(self, clock, address, we):
        """The clock of the answer to a request for a byte address that comes in ``clock``."""
        self._refresh(clock)
        now = max(clock, self._idle_from)
        row_number = address // self._row_bytes
        bank = self._banks[row_number % len(self._banks)]
        if bank.row is not None and bank.row != row_number:
            now += self._t["rp"]
            bank.row = None
        if bank.row is None:
            now += self._t["rcd"]
            bank.row = row_number
        self._idle_from = now + 1
        return now + self._t["wr" if we else "cl"]

    def _refresh(self, clock):
        """Does the refreshes that are due before a request that comes now can begin."""
        if not self._t["refi"]:
            return
        while self._next_refresh <= max(clock, self._idle_from):
            begin = max(self._next_refresh, self._idle_from)
            self._idle_from = begin + self._t["rp"] + self._t["rfc"]
            self._next_refresh += self._t["refi"]
            for bank in self._banks:
                bank.row = None


def _controller(options):
    """The controller of those ``options`` that are its own, which it takes out of them."""
    own = inspect.signature(_Controller).parameters
    return _Controller(**{name: options.pop(name) for name in own if name in options})


class DramTarget(MemoryTarget):
    """A memory with the timing of a DRAM, whose controller works on requests in their order.

    The rules are those of :class:`memsnap_sim.model.Dram`, clock by clock and command by command:

    - The controller has one thing in hand at a time. When the column command of a request has been
      given, which takes a clock, the next request may begin in the next clock.
    - A refresh falls due every ``t_refi`` clocks. It goes before a request that has not begun when
      it is due, closes all banks (``t_rp`` clocks, open or not) and takes ``t_rfc`` clocks more.
    - A request to a bank with another row open closes it (``t_rp``); then, or if no row was open,
      it opens its own (``t_rcd``); then comes the column command.
    - A read is answered ``t_cl`` clocks after the clock of its column command, a write ``t_wr``.

    Parameters
    ----------
    bus, image, options
        See :class:`MemoryTarget`.
    banks, row_bytes, t_rcd, t_rp, t_cl, t_wr, t_refi, t_rfc : int
        See :class:`memsnap_sim.model.Dram`.
    """

    def __init__(self, bus, image, **options):
        self._controller = _controller(options)
        super().__init__(bus, image, **options)

    def request_latency(self, adr, we):
        """Clocks from a request that is taken now to its answer."""
        return self._controller.answered(self.clock, adr * self.word_bytes, we) - self.clock


class Axi4Dram(Axi4Memory):
    """The same on AXI4, on one port or several.

    A read is a request for each of its beats when its address is accepted, a write when its last
    data is. Of what comes in one clock, the first port's is first, and a read before a write. A
    read's data comes from the clock on in which the rest can follow in every clock; a write is
    answered when its last beat is.

    Parameters
    ----------
    bus, image, options
        See :class:`Axi4Memory`.
    banks, row_bytes, t_rcd, t_rp, t_cl, t_wr, t_refi, t_rfc : int
        See :class:`memsnap_sim.model.Dram`.
    """

    def __init__(self, bus, image, **options):
        self._controller = _controller(options)
        super().__init__(bus, image, **options)

    def due(self, transaction):
        """The clock of the first answer to a transaction whose address, and data, are here now."""
        word_bytes = self.storage.word_bytes
        answered = [self._controller.answered(self.clock, word * word_bytes, transaction.we)
                    for word, _ in places(transaction, word_bytes)]
        if transaction.we:
            return answered[-1]
        return max(clock - beat for beat, clock in enumerate(answered))
