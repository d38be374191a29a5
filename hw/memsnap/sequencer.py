"""Decides what the copier does next: demand, then initial, then background."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from .background_scan import BackgroundScan
from .control import RegionLookup
from .copy_map import bit_of, row_of
from .initial_walk import InitialWalk
from .job_table import JobKind, JobTable
from .map_blocks import MapBlocks
from .params import Map, Release
from .ranges import beat_layout

__all__ = ["Sequencer"]


class Sequencer(wiring.Component):
    """Claims blocks for the copier, and grants held writes.

    A block is claimed only after a *check*: in one clock its row of the copy map is read and the
    job table is searched for it. A block that is neither copied nor in the table in that clock was
    never claimed, and since nothing else claims blocks, it stays so until the next clock, in which
    it is claimed. Whatever proposed the block may therefore be out of date. Where the map gives a
    row in two clocks, the block is claimed a clock later; until then nothing else is.

    A held write is answered before any other block is claimed, and jobs are kept free for these.
    Its grant comes when its block is copied or captured, or when its beat is captured (in the
    strict form only when its block is copied). While the beat that one port waits for is on its way
    from the memory, the next port's is asked for. The initial copy claims the blocks of the enabled
    regions in the order of the table; the background copy scans the map, a row a clock.

    Where the map is in the memory, a check may have to wait for its row. The blocks that hold the
    map are claimed before those of the regions. Until all of them are, the last free job is kept
    for the map, which takes more than one only where enough are left. Until their bits are set, all
    other jobs stay in the table, and a held write may go on when its block is in the shadow, though
    not marked in the map yet.

    Parameters
    ----------
    params : SnapshotParams

    Members
    -------
    enable : ``In(1)``
        Past the instant, and all earlier writes are done.
    ask, whole
        See :class:`WishboneGate`; not for a port that waits to be secured.
    asker : ``In(range(ports))``
        Whose ask it is.
    securing : ``Out(ports)``
        This port's write waits for its beat, and is granted with ``secured``.
    choose : ``Out(1)``
        The ask may be another's in this clock; else it stays.
    regions : ``In(RegionLookup(params))``
        Unchanged while ``enable``.
    word, word_data, scan, scan_row, scan_first, scan_data, probe, probe_copied, set, set_done
        See :class:`CopyMap`; ``scan_first`` not with a map in the memory.
    scan_valid, scan_wait, scan_comes : ``In(1)``
        Only with a map in the memory, see :class:`CopyMapMemory`; and so is
    map_urgent : ``Out(1)``
        A held write waits for a row.
    open, vacant, visit, follow, demand, job, place, pending, secured, reading, first, check_job,
    check_beat, check_captured, check_issued
        See :class:`CopyReader`.
    captured, captured_job, copied, copied_job
        See :class:`CopyBuffer`.
    initial_done, all_claimed : ``Out(1)``
        The initial copy, or everything, is claimed.
    initial_safe : ``Out(1)``
        The initial copy is captured.
    go : ``In(1)``
        The background copy may take a block.
    background_claim : ``Out(1)``
        It takes one.
    held : ``Out(1)``
        A write is found to have to wait for a copy; one clock.
    retired : ``Out(1)``
        A block of kind ``retired_kind`` is marked in the copy map; with ``retired_block``.
    map_read, map_row, map_valid, map_data
        Software's window on the map, see :class:`memsnap.control.Signature`.
    reset : ``In(1)``
        Forgets all jobs.
    """

    def __init__(self, params):
        self._params = params
        place = beat_layout(params)
        job = range(params.jobs)
        row = range(max(2, params.map_rows))
        self._in_memory = params.map is Map.MEMORY
        self._late = params.map_latency > 1
        self._early = params.release is Release.CAPTURED
        # An ask may come while the beat that another port wants is not asked for yet
        self._overlaps = self._early and params.ports > 1
        super().__init__({
            **({"scan_valid": In(1), "scan_wait": In(1), "scan_comes": In(1),
                "map_urgent": Out(1)}
               if self._in_memory else {"scan_first": Out(1)}),
            "enable": In(1),
            "ask": In(stream.Signature(place)),
            "asker": In(range(params.ports)),
            "choose": Out(1),
            "whole": Out(1),
            "securing": Out(params.ports),
            "regions": In(RegionLookup(params)),
            **({"word": Out(range(max(2, params.map_words))), "word_data": In(params.map_row_bits)}
               if params.map_summary else {}),
            "scan": Out(1),
            "scan_row": Out(row),
            "scan_data": In(params.map_row_bits),
            "probe": Out(range(params.map_row_bits)),
            "probe_copied": In(1),
            "set": Out(stream.Signature(params.block_bits)),
            "set_done": In(1),
            "open": Out(1),
            "vacant": Out(1),
            "visit": Out(1),
            "follow": Out(1),
            "demand": Out(1),
            "job": Out(job),
            "place": Out(place),
            "pending": In(1),
            "secured": In(params.ports),
            "reading": In(params.jobs),
            "first": Out(params.jobs),
            "check_job": Out(job),
            "check_beat": Out(params.beat_bits),
            "check_captured": In(1),
            "check_issued": In(1),
            "captured": In(1),
            "captured_job": In(job),
            "copied": In(1),
            "copied_job": In(job),
            "initial_done": Out(1),
            "all_claimed": Out(1),
            "initial_safe": Out(1),
            "go": In(1, init=1),
            "background_claim": Out(1),
            "held": Out(1),
            "retired": Out(1),
            "retired_kind": Out(JobKind),
            "retired_block": Out(params.block_bits),
            "map_read": In(1),
            "map_row": In(row),
            "map_valid": Out(1),
            "map_data": Out(params.map_row_bits),
            "reset": In(1),
        })
        self._grant = Signal()                 # the ask's answer is that the write may go on
        self._begins = Signal()                # its answer is to copy its block, or to go on there
        self._waiting = Signal(params.ports)   # this port's write was found to have to wait
        # A scan was software's: that whose row comes in this clock, that of the next
        self._shown = Signal(1 + self._late)
        self._stuck = Signal()                 # the last ask found nothing that could be done
        self._again = Signal()                 # a proposal waits for its row
        self._here = Signal()                  # a row has come since
        self._visited = Signal(params.ports)   # its block was made the one to copy next

    def elaborate(self, platform):
        m = Module()
        m.submodules.table = table = JobTable(self._params)
        m.submodules.initial = initial = InitialWalk(self._params)
        connect(m, flipped(self.regions), initial.regions)
        m.submodules.background = background = BackgroundScan(self._params)
        probed = Signal(self._params.block_bits)
        copied = Signal()      # the block probed in the clock before is copied
        opens = Signal()       # it is claimed, unless it is copied
        secured = Signal.like(self.secured)
        looking = Signal()     # the row that was read in the clock before is not there yet
        free_scan = Signal()   # nobody here needs the map's reader in this clock
        known = Const(1)       # the row of the clock before is there
        if self._in_memory:
            m.submodules.own = self._own = MapBlocks(self._params)
            known = self.scan_valid & ~self._shown
            m.d.comb += [
                self._own.reset.eq(~self.enable),
                self._own.find.eq(probed),
                table.only_own.eq(~self._own.done),
                background.scan_valid.eq(known),
            ]

        if self._params.map_summary:
            m.d.comb += [self.word.eq(background.word), background.word_data.eq(self.word_data)]
        m.d.comb += [
            table.reset.eq(self.reset),
            table.captured.eq(self.captured),
            table.captured_job.eq(self.captured_job),
            table.copied.eq(self.copied),
            table.copied_job.eq(self.copied_job),
            initial.reset.eq(~self.enable | ~self._map_claimed()),
            background.reset.eq(~initial.done),
            background.scan_data.eq(self.scan_data),
            self.initial_done.eq(initial.done),
            self.all_claimed.eq(background.done),
            table.fixed.eq(initial.done),
            self.first.eq(table.first),
            self.initial_safe.eq(table.safe),
            copied.eq(self.probe_copied),
            self.open.eq(~copied & opens),
            table.claim.eq(self.open),
            table.claim_block.eq(probed),
            self.job.eq(table.next_job),
            self.vacant.eq(table.free),
            self.place.block.eq(probed),
            self.check_job.eq(table.found_job),
            self.check_beat.eq(self.ask.payload.beat),
        ]
        with m.If(~looking):
            m.d.sync += probed.eq(table.find)
        if self._late:
            m.d.comb += [table.search.eq(~looking), self.probe.eq(bit_of(probed))]
        else:
            m.d.comb += self.probe.eq(bit_of(table.find))
        if self._in_memory:
            m.d.sync += self.map_urgent.eq(0)
        m.d.sync += self.securing.eq(self.securing & ~secured)
        self._decide(m, table=table, initial=initial, background=background, copied=copied,
                     opens=opens, free_scan=free_scan, known=known, looking=looking)
        m.d.comb += [
            secured.eq(self.secured & self.securing),
            self.ask.ready.eq(self._grant | secured.bit_select(self.asker, 1)),
        ]
        with m.If(~self.enable):
            m.d.sync += [each.eq(0) for each in (self._waiting, self._visited, self.securing)]
        self._retire(m, table=table)
        self._show_map(m, free_scan=free_scan)
        return m

    def _map_claimed(self):
        """The blocks that hold the copy map are claimed."""
        return ~self._own.proposed if self._in_memory else Const(1)

    def _sets(self):
        """The map's reader is wanted for a bit that is to be set."""
        return Const(0) if self._params.map_beside else self.set.valid

    def _decide(self, m, *, table, initial, background, copied, opens, free_scan, known, looking):
        proposed = Signal()
        proposal = Signal(self._params.block_bits)
        kind = Signal(JobKind)
        m.d.comb += [
            proposed.eq(Mux(initial.done, background.proposed & self.go, initial.proposed)),
            proposal.eq(Mux(initial.done, background.block, initial.block)),
            kind.eq(Mux(initial.done, JobKind.BACKGROUND, JobKind.INITIAL)),
        ]
        may_claim = table.spare
        map_first = Const(0)     # ahead of a held write that is of no use to look at again now
        if self._in_memory:
            may_claim = Mux(self._own.proposed,
                            self._own.few & table.plenty | self._own.idle & table.free, table.spare)
            map_first = self._stuck & self._own.proposed & self._own.idle & table.free
            # The row that a proposal fetched is used before the ask has it replaced: that takes a
            # fetch, which may have begun
            m.d.sync += self._here.eq(self._again & (self._here | self.scan_comes))
            map_first |= self._again & (self._here | ~self.scan_wait) & ~self.set.valid & (
                proposed & may_claim | ~proposed & background.scan)
            with m.If(self._own.proposed):
                m.d.comb += [proposed.eq(1), proposal.eq(self._own.block)]
            scanned = Signal()   # the background copy, in the clock before
            m.d.sync += scanned.eq(0)
            with m.If(scanned):
                m.d.sync += [self._again.eq(~known), self._here.eq(0)]
            with m.If(~self.enable):
                m.d.sync += [self._again.eq(0), self._stuck.eq(0)]
        asked = self.ask.valid & ~self.securing.bit_select(self.asker, 1)
        # What is looked at, if anything is, is chosen from what is known early in the clock
        ask_first = Signal()
        looks_again = Const(0)       # it may be the ask once more, right after its answer
        if self._in_memory:
            looks_again = Const(1)
        elif self._overlaps:
            looks_again = self.pending
        shows = self.map_read & ~self._shown.any()
        # Software's row comes before those of blocks that nobody waits for; with a map in memory
        # after a clock in which none was looked up, since it may have to be fetched
        shows_first = shows & ~self._sets()
        if self._in_memory:
            rested = Signal()
            shows_first &= rested
            m.d.sync += rested.eq(0)

        for_ask = Signal()              # what is looked up is the ask
        reads = background.scan         # a row for the background copy
        if self._late:
            read = Signal()             # it was read in the clock before
            reads &= ~read
            m.d.sync += read.eq(0)

        # The next row is read in time for the claim that follows that of a row's last block
        beside = self._params.map_beside
        reads_ahead = Signal()
        if beside or self._late:
            m.d.comb += reads_ahead.eq(self.enable & initial.done & background.ahead & ~shows
                                       & ~self._sets() & ~for_ask)

        def look_up(state):
            """Goes to ``state`` when the row that is read in this clock is there."""
            if self._late:
                m.d.sync += for_ask.eq(state == "ASKED")
            m.next = "LOOK" if self._late else state

        def rests(free):
            """In this clock, if ``free``, nobody here needs the map's reader."""
            if self._in_memory:
                m.d.sync += rested.eq(free)
            else:
                m.d.comb += free_scan.eq(free)

        m.d.comb += table.find.eq(Mux(ask_first, self.ask.payload.block, proposal))
        with m.FSM() as fsm:
            with m.State("PICK"):
                if self._late:
                    m.d.comb += background.scanned.eq(read & background.scan)
                m.d.comb += [self.choose.eq(1), ask_first.eq(asked & ~map_first)]
                with m.If(ask_first):
                    # Where it is not enabled, there is nothing to set in a map on chip
                    m.d.comb += self.scan.eq(self.enable if self._in_memory else 1)
                    with m.If(self.enable):
                        look_up("ASKED")
                with m.Elif(shows_first):
                    m.d.comb += free_scan.eq(1)
                with m.Elif(~self._sets() & proposed):
                    # With a map on chip, nothing is proposed where it is not enabled
                    m.d.comb += self.scan.eq(self.enable & may_claim)
                    rests(~may_claim | (~self.enable if self._in_memory else 0))
                    with m.If(self.enable & may_claim):
                        look_up("PROPOSED")
                with m.Elif(~self._sets() & reads & self.enable):
                    m.d.comb += self.scan.eq(1)
                    if self._late:      # before, the row is another's
                        m.d.sync += read.eq(initial.done)
                    else:
                        m.d.comb += background.scanned.eq(1)
                    if self._in_memory:
                        m.d.sync += scanned.eq(1)
                with m.Else():
                    rests(1)

            if self._late:
                with m.State("LOOK"):
                    # An ask that comes now takes the place of a proposal
                    m.d.comb += [self.choose.eq(~for_ask), ask_first.eq(asked & ~for_ask)]
                    with m.If(ask_first):
                        m.d.comb += self.scan.eq(1)
                        look_up("ASKED")
                    with m.Else():
                        m.d.comb += [looking.eq(1), free_scan.eq(~reads_ahead)]
                        with m.If(reads_ahead):
                            m.d.comb += self.scan.eq(1)
                            m.d.sync += read.eq(1)
                        with m.If(for_ask):
                            m.next = "ASKED"
                        with m.Else():
                            m.next = "PROPOSED"
                    with m.If(~self.enable):
                        m.next = "PICK"

            with m.State("PROPOSED"):
                m.d.comb += [
                    free_scan.eq(1),
                    opens.eq(~table.found & self.enable & known),
                    table.claim_kind.eq(kind),
                    initial.next.eq(self._map_claimed() & ~initial.done & known),
                    background.next.eq(initial.done & known),
                    self.background_claim.eq(self.open & initial.done),
                ]
                if self._late:      # nothing came since it was read ahead
                    m.d.comb += background.scanned.eq(read)
                elif beside:
                    with m.If(reads_ahead):
                        m.d.comb += [
                            self.scan.eq(1), background.scanned.eq(1), free_scan.eq(0),
                        ]
                if self._in_memory:
                    m.d.comb += [
                        self._own.next.eq(self._own.proposed & known),
                        table.claim_own.eq(self._own.proposed),
                    ]
                    with m.If(self._own.found & ~self._own.proposed):
                        m.d.comb += opens.eq(0)
                    with m.If(known):
                        m.d.sync += self._stuck.eq(0)
                    m.d.sync += [self._again.eq(~known), self._here.eq(0)]
                m.next = "PICK"     # proposed again, if not known

            with m.State("ASKED"):
                m.d.comb += [
                    self.demand.eq(known),
                    self.place.beat.eq(self.ask.payload.beat),
                    table.claim_kind.eq(JobKind.DEMAND),
                ]
                with m.If(self.enable & ~known):
                    self._ask_again(m)
                with m.Else():
                    m.d.comb += free_scan.eq(~looks_again)
                    m.next = "PICK"
                m.d.comb += ask_first.eq(asked & looks_again)
                with m.If(self.enable & known):
                    self._answer(m, table=table, copied=copied, opens=opens)
                    if self._overlaps:
                        # The beat another port asked for comes first, in a clock or two
                        with m.If(self._begins & self.pending):
                            m.d.comb += [self.scan.eq(1), free_scan.eq(0)]
                            look_up("ASKED")

        if self._in_memory:
            m.d.comb += self.scan_row.eq(Mux(
                ask_first, row_of(self.ask.payload.block), Mux(
                    shows & (rested | fsm.ongoing("PROPOSED")), self.map_row,
                    Mux(proposed, row_of(proposal), background.scan_row))))
        else:
            looks_up = background.proposed & self.go
            if beside or self._late:
                looks_up &= fsm.ongoing("PICK")
            proposed_row = Mux(
                initial.done, Mux(looks_up, row_of(background.block), background.scan_row),
                row_of(initial.block))
            m.d.comb += self.scan_row.eq(Mux(
                ask_first, row_of(self.ask.payload.block),
                Mux(shows, self.map_row, proposed_row)))
            # Before a set goes an ask alone; that of another port, if it can go on
            m.d.comb += self.scan_first.eq(self.scan if self._overlaps else ask_first)

    def _ask_again(self, m):
        """The row of the ask's block is not at hand: stays with it until it is."""
        if not self._in_memory:
            return
        m.d.sync += self.map_urgent.eq(1)
        with m.If(self._again):      # that comes first
            m.next = "PICK"
        m.d.comb += self.scan.eq(~self._again)

    def _answer(self, m, *, table, copied, opens):
        """What becomes of a held write whose block was probed."""
        early = self._early
        waiting = self._waiting.bit_select(self.asker, 1)
        visited = self._visited.bit_select(self.asker, 1)
        reading = Signal()   # its block has beats that no read was issued for
        may_claim = table.free
        safe = table.found_captured if early else Const(0)
        if self._in_memory:
            may_claim = Mux(self._own.proposed, table.two_free, table.free)
            safe = table.found_captured if early else table.found_copied
        # With one port nobody asks before the beat that was asked for is secured
        may_begin = ~self.pending if self._overlaps else Const(1)

        # What is to be done if the block is not copied: whether it is, is known last
        claims, visits, follows, granted = (Signal(name=name) for name in
                                            ("claims", "visits", "follows", "granted"))
        m.d.comb += [
            reading.eq((self.reading & table.found_at).any()),
            self._grant.eq(copied | granted),
            self.whole.eq(copied | (table.found & safe)),
            self._begins.eq(~copied & (claims | visits)),
            opens.eq(claims & may_begin),
            self.visit.eq(~copied & visits & may_begin),
            self.follow.eq(~copied & follows),
            self.held.eq(~self._grant & ~waiting),
        ]
        m.d.sync += [waiting.eq(~self._grant), self._stuck.eq(~self.open & ~self.visit)]
        with m.If(~table.found):
            m.d.comb += claims.eq(may_claim)
        with m.Elif(safe | (self.check_captured & early)):
            m.d.comb += granted.eq(1)
        with m.Elif(reading & ~(self.check_issued if early else visited)):
            m.d.comb += visits.eq(1)
        if early:
            with m.Else():
                m.d.comb += follows.eq(1)
            with m.If((self._begins & may_begin) | self.follow):
                m.d.sync += [waiting.eq(0), self.securing.bit_select(self.asker, 1).eq(1)]
        else:
            with m.If(self._begins):
                m.d.sync += visited.eq(1)
        with m.If(self._grant):
            m.d.sync += visited.eq(0)

    def _retire(self, m, *, table):
        """Sets the bits of finished blocks, one at a time."""
        if self._in_memory:
            self._retire_after_map(m, table=table)
            return
        connect(m, table.finished, flipped(self.set))
        m.d.comb += [
            table.retire.eq(self.set_done),
            self.retired.eq(self.set_done),
            self.retired_kind.eq(table.retired_kind),
            self.retired_block.eq(table.retired_block),
        ]

    def _retire_after_map(self, m, *, table):
        """Lets the blocks that hold the map leave first; sets their bits before all others."""
        own = self._own
        leaving = Signal()
        m.d.sync += leaving.eq(table.finished.valid & ~own.done)
        m.d.comb += own.set_done.eq(self.set_done)
        with m.If(own.done):
            connect(m, table.finished, flipped(self.set))
            m.d.comb += [
                table.retire.eq(self.set_done),
                self.retired_kind.eq(table.retired_kind),
                self.retired_block.eq(table.retired_block),
            ]
        with m.Else():
            connect(m, own.set, flipped(self.set))
            m.d.comb += [
                table.finished.ready.eq(1),
                own.copied.eq(table.finished.valid),
                table.retire.eq(leaving),
                self.retired_kind.eq(JobKind.INITIAL),
                self.retired_block.eq(own.block),
            ]
        m.d.comb += self.retired.eq(self.set_done)

    def _show_map(self, m, *, free_scan):
        """Serves software's window in clocks in which the map's reader is free."""
        shows = free_scan & self.map_read & ~self._shown.any() & ~self._sets()
        with m.If(shows):
            m.d.comb += self.scan.eq(1)
        m.d.sync += self._shown.eq(Cat(self._shown, shows)[1:])
        m.d.comb += self.map_valid.eq(self._shown[0] & getattr(self, "scan_valid", 1))
        m.d.comb += self.map_data.eq(self.scan_data)
