"""Programs for RV32, read from their ELF files."""

import difflib
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from .errors import InputError

__all__ = ["Program", "load"]

_KERNEL = ".kernel"


@dataclass(frozen=True)
class Program:
    """A program as it is loaded.

    ``segments`` are pairs of an address and its bytes; ``symbols`` and ``sections`` map a name to a
    pair of address and size in bytes; ``end`` is the address after the last byte that the program
    takes, cleared variables included.
    """

    path: Path
    entry: int
    segments: tuple[tuple[int, bytes], ...]
    symbols: dict[str, tuple[int, int]]
    sections: dict[str, tuple[int, int]]
    end: int

    @property
    def kernel(self):
        """First and last address of each kernel section: ``.kernel`` and ``.kernel.…``."""
        return tuple((address, address + size - 1)
                     for name, (address, size) in sorted(self.sections.items())
                     if size and (name == _KERNEL or name.startswith(f"{_KERNEL}.")))

    def symbol(self, name):
        """Address and size of a symbol; an :class:`InputError` that names similar ones if none."""
        if name in self.symbols:
            return self.symbols[name]
        near = difflib.get_close_matches(name, self.symbols, 3)
        hint = f"did you mean {' or '.join(near)}?" if near else \
            "it may have been inlined, or the file is stripped"
        raise InputError(f"{self.path.name} has no symbol {name!r}: {hint}")


def load(path, *, base=0, size=None):
    """The :class:`Program` in the ELF file at ``path``.

    Parameters
    ----------
    path : path
    base, size : int
        The memory that it has to fit, in bytes; anything fits where the size is None.

    Raises
    ------
    InputError
        There is no such file, it is no program for RV32, or it does not fit.
    """
    path = Path(path)
    try:
        with open(path, "rb") as file:
            program = _read(path, file)
    except FileNotFoundError:
        raise InputError(f"no such file: {path}") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a directory: name an ELF file in it") from None
    except (ELFError, UnicodeDecodeError, ValueError) as error:
        raise InputError(f"{path} is not a whole ELF file: {error}") from None
    if size is not None:
        _check_fits(program, base, size)
    return program


def _read(path, file):
    if file.read(4) != b"\x7fELF":
        raise InputError(f"{path} is not an ELF file: link the program without "
                         f"objcopy, or name one that `memsnap programs` lists")
    file.seek(0)
    elf = ELFFile(file)
    if elf["e_machine"] != "EM_RISCV" or elf.elfclass != 32 or not elf.little_endian:
        order = "little-endian" if elf.little_endian else "big-endian"
        raise InputError(f"{path} is for {elf.get_machine_arch()}, {elf.elfclass} bits, {order}: "
                         f"this CPU takes RISC-V, 32 bits, little-endian (-march=rv32im)")
    if elf["e_type"] != "ET_EXEC":
        raise InputError(f"{path} is not an executable at fixed addresses: link it with -static "
                         f"and -no-pie")
    segments = [segment for segment in elf.iter_segments("PT_LOAD") if segment["p_memsz"]]
    if not segments:
        raise InputError(f"{path} has nothing to load: link it")
    loaded = []
    for segment in segments:
        data = segment.data()
        if len(data) != segment["p_filesz"]:
            raise InputError(f"{path} is not a whole ELF file: it ends within a segment")
        if data:
            loaded.append((segment["p_paddr"], data))
    return Program(
        path=path, entry=elf["e_entry"], segments=tuple(loaded), symbols=_symbols(elf),
        sections={section.name: (section["sh_addr"], section["sh_size"])
                  for section in elf.iter_sections() if section["sh_flags"] & 2},   # SHF_ALLOC
        end=max(segment["p_paddr"] + segment["p_memsz"] for segment in segments))


def _symbols(elf):
    """Global names win over local ones, and the first of equals."""
    symbols = {}
    for table in elf.iter_sections():
        if not isinstance(table, SymbolTableSection):
            continue
        entries = [symbol for symbol in table.iter_symbols()
                   if symbol.name and symbol["st_shndx"] != "SHN_UNDEF"
                   and symbol["st_info"]["type"] in ("STT_NOTYPE", "STT_FUNC", "STT_OBJECT")]
        for symbol in sorted(entries, key=lambda one: one["st_info"]["bind"] == "STB_LOCAL"):
            if not symbol.name.startswith(("$", ".L")):
                symbols.setdefault(symbol.name, (symbol["st_value"], symbol["st_size"]))
    return symbols


def _check_fits(program, base, size):
    first = min(address for address, _ in program.segments) if program.segments else base
    if first < base:
        raise InputError(f"{program.path} begins at {first:#x}, before the memory at {base:#x}: "
                         f"link it for {base:#x}")
    over = program.end - (base + size)
    if over > 0:
        raise InputError(f"{program.path} is {over:,} bytes too large for {size:,} bytes of "
                         f"memory: give --memory-size {_enough(program.end - base)}")
    if not base <= program.entry < base + size:
        raise InputError(f"the entry {program.entry:#x} of {program.path} is not in the memory: "
                         f"link it with an entry at {base:#x} to {base + size - 1:#x}")


def _enough(size):
    """The next power of two, as one would type it."""
    size = max(1 << (size - 1).bit_length(), 1024)
    return f"{size >> 20}M" if size >= 1 << 20 else f"{size >> 10}K"
