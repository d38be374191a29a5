"""What sank others: each pitfall with the tests that would notice, and the defect that they notice.

``tests`` are the ids of tests without their parameters; every one of them fails with the defect.
"""

from dataclasses import dataclass

from mutants import MUTANTS, Mutant

__all__ = ["PITFALLS", "Pitfall"]


@dataclass(frozen=True)
class Pitfall:
    """A pitfall, the defect of the unit that falls into it, and the tests that find that."""

    name: str
    defect: Mutant
    tests: tuple


def _known(name):
    found, = (mutant for mutant in MUTANTS if mutant.name == name)
    return found


def _directed(*names):
    return tuple(f"test_unit_directed.py::{name}" for name in names)


PITFALLS = (
    Pitfall("map bit set before the data is safe", _known("map bit early"),
            _directed("test_bit_is_set_after_the_data_is_safe")),
    Pitfall("background read races the write to its block",
            _known("a claim too many"),
            _directed("test_background_read_races_the_write")),
    Pitfall("a write of all of a block needs no copy", Mutant(
        "whole beats pass", "bus/wishbone_gate.py",
        "hold.eq(sees & ~copied & ~permitted)",
        "hold.eq(sees & ~copied & ~permitted & ~self.s.sel.all())"),
        _directed("test_a_write_of_a_whole_block_needs_its_copy")),
    Pitfall("deadlock of full buffers", Mutant(
        "nothing is stored while a write is held", "bus/wishbone_arbiter.py",
        "write = self.write.stb if self._has_write else Const(0)",
        "write = self.write.stb & ~self.urgent if self._has_write else Const(0)"),
        _directed("test_full_buffers_and_queues_do_not_deadlock")),
    Pitfall("a burst over a block edge, one side copied", Mutant(
        "a grant is for every block", "bus/wishbone_gate.py",
        "permitted.eq(granted_valid & (granted.block == place.block)",
        "permitted.eq(granted_valid"),
        _directed("test_a_burst_over_a_block_edge")),
    Pitfall("byte enables zero, narrow", _known("byte lane of the initiator lost"),
            _directed("test_byte_enables_zero_and_narrow")),
    Pitfall("the last of a number of blocks that is no power of two", Mutant(
        "blocks beyond the last are waited for", "copy_map.py",
        "Mux(last, beyond, 0)", "0"),
        _directed("test_a_number_of_blocks_that_is_no_power_of_two")),
    Pitfall("a range that ends at the last address", Mutant(
        "the last block is outside", "ranges.py",
        "    return inside if beats == 1 << span else inside & (adr[:span] < beats)",
        "    return inside & (adr[:span] < beats - params.block_beats)"),
        _directed("test_a_range_that_ends_at_the_last_address")),
    Pitfall("a write in flight across the instant", _known("no drain"),
            _directed("test_a_write_that_lands_late_across_the_instant")),
    Pitfall("two ports at the instant", _known("one gate left open"),
            ("test_unit_ports.py::test_two_writes_in_the_clock_of_the_instant",)),
    Pitfall("a start while busy", Mutant(
        "a start is taken at any time", "lifecycle.py",
        "willing.eq(self.ready &", "willing.eq("),
        _directed("test_start_while_busy")),
    Pitfall("a cancel in the clock of completion", Mutant(
        "a cancel after all is done", "lifecycle.py",
        "        with m.Elif(self.cancel):\n            self._stop(m, Cause.CANCELLED)\n"
        "        with m.Elif(expired.any()):",
        "        with m.Elif(self.cancel):\n            self._stop(m, Cause.CANCELLED)\n"
        "            m.d.sync += self.done.eq(1)\n"
        "        with m.Elif(expired.any()):"),
        _directed("test_cancel_at_each_clock")),
    Pitfall("two snapshots without a reset", _known("phase not flipped"),
            _directed("test_snapshots_without_a_reset_in_between")),
    Pitfall("an error reported as success", _known("error ignored"),
            _directed("test_an_error_is_not_success")),
    Pitfall("repeating without end", Mutant(
        "one more time, always", "retry.py",
        "self.spent.eq(tries == self.retries)", "self.spent.eq(tries == self.retries + 1)"),
        ("test_unit_policy.py::test_a_failure_that_stays_ends_the_snapshot",)),
    Pitfall("counters read while they move", Mutant(
        "counters are shown as they are", "regs/bank.py",
        "with m.If(copy_now):", "with m.If(1):"),
        _directed("test_counters_are_latched_together")),
    Pitfall("a reset at any clock", Mutant(
        "a reset sweeps nothing", "copy_map.py",
        "\"sweeping\": Out(1, init=1),", "\"sweeping\": Out(1),"),
        _directed("test_reset_at_each_clock", "test_reset_while_the_map_is_being_swept")),
    Pitfall("a background copy that never ends", _known("wrong priority that starves"),
            _directed("test_constant_traffic_does_not_stop_the_background")),
    Pitfall("a storm of demands", Mutant(
        "a demand gets no job", "sequencer.py", "opens.eq(claims & may_begin)", "opens.eq(0)"),
        _directed("test_a_demand_storm")),
    Pitfall("writes to the shadow", _known("shadow not protected"),
            _directed("test_the_shadow_cannot_be_written_while_protected")),
    Pitfall("writes to the map", _known("initiator may write the map"),
            ("test_unit_map.py::test_initiators_cannot_write_the_map",)),
    Pitfall("the map in the memory that it guards",
            _known("map bit set before the map's blocks are copied"),
            ("test_unit_map.py::test_the_maps_blocks_come_first_and_show_it_as_it_was",)),
)
