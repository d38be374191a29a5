"""Ways to break the unit's AXI4 side on purpose: each is one change to one of its files.

``old`` must occur exactly once in the file. A mutant is built in this process: the file's text is
run anew as a module, and its components take the place of the sound ones.
"""

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType

import memsnap
from memsnap_sim.kit import write_burst

__all__ = ["MUTANTS", "Mutant", "broken"]

ROOT = Path(memsnap.__file__).parent


@dataclass(frozen=True)
class Mutant:
    """A defect, where to put it in, and the ``tests`` (module, function, arguments) that see it."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple


@contextmanager
def broken(mutant):
    """The components of the mutant's file are broken, wherever they were imported."""
    text = (ROOT / f"bus/{mutant.file}.py").read_text()
    assert text.count(mutant.old) == 1, f"{mutant.file} does not fit the mutant any more"
    name = f"memsnap.bus.{mutant.file}"
    module = ModuleType(name)
    module.__file__ = str(ROOT / f"bus/{mutant.file}.py")
    module.__package__ = "memsnap.bus"
    exec(compile(text.replace(mutant.old, mutant.new), name, "exec"), module.__dict__)
    sound = {public: getattr(import_module(name), public) for public in module.__all__}
    changed = []
    for each in [*sys.modules.values()]:
        for public, value in sound.items():
            if getattr(each, "__dict__", {}).get(public) is value:
                changed.append((each, public, value))
                setattr(each, public, getattr(module, public))
    try:
        yield
    finally:
        for each, public, value in changed:
            setattr(each, public, value)


def gate(shape="one_beat", habit="plain"):
    return ("test_axi4_gate", "test_random", (shape, habit, 1))


EDGE = ("test_axi4_gate", "test_a_burst_over_a_block_edge_waits_for_both_sides",
        (write_burst(0x48, [1] * 4, size=2, strobes=[15] * 4), {0}))
KEPT = "test_axi4_gate", "test_nothing_is_kept_from_one_snapshot_to_the_next"
RANGE = ("test_axi4_range", "test_against_the_places_of_the_beats", ("one_beat",))
LARGE = ("test_axi4_range", "test_against_the_places_of_the_beats", ("wide",))
ARBITER = ("test_axi4_arbiter", "test_random", (3, "memory", "shared", True))
ONE_PORT = ("test_axi4_arbiter", "test_random", (1, "chip", "shared", True))
SKID = "test_axi4_skid", "test_addresses_in_order", ("sometimes",)
READS = ("test_axi4_copy", "test_reads", ("one_beat", 16, True))
WRITES = ("test_axi4_copy", "test_writes", ("one_beat", 16, True))
GIVING_UP = "test_axi4_copy", "test_giving_up"

