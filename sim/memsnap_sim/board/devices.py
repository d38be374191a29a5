"""What the programs and the host see of the board beside memory and unit."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import enum, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from .interconnect import SIGNATURE

__all__ = ["BOARD_ID", "CHARACTER", "CHARACTERS", "Device", "Devices", "Flag"]

#: What the register :attr:`Device.ID` reads.
BOARD_ID = int.from_bytes(b"mbrd", "little")
#: Address in words of the characters: of a number of words from here on, each read takes the oldest
#: character, and gives it with the bit :data:`CHARACTER`, or a word without that bit.
CHARACTERS = 0x100
CHARACTER = 1 << 8


class Device(enum.IntEnum):
    """The registers: their addresses in words.

    The first two are where a program in the simulated system has them too.
    """

    CONSOLE = 0     #: written: a character to show
    EXIT = 1        #: written: the program has ended, with this code
    ID = 4          #: BOARD_ID
    CONTROL = 5     #: bit 0: the CPU runs; low is its reset
    STATUS = 6      #: of Flag
    CLOCK = 7       #: in Hz
    PC = 8          #: address of the instruction that was fetched last before the instant


class Flag(enum.IntFlag):
    """Bits of the register STATUS."""

    ENDED = 1       #: the program has ended
    TRAPPED = 2     #: the CPU met an instruction that it has not
    PC_KNOWN = 4    #: there is a snapshot, done or under way, that PC is about
    MULTIPLIES = 8  #: the CPU multiplies and divides


class Devices(wiring.Component):
    """The registers :class:`Device`, answered one clock after the request.

    Characters are kept until they are read, up to ``characters``; more are dropped.

    Parameters
    ----------
    clock_hz : int
    multiply : bool
        What the CPU says of itself.
    characters : int
        A power of two.

    Members
    -------
    bus : ``In(SIGNATURE)``
    run : ``Out(1)``
        The CPU runs. It changes only while ``idle`` is high.
    idle : ``In(1)``
        No access of the CPU is under way.
    trap : ``In(1)``
    pc : ``In(30)``
    pc_known : ``In(1)``
    """

    def __init__(self, clock_hz, *, multiply=False, characters=512):
        self._clock_hz = clock_hz
        self._multiply = multiply
        self._characters = characters
        super().__init__({
            "bus": In(SIGNATURE), "run": Out(1), "idle": In(1),
            "trap": In(1), "pc": In(30), "pc_known": In(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.console = console = SyncFIFOBuffered(width=8, depth=self._characters)
        bus = self.bus
        which, characters = bus.adr[:4], bus.adr[exact_log2(CHARACTERS)]
        access, wanted, ended = Signal(), Signal(), Signal()
        code = Signal(8)
        m.d.comb += access.eq(bus.cyc & bus.stb & ~bus.ack)
        m.d.sync += bus.ack.eq(access)
        with m.If(self.idle):
            m.d.sync += self.run.eq(wanted)

        with m.If(access & bus.we):
            with m.Switch(which):
                with m.Case(Device.CONSOLE):
                    m.d.comb += console.w_en.eq(1)
                with m.Case(Device.EXIT):
                    m.d.sync += [code.eq(bus.dat_w[:8]), ended.eq(1)]
                with m.Case(Device.CONTROL):
                    m.d.sync += wanted.eq(bus.dat_w[0])
                    with m.If(bus.dat_w[0] & ~wanted):
                        m.d.sync += ended.eq(0)
        m.d.comb += [
            console.w_data.eq(bus.dat_w[:8]),
            console.r_en.eq(bus.ack & ~bus.we & characters),
        ]
        values = {
            Device.EXIT: code,
            Device.ID: BOARD_ID,
            Device.CONTROL: wanted,
            Device.STATUS: Cat(ended, self.trap, self.pc_known, int(self._multiply)),
            Device.CLOCK: self._clock_hz,
            Device.PC: Cat(0, 0, self.pc),
        }
        with m.If(characters):
            m.d.comb += bus.dat_r.eq(Cat(console.r_data, console.r_rdy))
        with m.Else():
            with m.Switch(which):
                for register, value in values.items():
                    with m.Case(register):
                        m.d.comb += bus.dat_r.eq(value)
        return m
