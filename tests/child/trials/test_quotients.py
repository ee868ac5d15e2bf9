"""Which divisions are by a step, and on which line a script comes to one."""

from __future__ import annotations

import ast

import pytest

from grader.child.trials.quotients import line_in_script, quotients
from grader.observe.trials import QUOTIENT

BY_STEP = [
    "(up - down) / (2 * h)",
    "(f(x + eps) - f(x - eps)) / (2.0*eps)",
    "(above - below) / (EPS * 2)",
    "(f(x + h) - f(x)) / h - grad",
    "(plus - minus) / 2e-6",
    "(plus - minus) / step_size",
    "(plus - minus) / (2 * tiny)",
]
OTHERS = ["(P - Y) / B", "d / len(y)", "a / (b + eps)", "np.sqrt(2 / n)", "norm(a - b) / norm(b)"]


@pytest.mark.parametrize("text", BY_STEP)
def test_a_division_by_a_step(text: str) -> None:
    assert len(list(quotients(ast.parse(text)))) == 1
    assert QUOTIENT.search(text), "without a child it is not looked for"


@pytest.mark.parametrize("text", OTHERS)
def test_another_division(text: str) -> None:
    assert not list(quotients(ast.parse(text)))
    assert not QUOTIENT.search(text)


SLOPE = "def slope(f, x):\n    return (f(x + h) - f(x - h)) / (2 * h)\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\nfor i in r:\n    s = (a - b) / (2 * h)\n", 3),
        (SLOPE + "g = [slope(f, x) for x in r]\n", 3),
        (SLOPE + "def main():\n    t.slope(f, 1)\nif __name__ == '__main__':\n    main()\n", 6),
        (SLOPE, 0),
        (SLOPE + "g = other(f, 1)\n", 0),
        (SLOPE + "class A:\n    def run(self):\n        return slope(f, 1)\nA().run()\n", 6),
    ],
)
def test_where_a_script_takes_differences(text: str, line: int) -> None:
    assert line_in_script(ast.parse(text)) == line
