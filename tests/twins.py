"""Units that are broken on purpose, as Verilog: the suite among others must notice each."""

import re
from contextlib import contextmanager

from amaranth.hdl import Signal
from memsnap import SnapshotParams
from memsnap.bus import axi4_fabric, axi4_gate, wishbone_fabric
from memsnap.export.verilog import convert

__all__ = ["TWINS", "broken_verilog"]


class _OneBlock(axi4_gate.BurstRange):
    """What a burst touches seems to end where it begins."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        m.d.comb += self.last.eq(self.first)
        return m


class _DropsAnswers(axi4_fabric.Axi4Arbiter):
    """Each eighth answer to a write is taken from the memory and given to nobody."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        count = Signal(3)
        with m.If(self.m.bvalid & self.m.bready):
            m.d.sync += count.eq(count + 1)
        with m.If(count == 7):
            m.d.comb += [self.m.bready.eq(1), self.gates[0].bvalid.eq(0)]
        return m


class _SwapsIds(axi4_fabric.Axi4Arbiter):
    """Answers to writes with ids 0 and 1, 2 and 3, … go to each other."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        m.d.comb += self.gates[0].bid.eq(self.m.bid ^ 1)
        return m


class _AllLanes(wishbone_fabric.WishboneArbiter):
    """All bytes of a word are written, whichever were to be."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        m.d.comb += self.m.sel.eq(~0)
        return m


def _early_data(verilog):
    """Data passes the arbiter before its address."""
    text, count = re.subn(r"^  assign passes0 = .*;$", "  assign passes0 = 1'h1;", verilog,
                          flags=re.M)
    assert count == 1
    return text


#: For each twin: the configuration, what is put in whose place (or what rewrites the Verilog), and
#: the test that is to fail.
TWINS = {
    "data before its address": ("axi4", _early_data, "data_that_comes_before_its_address"),
    "burst over a block edge": ("axi4", (axi4_gate, "BurstRange", _OneBlock),
                                "a_burst_over_each_block_edge"),
    "dropped answer": ("axi4", (axi4_fabric, "Axi4Arbiter", _DropsAnswers),
                       "without_a_snapshot_it_is_transparent"),
    "swapped ids": ("axi4", (axi4_fabric, "Axi4Arbiter", _SwapsIds),
                    "without_a_snapshot_it_is_transparent"),
    "wrong lanes": ("wishbone", (wishbone_fabric, "WishboneArbiter", _AllLanes),
                    "without_a_snapshot_it_is_transparent"),
}


@contextmanager
def _replaced(module, name, other):
    kept = getattr(module, name)
    setattr(module, name, other)
    try:
        yield
    finally:
        setattr(module, name, kept)


def broken_verilog(twin, configuration):
    """The Verilog of a twin."""
    params = SnapshotParams(**configuration)
    change = TWINS[twin][1]
    if callable(change):
        return change(convert(params))
    with _replaced(*change):
        return convert(params)
