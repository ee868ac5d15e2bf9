"""A value is found in a trace as it is, transposed, and in a loop over its rows."""

from __future__ import annotations

import numpy as np

from grader.defects.witness import Witness, first_match, matches
from grader.observe.trace import Trace, TracedValue


def traced(value: np.ndarray, order: int, phase: str = "backward", **more) -> TracedValue:
    place = {"file": "a.py", "line": order, "col": 0, "end_line": order, "end_col": 9}
    told = {"kind": "binary", "function": phase, "phase": phase, "count": 1, "order": order}
    return TracedValue(**{**place, **told, "value": value, "last": None, "last_order": 0, **more})


WANTED = np.arange(1.0, 7.0).reshape(2, 3)


def test_the_shape_that_is_wanted_goes_before_its_transpose() -> None:
    trace = Trace((traced(WANTED.T.copy(), 1), traced(WANTED, 2)))
    assert [v.order for v in matches(Witness((WANTED,)), trace, ())] == [2, 1]


def test_a_gradient_is_looked_for_in_backward_alone() -> None:
    trace = Trace((traced(WANTED, 1, "forward"), traced(WANTED, 2)))
    found = first_match(Witness((WANTED,), backward=True), trace)
    assert found is not None
    assert found.order == 2


def test_nothing_is_found_where_no_value_is_alike() -> None:
    assert first_match(Witness((WANTED + 1,)), Trace((traced(WANTED, 1),))) is None
    assert first_match(Witness((np.full((2, 3), np.nan),)), Trace((traced(WANTED, 1),))) is None
