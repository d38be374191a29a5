"""The system of a board: a CPU, its memory, the unit between them, and a serial line to a host."""

from dataclasses import dataclass

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out, connect
from memsnap import SnapshotParams, SnapshotUnit
from memsnap.bus import wishbone
from memsnap.control import State
from memsnap.core import Trace

from .bridge import Bridge
from .cpu import Cpu, CpuKind
from .devices import Devices
from .interconnect import Interconnect
from .memory import BlockMemory, MemoryKind, SpramMemory
from .sdram import Broken, SdramMemory, controller
from .uart import UartReceiver, UartTransmitter, bit_clocks

__all__ = ["BoardConfig", "BoardSoc"]

#: Seconds between two ticks, at most: a request is given up after some of them, and the button is
#: looked at.
_TICK = 8e-3


@dataclass(frozen=True, kw_only=True)
class BoardConfig:
    """A board's system.

    Parameters
    ----------
    name : str
    params : SnapshotParams
        Wishbone pipelined, 32 bits, one port; the memory at 0, the shadow after it and of the same
        size, and no addresses beyond these.
    clock_hz : int
    baud : int
        Of the serial line; the clock is divided by a whole number of at least 4.
    memory : MemoryKind
    sdram : str
        The type of the SDRAM, if the memory is in one, as :mod:`litedram.modules` names it: one
        chip with 16 bits of data.
    cpu : CpuKind
    """

    name: str
    params: SnapshotParams
    clock_hz: int
    baud: int = 1_000_000
    memory: MemoryKind = MemoryKind.BLOCK_RAM
    sdram: str = "MT48LC16M16"
    cpu: CpuKind = CpuKind.PICORV32

    def __post_init__(self):
        bit_clocks(self.clock_hz, self.baud)

    @property
    def storage_size(self):
        """Bytes of the RAM that holds memory and shadow."""
        return 2 * self.params.memory_size

    def controller(self):
        """The :class:`~memsnap_sim.soc.litedram.DramCore` of the SDRAM, or None without one."""
        if self.memory is not MemoryKind.SDRAM:
            return None
        return controller(self.sdram, self.clock_hz)


