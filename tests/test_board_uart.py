# amaranth: UnusedElaboratable=no
"""The UART of the boards, against a line of its own making."""

import pytest
from amaranth.sim import Simulator
from memsnap_sim.board.uart import UartReceiver, UartTransmitter, bit_clocks

#: Bytes with all kinds of neighbours among their bits.
BYTES = [0x00, 0xff, 0x55, 0xaa, 0x01, 0x80, 0x7f, 0xfe, 0x6d, 0x4d]


def levels(byte, *, stop=1):
    """The line's ten bits for a byte."""
    return [0, *(byte >> bit & 1 for bit in range(8)), stop]


def received(clocks, line):
    """The bytes that a receiver finds on a line, given as its level in each clock."""
    dut, found = UartReceiver(clocks), []

    async def testbench(ctx):
        for level in line:
            ctx.set(dut.rx, level)
            await ctx.tick()
            if ctx.get(dut.valid):
                found.append(ctx.get(dut.byte))

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(testbench)
    sim.run()
    return found


def sampled(bits, length):
    """The level in each clock of bits of a length that need not be whole."""
    return [bits[int(clock / length)] for clock in range(int(len(bits) * length))]


@pytest.mark.parametrize("clocks", [4, 5, 12, 26])
@pytest.mark.parametrize("drift", [0.98, 1.0, 1.02])
@pytest.mark.parametrize("pause", [0, 3])
def test_receiver_hears_bytes_at_a_rate_that_is_nearly_right(clocks, drift, pause):
    bits = [1] * 12
    for byte in BYTES:
        bits += levels(byte) + [1] * pause
    assert received(clocks, sampled([*bits, 1, 1], clocks * drift)) == BYTES


def test_receiver_drops_a_byte_without_its_stop_bit():
    bits = [1] * 12 + levels(0x12, stop=0) + [1] * 12 + levels(0x34) + [1] * 2
    assert received(8, sampled(bits, 8)) == [0x34]


def test_receiver_takes_no_glitch_for_a_start():
    line = [1] * 20 + [0] * 3 + [1] * 20 + sampled(levels(0x34) + [1, 1], 8)
    assert received(8, line) == [0x34]


def test_receiver_at_a_wrong_rate_hears_something_else():
    bits = [1] * 12 + [bit for byte in BYTES for bit in levels(byte)] + [1] * 4
    assert received(12, sampled(bits, 10)) != BYTES


@pytest.mark.parametrize("clocks", [1, 4, 13])
def test_transmitter_sends_ten_bits_a_byte(clocks):
    dut, line = UartTransmitter(clocks), []
    expected = [level for byte in BYTES for bit in levels(byte) for level in [bit] * clocks]

    async def send(ctx):
        for byte in BYTES:
            ctx.set(dut.bytes.payload, byte)
            ctx.set(dut.bytes.valid, 1)
            await ctx.tick().until(dut.bytes.ready)
        ctx.set(dut.bytes.valid, 0)

    async def watch(ctx):
        for _ in range(len(expected) + 2 * len(BYTES) + 4):
            line.append(ctx.get(dut.tx))
            await ctx.tick()

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(send)
    sim.add_testbench(watch)
    sim.run()
    # Between two bytes the line may be high for a clock more
    found, at = [], line.index(0)
    for _ in BYTES:
        at = line.index(0, at)
        found += line[at:at + 10 * clocks]
        at += 10 * clocks
    assert found == expected
    assert line[:line.index(0)] == [1] * line.index(0)


def test_rates_that_a_clock_cannot_have():
    assert bit_clocks(12_000_000, 1_000_000) == 12
    assert bit_clocks(25_000_000, 115_200) == 217
    with pytest.raises(ValueError, match=r"^baud must be at most 3000000 with a clock of 12000000 "
                                         r"Hz, not 4000000$"):
        bit_clocks(12_000_000, 4_000_000)
    with pytest.raises(ValueError, match=r"^baud must be near 12000000 Hz divided by a whole "
                                         r"number, not 2600000; use 2400000$"):
        bit_clocks(12_000_000, 2_600_000)
    with pytest.raises(ValueError, match="^clocks must be at least 4, not 3$"):
        UartReceiver(3)
    with pytest.raises(ValueError, match="^clocks must be at least 1, not 0$"):
        UartTransmitter(0)
