"""The turns of the asks: stable while the sequencer is at one, and fair."""

import pytest
from memsnap.ask_turns import AskTurns

from sim import Pins, params_of, seeded, simulate


@pytest.mark.parametrize("ports", [2, 3, 4])
def test_every_clock(ports):
    rng = seeded(ports)
    params = params_of("three_blocks", ports=ports, jobs=5)
    dut = AskTurns(params)

    async def script(pins):
        asks = [Pins(pins._ctx, ask) for ask in dut.asks]
        turn = 0
        looked_past = [0] * ports    # times that others had their turn while this one asked
        for _ in range(2000):
            for index, ask in enumerate(asks):
                if not ask.valid and rng.random() < 0.4:
                    ask.valid = 1
                    ask.payload = {"beat": rng.randrange(4), "block": index % 3}
            choose = rng.random() < 0.5
            pins.choose = choose
            asking = [index for index, ask in enumerate(asks) if ask.valid]
            now = pins.asker
            if not choose or not asking:
                assert now == turn
            else:
                assert now in asking
                for index in range(ports):
                    waits = index in asking and index != now
                    looked_past[index] = looked_past[index] + 1 if waits else 0
                    assert looked_past[index] < ports, "an ask waits out of turn"
            assert pins.ask.valid == (now in asking)
            assert pins.ask.payload == asks[now].payload
            grant = pins.ask.valid and rng.random() < 0.4
            pins.ask.ready = grant
            for index, ask in enumerate(asks):
                assert ask.ready == (grant and index == now)
            await pins.tick()
            if grant:
                asks[now].valid = 0
                looked_past[now] = 0
            turn = now
    simulate(dut, script)
