"""Scans the copy map for blocks that are left to the background copy."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .arithmetic import is_at_end
from .params import Map
from .zero_scan import ZeroScan

__all__ = ["BackgroundScan"]


class BackgroundScan(wiring.Component):
    """Proposes the blocks that the copy map shows as not copied, in order, in one pass.

    A row of the map without such blocks takes one clock (two with a map in the memory, or one that
    gives a row in two). Where there is a summary of the rows, only those are read that it shows as
    incomplete, and 32 complete rows take two clocks. Proposals may be out of date.

    Parameters
    ----------
    params : SnapshotParams

    Members
    -------
    reset : ``In(1)``
    scan : ``Out(1)``
        Wants to read ``scan_row``.
    ahead : ``Out(1)``
        Will want to after ``next``; not while a row comes, which may have zeros.
    scan_row : ``Out(range(map_rows))``
    scanned : ``In(1)``
        It is being read in this clock; ``scan_data`` has it in the next.
    scan_data : ``In(map_row_bits)``
    scan_valid : ``In(1)``
        Only with a map in the memory: it has. Else the row is asked for again.
    proposed : ``Out(1)``
    block : ``Out(block_bits)``
    next : ``In(1)``
        The proposal was dealt with.
    done : ``Out(1)``
        All rows were read and all proposals dealt with.
    word, word_data : ``Out(range(map_words))``, ``In(map_row_bits)``
        Only with a summary: see :class:`memsnap.row_summary.RowSummary`.
    """

    def __init__(self, params):
        self._params = params
        super().__init__({
            "reset": In(1),
            "scan": Out(1),
            "ahead": Out(1),
            "scan_row": Out(range(max(2, params.map_rows))),
            "scanned": In(1),
            "scan_data": In(params.map_row_bits),
            **({"scan_valid": In(1)} if params.map is Map.MEMORY else {}),
            "proposed": Out(1),
            "block": Out(params.block_bits),
            "next": In(1),
            "done": Out(1),
            **({"word": Out(range(max(2, params.map_words))), "word_data": In(params.map_row_bits)}
               if params.map_summary else {}),
        })

    def elaborate(self, platform):
        m = Module()
        params = self._params
        bits = params.map_row_bits
        may_miss = params.map is Map.MEMORY
        m.submodules.blocks = blocks = ZeroScan(params.map_rows, bits, may_miss=may_miss)
        m.d.comb += [
            blocks.reset.eq(self.reset),
            self.scan.eq(blocks.scan),
            self.ahead.eq(blocks.ahead),
            self.scan_row.eq(blocks.row),
            blocks.scanned.eq(self.scanned),
            blocks.scan_data.eq(self.scan_data),
            self.proposed.eq(blocks.proposed),
            self.block.eq(blocks.index),
            blocks.next.eq(self.next),
            self.done.eq(blocks.done),
        ]
        if may_miss:
            m.d.comb += blocks.scan_valid.eq(self.scan_valid)
        if not params.map_summary:
            self._count(m, blocks, params.map_rows)
            return m
        m.submodules.rows = rows = ZeroScan(params.map_words, bits)
        self._count(m, rows, params.map_words)
        fetched = Signal()      # the word that is asked for was so in the clock before
        m.d.sync += fetched.eq(~rows.row_next | self.reset)
        m.d.comb += [
            rows.reset.eq(self.reset),
            rows.scanned.eq(rows.scan & fetched),
            self.word.eq(rows.row),
            rows.scan_data.eq(self.word_data),
            blocks.row_valid.eq(rows.proposed),
            blocks.row.eq(rows.index),
            rows.next.eq(blocks.row_next),
            blocks.last.eq(rows.done),
        ]
        return m

    def _count(self, m, scan, rows):
        """Gives ``scan`` all rows, one after another."""
        row = Signal(range(rows + 1))
        m.d.comb += [
            scan.row.eq(row),
            scan.last.eq(is_at_end(row, rows)),
            scan.row_valid.eq(~scan.last),
        ]
        with m.If(scan.row_next):
            m.d.sync += row.eq(row + 1)
        with m.If(self.reset):
            m.d.sync += row.eq(0)
