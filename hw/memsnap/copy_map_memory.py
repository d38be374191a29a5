"""The copy map in the memory that it describes: one bit a block, a few rows on chip."""

from amaranth.hdl import Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped
from amaranth.utils import exact_log2

from .arithmetic import is_among, is_at_end, is_below_soon
from .copier import Answer
from .copy_map import bit_of, look_names, map_members, probed_bit, row_of
from .map_cache import MapCache
from .map_requests import MapRequests, request_layout
from .params import MAP_ROW_BYTES
from .row_summary import RowSummary

__all__ = ["CopyMapMemory"]


class CopyMapMemory(wiring.Component):
    """The copy map, in blocks of the memory.

    Like :class:`CopyMap` in what a bit means, with the same phase. A row is a little-endian 32-bit
    word at ``map_base`` + 4 * row. A set changes the row in the cache at once, and in a register:
    the row that is *unwritten*. That one is written to the memory when it is complete, or when a
    bit of another row is to be set. A line may be replaced at any time: the unwritten row comes
    back from its register, and the memory answers a read after all writes that were requested
    before it.

    A row that is neither in the cache nor unwritten costs one read of the memory: a scan that is
    presented in the clock of the answer sees it. One such read is made at a time, that of a scan as
    soon as the one before is answered; sets come before scans, and the read before the write of the
    unwritten row. A *blank* row is not read: one without a set bit, if all behind it are so too, of
    those that hold no bit of the map's own blocks. A sweep writes every row, one a clock as long as
    the memory takes them.

    Parameters
    ----------
    params : SnapshotParams

    Members
    -------
    look, look_row, look_data, look1, …
        As of :class:`CopyMap`; of a row that is not in the cache, no block is shown as copied.
    scan, scan_row, scan_data
        As of :class:`CopyMap`, if in that next clock there is ``scan_valid``. If not, the row is
        being fetched, or ``scan_wait``; it has to be asked for again.
    scan_valid : ``Out(1)``
    scan_wait : ``Out(1)``
        A row is being fetched, and scans do not start another fetch before it has come.
    scan_comes : ``Out(1)``
        It comes in this clock.
    set : ``In(stream.Signature(block_bits))``
        A block that is now copied; ``set_done`` follows in the next clock or later.
    set_done : ``Out(1)``
        Its bit is being set; it is seen by a scan that is presented in this clock or later.
    restart : ``In(1)``
    full : ``Out(1)``
        Every block is copied, and every bit is in the memory, if there was no ``drop``.
    sweep : ``In(1)``
        Starts a sweep; allowed when not ``busy``.
    sweeping : ``Out(1)``
    sweep_failed : ``Out(1)``
        The memory answered a write of the sweep with an error; ``sweeping`` stays until a sweep
        succeeds.
    may_sweep : ``In(1)``
        No burst is open that a sweep would break; stays until ``active`` falls.
    live : ``In(1)``
        The bits mean something. Else scans mean nothing; but for those of the first clock they are
        ``scan_valid`` at once.
    error, error_write : ``Out(1)``
        An answer in this clock is an error, and it is a write's.
    error_block : ``Out(block_bits)``
        The block of the map that the last request was for, or that of the first error, in the map
        or in a sweep, until the next sweep.
    active : ``Out(1)``
        There may be a request in this clock or the next.
    request, answer, busy, stop, drop
        See :class:`MapRequests`.
    """

    def __init__(self, params):
        self._params = params
        super().__init__({
            **map_members(params),
            "scan_valid": Out(1),
            "scan_wait": Out(1),
            "scan_comes": Out(1),
            "sweep_failed": Out(1),
            "may_sweep": In(1, init=1),
            "live": In(1),
            "error": Out(1),
            "error_write": Out(1),
            "error_block": Out(params.block_bits),
            "request": Out(stream.Signature(request_layout(params))),
            "answer": In(Answer(params.data_width)),
            "busy": Out(1),
            "active": Out(1),
            "stop": In(1),
            "drop": In(1),
        })
        in_last_row = (params.blocks - 1) % params.map_row_bits + 1
        self._beyond = Const((1 << params.map_row_bits) - (1 << in_last_row), params.map_row_bits)
        self._phase = Signal()
        self._fill = Signal()        # the row that is being fetched is here
        self._returns = Signal()     # from the register: it is unwritten
        self._fetching = Signal()
        self._asked = Signal()       # the memory, for that row
        self._fetch_row = Signal.like(self.scan_row)
        self._misses = Signal()      # a row is missed, and is fetched from the next clock on
        self._scan_at = Signal.like(self.scan_row)     # by the scan of the clock before;
        self._set_misses = Signal()                    # or rather by the set,
        self._set_row = Signal.like(self.scan_row)     # which is for this one
        self._wrote = Signal()       # into the cache, in the clock before
        self._block_shift = exact_log2(params.block_size // MAP_ROW_BYTES)     # rows in a block
        # What the cache has and the memory has not yet
        self._unwritten = Signal()
        self._unwritten_row = Signal.like(self.scan_row)
        self._unwritten_data = Signal(params.map_row_bits)
        self._whole = Signal()       # its blocks are all copied
        self._makes_way = Signal()   # the bit of another row is to be set
        # The rows from here on are blank
        self._blank_from = Signal(range(params.map_rows + 1))

    def elaborate(self, platform):
        m = Module()
        m.submodules.cache = cache = MapCache(self._params)
        m.submodules.requests = requests = MapRequests(self._params)
        connect(m, requests.request, flipped(self.request))
        connect(m, flipped(self.answer), requests.answer)
        m.d.comb += [
            requests.stop.eq(self.stop),
            requests.drop.eq(self.drop),
            self.busy.eq(requests.busy),
            self.active.eq(self.live | self.sweeping | self.busy),
            self.error.eq(requests.error & ~self.sweeping),
            self.error_write.eq(requests.written & self.error),
        ]
        self._read(m, cache=cache)
        self._set(m, cache=cache)
        self._fetch(m, cache=cache, requests=requests)
        with m.If(self.sweeping):
            self._sweep(m, cache=cache, requests=requests)
        with m.Else():
            self._request(m, requests=requests)
        with m.If(self.sweep):
            m.d.sync += [self.sweeping.eq(1), self._fetching.eq(0), self._asked.eq(0)]
        return m

    def _read(self, m, *, cache):
        """The readers of the gates, and the scan."""
        params = self._params
        bits = params.map_row_bits
        m.d.comb += self.probe_copied.eq(
            cache.scan_hit & (probed_bit(m, cache.scan_data, self.probe) ^ self._phase))
        for name in [*look_names(params), "scan"]:
            read, row = getattr(self, name), getattr(self, name + "_row")
            last = Signal(name=name + "_last")
            m.d.comb += [
                getattr(cache, name).eq(self.live if name == "scan" else read),
                getattr(cache, name + "_row").eq(row),
                getattr(self, name + "_data").eq(
                    Mux(getattr(cache, name + "_hit"),
                        getattr(cache, name + "_data") ^ self._phase.replicate(bits), 0)
                    | Mux(last, self._beyond, 0)),
            ]
            if name != "scan":
                m.d.comb += getattr(self, name + "_raw").eq(getattr(self, name + "_data"))
            with m.If(read):
                m.d.sync += last.eq(row == params.map_rows - 1)

    def _is_blank(self, row, blank_from):
        """Whether no bit of a row is set, if that is known without the row."""
        bits = self._params.map_row_bits
        first = self._params.map_first_block // bits
        last = (self._params.map_first_block + self._params.map_blocks - 1) // bits
        return ~is_below_soon(row, blank_from) & ~is_among(row, first, last + 1 - first)

    def _set(self, m, *, cache):
        """Sets a bit: finds its row, and changes it in the cache."""
        blocks = self._params.blocks
        setting = Signal()
        block = Signal.like(self.set.payload)
        row = row_of(block)
        mask = Signal(self._params.map_row_bits)
        old, data = Signal.like(mask), Signal.like(mask)
        count = Signal(range(blocks + 1))
        blank = Signal()         # its row is
        known = Signal()         # what is in it
        other = Signal()         # another row than its own is unwritten
        complete = Signal()      # with this bit the row is
        m.d.comb += [
            self.set.ready.eq(~setting & ~self.sweeping),
            cache.take.eq(1),
            cache.take_row.eq(row_of(Mux(setting, block, self.set.payload))),
            # One that is on its way would come over the bit
            known.eq(cache.take_hit | blank & ~self._fetching),
            mask.eq(1 << bit_of(block)),
            other.eq(self._unwritten & (self._unwritten_row != row)),
            self._makes_way.eq(setting & other & (known | self._fetching)),
            old.eq(Mux(blank, self._phase.replicate(len(old)) & ~self._beyond_of(row),
                       cache.take_data)),
            data.eq(Mux(self._phase, old & ~mask, old | mask)),
            complete.eq((data ^ self._phase.replicate(len(data)) | self._beyond_of(row)).all()),
            self.full.eq(is_at_end(count, blocks) & ~self._unwritten & ~self.busy),
        ]
        m.d.sync += blank.eq(self._is_blank(cache.take_row, self._blank_from))
        with m.If(self.set.valid & self.set.ready):
            m.d.sync += [setting.eq(1), block.eq(self.set.payload)]
        # If its line was replaced in the clock before, after it was read here, the row comes back
        with m.If(setting & known & ~self._fill):
            m.d.comb += [
                self.set_done.eq(~other & ~self.stop),
                cache.write.eq(self.set_done),
                cache.write_row.eq(row),
                cache.write_data.eq(data),
            ]
        with m.If(self.set_done):
            m.d.sync += [
                setting.eq(0),
                count.eq(count + 1),
                self._unwritten.eq(1),
                self._unwritten_row.eq(row),
                self._unwritten_data.eq(data),
                self._whole.eq(complete),
            ]
            with m.If(blank):
                m.d.sync += self._blank_from.eq(row + 1)
        with m.If(self.restart):
            m.d.sync += self._phase.eq(self._phase ^ is_at_end(count, blocks))
        with m.If(self.sweep | self.sweeping):
            m.d.sync += [self._phase.eq(0), setting.eq(0), self._unwritten.eq(0)]
        with m.If(self.restart | self.sweep | self.sweeping):
            m.d.sync += [count.eq(0), self._blank_from.eq(0)]
        m.d.comb += [
            self._set_row.eq(row),
            # In the clock of a write a miss tells nothing: the row may be what was written
            self._set_misses.eq(setting & ~known & ~self._wrote),
        ]
        if self._params.map_summary:
            self._summarize(m, row=row, complete=complete, swept=cache.write_row)

    def _beyond_of(self, row):
        """The bits of a row that stand for no block."""
        return Mux(row == self._params.map_rows - 1, self._beyond, 0)

    def _summarize(self, m, *, row, complete, swept):
        """Notes which rows are complete, on chip."""
        m.submodules.summary = summary = RowSummary(self._params)
        m.d.comb += [
            summary.phase.eq(self._phase),
            summary.set.eq(self.set_done & complete),
            summary.set_word.eq(row_of(row)),
            summary.set_bit.eq(bit_of(row)),
            summary.clear.eq(self.sweeping),
            summary.clear_word.eq(swept),
            summary.word.eq(self.word),
            self.word_data.eq(summary.data),
        ]

    def _fetch(self, m, *, cache, requests):
        """Brings a row into the cache."""
        scanned = Signal()
        gave_up = Signal()      # the row of the next scan could not be read
        off = Signal()          # what is scanned means nothing
        blank_from = Signal.like(self._blank_from)      # in the clock of the scan
        m.d.sync += [
            scanned.eq(self.scan),
            self._scan_at.eq(self.scan_row),
            self._wrote.eq(cache.write),
            blank_from.eq(self._blank_from),
            off.eq(~self.live),
        ]
        is_known = cache.scan_hit | self._is_blank(self._scan_at, blank_from) | gave_up | off
        m.d.comb += [
            self.scan_valid.eq(scanned & is_known),
            self.scan_wait.eq(self._fetching),
            self._returns.eq(self._fetching & ~self._asked & self._unwritten
                             & (self._fetch_row == self._unwritten_row)),
            self._fill.eq(requests.read & ~requests.error | self._returns),
        ]
        with m.If(scanned | self.sweeping):
            m.d.sync += gave_up.eq(0)
        # A row that was replaced in the clock before may come back with a bit that is being set
        scan_misses = scanned & ~is_known & ~(self._wrote & self.set_done)
        # While a row comes, the scan of the clock before has missed it, too, if it is the same
        another = (self._fill & scan_misses & (self._scan_at != self._fetch_row)
                   & ~self._set_misses)
        m.d.comb += [
            self.scan_comes.eq(self._fill),
            self._misses.eq(~self.sweeping & Mux(self._fetching, another,
                                                 scan_misses | self._set_misses)),
        ]
        with m.If(self._returns | self._fetching & ~self._asked & ~self.live):
            m.d.sync += self._fetching.eq(0)
        with m.If(requests.read):
            m.d.sync += [self._fetching.eq(0), self._asked.eq(0), gave_up.eq(requests.error)]
        with m.If(self._misses):
            m.d.sync += [self._fetching.eq(1), self._fetch_row.eq(self._missed(lambda row: row))]
        with m.If(self._fill):
            m.d.comb += [
                cache.write.eq(1),
                cache.write_row.eq(self._fetch_row),
                cache.write_data.eq(Mux(self._returns, self._unwritten_data, requests.read_data)),
            ]

    def _missed(self, what):
        """``what`` of the row that is missed."""
        return Mux(self._set_misses, what(self._set_row), what(self._scan_at))

    def _request(self, m, *, requests):
        """Reads the row that is being fetched, or writes the one that is unwritten.

        The read comes first, since somebody waits for it.
        """
        put = requests.put
        reads = Signal()
        free = ~requests.busy | requests.clears

        def may_put(row):
            """As all that is in flight is for one block, so that it is known which block fails."""
            block = self.error_block - self._params.map_first_block
            return free | (row >> self._block_shift == block)

        writes = self._unwritten & (self._whole | self._makes_way) & may_put(self._unwritten_row)

        def is_read(row):
            """From the memory: it does not come back from its register."""
            return self.live & ~(self._unwritten & (row == self._unwritten_row))

        def if_wanted(what, otherwise):
            """``what`` of the row that is wanted, if one is.

            Which one is known late: what hangs on it is made of each that it may be.
            """
            return Mux(self._misses, self._missed(what), Mux(
                self._fetching & ~self._asked, what(self._fetch_row), otherwise))

        m.d.comb += [
            reads.eq(if_wanted(is_read, 0)),
            put.payload.we.eq(~reads),
            put.payload.row.eq(Mux(reads, if_wanted(lambda row: row, 0), self._unwritten_row)),
            put.payload.data.eq(self._unwritten_data),
            put.valid.eq(if_wanted(lambda row: Mux(is_read(row), may_put(row), writes), writes)),
        ]
        failed = Signal()
        with m.If(self.error):
            m.d.sync += failed.eq(1)
        with m.If(self.sweep):
            m.d.sync += failed.eq(0)
        with m.If(put.valid & put.ready):
            with m.If(~self.error & ~failed):   # which block failed is asked later
                m.d.sync += self.error_block.eq(self._block_of(put.payload.row))
            with m.If(reads):
                m.d.sync += self._asked.eq(1)
            with m.Elif(~self.set_done):
                m.d.sync += self._unwritten.eq(0)

    def _block_of(self, row):
        """The block of the map that holds a row."""
        return self._params.map_first_block + (row >> self._block_shift)

    def _sweep(self, m, *, cache, requests):
        """Writes every row, so that each line of the cache holds one of them."""
        rows = self._params.map_rows
        row = Signal(range(rows + 1))
        answered = Signal.like(row)
        erred = Signal()
        done = Signal()
        at_end = is_at_end(row, rows)
        m.d.comb += [
            requests.put.valid.eq(~at_end & ~erred & self.may_sweep),
            requests.put.payload.row.eq(row),
            requests.put.payload.we.eq(1),
            cache.write.eq(requests.put.valid),
            cache.write_row.eq(row),
            done.eq((at_end | erred) & ~requests.busy),
        ]
        with m.If(requests.put.valid & requests.put.ready):
            m.d.sync += row.eq(row + 1)
        with m.If(requests.written):
            m.d.sync += answered.eq(answered + 1)
            with m.If(requests.error & ~erred):
                m.d.sync += [erred.eq(1), self.error_block.eq(self._block_of(answered))]
        with m.If(done):
            m.d.sync += [self.sweeping.eq(erred), self.sweep_failed.eq(erred)]
        with m.If(done & ~erred | self.sweep):
            m.d.sync += [row.eq(0), answered.eq(0), erred.eq(0), self.sweep_failed.eq(0)]
