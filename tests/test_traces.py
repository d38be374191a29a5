"""Streams of accesses: files of both formats, pages, patterns."""

import gzip
import io

import numpy as np
import pytest
from memsnap_sim.model import ACCESS
from memsnap_sim.traces import PATTERNS, PagePacker, TraceError, open_trace, pattern
from memsnap_sim.traces import lackey as lackey_module
from memsnap_sim.traces.table import write_table

LACKEY = b"""==12== Lackey, an example Valgrind tool
==12==
I  0401ab70,3
I  0401ab73,5
 S 1fff000768,8
I  0401b770,1
 L 0023C790,4
 M 0025747c,1
program output, with a comma
L 12,4
 X 12,4
 S zz,4
 S 10,
I  0401b771,7
"""
ACCESSES = [(2, 0x1fff000768, True, 8), (1, 0x23c790, False, 4), (0, 0x25747c, False, 1),
            (0, 0x25747c, True, 1)]


def all_of(chunks):
    return [tuple(row) for chunk in chunks for row in chunk.tolist()]


def written(tmp_path, name, text):
    path = tmp_path / name
    path.write_bytes(text)
    return path


def test_lackey(tmp_path):
    assert all_of(open_trace(written(tmp_path, "a.lk", LACKEY))) == ACCESSES


def test_lackey_compressed(tmp_path):
    assert all_of(open_trace(written(tmp_path, "a.gz", gzip.compress(LACKEY)))) == ACCESSES


def test_lackey_instructions_that_take_longer(tmp_path):
    path = written(tmp_path, "a", LACKEY)
    gaps = [gap for gap, *_ in all_of(open_trace(path, clocks_per_instruction=3))]
    assert gaps == [6, 3, 0, 0]


@pytest.mark.parametrize("size", [7, 16, 33, 100])
def test_lackey_cut_anywhere(tmp_path, monkeypatch, size):
    monkeypatch.setattr(lackey_module, "_CHUNK", size)
    assert all_of(open_trace(written(tmp_path, "a", LACKEY[:-1]))) == ACCESSES


def test_lackey_without_an_access(tmp_path):
    path = written(tmp_path, "a", b"==1== nothing\nhello\n")
    with pytest.raises(TraceError, match="has no access: lackey prints them with valgrind"):
        all_of(open_trace(path))


def test_table(tmp_path):
    path = written(tmp_path, "a.csv", b"# made by hand\nwrite, address, gap\n"
                                      b"w, 0x10, 3\n0, 20, 0\n\nread,0x18,1\n")
    assert all_of(open_trace(path)) == [(3, 16, True, 4), (0, 20, False, 4), (1, 24, False, 4)]


def test_table_with_clocks(tmp_path):
    path = written(tmp_path, "a.csv", b"clock,address,write,size\n10,0,1,2\n11,4,0,4\n20,8,1,4\n")
    assert all_of(open_trace(path)) == [(9, 0, True, 2), (0, 4, False, 4), (8, 8, True, 4)]


def test_table_comes_back(tmp_path):
    chunks = list(pattern("random", accesses=500, size=1 << 16))
    text = io.StringIO()
    write_table(text, chunks)
    path = written(tmp_path, "a.csv", text.getvalue().encode())
    assert all_of(open_trace(path)) == all_of(chunks)


@pytest.mark.parametrize(("text", "message"), [
    (b"", "is empty: a trace has at least one access"),
    (b"gap,address\n1,2\n", "there must be a column 'write', but the head is 'gap,address'"),
    (b"address,write,colour\n1,1,2\n", "columns must be of address, write, size, and gap or clock"),
    (b"gap,clock,address,write\n1,1,1,1\n", "and gap or clock, not 'gap,clock,address,write'"),
    (b"address,write\n", "has a head and no access"),
    (b"address,write\n0,1\nten,1\n", "row 2: address must be a number from 0 to .*, not 'ten'"),
    (b"address,write\n0,2\n", "row 1: write must be 0, 1, r or w, not '2'"),
    (b"address,write,size\n0,1,256\n", "row 1: size must be a number from 0 to 0xff, not '256'"),
    (b"address,write\n0\n", "row 1: write must be 0, 1, r or w, not None"),
    (b"clock,address,write\n5,0,1\n4,0,1\n", "row 2: clock must not go back, but 4 follows 5"),
])
def test_what_is_wrong_with_a_table_is_said(tmp_path, text, message):
    with pytest.raises(TraceError, match=message):
        all_of(open_trace(written(tmp_path, "a.csv", text)))


