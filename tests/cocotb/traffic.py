"""Random traffic of all initiators, which goes on until it is stopped."""

import cocotb
from cocotb.triggers import ClockCycles

__all__ = ["Traffic"]


class Traffic:
    """What the sides of both buses have in common.

    A side has ``masters``, ``upstream`` (their watches), the handle ``_dut``, and ``_worker(master,
    gap)``, which works while ``_running``.
    """

    #: Workers that each initiator has.
    workers = 4

    _running = False
    _tasks = ()

    def start_traffic(self, *, gap=20):
        """Random accesses, several at a time, until :meth:`stop_traffic`."""
        self._running = True
        self._tasks = [cocotb.start_soon(self._worker(master, gap)) for master in self.masters
                       for _ in range(self.workers)]

    async def stop_traffic(self):
        """Waits until all that is under way has ended."""
        self._running = False
        for task in self._tasks:
            await task
        self._tasks = ()
        while not all(watch.idle for watch in self.upstream):
            await ClockCycles(self._dut.clk, 1)

    def forget_traffic(self):
        """After a reset, which ended all accesses."""
        for task in self._tasks:
            task.cancel()
        self._tasks = ()
