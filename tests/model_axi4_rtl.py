"""The AXI4 core between initiators and memories as the cycle-level model takes them to be."""

from memsnap.params import CopierPort, Shadow
from memsnap_sim.kit import Manager
from memsnap_sim.kit.axi4_burst import read_burst, write_burst
from memsnap_sim.model.accesses import bursts_of
from model_rtl import Rtl

__all__ = ["Axi4Rtl"]

#: More than any initiator and the copier have in flight together.
_PLENTY = 1 << 14


class _Initiator(Manager):
    """A manager whose accesses begin in order, one in a clock, with limit and gaps as in the model.

    The limit counts both directions, and a gap begins when it allows one more.
    """

    def _begin(self):
        if self._waiting is None:
            self._waiting = next(self._transactions, None)
            if self._waiting is None:
                self.idle = not any(self._in_flight.values())
                return
            self._check(self._waiting)
            self._wait = self._waiting.gap
        if sum(self._in_flight.values()) >= self.max_in_flight:
            return
        if self._wait:
            self._wait -= 1
            return
        transaction, self._waiting = self._waiting, None
        self._enter(transaction)


def _transaction(params, gap, word, write, beats):
    address = int(word) * params.beat_bytes
    if write:
        return write_burst(address, [0] * int(beats), gap=int(gap))
    return read_burst(address, int(beats), gap=int(gap))


class Axi4Rtl(Rtl):
    """A run of the unit's core on AXI4."""

    def _surround(self, buses, streams, *, memory, shadow, max_in_flight):
        params, core = self.params, self.core
        ports = [core.m_axi]
        if params.copier_port is CopierPort.OWN:
            ports.append(core.c_axi)
        self._memories = [memory(ports, max_in_flight=_PLENTY)]
        if params.shadow is Shadow.SEPARATE:
            self._memories.append(shadow(core.x_axi, max_in_flight=_PLENTY))
        self._initiators = [
            _Initiator(bus, [_transaction(params, *burst)
                             for burst in bursts_of(stream, params.beat_bytes)],
                       max_in_flight=max_in_flight)
            for bus, stream in zip(buses, streams, strict=True)]
