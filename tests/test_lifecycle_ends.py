"""Every way in which a snapshot ends."""

import pytest
from lifecycle_steps import RUNNING, bring, bring_to_end, outcome, results, run
from memsnap.control import Cause, State


@pytest.mark.parametrize("state", State)
def test_cancel(state):
    """A cancel ends what is under way, and does nothing else."""
    async def script(pins):
        await bring(pins, state)
        before = results(pins)
        await pins.pulse("cancel")
        if state in (State.CLEARING, State.IDLE, State.DONE, State.STOPPING):
            assert results(pins) == before
            return
        assert pins.stop and not pins.active and pins.locked and not pins.protected
        ended = 0
        for _ in range(20):
            ended += pins.ended
            assert pins.reset == pins.sweep == pins.ended
            await pins.tick()
        assert ended == 1 and outcome(pins) == "cancelled"
        assert pins.cause is Cause.CANCELLED and pins.fail_block == 0
        assert pins.state is State.IDLE and not pins.locked

    run(script)


@pytest.mark.parametrize("causes, expected, cause", [
    (["full"], "done", Cause.NONE),
    (["full", "cancel"], "done", Cause.NONE),
    (["error", "full"], "failed", Cause.READ_ERROR),
    (["error", "full", "cancel"], "failed", Cause.READ_ERROR),
    (["error", "error_write", "cancel"], "failed", Cause.WRITE_ERROR),
    (["error"], "failed", Cause.READ_ERROR),
    (["cancel"], "cancelled", Cause.CANCELLED),
])
@pytest.mark.parametrize("expired", [False, True], ids=["", "timeout"])
@pytest.mark.parametrize("state", [State.INITIAL, State.DRAINING])
def test_precedence(state, causes, expected, cause, expired):
    """Error before completion, completion before cancel, cancel before timeout."""
    async def script(pins):
        pins.drive(timeout=5, error_block=2)
        await bring(pins, state)
        if expired:
            pins.waiting = 1
            await pins.tick(5)
            pins.waiting = 0
        await bring_to_end(pins, *causes)
        assert outcome(pins) == expected and pins.cause is cause
        assert pins.fail_block == (2 if expected == "failed" else 0)

    run(script)


def test_the_end_waits_for_the_answers():
    """Stopping lasts as long as an answer is due; the block is the one shown at the end."""
    async def script(pins):
        await bring(pins, State.BACKGROUND)
        pins.drive(busy=1, error_block=1)
        await pins.pulse("error")
        for _ in range(20):
            assert pins.stop and pins.locked and not (pins.ended or pins.drop or pins.reset)
            assert not (pins.failed or pins.active)
            await pins.tick()
        pins.drive(error=1, error_write=1)      # a later error changes nothing
        await pins.tick()
        pins.drive(busy=0, error=0, error_block=2)
        while not pins.ended:
            await pins.tick()
        pins.sweeping = 1
        await pins.tick()
        assert pins.failed and pins.cause is Cause.READ_ERROR and pins.fail_block == 2
        assert pins.state is State.CLEARING and not pins.stop

    run(script)


@pytest.mark.parametrize("delay", range(8))
def test_clear_after_a_failure(delay):
    """From the clock after the end on, also while the map is being swept."""
    async def script(pins):
        await bring(pins, State.BACKGROUND)
        pins.error_block = 2
        await pins.pulse("error")
        while not pins.ended:
            await pins.tick()
        pins.sweeping = 1
        await pins.tick(1 + delay)
        assert pins.failed and pins.fail_block == 2 and pins.cause is Cause.READ_ERROR
        await pins.pulse("clear")
        assert not pins.failed and pins.fail_block == 0 and pins.cause is Cause.NONE
        assert pins.state is State.CLEARING
        pins.sweeping = 0
        await pins.tick()
        assert pins.ready

    run(script)


@pytest.mark.parametrize("state", [State.ARMING, *RUNNING])
@pytest.mark.parametrize("timeout", [0, 1, 2, 10])
def test_timeout(state, timeout):
    """As many clocks in a row without an answer end it; one answer between starts anew."""
    async def script(pins):
        pins.drive(timeout=timeout, error_block=1)
        await bring(pins, state)
        for silent in (timeout - 1, timeout - 1) if timeout else (300,):
            pins.waiting = 1
            for _ in range(silent):
                await pins.tick()
                assert pins.state is state
            pins.waiting = 0
            await pins.tick(2)
            assert pins.state is state
        if not timeout:
            return
        pins.waiting = 1
        await pins.tick(timeout)
        assert pins.state is state and not pins.abort
        await pins.tick()
        pins.waiting = 0
        assert pins.stop and not pins.active
        while not pins.ended:
            await pins.tick()
        await pins.tick()
        assert outcome(pins) == "failed" and pins.cause is Cause.TIMEOUT
        assert pins.fail_block == 1

    run(script)


@pytest.mark.parametrize("aborting", [1, 3, 20])
@pytest.mark.parametrize("stopping", [False, True], ids=["running", "stopping"])
def test_giving_up(stopping, aborting):
    """What the copier asked for is aborted once and withdrawn, so that the end comes."""
    async def script(pins):
        pins.drive(timeout=4)
        await bring(pins, State.BACKGROUND)
        pins.drive(busy=1)
        if stopping:
            await pins.pulse("cancel")
        pins.waiting = 1
        await pins.tick(4)
        assert pins.abort
        await pins.tick()
        pins.waiting = 0
        for _ in range(aborting):
            pins.aborting = 1
            assert pins.stop and pins.drop and not pins.abort and not pins.ended
            await pins.tick()
        pins.aborting = 0
        for _ in range(20):                     # answers of another port may still be due
            assert not pins.ended and pins.drop
            await pins.tick()
        pins.busy = 0
        ended = 0
        for _ in range(20):
            ended += pins.ended
            assert not pins.abort
            await pins.tick()
        assert ended == 1 and not pins.drop and not pins.stop
        assert outcome(pins) == ("cancelled" if stopping else "failed")
        assert pins.cause is (Cause.CANCELLED if stopping else Cause.TIMEOUT)
        pins.busy = 0
        await bring(pins, State.STOPPING)       # the next one waits for the copier again
        for _ in range(20):
            assert pins.stop and not pins.drop and not pins.ended
            await pins.tick()

    run(script)