MUTANTS = (
    Mutant("burst over a block edge let through when it comes", "axi4_gate",
           "~walking & touched.within & (", "~walking & (",
           (("test_axi4_gate", "test_a_burst_over_a_block_edge_with_its_row_at_hand", ()),)),
    Mutant("burst over a block edge let through", "axi4_gate",
           "rest_copied | here_copied & in_last_block", "here_copied", (EDGE,)),
    Mutant("row passed before it is complete", "axi4_gate",
           "row_passed.eq(row_here & row_copied & ~in_last_row)", "row_passed.eq(here_copied)",
           (("test_axi4_gate", "test_block_by_block", ()),)),
    Mutant("row of the last snapshot taken for complete", "axi4_gate",
           "row_copied.eq(row_known & ", "row_copied.eq(", ((*KEPT, (False,)),)),
    Mutant("permission taken back with a row that leaves the chip", "axi4_gate",
           "(core.look_data.all() | walking & row_copied)", "core.look_data.all()",
           (("test_axi4_gate", "test_a_row_that_leaves_the_chip_takes_nothing_back", ()),)),
    Mutant("grant of one beat taken for all of a burst", "axi4_gate",
           " & (granted_whole | (at.beat == end.beat)))),",
           ")),", (("test_axi4_gate", "test_beat_by_beat", ()),)),
    Mutant("grant of one beat taken for all of a burst when it comes", "axi4_gate",
           "& (granted_whole | one_beat)", "", (("test_axi4_gate", "test_beat_by_beat", ()),)),
    Mutant("grant of another block", "axi4_gate",
           "granted_valid & (granted.block == where.block) & (", "granted_valid & (", (gate(),)),
    Mutant("stale row", "axi4_gate",
           "granted_valid.eq(0), row_known.eq(0),", "granted_valid.eq(0),", ((*KEPT, (False,)),)),
    Mutant("stale grant", "axi4_gate",
           "core.ask.valid.eq(0), granted_valid.eq(0), row_known.eq(0),",
           "core.ask.valid.eq(0), row_known.eq(0),", ((*KEPT, (True,)),)),
    Mutant("next row not looked at", "axi4_gate",
           "row_known & (row == row_of(start.block))",
           "row_known", (("test_axi4_gate", "test_each_row_is_looked_at", ()),)),
    Mutant("a held write keeps the channel", "axi4_gate",
           "self.claims.eq(write.offers & ~stuck)", "self.claims.eq(write.offers)", (gate(),)),
    Mutant("a write passes that does not claim the channel", "axi4_gate",
           "write.hold.eq(held | stuck |", "write.hold.eq(held |", (gate(),)),
    Mutant("a write that is granted is thought to be held for longer", "axi4_gate",
           " & ~(core.ask.valid & core.ask.ready)", "",
           (("test_unit_axi4", "test_a_held_write_finds_no_other_read_before_its_own", ()),)),
    Mutant("no drain", "axi4_gate",
           "self.drained.eq(drained | write.idle),", "self.drained.eq(1),",
           (("test_axi4_gate", "test_drained", ()),)),
    Mutant("shadow not protected", "axi4_gate",
           "with m.If(self.protect & touched.shadow):", "with m.If(0):", (gate("three_blocks"),)),
    Mutant("B dropped", "axi4_refuse",
           "with m.If(answering & self.s_bready):", "with m.If(answering):",
           (gate("three_blocks", "disorderly"),)),
    Mutant("id swapped", "axi4_refuse",
           '.eq(own_id),', '.eq(own_id ^ 1),', (gate("three_blocks"),)),
    Mutant("refused before those in front of it are answered", "axi4_refuse",
           "valid & self.refuse & self.idle & ~taking", "valid & self.refuse & ~taking",
           (("test_axi4_gate", "test_refusals_keep_the_order_of_ids", ()),)),
    Mutant("a beat too few of a refused read", "axi4_refuse",
           "answering.eq(left != 0)", "answering.eq(left > 1)",
           (("test_axi4_gate", "test_denied_reads", ()),)),
    Mutant("WRAP low bound wrong", "axi4_range",
           "low.eq(start & ~(extent | lanes))", "low.eq(start & ~lanes)", (RANGE,)),
    Mutant("FIXED goes on", "axi4_range",
           "with m.If(self.burst == Burst.INCR):", "with m.If(self.burst != Burst.WRAP):",
           (RANGE,)),
    Mutant("end of an unaligned burst too far", "axi4_range",
           "high.eq((start | lanes) + extent)", "high.eq(start + lanes + extent)", (RANGE,)),
    Mutant("a short burst over a block edge", "axi4_range",
           "goes_on.eq(beyond | _carry(self.addr[size:width], self.len))",
           "goes_on.eq(beyond)", (LARGE,)),
    Mutant("a long container over a block edge", "axi4_range",
           "wraps_on.eq(beyond)", "wraps_on.eq(0)", (LARGE,)),
    Mutant("W before AW permitted", "axi4_arbiter",
           "passes.eq(some |", "passes.eq(1 |", (ARBITER,)),
    Mutant("data counted that has passed with its address", "axi4_arbiter",
           "counts.eq(offered & ~(ends & at_once & ~some))", "counts.eq(offered)", (ARBITER,)),
    Mutant("the copier's data twice for an address that stands", "axi4_arbiter",
           "source.awvalid & ~kept if", "source.awvalid if",
           (("test_axi4_arbiter", "test_the_copiers_data_passes_once_with_an_address_that_stands",
             ()),)),
    Mutant("data of another source", "axi4_arbiter",
           "current.eq(Mux(some, get.data, owner))", "current.eq(owner)", (ARBITER,)),
    Mutant("answers to the wrong source", "axi4_arbiter",
           '"id")[self._params.id_width:]', '"id")[self._params.id_width:] ^ 1', (ARBITER,)),
    Mutant("an address that stands loses its place", "axi4_arbiter",
           "with m.If(kept):\n            m.d.comb += owner.eq(kept_owner)",
           "with m.If(0):\n            m.d.comb += owner.eq(kept_owner)", (ARBITER,)),
    Mutant("copier starves", "axi4_arbiter",
           "(self.share != 0) & (denied", "(self.share == 0) & (denied",
           (("test_axi4_arbiter", "test_the_copiers_share", (5, False)),)),
    Mutant("share counted on when it was served", "axi4_arbiter",
           "lost.eq(waiting & ~served)", "lost.eq(waiting)",
           (("test_axi4_arbiter", "test_the_copiers_share", (5, False)),)),
    Mutant("the instant while a write stands", "axi4_arbiter",
           "self.stood.eq(kept & ", "self.stood.eq(0 & ", (ARBITER,)),
    Mutant("the instant while a write comes", "axi4_fabric",
           "(arbiter.stood | Cat(gate.offers for gate in gates).any())", "arbiter.stood",
           (("test_unit_axi4", "test_no_write_stands_at_the_instant", (0,)),)),
    Mutant("a write that comes is not told of", "axi4_refuse",
           "self.offers.eq(valid & ~busy)", "self.offers.eq(0)", (gate(),)),
    Mutant("an address that is kept gives way to the next", "axi4_skid",
           "with m.If(~kept):", "with m.If(1):", (SKID,)),
    Mutant("an address passed twice", "axi4_skid",
           "kept.eq(self.o_valid & ~self.o_ready)", "kept.eq(self.o_valid)", (SKID,)),
    Mutant("single writes queue", "axi4_copy", "runs.hold.eq(self.single & (unsent > 1)),", "",
           (("test_axi4_copy", "test_single_writes_do_not_queue", ()),)),
    Mutant("4 KiB crossed", "axi4_runs",
           "full.eq(place[:within].all())", "full.eq(0)", (READS, WRITES)),
    Mutant("run of reads goes on where its place does not", "axi4_copy",
           "runs.goes_on.eq(runs.beat.payload.as_value() == following)", "runs.goes_on.eq(1)",
           (("test_axi4_copy", "test_reads", ("pages", 64, False)),)),
    Mutant("run of writes goes on where its place does not", "axi4_copy",
           "runs.goes_on.eq(goes_on.all())", "runs.goes_on.eq(1)",
           (("test_axi4_copy", "test_writes", ("pages", 64, False)),)),
    Mutant("answered before the memory did", "axi4_copy",
           "comes.eq(self.bus.rvalid & (owed != 0)),", "comes.eq(owed != 0),", (READS,)),
    Mutant("single reads at a slow memory", "axi4_sharing",
           "& (lag < SLOW_CLOCKS)", "", (("test_axi4_copy", "test_a_slow_memory", ()),)),
    Mutant("long bursts of reads before an initiator's", "axi4_copy",
           "self.urgent | self.single", "self.urgent",
           (("test_axi4_copy", "test_single_beats", ("Axi4CopyReads",)),)),
    Mutant("long bursts of writes before an initiator's", "axi4_copy",
           "runs.urgent.eq(self.single)", "runs.urgent.eq(0)",
           (("test_axi4_copy", "test_single_beats", ("Axi4CopyWrites",)),)),
    Mutant("initiators not seen", "axi4_fabric",
           'channel + "valid")', 'channel + "valid") & 0',
           (("test_unit_axi4", "test_a_program_that_waits_for_each_access", ("reads",)),)),
    Mutant("error of a read ignored", "axi4_copy",
           "self.answer.error.eq(self.owing | self.bus.rresp.as_value()[1]),",
           "self.answer.error.eq(self.owing),", (READS,)),
    Mutant("error of a write ignored", "axi4_copy",
           "error.eq(self.bus.bresp.as_value()[1])", "error.eq(0)", (WRITES,)),
    Mutant("missing byte lane", "axi4_copy",
           "self.bus.wstrb.eq(~0),", "self.bus.wstrb.eq(~1),", (WRITES,)),
    Mutant("a burst's answer stands for one beat", "axi4_copy",
           "left.eq(length + 1)", "left.eq(1)", (WRITES,)),
    Mutant("what is owed is taken for an answer", "axi4_copy",
           "with m.Elif(~self.aborting & (owed == 0) & (runs.open == 0)):",
           "with m.Elif(~self.aborting):", ((*GIVING_UP, ("Axi4CopyReads", 13)),)),
    Mutant("row beside overwritten", "axi4_map",
           "bus.wstrb.eq(Const(0xf, 4) << Cat(Const(0, 2), place)),", "bus.wstrb.eq(~0),",
           (("test_axi4_map", "test_rows", (64, False)),)),
    Mutant("read and write of the map at once", "axi4_map",
           "Mux(request.we, ~reading, ~reading & (writes == 0))", "1",
           (("test_axi4_map", "test_rows", (32, True)),)),
    Mutant("a silent memory not noticed", "axi4_silence",
           "(writes != 0) | written | bus.arvalid", "bus.arvalid",
           (("test_axi4_map", "test_silence", ()),)),
    Mutant("shadow open while writes are owed", "axi4_fabric",
           "kept.eq(protect & writes.busy)", "kept.eq(0)",
           (("test_unit_axi4", "test_the_shadow_stays_protected_while_writes_are_owed", ()),)),
    Mutant("one gate left open", "axi4_fabric",
           "gate.active.eq(self.active)", "gate.active.eq(self.active & (index == 0))",
           (("test_unit_axi4", "test_all_ports_are_closed", ()),)),
)
