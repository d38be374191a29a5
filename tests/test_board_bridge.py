"""The bridge from a serial line's bytes to a bus: what it does, and what it does nothing for."""

import random
from binascii import crc_hqx

import pytest
from amaranth.sim import Simulator
from memsnap_sim.board.bridge import TICKS, Bridge
from memsnap_sim.board.frames import answer_size, crc, read_request, write_request

#: Words from here on are answered with an error.
BAD = 0x4000_0000


class World:
    """A bridge, a bus with a memory that takes a random time, and a host of bytes."""

    def __init__(self, seed=1):
        print(f"seed {seed}")
        self.dut = Bridge()
        self.memory, self.random = {}, random.Random(seed)
        self.accesses = []

    def run(self, host):
        """Runs ``host(ctx)``, a coroutine that talks by :meth:`send` and :meth:`hear`."""
        sim = Simulator(self.dut)
        sim.add_clock(1e-6)
        sim.add_testbench(host)
        sim.add_testbench(self._bus, background=True)
        sim.run()

    async def send(self, ctx, data):
        for byte in data:
            ctx.set(self.dut.byte, byte)
            ctx.set(self.dut.valid, 1)
            await ctx.tick()
            ctx.set(self.dut.valid, 0)
            for _ in range(self.random.randint(1, 4)):
                await ctx.tick()

    async def hear(self, ctx, *, clocks=60):
        """What is sent until nothing happened for so many clocks."""
        heard, quiet = bytearray(), 0
        while quiet < clocks:
            if ctx.get(self.dut.bus.cyc):
                quiet = 0
            ctx.set(self.dut.bytes.ready, ready := self.random.randrange(2))
            if ready and ctx.get(self.dut.bytes.valid):
                heard.append(ctx.get(self.dut.bytes.payload))
                quiet = 0
            quiet += 1
            await ctx.tick()
        ctx.set(self.dut.bytes.ready, 0)
        return bytes(heard)

    async def ask(self, ctx, request):
        await self.send(ctx, request)
        return await self.hear(ctx)

    async def tick(self, ctx, times):
        for _ in range(times):
            ctx.set(self.dut.tick, 1)
            await ctx.tick()
            ctx.set(self.dut.tick, 0)
            await ctx.tick()

    async def _bus(self, ctx):
        bus = self.dut.bus
        while True:
            await ctx.tick()
            if not (ctx.get(bus.cyc) and ctx.get(bus.stb)):
                continue
            for _ in range(self.random.randrange(5)):
                await ctx.tick()
            address, write = 4 * ctx.get(bus.adr), ctx.get(bus.we)
            self.accesses.append((address, write))
            ctx.set(bus.err, address >= BAD)
            ctx.set(bus.ack, address < BAD)
            if write and address < BAD:
                assert ctx.get(bus.sel) == 0xf
                self.memory[address] = ctx.get(bus.dat_w)
            ctx.set(bus.dat_r, self.memory.get(address, 0))
            await ctx.tick()
            ctx.set(bus.err, 0)
            ctx.set(bus.ack, 0)


def answer(tag, data=b"", status=0):
    whole = bytes([0x4d, tag]) + data + bytes([status])
    return whole + crc_hqx(whole, 0xffff).to_bytes(2, "big")


def words(data):
    return [int.from_bytes(data[at:at + 4], "little") for at in range(0, len(data), 4)]


def test_words_are_written_and_read():
    world = World()
    cases = [(0x100, 1), (0x3fc, 1), (0x400, 256), (0x1000_03f0, 4), (0x2000_0000, 33)]

    async def host(ctx):
        tag = 0x10
        for address, count in cases:
            data = world.random.randbytes(4 * count)
            assert await world.ask(ctx, write_request(tag, address, data)) == answer(tag | 1)
            assert [world.memory[address + 4 * at] for at in range(count)] == words(data)
            assert await world.ask(ctx, read_request(tag, address, count)) == answer(tag, data)
            tag += 2

    world.run(host)
    assert [access for access in world.accesses if access[1]] == [
        (address + 4 * at, 1) for address, count in cases for at in range(count)]


def test_an_error_of_the_bus_ends_the_accesses():
    world = World()

    async def host(ctx):
        heard = await world.ask(ctx, read_request(4, BAD, 3))
        assert len(heard) == answer_size(3)
        assert heard == answer(4, heard[2:-3], status=1)
        assert await world.ask(ctx, write_request(4, BAD, bytes(8))) == answer(5, status=1)
        assert await world.ask(ctx, read_request(6, 0, 1)) == answer(6, bytes(4))

    world.run(host)
    assert world.accesses == [(BAD, 0), (BAD, 1), (0, 0)]


@pytest.mark.parametrize("write", [False, True])
def test_no_request_with_a_wrong_bit_is_carried_out(write):
    world = World()
    request = write_request(2, 0x100, bytes(range(8))) if write else read_request(2, 0x100, 2)

    async def host(ctx):
        for bit in range(8, 8 * len(request)):      # without its first byte it is none at all
            wrong = bytearray(request)
            wrong[bit // 8] ^= 1 << bit % 8
            await world.send(ctx, wrong)
            await world.tick(ctx, TICKS + 1)
            assert await world.hear(ctx, clocks=30) == b""
            assert world.accesses == []
        good = await world.ask(ctx, request)
        assert len(good) == answer_size(0 if write else 2)

    world.run(host)
    assert len(world.accesses) == 2


def test_it_finds_its_way_after_garbage_and_pauses():
    world = World()
    request = write_request(8, 0x200, b"abcdefgh")

    async def host(ctx):
        for length in range(len(request)):
            await world.send(ctx, request[:length])
            await world.tick(ctx, TICKS + 1)
            noise = bytes(byte for byte in world.random.randbytes(20) if byte != 0x6d)
            assert await world.ask(ctx, noise + request) == answer(9)

    world.run(host)
    assert world.memory == {0x200: words(b"abcd")[0], 0x204: words(b"efgh")[0]}


def test_a_pause_that_is_not_too_long_is_none():
    world = World()

    async def host(ctx):
        for byte in read_request(8, 0x200, 1):
            await world.tick(ctx, TICKS - 1)
            await world.send(ctx, [byte])
        assert await world.hear(ctx) == answer(8, bytes(4))

    world.run(host)


def test_requests_that_a_board_would_not_take_are_not_made():
    assert crc(b"123456789") == b"\x29\xb1"     # the check value of CRC-16/IBM-3740
    for address, count in (2, 1), (0, 0), (0, 257), (0x3fc, 2):
        with pytest.raises(ValueError, match="^words must be 1 to 256 within 1024 aligned bytes"):
            read_request(0, address, count)
