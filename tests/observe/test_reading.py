"""Values get the names of tensors, and expressions their parts."""

from __future__ import annotations

import numpy as np

from grader.observe.naming import Namer
from grader.observe.reading import read_names
from grader.observe.trace import Trace, TracedValue

Z1 = np.array([[1.0, -2.0], [3.0, 4.0]])


def value(start: int, end: int, order: int, array: np.ndarray) -> TracedValue:
    return TracedValue(
        "a.py", 1, start, 1, end, "name", "f", "forward", order, count=1, value=array
    )


def test_an_expression_has_its_direct_parts() -> None:
    inner, half, whole = (
        value(0, 2, 1, Z1), value(0, 6, 2, Z1 * 0.5), value(0, 9, 3, Z1 * 0.5 + 1.0),
    )  # fmt: skip
    namer = Namer({"Z1": Z1}, {"B": 2, "D": 3, "H": 2, "C": 2})
    named = read_names(Trace((inner, half, whole)), namer)
    first, second, third = named.readings
    assert [r.base for r in (first, second, third)] == ["Z1", "Z1", ""]
    assert second.name is not None and not second.name.exact
    assert second.parts == (first,) and third.parts == (second,)
    assert named.during("forward") == [first, second, third]
    assert named.during("backward") == []
