"""The C driver: each function over registers played in Python, and a program on the unit."""

import ctypes
import re
import subprocess
import sys
from pathlib import Path

import c_driver
import pytest
from c_driver import (
    BASE,
    HEADER,
    SOURCE,
    Counters,
    Library,
    MockUnit,
    Policy,
    Region,
    errors,
    prototypes,
)
from memsnap import SnapshotParams
from memsnap.regs import fields
from memsnap.regs.fields import Cause, Failure, Refusal, RegionKind, State
from memsnap_sim import soc
from memsnap_sim.elf import load
from memsnap_sim.toolchain import build_program

pytestmark = pytest.mark.systems

PARAMS = SnapshotParams(memory_base=0x400, memory_size=0x2A0, shadow_base=0x800, block_size=16,
                        addr_width=40, regions=3, ports=2, retry=True, release="copied")
FULL = SnapshotParams(memory_base=1 << 36, memory_size=1 << 34, shadow_base=5 << 34,
                      block_size=65536, addr_width=64, data_width=64, regions=16, io_hold=True,
                      pipelined=False, buffer_depth=1024, jobs=12)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return Library(tmp_path_factory.mktemp("driver"))


@pytest.fixture
def driver(library):
    """The driver with a unit that it has found; ``driver.mock`` is the unit's other side."""
    yield found(library, PARAMS)
    assert library.mock.faults == []


def found(library, params, **options):
    library.mock = MockUnit(params, **options)
    library.connect(library.mock)
    assert library.probe(BASE) == "OK"
    library.mock.log.clear()
    return library


# Each function -----------------------------------------------------------------------------------

@pytest.mark.parametrize("params", [PARAMS, FULL, SnapshotParams()])
def test_probe(library, params):
    unit = found(library, params).unit
    assert (unit.memory_base, unit.memory_size, unit.shadow_base) == (
        params.memory_base, params.memory_size, params.shadow_base)
    for name in ("block_size", "blocks", "data_width", "regions", "ports", "buffer_depth", "jobs",
                 "pipelined", "retry", "io_hold"):
        assert getattr(unit, name) == getattr(params, name), name
    assert unit.release == (params.release.name == "COPIED")
    assert unit.shadow_separate == (params.shadow.name == "SEPARATE")


def test_probe_of_something_else(driver):
    driver.mock.set("ID", magic=0x50414E52)
    assert driver.probe(BASE) == "NO_UNIT"
    driver.mock.set("ID", magic=0x50414E53)
    driver.mock.set("VERSION", major=1)
    assert driver.probe(BASE) == "VERSION"


def test_start_and_wait(driver):
    assert driver.wait(1) == "NO_IMAGE"
    assert driver.start() == "OK"
    assert driver.mock.log == [("CONTROL", 1)]
    assert driver.wait(1) == "RUNNING"
    assert driver.start() == "REFUSED"
    assert driver.get_status().refusal == Refusal.BUSY
    assert driver.wait(0) == "OK"
    status = driver.get_status()
    assert (status.state, status.done, status.shadow_protected, status.ready) == (6, 1, 1, 1)
    assert not (status.failed or status.cancelled or status.active or status.locked)
    driver.clear()
    assert driver.wait(1) == "NO_IMAGE" and not driver.get_status().shadow_protected


def test_status_shows_each_field(driver):
    names = {"protected": "shadow_protected"}
    for field in fields.REGISTERS["STATUS"].fields[1:]:
        driver.mock.words[fields.REGISTERS["STATUS"].offset] = field.mask
        status = driver.get_status()
        assert [name for name, kind in status._fields_ if kind is ctypes.c_bool
                and getattr(status, name)] == [names.get(field.name, field.name)]
    driver.mock.set("CAUSE", cause=7, refusal=4)
    status = driver.get_status()
    assert (status.cause, status.refusal, status.fail_block) == (7, 4, 0)


@pytest.mark.parametrize("fate, wanted", [(Cause.NONE, "OK"), (Cause.DEADLINE, "FAILED"),
                                          (Cause.CANCELLED, "CANCELLED")])
