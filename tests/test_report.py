"""The report: verdicts, figures, the terminal and the page, on made-up runs."""

import io
import json
import random
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from memsnap import SnapshotParams
from memsnap_sim.report import (
    BlockCopy,
    Kind,
    Outcome,
    Record,
    Report,
    Software,
    Stall,
    Write,
    render_html,
    show,
    write_results,
)
from memsnap_sim.report.model import FIGURES, SOFTWARE_FIGURES, histogram
from memsnap_sim.report.words import count, percent, size
from rich.console import Console

KEYS = {"exact", "instant", "clocks_to_armed", "clocks_to_done", "writes_held", "stall_longest",
        "stall_total", "blocks_total", "blocks_initial", "blocks_demand", "blocks_background",
        "slowdown", "baseline_pause"}


def make_record(*, blocks=64, seed=1, wrong=(), **changes):
    """A run in which every block was copied; the bytes at ``wrong`` differ in the image."""
    rng = random.Random(seed)
    params = SnapshotParams(memory_size=blocks * 64, shadow_base=0x100000)
    memory = rng.randbytes(params.memory_size)
    image = bytearray(memory)
    for offset in wrong:
        image[offset] ^= 0x5a
    instant = clock = 1000
    copies, stalls = [], []
    for block in range(blocks):
        kind = Kind.INITIAL if block < 4 else rng.choice((Kind.DEMAND, Kind.BACKGROUND))
        clock += rng.randrange(33, 60)
        if kind is Kind.DEMAND:
            stalls.append(Stall(clock - 20, block * 64 + 4, rng.randrange(5, 12)))
        copies.append(BlockCopy(block, clock, kind))
    rng.shuffle(copies)
    by_kind = {kind: sum(copy.kind is kind for copy in copies) for kind in Kind}
    record = Record(
        program="made up", trigger="symbol main", params=params, latency=4, clocks=20000,
        exit_code=0, console="hello <world>\n", instant=instant, clocks_to_armed=3,
        clocks_to_done=clock - instant, writes_held=len(stalls),
        stall_longest=max((stall.length for stall in stalls), default=0),
        stall_total=sum(stall.length for stall in stalls),
        blocks_initial=by_kind[Kind.INITIAL], blocks_demand=by_kind[Kind.DEMAND],
        blocks_background=by_kind[Kind.BACKGROUND], done=True, memory_at_instant=memory,
        image=bytes(image), stalls=tuple(stalls), copies=tuple(copies), clocks_without=19000,
        clocks_software=30000, baseline_pause=9000)
    return replace(record, **changes)


def not_done(**changes):
    return make_record(done=False, **changes)


CASES = {
    Outcome.EXACT: (make_record(), "equals the memory at the instant in all 4,096 bytes"),
    Outcome.WRONG: (make_record(wrong=(700, 701, 1300)),
                    r"wrong from address 0x2bc \(block 10\).*3 bytes in 2 blocks"),
    Outcome.FAILED: (not_done(failed=True, cause="READ_ERROR", fail_block=7),
                     "gave up: READ_ERROR at block 7. There is no image"),
    Outcome.CANCELLED: (not_done(cancelled=True), "cancelled by software"),
    Outcome.REFUSED: (not_done(refused=True, instant=None, refusal="REGION_RANGE", copies=()),
                      "refused to start: REGION_RANGE"),
    Outcome.UNFINISHED: (not_done(blocks_background=1, blocks_demand=2, blocks_initial=3),
                         "6 of 64 blocks were copied: start the snapshot earlier"),
    Outcome.NOT_TAKEN: (not_done(instant=None, copies=(), stalls=()),
                        "symbol main was never reached in 20,000 clocks"),
}


@pytest.mark.parametrize("outcome", Outcome)
def test_outcome_is_told_everywhere(outcome):
    record, sentence = CASES[outcome]
    report = Report(record)
    assert report.outcome is outcome
    assert report.exact == (outcome is Outcome.EXACT)
    assert re.search(sentence, report.sentence)

    result = json.loads(json.dumps(report.to_json()))
    assert result["exact"] is report.exact
    assert result.keys() >= KEYS

    console = Console(record=True, width=100, file=open("/dev/null", "w"))
    with console.file:
        show(report, console)
    told = re.sub(r"[\s│]+", " ", console.export_text())
    assert report.sentence in told

    page = render_html(report)
    check_page(page)
    assert report.sentence.replace("'", "&#39;") in page


