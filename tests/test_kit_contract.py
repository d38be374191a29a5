"""The contract checker on made-up runs: silent on a right one, loud on each wrong one."""

from copy import deepcopy
from types import SimpleNamespace

import pytest
from memsnap_sim.kit import Access, ContractChecker, Entry, SnapshotRecord, read, write
from memsnap_sim.kit.memory import image_of, words_of

# Two blocks of two 32-bit words at word 0, their shadow at word 4, one word beyond at word 8.
PARAMS = SimpleNamespace(memory_base=0, memory_size=16, shadow_base=16, block_size=8, beat_bytes=4)
IMAGE = image_of([0x10, 0x11, 0x12, 0x13, 0, 0, 0, 0, 0x18], 4)


def answered(access, clock, response="ack", data_r=None):
    """An access that was requested, accepted and answered in a pipelined run."""
    access.requested, access.accepted, access.answered = clock, clock, clock + 1
    access.response, access.data_r = response, data_r
    return access


def good_run():
    """Word 0 is written before T = 10 and word 1 after; word 2 is read, word 8 is unguarded."""
    accesses = [
        answered(write(0, 0xaa), 5),
        answered(write(1, 0xbbcc, sel=1), 16),
        answered(read(1), 17, data_r=0xcc),
        answered(read(2), 18, data_r=0x12),
        answered(write(4, 0xee), 19, "err"),
        answered(write(8, 0xdd), 20),
        answered(read(4), 31, data_r=0xaa),
    ]
    accesses[4].accepted = None                   # refused: it never reached the memory
    log = [
        Entry(5, 0, True, 0xaa, 15),
        Entry(11, 0, False, 0xaa, 15), Entry(12, 1, False, 0x11, 15),
        Entry(13, 4, True, 0xaa, 15), Entry(14, 5, True, 0x11, 15),
        Entry(16, 1, True, 0xbbcc, 1),
        Entry(17, 1, False, 0xcc, 15),
        Entry(18, 2, False, 0x12, 15),
        Entry(20, 8, True, 0xdd, 15),
        Entry(21, 2, False, 0x12, 15), Entry(22, 3, False, 0x13, 15),
        Entry(23, 6, True, 0x12, 15), Entry(24, 7, True, 0x13, 15),
        Entry(31, 4, False, 0xaa, 15),
    ]
    record = SnapshotRecord(requested=8, instant=10, ended=26, result="done")
    return SimpleNamespace(log=log, accesses=accesses, snapshots=[record])


def found(run):
    return ContractChecker(PARAMS, IMAGE, run.log, run.accesses, run.snapshots).check()


def rules(run):
    return {violation.rule for violation in found(run)}


def test_a_right_run_is_let_pass():
    assert found(good_run()) == []


def at(run, clock):
    return next(entry for entry in run.log if entry.clock == clock)


def set_at(clock, **changes):
    def change(run):
        for name, value in changes.items():
            setattr(at(run, clock), name, value)
    return change


def drop(*clocks):
    def change(run):
        run.log = [entry for entry in run.log if entry.clock not in clocks]
    return change


def add(entry):
    def change(run):
        run.log.append(entry)
        run.log.sort(key=lambda entry: entry.clock)
    return change


def swap(first, second):
    def change(run):
        a, b = at(run, first), at(run, second)
        a.clock, b.clock = b.clock, a.clock
        run.log.sort(key=lambda entry: entry.clock)
    return change


def record(**changes):
    def change(run):
        for name, value in changes.items():
            setattr(run.snapshots[0], name, value)
    return change


def access(index, **changes):
    def change(run):
        for name, value in changes.items():
            setattr(run.accesses[index], name, value)
    return change


def late_copy(run):
    """The copier reads word 1 only after the initiator's write to it, which came at T or later."""
    at(run, 12).clock = 25
    at(run, 25).data = 0xcc
    run.log.sort(key=lambda entry: entry.clock)


@pytest.mark.parametrize("change, rule, text", [
    # C1
    (late_copy, "C1", "before the copier had read the word"),
    (record(instant=5), "C2", "memory at T held 0x10"),
    (set_at(5, answered=11), "C1", "before a write accepted before T is answered"),
    # C2
    (set_at(13, data=0xab), "C2", "the shadow is written with 0xab"),
    (set_at(13, sel=14), "C2", "sel 0xe"),
    (drop(24), "C2", "the image holds 0x0, memory at T held 0x13"),
    (add(Entry(27, 6, True, 0x99, 15)), "C7", "while no snapshot runs"),
    # C3
    (access(2, data_r=0xcd), "C3", "a read returned 0xcd, memory held 0xcc"),
    (drop(5), "C3", "never reached the memory"),
    (swap(16, 20), "C7", "a write that no initiator made, outside the shadow"),
    (set_at(16, sel=3), "C3", "never reached the memory"),
    (set_at(16, data=0xbb), "C3", "never reached the memory"),
    (add(Entry(29, 1, True, 0xbbcc, 1)), "C7", "a write that no initiator made"),
    (access(3, response="err"), "C3", "but the memory answered ack"),
    # C5
    (set_at(22, response="err"), "C5", "yet the snapshot is done"),
    # C7
    (add(Entry(25, 8, True, 0x13, 15)), "C7", "outside the shadow"),
    (add(Entry(25, 3, True, 0x13, 15)), "C7", "outside the shadow"),
    (add(Entry(25, 8, False, 0xdd, 15)), "C7", "outside the memory"),
    (add(Entry(9, 4, True, 0, 15)), "C7", "while no snapshot runs"),
    (add(Entry(28, 0, False, 0xaa, 15)), "C7", "while no snapshot runs"),
])
def test_each_rule_is_noticed(change, rule, text):
    run = good_run()
    change(run)
    violations = found(run)
    assert any(violation.rule == rule and text in str(violation) for violation in violations), \
        [str(violation) for violation in violations]


