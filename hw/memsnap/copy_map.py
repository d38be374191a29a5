"""The copy map: one bit a block, in on-chip RAM."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from .arithmetic import is_at_end
from .params import MAP_ROW_BITS
from .row_summary import RowSummary

__all__ = ["CopyMap", "bit_of", "look_names", "look_there", "map_members", "probed_bit", "row_of"]

_BIT_BITS = exact_log2(MAP_ROW_BITS)


def row_of(block):
    """The row of the map that holds the bit of ``block``."""
    return block[_BIT_BITS:]


def bit_of(block):
    """The bit in its row that stands for ``block``."""
    return block[:_BIT_BITS]


def look_names(params):
    """The names of the map's readers for the gates: ``look``, ``look1``, …"""
    return ["look" + str(port or "") for port in range(params.ports)]


def map_members(params):
    """The members that every copy map has; see :class:`CopyMap`."""
    row = range(max(2, params.map_rows))
    return {
        **{look + suffix: member for look in look_names(params)
           for suffix, member in (("", In(1)), ("_row", In(row)),
                                  ("_data", Out(params.map_row_bits)),
                                  ("_raw", Out(params.map_row_bits)))},
        "flip": Out(1),
        **({"word": In(range(max(2, params.map_words))), "word_data": Out(params.map_row_bits)}
           if params.map_summary else {}),
        "scan": In(1),
        "scan_row": In(row),
        "scan_data": Out(params.map_row_bits),
        "probe": In(range(params.map_row_bits)),
        "probe_copied": Out(1),
        "set": In(stream.Signature(unsigned(params.block_bits))),
        "set_done": Out(1),
        "restart": In(1),
        "full": Out(1),
        "sweep": In(1),
        "sweeping": Out(1, init=1),
    }


def look_there(m, params, look, row):
    """Whether, and for which row, ``look_data`` has what was read from the next clock on."""
    if params.map_latency == 1:
        return look, row
    there = Signal(name="there")
    there_row = Signal.like(row, name="there_row")
    m.d.sync += [there.eq(look), there_row.eq(row)]
    return there, there_row


