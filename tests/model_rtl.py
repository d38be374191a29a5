"""The same run in the cycle-level model and in the RTL, and where they differ."""

from amaranth import Module
from amaranth.sim import Simulator
from memsnap.bus.fabric import upstream_names
from memsnap.core import SnapshotCore, Trace
from memsnap.params import Shadow
from memsnap_sim.kit.axi4_channels import join_samples
from memsnap_sim.kit.regions import RegionEntries
from memsnap_sim.kit.wishbone import Access, Initiator
from memsnap_sim.model.accesses import beats_of

__all__ = ["Rtl", "differences"]

_COUNTERS = ("instant", "armed", "duration", "blocks_demand", "blocks_initial",
             "blocks_background", "held", "stall_longest", "stall_total")
_KINDS = ("DEMAND", "INITIAL", "BACKGROUND")


class Rtl:
    """A run of the unit's core in Amaranth's simulator.

    Attributes
    ----------
    start, end : int
        The clocks in which the start was given, and in which the snapshot ended.
    counters : dict
        Of the unit.
    copies : list of (clock, block, kind)
    clocks : list of list of (requested, accepted, answered)
        Of each beat (on AXI4, burst) of each port.
    held : list of dict
        Of each port: clocks in which a beat (burst) was held, for those that were.
    """

    def __init__(self, params, streams, *, memory, shadow, start, regions, share, pace,
                 max_in_flight):
        self.params = params
        self.start = start
        self.end = None
        self.copies = []
        self.counters = {}
        self.core = core = SnapshotCore(params)
        buses = [getattr(core, name) for name in upstream_names(params)]
        self._surround(buses, streams, memory=memory, shadow=shadow, max_in_flight=max_in_flight)
        self._held_clocks = [[] for _ in self._initiators]
        self._settings = dict(share=share, pace=pace)
        self._regions = RegionEntries(core.control.regions)
        self._regions.entries = [
            (*[(each - params.memory_base) // params.block_size for each in region], 1)
            for region in regions]

    def _surround(self, buses, streams, *, memory, shadow, max_in_flight):
        """Puts initiators and memories around the unit."""
        self._memories = [memory(self.core.m_wb)]
        if self.params.shadow is Shadow.SEPARATE:
            self._memories.append(shadow(self.core.x_wb))
        self._initiators = [
            Initiator(bus, max_in_flight=max_in_flight,
                      accesses=[Access(int(adr), bool(we), 0, gap=int(gap))
                                for gap, adr, we in beats_of(stream, self.params.beat_bytes)])
            for bus, stream in zip(buses, streams, strict=True)]

    def run(self, most=200_000):
        """Runs it to its end, and returns it."""
        top = Module()
        top.submodules.core = self.core
        parts = [*self._memories, *self._initiators]
        join_samples(top, parts)
        simulator = Simulator(top)
        simulator.add_clock(1e-6)
        for each in parts:
            simulator.add_process(each.process)
        simulator.add_process(self._watch)
        simulator.add_process(self._regions.process)

        async def testbench(ctx):
            control = self.core.control
            for name, value in self._settings.items():
                ctx.set(getattr(control, name), value)
            if self.start:
                await ctx.tick().repeat(self.start)
            ctx.set(control.start, 1)
            await ctx.tick()
            ctx.set(control.start, 0)
            for _ in range(0, most, 16):
                if self.end is not None and all(each.idle for each in self._initiators):
                    break
                await ctx.tick().repeat(16)
            self.counters = {name: ctx.get(control.counters[name]) for name in _COUNTERS}

        simulator.add_testbench(testbench)
        simulator.run()
        self.clocks = [[(each.requested, each.accepted, each.answered) for each in initiator.log]
                       for initiator in self._initiators]
        self.held = [self._held_beats(initiator.log, held) for initiator, held
                     in zip(self._initiators, self._held_clocks, strict=True)]
        return self

    async def _watch(self, ctx):
        clock = 0
        before = None
        async for _, _, bits, ended in ctx.tick().sample(self.core.trace.as_value(),
                                                         self.core.control.ended):
            if ended:
                self.end = clock
            if bits != before:
                before = bits
                trace = Trace.from_bits(bits)
            if trace.copied:
                self.copies.append((clock, trace.block, trace.kind.value))
            if trace.held:
                for port, clocks in enumerate(self._held_clocks):
                    if trace.held >> port & 1:
                        clocks.append(clock)
            clock += 1

    @staticmethod
    def _held_beats(log, held):
        counts = {}
        writes = ((number, each.accepted) for number, each in enumerate(log) if each.we)
        number = accepted = -1
        for clock in held:
            while accepted < clock:
                number, accepted = next(writes)
            counts[number] = counts.get(number, 0) + 1
        return counts


def differences(result, rtl):
    """Everything in which a :class:`memsnap_sim.model.Result` differs from the RTL, as text."""
    found = []

    def compare(what, model, unit):
        if model != unit:
            found.append(f"{what}: model {model}, RTL {unit}")

    compare("end", result.end, rtl.end)
    for name in _COUNTERS:
        compare(name, getattr(result, name), rtl.counters[name])
    copies = [tuple(map(int, copy)) for copy in result.copies]
    if copies != rtl.copies:
        at = next((index for index, pair in enumerate(zip(copies, rtl.copies, strict=False))
                   if pair[0] != pair[1]), min(len(copies), len(rtl.copies)))
        found.append(f"copy {at} (clock, block, kind): model {copies[at:at + 2]}, "
                     f"RTL {rtl.copies[at:at + 2]}")
    for port, clocks in enumerate(rtl.clocks):
        model = [tuple(map(int, beat)) for beat in result.beat_clocks[port]]
        for index, (ours, theirs) in enumerate(zip(model, clocks, strict=False)):
            if ours != theirs:
                found.append(f"port {port}, beat {index} (requested, accepted, answered): "
                             f"model {ours}, RTL {theirs}")
                break
        compare(f"port {port}, beats", len(model), len(clocks))
        stalls = {int(stall["beat"]): int(stall["clocks"]) for stall in result.stalls
                  if stall["port"] == port}
        compare(f"port {port}, stalls that only one has", dict(sorted(
            stalls.items() - rtl.held[port].items())), dict(sorted(
                rtl.held[port].items() - stalls.items())))
    return found
