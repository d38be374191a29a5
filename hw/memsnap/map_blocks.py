"""Has the blocks that hold the copy map copied before all others."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .arithmetic import is_among

__all__ = ["MapBlocks"]


class MapBlocks(wiring.Component):
    """The initial copy of the copy map itself, where that is in the memory.

    Proposes the blocks that hold the map, in order; when all of them are in the shadow, sets their
    bits. No bit may be set before, because that would change the memory. Between the two a block is
    neither in the job table nor in the map, which is why they are ``found`` here.

    Parameters
    ----------
    params : SnapshotParams

    Members
    -------
    reset : ``In(1)``
    proposed : ``Out(1)``
    block : ``Out(block_bits)``
        The block that is proposed, or whose bit is being set.
    next : ``In(1)``
        The proposal was dealt with; only after a clock with ``few`` or ``idle``.
    find, found : ``In(block_bits)``, ``Out(1)``
        The block is one of them.
    copied : ``In(1)``
        One of the blocks is in the shadow; one clock.
    idle : ``Out(1)``
        None of them is on its way there.
    few : ``Out(1)``
        No more of them than fill the copier's buffer.
    set, set_done
        See :class:`memsnap.copy_map.CopyMap`.
    done : ``Out(1)``
        All of their bits are set.
    """

    def __init__(self, params):
        self._params = params
        super().__init__({
            "reset": In(1),
            "proposed": Out(1),
            "block": Out(params.block_bits, init=params.map_first_block),
            "next": In(1),
            "find": In(params.block_bits),
            "found": Out(1),
            "copied": In(1),
            "idle": Out(1, init=1),
            "few": Out(1, init=1),
            "set": Out(stream.Signature(params.block_bits)),
            "set_done": In(1),
            "done": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        count = self._params.map_blocks
        first = self._params.map_first_block
        claimed = Signal()                   # all of them
        copied = Signal(range(count + 1))    # in the shadow:
        all_copied = Signal()                # all of them
        taken = Signal()                     # the bit of ``block`` is being set
        enough = self._params.buffer_depth // self._params.block_beats + 2
        under_way = Signal(range(min(count, enough) + 1))
        begins = Signal()
        step = Signal()
        last = Signal()

        m.d.comb += [
            self.proposed.eq(~claimed),
            begins.eq(self.next & ~claimed),
            self.set.valid.eq(all_copied & ~taken & ~self.done),
            self.set.payload.eq(self.block),
            step.eq(Mux(claimed, self.set_done & taken, self.next)),
            last.eq(self.block == first + count - 1),
            self.found.eq(is_among(self.find, first, count)),
        ]
        m.d.sync += [
            copied.eq(copied + self.copied),
            all_copied.eq(all_copied | self.copied & (copied == count - 1)),
            under_way.eq(under_way + begins - self.copied),
        ]
        with m.If(begins ^ self.copied):
            m.d.sync += [
                self.idle.eq(self.copied & (under_way == 1)),
                self.few.eq(self.copied | (under_way < enough - 1)),
            ]
        with m.If(self.set.valid & self.set.ready):
            m.d.sync += taken.eq(1)
        with m.If(step):
            m.d.sync += [self.block.eq(self.block + 1), taken.eq(0)]
            with m.If(last):
                m.d.sync += [self.block.eq(first), claimed.eq(1), self.done.eq(claimed)]
        with m.If(self.reset):
            m.d.sync += [self.block.eq(first), claimed.eq(0), copied.eq(0), taken.eq(0),
                         all_copied.eq(0), under_way.eq(0), self.idle.eq(1), self.few.eq(1),
                         self.done.eq(0)]
        return m
