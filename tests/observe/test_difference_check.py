"""Replies about a finite-difference check that are lies; how one works stands in `checks`."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from grader.checks.differences import steppings
from grader.child.reports import Tolerance
from grader.observe.difference_check import DifferenceCheck, read_difference_check
from grader.problem import set_paper
from tests.observe.test_verification import submission

PAPER = set_paper(7)
TEXT = submission("def gradient_check():\n    pass\n")
SMALL = {"kind": "check", "name": "gradient_check", "case": "small", "accepts": True}


def read(report: object, **arrays: object) -> DifferenceCheck:
    return read_difference_check({"report": json.dumps(report), **arrays}, TEXT, PAPER)


def test_arrays_that_do_not_fit_are_not_there() -> None:
    lies = {
        "points_W1": np.zeros((3, 5)), "points_b1": np.zeros(0), "points_X": "words",
        "after_W1": np.zeros(7), "after_b1": np.zeros(2, np.int64),
    }  # fmt: skip
    record = read(SMALL, **lies)
    assert record.kind == "check"
    assert not {"W1", "X"} & record.points.keys()
    assert record.after == {}
    assert steppings(record) == []


@pytest.mark.parametrize(
    "report",
    ["", None, {}, SMALL | {"kind": "verify"}, SMALL | {"name": 3}, SMALL | {"case": "primes"},
     SMALL | {"case": "its own numbers"}, SMALL | {"case": "its own numbers", "kind": "helper"}],
)  # fmt: skip
def test_a_report_that_names_no_check(report: object) -> None:
    assert read(report).kind == ""
    assert read_difference_check({"report": 3}, TEXT, PAPER).kind == ""


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        (("W1", 1e-6, 1e-5), Tolerance("W1", 1e-6, 1e-5)),
        (("X", 1e4, float("inf")), Tolerance("X", 1e4, float("inf"))),
        (("W9", 1e-6, 1e-5), None),
        (("W1", 1e-5, 1e-6), None),
        (("W1", float("nan"), 1e-5), None),
    ],
)
def test_a_tolerance_that_makes_sense(
    ends: tuple[str, float, float], expected: Tolerance | None
) -> None:
    tolerance = dict(zip(("tensor", "passes", "stops"), ends, strict=True))
    assert read(SMALL | {"tolerance": tolerance}).tolerance == expected


def test_its_own_numbers_have_to_fit_together() -> None:
    small, own = PAPER.cases["small"], SMALL | {"case": "its own numbers"}
    arrays = {f"base_{n}": a for n, a in small.inputs.items()}
    assert read(own, **arrays).kind == "check"
    for name, wrong in (("X", np.zeros((2, 5))), ("b2", np.full(2, np.inf)), ("W1", np.zeros(4))):
        assert read(own, **arrays | {f"base_{name}": wrong}).kind == ""
    single = replace(small, X=small.X.astype(np.float32)).inputs
    assert read(own, **{f"base_{n}": a for n, a in single.items()}).kind == ""
