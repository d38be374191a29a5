"""The contract of the copy map, for one block that stands for all."""

from amaranth.hdl import Assert, Assume, Cover, Module, Signal
from memsnap.copy_map import CopyMap, bit_of, row_of

from .map_spec import MapSpec
from .past import past

__all__ = ["CopyMapSpec"]


class CopyMapSpec(MapSpec):
    """A bit is 0 after a sweep or a restart, and 1 from its own set on, until the next.

    Sets, reads and sweeps come at any time that the map allows; each block is set once at the most,
    as the unit does it.

    Parameters
    ----------
    params : SnapshotParams
    """

    def __init__(self, params):
        super().__init__(params, CopyMap(params), ["look", "look_row", "scan", "scan_row",
                                                   "scan_first", "restart", "sweep"])

    def elaborate(self, platform):
        m = Module()
        dut = self._drive(m)
        blocks = self._params.blocks
        copied = Signal(blocks)                # the bits set
        setting = Signal(range(blocks))        # the block whose bit is being set
        bit = Signal()
        m.d.comb += bit.eq(copied.bit_select(self.block, 1))
        m.d.sync += [
            setting.eq(self.set_block),
            # What the unit keeps to
            Assume(~self.set | (self.scan_first == self.scan)),
            Assume(~(self.set & copied.bit_select(self.set_block, 1))),
            Assume(~(self.set & dut.set_done & (self.set_block == setting))),
            Assume(~(self.restart | self.sweep) | ~self.set),
            Assume(~self.restart | ~dut.sweeping & ~dut.set_done & (dut.full | (copied == 0))),
            Assume(~self.sweep | ~dut.set_done & ~self.restart),
        ]
        with m.If(dut.set_done):
            m.d.sync += copied.eq(copied | (1 << setting))
        with m.If(self.restart | self.sweep | dut.sweeping):
            m.d.sync += copied.eq(0)

        self._check_reads(m, dut, bit)
        m.d.sync += [
            Assert(dut.sweeping | (dut.full == copied.all()), "full is another count"),
            Assert(~(dut.set_done & dut.sweeping), "a set during a sweep"),
            Assert(~(dut.set.ready & dut.sweeping), "a set is taken in a sweep"),
        ]
        if not self._params.map_beside:
            m.d.sync += Assert(~(dut.set.ready & self.scan), "a set is taken from a reader")
        rounds = Signal()
        with m.If(self.restart & dut.full):
            m.d.sync += rounds.eq(1)
        m.d.sync += Cover(rounds & dut.full, "full for the second time")
        return m

    def _check_reads(self, m, dut, bit):
        """Each reader shows the bit as it was in the clock of the read."""
        # A restart changes what a row that was read before means; users read it anew
        ends = self.restart | self.sweep | dut.sweeping
        readers = (self.look, self.look_row, dut.look_data), (self.scan, self.scan_row,
                                                              dut.scan_data)
        for index, (read, row, seen) in enumerate(readers):
            mine = row == row_of(self.block)
            was = bit
            if self._params.map_latency > 1:      # a clock later
                read, mine, was = past(m, read), past(m, mine & ~ends), past(m, bit)
            known, expected = Signal(), Signal()
            with m.If(read | (index != 0)):       # that of the gate stays until the next read
                m.d.sync += [known.eq(read & mine), expected.eq(was)]
            with m.If(ends):
                m.d.sync += known.eq(0)
            m.d.sync += Assert(~known | (seen.bit_select(bit_of(self.block), 1) == expected),
                               "another bit is read")
