"""An AXI4 manager and a memory on one bus, wired straight to each other, with the rules watched."""

from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator
from memsnap.bus import axi4
from memsnap_sim.kit import Axi4Checker, Axi4Memory, Manager

SIZE = 4096 + 512


class Pair:
    """``manager`` and ``memory`` are the options of each."""

    def __init__(self, transactions, *, data_width=32, id_width=4, user_width=0, image=None,
                 manager=None, strict=False, **memory):
        self.bus = axi4.Signature(addr_width=16, data_width=data_width, id_width=id_width,
                                  user_width=user_width).create()
        self.initial = bytes(SIZE) if image is None else image
        self.manager = Manager(self.bus, transactions, **manager or {})
        self.memory = Axi4Memory(self.bus, self.initial, **memory)
        self.checkers = [Axi4Checker(self.bus, strict=strict and index == 0) for index in range(3)]
        self.manager.listener = self.checkers[0].sample
        self.memory.listener = self.checkers[1].sample

    def run(self, script=None, limit=100_000):
        """Runs until all is done, and the script is over."""
        m = Module()
        m.domains.sync = self.domain = ClockDomain()
        m.d.sync += self.bus.awvalid.like(self.bus.awvalid, name="unused").eq(0)
        simulator = Simulator(m)
        simulator.add_clock(1e-6)
        for part in self.manager, self.memory, self.checkers[2]:
            simulator.add_process(part.process)

        async def testbench(ctx):
            if script is not None:
                await script(ctx)
            while not self.manager.idle:
                await ctx.tick()
                assert self.memory.clock < limit
        simulator.add_testbench(testbench)
        simulator.run()
        for checker in self.checkers:
            assert checker.violations == []
            assert checker.outstanding == 0
        return self.manager.log
