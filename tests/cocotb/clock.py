"""The clock of a run: counts as the unit does, and lets watchers look once in each clock."""

from cocotb.triggers import RisingEdge

__all__ = ["Ticker", "RuleError", "level"]

#: Clocks without any progress, and clocks of a test, after which it is given up.
_PATIENCE, _MOST = 3000, 60_000


class RuleError(AssertionError):
    """The unit did what it must not do; the text says what, where and when."""


def level(signal, clock):
    """A signal as a number. Raises :class:`RuleError` if it has bits that are neither 0 nor 1."""
    value = signal.value
    try:
        return int(value)
    except ValueError:
        raise RuleError(f"{signal._name} is {value} in clock {clock}") from None


class Ticker:
    """Counts clocks from the end of the reset on, as the unit's INSTANT does.

    Parameters
    ----------
    dut : handle
        The unit, with ``clk`` and ``rst``.

    Attributes
    ----------
    watchers : list
        Each has ``sample(clock)``, which tells whether something moved; ``reset()``; and
        ``waiting``, whether an initiator waits for something.
    """

    def __init__(self, dut):
        self._dut = dut
        self.clock = 0
        self.watchers = []

    async def run(self):
        """Goes on for ever; raises what watchers raise."""
        edge = RisingEdge(self._dut.clk)
        quiet = total = 0
        while True:
            await edge
            total += 1
            if total > _MOST:
                raise RuleError(f"{total} clocks have not been enough")
            if self._dut.rst.value:
                self.clock = quiet = 0
                for watcher in self.watchers:
                    watcher.reset()
                continue
            moved = False
            for watcher in self.watchers:
                moved |= watcher.sample(self.clock)
            waiting = [watcher.name for watcher in self.watchers if watcher.waiting]
            quiet = 0 if moved or not waiting else quiet + 1
            if quiet > _PATIENCE:
                raise RuleError(f"{' and '.join(waiting)} waits, and nothing has moved since clock "
                                f"{self.clock - quiet}")
            self.clock += 1
