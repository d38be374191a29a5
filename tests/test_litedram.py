"""The controllers that LiteDRAM's generator writes."""

import importlib.metadata
import re

import pytest
from memsnap_sim.soc import litedram
from memsnap_sim.soc.litedram import DramConfig, GenerationError, generate

pytestmark = pytest.mark.systems


def ports_of(verilog):
    """Width of each port of the only module, by name."""
    head = re.search(r"^module litedram_core \((.*?)\);", verilog, re.M | re.S)[1]
    return {name: int(most or 0) + 1 for most, name in re.findall(
        r"(?:in|out|inout)put\s+wire\s+(?:\[(\d+):0\])?\s*(\w+)", head)}


@pytest.mark.parametrize("port, lanes, some", [
    ("wishbone", 4, {"adr": 24, "dat_w": 32, "sel": 4, "ack": 1}),
    ("axi", 8, {"awaddr": 27, "awid": 4, "wdata": 64, "rdata": 64, "awlen": 8}),
    ("native", 1, {"cmd_addr": 24, "wdata_data": 8, "rdata_data": 8, "cmd_we": 1})])
def test_ports(port, lanes, some):
    core = generate(DramConfig(port=port, lanes=lanes))
    ports = ports_of(core.verilog)
    assert {name: ports[f"user_port_memory_{name}"] for name in some} == some
    assert core.bytes == 4 * 8192 * 512 * lanes
    memories = re.findall(r"^reg \[(\d+):0\] (sdram_bank\d)\[0:(\d+)\];", core.verilog, re.M)
    assert memories == [(str(8 * lanes - 1), f"sdram_bank{bank}", str(core.rows * core.columns - 1))
                        for bank in range(core.banks)]


def test_pins():
    core = generate(DramConfig(phy="gensdr", module="AS4C32M16", lanes=2, clock=50e6))
    assert ports_of(core.verilog)["sdram_a"] == 13
    assert re.search(r"inout +wire +\[15:0\] +sdram_dq,", core.verilog)
    assert "sdram_bank" not in core.verilog


def test_a_port_wider_than_the_data_bus():
    core = generate(DramConfig(phy="gensdr", lanes=2, clock=50e6, port="native", data_width=32))
    ports = ports_of(core.verilog)
    assert (ports["user_port_memory_cmd_addr"], ports["user_port_memory_wdata_data"]) == (23, 32)
    assert core.bytes == 4 << 23


def test_initialisation_is_that_of_an_sdram():
    init = generate(DramConfig()).init
    assert init[0][1] == 0xe                    # by software, with the clock on
    assert [wait for _, _, wait in init if wait] == [20000, 200, 4, 4, 200]
    assert init[-2][1] == 1                     # by hardware
    assert init[-1] == (0, 1, 0)                # the port answers


def test_the_same_from_run_to_run(tmp_path):
    config = DramConfig(phy="gensdr", lanes=1)
    assert (generate(config, cache=tmp_path / "a").verilog
            == generate(config, cache=tmp_path / "b").verilog)


def test_what_is_there_is_used(tmp_path, monkeypatch):
    core = generate(DramConfig())
    monkeypatch.setattr(litedram.subprocess, "run", None)
    assert generate(DramConfig()) == core


def test_missing_package(monkeypatch):
    def version(package):
        if package == "litescope":
            raise importlib.metadata.PackageNotFoundError(package)
        return "1"

    monkeypatch.setattr(importlib.metadata, "version", version)
    with pytest.raises(GenerationError, match="^LiteDRAM's generator needs the Python package "
                                              r"litescope: pip install 'memsnap\[litedram\]'$"):
        generate(DramConfig())


def test_what_the_generator_said(tmp_path):
    with pytest.raises(GenerationError, match="(?s)^LiteDRAM's generator failed .*NOCHIP"):
        generate(DramConfig(module="NOCHIP"), cache=tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("given, message", [
    ({"phy": "ddr"}, "phy must be sim or gensdr, not 'ddr'"),
    ({"port": "avalon"}, "port must be wishbone, axi or native, not 'avalon'"),
    ({"lanes": 3}, "lanes must be 1, 2, 4 or 8, not 3"),
    ({"data_width": 24}, "data_width must be 8, 16, 32, 64 or 128, not 24")])
def test_refused(given, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        DramConfig(**given)
