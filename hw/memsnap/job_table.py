"""The blocks between claim and copied."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from .params import Map

__all__ = ["JobKind", "JobTable"]


class JobKind(enum.Enum, shape=2):
    """What a block is copied for."""

    DEMAND = 0
    INITIAL = 1
    BACKGROUND = 2


class JobTable(wiring.Component):
    """The jobs: each is a block from its claim until its bit in the copy map is set.

    Parameters
    ----------
    params : SnapshotParams

    Members
    -------
    claim : ``In(1)``
        Gives ``claim_block`` the job ``next_job``; needs ``free``.
    claim_block, claim_kind : ``In(block_bits)``, ``In(JobKind)``
    claim_own : ``In(1)``
        The block holds a part of the map. Only with a map in the memory, and so is
    only_own : ``In(1)``
        Other blocks than these are not offered yet.
    next_job : ``Out(range(jobs))``
    free, spare : ``Out(1)``
        At least one job is not in use; or so many that held writes find theirs, though another is
        taken: see :attr:`memsnap.SnapshotParams.background_jobs`.
    two_free, plenty : ``Out(1)``
        At least two jobs are not in use; or more than there are ports, and one. Only with a map in
        the memory.
    captured, captured_job, copied, copied_job
        The last beat of a job was captured, or its last write was answered.
    find : ``In(block_bits)``
        Looks a block up; the answer comes in the next clock.
    search : ``In(1)``
        Else the answer stays as it was. Only where the map gives a row in two clocks.
    found, found_job, found_at : ``Out(1)``, ``Out(range(jobs))``, ``Out(jobs)``
        It was in the table in the clock before, and where; the latter once more, a bit a job.
    found_captured, found_copied : ``Out(1)``
        All of it is captured, or in the shadow.
    finished : ``Out(stream.Signature(block_bits))``
        A block that is all copied, for the copy map to take.
    retire : ``In(1)``
        The bit of the block taken last, ``retired_block`` of ``retired_kind``, is being set: its
        job leaves.
    fixed : ``In(1)``
        No more claims belong to the initial copy.
    first : ``Out(jobs)``
        Until then all jobs; from then on those that were there at that time, until captured.
    safe : ``Out(1)``
        There are none of these.
    reset : ``In(1)``
    """

    def __init__(self, params):
        self._params = params
        job = range(params.jobs)
        super().__init__({
            "claim": In(1),
            "claim_block": In(params.block_bits),
            "claim_kind": In(JobKind),
            "next_job": Out(job),
            "free": Out(1),
            "spare": Out(1),
            "captured": In(1),
            "captured_job": In(job),
            "copied": In(1),
            "copied_job": In(job),
            "find": In(params.block_bits),
            **({"search": In(1)} if params.map_latency > 1 else {}),
            "found": Out(1),
            "found_job": Out(job),
            "found_at": Out(params.jobs),
            "found_captured": Out(1),
            "found_copied": Out(1),
            "finished": Out(stream.Signature(params.block_bits)),
            **({"claim_own": In(1), "only_own": In(1), "two_free": Out(1), "plenty": Out(1)}
               if params.map is Map.MEMORY else {}),
            "retire": In(1),
            "retired_block": Out(params.block_bits),
            "retired_kind": Out(JobKind),
            "fixed": In(1),
            "first": Out(params.jobs),
            "safe": Out(1),
            "reset": In(1),
        })

    def elaborate(self, platform):
        m = Module()
        jobs = self._params.jobs
        busy = Array(Signal(name=f"busy{i}") for i in range(jobs))
        captured = Array(Signal(name=f"captured{i}") for i in range(jobs))
        copied = Array(Signal(name=f"copied{i}") for i in range(jobs))
        block = Array(Signal(self._params.block_bits, name=f"block{i}") for i in range(jobs))
        own = Array(Signal(name=f"own{i}") for i in range(jobs))
        # The block once more, for the job that leaves, and what it was copied for
        layout = data.StructLayout({"block": self._params.block_bits, "kind": JobKind})
        m.submodules.jobs = ram = Memory(shape=layout, depth=jobs, init=[])
        claimed, retired = ram.write_port(), ram.read_port(domain="comb")
        leaving = Signal(range(jobs))
        taken = Signal()    # the copy map has taken the block that is leaving
        used = Signal(range(jobs + 1))
        leaves = self.retire & taken

        m.d.comb += [
            self.free.eq(~Cat(busy).all()),
            self.spare.eq(used < self._params.background_jobs),
            claimed.en.eq(self.free),       # of no consequence before the claim
            claimed.addr.eq(self.next_job),
            claimed.data.block.eq(self.claim_block),
            claimed.data.kind.eq(self.claim_kind),
            retired.addr.eq(leaving),
            self.finished.payload.eq(retired.data.block),
            self.retired_block.eq(retired.data.block),
            self.retired_kind.eq(retired.data.kind),
        ]
        if self._params.map is Map.MEMORY:
            m.d.comb += [
                self.two_free.eq(used < jobs - 1),
                self.plenty.eq(used < jobs - self._params.ports - 1),
            ]
        with m.If(self.claim ^ leaves):
            m.d.sync += used.eq(used + Mux(leaves, -1, 1))
        # No block has two jobs
        late = self._params.map_latency > 1
        with m.If(self.search if late else Const(1)):
            m.d.sync += self.found_at.eq(Cat(busy[index] & (block[index] == self.find)
                                             for index in range(jobs)))
        gone = ~Cat(busy) if late else 0    # the job left since, its block copied
        m.d.comb += [
            self.found.eq(self.found_at.any()),
            self.found_job.eq(Cat(
                Cat(self.found_at[index] for index in range(jobs) if index >> place & 1).any()
                for place in range(len(self.found_job)))),
            self.found_captured.eq((self.found_at & (Cat(captured) | gone)).any()),
            self.found_copied.eq((self.found_at & Cat(copied)).any()),
        ]
        for index in reversed(range(jobs)):
            with m.If(~busy[index]):
                m.d.comb += self.next_job.eq(index)
                # Of no consequence before the claim, which is known late in its clock
                m.d.sync += block[index].eq(self.claim_block)
            m.d.sync += [
                busy[index].eq(Mux(busy[index], ~(self.retire & (leaving == index)),
                                   self.claim & Cat(busy)[:index].all())),
                captured[index].eq(busy[index] & (
                    captured[index] | self.captured & (self.captured_job == index))),
                copied[index].eq(busy[index] & (
                    copied[index] | self.copied & (self.copied_job == index))),
            ]
            may_leave = ~self.finished.valid & ~taken
            if self._params.map_beside:     # the next one leaves in the clock behind it
                may_leave = ~self.finished.valid & (~taken | self.retire & (leaving != index))
            if self._params.map is Map.MEMORY:
                with m.If(~busy[index]):
                    m.d.sync += own[index].eq(self.claim_own)
                may_leave &= ~self.only_own | own[index]
            with m.If(busy[index] & copied[index] & may_leave):
                m.d.sync += [self.finished.valid.eq(1), leaving.eq(index)]

        with m.If(self.finished.valid & self.finished.ready):
            m.d.sync += [self.finished.valid.eq(0), taken.eq(1)]
        with m.If(self.retire):
            m.d.sync += taken.eq(0)
        with m.If(self.reset):
            m.d.sync += [each.eq(0) for each in (*busy, used, self.finished.valid, taken)]

        m.d.comb += self.safe.eq(self.fixed & (self.first == 0))
        m.d.sync += self.first.eq(~0)
        with m.If(self.fixed):
            m.d.sync += self.first.eq(self.first & Cat(busy) & ~Cat(captured))
        return m
