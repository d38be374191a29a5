"""The package of `memsnap verilog -o DIR`: its files, and its testbench in other simulators."""

import hashlib
import os
import re
import subprocess
import sys
from importlib.util import find_spec

import pytest
from click.testing import CliRunner
from memsnap import SnapshotParams
from memsnap.export.package import SUMS, package
from memsnap_sim.cli import main
from memsnap_sim.errors import InputError
from memsnap_sim.package_files import write_package

if find_spec("peakrdl_markdown") is None:
    pytest.skip("needs PeakRDL: pip install 'memsnap[registers]'", allow_module_level=True)


def params_of(**options):
    """A small memory, so that a simulation is short."""
    return SnapshotParams(**{"memory_size": 1024, "shadow_base": 1024, "block_size": 64, **options})


SMALL = params_of()


@pytest.fixture(scope="module")
def small():
    """The files of the package of a small unit."""
    return package(SMALL)


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


def test_text_does_not_depend_on_the_hash_seed():
    code = ("import sys; from memsnap import SnapshotParams; from memsnap.export.package import "
            "package; sys.stdout.write(str(package(SnapshotParams(ports=2, features={'rty', "
            "'lock', 'cti'}))))")
    one, other = (subprocess.run([sys.executable, "-c", code], capture_output=True, check=True,
                                 env={**os.environ, "PYTHONHASHSEED": seed}).stdout
                  for seed in ("1", "2"))
    assert one.startswith(b"{'README.md': ")
    assert one == other


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


def test_command_writes_a_package(tmp_path):
    config = tmp_path / "unit.toml"
    config.write_text("[unit]\nmemory_size = 1024\n\n[verilog]\nname = \"shot\"\n")
    command = ["verilog", "--config", str(config), "-o", str(tmp_path / "pack.d") + "/"]
    result = CliRunner().invoke(main, command)
    assert (result.exit_code, result.stdout) == (0, "")
    assert f"wrote {tmp_path / 'pack.d' / 'rtl/shot.v'}\n" in result.stderr
    assert there(tmp_path / "pack.d") == package(SMALL, name="shot")
    (tmp_path / "pack.d/rtl/shot.v").write_text("mine\n")
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 2
    assert "shot.v would be written over, but is not as memsnap made it" in result.stderr


# Testbench ---------------------------------------------------------------------------------------

SHAPES = {
    "pipelined": {},
    "classic": {"pipelined": False, "features": {"lock", "cti", "bte", "rty"}, "io_hold": True},
    "two ports, separate": {"ports": 2, "shadow": "separate", "shadow_base": 0, "data_width": 64},
    "map in the memory": {"map": "memory", "release": "copied"},
}


def icarus(iverilog, directory, name="memsnap", standard="2005"):
    """What the testbench of a package prints under Icarus, and its exit code."""
    program = directory / "tb.vvp"
    done = subprocess.run([iverilog, "-Wall", f"-g{standard}", "-s", f"{name}_tb", "-o", program,
                           *sorted(directory.glob("rtl/*.v")), *sorted(directory.glob("tb/*.v"))],
                          capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = subprocess.run(["vvp", "-n", program], capture_output=True, text=True, cwd=directory)
    return done.stdout + done.stderr, done.returncode


@pytest.mark.parametrize("shape", SHAPES)
def test_testbench_passes_under_icarus(shape, iverilog, tmp_path):
    files = package(params_of(**SHAPES[shape]))
    said, code = icarus(iverilog, written(files, tmp_path))
    assert (said.rstrip().split("\n")[-1], code) == ("PASS: both images are exact", 0), said
    assert min(int(each) for each in re.findall(r"(\d+) writes held", said)) > 0
    assert all(int(each) > 10 for each in re.findall(r"(\d+) (?:reads|writes,)", said))
    assert re.search(r"\b[1-9]\d* blocks of the region", said)


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
