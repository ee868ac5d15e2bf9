"""What a run says, and what it says otherwise than another run."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np
import pytest

from grader.child.trials.response import Response, flipped, refusal, response


def run(
    value: Any = None, text: str = "", error: BaseException | None = None, **truths: list[bool]
) -> Response:
    errors = [] if error is None else [(0, error)]
    return response(value, errors, text, {int(name[1:]): values for name, values in truths.items()})


Pair = namedtuple("Pair", "ok errors")


@pytest.mark.parametrize(
    ("before", "after", "by"),
    [
        (run(True), run(False), "return"),
        (run({"W1": True}), run({"W1": np.bool_(False)}), "return"),
        (run((True, {"W1": 1e-16})), run((True, {"W1": 0.5})), ""),
        (run(Pair(True, [0.0])), run(Pair(False, [0.0])), "return"),
        (run(np.array([True, True])), run(np.array([True, False])), "return"),
        (run([]), run(["W1"]), "return"),
        (run(1e-16), run(1e-3), "number"),
        (run({"W1": 1e-16}), run({"W1": 3e-16}), ""),
        (run(1e-16), run(float("nan")), "number"),
        (run(True), run(error=AssertionError()), "raise"),
        (run(None), run(error=ValueError("mismatch")), "raise"),
        (run(text="W1 ok b1 ok"), run(text="W1 ok b1 FAIL"), "print"),
        (run(text="W1 ok b1 ok"), run(text="W1 ok"), "print"),
        (run(text="relative error 1e-16"), run(text="relative error 0.3"), ""),
        (run("gradients match"), run("gradients do not match"), "print"),
        (run(True, "W1 ok"), run(True, "W1 FAIL"), ""),
        (run(text="1e-16", n3=[True]), run(text="0.3", n3=[False]), "comparison"),
        (run(True, n3=[True]), run(True, n3=[False]), ""),
        (run(), run(), ""),
    ],
)  # fmt: skip
def test_by_what_it_is_refused(before: Response, after: Response, by: str) -> None:
    assert (refusal(before, after) or "") == by


@pytest.mark.parametrize(
    ("one", "no"),
    [
        (run(True), False), (run(False), True), (run((True, False)), True), (run(), False),
        (run(error=AssertionError()), True), (run(error=SystemExit(0)), False),
        (run(error=SystemExit(1)), True), (run(text="max relative error 1e-16"), False),
        (run(text="W1 mismatch"), True), (run(text="no mismatch, all ok"), False),
        (run(text="❌"), True), (run(1e-16), False),
    ],
)  # fmt: skip
def test_whether_it_objects_by_itself(one: Response, no: bool) -> None:
    assert one.objects is no


def test_a_script_is_judged_by_its_assertions() -> None:
    missing, wrong = FileNotFoundError("mnist"), AssertionError("W1")
    assert not response(None, [(3, missing)], "", {}).objects
    assert response(None, [(3, missing), (9, wrong)], "", {}).objects
    before, after = (
        response(None, [(3, missing)], "", {}),
        response(None, [(3, missing), (9, wrong)], "", {}),
    )
    assert (refusal(before, after), refusal(before, before)) == ("raise", None)


def test_a_run_that_ends_early_flipped_where_it_differs() -> None:
    before = run(n1=[True, True, True], n2=[True, True, True])
    assert flipped(before, run(n1=[True], n2=[False])) == 2
    assert flipped(before, run(n1=[True], n2=[True])) == 1
    assert flipped(before, before) is None
