"""A UART: eight data bits, no parity, one stop bit."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

__all__ = ["UartReceiver", "UartTransmitter", "bit_clocks"]

#: The greatest error of a bit's length for which ten bits in a row are still read rightly, with
#: the same error on the other side.
_TOLERANCE = 0.02


def bit_clocks(clock_hz, baud):
    """Clocks of one bit.

    Raises
    ------
    ValueError
        The clock cannot be divided into such bits.
    """
    clocks = round(clock_hz / baud)
    if clocks < 4:
        raise ValueError(f"baud must be at most {clock_hz / 4:.0f} with a clock of {clock_hz} Hz, "
                         f"not {baud!r}")
    if abs(clock_hz / clocks / baud - 1) > _TOLERANCE:
        raise ValueError(f"baud must be near {clock_hz} Hz divided by a whole number, "
                         f"not {baud!r}; use {round(clock_hz / clocks)}")
    return clocks


class UartReceiver(wiring.Component):
    """Bytes from a serial line.

    A bit is sampled once, in its midst. A byte whose stop bit is low is dropped. The line is high
    when nothing is sent; it may change at any time.

    Parameters
    ----------
    clocks : int
        Of one bit, at least 4.

    Members
    -------
    rx : ``In(1)``
    byte : ``Out(8)``
    valid : ``Out(1)``
        For one clock: ``byte`` has arrived. It stays there until the next one's first bit.
    """

    def __init__(self, clocks):
        if clocks < 4:
            raise ValueError(f"clocks must be at least 4, not {clocks!r}")
        self._clocks = clocks
        super().__init__({"rx": In(1), "byte": Out(8), "valid": Out(1)})

    def elaborate(self, platform):
        m = Module()
        line = Signal(init=1)
        m.submodules.line = FFSynchronizer(self.rx, line, init=1)
        timer = Signal(range(self._clocks))
        count = Signal(range(10))       # bits still to come: the start bit is 9, the stop bit 0
        busy = Signal()
        with m.If(~busy):
            m.d.sync += [timer.eq(self._clocks // 2 - 1), count.eq(9), busy.eq(~line)]
        with m.Elif(timer != 0):
            m.d.sync += timer.eq(timer - 1)
        with m.Else():
            m.d.sync += [timer.eq(self._clocks - 1), count.eq(count - 1)]
            with m.If(count == 0):
                m.d.sync += busy.eq(0)
                m.d.comb += self.valid.eq(line)
            with m.Elif(count == 9):
                m.d.sync += busy.eq(~line)      # else it was too short for a start bit
            with m.Else():
                m.d.sync += self.byte.eq(Cat(self.byte[1:], line))
        return m


class UartTransmitter(wiring.Component):
    """Bytes onto a serial line, one every ten bits.

    Parameters
    ----------
    clocks : int
        Of one bit, at least 1.

    Members
    -------
    bytes : ``In(stream.Signature(8))``
    tx : ``Out(1)``
    """

    def __init__(self, clocks):
        if clocks < 1:
            raise ValueError(f"clocks must be at least 1, not {clocks!r}")
        self._clocks = clocks
        super().__init__({"bytes": In(stream.Signature(8)), "tx": Out(1, init=1)})

    def elaborate(self, platform):
        m = Module()
        timer = Signal(range(self._clocks))
        count = Signal(range(11))       # bits to go
        bits = Signal(9, init=0x1ff)    # the line, and the data bits after it
        m.d.comb += [self.tx.eq(bits[0]), self.bytes.ready.eq(count == 0)]
        with m.If(count == 0):
            m.d.sync += timer.eq(self._clocks - 1)
            with m.If(self.bytes.valid):
                m.d.sync += [bits.eq(Cat(0, self.bytes.payload)), count.eq(10)]
        with m.Elif(timer != 0):
            m.d.sync += timer.eq(timer - 1)
        with m.Else():
            m.d.sync += [timer.eq(self._clocks - 1), bits.eq(Cat(bits[1:], 1)),
                         count.eq(count - 1)]
        return m