def test_every_record_field_that_fails_beats_done():
    assert Report(make_record(failed=True)).outcome is Outcome.FAILED
    assert Report(make_record(cancelled=True)).outcome is Outcome.CANCELLED


def test_figures_of_an_exact_run():
    report = Report(make_record())
    figures = report.to_json()
    assert figures["blocks_total"] == 64
    assert (figures["blocks_initial"] + figures["blocks_demand"]
            + figures["blocks_background"]) == 64
    assert figures["slowdown"] == pytest.approx(1000 / 19000)
    assert figures["slowdown_software_baseline"] == pytest.approx(11000 / 19000)
    assert figures["baseline_pause"] == 9000
    assert sum(b["count"] for b in figures["histogram"]) == figures["writes_held"]
    assert figures["mismatch"] is None
    assert set(figures["units"]) == {figure.key for figure in FIGURES}


def test_figures_that_were_not_measured_are_null():
    report = Report(make_record(clocks_without=None, clocks_software=None, baseline_pause=None))
    figures = report.to_json()
    assert figures["slowdown"] is figures["baseline_pause"] is None
    assert figures["slowdown_software_baseline"] is None
    assert "software copies all" not in render_html(report)


SOFTWARE = Software(
    exact=True, clocks=38000, pause=4567, clocks_to_done=15000, blocks_initial=5, blocks_demand=9,
    blocks_background=50, first_write=1234, first_write_longest=1300, later_write=321,
    background_block=1111, step_longest=8888)


def shown(report):
    console = Console(width=100, record=True, file=io.StringIO())
    show(report, console)
    return console.export_text()


def test_the_method_in_software_is_told_beside():
    report = Report(make_record(software=SOFTWARE))
    figures = report.to_json()
    assert figures["software_exact"] is True and figures["software_clocks"] == 38000
    assert figures["software_slowdown"] == pytest.approx(1.0)
    assert figures["software_pause"] == 4567 and figures["software_first_write"] == 1234
    assert set(figures["software_units"]) == {figure.key for figure in SOFTWARE_FIGURES}
    assert not set(figures["software_units"]) & set(figures["units"])
    page = render_html(report)
    check_page(page)
    for figure in SOFTWARE_FIGURES:
        assert figure.meaning in page and figure.key in figures
    assert "8,888 clocks" in page and "the method in software" in page
    text = shown(report)
    assert "the same method in software: exact" in text and "4,567" in text and "1,234" in text


def test_a_wrong_image_by_software_is_told():
    report = Report(make_record(software=replace(
        SOFTWARE, exact=False, first_write=None, clocks=None)))
    assert report.exact                         # that is about the unit's
    assert report.to_json()["software_exact"] is False
    assert report.to_json()["software_slowdown"] is None
    assert "in software: NOT exact" in shown(report)
    assert "image is NOT exact" in " ".join(render_html(report).split())


def test_without_the_method_in_software_nothing_is_told_of_it():
    report = Report(make_record())
    figures = report.to_json()
    assert all(figures[figure.key] is None for figure in SOFTWARE_FIGURES)
    assert figures["software_exact"] is figures["software_clocks"] is None
    assert "method in software" not in render_html(report) + shown(report)


def test_mismatch_names_the_byte_and_the_history_of_its_block():
    record = make_record(wrong=(700,))
    block = record.memory_at_instant, record.image
    mismatch = Report(record).mismatch
    assert (mismatch.address, mismatch.block) == (700, 10)
    assert (mismatch.expected, mismatch.found) == (block[0][700], block[1][700])
    copied = next(copy for copy in record.copies if copy.block == 10)
    assert any(f"clock {copied.clock}" in line and copied.kind.name.lower() in line
               for line in mismatch.history)


def test_mismatch_history_tells_of_held_writes_and_of_no_copy():
    record = make_record(wrong=(0,), stalls=(Stall(1010, 4, 9), Stall(1011, 64, 5)))
    history = Report(record).mismatch.history
    assert history[0] == "clock 1010 (T +10): a write to 0x4 was held for 9 clocks"
    assert not any("0x40" in line for line in history)
    record = make_record(wrong=(0,), copies=(), writes=(Write(990, 4, 0xab, 2),), stalls=())
    assert Report(record).mismatch.history[0] == (
        "clock 990 (T -10): 0xab was written to 0x4 (lanes 0b10)")
    record = make_record(wrong=(0,), copies=(), stalls=tuple(
        Stall(1010 + n, 4, 1) for n in range(100)))
    assert Report(record).mismatch.history[-1] == "and 61 more events"
    record = make_record(wrong=(0,), copies=(), stalls=())
    assert Report(record).mismatch.history == ("it was never copied",)