def test_an_initiators_write_to_the_protected_shadow():
    run = good_run()
    run.accesses[4].accepted, run.accesses[4].response = 19, "ack"
    add(Entry(19, 4, True, 0xee, 15))(run)
    assert "C7" in rules(run)


def test_a_refusal_before_any_start():
    run = good_run()
    run.accesses.insert(0, answered(write(5, 1), 2, "err"))
    assert [violation.text for violation in found(run)] == [
        "a write to the shadow was refused outside a snapshot"]


def test_the_shadow_may_be_written_once_the_image_is_given_up():
    run = good_run()
    run.snapshots[0].released = 28
    run.accesses.append(answered(write(4, 0xee), 40))
    run.log.append(Entry(40, 4, True, 0xee, 15))
    assert found(run) == []


def test_a_refusal_while_the_image_is_being_given_up():
    run = good_run()
    run.snapshots[0].released, run.snapshots[0].lifted = 28, 30
    run.accesses.insert(-1, answered(write(4, 0xee), 29, "err"))
    assert found(run) == []
    run.snapshots[0].lifted = None
    assert rules(run) == {"C7"}


def test_only_blocks_marked_copied_must_be_exact_after_a_cancel():
    run = good_run()
    run.log = [entry for entry in run.log if entry.clock != 24]
    run.snapshots[0].result, run.snapshots[0].copied = "cancelled", [True, False]
    assert found(run) == []
    run.snapshots[0].copied = [True, True]
    assert rules(run) == {"C2"}


def test_an_abandoned_write_may_or_may_not_land():
    for landed in True, False:
        run = good_run()
        gone = Access(3, True, 0x77, 15, requested=40, accepted=None, answered=43)
        again = answered(write(3, 0x77), 50)
        run.accesses += [gone, again]
        if landed:
            run.log.append(Entry(42, 3, True, 0x77, 15))
        run.log.append(Entry(50, 3, True, 0x77, 15))
        assert found(run) == []
        del run.log[-1]
        assert rules(run) == {"C3"}


def test_a_copiers_read_is_not_taken_for_the_initiators():
    """The copier reads the word that a waiting initiator asks for, a clock before it is served."""
    run = good_run()
    run.accesses[3].requested = 17
    run.accesses.append(answered(read(3), 25, data_r=0x13))
    run.accesses[-1].requested = 21
    run.accesses[-1], run.accesses[-2] = run.accesses[-2], run.accesses[-1]
    run.log.insert(-1, Entry(25, 3, False, 0x13, 15))
    assert found(run) == []


def test_two_snapshots_each_have_their_own_instant():
    run = good_run()
    run.snapshots[0].released = 40
    run.snapshots.append(SnapshotRecord(requested=40, instant=42, ended=60, result="done"))
    memory = [0xaa, 0xcc, 0x12, 0x13]
    run.log += [Entry(43 + at, at, False, memory[at], 15) for at in range(4)]
    run.log += [Entry(48 + at, 4 + at, True, memory[at], 15) for at in range(4)]
    run.accesses.append(answered(write(1, 0), 61))
    run.log.append(Entry(61, 1, True, 0, 15))
    assert found(run) == []
    wrong = deepcopy(run)
    wrong.snapshots[1].instant = None
    wrong.snapshots[1].result = "reset"
    assert found(wrong) == []                     # T is not known: only confinement is decided
    at(run, 49).data = 0x11                       # word 1 as of the first instant
    assert rules(run) == {"C2"}


def test_a_violation_tells_the_place_and_its_history():
    run = good_run()
    set_at(24, data=0)(run)
    violation = found(run)[0]
    assert (violation.clock, violation.address, violation.block) == (24, 28, 1)
    assert violation.history == (
        "T = 10, requested at 8, done, ended at 26",
        "clock 18: read 0x12 at word 0x2, ack", "clock 21: read 0x12 at word 0x2, ack",
        "clock 22: read 0x13 at word 0x3, ack", "clock 23: write 0x12 sel 0xf at word 0x6, ack",
        "clock 24: write 0x0 sel 0xf at word 0x7, ack")
    assert str(violation).startswith(
        "C2: the shadow is written with 0x0 sel 0xf, memory at T held 0x13 "
        "(clock 24, address 0x1c, block 1)\n    T = 10")


def test_words_are_little_endian():
    assert words_of(b"\1\2\3\4", 2) == [0x201, 0x403]
    assert image_of([0x201, 0x403], 2) == b"\1\2\3\4"
