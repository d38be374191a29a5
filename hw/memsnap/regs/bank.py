"""The registers in hardware, built from the table, behind a port that knows no bus."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped
from amaranth.utils import bits_for, exact_log2

from .. import control
from ..region_table import RegionTable
from .constants import constants
from .fields import REGISTERS
from .file import RegisterFile
from .read_word import ReadWord
from .table import Kind

__all__ = ["ADR_WIDTH", "AccessSignature", "RegisterBank"]

#: Width of a register's address in 32-bit words.
ADR_WIDTH = bits_for(max(register.address(register.count - 1)
                         for register in REGISTERS.values()) // 4)


class AccessSignature(wiring.Signature):
    """One access at a time to a 32-bit register, seen from the register front of a bus.

    ``read`` or ``write`` is a strobe of one clock, with ``adr``, ``data_w`` and ``sel`` valid in
    that clock. The answer is one clock of ``done``, three clocks after the strobe or, where the
    hardware takes its time, later; ``data_r`` and ``error`` are valid in that clock. The next
    strobe comes after ``done``, and the first when ``ready``.

    Members
    -------
    read, write : ``Out(1)``
    adr : ``Out(ADR_WIDTH)``
        In words.
    data_w : ``Out(32)``
    sel : ``Out(4)``
        Bytes to write.
    ready : ``In(1)``
        Low in the first clocks after a reset, in which the bank hears nothing.
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
            "ready": In(1),
            "data_r": In(32),
            "done": In(1),
            "error": In(1),
        })


