"""The DMA device and its driver, on a memory without the unit."""

import random
import re

import pytest
from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator
from memsnap.bus import wishbone
from memsnap_sim.kit import (
    DmaDevice,
    DmaDriver,
    Initiator,
    MemoryTarget,
    Ring,
    errors_at,
    packet,
    pauses,
)
from memsnap_sim.kit.dma import DONE, ERROR, OWNED

RING = Ring(base=0x40, slots=4, buffers=0x100, buffer_size=32)
SIZE = 0x200
SEED = 31


def device_of(bus, ring=RING, seed=SEED, **options):
    rng = pauses.generators(seed)
    return DmaDevice(bus, ring, length=pauses.uniform(rng("length"), 1, ring.buffer_size),
                     gap=pauses.sometimes(rng("gap"), 0.3, 5),
                     rest=pauses.uniform(rng("rest"), 0, 20), **options)


def simulate(make, *, data_width=32, pipelined=True, clocks=600, script=None, **memory):
    """Runs accesses of ``make(bus)`` on a memory; gives what ``make`` did, and the memory."""
    bus = wishbone.Signature(addr_width=12, data_width=data_width, pipelined=pipelined).create()
    target = MemoryTarget(bus, RING.put_into(bytes(SIZE)), **memory)
    master = make(bus)
    initiator = Initiator(bus, master.traffic())
    top = Module()
    top.domains.sync = ClockDomain()
    simulator = Simulator(top)
    simulator.add_clock(1e-6)
    simulator.add_process(target.process)
    simulator.add_process(initiator.process)

    async def testbench(ctx):
        for _ in range(clocks):
            await ctx.tick()
            if script is not None:
                script(target)
    simulator.add_testbench(testbench)
    simulator.run()
    return master, target


def descriptor(image, slot):
    at = RING.descriptor(slot)
    return [int.from_bytes(image[at + field:at + field + 4], "little") for field in (0, 4, 8, 12)]


@pytest.mark.parametrize("data_width", [8, 16, 32, 64])
@pytest.mark.parametrize("pipelined", [True, False], ids=["pipelined", "classic"])
def test_packets_of_a_ring(data_width, pipelined):
    """One round: contents, descriptors, and not a byte beside them."""
    clocks = 6000 // data_width * (1 if pipelined else 2) * 8
    device, target = simulate(device_of, data_width=data_width, pipelined=pipelined, latency=2,
                              clocks=clocks)
    assert [number for number, _ in device.sent] == [0, 1, 2, 3]
    assert len({length for _, length in device.sent}) > 1
    expected = bytearray(RING.put_into(bytes(SIZE)))
    for slot, (number, length) in enumerate(device.sent):
        assert descriptor(target.image, slot) == [RING.buffer(slot), length, number, DONE]
        expected[RING.buffer(slot):RING.buffer(slot) + length] = packet(number, length)
        at = RING.descriptor(slot)
        expected[at:at + 16] = target.image[at:at + 16]
    assert target.image == expected


