"""The contract on made-up AXI4 runs: what is done late, in bursts, out of order, by id."""

from types import SimpleNamespace

import pytest
from memsnap.bus.axi4 import Burst, Response
from memsnap_sim.kit import (
    Axi4Matcher,
    ContractChecker,
    Entry,
    SnapshotRecord,
    Transaction,
    read_burst,
    write_burst,
)
from memsnap_sim.kit.axi4_burst import places
from memsnap_sim.kit.memory import image_of

# Two blocks of two 32-bit words at word 0, their shadow at word 4, one word beyond at word 8.
PARAMS = SimpleNamespace(memory_base=0, memory_size=16, shadow_base=16, block_size=8, beat_bytes=4)
IMAGE = image_of([0x10, 0x11, 0x12, 0x13, 0, 0, 0, 0, 0x18], 4)
ID_WIDTH = 2
COPIER = 1 << ID_WIDTH


class Run:
    """Both sides of a run. Of each transaction the clocks of its acceptance, doing and answer."""

    def __init__(self):
        self.asked, self.accepted, self.log = [], [], []
        self.snapshots = [SnapshotRecord(requested=8, instant=10, ended=50, result="done")]

    def seen(self, transaction, accepted, done, answered, *, source=0, data=(), response=None,
             landed=None):
        """The memory's side of a transaction, and its beats in the log."""
        response = response or Response.OKAY
        entries = []
        for beat, (word, lanes) in enumerate(places(transaction, 4)):
            value = transaction.data[beat] if transaction.we else data[beat]
            sel = transaction.strobes[beat] if transaction.we else lanes
            entries.append(Entry(accepted, word, transaction.we, value, sel,
                                 "ack" if response.value < 2 else "err", answered, done=done,
                                 landed=response.value < 2 if landed is None else landed))
        memory = Transaction(**{name: getattr(transaction, name) for name in (
            "addr", "we", "beats", "size", "burst", "lock", "qos", "user", "data", "strobes")},
            id=transaction.id | source << ID_WIDTH, accepted=accepted, answered=answered)
        self._answer(memory, answered, data, response)
        memory.users = [memory.user] * memory.beats
        for entry in entries:
            entry.source = memory
        self.accepted.append(memory)
        self.log += entries
        self.log.sort(key=lambda entry: entry.effect)
        return memory

    @staticmethod
    def _answer(transaction, clock, data, response):
        count = 1 if transaction.we else transaction.beats
        transaction.responses = [response] * count
        transaction.users = [transaction.user] * count
        transaction.clocks = [clock] * transaction.beats
        transaction.data_r = list(data)

    def through(self, transaction, accepted, done, answered, *, data=(), response=None, **options):
        """A transaction of the initiator's that goes through."""
        self.refused(transaction, accepted, answered, data, response or Response.OKAY)
        return self.seen(transaction, accepted, done, answered, data=data, response=response,
                         **options)

    def refused(self, transaction, accepted, answered, data=(), response=Response.SLVERR):
        """One that the unit answers by itself."""
        transaction.size = 2
        transaction.strobes = transaction.strobes or [15] * transaction.beats
        transaction.requested, transaction.accepted = accepted - 1, accepted
        transaction.answered = answered
        self._answer(transaction, answered, data, response)
        self.asked.append(transaction)

    def copy(self, place, beats, data, accepted, done, answered, we=False):
        """A burst of the copier's."""
        transaction = write_burst(4 * place, data, [15] * beats) if we else read_burst(
            4 * place, beats)
        transaction.size = 2
        return self.seen(transaction, accepted, done, answered, source=1,
                         data=() if we else data)

    def found(self):
        matcher = Axi4Matcher(self.accepted, lambda tx: None if tx.id >= COPIER else 0,
                              id_width=ID_WIDTH)
        return ContractChecker(PARAMS, IMAGE, self.log, self.asked, self.snapshots,
                               matcher=matcher).check()


def good_run(late=12, drained=13, known=20, write_at=20):
    """Word 0 is accepted before T = 10 and written at ``late``; words 1 and 2 are written after."""
    run = Run()
    run.through(write_burst(0, [0xaa], id=1), 9, late, drained)
    run.copy(0, 2, [0xaa, 0x11], 14, 17, known)
    run.copy(2, 2, [0x12, 0x13], 15, 18, known)
    run.through(write_burst(4, [0xbb, 0xcc], [1, 15], id=2, user=1), write_at, 24, 26)
    run.refused(write_burst(20, [0xee]), 21, 23)
    run.copy(4, 4, [0xaa, 0x11, 0x12, 0x13], 27, 30, 32, we=True)
    run.through(read_burst(0, 4, burst=Burst.WRAP), 33, 36, 40, data=[0xaa, 0xbb, 0xcc, 0x13])
    run.through(write_burst(32, [1], lock=1), 41, 42, 43, landed=False)
    run.through(read_burst(32, 1, id=3), 44, 45, 46, data=[0x18])
    return run


def test_a_right_run_is_let_pass():
    assert [str(each) for each in good_run().found()] == []


def index(word, **changes):
    """Changes what the initiator knows of the transaction at a word (the last one there)."""
    def change(run):
        asked = [each for each in run.asked if each.addr == 4 * word][-1]
        for name, value in changes.items():
            setattr(asked, name, value)
    return change


def memory(word, **changes):
    """Changes what the memory knows of it."""
    def change(run):
        seen = [each for each in run.accepted if each.addr == 4 * word and each.id < COPIER][-1]
        for name, value in changes.items():
            setattr(seen, name, value)
    return change


