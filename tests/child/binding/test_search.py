"""The first draft that fits is kept, and two that give different numbers are told."""

from __future__ import annotations

import numpy as np

from grader.child.binding.search import NUMPY, AdapterSearch, same
from grader.child.binding.source import Callee
from grader.child.binding.writer import Draft
from tests.child.binding.loaded import binding_of

TEXT = """
def one(X, y, W1, b1, W2, b2):
    return float(X.sum()), {"W1": 2 * W1, "b1": 2 * b1, "W2": 2 * W2, "b2": 2 * b2}
def again(X, y, W1, b1, W2, b2):
    return one(X, y, W1, b1, W2, b2)
def other(X, y, W1, b1, W2, b2):
    return 2 * X.sum(), {"W1": 3 * W1, "b1": 3 * b1, "W2": 3 * W2, "b2": 3 * b2}
def broken(X, y, W1, b1, W2, b2):
    return X.nothing
"""


def search(*names: str) -> AdapterSearch:
    """A search that was shown some of the functions, in this order."""
    source = binding_of(TEXT).source
    functions: dict[str, Callee] = {f.name: f for f in source.functions}
    found = AdapterSearch(source.module, NUMPY)
    found.look((Draft((functions[name],), 1) for name in names), for_rivals=True)
    return found


def test_the_first_that_fits_is_kept() -> None:
    found = search("broken", "one", "again")
    assert found.best is not None
    assert found.best.adapter.forward_lines == ("one_out = one(X, y, W1, b1, W2, b2)",)
    assert found.best.adapter.gradients["b2"] == "one_out[1]['b2']"
    assert [fit.draft.stages[0].name for fit in found.alike] == ["again"]
    assert found.rivals == []
    assert found.why == "broken: AttributeError: 'numpy.ndarray' object has no attribute 'nothing'"


def test_one_that_gives_other_numbers_is_a_rival() -> None:
    assert [fit.draft.stages[0].name for fit in search("one", "other").rivals] == ["other"]


def test_answers_are_compared_in_what_both_have() -> None:
    one = {"W1": np.ones(3), "b1": np.zeros(2)}
    assert same(one, {"W1": np.ones((3, 1)) * (1 + 1e-9)})
    assert not same(one, {"W1": np.full(3, 1.001)})
    assert not same(one, {"W1": np.full(3, np.nan)})