def test_a_descriptor_is_given_back_last():
    """All of a packet is in the memory before its descriptor says so."""
    _, target = simulate(lambda bus: device_of(bus, packets=3), latency=3)
    writes = [entry.adr for entry in target.log if entry.we]
    ends = [at for at, adr in enumerate(writes) if adr % 4 == 3 and adr < RING.buffers // 4]
    assert len(ends) == 3
    first = 0
    for slot, end in enumerate(ends):
        head = RING.descriptor(slot) // 4
        assert writes[end - 2:end + 1] == [head + 1, head + 2, head + 3]
        buffer = RING.buffer(slot) // 4
        assert writes[first:end - 2] == list(range(buffer, buffer + end - 2 - first))
        first = end + 1


def test_slots_that_are_given_back_are_filled_again():
    def give_back(target):
        for slot in range(RING.slots):
            flags = RING.descriptor(slot) // 4 + 3
            if target.words[flags] & DONE:
                target.words[flags - 2:flags + 1] = [RING.buffer_size, 0, OWNED]

    device, _ = simulate(lambda bus: device_of(bus, packets=9), clocks=2000, script=give_back)
    assert [number for number, _ in device.sent] == list(range(9))


def test_it_repeats_by_its_seed():
    logs = [[(entry.clock, entry.adr, entry.data) for entry in
             simulate(lambda bus, seed=seed: device_of(bus, seed=seed))[1].log]
            for seed in (1, 1, 2)]
    assert logs[0] == logs[1] != logs[2]


@pytest.mark.parametrize("latency", [1, 5])
def test_packets_follow_each_other_without_gaps(latency):
    """Without pauses a packet takes one clock a word."""
    device, target = simulate(lambda bus: DmaDevice(bus, RING), latency=latency)
    clocks = [entry.clock for entry in target.log
              if entry.we and RING.buffer(1) <= 4 * entry.adr < RING.buffer(2)]
    assert clocks == list(range(clocks[0], clocks[0] + RING.buffer_size // 4))


def test_an_error_is_told():
    place = RING.buffer(1) // 4
    device, target = simulate(device_of, errors=errors_at(addresses=[place]))
    flags = [descriptor(target.image, slot)[3] for slot in range(RING.slots)]
    assert flags == [DONE, DONE | ERROR, DONE, DONE]


# The driver ------------------------------------------------------------------------------------


def filled(*, number=0, flip=0, flags=DONE):
    """A memory in which the device has filled the first slots, with a fault."""
    image = bytearray(RING.put_into(bytes(SIZE)))
    for slot in range(2):
        at = RING.descriptor(slot)
        fields = (30, slot + number, DONE if slot == 0 else flags)
        image[at + 4:at + 16] = b"".join(field.to_bytes(4, "little") for field in fields)
        content = bytearray(packet(slot + number, 30))
        content[29] ^= flip if slot else 0
        image[RING.buffer(slot):RING.buffer(slot) + 30] = content
    return bytes(image)


@pytest.mark.parametrize("fault, wrong", [
    ({}, []), ({"flip": 1}, ["packet 1 of 30 bytes has a wrong content"]),
    ({"number": 3}, ["packet 3 came instead of 0", "packet 4 came instead of 1"]),
    ({"flags": DONE | ERROR}, ["packet 1 has an error"])])
def test_the_driver_checks_packets_and_gives_them_back(fault, wrong):
    image = filled(**fault)

    def put(target):
        if target.clock < 2:
            target.words[:] = [int.from_bytes(image[at:at + 4], "little")
                               for at in range(0, SIZE, 4)]

    driver, target = simulate(lambda bus: DmaDriver(bus, RING), script=put)
    assert driver.wrong == wrong
    assert len(driver.received) == 2
    for slot in range(2):
        assert descriptor(target.image, slot) == [RING.buffer(slot), RING.buffer_size, 0, OWNED]


def test_packets_differ():
    lengths = random.Random(SEED).choices(range(4, 65), k=40)
    contents = [packet(number, length) for number, length in enumerate(lengths)]
    assert [len(content) for content in contents] == lengths
    assert len(set(contents)) == len(contents)
    assert [int.from_bytes(content[:4], "little") for content in contents] == list(range(40))


@pytest.mark.parametrize("options, message", [
    ({"base": 8}, "base must be a multiple of 16, not 0x8"),
    ({"slots": 0}, "slots must be at least 1, not 0"),
    ({"buffer_size": 6}, "buffer_size must be a multiple of 4 bytes, not 6"),
    ({"buffers": 0x102}, "buffers must be a multiple of 4, not 0x102"),
    ({"buffers": 0x40}, "buffers must not overlap the descriptors at 0x40 to 0x7f, not 0x40"),
])
def test_rings_are_checked(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Ring(**{"base": 0x40, "slots": 4, "buffers": 0x100, "buffer_size": 32, **options})
