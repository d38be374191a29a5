"""The command line: what it reads, what it refuses and how."""

import sys
import types
from pathlib import Path

import pytest
from click.testing import CliRunner
from memsnap import SnapshotParams
from memsnap_sim.cli import main
from memsnap_sim.config import Config
from memsnap_sim.config_tables import parse_size
from memsnap_sim.errors import InputError
from memsnap_sim.settings import RegionSpec, Settings, Trigger

COMMANDS = ["run", "verilog", "check", "config", "regs", "programs", "demo", "bench", "host"]


@pytest.fixture
def session(monkeypatch):
    """A session that runs nothing; it keeps the settings, and `exact` or a fault can be set."""
    fake = types.ModuleType("memsnap_sim.session")
    fake.exact, fake.fault, fake.settings = True, None, None

    def run_and_report(settings):
        fake.settings = settings
        if fake.fault:
            raise fake.fault
        return types.SimpleNamespace(expected=fake.exact)

    fake.run_and_report = run_and_report
    monkeypatch.setitem(sys.modules, "memsnap_sim.session", fake)
    return fake


def call(*args):
    return CliRunner().invoke(main, [str(arg) for arg in args])


def refused(*args):
    """The message of a refusal: exit code 2, one or two lines, no traceback."""
    result = call(*args)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    lines = result.stderr.rstrip().split("\n")
    assert len(lines) <= 2 and lines[0].startswith("memsnap: ")
    return result.stderr


# Help --------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_has_an_example(command):
    result = call(command, "--help")
    assert result.exit_code == 0
    assert f"Usage: memsnap {command}" in result.stdout
    assert f"    memsnap {command}" in result.stdout


def test_help_lists_the_commands():
    assert call("--help").exit_code == 0
    result = call()
    assert result.exit_code == 2
    for command in COMMANDS:
        assert f"\n  {command} " in result.stdout
    assert call("--version").stdout.startswith("memsnap ")


# Exports -----------------------------------------------------------------------------------


@pytest.fixture
def export(monkeypatch):
    """An export that writes down what it was asked for."""
    import memsnap
    package = types.ModuleType("memsnap.export")
    package.verilog = types.SimpleNamespace(
        convert=lambda params, name: f"module {name}; // {params.block_size}\n")
    package.registers = types.SimpleNamespace(
        header_text=lambda: "header\n", markdown_text=lambda: "markdown\n",
        ipxact_text=lambda: "ipxact\n")
    monkeypatch.setitem(sys.modules, "memsnap.export", package)
    monkeypatch.setattr(memsnap, "export", package, raising=False)


def test_verilog_to_the_terminal_and_to_a_file(export, tmp_path):
    assert call("verilog").stdout == "module memsnap; // 64\n"
    file, config = tmp_path / "x.v", tmp_path / "x.toml"
    config.write_text("[unit]\nblock_size = 128\n")
    result = call("verilog", "--config", config, "--name", "x", "-o", file)
    assert result.exit_code == 0 and result.stdout == "" and "x.v" in result.stderr
    assert file.read_text() == "module x; // 128\n"
    assert call("verilog", "--config", config, "--block-size", "4K").stdout.endswith("4096\n")
    assert "block_size must be" in refused("verilog", "--block-size", "3")
    assert "'3 x' is no Verilog identifier" in refused("verilog", "--name", "3 x")


@pytest.mark.parametrize("format_", ["header", "markdown", "ipxact"])
def test_regs(export, tmp_path, format_):
    assert call("regs", "--format", format_).stdout == format_ + "\n"
    message = refused("regs", "--format", format_, "-o", tmp_path / "no" / "x")
    assert "no such file" in message
    assert "'pdf' is not one of" in refused("regs", "--format", "pdf")


# What a run is told ------------------------------------------------------------------------


def test_run_with_the_least(session):
    assert call("run", "dhrystone", "--at", "main").exit_code == 0
    settings = session.settings
    assert settings == Settings(program="dhrystone", trigger=Trigger("symbol", symbol="main"),
                                params=SnapshotParams(), out=Path("build/run/dhrystone"))


