"""A DRAM behind a Wishbone bus, for Amaranth's simulator: rows, banks and refresh."""

from .memory import MemoryTarget

__all__ = ["DramTarget"]


class _Bank:
    """One bank: which row is open, if any."""

    def __init__(self):
        self.row = None


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

    def __init__(self, bus, image, *, banks=4, row_bytes=1024, t_rcd=2, t_rp=2, t_cl=3, t_wr=1,
                 t_refi=780, t_rfc=7, **options):
        super().__init__(bus, image, **options)
        self._row_bytes = row_bytes
        self._banks = [_Bank() for _ in range(banks)]
        self._t = {"rcd": t_rcd, "rp": t_rp, "cl": t_cl, "wr": t_wr, "refi": t_refi, "rfc": t_rfc}
        self._idle_from = 0          # the clock from which on the controller has nothing in hand
        self._next_refresh = t_refi

    def request_latency(self, adr, we):
        """Clocks from a request that is taken now to its answer."""
        self._refresh()
        now = max(self.clock, self._idle_from)
        row_number = adr * self.word_bytes // self._row_bytes
        bank = self._banks[row_number % len(self._banks)]
        if bank.row is not None and bank.row != row_number:
            now += self._t["rp"]
            bank.row = None
        if bank.row is None:
            now += self._t["rcd"]
            bank.row = row_number
        self._idle_from = now + 1
        return now + self._t["wr" if we else "cl"] - self.clock

    def _refresh(self):
        """Does the refreshes that are due before a request that comes now can begin."""
        if not self._t["refi"]:
            return
        while self._next_refresh <= max(self.clock, self._idle_from):
            begin = max(self._next_refresh, self._idle_from)
            self._idle_from = begin + self._t["rp"] + self._t["rfc"]
            self._next_refresh += self._t["refi"]
            for bank in self._banks:
                bank.row = None
