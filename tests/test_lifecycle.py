"""The life of a snapshot: starts, states, and what is forgotten when."""

import pytest
from lifecycle_steps import RUNNING, bring, bring_to_end, outcome, ready, results, run
from memsnap.control import Cause, Refusal, State

from sim import seeded


def test_life():
    async def script(pins):
        pins.sweeping = 1
        for _ in range(5):
            assert pins.state is State.CLEARING and not pins.ready
            await pins.tick()
        pins.sweeping = 0
        await ready(pins)
        assert pins.state is State.IDLE and not (pins.locked or pins.active or pins.protected)
        pins.drained = 0
        pins.start = 1
        assert pins.accepted
        await pins.tick()
        pins.start = 0
        assert pins.state is State.ARMING and pins.arming and pins.locked and not pins.active
        assert not pins.accepted
        await pins.tick()                       # two clocks after the start: the instant
        assert pins.state is State.INITIAL and pins.active and pins.locked and pins.protected
        for _ in range(3):
            assert not pins.enable and not pins.arming
            await pins.tick()
        pins.drained = 1
        assert pins.enable
        await pins.pulse("all_initial")
        assert pins.state is State.BACKGROUND
        await pins.tick(3)
        await pins.pulse("all_claimed")
        assert pins.state is State.DRAINING
        await pins.tick(3)
        assert not pins.ended and pins.active
        pins.full = 1
        assert pins.ended
        await pins.tick()
        assert pins.state is State.DONE and pins.done and pins.ready and pins.protected
        assert not (pins.ended or pins.active or pins.locked or pins.enable or pins.stop)
        await pins.tick(3)
        await pins.pulse("clear")
        assert pins.state is State.IDLE and not pins.done and not pins.protected

    run(script)


def test_the_instant_waits_for_a_write_at_the_memory():
    async def script(pins):
        await ready(pins)
        pins.can_arm = 0
        await pins.pulse("start")
        for _ in range(10):
            assert pins.arming and not pins.active
            await pins.tick()
        pins.can_arm = 1
        await pins.tick()
        assert pins.active

    run(script)


def test_trigger():
    """A rise is a start; a level is none, nor is a level that was high through a reset."""
    async def script(pins):
        pins.trigger = 1
        await pins.warm_reset(3)
        await ready(pins)
        await pins.tick(5)
        assert pins.state is State.IDLE and not pins.refused
        pins.trigger = 0
        await pins.tick()
        pins.trigger = pins.start = 1           # both at once are one start
        assert pins.accepted
        await pins.tick()
        pins.start = 0
        await pins.tick(5)
        assert pins.state is State.INITIAL and not pins.refused
        await bring_to_end(pins, "full")
        assert pins.state is State.DONE, "the level does not start another"
        pins.trigger = 0
        await pins.tick()
        pins.trigger = 1
        await pins.tick(2)
        assert pins.state is not State.DONE and not pins.done
        pins.trigger = 0
        await pins.tick()
        pins.trigger = 1
        await pins.tick()
        assert pins.refused and pins.refusal is Refusal.BUSY

    run(script)


@pytest.mark.parametrize("unsound", [Refusal.NONE, Refusal.REGION_ORDER, Refusal.REGION_RANGE])
def test_regions(unsound):
    """A start with unsound regions is refused with its reason, from idle and from done."""
    async def script(pins):
        for state in State.IDLE, State.DONE:
            pins.unsound = Refusal.NONE
            await bring(pins, state)
            pins.unsound = unsound
            before = results(pins)
            pins.start = 1
            assert pins.accepted == (unsound is Refusal.NONE)
            await pins.tick()
            pins.start = 0
            if unsound is Refusal.NONE:
                assert pins.arming and not pins.refused and not pins.done
                await bring_to_end(pins, "full")
                await pins.pulse("clear")
            else:
                assert pins.refused and pins.refusal is unsound
                assert results(pins) == before
                await pins.pulse("clear")
                assert not pins.refused and pins.refusal is Refusal.NONE

    run(script)


@pytest.mark.parametrize("pin", [False, True])
def test_a_start_in_the_first_clock_of_a_policy(pin):
    """It is refused for that policy, or not for the one before: ``checking`` says that it is new.
    """
    async def script(pins):
        await ready(pins)
        for retries, refusal in (1, Refusal.POLICY), (0, Refusal.NONE):
            pins.drive(retries=retries, checking=1)
            await pins.pulse("trigger" if pin else "start")
            pins.checking = 0
            assert pins.accepted == (refusal is Refusal.NONE) and not pins.arming
            await pins.tick()
            assert pins.refusal is refusal and pins.arming == (refusal is Refusal.NONE)

    run(script)