class BoardSoc(wiring.Component):
    """A board but for its pins.

    Parameters
    ----------
    config : BoardConfig
    trace : bool
        Adds the members ``trace``, ``memory`` and ``broken``, for simulation.
    pads : PortGroup or None
        Of the SDRAM, if the memory is in one: see :class:`SdramMemory`.

    Members
    -------
    rx, tx : ``In(1)``, ``Out(1)``
        The serial line, high when idle. ``rx`` may change at any time.
    button : ``In(1)``
        High starts a snapshot. It may change at any time, and bounce.
    running, copying : ``Out(1)``
        The CPU runs; a snapshot is under way.
    trace : ``Out(Trace)``
        Only with ``trace=True``.
    memory : ``Out(Signature)``
        Only with ``trace=True``: what the memory accepts; ``stb`` tells when.
    broken : ``Out(Broken)``
        Only with ``trace=True``: of a simulated SDRAM.
    """

    def __init__(self, config, *, trace=False, pads=None):
        self._config = config
        self._pads = pads
        self._trace = trace
        members = {"rx": In(1), "tx": Out(1), "button": In(1), "running": Out(1),
                   "copying": Out(1)}
        if trace:
            seen = {"stb": Out(1), "we": Out(1), "adr": Out(config.params.adr_width),
                    "dat_w": Out(32), "sel": Out(4)}
            members |= {"trace": Out(Trace), "memory": Out(wiring.Signature(seen)),
                        "broken": Out(Broken)}
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        config, params = self._config, self._config.params
        clocks = bit_clocks(config.clock_hz, config.baud)
        signature = wishbone.Signature.of(params)
        m.submodules.receiver = receiver = UartReceiver(clocks)
        m.submodules.transmitter = transmitter = UartTransmitter(clocks)
        m.submodules.bridge = bridge = Bridge()
        m.submodules.cpu = cpu = Cpu(config.cpu)
        m.submodules.bus = bus = Interconnect(config.storage_size)
        m.submodules.devices = devices = Devices(
            config.clock_hz, multiply=config.cpu is CpuKind.PICORV32_MULTIPLYING)
        m.submodules.unit = unit = SnapshotUnit(params, trace=True)
        m.submodules.memory = memory = self._memory(signature)

        # The host's line
        connect(m, transmitter.bytes, bridge.bytes)
        m.d.comb += [
            receiver.rx.eq(self.rx),
            self.tx.eq(transmitter.tx),
            bridge.byte.eq(receiver.byte),
            bridge.valid.eq(receiver.valid),
        ]

        # The bus
        connect(m, bridge.bus, bus.host)
        connect(m, cpu.bus, bus.cpu)
        connect(m, bus.devices, devices.bus)
        connect(m, unit.m_wb, memory.bus)
        self._join(m, bus.registers, unit.csr_wb)
        self._join_memory(m, bus.memory, unit.s_wb)

        # CPU and trigger
        cpu_waits, pc = Signal(), Signal(30)
        known = unit.trace.active | (unit.trace.state == State.DONE)
        m.d.comb += [
            cpu.run.eq(devices.run),
            cpu_waits.eq(cpu.bus.cyc & ~(cpu.bus.ack | cpu.bus.err)),
            devices.idle.eq(~cpu_waits),
            devices.trap.eq(cpu.trap),
            devices.pc.eq(pc),
            devices.pc_known.eq(known),
            self.running.eq(devices.run),
            self.copying.eq(unit.trace.active),
        ]
        with m.If(cpu.fetch & cpu.bus.cyc & ~known):
            m.d.sync += pc.eq(cpu.bus.adr[:signature.addr_width])
        self._time(m, bridge=bridge, unit=unit)
        if self._trace:
            m.d.comb += [self.trace.eq(unit.trace),
                         self.memory.stb.eq(memory.bus.cyc & memory.bus.stb & ~memory.bus.stall)]
            if config.memory is MemoryKind.SDRAM:
                m.d.comb += self.broken.eq(memory.broken)
            m.d.comb += [getattr(self.memory, name).eq(getattr(memory.bus, name))
                         for name in ("we", "adr", "dat_w", "sel")]
        return m

    def _memory(self, signature):
        config = self._config
        if config.memory is MemoryKind.SDRAM:
            return SdramMemory(config.controller(), signature, pads=self._pads)
        kind = SpramMemory if config.memory is MemoryKind.SPRAM else BlockMemory
        return kind(config.storage_size, signature)

    def _time(self, m, *, bridge, unit):
        """What happens now and then: see :data:`_TICK`."""
        timer = Signal((int(self._config.clock_hz * _TICK)).bit_length() - 1)
        button = Signal()
        m.submodules.button = FFSynchronizer(self.button, button)
        m.d.sync += timer.eq(timer + 1)
        m.d.comb += bridge.tick.eq(timer == 0)
        with m.If(bridge.tick):
            m.d.sync += unit.trigger.eq(button)

    @staticmethod
    def _join(m, initiator, target):
        """Joins two classic ports, of which the target's addresses have fewer bits."""
        for name in "cyc", "stb", "we", "dat_w", "sel", "adr":
            m.d.comb += getattr(target, name).eq(getattr(initiator, name))
        for name in "ack", "err", "dat_r":
            m.d.comb += getattr(initiator, name).eq(getattr(target, name))

    def _join_memory(self, m, initiator, target):
        """Joins a classic port to a pipelined one: the request is there until it is taken."""
        self._join(m, initiator, target)
        taken = Signal()
        m.d.comb += target.stb.eq(initiator.stb & ~taken)
        with m.If(~initiator.stb | target.ack | target.err):
            m.d.sync += taken.eq(0)
        with m.Elif(~target.stall):
            m.d.sync += taken.eq(1)