def test_take(library, fate, wanted):
    driver = found(library, PARAMS, fate=fate)
    assert driver.take(0) == wanted
    status = driver.get_status()
    assert status.cause == fate and status.fail_block == 7
    assert driver.take(1) == "RUNNING"


def test_take_when_it_cannot_start(driver):
    driver.mock.set("STATUS", ready=0)
    assert driver.wait_ready(5) == "RUNNING" == driver.take(5)
    assert driver.mock.log == []
    driver.mock.set("STATUS", ready=1)
    assert driver.wait_ready(5) == "OK"
    driver.mock.start = lambda: driver.mock.set("STATUS", refused=1)
    assert driver.take(5) == "REFUSED"


def test_cancel(driver):
    driver.mock.set("READY_IN", clocks=77)
    assert driver.start() == "OK"
    driver.cancel()
    assert driver.wait(1) == "CANCELLED" and driver.ready_in() == 77


def test_pause(driver):
    assert not driver.is_paused()
    driver.start()
    driver.pause()                      # at any time
    assert driver.is_paused()
    driver.resume()
    assert not driver.is_paused()


def test_counters(driver):
    names = [name for name, _ in Counters._fields_]
    for place, name in enumerate(names[1:]):
        driver.mock.set(name.upper(), value=100 + place)
    driver.mock.set("INSTANT_LO", value=0xFFFFFFFF)
    driver.mock.set("INSTANT_HI", value=3)
    counters = driver.get_counters()
    assert counters.instant == 0x3_FFFFFFFF and driver.mock.log == []
    assert [getattr(counters, name) for name in names[1:]] == list(range(100, 108))
    assert driver.latch_counters().duration == 102      # the mock counts its latches there
    assert driver.mock.log == [("CONTROL", 8)]


def test_map(driver):
    word, copied = ctypes.c_uint32(), ctypes.c_bool()
    assert driver.get_map_row(1, word) == "OK" and word.value == 0xA5A50001
    assert driver.get_map_row(2, word) == "INDEX"
    bits = [(driver.is_copied(block, copied), copied.value) for block in range(42)]
    assert bits == [("OK", (0xA5A50001A5A50000 >> block & 1) == 1) for block in range(42)]
    assert driver.is_copied(42, copied) == "INDEX"


def test_image_address(library):
    assert found(library, PARAMS).image_address(0x69F) == 0xA9F
    assert found(library, FULL).image_address((1 << 36) + 5) == (5 << 34) + 5


def test_regions(library):
    driver = found(library, FULL)
    base = FULL.memory_base
    seen = Region()
    for index in range(16):
        region = Region(base + index, base + (1 << 33) + index, index % 4, index % 3 > 0)
        assert driver.set_region(index, region) == "OK"
        # Off while it changes
        assert driver.mock.log[-6][0] == "REGION.ATTR" == driver.mock.log[-1][0]
        assert driver.mock.log[-6][1] == 0
        assert driver.get_region(index, seen) == "OK"
        assert bytes(seen) == bytes(region)
    assert driver.disable_region(5) == "OK" == driver.get_region(5, seen) and not seen.enable
    for call in (driver.set_region, driver.get_region):
        assert call(16, seen) == "INDEX"
    assert driver.disable_region(16) == "INDEX"


@pytest.mark.parametrize("base, limit, kind, wanted", [
    (0x400, 0x69F, RegionKind.KERNEL, "OK"), (0x400, 0x6A0, 0, "REGION"),
    (0x3FF, 0x500, 0, "REGION"), (0x500, 0x4FF, 0, "REGION"), (0x500, 0x500, 4, "VALUE"),
    ((1 << 32) + 0x400, 0x69F, 0, "REGION"),
    (0x400, (1 << 32) + 0x500, 0, "REGION")])
def test_regions_are_checked(driver, base, limit, kind, wanted):
    assert driver.set_region(0, Region(base, limit, kind, True)) == wanted
    assert bool(driver.mock.log) == (wanted == "OK")


