"""Which functions may be a check by finite differences, and of which form."""

from __future__ import annotations

import pytest

from grader.child.driver import Driver
from grader.child.reports import DifferenceForm
from grader.child.trials.candidates import candidates
from tests.child.trials.conftest import NETWORK

CHECK, HELPER, COMPARING = (
    DifferenceForm.CHECK, DifferenceForm.HELPER, DifferenceForm.COMPARING,
)  # fmt: skip
BODY = "(p):\n    return p\n"


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("gradient_check(X, y, W1, b1, W2, b2): return 0.0", [(CHECK, True, False)]),
        ("gradient_check(): return 0.0", [(CHECK, True, True)]),
        ("numerical_gradient(f, x, h): return f(x + h)", [(HELPER, False, False)]),
        ("check_grad(f, x, analytic): return f(x) - analytic", [(COMPARING, False, False)]),
        ("stable_gradient_softmax(x): return x", []),
        ("gradient_check(X, y, W1, b1, W2, b2): pass", []),
    ],
)
def test_the_form_follows_from_the_parameters(
    head: str, expected: list[tuple[DifferenceForm, bool, bool]], driver: Driver
) -> None:
    items = {"side": "torch", "noise": "1", "main": "a.py", "names": "{}", "files": "1"}
    text = f"{NETWORK}\ndef {head}\n"
    items |= {"path0": "a.py", "data0": text.encode(), "max_bytes": "65536"}  # type: ignore[dict-item]
    assert "ended" not in driver.handle("load", items)
    found = list(candidates(driver.bind(), {}))
    assert [(c.kind, c.is_named, c.alone) for c in found] == expected


def test_a_step_may_be_the_callers_to_give(driver: Driver) -> None:
    text = f"{NETWORK}\ndef numerical_gradient(f, x, eps): return f(x + eps)\n"
    items = {"side": "torch", "noise": "1", "main": "a.py", "names": "{}", "files": "1"}
    items |= {"path0": "a.py", "data0": text.encode(), "max_bytes": "65536"}  # type: ignore[dict-item]
    driver.handle("load", items)
    (one,) = candidates(driver.bind(), {})
    assert one.asks_step
