"""Each configuration in ``sim/configs`` ends as it declares, and the report says what happened."""

import io
import json
from dataclasses import fields, replace

import pytest
from memsnap import SnapshotParams
from memsnap_sim.demo import CONFIGS, find_configuration, run_configuration
from memsnap_sim.errors import InputError
from memsnap_sim.session import run_and_report
from rich.console import Console

pytestmark = pytest.mark.systems

#: What the reports say of them, and the outcome.
WORDS = {
    "dma": ("exact", "no write of the IO device waited for a copy"),
    "ungated": ("exact", "asked to hold still at clock"),
    "deaf": ("failed", "to hold still, and it never did"),
    "separate": ("exact", ""),
    "pages": ("exact", ""),
    "map": ("exact", ""),
    "break": ("failed", "every held write went on then"),
    "failwrite": ("exact", "access of the CPU to 0x9600 was answered with a bus error"),
    "retry": ("exact", "The unit did it again, with success"),
    "spent": ("failed", "fail 4 writes of the unit for block 600"),
}
HAVE_MAP = "map" in {field.name for field in fields(SnapshotParams)}


def run_quickly(settings, **options):
    return run_and_report(replace(settings, baseline=False), **options)


def flat(console):
    """What was printed, in one line and without frames."""
    return " ".join(console.file.getvalue().replace("│", " ").split())


def no_longer_than_small_blocks(result):
    assert result["parameters"]["block_size"] == 4096
    assert result["stall_longest"] <= result["parameters"]["latency"] + 8


def no_longer_than_with_a_fast_shadow(result):
    parameters = result["parameters"]
    assert parameters["shadow_latency"] == 8 * parameters["latency"]
    assert result["stall_longest"] <= parameters["latency"] + 8


#: What else is to be seen.
MORE = {"pages": no_longer_than_small_blocks, "separate": no_longer_than_with_a_fast_shadow}


def test_each_configuration_is_told_of():
    assert {path.stem for path in CONFIGS.glob("*.toml")} >= set(WORDS)


@pytest.mark.parametrize("name", WORDS)
def test_it_ends_as_it_declares(name, tmp_path):
    if name == "map" and not HAVE_MAP:
        pytest.skip("needs a copy map in the memory")
    console = Console(file=io.StringIO(), width=100)
    assert run_configuration(name, tmp_path, console=console, run=run_quickly)
    outcome, words = WORDS[name]
    result = json.loads((tmp_path / name / "report.json").read_text())
    assert (result["outcome"], result["exit_code"]) == (outcome, 0)
    assert words in " ".join(result["story"]) + " "
    page = (tmp_path / name / "report.html").read_text()
    told = flat(console)
    for line in result["story"]:
        assert line in page and line.replace("\N{NO-BREAK SPACE}", " ") in told
    assert ("as declared" in told) == (outcome == "failed") == ("as declared" in page)
    MORE.get(name, lambda result: None)(result)


def test_a_run_that_does_not_fail_as_declared_is_told(tmp_path):
    """The same, but nothing goes wrong; and then it fails in another way."""
    text = find_configuration("break").read_text()
    file = tmp_path / "mine.toml"
    console = Console(file=io.StringIO(), width=100)
    file.write_text(text[:text.index("[[fault]]")].replace("pace = 1500", "pace = 0"))
    assert not run_configuration(str(file), tmp_path, console=console, run=run_quickly)
    assert "The run was to fail instead: write error." in flat(console)
    file.write_text(text.replace('side = "shadow"', 'side = "memory"'))
    assert not run_configuration(str(file), tmp_path, console=console, run=run_quickly)
    assert "gave up: read error at block 600" in flat(console)


@pytest.mark.parametrize("name, message", [
    ("paged", "no configuration is named 'paged': did you mean pages?"),
    ("xyz", "no configuration is named 'xyz': there are break, "),
])
def test_unknown_names(name, message):
    with pytest.raises(InputError) as caught:
        find_configuration(name)
    assert str(caught.value).startswith(message)
