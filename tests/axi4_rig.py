"""A component between AXI4 managers and a memory; the rules of the bus are watched on all sides."""

from amaranth.hdl import ClockDomain, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped
from amaranth.sim import Simulator
from memsnap import SnapshotParams
from memsnap_sim.kit import Axi4Checker, Axi4Memory, Manager
from memsnap_sim.kit.axi4_burst import ADDRESS_FIELDS, places
from memsnap_sim.kit.axi4_channels import join_samples

__all__ = ["SHAPES", "DataAfterAddress", "Rig", "axi4_params_of", "same", "seldom", "touched"]

#: Small configurations that differ in everything that the components depend on.
SHAPES = {
    "three_blocks": dict(memory_base=0x40, block_size=16, memory_size=48, shadow_base=0x80,
                         addr_width=13, user_width=3),
    "one_beat": dict(data_width=64, block_size=8, memory_size=72 * 8, shadow_base=0x400,
                     max_in_flight=4),
    "pages": dict(block_size=2048, memory_base=0x4000, memory_size=0x3000, shadow_base=0x8000,
                  id_width=2),
    "wide": dict(data_width=512, block_size=128, memory_size=0x2800, shadow_base=0x4000,
                 max_in_flight=2),
}


def axi4_params_of(shape, **changes):
    """The parameters of one of the :data:`SHAPES`, with changes."""
    return SnapshotParams(**{"bus": "axi4", "addr_width": 16, **SHAPES[shape], **changes})


def touched(transaction, params, base):
    """The beats of the range from ``base`` on that a burst touches, by their index in it.

    A burst is said to touch everything from its lowest to its highest beat.
    """
    words = [word - base // params.beat_bytes for word, _ in places(transaction, params.beat_bytes)]
    beats = params.memory_size // params.beat_bytes
    return [word for word in range(min(words), max(words) + 1) if 0 <= word < beats]


def same(asked, got, *, ids=True):
    """Whether what the memory got is what a manager asked."""
    names = [name for name in ADDRESS_FIELDS if ids or name != "id"]
    return (asked.we == got.we and asked.beats == got.beats
            and all(getattr(asked, name) == getattr(got, name) for name in names)
            and (not asked.we or asked.data == got.data and asked.strobes == got.strobes
                 and all(user == asked.user for user in got.users)))


def seldom(rng, chance):
    """A memory's ``errors``: one of the two kinds, with a chance."""
    return lambda *_: rng.choice(["err", "decerr"]) if rng.random() < chance else None


class DataAfterAddress(wiring.Component):
    """Lets data pass from ``s`` to ``m`` when its address is offered there, and no earlier."""

    def __init__(self, signature):
        super().__init__({"s": In(signature), "m": Out(signature)})

    def elaborate(self, platform):
        m = Module()
        connect(m, flipped(self.s), flipped(self.m))
        owed, stood, may_pass = Signal(10), Signal(), Signal()
        fresh = self.m.awvalid & ~stood
        m.d.comb += may_pass.eq((owed != 0) | fresh)
        m.d.sync += [
            stood.eq(self.m.awvalid & ~self.m.awready),
            owed.eq(owed + fresh - (self.m.wvalid & self.m.wready & self.m.wlast)),
        ]
        with m.If(~may_pass):
            m.d.comb += [self.m.wvalid.eq(0), self.s.wready.eq(0)]
        return m


class Rig:
    """``managers``: for each its bus, transactions and options; ``memory``: bus, image, options.

    A checker watches each bus; all find nothing in the end.
    """

    def __init__(self, dut, managers, memory, *, strict=False):
        self.dut = dut
        self.managers = [Manager(bus, transactions, **options)
                         for bus, transactions, options in managers]
        bus, image, options = memory
        self.memory = Axi4Memory(bus, image, **options)
        buses = bus if isinstance(bus, list) else [bus]
        self.checkers = [Axi4Checker(each.bus, name=f"manager {index}")
                         for index, each in enumerate(self.managers)]
        for manager, checker in zip(self.managers, self.checkers, strict=True):
            manager.listener = checker.sample
        self.downstream = [Axi4Checker(each, name="memory", strict=strict) for each in buses]
        self.memory.listeners = [checker.sample for checker in self.downstream]

    def run(self, script=None, *, processes=(), limit=8_000):
        """Runs until the managers have all their answers, and the script is over."""
        top = Module()
        top.domains.sync = self.domain = ClockDomain()
        top.submodules.dut = self.dut
        parts = [*self.managers, self.memory]
        join_samples(top, parts)
        simulator = Simulator(top)
        simulator.add_clock(1e-6)
        for process in [*(part.process for part in parts), *processes]:
            simulator.add_process(process)

        async def testbench(ctx):
            if script is not None:
                await script(ctx)
            while not all(manager.idle for manager in self.managers):
                await ctx.tick()
                assert self.memory.clock < limit, [
                    str(manager.log[-1]) for manager in self.managers if not manager.idle]
        simulator.add_testbench(testbench)
        simulator.run()
        for checker in [*self.checkers, *self.downstream]:
            assert checker.violations == [], str(checker.violations[0])
        return self
