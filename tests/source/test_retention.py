"""Which `retain_graph=True` is of no use."""

from __future__ import annotations

import pytest

from grader.source.retention import needlessly_retained

NEEDED = """
def twice(loss, X):
    loss.backward(retain_graph=True)
    return torch.autograd.grad(loss, X)
"""
LOOP = """
def each(losses):
    for loss in losses:
        loss.backward(retain_graph=True)
"""


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("def f(loss):\n    x = 1\n    loss.backward(retain_graph=True)\n", [3]),
        ("def f(a, b):\n    return torch.autograd.grad(a, b, retain_graph=True)\n", [2]),
        ("def f(loss):\n    loss.backward(retain_graph=False)\n", []),
        ("def f(loss):\n    loss.backward()  # no retain_graph=True\n", []),
        ("def f(loss, keep):\n    loss.backward(retain_graph=keep)\n", []),
        (NEEDED, []),
        (LOOP, []),
        ("def f(:\n    loss.backward(retain_graph=True)\n", []),
    ],
)
def test_the_lines_where_it_is_not_needed(text: str, lines: list[int]) -> None:
    found = list(needlessly_retained({"solution.py": text.split("\n")}))
    assert found == [("solution.py", line) for line in lines]
