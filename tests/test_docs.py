"""The documentation: its links lead somewhere, its code is what the tests run, its pages build."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from amaranth.hdl import Fragment, Module, Signal
from amaranth.lib.wiring import flipped
from memsnap import SnapshotUnit

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("boards/*.md")])
INSTALL = "make docs, or pip install 'memsnap[docs,registers]'"


def prose(text):
    """The text without its blocks of code and its code."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", "`", text)


def anchors(text):
    """The anchors of a page's headings, as both mkdocs and code hosts make them."""
    headings = re.findall(r"^#+ (.*)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).strip().replace(" ", "-") for each in headings}


def broken_links(page, text):
    """The links of a page that lead nowhere in the repository; others are not followed."""
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(text)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        if not path.exists():
            broken.append(target)
        elif anchor and anchor not in anchors(path.read_text() if name else text):
            broken.append(target)
    return broken


def blocks(text, language):
    """The blocks of code of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links(page):
    assert broken_links(page, page.read_text()) == []


def test_broken_links_are_found():
    page = ROOT / "docs/index.md"
    text = ("# A b: c\n[good](theory.md#the-instant) [good](#a-b-c) [good](https://nowhere.invalid)\n"
            "[bad](nothing.md) [bad](theory.md#nothing) [bad](#nothing) `[no](code.md)`\n")
    assert broken_links(page, text) == ["nothing.md", "theory.md#nothing", "#nothing"]


# Code --------------------------------------------------------------------------------------------

def missing_blocks(text):
    """The guide's blocks of code that the tested files do not hold."""
    sources = {"c": ROOT / "sw/programs/driver.c", "python": ROOT / "tests/guide.py"}
    missing = []
    for language, source in sources.items():
        tested = source.read_text()
        missing += [block for block in blocks(text, language)
                    for part in re.split(r"\n\n+(?=\S)", block.rstrip("\n"))
                    if f"\n{part}\n" not in tested]
    return missing


def test_guide_shows_tested_code():
    text = (ROOT / "docs/programming.md").read_text()
    assert missing_blocks(text) == []
    assert len(blocks(text, "c")) >= 9 and len(blocks(text, "python")) >= 9


def test_code_that_is_not_tested_is_found():
    text = (ROOT / "docs/programming.md").read_text()
    assert len(missing_blocks(text.replace("memsnap_cancel(&unit)", "memsnap_stop(&unit)"))) == 1
    assert len(missing_blocks(text.replace("driver.cancel()", "driver.stop()"))) == 1


def test_each_function_of_the_guide_is_shown():
    text = (ROOT / "docs/programming.md").read_text()
    for name in re.findall(r"^def (\w+)", (ROOT / "tests/guide.py").read_text(), re.MULTILINE):
        assert f"def {name}(" in text


@pytest.mark.parametrize("page", ["README.md", "docs/integration.md"])
def test_example_in_amaranth(page):
    """The example connects a unit; both pages have the same."""
    example, = blocks((ROOT / page).read_text(), "python")
    assert example == blocks((ROOT / "README.md").read_text(), "python")[0]
    names = {}
    exec(example, names)
    m = Module()
    m.submodules.same = same = SnapshotUnit(names["params"])
    others = [flipped(same.signature.members[name].signature.create(path=(name,)))
              for name in ("s_wb", "m_wb", "csr_wb")]
    names["add_snapshots"](m, *others, Signal())
    Fragment.get(m, None)


# Pages -------------------------------------------------------------------------------------------

def test_diagrams_are_what_the_unit_does():
    if find_spec("wavedrom") is None:
        pytest.skip(f"needs wavedrom: {INSTALL}")
    done = subprocess.run([sys.executable, ROOT / "docs/diagrams/draw.py", "--check"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_pages_build_without_warnings(tmp_path):
    if find_spec("mkdocs") is None or find_spec("material") is None:
        pytest.skip(f"needs mkdocs: {INSTALL}")
    done = subprocess.run([sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict",
                           "--config-file", ROOT / "mkdocs.yml", "--site-dir", tmp_path / "site"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    for page in PAGES:
        if page.is_relative_to(ROOT / "docs"):
            name = page.relative_to(ROOT / "docs").with_suffix(".html")
            assert (tmp_path / "site" / name).is_file()
    assert (tmp_path / "site/registers-html/index.html").is_file()
    assert not list((tmp_path / "site").glob("**/*.py"))
