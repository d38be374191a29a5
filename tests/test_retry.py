"""Repeated accesses, between a random copier and a random bus."""

from collections import deque

import pytest
from memsnap.retry import Retry

from sim import seeded, simulate


@pytest.mark.parametrize("retries, spares", [(0, 0), (1, 0), (3, 0), (15, 0), (2, 0.5), (0, 0.7)])
@pytest.mark.parametrize("depth", [2, 8])
def test_every_clock(retries, spares, depth):
    rng = seeded(retries + depth)

    async def script(pins):
        for _ in range(20):
            await one_life(pins, rng, retries, spares, depth)
            await pins.warm_reset()

    simulate(Retry(8, width=16, depth=depth), script)


async def one_life(pins, rng, retries, spares, depth):
    """Requests until an error gets through or time is up; then a stop, and all is answered."""
    pins.retries = retries
    pins.drive(stop=0, drop=0)
    pins.request.valid = 0
    waiting = deque()      # what the copier has asked and got no answer to
    on_bus = deque()       # what the bus owes an answer
    failures = 0           # of the oldest, in a row
    begun_anew = 0
    unheard = 0            # answers that nobody is to hear
    offer = None           # on offer at the bus in the clock before, and not taken
    stop = drop = stopped_by_error = False
    failed = False         # an answer was an error
    number = quiet = 0
    p_error = rng.choice([0, 0.02, 0.2])
    for clock in range(400):
        if clock == 300 or stopped_by_error:
            stop = True
        if clock == 320 and rng.random() < 0.5:
            drop = True
        pins.drive(stop=stop, drop=drop)
        if not pins.request.valid and not stop and rng.random() < 0.7:
            number = (number + 1) % 256
            pins.request.drive(valid=1, payload=number)
        pins.bus_request.ready = rng.random() < 0.6
        answered = bool(on_bus) and rng.random() < 0.5
        error = answered and rng.random() < p_error
        pins.bus_answer.drive(valid=answered, error=error, data=rng.getrandbits(16))
        pins.spare = spare = rng.random() < spares

        # The bus
        if offer is not None:
            assert pins.bus_request.valid and pins.bus_request.payload == offer
        made = pins.bus_request.valid and pins.bus_request.ready
        sent = pins.bus_request.payload
        offer = sent if pins.bus_request.valid and not made and not drop else None
        taken = pins.request.valid and pins.request.ready
        if not (failed or stop):
            assert pins.bus_request.valid == (pins.request.valid and len(waiting) < depth)
        if taken:
            assert made and sent == pins.request.payload and len(waiting) < depth
            waiting.append(sent)
        if made and not taken and not unheard:     # a repeated one: the next not on the bus
            assert sent == waiting[len(on_bus)]

        # The copier
        if pins.spent:
            assert pins.failing == waiting[0] and failures == retries + 1 and not stop
            begun_anew += spare
            failures = 0
        if pins.answer.valid:
            heard = waiting.popleft()
            if answered and not unheard and not (error and not stop):
                assert heard == on_bus[0] and pins.answer.error == error
                assert pins.answer.data == pins.bus_answer.data
            else:
                assert pins.answer.error and (stop or pins.spent and not spare)
            stopped_by_error = stopped_by_error or pins.answer.error
            failures = 0
        if answered:
            on_bus.popleft()
            if unheard:
                unheard -= 1
            elif error and not stop:
                failed = True
                assert not pins.answer.valid
                failures += 1
                assert failures <= retries + 1
                unheard = len(on_bus) + made
                if offer is not None:
                    unheard += 1       # it has to stay until the bus takes it
        if made:
            on_bus.append(sent)
        if drop and not made and offer is None and pins.bus_request.valid and unheard:
            unheard -= 1
        dropped = drop and pins.request.valid and not taken
        await pins.tick()
        if taken or dropped:
            pins.request.valid = 0
        quiet = quiet + 1 if stop and not waiting and not on_bus else 0
        if quiet > 8 and not pins.request.valid:
            break
    assert not waiting and not on_bus
    if spares == 0:
        assert not begun_anew
