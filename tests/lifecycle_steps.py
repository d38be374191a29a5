"""Steps through the life of a snapshot, for the tests of it."""

from memsnap.control import State
from memsnap.lifecycle import Lifecycle

from sim import params_of, simulate

__all__ = ["RUNNING", "bring", "bring_to_end", "outcome", "ready", "results", "run"]

PARAMS = params_of("three_blocks")      # 48 bytes from 0x40, two regions
RUNNING = [State.INITIAL, State.BACKGROUND, State.DRAINING]


def run(script):
    async def begin(pins):
        pins.drive(can_arm=1, drained=1)
        await script(pins)

    simulate(Lifecycle(PARAMS), begin)


async def ready(pins):
    """Out of a reset, past the sweep."""
    while pins.state is State.CLEARING:
        await pins.tick()
    assert pins.ready


async def bring(pins, state):
    """From ready to the given state."""
    if state is State.CLEARING:
        pins.sweeping = 1
        await pins.warm_reset()
        return
    await ready(pins)
    if state is State.IDLE:
        return
    pins.drive(all_initial=state not in (State.INITIAL, State.ARMING),
               all_claimed=state in (State.DRAINING, State.DONE), full=0,
               can_arm=state is not State.ARMING)
    await pins.pulse("start")
    if state is State.DONE:
        await bring_to_end(pins, "full")
    elif state is State.STOPPING:
        await pins.tick(2)
        pins.busy = 1
        await pins.pulse("cancel")
    else:
        await pins.tick(4)
    assert pins.state is state


async def bring_to_end(pins, *causes, values=()):
    """Gives the causes in one clock, while running; ends when the snapshot has ended."""
    while pins.state is not State.DRAINING and pins.state is not State.INITIAL:
        await pins.tick()
    pins.drive(**dict(values))
    ended = 0
    pins.drive(**dict.fromkeys(causes, 1))
    for clock in range(30):
        ended += pins.ended
        await pins.tick()
        if clock == 0:
            assert not pins.active, "writes are released at once"
            pins.drive(**dict.fromkeys(causes, 0))
    assert ended == 1
    assert pins.done + pins.failed + pins.cancelled == 1


def outcome(pins):
    return next(name for name in ("done", "failed", "cancelled") if getattr(pins, name))


def results(pins):
    return (pins.state, pins.done, pins.failed, pins.cancelled, pins.cause, pins.fail_block,
            pins.active, pins.locked, pins.protected)
