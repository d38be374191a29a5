"""What the generated table of registers is made of."""

import enum
from dataclasses import dataclass

__all__ = ["Field", "Kind", "Register"]


class Kind(enum.Enum):
    """How a field behaves."""

    CONSTANT = "constant"   #: read-only, fixed by the build
    STATUS = "status"       #: read-only, driven by the hardware
    LATCHED = "latched"     #: read-only, the copy of a counter that was taken last
    WINDOW = "window"       #: read-only, the hardware gives it in its own time
    CONFIG = "config"       #: readable and writable
    COMMAND = "command"     #: writing 1 is a pulse of one clock; reads 0
    EVENT = "event"         #: set by the hardware, cleared by writing 1


@dataclass(frozen=True)
class Field:
    """Bits ``lsb`` to ``lsb + width - 1`` of a register.

    Parameters
    ----------
    name : str
    lsb, width : int
    kind : Kind
    member : str
        What it shows or drives: a member of :class:`memsnap.control.Signature`, a constant (see
        :func:`memsnap.regs.constants.constants`), or ``bank.…`` for the bank itself.
    member_lsb : int
        Which bits of the member: those from here.
    reset : int
    enum : str or None
        Name of the enumeration of its values.
    """

    name: str
    lsb: int
    width: int
    kind: Kind
    member: str
    member_lsb: int = 0
    reset: int = 0
    enum: str | None = None

    @property
    def mask(self):
        """The field's bits in the register."""
        return (1 << self.width) - 1 << self.lsb

    def get(self, word):
        """The field's value in a word read from the register."""
        return (word & self.mask) >> self.lsb


@dataclass(frozen=True)
class Register:
    """A 32-bit register, or an array of them.

    Parameters
    ----------
    name : str
    offset : int
        In bytes from the unit's base.
    fields : tuple of Field
    count, stride : int
        Elements of an array, and the bytes from one to the next.
    locked : bool
        Cannot be written while a snapshot runs.
    """

    name: str
    offset: int
    fields: tuple
    count: int = 1
    stride: int = 0
    locked: bool = False

    def field(self, name):
        """The field of this name."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(f"{self.name} has no field {name!r}; it has "
                       f"{', '.join(field.name for field in self.fields)}")

    def address(self, index=0):
        """Byte offset of one element."""
        if not 0 <= index < self.count:
            raise IndexError(f"{self.name} index must be 0 to {self.count - 1}, not {index!r}")
        return self.offset + index * self.stride

    def pack(self, **values):
        """The word that holds these values of fields, and 0 in the others."""
        word = 0
        for name, value in values.items():
            field = self.field(name)
            if not 0 <= int(value) < 1 << field.width:
                raise ValueError(f"{self.name}.{name} must fit {field.width} bits, not {value!r}")
            word |= int(value) << field.lsb
        return word