@pytest.mark.parametrize("params, policy, wanted", [
    (PARAMS, (Failure.FAIL_WRITE, 15, False), "OK"),
    (PARAMS, (Failure.BREAK, 16, False), "VALUE"),
    (PARAMS, (Failure.BREAK, 1, True), "VALUE"),
    (FULL, (Failure.BREAK, 0, True), "OK"),
    (FULL, (Failure.FAIL_WRITE, 0, False), "VALUE"),
    (FULL, (Failure.BREAK, 1, False), "VALUE"),
])
def test_policy(library, params, policy, wanted):
    driver = found(library, params)
    assert driver.set_policy(Policy(*policy)) == wanted
    seen = driver.get_policy()
    assert (seen.failure, seen.retries, seen.hold_io) == (policy if wanted == "OK" else (0, 0, 0))


@pytest.mark.parametrize("set_, get", [
    ("set_timeout", "get_timeout"), ("set_deadline", "get_deadline"),
    ("set_hold_limit", "get_hold_limit")])
def test_limits(driver, set_, get):
    set_, get = getattr(driver, set_), getattr(driver, get)
    for clocks in 0, 1, 0xFFFFFFFF:
        assert set_(clocks) == "OK" and get() == clocks
    driver.start()
    assert set_(5) == "LOCKED" and get() == 0xFFFFFFFF


def test_protect(driver):
    assert driver.set_protect(3) == "OK" and driver.get_protect() == 3
    assert driver.set_protect(4) == "INDEX" and driver.get_protect() == 3


def test_share_and_pace(driver):
    driver.start()                      # at any time
    driver.set_share(0xFFFFFFFF)
    assert driver.get_share() == 0xFFFFFFFF
    assert driver.set_pace(0xFFFF) == "OK" and driver.get_pace() == 0xFFFF
    assert driver.set_pace(0x10000) == "VALUE" and driver.get_pace() == 0xFFFF


def test_locks(driver):
    """Nothing that is locked is written: the answer would be a bus error."""
    def configure():
        region = Region(0x400, 0x40F, 0, True)
        return {driver.set_region(0, region), driver.disable_region(0), driver.set_timeout(1),
                driver.set_policy(Policy()), driver.set_deadline(1), driver.set_hold_limit(1),
                driver.set_protect(1)}

    driver.mock.polls = 100
    assert configure() == {"OK"}
    driver.start()
    assert configure() == {"LOCKED"} and driver.lock() == "LOCKED"
    driver.wait(0)
    assert not driver.is_locked_until_reset()
    assert driver.lock() == "OK" == driver.lock() and driver.is_locked_until_reset()
    assert configure() == {"LOCKED_UNTIL_RESET"}
    driver.start()
    assert configure() == {"LOCKED"}
    assert driver.mock.faults == []


def test_interrupt(driver):
    driver.enable_irq(True)
    assert driver.mock.get("IRQ_ENABLE", "ended") == 1
    assert not driver.take_irq()
    driver.take(0)
    assert driver.take_irq() and not driver.take_irq()
    driver.test_irq()
    assert driver.take_irq()
    driver.enable_irq(False)
    assert driver.mock.get("IRQ_ENABLE", "ended") == 0


@pytest.mark.parametrize("name, count", [
    ("error_text", len(errors())), ("state_text", len(State)), ("cause_text", len(Cause)),
    ("refusal_text", len(Refusal))])
def test_words(library, name, count):
    text = getattr(library, name)
    words = [text(value).decode() for value in range(count)]
    assert len(set(words)) == count and "unknown" not in words
    assert not any(each.endswith(".") for each in words)
    assert text(count) == b"unknown" == text(-1)


def test_each_function_has_a_test():
    """Each function that the header declares is named above."""
    text = Path(__file__).read_text().partition("def test_each_function_has_a_test")[0]
    names = [name.removeprefix("memsnap_") for name, *_ in prototypes()]
    assert [name for name in names if not re.search(rf"[.\"]{name}\b", text)] == []


# As text -----------------------------------------------------------------------------------------

def test_header_stands_alone_and_suits_cpp(tmp_path):
    (tmp_path / "alone.c").write_text('#include "memsnap.h"\nint main(void) { return 0; }\n')
    for command in (["cc", "-std=c99"], ["c++", "-x", "c++", "-std=c++11"]):
        subprocess.run([sys.executable, "-m", "ziglang", *command, "-pedantic", "-Wall", "-Wextra",
                        "-Werror", f"-I{HEADER.parent}", "-c", str(tmp_path / "alone.c"), "-o",
                        str(tmp_path / "alone.o")], check=True)