def probed_bit(m, row, probe):
    """The bit of ``row``, which was read in the clock before, that ``probe`` said in that clock.

    By pairs of bits, of which one is wanted: fewer levels than a choice by number.
    """
    pairs = max(1, len(row) // 2)
    pair = Signal(pairs)                    # which, and
    odd = Signal(len(row) // 2 and 1)       # which of the two
    probed = Signal(pairs)
    m.d.sync += [pair.eq(1 << probe[1:]), odd.eq(probe[:1])]
    m.d.comb += probed.eq(Cat(row.word_select(at, len(row) // pairs).bit_select(odd, 1) & pair[at]
                              for at in range(pairs)))
    return probed.any()


class CopyMap(wiring.Component):
    """The copy map.

    A row is 32 blocks, or the next power of two where there are fewer; a bit that reads 1 is a
    copied block, and bits beyond the last block read 1 in every row port. The stored bit is the
    copied bit XOR a phase: a finished snapshot leaves every stored bit equal, so :py:`restart`
    needs one clock whatever the size. Only after a sweep (reset, cancel, failure) are the rows
    written one by one, one a clock. A map of more than 32 rows has a summary, of one bit a row.

    From ``restart`` or the end of a sweep on, bits only ever turn from 0 to 1, each by its own
    ``set``. What was set is seen by a read that is presented in the clock after ``set_done`` or
    later; a read in the clock of ``set_done`` still gives the old row. With a ``map_latency`` of 2
    what was read comes a clock later than is said below.

    Parameters
    ----------
    params : SnapshotParams

    Members
    -------
    look : ``In(1)``
        Reads ``look_row`` into ``look_data``, there from the next clock until the next read.
    look_row : ``In(range(map_rows))``
    look_data : ``Out(map_row_bits)``
    look_raw : ``Out(map_row_bits)``
        The same, sooner in the clock: where there is a block for a bit, it differs from that of
        ``look_data`` if ``flip``.
    look1, look1_row, look1_data, look1_raw, …
        The same for the second and later ports.
    flip : ``Out(1)``
    scan, scan_row, scan_data
        The same for another reader, but the data is there for the next clock only.
    scan_first : ``In(1)``
        In a clock with ``set``: there is a scan. Sooner in the clock than ``scan``.
    probe, probe_copied : ``In(range(map_row_bits))``, ``Out(1)``
        Of ``scan_data`` the bit that ``probe`` said in the clock before, sooner in the clock, if
        there is a block for it.
    word, word_data
        Only with a summary: see :class:`memsnap.row_summary.RowSummary`.
    set : ``In(stream.Signature(block_bits))``
        A block that is now copied; taken at most every second clock, and in a clock without
        ``scan`` unless bits are set beside claims (:attr:`memsnap.SnapshotParams.map_beside`).
    set_done : ``Out(1)``
        The bit taken in the clock before is being written.
    restart : ``In(1)``
        Makes every block not copied. Allowed when ``full``, or when no bit was set.
    full : ``Out(1)``
        Every block is copied.
    sweep : ``In(1)``
        Starts a sweep, after which every block is not copied.
    sweeping : ``Out(1)``
        A sweep is going on; reads and sets are not allowed. So it is after a reset.
    """

    def __init__(self, params):
        self._params = params
        super().__init__({**map_members(params), "scan_first": In(1)})

    def elaborate(self, platform):
        m = Module()
        rows = max(2, self._params.map_rows)
        blocks = self._params.blocks
        row_bits = self._params.map_row_bits
        m.submodules.ram = ram = Memory(shape=row_bits, depth=rows, init=[])
        scan = ram.read_port()
        write = ram.write_port()

        phase = Signal()
        late = self._params.map_latency > 1     # what was read goes into a register first

        in_last_row = (blocks - 1) % row_bits + 1
        beyond = Const((1 << row_bits) - (1 << in_last_row), row_bits)

        def seen(data, row):
            last = row == self._params.map_rows - 1
            return (data ^ phase.replicate(row_bits)) | Mux(last, beyond, 0)

        # Reads
        scan_at = Signal.like(self.scan_row)
        scanned, scanned_at = scan.data, scan_at
        if late:
            scanned = Signal.like(scan.data, name="scanned")
            scanned_at = Signal.like(scan_at, name="scanned_at")
            m.d.sync += [scanned.eq(scan.data), scanned_at.eq(scan_at)]
        m.d.comb += [
            self.scan_data.eq(seen(scanned, scanned_at)),
            self.probe_copied.eq(probed_bit(m, scanned, self.probe) ^ phase),
            self.flip.eq(phase),
        ]
        for name in look_names(self._params):
            read, row = getattr(self, name), getattr(self, name + "_row")
            look = ram.read_port()
            look_at = Signal.like(row, name=name + "_at")
            raw, at = look.data, look_at
            if late:
                there = Signal(name=name + "_there")
                raw = Signal.like(look.data, name=name + "_kept")
                at = Signal.like(row, name=name + "_kept_at")
                m.d.sync += there.eq(read)
                with m.If(there):
                    m.d.sync += [raw.eq(look.data), at.eq(look_at)]
            m.d.comb += [
                look.en.eq(read),
                look.addr.eq(row),
                getattr(self, name + "_data").eq(seen(raw, at)),
                getattr(self, name + "_raw").eq(raw),
            ]
            with m.If(read):
                m.d.sync += look_at.eq(row)

        # Setting a bit: read the row in one clock, write it back in the next
        writing = Signal()
        mask = Signal(row_bits)
        bit = bit_of(self.set.payload)[:exact_log2(row_bits)]
        upper = Signal(1 << max(0, len(bit) - 2), name="set_upper")     # which four, and
        lower = Signal(1 << min(2, len(bit)), name="set_lower")         # which of four
        m.d.sync += [upper.eq(1 << bit[2:]), lower.eq(1 << bit[:2])]
        count = Signal(range(blocks + 1))
        if self._params.map_beside:
            old, free = ram.read_port(), Const(1)
            old_at = Signal.like(self.scan_row)
            m.d.comb += [
                scan.addr.eq(self.scan_row),
                old.addr.eq(row_of(self.set.payload)),
            ]
            m.d.sync += old_at.eq(old.addr)
        else:
            old, old_at, free = scan, scan_at, ~self.scan
            m.d.comb += scan.addr.eq(Mux(self.scan_first | ~self.set.valid, self.scan_row,
                                         row_of(self.set.payload)))
        m.d.comb += [
            scan.en.eq(1),
            self.set.ready.eq(free & ~writing & ~self.sweeping),
            self.set_done.eq(writing & ~self.sweeping),
            mask.eq(Cat(lower & each.replicate(len(lower)) for each in upper)),
            self.full.eq(is_at_end(count, blocks)),
        ]
        m.d.sync += [
            scan_at.eq(scan.addr),
            writing.eq(self.set.valid & self.set.ready),
            count.eq(count + writing),
        ]
        with m.If(self.restart):
            m.d.sync += [phase.eq(phase ^ self.full), count.eq(0)]

        # The write port serves the sweep, then the sets
        sweep_row = Signal.like(self.scan_row)
        with m.If(self.sweeping):
            m.d.comb += [write.en.eq(1), write.addr.eq(sweep_row), write.data.eq(0)]
            m.d.sync += [sweep_row.eq(sweep_row + 1), count.eq(0), phase.eq(0)]
            with m.If(sweep_row == rows - 1):
                m.d.sync += [self.sweeping.eq(0), sweep_row.eq(0)]
        with m.Else():
            m.d.comb += [
                write.en.eq(writing),
                write.addr.eq(old_at),
                write.data.eq(old.data ^ mask),     # no bit is set twice
            ]
            with m.If(self.sweep):
                m.d.sync += self.sweeping.eq(1)
        if self._params.map_summary:
            m.submodules.summary = summary = RowSummary(self._params)
            m.d.comb += [
                summary.phase.eq(phase),
                summary.clear.eq(self.sweeping),
                summary.clear_word.eq(sweep_row),
                summary.word.eq(self.word),
                self.word_data.eq(summary.data),
            ]
            was_set, was, its_row, its_mask = self.set_done, old.data, old_at, mask
            if late:
                was_set, its_mask = Signal(), Signal.like(mask)
                m.d.sync += [was_set.eq(self.set_done), its_mask.eq(mask)]
                was, its_row = scanned, scanned_at
            m.d.comb += [
                summary.set.eq(was_set & (seen(was, its_row) | its_mask).all()),
                summary.set_word.eq(row_of(its_row)),
                summary.set_bit.eq(bit_of(its_row)),
            ]
        return m
