"""GTKWave save files."""

import re

import pytest
from memsnap import SnapshotParams
from memsnap.control import State
from memsnap.export.verilog import convert
from memsnap_sim.gtkw import Group, Trace, unit_groups, write_save_file


@pytest.fixture
def saved(tmp_path):
    groups = unit_groups("TOP.soc.unit", SnapshotParams())
    files = write_save_file(tmp_path / "wave.gtkw", tmp_path / "wave.fst", groups, start=90,
                            marker=100)
    return tmp_path, files, files[0].read_text()


def test_it_names_the_dump_and_shows_the_instant(saved):
    path, _, text = saved
    assert f'[dumpfile] "{path / "wave.fst"}"' in text
    assert "[timestart] 90" in text
    assert re.search(r"^\*-6\.5\d+ 100 ", text, re.M)


def test_signals_are_grouped_and_named(saved):
    text = saved[2]
    titles = ["snapshot", "initiator (s_wb)", "memory (m_wb)", "registers (csr_wb)"]
    assert [line[1:] for line in text.splitlines() if line.startswith("-")] == [
        title for title in titles for _ in range(2)]
    assert "+{adr} TOP.soc.unit.m_wb_adr[29:0]" in text
    assert "+{write held, by port} TOP.soc.unit.trace_held[3:0]\n" in text


def test_states_are_words(saved):
    path, files, text = saved
    words = path / "wave.state.words"
    assert words in files and f"^1 {words}" in text
    lines = words.read_text().split("\n")
    for state in State:
        assert re.match(rf"{state.value:x} (\?\w+\?)?{state.name}$", lines[state.value])
    assert (path / "wave.trace_kind.words").read_text() == "0 DEMAND\n1 INITIAL\n2 BACKGROUND\n"


@pytest.mark.parametrize("params", [
    SnapshotParams(), SnapshotParams(data_width=64, addr_width=40, pipelined=False),
    SnapshotParams(ports=3, shadow="separate", io_hold=True),
    SnapshotParams(bus="axi4", data_width=64, ports=2, shadow="separate", copier_port="own"),
    SnapshotParams(bus="axi4", registers="wishbone", user_width=3)])
def test_every_signal_is_a_port_of_the_exported_unit(params):
    text = convert(params, trace=True).partition("endmodule")[0]
    ports = {name: int(high or 0) + 1 for high, name in re.findall(
        r"^  (?:input|output) (?:\[(\d+):0\] )?(\w+);$", text, re.M)}
    traces = [trace for group in unit_groups("u", params) for trace in group.traces]
    assert {trace.name: trace.width for trace in traces}.items() <= ports.items()
    assert ports.keys() - {trace.name for trace in traces} == {"clk", "rst"}


def test_a_classic_bus_has_no_stall():
    names = [trace.name for group in unit_groups("u", SnapshotParams(pipelined=False))
             for trace in group.traces]
    assert "s_wb_ack" in names and "s_wb_stall" not in names


def test_a_wave_without_an_instant_starts_at_zero(tmp_path):
    files = write_save_file(tmp_path / "w.gtkw", tmp_path / "w.vcd",
                            [Group("one", "top", (Trace("a"),), closed=True)], start=-5)
    text = files[0].read_text()
    assert "[timestart] 0" in text and "top.a" in text and len(files) == 1
