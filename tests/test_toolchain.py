"""The programs are built with the packaged compiler, once."""

import pytest
from memsnap_sim import toolchain
from memsnap_sim.errors import InputError
from memsnap_sim.toolchain import PROGRAMS, ToolError, build_program, shipped_programs


def test_a_program_is_built_once(tmp_path):
    first = build_program("touch", tmp_path)
    stamp = first.stat().st_mtime_ns
    assert build_program("touch", tmp_path) == first
    assert first.stat().st_mtime_ns == stamp
    assert build_program("touch", tmp_path, memory_size=0x20000) != first
    assert not list(first.parent.glob("new-*"))


def test_each_program_has_a_line_about_it():
    assert [name for name, _ in shipped_programs()] == list(PROGRAMS)
    assert all(about and "\n" not in about for _, about in shipped_programs())


def test_an_unknown_program_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no program 'strem': there are dhrystone, "):
        build_program("strem", tmp_path)


def test_an_odd_memory_is_refused(tmp_path):
    with pytest.raises(InputError, match="memory of 100 bytes must be a multiple of 64 bytes"):
        build_program("touch", tmp_path, memory_size=100)


def test_too_small_a_memory_is_told_by_the_linker(tmp_path):
    with pytest.raises(ToolError, match="the program does not fit the memory"):
        build_program("kernel", tmp_path, memory_size=0x1000)
    assert not list(tmp_path.glob("*/kernel.elf"))


def test_the_compilers_message_is_handed_on(tmp_path, monkeypatch):
    sw = tmp_path / "sw"
    for name in "lib", "programs", "include":
        (sw / name).mkdir(parents=True)
    (sw / "link.ld").write_text("SECTIONS { }")
    for name in "lib/start.S", "lib/soc.c":
        (sw / name).write_text("")
    (sw / "programs/touch.c").write_text("int main(void) { int unused; return 0; }")
    monkeypatch.setattr(toolchain, "_SW", sw)
    monkeypatch.setattr(toolchain, "_LINK", sw / "link.ld")
    with pytest.raises(ToolError, match=r"touch could not be built:\n.*unused variable"):
        build_program("touch", tmp_path / "out")


def test_missing_sources_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(toolchain, "_LINK", tmp_path / "link.ld")
    with pytest.raises(ToolError, match="the programs' sources are not at .*: run memsnap from"):
        build_program("touch", tmp_path)
