"""The files that are made from the description: fresh, reproducible, and fit for use."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest
from memsnap import SnapshotParams, control
from memsnap.export import registers as export
from memsnap.regs import fields
from memsnap.regs.constants import VERSION
from memsnap.regs.fields import REGISTERS

ROOT = Path(__file__).parents[1]


def test_committed_files_are_what_the_description_makes():
    assert export.stale() == [], "run python -m memsnap.export.registers --write"


def test_the_staleness_check_can_fail(tmp_path):
    for name in export.COMMITTED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    assert export.stale(tmp_path) == []
    header = tmp_path / "sw/include/memsnap_regs.h"
    header.write_text(header.read_text() + "\n")
    (tmp_path / "docs/registers.md").unlink()
    assert export.stale(tmp_path) == ["sw/include/memsnap_regs.h", "docs/registers.md"]


def test_exports_do_not_depend_on_the_hash_seed():
    command = ("from memsnap.export import registers as r; print(r.fields_text() + r.header_text()"
               " + r.markdown_text() + r.ipxact_text())")
    texts = {subprocess.run([sys.executable, "-c", command], env={"PYTHONHASHSEED": seed},
                            check=True, capture_output=True, text=True).stdout for seed in "12"}
    assert len(texts) == 1


def test_table_is_the_description():
    assert export.table() == list(REGISTERS.values())


def test_enumerations_are_those_of_the_hardware():
    for name in "State", "Cause", "Refusal", "RegionKind":
        assert ({each.name: each.value for each in getattr(fields, name)}
                == {each.name: each.value for each in getattr(control, name)})


def test_defaults_are_those_of_the_parameters():
    params = SnapshotParams()
    assert REGISTERS["TIMEOUT"].fields[0].reset == params.timeout
    assert REGISTERS["SHARE"].fields[0].reset == params.share


def test_version_is_that_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert ".".join(map(str, VERSION)) == project["version"]


def test_reference_names_every_register():
    text = export.markdown_text()
    for register in REGISTERS.values():
        name = register.name.rpartition(".")[2]
        assert re.search(rf"^### {name}\n\n.*at 0x{register.offset:03X}\b", text, re.MULTILINE)
        for field in register.fields:
            assert re.search(rf"\|\s*{field.name}\s*\|", text)


def test_ipxact_is_well_formed():
    tree = ElementTree.fromstring(export.ipxact_text())
    names = {element.text for element in tree.iter() if element.tag.endswith("}name")}
    assert {name.rpartition(".")[2] for name in REGISTERS} <= names


def test_html(tmp_path):
    export.write_html(tmp_path / "html")
    assert (tmp_path / "html/index.html").is_file()


def test_header_compiles(tmp_path):
    pytest.importorskip("ziglang", reason="needs a C compiler: pip install ziglang")
    checks = "\n".join(
        f'_Static_assert({"MEMSNAP_" + register.name.replace(".", "_")}'
        f'{"(2)" if register.count > 1 else ""} == {register.address(min(2, register.count - 1))}'
        f', "{register.name}");' for register in REGISTERS.values())
    source = tmp_path / "check.c"
    source.write_text('#include <stddef.h>\n#include "memsnap_regs.h"\n' + checks + """
_Static_assert(offsetof(memsnap_t, STALL_TOTAL) == MEMSNAP_STALL_TOTAL, "structure");
_Static_assert(offsetof(memsnap_t, REGION[3].ATTR) == MEMSNAP_REGION_ATTR(3), "array");
_Static_assert(MEMSNAP__STATUS__READY_bm == 1 << 15, "mask");
_Static_assert(MEMSNAP_STATE_DONE == 6, "enumeration");
_Static_assert(_Alignof(memsnap_t) == 4, "words are accessed whole");
""")
    subprocess.run([sys.executable, "-m", "ziglang", "cc", "-target", "riscv32-freestanding-none",
                    "-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-c", str(source),
                    f"-I{ROOT / 'sw/include'}", "-o", str(tmp_path / "check.o")], check=True)
