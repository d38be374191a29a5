"""What becomes of a write that is held for too long, or for a block that cannot be copied."""

from amaranth.hdl import Const, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .control import Failure

__all__ = ["HeldWrites"]


class HeldWrites(wiring.Component):
    """Applies the failure policy to held writes.

    A write that is held for too long ends the snapshot (``expired``) under the policy
    ``BREAK``, and is itself answered with an error (``fail``) under ``FAIL_WRITE``. So is, under
    the latter, a write that waits for a block whose copy is given up: it spares the snapshot.

    Parameters
    ----------
    params : SnapshotParams

    Members
    -------
    held : ``In(ports)``
        A port's write is being held.
    over : ``In(ports)``
        It has been so for as long as is allowed; one clock.
    asks, blocks : ``In(ports)``, ``In(ArrayLayout(block_bits, ports))``
        It has asked for a block, and this is the one.
    failure : ``In(Failure)``
    spent, spent_block : ``In(1)``, ``In(block_bits)``
        A block's copy is about to be given up.
    spare : ``Out(1)``
        In the same clock: it is not, a held write is failed instead.
    expired : ``Out(1)``
    fail : ``Out(ports)``
        The write, if it is held, is to be answered with an error.
    """

    def __init__(self, params):
        self._params = params
        super().__init__({
            "held": In(params.ports),
            "over": In(params.ports),
            "asks": In(params.ports),
            "blocks": In(data.ArrayLayout(params.block_bits, params.ports)),
            "failure": In(Failure),
            "spent": In(1),
            "spent_block": In(params.block_bits),
            "spare": Out(1),
            "expired": Out(1),
            "fail": Out(params.ports),
        })

    def elaborate(self, platform):
        m = Module()
        over = Signal(self._params.ports)       # for too long
        was_over = Signal(self._params.ports)
        passes = Signal(self._params.ports)     # the limit, if it is held
        waits = Signal(self._params.ports)      # for the block that is given up
        doomed = Signal(self._params.ports)     # was found to wait for one
        # A build that cannot do the latter starts no snapshot under it
        able = self._params.can_fail_write
        fail_write = self.failure == Failure.FAIL_WRITE if able else Const(0)
        m.d.comb += [passes.eq(self.over | was_over), over.eq(self.held & passes)]
        for index, held in enumerate(self.held):
            m.d.comb += waits[index].eq(
                held & self.asks[index] & self.spent & (self.blocks[index] == self.spent_block))
        m.d.comb += [
            self.spare.eq(fail_write & waits.any()),
            self.expired.eq(~fail_write & over.any()),
            # That it is held is known late
            self.fail.eq((doomed | passes) & fail_write.replicate(self._params.ports)),
        ]
        m.d.sync += [doomed.eq((doomed | waits) & self.held), was_over.eq(over)]
        return m
