"""Scans the copy map for blocks that are left to the background copy."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .params import Map

__all__ = ["BackgroundScan"]


class BackgroundScan(wiring.Component):
    """Proposes the blocks that the copy map shows as not copied, in order, in one pass.

    A row without such blocks takes one clock. Proposals may be out of date.

    Members
    -------
    reset : ``In(1)``
    scan : ``Out(1)``
        Wants to read ``scan_row``.
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
    """

    def __init__(self, params):
        self._params = params
        super().__init__({
            "reset": In(1),
            "scan": Out(1),
            "scan_row": Out(range(max(2, params.map_rows))),
            "scanned": In(1),
            "scan_data": In(params.map_row_bits),
            **({"scan_valid": In(1)} if params.map is Map.MEMORY else {}),
            "proposed": Out(1),
            "block": Out(params.block_bits),
            "next": In(1),
            "done": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        rows = self._params.map_rows
        row = Signal(range(rows + 1))        # the next to read
        seen_row = Signal(range(rows))       # the one whose data is there, if ``seen``
        seen = Signal()
        todo_row = Signal(range(rows))
        todo = Signal(self._params.map_row_bits)
        lowest = Signal(range(self._params.map_row_bits))
        take = Signal()

        for index in reversed(range(self._params.map_row_bits)):
            with m.If(todo[index]):
                m.d.comb += lowest.eq(index)
        m.d.comb += [
            self.scan_row.eq(row),
            self.scan.eq((row != rows) & (todo == 0)),
            self.done.eq((row == rows) & ~seen & (todo == 0) & ~self.proposed),
            take.eq((todo != 0) & (~self.proposed | self.next)),
        ]
        with m.If(self.scanned):
            m.d.sync += [row.eq(row + 1), seen_row.eq(row)]
        m.d.sync += seen.eq(self.scanned)
        with m.If(seen & ~getattr(self, "scan_valid", Const(1))):
            m.d.sync += [row.eq(seen_row), seen.eq(0)]
        with m.Elif(seen & ~self.scan_data.all()):
            m.d.sync += [
                todo.eq(~self.scan_data),
                todo_row.eq(seen_row),
                row.eq(seen_row + 1),
                seen.eq(0),
            ]
        with m.If(self.next):
            m.d.sync += self.proposed.eq(0)
        with m.If(take):
            m.d.sync += [
                todo.eq(todo & (todo - 1)),
                self.block.eq(Cat(lowest, todo_row)),
                self.proposed.eq(1),
            ]
        with m.If(self.reset):
            m.d.sync += [row.eq(0), seen.eq(0), todo.eq(0), self.proposed.eq(0)]
        return m
