"""Boards in simulation, with the serial line as a pseudo-terminal, and their host."""

import os
import time
import tty

import pytest
from board_tools import BAUD, fast_config, host
from elftools.elf.elffile import ELFFile
from memsnap.driver import BusError, SnapshotError
from memsnap_sim.board.devices import Flag
from memsnap_sim.board.interconnect import REGISTERS
from memsnap_sim.board.simulation import SimulatedBoard
from memsnap_sim.errors import InputError
from memsnap_sim.host.board import Board
from memsnap_sim.host.link import LinkError, SerialLink, UnansweredError

pytestmark = pytest.mark.systems

NAMES = ["icebreaker", "ulx3s", "ulx3s-sdram"]
ACCOUNTS, OPENING = 1024, 1000      # of the program `ledger`


@pytest.fixture(params=NAMES)
def simulated(request):
    config = fast_config(request.param)
    with SimulatedBoard(config) as board:
        board.params = config.params
        yield board
        assert not board.broken


@pytest.fixture
def icebreaker():
    with SimulatedBoard(fast_config("icebreaker")) as board:
        yield board


def linked(simulated, **options):
    return SerialLink(simulated.port, baud=BAUD, **{"patience": 20, **options})


def until(reached):
    """Waits for something that the simulation comes to by and by."""
    while not reached():
        time.sleep(0.01)


def word(content, program, name):
    address, size = program.symbol(name)
    return int.from_bytes(content[address:address + size], "little")


# The whole way --------------------------------------------------------------------------------


def test_image_over_the_serial_line_is_the_memory_at_the_instant(simulated, tmp_path):
    port, params = simulated.port, simulated.params
    assert "halted" in host(port, "status") and "none yet" in host(port, "status")
    host(port, "load", "ledger", "--set", "transfers=0")
    with linked(simulated) as link:
        board = Board(link)
        program = board.find("ledger")
        total = program.symbol("total")[0]
        until(lambda: link.read32(total))       # all accounts are open
    assert "a snapshot has begun" in host(port, "start", "--region", "0x2000-0x2fff:kernel")
    assert f"done: {params.blocks} blocks" in host(port, "wait")
    said = host(port, "image", "--out", tmp_path)
    assert f"{params.memory_size:,} bytes" in said and simulated.instants == 1
    assert "done" in host(port, "status") and "running" in host(port, "status")

    image = (tmp_path / "image.bin").read_bytes()
    assert image == simulated.memory_at_instant()
    with linked(simulated) as link:
        board = Board(link)
        counters = board.unit.counters(latch=False)
        assert counters.blocks_initial > 0 and counters.blocks_demand > 0
        assert link.read(0x2000, 0x1000) != image[0x2000:0x3000]     # the program went on

    # What the program itself keeps true at every instant
    first, end = (program.symbol(name)[0] for name in ("__free_start", "__free_end"))
    spread = (end - first) // 4 // ACCOUNTS
    held = sum(int.from_bytes(image[first + at:first + at + 4], "little")
               for at in range(0, 4 * spread * ACCOUNTS, 4 * spread))
    total = OPENING * ACCOUNTS
    assert total == word(image, program, "total")
    assert held & 0xffff_ffff in (total, total - word(image, program, "moving"))

    with open(tmp_path / "image.core", "rb") as file:
        _, content = ELFFile(file).iter_segments()
        assert (content["p_vaddr"], content.data()) == (0, image)
    with linked(simulated) as link:
        assert Board(link).image().pc in range(0, program.symbol("__bss_start")[0])


def test_a_program_prints_and_ends():
    with SimulatedBoard(fast_config("ulx3s")) as simulated:
        prints_and_ends(simulated)


def prints_and_ends(simulated):
    host(simulated.port, "load", "ledger", "--set", "transfers=50", "--no-run")
    assert "halted" in host(simulated.port, "status")
    host(simulated.port, "run")
    with linked(simulated) as link:
        board = Board(link)
        until(lambda: board.exit_code is not None)
        assert board.exit_code == 0
    assert "its program has ended with code 0" in host(simulated.port, "status")
    printed = host(simulated.port, "console")
    assert printed.startswith("ledger: ") and "good, checksum" in printed
    assert host(simulated.port, "console") == ""
    host(simulated.port, "halt")
    assert "halted" in host(simulated.port, "status")


def test_button_starts_a_snapshot(icebreaker):
    icebreaker.press(True)
    until(lambda: icebreaker.instants)
    icebreaker.press(False)
    assert "done: 1024 blocks" in host(icebreaker.port, "wait")


