"""What the contracts of both copy maps have in common."""

from amaranth.hdl import Assume, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from .past import past

__all__ = ["MapSpec"]


class MapSpec(wiring.Component):
    """A copy map whose inputs may be anything, and a block that stands for all.

    Parameters
    ----------
    params : SnapshotParams
        With few blocks: ``full`` is checked against all of them.
    dut : Component
        The map.
    names : iterable of str
        Inputs of the map, but for ``set``.
    more : dict
        Other inputs.
    """

    def __init__(self, params, dut, names, more=None):
        self._params = params
        self._map = dut
        self._names = tuple(names)
        pins = dut.signature.members
        super().__init__({
            "block": In(params.block_bits),
            **{name: In(pins[name].shape) for name in self._names},
            "set": In(1), "set_block": In(params.block_bits),
            **(more or {}),
        })
        self._begun = Signal()      # not the first clock

    def _drive(self, m):
        """Drives the map, and gives it."""
        m.submodules.map = dut = self._map
        m.d.comb += [
            *(getattr(dut, name).eq(getattr(self, name)) for name in self._names),
            dut.set.valid.eq(self.set), dut.set.payload.eq(self.set_block),
        ]
        m.d.sync += [
            self._begun.eq(1),
            Assume(~self._begun | (self.block == past(m, self.block))),
            Assume(self.block < self._params.blocks),
            Assume(~self.set | (self.set_block < self._params.blocks)),
        ]
        return dut
