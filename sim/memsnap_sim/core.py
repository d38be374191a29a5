"""An image of memory as a core file, for a debugger: ``gdb-multiarch PROGRAM.elf image.core``."""

import struct
from pathlib import Path

__all__ = ["write_core"]

_ET_CORE, _EM_RISCV = 4, 243
_PT_LOAD, _PT_NOTE = 1, 4
_RWX = 7
_NT_PRSTATUS = 1
_EHDR, _PHDR = struct.Struct("<16sHHIIIIIHHHHHH"), struct.Struct("<IIIIIIII")
#: Linux' elf_prstatus on 32-bit RISC-V: signal, ids and times, then pc and x1 to x31, then fpvalid.
_PRSTATUS = struct.Struct("<12xh10x48x32I4x")
_PAGE = 4096


def write_core(path, *, image, base=0, registers=None, pc=0, signal=0):
    """Writes ``image`` and the CPU's registers as an ELF core file for RV32.

    Parameters
    ----------
    path : path
    image : bytes
        The memory's content.
    base : int
        Its first address.
    registers : sequence of int or None
        x0 to x31 (the first is ignored); all 0 where they are not known.
    pc : int
        The next instruction.
    signal : int
        The number of the signal that the debugger names as the cause, 0 for none.

    Raises
    ------
    ValueError
        There are not 32 registers, or the image does not fit 32 address bits.
    """
    registers = [0] * 32 if registers is None else [int(value) for value in registers]
    image = bytes(image)
    if len(registers) != 32:
        raise ValueError(f"registers must be the 32 values of x0 to x31, not {len(registers)}")
    if base < 0 or base + len(image) > 1 << 32:
        raise ValueError(f"base must leave room for {len(image):#x} bytes below 2**32, not "
                         f"{base:#x}")
    status = _PRSTATUS.pack(signal, *(int(value) & 0xffff_ffff for value in [pc, *registers[1:]]))
    note = _note(b"CORE", _NT_PRSTATUS, status)
    note_at = _EHDR.size + 2 * _PHDR.size
    image_at = -(-(note_at + len(note)) // _PAGE) * _PAGE
    ident = b"\x7fELF" + bytes([1, 1, 1]) + bytes(9)    # 32 bits, little-endian, version 1
    header = _EHDR.pack(ident, _ET_CORE, _EM_RISCV, 1, 0, _EHDR.size, 0, 0, _EHDR.size, _PHDR.size,
                        2, 0, 0, 0)
    header += _PHDR.pack(_PT_NOTE, note_at, 0, 0, len(note), 0, 0, 4)
    header += _PHDR.pack(_PT_LOAD, image_at, base, base, len(image), len(image), _RWX, 1)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((header + note).ljust(image_at, b"\0") + image)
    return path


def _note(owner, kind, content):
    def padded(data):
        return data + bytes(-len(data) % 4)

    owner += b"\0"
    return struct.pack("<III", len(owner), len(content), kind) + padded(owner) + padded(content)