def test_no_such_file(tmp_path):
    with pytest.raises(TraceError, match="none.csv: No such file or directory"):
        open_trace(tmp_path / "none.csv")


def test_no_such_format(tmp_path):
    with pytest.raises(TraceError, match="the format must be lackey or csv, not 'elf'"):
        open_trace(written(tmp_path, "a", LACKEY), "elf")


def of_addresses(*addresses):
    accesses = np.zeros(len(addresses), ACCESS)
    accesses["address"] = addresses
    return accesses


def test_pages_come_in_the_order_of_their_first_touch():
    packer = PagePacker(4096)
    first = packer.pack(of_addresses(0x7fff_f123, 0x40_0004, 0x7fff_f008, 0x40_1000))
    assert first["address"].tolist() == [0x123, 0x1004, 0x8, 0x2000]
    second = packer.pack(of_addresses(0x10, 0x40_0ffc, 0xffff_ffff_ffff_fffc))
    assert second["address"].tolist() == [0x3010, 0x1ffc, 0x4ffc]
    assert packer.pages == 5
    assert packer.bytes == 5 * 4096


def test_pages_at_random_against_a_dictionary():
    rng = np.random.default_rng(4)
    packer, places = PagePacker(256), {}
    for _ in range(30):
        addresses = rng.integers(0, 1 << 14, size=int(rng.integers(1, 40)))
        expected = [places.setdefault(at >> 8, len(places)) << 8 | at & 255
                    for at in addresses.tolist()]
        assert packer.pack(of_addresses(*addresses))["address"].tolist() == expected
    assert packer.pages == len(places)


def test_page_size_is_checked():
    with pytest.raises(ValueError, match="page_size must be a power of two, not 100"):
        PagePacker(100)


@pytest.mark.parametrize("name", PATTERNS)
def test_patterns_are_what_was_asked_for(name):
    chunks = list(pattern(name, accesses=100_000, size=1 << 16, gap=5, writes=0.25, seed=3))
    accesses = np.concatenate(chunks)
    assert len(accesses) == 100_000
    assert accesses["address"].max() < 1 << 16
    assert not (accesses["address"] % 4).any()
    assert accesses["write"].mean() == pytest.approx(0.25, abs=0.01)
    assert accesses["gap"].mean() == pytest.approx(5, rel=0.05)
    again = np.concatenate(list(pattern(name, accesses=100_000, size=1 << 16, gap=5, writes=0.25,
                                        seed=3)))
    assert (again == accesses).all()


def test_patterns_differ_in_their_places():
    places = {name: np.concatenate(list(pattern(name, accesses=4096, size=1 << 14)))["address"]
              for name in PATTERNS}
    assert len(set(places["sequential"].tolist())) == 4096
    assert len(set(places["stride"].tolist())) == 4096
    assert (np.diff(places["stride"][:4].astype(int)) == 4096).all()
    assert (places["hot"] < 1 << 10).mean() > 0.85


@pytest.mark.parametrize(("options", "message"), [
    ({"name": "spiral"}, "the pattern must be one of .*, not 'spiral'"),
    ({"writes": 2}, "writes must be a share from 0 to 1, not 2"),
    ({"gap": -1}, "gap must be at least 0 clocks, not -1"),
    ({"size": 3}, "size must be at least 4 bytes, not 3"),
])
def test_what_is_wrong_with_a_pattern_is_said(options, message):
    with pytest.raises(ValueError, match=message):
        next(pattern(**{"name": "random", "accesses": 1, "size": 64} | options))
