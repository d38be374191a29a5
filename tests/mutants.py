"""Ways to break the unit on purpose: each is one change to one of its files.

``old`` must occur exactly once in the file, so that a mutant that no longer fits is noticed.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """A defect, and where to put it in; ``scenario`` is the first to try of the probe's."""

    name: str
    file: str
    old: str
    new: str
    scenario: int = 0


MUTANTS = (
    Mutant("map bit early", "copy_buffer.py",
           "self.copied.eq(copied & ~self.write_error),",
           "self.copied.eq(self.captured),"),
    Mutant("no drain", "bus/wishbone_gate.py",
           "self.drained.eq(Mux(self.active, (due[1:] == 0) & (answer | ~due[0]),",
           "self.drained.eq(Mux(self.active, 1,"),
    Mutant("gate off by one block", "bus/wishbone_gate.py",
           "self.look_data.bit_select(bit_of(place.block), 1)",
           "self.look_data.bit_select((bit_of(place.block) - 1)[:5], 1)"),
    Mutant("stale row", "bus/wishbone_gate.py",
           "granted_valid.eq(0), row_known.eq(0)]",
           "granted_valid.eq(0)]", scenario=8),
    Mutant("stale grant", "bus/wishbone_gate.py",
           "granted_valid.eq(0), row_known.eq(0)]",
           "row_known.eq(0)]", scenario=8),
    Mutant("missing byte lane", "bus/wishbone_copy.py",
           "bus.sel.eq(~0),",
           "bus.sel.eq(~1),"),
    Mutant("byte lane of the initiator lost", "bus/wishbone_gate.py",
           "self.m.sel.eq(self.s.sel),",
           "self.m.sel.eq(self.s.sel | 1),"),
    Mutant("phase not flipped", "copy_map.py",
           "phase.eq(phase ^ self.full)",
           "phase.eq(phase)"),
    Mutant("wrong priority that starves", "bus/wishbone_arbiter.py",
           "due.eq(few & left[0])",
           "due.eq(0)"),
    Mutant("shadow overrun", "bus/wishbone_copy.py",
           "self.write_bus.adr.eq(beat_adr(params, self.write.payload.place, params.shadow_base)),",
           "self.write_bus.adr.eq(1 + beat_adr(params, self.write.payload.place,"
           " params.shadow_base)),"),
    Mutant("error ignored", "copy_buffer.py",
           "| self.write_valid & self.write_error),",
           "),"),
    Mutant("instant reported one clock early", "statistics.py",
           "counters.instant.eq(clock + 1),",
           "counters.instant.eq(clock),"),
    Mutant("gate closed one clock late", "bus/wishbone_fabric.py",
           "m.d.comb += gate.active.eq(self.active)",
           "m.d.sync += gate.active.eq(self.active)"),
    Mutant("one gate left open", "bus/wishbone_fabric.py",
           "m.d.comb += gate.active.eq(self.active)",
           "m.d.comb += gate.active.eq(self.active & (gate is gates[0]))",
           scenario=4),
    Mutant("answers to the wrong port", "bus/wishbone_join.py",
           "put.data.eq(self._owner)",
           "put.data.eq(self._last)",
           scenario=4),
    Mutant("silent shadow not noticed", "lifecycle.py",
           "silence.on.eq(waiting &",
           "silence.on.eq((index == 0) & waiting &",
           scenario=5),
    Mutant("granted before it is captured", "copy_reader.py",
           "waits[port] & ~(self.pending & mine)",
           "waits[port]"),
    Mutant("a claim too many", "sequencer.py",
           "        with m.If(~table.found):\n            m.d.comb += claims.eq(may_claim)",
           "        with m.If(1):\n            m.d.comb += claims.eq(may_claim)"),
    Mutant("beat read twice after a visit", "copy_reader.py",
           "passed.eq(asked & (get.data ^ phase_at_hand)),",
           "passed.eq(0),"),
    Mutant("map bit set before the map's blocks are copied", "map_blocks.py",
           "self.set.valid.eq((copied == count) & ~taken & ~self.done),",
           "self.set.valid.eq(claimed & ~taken & ~self.done),"),
    Mutant("others' bits set before the map's blocks are copied", "job_table.py",
           "may_leave &= ~self.only_initial | (kind[index] == JobKind.INITIAL)",
           "pass",
           scenario=6),
    Mutant("row of the map in the memory stale on chip", "copy_map_memory.py",
           "cache.write.eq(self.set_done),",
           "cache.write.eq(0),",
           scenario=6),
    Mutant("other row of the line taken for this one", "map_cache.py",
           "getattr(self, name + \"_hit\").eq(get.data.tag == tag),",
           "getattr(self, name + \"_hit\").eq(1),",
           scenario=6),
    Mutant("initiator may write the map", "bus/wishbone_gate.py",
           "with m.If(write & in_map(self._params, self.s.adr)):",
           "with m.If(write & 0):"),
    Mutant("row beside overwritten", "bus/wishbone_map.py",
           "bus.sel.eq(Mux(bus.we, Mux(row[0], lanes << MAP_ROW_BYTES, lanes), ~0)),",
           "bus.sel.eq(~0),",
           scenario=6),
    Mutant("shadow not protected", "lifecycle.py",
           "self.protected.eq(self.active | self.done),",
           "self.protected.eq(0),"),
)
