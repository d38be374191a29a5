"""An IO DMA device on a gated port: held like the CPU, unless its memory was copied first."""

import random

import pytest
from memsnap import SnapshotParams, SnapshotUnit
from memsnap.control import RegionKind
from memsnap_sim.kit import Bench, DmaDevice, DmaDriver, Ring, pauses, read, write
from memsnap_sim.kit.dma import DONE
from memsnap_sim.report import Kind

FORMS = pytest.mark.parametrize("pipelined", [True, False], ids=["pipelined", "classic"])
#: Ring and buffers in the blocks of one row of the map, and over two of them.
RINGS = {"one-row": Ring(base=0x240, slots=4, buffers=0x280, buffer_size=32),
         "two-rows": Ring(base=0x40, slots=4, buffers=0x1c0, buffer_size=32)}
SIZE, BLOCK = 1024, 16
SEED = 83


class System:
    """A CPU that serves the ring and writes elsewhere, and the device, on a unit of two ports."""

    def __init__(self, *, ring="one-row", packets=None, seed=SEED, **options):
        self.params = SnapshotParams(**{
            "ports": 2, "memory_size": SIZE, "shadow_base": SIZE, "addr_width": 11,
            "block_size": BLOCK, "share": 4, **options})
        self.ring = RINGS[ring]
        rng = pauses.generators(seed)
        image = bytes(random.Random(seed).randbytes(2 * SIZE))
        unit = SnapshotUnit(self.params, trace=True)
        self.driver = DmaDriver(unit.s0_wb, self.ring, work=self._work(rng("work")))
        self.device = DmaDevice(unit.s1_wb, self.ring, gap=pauses.sometimes(rng("gap"), 0.2, 3),
                                rest=pauses.uniform(rng("rest"), 0, 30), packets=packets,
                                length=pauses.uniform(rng("length"), 1, 32))
        self.bench = Bench(self.params, unit=unit, traffic=self.driver.traffic(),
                           others=[self.device.traffic()], image=self.ring.put_into(image),
                           latency=4)

    def _work(self, rng):
        """Accesses of a CPU to what is not the ring's."""
        (_, last), (first, end) = self.ring.regions
        while True:
            adr = rng.choice([rng.randrange(last + 1, first), rng.randrange(end + 1, SIZE)]
                             if last + 1 < first else [rng.randrange(end + 1, SIZE)]) // 4
            yield write(adr, rng.getrandbits(32)) if rng.random() < 0.3 else read(adr)

    def run(self, regions=()):
        async def script(bench):
            await bench.ready()
            await bench.set_regions(regions, kind=RegionKind.DMA.value)
            await bench.clocks(200)
            await bench.start()
            await bench.end()
            await bench.clocks(200)

        self.bench.run(script).check()
        assert not self.driver.wrong, self.driver.wrong
        assert len(self.driver.received) >= 4
        return self

    @property
    def regions_copied(self):
        """The clock in which the last block of ring and buffers was marked as copied."""
        return max(clock for clock, block, _ in self.bench.copied if block in self.blocks)

    @property
    def blocks(self):
        """The blocks of ring and buffers."""
        return {at // BLOCK for first, last in self.ring.regions for at in range(first, last + 1)}

    @property
    def demanded(self):
        """Those that were copied by demand."""
        return {block for _, block, kind in self.bench.copied
                if block in self.blocks and Kind(kind) is Kind.DEMAND}

    def stalls(self, port, after=0):
        """Lengths in clocks of a port's stalls that begin after a clock."""
        lengths, last = [], None
        for clock, ports in self.bench.held:
            if ports >> port & 1:
                if last == clock - 1 and lengths:
                    lengths[-1] += 1
                elif clock > after:
                    lengths.append(1)
                last = clock
        return lengths


@FORMS
def test_without_regions_the_device_is_held_like_the_cpu(pipelined):
    system = System(pipelined=pipelined).run()
    assert [record.result for record in system.bench.snapshots] == ["done"]
    assert len(system.demanded) > len(system.blocks) // 2
    waits = [length for length in system.stalls(1) if length > 1]
    assert len(waits) > 10
    assert any(length > 1 for length in system.stalls(0))


@FORMS
@pytest.mark.parametrize("ring", RINGS)
def test_with_regions_no_copy_is_waited_for_once_they_are_copied(pipelined, ring):
    """What is left are looks at the map, a clock each, where the row at hand is another or old."""
    system = System(ring=ring, pipelined=pipelined)
    system.run(system.ring.regions)
    bench = system.bench
    assert [record.result for record in bench.snapshots] == ["done"]
    copied, record = system.regions_copied, bench.snapshots[0]
    later = [entry for entry in bench.initiators[1].log
             if entry.we and copied < entry.accepted <= record.ended]
    assert len(later) > 50
    looks = system.stalls(1, after=copied)
    assert set(looks) <= {1}
    if ring == "one-row":
        assert len(looks) <= 1
    assert any(length > 1 for length in system.stalls(0, after=copied)), "the CPU still waits"
    # Copied first: what the background copied came later
    kinds = [(clock, block in system.blocks) for clock, block, kind in bench.copied
             if Kind(kind) is Kind.BACKGROUND]
    assert not any(inside for _, inside in kinds)


def test_regions_are_copied_before_the_rest():
    system = System()
    system.run(system.ring.regions)
    kinds = {block: Kind(kind) for _, block, kind in system.bench.copied}
    inside = {kinds[block] for block in system.blocks}
    assert Kind.INITIAL in inside and Kind.BACKGROUND not in inside
    whole = system.bench.snapshots[0]
    assert system.regions_copied - whole.instant < (whole.ended - whole.instant) / 3


def test_packets_arrive_whole_through_several_snapshots():
    """The packets that the software takes are those that the device sent, before, at and after."""
    system = System(packets=30)

    async def script(bench):
        await bench.ready()
        await bench.set_regions(system.ring.regions, kind=RegionKind.DMA.value)
        for _ in range(2):
            await bench.start()
            await bench.end()
        while len(system.driver.received) < 30 and bench.clock < 20_000:
            await bench.clocks(50)

    system.bench.run(script).check()
    assert not system.driver.wrong
    assert system.driver.received == system.device.sent
    assert len(system.device.sent) == 30


def test_the_driver_finds_a_packet_that_is_not_whole():
    """The device tells too early: its flags overtake the last words of the packet."""
    system = System(packets=6)
    send = system.device._send

    def early(slot, address, most):
        flags = system.ring.descriptor(slot) + 4
        fields = (32, len(system.device.sent), DONE)
        yield from system.device._write(flags, b"".join(n.to_bytes(4, "little") for n in fields))
        yield from system.device._wait(60)
        yield from send(slot, address, most)

    system.device._send = early

    async def script(bench):
        await bench.clocks(800)

    system.bench.run(script)
    assert any("wrong content" in text for text in system.driver.wrong)