@pytest.mark.parametrize("found", [Refusal.NONE, Refusal.REGION_RANGE])
@pytest.mark.parametrize("clocks", [1, 2, 6])
@pytest.mark.parametrize("pin", [False, True])
def test_a_start_waits_for_the_check(pin, clocks, found):
    """It is neither missed nor decided before the regions are looked at; and it is one start."""
    async def script(pins):
        await ready(pins)
        pins.drive(checking=1, unsound=Refusal.REGION_ORDER)    # of what the table held before
        await pins.pulse("trigger" if pin else "start")
        for _ in range(clocks):
            assert not (pins.accepted or pins.refused or pins.locked)
            await pins.tick()
        pins.drive(checking=0, unsound=found)
        assert pins.accepted == (found is Refusal.NONE)
        await pins.tick()
        assert not pins.accepted and pins.refusal is found
        assert pins.arming == (found is Refusal.NONE)
        await pins.pulse("clear")
        await pins.tick()
        assert not pins.accepted and not pins.refused

    run(script)


@pytest.mark.parametrize("state", [each for each in State if each not in (State.IDLE, State.DONE)])
def test_busy(state):
    """A start at any other time is refused, and nothing else comes of it."""
    async def script(pins):
        await bring(pins, state)
        before = results(pins)
        pins.start = 1
        assert not (pins.accepted or pins.reset or pins.sweep or pins.ended)
        await pins.tick()
        pins.start = 0
        assert pins.refused and pins.refusal is Refusal.BUSY
        assert results(pins) == before

    run(script)


@pytest.mark.parametrize("state", [State.IDLE, State.ARMING, *RUNNING, State.DONE])
def test_clear(state):
    """Forgets a result in idle and done; a snapshot that runs is not disturbed."""
    async def script(pins):
        await bring(pins, state)
        await pins.pulse("clear")
        if state in (State.IDLE, State.DONE):
            assert results(pins) == (State.IDLE, 0, 0, 0, Cause.NONE, 0, 0, 0, 0)
        else:
            assert pins.state is state and pins.locked

    run(script)


@pytest.mark.parametrize("clear", [False, True])
@pytest.mark.parametrize("end", ["full", "error", "cancel"])
def test_next_start_forgets(end, clear):
    """Whatever came before, cleared or not: a new start is accepted and forgets it."""
    async def script(pins):
        await bring(pins, State.DRAINING)
        pins.error_block = 1
        await bring_to_end(pins, end)
        await ready(pins)
        if clear:
            await pins.pulse("clear")
        pins.start = 1
        assert pins.accepted
        await pins.tick()
        pins.start = 0
        assert results(pins)[1:6] == (0, 0, 0, Cause.NONE, 0) and pins.arming
        await bring_to_end(pins, "full")
        assert outcome(pins) == "done"

    run(script)


@pytest.mark.parametrize("state", State)
def test_reset(state):
    """A reset at any time leaves nothing of a snapshot."""
    async def script(pins):
        await bring(pins, state)
        pins.drive(sweeping=1, busy=0)
        await pins.warm_reset()
        assert results(pins) == (State.CLEARING, 0, 0, 0, Cause.NONE, 0, 0, 0, 0)
        assert not (pins.enable or pins.stop or pins.drop or pins.abort or pins.refused)
        pins.sweeping = 0
        await bring(pins, State.DONE)
        assert pins.done

    run(script)


def test_random():
    """Each accepted start has one end, and the flags agree with each other in every clock."""
    rng = seeded(5)

    async def script(pins):
        accepted = ended = 0
        pins.timeout = 6
        was = pins.ended
        for _ in range(6000):
            pins.drive(**{name: rng.random() < rate for name, rate in {
                "start": 0.1, "trigger": 0.3, "cancel": 0.02, "clear": 0.05, "error": 0.01,
                "error_write": 0.5, "full": 0.03, "busy": 0.5, "waiting": 0.6, "aborting": 0.1,
                "sweeping": 0.3, "can_arm": 0.6, "drained": 0.8, "all_initial": 0.2,
                "all_claimed": 0.2}.items()})
            state = pins.state
            accepted += pins.accepted
            ended += pins.ended
            assert accepted - ended in (0, 1) and not (was and pins.ended)
            assert pins.done + pins.failed + pins.cancelled <= 1
            assert pins.done == (state is State.DONE)
            assert pins.failed == (pins.cause not in (Cause.NONE, Cause.CANCELLED))
            assert pins.cancelled == (pins.cause is Cause.CANCELLED)
            assert pins.refused == (pins.refusal is not Refusal.NONE)
            assert pins.active == (state in RUNNING)
            assert pins.locked == (state in (State.ARMING, State.STOPPING, *RUNNING))
            assert pins.ready == (state in (State.IDLE, State.DONE))
            assert pins.protected == (state in [State.DONE, *RUNNING])
            assert pins.enable == (pins.active and pins.drained)
            assert pins.stop == (state is State.STOPPING) and (pins.stop or not pins.drop)
            assert pins.sweep == pins.reset
            assert not pins.reset or pins.stop and pins.ended
            assert not pins.accepted or pins.ready
            was = pins.ended
            await pins.tick()
        assert ended > 100

    run(script)
