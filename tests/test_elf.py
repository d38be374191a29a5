"""ELF files are read, and what is no program for the CPU is refused with what to do."""

import re
import struct
from dataclasses import replace

import pytest
from memsnap_sim.elf import load
from memsnap_sim.errors import InputError


def elf(*, machine=243, elf_class=1, order=1, kind=2, address=0x100, data=b"abcdefgh",
        more=8, entry=0x100, segments=1):
    """A small ELF file with one segment: ``data``, and ``more`` cleared bytes."""
    if elf_class == 2:
        head = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF" + bytes([2, 1, 1]) + bytes(9), kind,
                           machine, 1, entry, 0, 0, 0, 64, 56, 0, 64, 0, 0)
        return head
    sign = "<" if order == 1 else ">"
    head = struct.pack(f"{sign}16sHHIIIIIHHHHHH",
                       b"\x7fELF" + bytes([1, order, 1]) + bytes(9), kind, machine, 1, entry, 52,
                       0, 0, 52, 32, segments, 40, 0, 0)
    segment = struct.pack(f"{sign}8I", 1, 84, address, address, len(data), len(data) + more, 7, 4)
    return head + segment * segments + data


@pytest.fixture
def write(tmp_path):
    def write(content):
        path = tmp_path / "program.elf"
        path.write_bytes(content)
        return path
    return write


def test_segments_entry_and_end(write):
    program = load(write(elf()), size=0x110)
    assert program.segments == ((0x100, b"abcdefgh"),)
    assert program.entry == 0x100
    assert program.end == 0x110
    assert program.symbols == {} and program.kernel == ()


def test_no_such_file(tmp_path):
    with pytest.raises(InputError, match="no such file: .*nothing.elf"):
        load(tmp_path / "nothing.elf")


def test_a_directory(tmp_path):
    with pytest.raises(InputError, match="is a directory: name an ELF file in it"):
        load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\x7fEL", b"hello, world"])
def test_no_elf(write, content):
    with pytest.raises(InputError, match="is not an ELF file: link the program"):
        load(write(content))


@pytest.mark.parametrize("change, words", [
    ({"machine": 62, "elf_class": 2}, "is for x64, 64 bits, little-endian: this CPU takes RISC-V"),
    ({"elf_class": 2}, "is for RISC-V, 64 bits, little-endian"),
    ({"machine": 40}, "is for ARM, 32 bits, little-endian"),
    ({"order": 2}, "is for RISC-V, 32 bits, big-endian"),
    ({"kind": 3}, "is not an executable at fixed addresses: link it with -static"),
    ({"segments": 0}, "has nothing to load: link it"),
])
def test_another_kind_of_elf(write, change, words):
    with pytest.raises(InputError, match=re.escape(words)):
        load(write(elf(**change)))


@pytest.mark.parametrize("size", [*range(4, 52), 60, 90])
def test_a_cut_file(write, size):
    with pytest.raises(InputError, match="program.elf "):
        load(write(elf()[:size]))


def test_too_large(write):
    with pytest.raises(InputError, match=re.escape(
            "is 1 bytes too large for 271 bytes of memory: give --memory-size 1K")):
        load(write(elf()), size=0x10f)
    with pytest.raises(InputError, match="give --memory-size 128K"):
        load(write(elf(more=0x10000)), size=0x10000)


def test_before_the_memory(write):
    with pytest.raises(InputError, match="begins at 0x100, before the memory at 0x1000"):
        load(write(elf()), base=0x1000, size=0x1000)


def test_an_entry_outside(write):
    with pytest.raises(InputError, match="the entry 0x5000 .* is not in the memory"):
        load(write(elf(entry=0x5000)), size=0x1000)


def test_symbols(write):
    program = replace(load(write(elf())), symbols={"checkpoint": (8, 4), "main": (0, 8)})
    assert program.symbol("main") == (0, 8)
    with pytest.raises(InputError, match="program.elf has no symbol 'chekpoint': did you mean "
                                         "checkpoint"):
        program.symbol("chekpoint")
    with pytest.raises(InputError, match="no symbol 'zzz': it may have been inlined"):
        program.symbol("zzz")


def test_kernel_sections(write):
    program = replace(load(write(elf())), sections={
        ".text": (0, 64), ".kernel": (64, 128), ".kernel.stack": (256, 64), ".kernel.none": (0, 0),
        ".kernels": (512, 64)})
    assert program.kernel == ((64, 191), (256, 319))
