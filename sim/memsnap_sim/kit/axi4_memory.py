"""A memory behind an AXI4 bus, for Amaranth's simulator: latency, pauses, disorder, errors, a log.

The target is a simulator *process*: all its outputs are as if from registers. What each port does
is in :mod:`memsnap_sim.kit.axi4_memory_port`, and what is done with each beat in
:mod:`memsnap_sim.kit.axi4_storage`.
"""

from .axi4_channels import Sampled
from .axi4_manager import stalls
from .axi4_memory_port import MemoryPort
from .axi4_storage import Storage
from .pauses import fixed

__all__ = ["Axi4Memory"]


class Axi4Memory:
    """A memory with one AXI4 port or several.

    Add :meth:`process` to the simulator with ``add_process``. A read's first beat comes ``latency``
    clocks after its address was accepted, and then a beat a clock, over all reads; a write is
    answered ``latency`` clocks after its address and last data at the earliest. Answers of one id
    come in the order of its addresses, and with ``rng`` those of different ids in any.
    Everything that is open is forgotten in a reset.

    Parameters
    ----------
    bus : AXI4 interface or list of these
        Their manager's side, as in ``unit.m_axi``. What several ports do in one clock is done in
        the order of the list.
    image : bytes
        Content at the start, from address 0; wherever it does not reach is answered with DECERR.
    latency : int or callable
        At least 1; a callable is asked for each transaction.
    stall : callable or mapping
        Pauses, one for all channels or by name: asked each clock in which something may be taken
        (``aw``, ``w``, ``ar``) or offered (``b``, ``r``); anything but 0 is a pause.
    errors : callable or None
        ``rule(index, adr, we)`` of the index of the beat, its word and direction gives ``"err"``
        (SLVERR), ``"decerr"`` or None. Such a write beat is not done. See :func:`errors_at`.
    rng : random.Random or None
        Takes answers of different ids in random order, and does some transactions at once and
        some at the last moment.
    interleave : bool
        With ``rng``: beats of reads with different ids may be mixed.
    aw_after_w : bool
        ``awready`` rises only after data of that write was offered.
    w_after_aw : bool
        ``wready`` rises only after the address of that write was accepted.
    after_valid : bool
        ``awready``, ``wready`` and ``arready`` rise only after their ``valid``.
    max_in_flight : int
        Reads, and writes, that each port takes before their answers.

    Attributes
    ----------
    words : list of int
    log : list of Entry
        Each beat, in the order in which it was done.
    transactions : list of Transaction
        In the order in which their addresses were accepted.
    answering : bool
        Set to False, no new answer is given until it is True again.
    clock : int
        Clocks seen so far.
    listeners : list
        For each port None or a callable: called with each clock's reset, and for each channel
        (valid, ready, payload). See :meth:`Axi4Checker.sample`.
    """

    def __init__(self, bus, image, *, latency=1, stall=None, errors=None, rng=None,
                 interleave=False, aw_after_w=False, w_after_aw=False, after_valid=False,
                 max_in_flight=64):
        if not callable(latency) and latency < 1:
            raise ValueError(f"latency must be at least 1 clock, not {latency!r}")
        buses = bus if isinstance(bus, list) else [bus]
        self.storage = Storage(image, len(buses[0].wstrb), errors=errors)
        self.latency = latency if callable(latency) else fixed(latency)
        self.stall = stalls(stall)
        self.rng = rng
        self.interleave = interleave
        self.aw_after_w = aw_after_w
        self.w_after_aw = w_after_aw
        self.after_valid = after_valid
        self.max_in_flight = max_in_flight
        self.transactions = []
        self.answering = True
        self.clock = 0
        self.listeners = [None] * len(buses)
        self._ports = [MemoryPort(self, bus, index) for index, bus in enumerate(buses)]
        self.sampled = Sampled([signal for port in self._ports for signal in port.signals])

    def due(self, transaction):
        """The clock of the first answer to a transaction whose address, and data, are here now."""
        return self.clock + max(1, self.latency())

    @property
    def words(self):
        """The content now, as a list of words."""
        return self.storage.words

    @property
    def log(self):
        """Each beat, in the order in which it was done."""
        return self.storage.log

    @property
    def image(self):
        """The content now, in bytes."""
        return self.storage.image

    @property
    def listener(self):
        """That of the first port."""
        return self.listeners[0]

    @listener.setter
    def listener(self, listener):
        self.listeners[0] = listener

    async def process(self, ctx):
        """The target, for ``Simulator.add_process``."""
        slices, at = [], 0
        for port in self._ports:
            slices.append(slice(at, at + len(port.signals)))
            at += len(port.signals)
        async for _, rst, *values in ctx.tick().sample(*self.sampled.signals):
            values = self.sampled.split(values)
            if rst:
                self.storage.forget()
            for port, part in zip(self._ports, slices, strict=True):
                port.step(ctx, rst, values[part])
            self.clock += 1
