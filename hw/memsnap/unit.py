"""The whole unit: the core and its registers."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from .bus.axi4_lite_csr import Axi4LiteRegisters
from .bus.fabric import bus_members
from .bus.wishbone_csr import WishboneRegisters
from .core import SnapshotCore, Trace
from .params import Registers
from .regs.bank import RegisterBank

__all__ = ["SnapshotUnit"]


class SnapshotUnit(wiring.Component):
    """A memory-snapshot unit, on Wishbone or AXI4.

    It sits between one or more initiators and a memory, and takes an image of the memory at one
    clock edge while all go on. It passes requests and answers in the clock in which they come;
    during a snapshot a write to a block that is not copied yet waits until what it overwrites is
    safe. See ``docs/theory.md`` for how, and ``docs/registers.md`` for how it is told to.

    Parameters
    ----------
    params : SnapshotParams
    trace : bool
        Adds the member ``trace``, for simulation.

    Members
    -------
    s_wb : ``In(wishbone.Signature)``, or s_axi : ``In(axi4.Signature)``
        From the initiator; with several ports ``s0_wb``, ``s1_wb``, … or ``s0_axi``, ….
    m_wb : ``Out(wishbone.Signature)``, or m_axi : ``Out(axi4.Signature)``
        To the memory, which holds the guarded range, and the shadow if that is not separate. Ids at
        ``m_axi`` have ``params.memory_id_width`` bits.
    x_wb : ``Out(wishbone.Signature)``, or x_axi : ``Out(axi4.Signature)``
        To the memory that holds a separate shadow.
    c_axi : ``Out(axi4.Signature)``
        Of the copier, to the memory of ``m_axi``; only with ``copier_port="own"``.
    csr_wb : ``In(wishbone.Signature)``, or csr_axil : ``In(axi4.LiteSignature)``
        The registers: Wishbone classic, 32 bits, addresses in words; or AXI4-Lite.
    trigger : ``In(1)``
        A rising edge, of the unit's clock, starts a snapshot.
    io_hold, io_held : ``Out(1)``, ``In(1)``
        Only with ``params.io_hold``: asks masters that reach the memory by another way to hold
        still, and their answer.
    irq : ``Out(1)``
        A snapshot has ended; a level, until software clears it.
    trace : ``Out(Trace)``
        Only with ``trace=True``.
    """

    def __init__(self, params, *, trace=False):
        self._params = params
        self._trace = trace
        is_lite = params.registers is Registers.AXI4_LITE
        self._csr_name = "csr_axil" if is_lite else "csr_wb"
        self._front = Axi4LiteRegisters() if is_lite else WishboneRegisters()
        members = {
            **bus_members(params),
            self._csr_name: In(self._front.bus.signature.flip()),
            "trigger": In(1),
            "irq": Out(1),
            **({"io_hold": Out(1), "io_held": In(1)} if params.io_hold else {}),
        }
        if trace:
            members["trace"] = Out(Trace)
        super().__init__(members)

    @property
    def params(self):
        """The configuration of this unit."""
        return self._params

    def elaborate(self, platform):
        m = Module()
        m.submodules.core = core = SnapshotCore(self._params)
        m.submodules.bank = bank = RegisterBank(self._params)
        m.submodules.front = front = self._front
        for name, member in bus_members(self._params).items():
            outer, inner = flipped(getattr(self, name)), getattr(core, name)
            connect(m, outer, inner) if member.flow is In else connect(m, inner, outer)
        connect(m, flipped(getattr(self, self._csr_name)), front.bus)
        connect(m, front.access, bank.access)
        connect(m, bank.control, core.control)
        m.d.comb += [core.trigger.eq(self.trigger), self.irq.eq(bank.irq)]
        if self._params.io_hold:
            m.d.comb += [self.io_hold.eq(core.io_hold), core.io_held.eq(self.io_held)]
        if self._trace:
            m.d.comb += self.trace.eq(core.trace)
        return m
