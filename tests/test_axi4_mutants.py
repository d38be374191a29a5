"""The tests of the AXI4 side notice defects: each mutant is found by one of them."""

from importlib import import_module

import pytest
from axi4_mutants import MUTANTS, broken
from memsnap.bus import axi4_copy

pytestmark = pytest.mark.proof


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name.replace(" ", "-"))
def test_mutant_is_found(mutant):
    for module, function, arguments in mutant.tests:
        test = getattr(import_module(module), function)
        with broken(mutant):
            given = [getattr(axi4_copy, str(each), each)
                         for each in arguments]
            try:
                test(*given)
            except (AssertionError, IndexError, ValueError, StopIteration) as found:
                print(f"found by {function}: {str(found).splitlines()[:1]}")
                return
    pytest.fail(f"{mutant.name} is not found")