def test_it_needs_no_library(tmp_path):
    from elftools.elf.elffile import ELFFile
    target = tmp_path / "memsnap.o"
    subprocess.run([sys.executable, "-m", "ziglang", "cc", "-target", "riscv32-freestanding-none",
                    "-mcpu=generic_rv32+m", "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror",
                    "-Os", "-ffreestanding", "-fno-sanitize=all", f"-I{HEADER.parent}", "-c",
                    str(SOURCE), "-o", str(target)], check=True)
    with target.open("rb") as file:
        symbols = ELFFile(file).get_section_by_name(".symtab").iter_symbols()
        missing = {each.name for each in symbols if each["st_shndx"] == "SHN_UNDEF"} - {""}
    assert missing <= {"memcpy", "memset"}


def test_includes():
    found = set(re.findall(r"#include <(\S+)>", HEADER.read_text() + SOURCE.read_text()))
    assert found == {"stdbool.h", "stddef.h", "stdint.h"}


@pytest.mark.parametrize("old, new, test", [
    ("if (get(unit, MEMSNAP_STATUS) & MASK(STATUS__LOCKED))", "if (0)", test_locks),
    ("    put(unit, MEMSNAP_IRQ_STATUS, pending);\n", "", test_interrupt),
    ("block % 32 & 1", "block % 31 & 1", test_map),
    ("MEMSNAP_PAUSE, 0", "MEMSNAP_PAUSE, 1", test_pause),
    ("(uint64_t)get(unit, offset + 4) << 32", "(uint64_t)0 << 32", test_counters),
])
def test_defects_are_found(tmp_path, old, new, test):
    text = SOURCE.read_text()
    assert text.count(old) == 1
    with pytest.raises(AssertionError):
        test(found(Library(tmp_path, text.replace(old, new)), PARAMS))


# On the unit -------------------------------------------------------------------------------------

STEPS = ["probe", "regions", "limits and policy", "start and wait", "start and work on",
         "pause and resume", "pace and share", "cancel", "deadline", "hold limit", "refusal",
         "clear", "interrupt", "lock until reset"]

SYSTEMS = {
    "default": SnapshotParams(),
    "retry": SnapshotParams(retry=True, release="copied", block_size=256, data_width=64),
}


def run(params, **words):
    """The driver's program on a system, with words of its variables changed."""
    program = load(build_program("driver"))
    segments = []
    for base, content in program.segments:
        content = bytearray(content)
        for name, value in words.items():
            at = program.symbol(name)[0] - base
            if 0 <= at < len(content):
                content[at:at + 4] = value.to_bytes(4, "little")
        segments.append((base, bytes(content)))
    return soc.run(soc.build(params), segments, program.entry, soc.RunOptions(latency=4))


@pytest.mark.parametrize("name", SYSTEMS)
def test_program(name):
    result = run(SYSTEMS[name])
    print(result.console)
    lines = re.findall(r"^driver: (.*): (good|WRONG)$", result.console, re.MULTILINE)
    assert lines == [(step, "good") for step in STEPS]
    assert "it took longer than the deadline\n" in result.console
    assert (result.ended, result.exit_code) == (True, 0)
    assert result.mismatch(SYSTEMS[name]) is None and result.status.done


def test_program_tells_a_failure():
    result = run(SYSTEMS["default"], expected_first=1)
    assert "driver: start and wait: WRONG" in result.console
    assert "driver: cancel: good" in result.console
    assert (result.ended, result.exit_code) == (True, 1)


def test_program_is_silent_where_nothing_is_to_be_started():
    result = run(SYSTEMS["default"], start_snapshot=0)
    assert result.console == "driver: good, checksum 00000000\n" and result.exit_code == 0


def test_prototypes_are_found():
    names = [name for name, *_ in prototypes()]
    assert len(names) == len(set(names)) == 43 and "memsnap_take" in names
    assert set(c_driver.errors()) >= {"OK", "LOCKED", "NO_IMAGE"}
