"""Core files: their layout, and that a debugger reads them."""

import shutil
import struct
import subprocess

import pytest
from elftools.elf.elffile import ELFFile
from memsnap_sim.core import write_core
from memsnap_sim.elf import load
from memsnap_sim.toolchain import build_program

GDB = shutil.which("gdb-multiarch")


def test_layout(tmp_path):
    image = bytes(range(256)) * 16
    path = write_core(tmp_path / "new/image.core", image=image, base=0x8000_0000,
                      registers=range(100, 132), pc=0x1234, signal=5)
    with open(path, "rb") as file:
        elf = ELFFile(file)
        assert elf["e_type"] == "ET_CORE" and elf["e_machine"] == "EM_RISCV"
        note, memory = elf.iter_segments()
        assert memory.data() == image
        assert memory["p_vaddr"] == 0x8000_0000
        status, = note.iter_notes()
        assert status["n_type"] == "NT_PRSTATUS" and status["n_name"] == "CORE"
        content = path.read_bytes()[note["p_offset"] + 20:]
    assert struct.unpack_from("<h", content, 12) == (5,)
    assert struct.unpack_from("<32I", content, 72) == (0x1234, *range(101, 132))


def test_refusals(tmp_path):
    path = tmp_path / "image.core"
    with pytest.raises(ValueError, match="registers must be the 32 values of x0 to x31, not 31"):
        write_core(path, image=b"", registers=[0] * 31)
    with pytest.raises(ValueError, match=r"base must leave room for 0x2 bytes below 2\*\*32"):
        write_core(path, image=b"ab", base=0xffff_ffff)


@pytest.fixture
def gdb():
    if not GDB:
        pytest.skip("gdb-multiarch is missing: apt-get install gdb-multiarch")

    def gdb(*arguments):
        commands = [part for one in arguments[2:] for part in ("-ex", one)]
        done = subprocess.run(
            [GDB, "-nx", "-batch", "-iex", "set auto-load no", *map(str, arguments[:2]),
             *commands], capture_output=True, text=True, timeout=60)
        return done.stdout + done.stderr
    return gdb


def test_gdb_shows_variables_registers_stack_and_calls(tmp_path, gdb):
    """Somebody stopped in checkpoint(), called by main(), with a global and a stack."""
    size = 0x10000
    program = load(build_program("stream", tmp_path, memory_size=size), size=size)
    image = bytearray(size)
    for address, data in program.segments:
        image[address:address + len(data)] = data
    struct.pack_into("<I", image, program.symbol("progress")[0], 4711)
    stack = size - 0x100
    struct.pack_into("<4I", image, stack, 11, 22, 33, 44)
    main, checkpoint = program.symbol("main")[0], program.symbol("checkpoint")[0]
    registers = [0] * 32
    registers[1], registers[2], registers[10] = main + 32, stack, 99
    core = write_core(tmp_path / "image.core", image=image, registers=registers, pc=checkpoint)
    said = gdb(program.path, core, "print progress", "x/4dw $sp", "print $a0", "bt",
               "info registers pc", "x/i $pc")
    assert "$1 = 4711" in said
    assert f"{stack:#x}:\t11\t22\t33\t44" in said
    assert "$2 = 99" in said
    assert "#0  checkpoint () at " in said
    assert "in main () at " in said
    assert "<checkpoint" in said
    assert "warning" not in said.lower(), said