def test_run_with_all(session):
    result = call("run", "a/prog.elf", "--pin", "0x100", "--region", "0x0-0xfff:kernel",
                  "--region", "8192-12K", "--region-symbol", "table:dma", "--initial", "none",
                  "--latency", "16", "--memory-size", "128K", "--block-size", "4K",
                  "--data-width", "64", "--release", "copied", "--wave", "vcd",
                  "--wave-window", "100-2_000", "--no-baseline", "--wait", "--max-clocks", "1M",
                  "--out", "here")
    assert result.exit_code == 0, result.output
    assert session.settings == Settings(
        program="a/prog.elf", trigger=Trigger("pin", clock=256),
        params=SnapshotParams(memory_size=0x20000, shadow_base=0x20000, block_size=4096,
                              data_width=64, release="copied"),
        regions=(RegionSpec(0, 0xfff, kind="kernel"), RegionSpec(8192, 12288),
                 RegionSpec(symbol="table", kind="dma")),
        initial=False, latency=16, wave="vcd", wave_window=(100, 2000), baseline=False,
        wait=True, out=Path("here"), max_clocks=1 << 20)


@pytest.mark.parametrize("options, trigger, words", [
    (["--at", "f:3"], Trigger("symbol", symbol="f", nth=3), "symbol f, time 3"),
    (["--at-clock", "12345"], Trigger("clock", clock=12345), "clock 12,345"),
    (["--pin", "7"], Trigger("pin", clock=7), "the trigger pin at clock 7"),
    (["--self"], Trigger("self"), "the program itself"),
])
def test_triggers(session, options, trigger, words):
    assert call("run", "p", *options).exit_code == 0
    assert session.settings.trigger == trigger and str(trigger) == words


def test_exit_code_of_a_wrong_image(session):
    session.exact = False
    assert call("run", "p", "--self").exit_code == 1


TOML = """
[unit]
memory_size = "32K"
block_size = 128
regions = 2

[run]
program = "dhrystone"
at = "main:2"
baseline = false

[memory]
latency = 8

[[region]]
start = 0x100
limit = 0x1ff
kind = "dma"

[[region]]
symbol = "table"
"""


def test_a_file_describes_all(session, tmp_path):
    file = tmp_path / "run.toml"
    file.write_text(TOML)
    assert call("run", "--config", file).exit_code == 0
    assert session.settings == Settings(
        program="dhrystone", trigger=Trigger("symbol", symbol="main", nth=2),
        params=SnapshotParams(memory_size=0x8000, shadow_base=0x8000, block_size=128,
                              regions=2),
        regions=(RegionSpec(0x100, 0x1ff, kind="dma"), RegionSpec(symbol="table")),
        latency=8, baseline=False, out=Path("build/run/dhrystone"))


def test_options_override_the_file(session, tmp_path):
    file = tmp_path / "run.toml"
    file.write_text(TOML)
    result = call("run", "other", "--config", file, "--self", "--block-size", "64",
                  "--region", "0-15", "--baseline")
    assert result.exit_code == 0, result.output
    settings = session.settings
    assert (settings.program, settings.trigger) == ("other", Trigger("self"))
    assert settings.params.block_size == 64 and settings.params.memory_size == 0x8000
    assert settings.regions == (RegionSpec(0, 15),) and settings.baseline


