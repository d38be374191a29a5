"""What ``docs/claims.md`` names."""

import re
from pathlib import Path

__all__ = ["claimed", "claims"]

_DOCUMENT = Path(__file__).parents[1] / "docs" / "claims.md"
_ROW = re.compile(r"^\| (\d+) \|(.*)\|$", re.M)
_TEST = re.compile(r"`(test_\w+\.py::test_\w+)`")


def claims():
    """Pairs of a claim's number and the tests that show it."""
    return [(int(number), _TEST.findall(rest))
            for number, rest in _ROW.findall(_DOCUMENT.read_text(encoding="utf-8"))]


def claimed():
    """All tests that are named."""
    return {test for _, tests in claims() for test in tests}