def test_driver_runs_over_the_line(icebreaker):
    with linked(icebreaker) as link:
        board = Board(link)
        board.unit.set_pace(3000)
        board.unit.start()
        assert "under way" in host_status(board)
        board.unit.cancel()
        with pytest.raises(SnapshotError, match="it was cancelled"):
            board.unit.wait(timeout=60)
        with pytest.raises(SnapshotError, match="^the image is not complete"):
            board.image()
        board.unit.set_pace(0)
        board.unit.take(timeout=60)
        with pytest.raises(BusError, match="^the board's bus answered a write at 0x10000 with an "
                                           "error$"):
            link.write32(0x10000, 0)        # the shadow is protected
        with pytest.raises(BusError):
            link.read32(0x3000_0000)
        with pytest.raises(BusError):
            link.read32(REGISTERS + 0xffc)
        assert board.capabilities.memory_size == len(board.image().content)


def host_status(board):
    from memsnap_sim.host.words import lines
    return dict(lines(board))["snapshot"]


# What goes wrong ------------------------------------------------------------------------------


def test_program_that_the_cpu_has_not_the_instructions_for():
    with SimulatedBoard(fast_config("ulx3s")) as simulated:
        with linked(simulated) as link:
            board = Board(link)
            link.write(0, bytes(4))
            board.run()
            until(lambda: board.flags & Flag.TRAPPED)
        assert "stopped at an instruction that it has not" in host(simulated.port, "status")


def test_image_that_is_not_there(icebreaker, tmp_path):
    port = icebreaker.port
    assert host(port, "image", "--out", tmp_path, code=1) == (
        "memsnap: the image is not complete, the unit is in state IDLE: start a snapshot and wait "
        "for it\n")
    assert "there is no snapshot to wait for" in host(port, "wait", code=1)
    assert list(tmp_path.iterdir()) == []
    assert host(port, "start", "--region", "0x0-0x10000", code=2) == (
        "memsnap: region 0x0-0x10000 is not within the memory, 0x0-0xffff\n")
    assert "none yet" in host(port, "status")


def test_line_with_garbage_before_and_within_a_request(icebreaker):
    with linked(icebreaker, patience=2, tries=20) as link:
        link._serial.write(bytes(range(256)) * 3 + b"m" * 40)
        assert link.read32(REGISTERS) == 0x50414e53
        link._serial.write(b"m\x02\x00\x00")
        link.write(0x100, b"resynced")
        assert link.read(0x100, 8) == b"resynced"


def test_wrong_rate(icebreaker):
    message = host(icebreaker.port, "status", baud=115200, patience=0.5, code=2)
    assert "at 115200 baud" in message and "(usually 1000000)" in message


@pytest.mark.parametrize("noise, expected", [
    (b"", "^no answer from .* at 1000000 baud: is this the board's port"),
    (b"U-Boot 2026.01", "^what comes from .* at 1000000 baud is no answer: give the board's rate"),
    (b"\x4d\x02" + bytes(7), "is no answer"),       # whole, but its CRC is wrong
])
def test_port_without_a_board(noise, expected):
    master, slave = os.openpty()
    tty.setraw(slave)
    with SerialLink(os.ttyname(slave), patience=0.1, tries=2) as link:
        os.write(master, noise)
        with pytest.raises(UnansweredError, match=expected):
            link.read32(0)
    os.close(master)
    os.close(slave)


def test_ports_that_do_not_open(tmp_path):
    with pytest.raises(LinkError, match="^no such port: /dev/nope; there "):
        SerialLink("/dev/nope")
    with pytest.raises(LinkError, match="cannot be opened: "):
        SerialLink("nonsense://port")
    (tmp_path / "file").touch()
    with pytest.raises(LinkError, match="cannot be opened: "):
        SerialLink(str(tmp_path / "file"))
    master, slave = os.openpty()
    with SerialLink(os.ttyname(slave)), pytest.raises(LinkError, match="in use by another"):
        SerialLink(os.ttyname(slave))
    os.close(master)
    os.close(slave)


def test_what_cannot_be_loaded(icebreaker):
    with linked(icebreaker) as link:
        board = Board(link)
        with pytest.raises(InputError, match="did you mean ledger"):
            board.find("ledgr")
        program = board.find("ledger")
        with pytest.raises(InputError, match="^ledger.elf has no symbol 'transfer'"):
            board.load(program, {"transfer": 0})
        with pytest.raises(InputError, match="^total has no value in ledger.elf"):
            board.load(program, {"total": 1})
    assert "'x' is not NAME=VALUE" in host(icebreaker.port, "load", "ledger", "--set", "x", code=2)
