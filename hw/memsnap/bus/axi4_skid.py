"""A stage in front of an AXI4 address channel that keeps the way back short."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["AddressSkid"]


class AddressSkid(wiring.Component):
    """Takes an address that the memory's port does not, so that ``ready`` comes from a register.

    An address passes in the clock in which it comes. If it is not taken in that clock, it is kept
    and offered from here, and the next one waits. So who offers addresses does not depend on who
    else does in that clock. Data must wait for its address (A5.2.3): what takes both must see to
    that.

    Parameters
    ----------
    addr_width : int
        In bits.
    len_width : int
        In bits: no burst is longer than ``2 ** len_width`` beats.

    Members
    -------
    i_addr, i_len, i_valid, i_ready
        An address channel's, from the manager.
    o_addr, o_len, o_valid, o_ready
        The same on the way to the memory.
    """

    def __init__(self, *, addr_width, len_width):
        super().__init__({
            "i_addr": In(addr_width), "i_len": In(len_width), "i_valid": In(1), "i_ready": Out(1),
            "o_addr": Out(addr_width), "o_len": Out(len_width), "o_valid": Out(1),
            "o_ready": In(1),
        })

    def elaborate(self, platform):
        m = Module()
        kept = Signal()
        m.d.comb += [self.i_ready.eq(~kept), self.o_valid.eq(kept | self.i_valid)]
        m.d.sync += kept.eq(self.o_valid & ~self.o_ready)
        for name in "addr", "len":
            given, out = getattr(self, f"i_{name}"), getattr(self, f"o_{name}")
            kept_one = Signal.like(given, name=f"kept_{name}")
            m.d.comb += out.eq(Mux(kept, kept_one, given))
            with m.If(~kept):
                m.d.sync += kept_one.eq(given)
        return m
