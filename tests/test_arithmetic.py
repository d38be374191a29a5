"""Comparisons, for all numbers of few bits."""

import pytest
from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from memsnap.arithmetic import is_among, is_below, is_below_soon

from sim import simulate


class Comparisons(wiring.Component):
    """Whether ``a < b``, both ways."""

    def __init__(self, a_bits, b_bits):
        super().__init__({"a": In(a_bits), "b": In(b_bits), "below": Out(2)})

    def elaborate(self, platform):
        m = Module()
        unused = Signal()       # simulation wants a clock
        m.d.sync += unused.eq(1)
        m.d.comb += self.below.eq(Cat(is_below(self.a, self.b), is_below_soon(self.a, self.b)))
        return m


@pytest.mark.parametrize("a_bits, b_bits", [(0, 1), (1, 1), (2, 3), (4, 5), (5, 2)])
def test_below(a_bits, b_bits):
    async def script(pins):
        for a in range(1 << a_bits):
            for b in range(1 << b_bits):
                pins.drive(a=a, b=b)
                assert pins.below == 0b11 * (a < b)
    simulate(Comparisons(a_bits, b_bits), script)


class Among(wiring.Component):
    """For each range within what ``bits`` reach, whether ``value`` lies in it."""

    def __init__(self, bits):
        self.ranges = [(first, last) for last in range(1 << bits) for first in range(last + 1)]
        super().__init__({"value": In(bits), "among": Out(len(self.ranges))})

    def elaborate(self, platform):
        m = Module()
        unused = Signal()
        m.d.sync += unused.eq(1)
        m.d.comb += self.among.eq(Cat(is_among(self.value, first, last + 1 - first)
                                      for first, last in self.ranges))
        return m


@pytest.mark.parametrize("bits", [1, 2, 3, 4])
def test_among(bits):
    among = Among(bits)

    async def script(pins):
        for value in range(1 << bits):
            pins.value = value
            for index, (first, last) in enumerate(among.ranges):
                assert pins.among >> index & 1 == (first <= value <= last), (value, first, last)
    simulate(among, script)
