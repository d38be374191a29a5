"""The registers in hardware, built from the table, behind a port that knows no bus."""

import functools
import operator

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from .. import control
from .constants import constants
from .fields import REGISTERS
from .table import Kind

__all__ = ["ADR_WIDTH", "AccessSignature", "RegisterBank"]

#: Width of a register's address in 32-bit words.
ADR_WIDTH = bits_for(max(register.address(register.count - 1)
                         for register in REGISTERS.values()) // 4)


class AccessSignature(wiring.Signature):
    """One access at a time to a 32-bit register, seen from the register front of a bus.

    ``read`` or ``write`` is a strobe of one clock, with ``adr``, ``data_w`` and ``sel`` valid in
    that clock. The answer is one clock of ``done``, two clocks after the strobe or, where the
    hardware takes its time, later; ``data_r`` and ``error`` are valid in that clock. The next
    strobe comes after ``done``.

    Members
    -------
    read, write : ``Out(1)``
    adr : ``Out(ADR_WIDTH)``
        In words.
    data_w : ``Out(32)``
    sel : ``Out(4)``
        Bytes to write.
    data_r : ``In(32)``
    done : ``In(1)``
    error : ``In(1)``
        There is no such register, or it is locked; nothing was changed.
    """

    def __init__(self):
        super().__init__({
            "read": Out(1),
            "write": Out(1),
            "adr": Out(ADR_WIDTH),
            "data_w": Out(32),
            "sel": Out(4),
            "data_r": In(32),
            "done": In(1),
            "error": In(1),
        })


class RegisterBank(wiring.Component):
    """The registers of the unit.

    A command is at ``control`` in the clock after its strobe and only there; a new configuration
    from that clock on. All counters are copied in one clock: that of a latch command, or the one
    after a snapshot ended. The value read is that of the clock after the strobe.

    Parameters
    ----------
    params : SnapshotParams

    Members
    -------
    access : ``In(AccessSignature())``
    control : ``Out(control.Signature(params))``
    irq : ``Out(1)``
        A level: the interrupt is enabled and its status is set.
    """

    def __init__(self, params):
        self._params = params
        super().__init__({
            "access": In(AccessSignature()),
            "control": Out(control.Signature(params)),
            "irq": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        self._constants = constants(self._params)
        self._own = own = {
            "latch": Signal(),
            "irq_enable": Signal(),
            "irq_pending": Signal(),
            "irq_test": Signal(),
            "look": Signal(),
            "map_row": Signal(32),
            "lock": Signal(),
        }
        self._locked = self.control.locked | own["lock"]
        self._copies = self._copy_counters(m)
        hits, locked, shown = [], [], []
        for register in REGISTERS.values():
            for index in range(min(register.count, self._params.regions)):
                hit = Signal(name=f"hit_{register.name.replace('.', '_')}_{index}")
                m.d.comb += hit.eq(self.access.adr == register.address(index) // 4)
                hits.append(hit)
                if register.locked:
                    locked.append(hit)
                shown.append(self._register(m, register, index, hit))
        self._answer(m, mapped=Cat(hits).any(), locked=Cat(locked).any() & self._locked,
                     value=functools.reduce(operator.or_, shown))
        m.d.comb += self.irq.eq(own["irq_enable"] & own["irq_pending"])
        return m

    def _register(self, m, register, index, hit):
        """Makes one register, and gives its word in the clock after its strobe, else 0."""
        access = self.access
        write = hit & access.write & ~(register.locked & self._locked)
        word = Const(0, 0)
        for field in register.fields:
            make = getattr(self, f"_{field.kind.value}")
            word = Cat(word, Const(0, field.lsb - len(word)), make(m, field, index, write))
        if register.fields[0].kind is Kind.WINDOW:
            hit &= self._own["map_row"] < self._params.map_rows
            m.d.comb += self._own["look"].eq(hit & access.read)
        chosen = Signal(name=f"chosen_{register.name.replace('.', '_')}_{index}")
        with m.If(access.read | access.write):
            m.d.sync += chosen.eq(hit)
        return Mux(chosen, word, 0)

    def _copy_counters(self, m):
        """Copies all counters in one clock; in the clock after the end they stand still."""
        ended = Signal()
        counters = self.control.counters
        block_bits = bits_for(self._params.blocks)
        copies = {}
        m.d.sync += ended.eq(self.control.ended)
        for name, field in control.Counters.as_shape():
            width = block_bits if name.startswith("blocks_") else field.width
            copies[f"counters.{name}"] = copy = Signal(min(width, field.width),
                                                       name=f"latched_{name}")
            with m.If(ended | self._own["latch"]):
                m.d.sync += copy.eq(counters[name])
        return copies

    def _answer(self, m, *, mapped, locked, value):
        """Answers two clocks after the strobe, or when the window onto the map has its row."""
        access = self.access
        asked, wrong, looking = Signal(), Signal(), Signal()
        m.d.comb += [
            self.control.map_row.eq(self._own["map_row"]),
            self.control.map_read.eq(looking),
        ]
        m.d.sync += [
            asked.eq(access.read | access.write),
            access.done.eq(Mux(looking, self.control.map_valid, asked)),
            access.error.eq(wrong),
            access.data_r.eq(value),
        ]
        with m.If(access.read | access.write):
            m.d.sync += wrong.eq(~mapped | (access.write & locked))
        with m.If(self._own["look"]):
            m.d.sync += looking.eq(1)
        with m.Elif(self.control.map_valid):
            m.d.sync += looking.eq(0)

    def _member(self, path, index):
        """What a field's ``member`` names: a value of the control interface, or of the bank."""
        head, _, rest = path.partition(".")
        if head == "bank":
            return self._own[rest]
        if head == "regions":
            return Value.cast(self.control.regions[index][rest])
        return Value.cast(getattr(self.control, head))

    # One method for each kind of field: it makes the field and gives what a read of it shows -----

    def _constant(self, m, field, index, write):
        constant = self._constants.get(field.member, field.reset) >> field.member_lsb
        return Const(constant & (1 << field.width) - 1, field.width)

    def _status(self, m, field, index, write):
        return _bits(self._member(field.member, index), field)

    _window = _status

    def _latched(self, m, field, index, write):
        return _bits(self._copies[field.member], field)

    def _config(self, m, field, index, write):
        member = _bits(self._member(field.member, index), field)
        reset = self._constants.get(field.member, field.reset) >> field.member_lsb
        storage = Signal(len(member), init=reset & (1 << len(member)) - 1,
                         name=f"{field.member.replace('.', '_')}_{index}_{field.member_lsb}")
        m.d.comb += member.eq(storage)
        for byte in range(field.lsb // 8, -(-(field.lsb + len(storage)) // 8)):
            first = max(8 * byte, field.lsb)
            last = min(8 * byte + 8, field.lsb + len(storage))
            with m.If(write & self.access.sel[byte]):
                m.d.sync += storage[first - field.lsb:last - field.lsb].eq(
                    self.access.data_w[first:last])
        return storage

    def _command(self, m, field, index, write):
        m.d.sync += self._member(field.member, index).eq(write & self._one(field))
        return Const(0, field.width)

    def _event(self, m, field, index, write):
        pending = self._own["irq_pending"]
        with m.If(self._member(field.member, index) | self._own["irq_test"]):
            m.d.sync += pending.eq(1)
        with m.Elif(write & self._one(field)):
            m.d.sync += pending.eq(0)
        return pending

    def _one(self, field):
        """The access writes a 1 to a field of one bit."""
        return self.access.data_w[field.lsb] & self.access.sel[field.lsb // 8]


def _bits(member, field):
    """The bits of a member that a field shows; fewer than the field's if there are no more."""
    return member[field.member_lsb:field.member_lsb + field.width]