@pytest.mark.parametrize("seed", range(5))
def test_every_wrong_byte_is_found(seed):
    rng = random.Random(seed)
    offsets = sorted(rng.sample(range(4096), 9))
    mismatch = Report(make_record(wrong=offsets)).mismatch
    assert mismatch.address == offsets[0], f"seed {seed}"
    assert mismatch.wrong_bytes == 9, f"seed {seed}"
    assert mismatch.wrong_blocks == len({offset // 64 for offset in offsets}), f"seed {seed}"


def test_how_often_a_symbol_was_reached_is_told():
    record = not_done(instant=None, copies=(), stalls=(), seen=2, trigger="symbol f, time 5")
    assert "in 20,000 clocks; the symbol was reached 2 times." in Report(record).sentence


def test_an_image_of_the_wrong_length_is_no_image():
    with pytest.raises(ValueError, match="must be 4096 bytes, not 10 and 4096"):
        Report(make_record(image=bytes(10)))


@pytest.mark.parametrize("lengths, bins", [
    ([], []),
    ([5], [(5, 5, 1)]),
    ([5, 7, 7], [(5, 5, 1), (6, 6, 0), (7, 7, 2)]),
    ([3, 33], [(2, 3, 1), (4, 7, 0), (8, 15, 0), (16, 31, 0), (32, 63, 1)]),
    ([64, 64], [(64, 127, 2)]),
])
def test_histogram(lengths, bins):
    assert histogram(lengths) == bins


def test_words():
    assert count(1234567) == "1,234,567" and count(None) == "–"
    assert [percent(x) for x in (0, 0.0125, 0.338, 12.5, None)] == [
        "0.00", "1.25", "33.8", "1,250", "–"]
    assert [size(x) for x in (16, 4096, 3 << 20, 5000)] == [
        "16 bytes", "4 KiB", "3 MiB", "5,000 bytes"]


def test_page_needs_no_other_file_and_is_the_same_each_time():
    report = Report(make_record())
    page = render_html(report)
    assert page == render_html(report)
    assert not re.search(r'(src|href)="(?!#|data:)', page)
    assert "hello &lt;world&gt;" in page
    assert page.count("<svg") == 3
    for figure in FIGURES:
        assert figure.meaning in page


def test_page_of_many_blocks_and_long_stalls():
    record = make_record(blocks=2048)
    stalls = (*record.stalls, Stall(2000, 0, 4000))
    page = render_html(Report(replace(record, stalls=stalls, stall_longest=4000)))
    check_page(page)
    assert "mixes their colours" in " ".join(page.split())
    assert "2048–4095" in page


def test_page_of_one_block_that_nobody_wrote():
    record = make_record(blocks=1)
    page = render_html(Report(replace(record, stalls=(), stall_longest=0)))
    check_page(page)
    assert "No write was held" in page


def check_page(page):
    """Every element of the page is closed in its order."""
    open_tags = []

    class Check(HTMLParser):
        def handle_starttag(self, tag, attrs):
            if tag not in ("meta", "br"):
                open_tags.append(tag)

        def handle_startendtag(self, tag, attrs):
            pass

        def handle_endtag(self, tag):
            assert open_tags.pop() == tag

    Check().feed(page)
    assert not open_tags


def test_files_of_a_run(tmp_path):
    out = tmp_path / "a" / "b"
    record = make_record()
    paths = write_results(Report(record), out)
    assert {path.name for path in paths} == {"report.json", "report.html", "image.bin"}
    assert (out / "image.bin").read_bytes() == record.memory_at_instant
    assert json.loads((out / "report.json").read_text())["exact"] is True


def test_no_image_of_an_earlier_run_is_left(tmp_path):
    write_results(Report(make_record()), tmp_path)
    write_results(Report(not_done(failed=True)), tmp_path)
    assert not (tmp_path / "image.bin").exists()
    assert json.loads((tmp_path / "report.json").read_text())["exact"] is False
