"""The cycle-level model by itself: what it takes, what it returns, what it refuses."""

import random

import numpy as np
import pytest
from memsnap import SnapshotParams
from memsnap_sim.model import ACCESS, Dram, FixedLatency, accesses_of, simulate
from memsnap_sim.model.accesses import beats_of, bursts_of

PARAMS = SnapshotParams(memory_size=0x1000, shadow_base=0x1000)
AXI4 = SnapshotParams(bus="axi4", memory_size=0x1000, shadow_base=0x1000)
ACCESSES = accesses_of([(at % 3, at * 52 % 0x1000 & ~3, at % 2) for at in range(3000)])


def test_an_access_takes_a_beat_for_each_word_that_it_touches():
    accesses = accesses_of([(5, 0x10, True), (6, 0x13, False, 2), (7, 0x20, True, 12),
                            (8, 0x41, False, 0)])
    assert beats_of(accesses, 4).tolist() == [
        [5, 4, 1], [6, 4, 0], [0, 5, 0], [7, 8, 1], [0, 9, 1], [0, 10, 1], [8, 16, 0]]
    assert beats_of(accesses[:0], 4).shape == (0, 3)


def test_an_access_is_a_burst_of_the_words_that_it_touches():
    accesses = accesses_of([(5, 0x10, True), (6, 0x13, False, 2), (7, 0xff8, True, 12),
                            (8, 0x1200, False, 1030), (9, 0x41, False, 0)])
    assert bursts_of(accesses, 4).tolist() == [
        [5, 4, 1, 1], [6, 4, 0, 2], [7, 0x3fe, 1, 2], [0, 0x400, 1, 1],
        [8, 0x480, 0, 256], [0, 0x580, 0, 2], [9, 16, 0, 1]]
    assert bursts_of(accesses[:0], 4).shape == (0, 4)


@pytest.mark.parametrize("seed", range(20))
def test_bursts_hold_all_beats_and_keep_to_the_bus(seed):
    rng = random.Random(seed)
    accesses = accesses_of([(rng.randrange(3), rng.randrange(1 << 14), rng.random() < 0.5,
                             rng.choice([1, 16, 200, 3000, 9000])) for _ in range(50)])
    beat_bytes = rng.choice([4, 16, 64])
    bursts = bursts_of(accesses, beat_bytes).tolist()
    assert [[gap if beat == 0 else 0, word + beat, write] for gap, word, write, beats in bursts
            for beat in range(beats)] == beats_of(accesses, beat_bytes).tolist()
    for _, word, _, beats in bursts:
        assert 1 <= beats <= 256
        assert word * beat_bytes // 4096 == ((word + beats) * beat_bytes - 1) // 4096


@pytest.mark.long
@pytest.mark.parametrize("params", [PARAMS, AXI4], ids=["wishbone", "axi4"])
def test_pieces_give_what_the_whole_gives(params):
    whole = simulate(params, ACCESSES, start_at=("access", 700))
    pieces = [ACCESSES[at:at + 77] for at in range(0, len(ACCESSES), 77)]
    again = simulate(params, iter(pieces), start_at=("access", 700))
    assert whole.complete and whole.held > 0
    for name in vars(whole):
        assert np.array_equal(getattr(whole, name), getattr(again, name)), name


def test_without_a_start_nothing_is_slower():
    result = simulate(PARAMS, ACCESSES, start_at=None)
    assert (result.start, result.instant, result.end) == (None, None, None)
    assert result.slow_down == result.held == len(result.copies) == 0
    assert not result.complete and result.beats == len(ACCESSES)


def test_touched_leaves_the_background_out():
    few = ACCESSES[:40]
    everything = simulate(PARAMS, few, regions=[(0, 0x1ff)]).copies
    touched = simulate(PARAMS, few, regions=[(0, 0x1ff)], copies="touched").copies
    assert sorted(everything["block"]) == list(range(PARAMS.blocks))
    assert 0 < len(touched) < len(everything)
    assert np.array_equal(touched, everything[everything["kind"] != 2])


