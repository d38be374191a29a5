"""What the bench counts in: the unit's core between initiators and memories, on either bus.

The memories take a request a clock, on AXI4 an address a clock on each channel, and give or take a
beat a clock. ``L`` is the clocks from an accepted read to its (first) data, and from a write, or
its last data, to its answer.
"""

from amaranth.sim import Simulator
from memsnap import SnapshotParams
from memsnap.bus.fabric import upstream_names
from memsnap.core import SnapshotCore
from memsnap.params import CopierPort, Shadow

from .bench_row import case_name
from .kit.axi4_burst import read_burst, write_burst
from .kit.axi4_manager import Manager
from .kit.axi4_memory import Axi4Memory
from .kit.memory import MemoryTarget
from .kit.regions import RegionEntries
from .kit.wishbone import Initiator, read, write

__all__ = ["Axi4Rig", "Rig", "make_rig"]


class Rig:
    """The unit's core between Wishbone initiators and memories, with its control side at hand.

    Parameters
    ----------
    latency : int
        L of the memory, in clocks; a separate shadow has the same.
    **params
        Of :class:`memsnap.SnapshotParams`; the shadow lies behind the memory.

    Attributes
    ----------
    initiators : list
        One a port; the first is ``initiator``.
    retired : list of (int, str)
        Clock and kind of each copied block.
    """

    def __init__(self, *, latency=1, **params):
        self.latency = latency
        base = 1 << (params["memory_size"] - 1).bit_length()
        self.params = SnapshotParams(shadow_base=base, **params)
        self.core = SnapshotCore(self.params)
        self._image = bytes(2 * base)
        self._surround()
        self.initiator = self.initiators[0]
        self.regions = RegionEntries(self.core.control.regions)
        self.retired = []

    def _surround(self):
        """Puts memories and initiators around the core."""
        names = ["m_wb", *["x_wb"] * (self.params.shadow is Shadow.SEPARATE)]
        self.memories = [MemoryTarget(getattr(self.core, name), self._image, latency=self.latency)
                         for name in names]
        self.initiators = [Initiator(getattr(self.core, name), max_in_flight=64)
                           for name in upstream_names(self.params)]

    def read(self, beat, **options):
        """A read of one beat, for an initiator."""
        return read(beat, **options)

    def write(self, beat, **options):
        """A write of one beat, for an initiator."""
        return write(beat, 1, **options)

    def copied_beats(self, we):
        """The clocks in which the copier read, or wrote, a beat, in order; no one else does."""
        beats = self.params.memory_size // self.params.beat_bytes
        memory = self.memories[-1 if we else 0]
        return [entry.clock for entry in memory.log
                if entry.we == we and (entry.adr >= beats if we else self._is_data(entry.adr))]

    def _is_data(self, beat):
        """Whether a read of this beat is one of the copier's, and not one of the map."""
        first = self.params.map_first_block * self.params.block_beats
        return not first <= beat < first + self.params.map_blocks * self.params.block_beats

    def run(self, scenario):
        """Runs ``scenario(rig, ctx)`` to its end."""
        async def testbench(ctx):
            ctx.set(self.core.control.share, self.params.share)
            await self.ready(ctx)
            await scenario(self, ctx)

        async def watch(ctx):
            trace = self.core.trace
            clock = 0
            async for _, _, copied, kind in ctx.tick().sample(trace.copied, trace.kind):
                if copied:
                    self.retired.append((clock, kind.name))
                clock += 1

        simulator = Simulator(self.core)
        simulator.add_clock(1e-6)
        for each in (*self.memories, *self.initiators):
            simulator.add_process(each.process)
        simulator.add_process(watch)
        simulator.add_process(self.regions.process)
        simulator.add_testbench(testbench)
        simulator.run()
        return self

    def region(self, first, last):
        """Makes blocks ``first`` to ``last`` one more region of the initial copy."""
        self.regions.entries.append((first, last, 1))

    async def ready(self, ctx):
        """Waits until a snapshot can start."""
        while not ctx.get(self.core.control.ready):
            await ctx.tick()

    async def start(self, ctx):
        """Starts a snapshot, and returns in the clock after."""
        ctx.set(self.core.control.start, 1)
        await ctx.tick()
        ctx.set(self.core.control.start, 0)

    async def done(self, ctx):
        """Waits for the end, and checks that it is a good one."""
        while not ctx.get(self.core.control.ended):
            await ctx.tick()
        await ctx.tick()
        if not ctx.get(self.core.control.done):
            raise RuntimeError(f"the snapshot of {self.params} did not complete")

    async def copy_all_but_one(self, ctx):
        """Returns in a snapshot in which all is copied but the last block, which stays so."""
        self.region(0, self.params.blocks - 2)
        ctx.set(self.core.control.share, 0)
        ctx.set(self.core.control.pause, 1)
        await self.start(ctx)
        while len(self.retired) < self.params.blocks - 1:
            await ctx.tick()

    async def idle(self, ctx):
        """Waits until the initiators have made all their accesses."""
        while not all(initiator.idle for initiator in self.initiators):
            await ctx.tick()

    def counter(self, ctx, name):
        """A counter of the unit."""
        return ctx.get(self.core.control.counters[name])

    def name(self, *more):
        """What the rig is, for a row's case, with what more there is to say."""
        return case_name(self.params, self.latency, *more)


class Axi4Rig(Rig):
    """The unit's core between AXI4 managers and memories."""

    def __init__(self, **options):
        super().__init__(bus="axi4", **options)

    def _surround(self):
        names = ["m_axi"] + ["c_axi"] * (self.params.copier_port is CopierPort.OWN)
        self.memories = [self.memory([getattr(self.core, name) for name in names])]
        if self.params.shadow is Shadow.SEPARATE:
            self.memories.append(self.memory(self.core.x_axi))
        self.initiators = [self.manager(getattr(self.core, name))
                           for name in upstream_names(self.params)]

    def memory(self, bus):
        """A memory behind ``bus``, as those of the rig."""
        return Axi4Memory(bus, self._image, latency=self.latency, max_in_flight=256)

    def manager(self, bus, transactions=()):
        """An initiator before ``bus``, as those of the rig."""
        return Manager(bus, transactions, max_in_flight=64)

    def read(self, beat, beats=1, **options):
        return read_burst(beat * self.params.beat_bytes, beats, **options)

    def write(self, beat, beats=1, **options):
        return write_burst(beat * self.params.beat_bytes, [1] * beats, **options)

    def copied_beats(self, we):
        base = self.params.shadow_base if we else 0
        memory = self.memories[-1 if we else 0]
        return sorted(clock for each in memory.transactions
                      if each.we == we and (each.addr >= base if we else
                                            self._is_data(each.addr // self.params.beat_bytes))
                      for clock in each.clocks)


def make_rig(bus="wishbone", **options):
    """A :class:`Rig`, or an :class:`Axi4Rig`."""
    return (Axi4Rig if bus == "axi4" else Rig)(**options)