# What is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize("args, message", [
    ((), "name a program: a file, or one of those that `memsnap programs` lists"),
    (("p",), "say when to take the snapshot: --at SYMBOL[:N], --at-clock N, --pin N or --self"),
    (("p", "--at", "m", "--self"), "choose one of --at, --self: a run takes one snapshot"),
    (("p", "--at", "m:0"), "'m:0' is not SYMBOL or SYMBOL:N"),
    (("p", "--at", ":2"), "':2' is not SYMBOL or SYMBOL:N"),
    (("p", "--at", "m:x"), "'m:x' is not SYMBOL or SYMBOL:N"),
    (("p", "--pin", "soon"), "'soon' is not a number: write it as 4096, 0x1000, 64K or 1M"),
    (("p", "--self", "--region", "12"), "'12' is not START-LIMIT[:KIND]"),
    (("p", "--self", "--region", "0x20-0x10"), "write 0x10-0x20"),
    (("p", "--self", "--region", "0-1:stack"), "use one of user, kernel, dma, map"),
    (("p", "--self", "--region-symbol", "t:x"), "region kind 'x' is unknown"),
    (("p", "--self", *["--region", "0-1"] * 5), "set regions = 5 under [unit]"),
    (("p", "--self", "--wave-window", "5"), "'5' is not FROM-TO"),
    (("p", "--self", "--wave-window", "9-5"), "the first clock must be below the last"),
    (("p", "--self", "--latency", "0"), "latency must be 1 to 1024, not 0"),
    (("p", "--self", "--block-size", "100"), "block_size must be a power of two, not 100"),
    (("p", "--self", "--memory-size", "1000"), "memory_size must be a multiple of block_size"),
    (("p", "--self", "--memory-size", "0"), "memory_size must be a multiple of block_size"),
    (("p", "--self", "--data-width", "24"), "data_width must be 8, 16, 32 or 64 bits, not 24"),
    (("p", "--self", "--memory-size", "8G"), "must fit addr_width=32 bits"),
    (("p", "--self", "--release", "never"), "'never' is not one of 'captured', 'copied'"),
    (("p", "--self", "--wave", "png"), "'png' is not one of 'fst', 'vcd'"),
    (("p", "q", "--self"), "Got unexpected extra argument (q)"),
    (("p", "--latnecy", "3"), "No such option '--latnecy'"),
    (("p", "--config", "/no/such.toml"), "cannot read /no/such.toml: No such file or directory"),
])
def test_wrong_options_of_run(session, args, message):
    assert message in refused("run", *args)
    assert session.settings is None


@pytest.mark.parametrize("text, message", [
    ("[run", "is not TOML"),
    ("[rum]", "table 'rum' is unknown: did you mean 'run'?"),
    ("[run]\nat_clok = 5", "key in [run] 'at_clok' is unknown: did you mean 'at_clock'?"),
    ("[run]\nzzz = 5", "key in [run] 'zzz' is unknown: known are program, at,"),
    ("[unit]\nblocksize = 5", "did you mean 'block_size'?"),
    ("unit = 5", "write [unit] as a table"),
    ("[region]\nstart = 5", "write each region as [[region]], with two brackets"),
    ("region = [5]", "write each region as [[region]], with two brackets"),
    ("[[region]]\nstart = 5", "a [[region]] needs start and limit, or symbol"),
    ("[[region]]\nstart = 5\nlimit = 1", "starts above its limit"),
    ("[[region]]\nsymbol = 'a'\nlimit = 1", "region 'a' has both a symbol and addresses"),
    ("[run]\nbaseline = 1", "baseline must be true or false, not 1"),
    ("[run]\ninitial = true", "initial must be auto or none, not True"),
    ("[run]\nwave = 'png'", "wave must be fst or vcd, not 'png'"),
    ("[run]\nlatency = 5", "key in [run] 'latency' is unknown: it belongs into [memory]"),
    ("[run]\nwave_window = 5", "wave_window must be a text, not 5"),
    ("[memory]\nlatency = 'long'", "[memory] latency: 'long' is not a number"),
    ("[run]\nat = 5", "at must be a text, not 5"),
    ("[run]\nout = 5", "out must be a text, not 5"),
    ("[[region]]\nsymbol = 5", "symbol must be a text, not 5"),
    ("[run]\nprogram = 5", "program must be a text, not 5"),
    ("[unit]\nmemory_size = 1.5", "memory_size must be an integer, not 1.5"),
    ("[unit]\nmemory_base = -64", "memory_base must not be negative, not -64"),
    ("[unit]\npipelined = 'yes'", "[unit] pipelined must be true or false, not 'yes'"),
    ("[unit]\nfeatures = ['tea']", "features must be of bte, cti, lock, rty, not 'tea'"),
])
def test_wrong_files(session, tmp_path, text, message):
    file = tmp_path / "run.toml"
    file.write_text(text)
    program = () if "program" in text else ("p",)
    trigger = () if "at = " in text else ("--self",)
    assert message in refused("run", *program, *trigger, "--config", file)
    assert session.settings is None