def test_stalls_add_up():
    result = simulate(PARAMS, ACCESSES, memory=FixedLatency(clocks=8), start_at=500)
    assert result.stalls["clocks"].sum() == result.stall_total
    assert result.stalls["clocks"].max() == result.stall_longest
    assert result.stalls["waited"].sum() == result.held
    assert result.slow_down == result.finished - result.finished_without > 0
    assert result.blocks_demand + result.blocks_background == PARAMS.blocks


def test_an_interrupt_leaves_what_there_was():
    params = SnapshotParams(memory_size=1 << 26, shadow_base=1 << 26)
    told = []

    def progress(so_far):
        told.append(so_far)
        if len(told) == 2:
            raise KeyboardInterrupt

    result = simulate(params, ACCESSES, progress=progress)
    assert not result.complete and result.end is None
    assert 0 < len(result.copies) == told[-1].copied < told[-1].blocks == params.blocks
    assert result.duration == result.clock - result.instant


@pytest.mark.parametrize("changes, message", [
    (dict(features={"lock"}), "the model covers features without rty, lock and cti, not ['lock']; "
                              "measure this configuration in the simulator"),
    (dict(timeout=5), "the model covers snapshots that end well, and a memory that takes 6 clocks "
                      "fails one with a timeout of 5; use a longer timeout"),
])
def test_what_is_not_covered_is_refused(changes, message):
    params = SnapshotParams(**{"memory_size": 0x1000, "shadow_base": 0x1000, **changes})
    with pytest.raises(NotImplementedError) as caught:
        simulate(params, ACCESSES, memory=FixedLatency(clocks=6))
    assert str(caught.value) == message


@pytest.mark.parametrize("options, message", [
    (dict(share=-1), "share must be an integer from 0 to 4294967295, not -1"),
    (dict(pace=1 << 16), "pace must be an integer from 0 to 65535, not 65536"),
    (dict(max_in_flight=0), "max_in_flight must be an integer from 1 to 1048576, not 0"),
    (dict(copies="some"), "copies must be 'all' or 'touched', not 'some'"),
    (dict(start_at="now"), "start_at must be a clock, ('access', number) or None, not 'now'"),
    (dict(start_at=("access", 3000)), "start_at must be one of the 3000 accesses, not "
                                      "('access', 3000)"),
    (dict(regions=[(0, 0x1000)]), "a region must lie within 0x0 to 0xfff, first byte first, not "
                                  "0x0 to 0x1000"),
    (dict(regions=[(0, 1)] * 5), "regions must be at most 4, as many as the unit's table holds, "
                                 "not 5; build it with more, or leave some out"),
])
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError) as caught:
        simulate(PARAMS, ACCESSES, **options)
    assert str(caught.value) == message


def test_other_arrays_are_refused():
    with pytest.raises(TypeError) as caught:
        simulate(PARAMS, np.zeros(3))
    assert str(caught.value) == ("accesses must be arrays of memsnap_sim.model.ACCESS, not of "
                                 "float64")
    with pytest.raises(ValueError, match="accesses must be 2 arrays, one for each port, not 1"):
        simulate(SnapshotParams(ports=2), [np.zeros(3, ACCESS)])


@pytest.mark.parametrize("make, message", [
    (lambda: FixedLatency(clocks=0), "clocks must be at least 1, not 0"),
    (lambda: Dram(banks=3), "banks must be a power of two, not 3"),
    (lambda: Dram(t_cl=0), "t_cl must be at least 1, not 0"),
    (lambda: Dram(t_refi=9), "t_refi must be more than t_rp + t_rfc (9 clocks), so that there is "
                             "time for requests, not 9; 0 is for none"),
])
def test_timings_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError) as caught:
        make()
    assert str(caught.value) == message
