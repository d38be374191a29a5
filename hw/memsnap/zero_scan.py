"""Finds the zeros in the rows of a bit map."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["ZeroScan"]


class ZeroScan(wiring.Component):
    """Proposes the zeros of the rows that it is given, in order.

    A row without zeros takes one clock, or two if the map may miss. Proposals may be out of date.

    Parameters
    ----------
    rows : int
    bits : int
        Of a row, a power of two.
    may_miss : bool
        Rows may have to be asked for again.

    Members
    -------
    reset : ``In(1)``
    row_valid, row : ``In(1)``, ``In(range(rows))``
        The next row to look at; not necessarily all rows come.
    row_next : ``Out(1)``
        It is being read, or with ``may_miss`` was read.
    last : ``In(1)``
        No more rows come.
    scan : ``Out(1)``
        Wants to read ``row``.
    ahead : ``Out(1)``
        Will want to after ``next``; not while a row comes, which may have zeros.
    scanned : ``In(1)``
        It is being read in this clock; ``scan_data`` has it in the next.
    scan_data : ``In(bits)``
    scan_valid : ``In(1)``
        Only with ``may_miss``: it has. Else the row is asked for again.
    proposed : ``Out(1)``
    index : ``Out(range(rows * bits))``
        Of a zero.
    next : ``In(1)``
        The proposal was dealt with.
    done : ``Out(1)``
        All rows were read and all proposals dealt with.
    """

    def __init__(self, rows, bits, *, may_miss=False):
        self._bits = bits
        self._may_miss = may_miss
        row = range(max(2, rows))
        super().__init__({
            "reset": In(1),
            "row_valid": In(1),
            "row": In(row),
            "row_next": Out(1),
            "last": In(1),
            "scan": Out(1),
            "ahead": Out(1),
            "scanned": In(1),
            "scan_data": In(bits),
            **({"scan_valid": In(1)} if may_miss else {}),
            "proposed": Out(1),
            "index": Out(range(max(2, rows * bits))),
            "next": In(1),
            "done": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        seen_row = Signal.like(self.row)     # the one whose data is there, if ``seen``
        seen = Signal()
        todo_row = Signal.like(self.row)
        todo = Signal(self._bits)
        lowest = self._lowest(m, todo)
        found = Signal()                     # the row that is there has zeros
        take = Signal()
        others = todo & (todo - 1)           # but for the lowest

        m.d.comb += [
            self.done.eq(self.last & ~seen & (todo == 0) & ~self.proposed),
            take.eq((todo != 0) & (~self.proposed | self.next)),
            self.ahead.eq(self.row_valid & (others == 0) & ~seen),
        ]
        if self._may_miss:
            m.d.comb += [
                self.scan.eq(self.row_valid & (todo == 0) & ~seen),
                found.eq(seen & self.scan_valid & ~self.scan_data.all()),
                self.row_next.eq(seen & self.scan_valid),
            ]
        else:
            m.d.comb += [
                self.scan.eq(self.row_valid & (todo == 0)),
                found.eq(seen & ~self.scan_data.all()),
                # The one read behind a row with zeros is read again
                self.row_next.eq(self.scanned & ~found),
            ]
        m.d.sync += seen.eq(self.scanned & ~found)
        with m.If(self.scanned):
            m.d.sync += seen_row.eq(self.row)
        with m.If(seen & (self.scan_valid if self._may_miss else 1)):   # nothing was to do
            m.d.sync += [todo.eq(~self.scan_data), todo_row.eq(seen_row)]
        with m.If(self.next):
            m.d.sync += self.proposed.eq(0)
        with m.If(take):
            m.d.sync += [
                todo.eq(others),
                self.index.eq(Cat(lowest, todo_row)),
                self.proposed.eq(1),
            ]
        with m.If(self.reset):
            m.d.sync += [seen.eq(0), todo.eq(0), self.proposed.eq(0)]
        return m

    def _lowest(self, m, todo):
        """The lowest bit that is set: first the lowest group of up to four with such a bit."""
        size = min(4, self._bits)
        groups = [todo[at:at + size] for at in range(0, self._bits, size)]
        group = Signal(range(len(groups)))
        bit = Signal(range(size))
        for index, each in reversed([*enumerate(groups)]):
            with m.If(each.any()):
                m.d.comb += group.eq(index)
        for index in reversed(range(size)):
            with m.If(todo.word_select(group, size)[index]):
                m.d.comb += bit.eq(index)
        return Cat(bit, group)
