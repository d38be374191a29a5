"""What a board's SDRAM is told at its start, and that a simulated one tells of broken rules."""

import random
import time
from dataclasses import replace

import pytest
from amaranth.sim import Simulator
from board_tools import fast_config
from memsnap_sim.board import simulation
from memsnap_sim.board.sdram import Broken, Initialisation, controller
from memsnap_sim.board.simulation import SimulatedBoard

pytestmark = pytest.mark.systems


def test_each_step_is_written_and_waited_for():
    core = controller("MT48LC16M16", 40_000_000)
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    delays = random.Random(seed)
    steps = [(address, value, min(wait, 50)) for address, value, wait in core.init]
    dut = Initialisation(steps)
    seen = []                   # a step, and the clocks between its answer and the next request

    async def bench(ctx):
        for _ in steps:
            quiet = 0
            while not ctx.get(dut.request):
                await ctx.tick()
                quiet += 1
            for _ in range(delays.randrange(4)):
                await ctx.tick()
            assert ctx.get(dut.request)
            seen.append((quiet, 4 * ctx.get(dut.adr), ctx.get(dut.dat_w)))
            ctx.set(dut.ack, 1)
            await ctx.tick()
            ctx.set(dut.ack, 0)
        for _ in range(200):
            await ctx.tick()
            assert not ctx.get(dut.request)

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert [each for _, *each in seen] == [[address, value] for address, value, _ in steps]
    waited = [quiet for quiet, *_ in seen[1:]]
    assert all(quiet >= wait for quiet, (_, _, wait) in zip(waited, steps, strict=False))


@pytest.mark.soak
def test_a_controller_for_another_clock_is_noticed(monkeypatch):
    """The twin of the boards' tests, in which no rule may be broken."""
    config = fast_config("ulx3s-sdram")
    slow = simulation.simulated_verilog(config.controller())
    monkeypatch.setattr(simulation, "simulated_verilog", lambda core: slow)
    with SimulatedBoard(replace(config, clock_hz=120_000_000)) as board:
        while board.clock < 200_000:
            time.sleep(0.01)
        assert Broken.TIMING in board.broken
