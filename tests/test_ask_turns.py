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
        securing = 0
        looked_past = [0] * ports    # times that others had their turn while this one asked
        for _ in range(2000):
            for index, ask in enumerate(asks):
                if not ask.valid and rng.random() < 0.4:
                    ask.valid = 1
                    ask.payload = {"beat": rng.randrange(4), "block": index % 3}
            choose = rng.random() < 0.5
            pins.choose = choose
            pins.securing = securing
            waiting = [index for index in range(ports) if securing >> index & 1]
            pins.secured = sum(1 << index for index in waiting if rng.random() < 0.3)
            asking = [index for index, ask in enumerate(asks)
                      if ask.valid and index not in waiting]
            now = pins.asker
            if not choose or not asking:
                assert now == turn
            else:
                assert now in asking
                for index in range(ports):
                    waits = index in asking and index != now
                    looked_past[index] = looked_past[index] + 1 if waits else 0
                    assert looked_past[index] < ports, "an ask waits out of turn"
            assert pins.ask.valid == asks[now].valid
            assert pins.ask.payload == asks[now].payload
            grant = now in asking and rng.random() < 0.4
            whole = rng.getrandbits(1)
            pins.drive(whole=grant and whole)
            pins.ask.ready = grant
            granted = []
            for index, ask in enumerate(asks):
                assert ask.ready == (grant and index == now or pins.secured >> index & 1)
                if ask.ready:
                    granted.append(index)
            assert pins.wholes == (1 << now if grant and whole else 0)
            securing &= ~pins.secured
            if now in asking and not grant and choose and rng.random() < 0.3:
                securing |= 1 << now
                looked_past[now] = 0
            await pins.tick()
            for index in granted:
                asks[index].valid = 0
                looked_past[index] = 0
            turn = now
    simulate(dut, script)