def forget(word):
    """The memory never gets the initiator's transaction at a word."""
    def change(run):
        seen = [each for each in run.accepted if each.addr == 4 * word and each.id < COPIER][-1]
        run.accepted.remove(seen)
        run.log = [entry for entry in run.log if entry.source is not seen]
    return change


def swap(run):
    """The memory gets the last two writes in the other order."""
    first, second = [each for each in run.accepted if each.we and each.id < COPIER][-2:]
    at, other = run.accepted.index(first), run.accepted.index(second)
    run.accepted[at], run.accepted[other] = second, first


@pytest.mark.parametrize("change, rule, text", [
    (index(1, responses=[Response.SLVERR]), "C3", "got the responses SLVERR, the memory gave OKAY"),
    (index(8, responses=[Response.EXOKAY]), "C3", "got the responses EXOKAY"),
    (index(0, data_r=[0xaa, 0xbb, 0xcd, 0x13]), "C3", "got the data 0xaa, 0xbb, 0xcd, 0x13"),
    (index(1, users=[0]), "C3", "got the user bits 0x0"),
    (index(1, answered=25), "C3", "was answered before the memory did"),
    (index(0, clocks=[40, 40, 39, 41]), "C3", "was answered before the memory did"),
    (index(1, data=[0xbb, 0xcd]), "C3", "is not as its initiator asked"),
    (index(1, requested=22), "C3", "is not as its initiator asked"),
    (memory(1, qos=3), "C3", "is not as its initiator asked; next is the write of 2 beats"),
    (memory(1, id=3), "C3", "is not as its initiator asked"),
    (memory(1, strobes=[15, 15]), "C3", "is not as its initiator asked"),
    (memory(0, burst=Burst.INCR), "C3", "is not as its initiator asked"),
    (memory(8, lock=1), "C3", "is not as its initiator asked"),
    (forget(1), "C3", "never reached the memory"),
    (swap, "C3", "is not as its initiator asked"),
    (index(5, responses=[Response.DECERR]), "C3", "never reached the memory"),
    (index(5, responses=[Response.OKAY]), "C3", "never reached the memory"),
    (index(5, requested=2, answered=4), "C7", "refused outside a snapshot"),
])
def test_each_rule_of_matching_is_noticed(change, rule, text):
    run = good_run()
    change(run)
    violations = run.found()
    assert any(violation.rule == rule and text in str(violation) for violation in violations), \
        [str(violation) for violation in violations]


def test_what_was_accepted_before_the_instant_is_in_the_image_however_late_it_is_done():
    run = good_run(late=12)
    assert run.found() == []
    run.snapshots[0].instant = 9                 # now it was accepted at T
    assert "C2" in {violation.rule for violation in run.found()}


def test_the_copier_reads_only_what_is_answered():
    assert good_run(drained=13).found() == []
    violations = good_run(drained=14).found()
    assert {violation.rule for violation in violations} == {"C1"}
    assert "before a write accepted before T is answered" in violations[0].text


def test_a_write_goes_on_when_the_copier_has_what_it_overwrites():
    """The memory may do the later write first: only an answer is proof."""
    assert good_run(known=20, write_at=20).found() == []
    violations = good_run(known=21, write_at=20).found()
    assert {violation.rule for violation in violations} == {"C1"}
    assert "before the copier had read the word" in violations[0].text


def test_a_write_of_no_bytes_or_one_that_fails_changes_nothing():
    for options in {"landed": False}, {"response": Response.SLVERR}:
        run = good_run()
        run.through(write_burst(4, [5, 5], id=3), 47, 48, 49, **options)
        assert run.found() == []


def test_a_beat_of_a_failed_burst_may_land():
    run = good_run()
    run.through(write_burst(4, [5, 6], id=3), 47, 48, 49, response=Response.DECERR)
    run.log[-2].landed = True                    # word 1 did, word 2 did not
    run.through(read_burst(4, 2), 60, 61, 62, data=[5, 0xcc])
    assert run.found() == []
    run.log[-1].data = run.asked[-1].data_r[1] = run.accepted[-1].data_r[1] = 6
    violation, = run.found()
    assert violation.text == "a read returned 0x6, memory held 0xcc"


def test_a_reset_may_end_a_transaction_anywhere():
    for reached in True, False:
        run = good_run()
        gone = write_burst(0, [7, 8], id=2)
        if reached:
            seen = run.through(gone, 60, 61, None)
            seen.responses, seen.data, seen.strobes = [], [7], [15]
            run.log = [entry for entry in run.log if entry.source is not seen]
        else:
            run.refused(gone, 60, None)
        gone.answered, gone.abandoned, gone.responses, gone.users = None, 62, [], []
        run.through(read_burst(0, 2), 70, 72, 75, data=[0xaa, 0xbb])
        assert run.found() == []


def test_a_refusal_and_the_same_write_again():
    """The first was refused, the second, after the image was given up, is done."""
    run = good_run()
    run.snapshots[0].released = 60
    run.refused(write_burst(20, [0xef]), 55, 57)
    run.through(write_burst(20, [0xef]), 70, 71, 72)
    assert run.found() == []


def test_a_write_that_fails_in_the_snapshots_stead():
    run = good_run()
    run.refused(write_burst(8, [1]), 40, 45)
    assert {violation.rule for violation in run.found()} == {"C3"}
    run.snapshots[0].fail_write = True
    assert run.found() == []
    run.asked[-1].answered = 70                  # decided in time, answered when others were
    assert run.found() == []
    run.asked[-1].requested = 60
    assert {violation.rule for violation in run.found()} == {"C3"}
