"""What the programs' ELF files must be like; what they do is seen on the system's simulation."""

import pytest
from memsnap_sim.elf import load
from memsnap_sim.toolchain import PROGRAMS, build_program

OWN = [name for name in PROGRAMS if name != "dhrystone"]
SIZES = [0x10000, 0x40000]


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("sw")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", PROGRAMS)
def test_it_fits_the_memory_and_leaves_most_of_it(out, name, size):
    program = load(build_program(name, out, memory_size=size), size=size)
    assert program.entry == program.symbols["_start"][0] == 0
    assert program.symbols["__stack_top"][0] == size
    start, end = (program.symbols[f"__free_{side}"][0] for side in ("start", "end"))
    assert program.end <= start < end < size
    assert start % 64 == end % 64 == 0
    assert end - start > 0x8000


@pytest.mark.parametrize("name", OWN)
def test_it_has_what_a_person_looks_for(out, name):
    program = load(build_program(name, out))
    assert program.symbols["checkpoint"][1] > 0
    assert program.symbols["progress"][1] == 4


@pytest.mark.parametrize("name", ["kernel", "self"])
def test_one_can_tell_it_to_start_no_snapshot(out, name):
    program = load(build_program(name, out))
    assert program.symbols["start_snapshot"][1] == 4
    address = program.symbol("start_snapshot")[0]
    held = [data[address - base:][:4] for base, data in program.segments
            if base <= address < base + len(data)]
    assert held == [(1).to_bytes(4, "little")]      # in a segment, so that it can be changed


@pytest.mark.parametrize("multiply", [True, False])
def test_it_multiplies_only_where_the_cpu_does(out, multiply):
    program = load(build_program("ledger", out, multiply=multiply))
    words = [int.from_bytes(data[at:at + 4], "little") for base, data in program.segments
             for at in range(0, len(data) & ~3, 4) if base + at < program.symbol("memset")[0]]
    assert any(word & 0xfe00007f == 0x02000033 for word in words) == multiply   # OP, of M


def test_dhrystone_has_its_own_names(out):
    program = load(build_program("dhrystone", out))
    for name in "main", "Proc_1", "Int_Glob", "Arr_2_Glob":
        assert program.symbols[name][1] > 0


def test_the_kernel_has_whole_blocks_of_its_own(out):
    program = load(build_program("kernel", out))
    (first, last), = program.kernel
    assert first == program.symbols["__kernel_start"][0]
    assert last + 1 == program.symbols["__kernel_end"][0]
    assert first % 64 == 0 and (last + 1) % 64 == 0 and last > first
    inside = ["schedule", "switch_stacks", "tasks", "turns", "kernel_stack", "yield"]
    outside = ["stream_task", "list_task", "stacks", "main", "progress"]
    assert all(first <= program.symbol(name)[0] <= last for name in inside)
    assert not any(first <= program.symbol(name)[0] <= last for name in outside)


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name != "kernel"])
def test_only_the_kernel_has_a_kernel(out, name):
    assert load(build_program(name, out)).kernel == ()