def test_a_file_of_bytes_is_refused(tmp_path):
    file = tmp_path / "x.toml"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="is not TOML"):
        Config.read(file)
    with pytest.raises(InputError, match="cannot read"):
        Config.read(tmp_path)


def test_unknown_command():
    assert "No such command 'frob'" in refused("frob")


@pytest.mark.parametrize("fault, message, code", [
    (InputError("no symbol 'x'; did you mean 'y'?"), "memsnap: no symbol 'x'; did you mean", 2),
    (FileNotFoundError(2, "x", "prog.elf"), "memsnap: no such file: prog.elf", 2),
    (PermissionError(13, "Permission denied", "out"), "memsnap: out: Permission denied", 2),
    (ModuleNotFoundError("no", name="matplotlib"),
     "memsnap: the Python package of 'matplotlib' is missing: pip install 'memsnap[sim]'", 2),
    (ModuleNotFoundError("no", name="systemrdl.node"),
     "memsnap: the Python package of 'systemrdl.node' is missing: pip install 'memsnap[reg", 2),
    (ModuleNotFoundError("no", name="memsnap.x"),
     "memsnap: internal fault: ModuleNotFoundError: no\nRun", 3),
    (KeyError("x"), "memsnap: internal fault: KeyError: 'x'\nRun `memsnap --debug run", 3),
])
def test_faults_of_a_run(session, fault, message, code):
    session.fault = fault
    result = call("run", "p", "--self")
    assert result.exit_code == code
    assert result.stderr.startswith(message) and "Traceback" not in result.output


def test_debug_shows_the_fault(session):
    session.fault = KeyError("x")
    result = call("--debug", "run", "p", "--self")
    assert isinstance(result.exception, KeyError)


@pytest.mark.parametrize("met", [True, False])
def test_bench_writes_and_tells_what_it_misses(monkeypatch, tmp_path, met):
    from memsnap_sim import bench
    row = bench.Row("P4", "4 KiB", 3, 1, 4, met)
    monkeypatch.setattr(bench, "run", lambda chosen, progress: [row])
    result = call("bench", "--figure", "P4", "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert ("1 of 1 goals met" if met else "0 of 1 goals met") in result.stdout
    assert '"figure": "P4"' in (tmp_path / "bench.json").read_text()


@pytest.mark.parametrize("figure", ["P3", "P5"])
def test_bench_runs_programs_for_what_they_show(monkeypatch, tmp_path, figure):
    from memsnap_sim import bench, bench_program
    rows = [bench.Row(figure, "of a program", 7, 5, 12, met=True) for figure in ("P3", "P5")]
    monkeypatch.setattr(bench_program, "RUNS", [("chase", "wishbone")])
    monkeypatch.setattr(bench_program, "program_cost", lambda program, bus, out: rows)
    monkeypatch.setattr(bench, "run", lambda chosen, progress: [])
    result = call("bench", "--figure", figure, "--out", tmp_path)
    assert "1 of 1 goals met" in result.stdout
    assert [row.figure for row in bench.read_json(tmp_path / "bench.json")] == [figure]


def test_stopped_by_hand(session):
    session.fault = KeyboardInterrupt()
    result = call("run", "p", "--self")
    assert result.exit_code == 130 and "memsnap: stopped" in result.stderr


@pytest.mark.parametrize("text, value", [
    ("0", 0), ("010", 10), ("4096", 4096), ("0x1F", 31), ("64K", 65536), ("64 KiB", 65536),
    ("1m", 1 << 20), ("2G", 2 << 30), ("50_000", 50000)])
def test_parse_size(text, value):
    assert parse_size(text) == value
