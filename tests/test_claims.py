"""``docs/claims.md`` names each claim once, and tests that exist; conftest checks that they ran."""

import ast
from pathlib import Path

import pytest
from claims import claimed, claims

HERE = Path(__file__).parent


def test_each_claim_is_there_once():
    assert [number for number, _ in claims()] == list(range(1, 33))


@pytest.mark.parametrize("number, tests", claims())
def test_each_claim_names_a_test(number, tests):
    assert tests


@pytest.mark.parametrize("test", sorted(claimed()))
def test_the_test_exists(test):
    file, _, name = test.partition("::")
    tree = ast.parse((HERE / file).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
