"""The rows of a copy map in the memory that are kept on chip."""

from amaranth.hdl import Module, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from .copy_map import look_names

__all__ = ["MapCache", "reader_names"]


def reader_names(params):
    """The names of the cache's readers: one for each gate, ``scan``, and ``take``."""
    return [*look_names(params), "scan", "take"]


class MapCache(wiring.Component):
    """A direct-mapped cache of rows.

    A line holds a row and which row that is. Lines are only ever replaced, so that from the moment
    on when each was written once, which a sweep of the map does, each holds some row of the map.
    There is no other sign of validity.

    A read in the clock of a write gives what was there before; ``scan``, what is written.

    Parameters
    ----------
    params : SnapshotParams

    Members
    -------
    look : ``In(1)``
        Reads ``look_row`` into ``look_data``, there from the next clock until the next read.
    look_row : ``In(range(map_rows))``
    look_data : ``Out(map_row_bits)``
    look_hit : ``Out(1)``
        The row was in the cache.
    look1, …, scan, take
        The same for the other readers.
    write : ``In(1)``
        Puts ``write_data`` as row ``write_row`` into its line.
    write_row, write_data
    """

    def __init__(self, params):
        self._params = params
        row = range(max(2, params.map_rows))
        bits = params.map_row_bits
        super().__init__({
            **{name + suffix: member for name in reader_names(params)
               for suffix, member in (("", In(1)), ("_row", In(row)), ("_data", Out(bits)),
                                      ("_hit", Out(1)))},
            "write": In(1),
            "write_row": In(row),
            "write_data": In(bits),
        })

    def elaborate(self, platform):
        m = Module()
        line_bits = exact_log2(self._params.map_lines)
        layout = data.StructLayout({
            "bits": unsigned(self._params.map_row_bits),
            "tag": unsigned(len(self.write_row) - line_bits),
        })
        m.submodules.ram = ram = Memory(shape=layout, depth=1 << line_bits, init=[])
        put = ram.write_port()
        m.d.comb += [
            put.en.eq(self.write),
            put.addr.eq(self.write_row[:line_bits]),
            put.data.bits.eq(self.write_data),
            put.data.tag.eq(self.write_row[line_bits:]),
        ]
        for name in reader_names(self._params):
            read, row = getattr(self, name), getattr(self, name + "_row")
            get = ram.read_port(transparent_for=[put] if name == "scan" else [])
            tag = Signal.like(get.data.tag, name=name + "_tag")
            m.d.comb += [
                get.en.eq(read),
                get.addr.eq(row[:line_bits]),
                getattr(self, name + "_data").eq(get.data.bits),
                getattr(self, name + "_hit").eq(get.data.tag == tag),
            ]
            with m.If(read):
                m.d.sync += tag.eq(row[line_bits:])
        return m
