"""The registers behind one of their fronts, for what both fronts have to do."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import Out, connect, flipped
from memsnap import control
from memsnap.regs.bank import RegisterBank

__all__ = ["FrontedBank"]


class FrontedBank(wiring.Component):
    """Front and bank together.

    Parameters
    ----------
    front : wiring.Component
        With ``bus`` and ``access``.
    params : SnapshotParams
    """

    def __init__(self, front, params):
        self._front, self._params = front, params
        super().__init__({
            "bus": front.signature.members["bus"],
            "control": Out(control.Signature(params)),
            "irq": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.front = self._front
        m.submodules.bank = bank = RegisterBank(self._params)
        connect(m, flipped(self.bus), self._front.bus)
        connect(m, self._front.access, bank.access)
        connect(m, bank.control, flipped(self.control))
        m.d.comb += self.irq.eq(bank.irq)
        return m
