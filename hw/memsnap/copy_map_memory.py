"""The copy map in the memory that it describes: one bit a block, a few rows on chip."""

from amaranth.hdl import Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped
from amaranth.utils import exact_log2

from .copier import Answer
from .copy_map import bit_of, look_names, map_members, row_of
from .map_cache import MapCache
from .map_requests import MapRequests, request_layout
from .params import MAP_ROW_BYTES
from .row_summary import RowSummary

__all__ = ["CopyMapMemory"]


class CopyMapMemory(wiring.Component):
    """The copy map, in blocks of the memory.

    Like :class:`CopyMap` in what a bit means, with the same phase. A row is a little-endian 32-bit
    word at ``map_base`` + 4 * row. A set goes through the cache to the memory at once, so that
    memory and cache are the same once the write is answered; a line may be replaced at any time,
    because the memory answers a read after all writes that were requested before it.

    A row that is not in the cache costs one read of the memory: the data is in the cache from the
    second clock after the answer on. One such read is made at a time; sets come before scans. A
    sweep writes every row, one a clock as long as the memory takes them.

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
        A row is being fetched, and scans do not start another fetch.
    set : ``In(stream.Signature(block_bits))``
        A block that is now copied; ``set_done`` follows in the next clock or later.
    set_done : ``Out(1)``
        Its bit is being written; it is seen by a scan that is presented in the next clock or later.
    restart : ``In(1)``
    full : ``Out(1)``
        Every block is copied, and every bit is in the memory.
    sweep : ``In(1)``
        Starts a sweep; allowed when not ``busy``.
    sweeping : ``Out(1)``
    sweep_failed : ``Out(1)``
        The memory answered a write of the sweep with an error; ``sweeping`` stays until a sweep
        succeeds.
    may_sweep : ``In(1)``
        No burst is open that a sweep would break; stays until ``active`` falls.
    live : ``In(1)``
        The bits mean something. Else scans are ``scan_valid`` at once, and mean nothing.
    error, error_write : ``Out(1)``
        An answer in this clock is an error, and it is a write's.
    error_block : ``Out(block_bits)``
        The block of the map that the last request was for, or where the sweep failed.
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
        self._fill = Signal()        # the row that was fetched is here
        self._fetching = Signal()
        self._fetch_row = Signal.like(self.scan_row)

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
        self._set(m, cache=cache, requests=requests)
        if self._params.map_summary:
            self._summarize(m, cache=cache, requests=requests)
        self._fetch(m, cache=cache, requests=requests)
        with m.If(self.sweeping):
            self._sweep(m, cache=cache, requests=requests)
        with m.If(self.sweep):
            m.d.sync += [self.sweeping.eq(1), self._fetching.eq(0)]
        return m

    def _read(self, m, *, cache):
        """The readers of the gates, and the scan."""
        params = self._params
        bits = params.map_row_bits
        m.d.comb += self.probe_copied.eq(self.scan_data.bit_select(self.probe, 1))
        for name in [*look_names(params), "scan"]:
            read, row = getattr(self, name), getattr(self, name + "_row")
            last = Signal(name=name + "_last")
            m.d.comb += [
                getattr(cache, name).eq(read),
                getattr(cache, name + "_row").eq(row),
                getattr(self, name + "_data").eq(Mux(
                    getattr(cache, name + "_hit"),
                    getattr(cache, name + "_data") ^ self._phase.replicate(bits)
                    | Mux(last, self._beyond, 0), 0)),
            ]
            with m.If(read):
                m.d.sync += last.eq(row == params.map_rows - 1)

    def _set(self, m, *, cache, requests):
        """Sets a bit: finds its row, and writes it to the cache and to the memory."""
        blocks = self._params.blocks
        setting = Signal()
        block = Signal.like(self.set.payload)
        mask = Signal(self._params.map_row_bits)
        count = Signal(range(blocks + 1))
        m.d.comb += [
            self.set.ready.eq(~setting & ~self.sweeping),
            cache.take.eq(1),
            cache.take_row.eq(row_of(Mux(setting, block, self.set.payload))),
            mask.eq(1 << bit_of(block)),
            self.full.eq((count == blocks) & ~self.busy),
        ]
        with m.If(self.set.valid & self.set.ready):
            m.d.sync += [setting.eq(1), block.eq(self.set.payload)]
        with m.If(setting & cache.take_hit & ~self._fill):
            m.d.comb += [
                requests.put.valid.eq(self._may_put(m, requests, row_of(block))),
                requests.put.payload.row.eq(row_of(block)),
                requests.put.payload.data.eq(Mux(self._phase, cache.take_data & ~mask,
                                                 cache.take_data | mask)),
                requests.put.payload.we.eq(1),
                self.set_done.eq(requests.put.valid & requests.put.ready),
                cache.write.eq(self.set_done),
                cache.write_row.eq(row_of(block)),
                cache.write_data.eq(requests.put.payload.data),
            ]
        with m.If(self.set_done):
            m.d.sync += [setting.eq(0), count.eq(count + 1)]
        with m.If(self.restart):
            m.d.sync += [self._phase.eq(self._phase ^ (count == blocks)), count.eq(0)]
        with m.If(self.sweep | self.sweeping):
            m.d.sync += [self._phase.eq(0), count.eq(0), setting.eq(0)]
        self._set_misses = setting & ~cache.take_hit
        self._set_row = row_of(block)

    def _summarize(self, m, *, cache, requests):
        """Notes which rows are complete, on chip."""
        m.submodules.summary = summary = RowSummary(self._params)
        bits = self._params.map_row_bits
        row = requests.put.payload.row
        last = row == self._params.map_rows - 1
        value = requests.put.payload.data ^ self._phase.replicate(bits)
        m.d.comb += [
            summary.phase.eq(self._phase),
            summary.set.eq(self.set_done & (value | Mux(last, self._beyond, 0)).all()),
            summary.set_word.eq(row_of(row)),
            summary.set_bit.eq(bit_of(row)),
            summary.clear.eq(self.sweeping),
            summary.clear_word.eq(row),
            summary.word.eq(self.word),
            self.word_data.eq(summary.data),
        ]

    def _fetch(self, m, *, cache, requests):
        """Brings a row into the cache."""
        asked = Signal()
        scanned = Signal()
        gave_up = Signal()      # the row of the next scan could not be read
        scan_at = Signal.like(self.scan_row)
        # A miss in the clock of a write tells nothing: the row may be what was written
        wrote = Signal()
        m.d.sync += [scanned.eq(self.scan), scan_at.eq(self.scan_row), wrote.eq(cache.write)]
        m.d.comb += [
            self.scan_valid.eq((scanned & (cache.scan_hit | gave_up)) | ~self.live),
            self.scan_wait.eq(self._fetching),
            self._fill.eq(requests.read & ~requests.error),
        ]
        with m.If(scanned):
            m.d.sync += gave_up.eq(0)
        with m.If(~self._fetching & ~wrote & ~self.sweeping):
            m.d.sync += [
                self._fetching.eq(self._set_misses | (scanned & ~self.scan_valid)),
                self._fetch_row.eq(Mux(self._set_misses, self._set_row, scan_at)),
            ]
        with m.If(self._fetching & ~asked & ~self.live):
            m.d.sync += self._fetching.eq(0)
        with m.Elif(self._fetching & ~asked & ~requests.put.payload.we):
            m.d.comb += [
                requests.put.valid.eq(self._may_put(m, requests, self._fetch_row)),
                requests.put.payload.row.eq(self._fetch_row),
            ]
            with m.If(requests.put.valid & requests.put.ready):
                m.d.sync += asked.eq(1)
        with m.If(requests.read):
            m.d.sync += [self._fetching.eq(0), asked.eq(0), gave_up.eq(requests.error)]
        with m.If(self._fill):
            m.d.comb += [
                cache.write.eq(1),
                cache.write_row.eq(self._fetch_row),
                cache.write_data.eq(requests.read_data),
            ]
        with m.If(self.sweep):
            m.d.sync += asked.eq(0)

    def _block_of(self, row):
        """The block of the map that holds a row."""
        rows = exact_log2(self._params.block_size // MAP_ROW_BYTES)
        return self._params.map_first_block + (row >> rows)

    def _may_put(self, m, requests, row):
        """Whether all that is in flight is for the block of this row, so that it is known which
        block fails."""
        block = Signal.like(self.error_block)
        m.d.comb += block.eq(self._block_of(row))
        with m.If(requests.put.valid & requests.put.ready):
            m.d.sync += self.error_block.eq(block)
        return ~requests.busy | (block == self.error_block)

    def _sweep(self, m, *, cache, requests):
        """Writes every row, so that each line of the cache holds one of them."""
        rows = self._params.map_rows
        row = Signal(range(rows + 1))
        answered = Signal.like(row)
        erred = Signal()
        done = Signal()
        m.d.comb += [
            requests.put.valid.eq((row != rows) & ~erred & self.may_sweep),
            requests.put.payload.row.eq(row),
            requests.put.payload.we.eq(1),
            cache.write.eq(requests.put.valid),
            cache.write_row.eq(row),
            done.eq(((row == rows) | erred) & ~requests.busy),
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