class RegisterBank(wiring.Component):
    """The registers of the unit.

    A command is at ``control`` two clocks after its strobe and only there; a new configuration from
    that clock on. All counters are copied in one clock: the one after a latch command, or the
    second after a snapshot ended. The value read is that of two clocks after the strobe.

    What software configures is kept in a RAM, to be read back, and those bits that the unit needs
    at any time once more in registers. A write to a region is answered when it is checked.

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
        self._constants = constants(params)
        self._own = {
            "latch": Signal(),
            "irq_enable": Signal(),
            "irq_pending": Signal(),
            "irq_test": Signal(),
            "map_row": Signal(32),
            "lock": Signal(),
        }
        self._ended = Signal()      # in the clock before

    def elaborate(self, platform):
        m = Module()
        access, own = self.access, self._own
        m.submodules.file = self._file = file = self._make_file()
        self._word = ReadWord()
        kept = [[] for _ in range(32)]  # of each bit: when a register of the file has it
        m.submodules.table = table = RegionTable(self._params)
        writes, asked, allowed = Signal(), Signal(), Signal()
        hits = {name: Signal(name=f"hit_{name.replace('.', '_')}") for name in REGISTERS}
        mapped, locked = self._decode(m, hits)
        m.d.comb += [
            access.ready.eq(file.ready),
            file.ask.eq(access.read | access.write),
            file.new_adr.eq(access.adr), file.new_data.eq(access.data_w),
            file.new_sel.eq(access.sel),
            allowed.eq(mapped & ~(writes & locked & (self.control.locked | own["lock"]))),
            file.write.eq(asked & writes & allowed),
            self.irq.eq(own["irq_enable"] & own["irq_pending"]),
        ]
        m.d.sync += [asked.eq(file.ask), self._ended.eq(self.control.ended)]
        with m.If(file.ask):
            m.d.sync += writes.eq(access.write)
        self._copies = self._copy_counters(m)
        for name, register in REGISTERS.items():
            for field in register.fields:
                make = getattr(self, f"_{field.kind.value}")
                # What is never locked need not wait for whether anything is
                write = file.write if register.locked else asked & writes & mapped
                make(m, field, hits[name], write & hits[name])
                if field.kind is Kind.CONFIG:
                    for bit in range(field.lsb, field.lsb + self._kept_width(field)):
                        kept[bit].append(hits[name])
        self._show_file(m, kept, table=table)
        self._keep_regions(m, table, hits=hits, writing=asked & writes & locked)
        self._answer(m, asked=asked, allowed=allowed, table=table,
                     look=hits["MAP_DATA"] & asked & ~writes)
        return m

    def _decode(self, m, hits):
        """Which register the request that is taken is for; whether there is one, and is locked.

        The address is decoded in two parts before it is taken: what is left to do afterwards fits
        the cells that need it.
        """
        adr = self.access.adr
        end = max(self._addresses(register)[-1] for register in REGISTERS.values()) + 1
        eights = {}     # by pattern of the upper bits: the address is among these eight words
        place = Signal(8)
        mapped, locked = Signal(), Signal()
        for name, register in REGISTERS.items():
            hit = []
            for pattern in self._patterns(register):
                upper, lower = pattern[:-3], int(pattern[-3:], 2)
                if upper not in eights:
                    eights[upper] = Signal(name=f"eight{len(eights)}")
                hit.append(eights[upper] & place[lower])
            m.d.comb += hits[name].eq(Cat(hit).any())
        with m.If(self._file.ask):
            m.d.sync += [eight.eq(adr[3:].matches(upper)) for upper, eight in eights.items()]
            m.d.sync += [
                place.eq(1 << adr[:3]),
                mapped.eq(self._is_among(adr, REGISTERS.values()) & (adr < end)),
                locked.eq(self._is_among(adr, [register for register in REGISTERS.values()
                                               if register.locked])),
            ]
        return mapped, locked

    def _is_among(self, adr, registers):
        return adr.matches(*(pattern for register in registers
                             for pattern in self._patterns(register)))

    def _addresses(self, register):
        """Those of the words of a register."""
        return [register.address(index) // 4
                for index in range(min(register.count, self._params.regions))]

    def _patterns(self, register):
        """Its addresses; for an array, those of eight elements at once, be they there or not."""
        if register.count == 1:
            return [f"{register.address() // 4:0{ADR_WIDTH}b}"]
        word = exact_log2(register.stride // 4)
        return sorted({f"{each >> word + 3:0{ADR_WIDTH - word - 3}b}---"
                       f"{each & (1 << word) - 1:0{word}b}" for each in self._addresses(register)})

    def _make_file(self):
        words, resets = [], {}
        for register in REGISTERS.values():
            for field in register.fields:
                if field.kind is Kind.CONFIG:
                    for adr in self._addresses(register):
                        words.append(adr)
                        value = self._reset(field) << field.lsb
                        if value:
                            resets[adr] = resets.get(adr, 0) | value
        return RegisterFile(words=range(min(words), max(words) + 1), resets=resets,
                            adr_width=ADR_WIDTH)

    def _copy_counters(self, m):
        """Copies all counters in one clock; they lag by one, and stand still after the end."""
        counters = self.control.counters
        block_bits = bits_for(self._params.blocks)
        copies = {}
        copy_now = Signal()
        m.d.sync += copy_now.eq(self._ended | self._own["latch"])
        for name, field in control.Counters.as_shape():
            width = block_bits if name.startswith("blocks_") else field.width
            copies[f"counters.{name}"] = copy = Signal(min(width, field.width),
                                                       name=f"latched_{name}")
            with m.If(copy_now):
                m.d.sync += copy.eq(counters[name])
        return copies

    def _show_file(self, m, kept, *, table):
        """Of a word in the file, shows the bits that there are; to the region table, all."""
        shown = Cat(Cat(hits).any() for hits in kept)
        m.d.comb += self._file.show.eq(shown | table.busy.replicate(len(kept)))
        self._word.add(0, self._file.word)

    def _keep_regions(self, m, table, *, hits, writing):
        """A write to a word of a region has all of it looked at."""
        file = self._file
        written = Signal()      # in the clock before; it counts in this one, and is judged in it
        m.d.sync += written.eq(writing)
        m.d.comb += [
            table.changed.eq(file.write & Cat(
                hits[name] for name in REGISTERS if name.startswith("REGION.")).any()),
            table.index.eq(file.adr[3:]),
            file.fetch.eq(table.busy),
            file.place.eq(table.word),
            table.value.eq(file.word),
            self.control.unsound.eq(table.unsound),
            # A start in the clock of a write waits for what was written
            self.control.checking.eq(table.busy | writing | written),
        ]
        connect(m, table.lookup, flipped(self.control.regions))

    def _answer(self, m, *, asked, allowed, table, look):
        """Answers three clocks after the strobe, or when the map has its row, or a region is safe.
        """
        access, row = self.access, self._own["map_row"]
        ready, looking, checking = Signal(), Signal(), Signal()
        m.d.comb += [
            self.control.map_row.eq(row),
            self.control.map_read.eq(looking),
        ]
        m.d.sync += [
            checking.eq(table.busy),
            ready.eq(asked & ~(look & (row < self._params.map_rows)) & ~table.changed
                     | checking & ~table.busy),
            access.done.eq(ready | looking & self.control.map_valid),
            access.data_r.eq(self._word.word(m)),
        ]
        with m.If(asked):
            m.d.sync += access.error.eq(~allowed)
        with m.If(look & (row < self._params.map_rows)):
            m.d.sync += looking.eq(1)
        with m.Elif(self.control.map_valid):
            m.d.sync += looking.eq(0)

    def _member(self, path):
        """What a field's ``member`` names: a value of the control interface, or of the bank."""
        head, _, rest = path.partition(".")
        return self._own[rest] if head == "bank" else Value.cast(getattr(self.control, head))

    def _reset(self, field):
        """A constant, or the value of a configuration field after a reset."""
        value = self._constants.get(field.member, field.reset) >> field.member_lsb
        return value & (1 << field.width) - 1

    # One method for each kind of field: it makes the field and what a read of it shows -----------

    def _constant(self, m, field, hit, write):
        self._word.show_constant(hit, field.lsb, self._reset(field))

    def _status(self, m, field, hit, write):
        self._word.show(hit, field.lsb, _bits(self._member(field.member), field))

    def _window(self, m, field, hit, write):
        shown = Mux(self.control.map_read, _bits(self._member(field.member), field), 0)
        self._word.add(field.lsb, shown)

    def _latched(self, m, field, hit, write):
        self._word.show(hit, field.lsb, _bits(self._copies[field.member], field))

    def _config(self, m, field, hit, write):
        if field.member.startswith("regions."):
            return
        file = self._file
        member = _bits(self._member(field.member), field)
        width = len(member)
        storage = Signal(width, init=self._reset(field), name=(
            f"{field.member.replace('.', '_')}_{field.member_lsb}"))
        m.d.comb += member.eq(storage)
        for byte in range(field.lsb // 8, -(-(field.lsb + width) // 8)):
            first = max(8 * byte, field.lsb)
            last = min(8 * byte + 8, field.lsb + width)
            with m.If(write & file.sel[byte]):
                m.d.sync += storage[first - field.lsb:last - field.lsb].eq(file.data[first:last])

    def _kept_width(self, field):
        """How many bits of a configuration field there are."""
        if not field.member.startswith("regions."):
            return len(_bits(self._member(field.member), field))
        if field.member in ("regions.base", "regions.limit") and field.member_lsb:
            return max(0, min(field.width, self._params.addr_width - field.member_lsb))
        return field.width

    def _command(self, m, field, hit, write):
        m.d.sync += self._member(field.member).eq(write & self._one(field))

    def _event(self, m, field, hit, write):
        pending = self._own["irq_pending"]
        with m.If(self._ended | self._own["irq_test"]):
            m.d.sync += pending.eq(1)
        with m.Elif(write & self._one(field)):
            m.d.sync += pending.eq(0)
        self._word.show(hit, field.lsb, pending)

    def _one(self, field):
        """The request writes a 1 to a field of one bit."""
        return self._file.data[field.lsb] & self._file.sel[field.lsb // 8]


def _bits(member, field):
    """The bits of a member that a field shows; fewer than the field's if there are no more."""
    return member[field.member_lsb:field.member_lsb + field.width]
