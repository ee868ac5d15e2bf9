"""Curves: what grows out of the numbers, and where it ends in nothing finite."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from grader.cohort import Engine
from grader.figures.curves import cross_entropy
from grader.intake import take_in
from grader.observe.plan import DRAWN, numpy_steps
from grader.problem.cases import GROWTH

ROOT = Path(__file__).resolve().parents[2]


def test_a_mean_taken_twice_falls_as_one_over_B(engine: Engine) -> None:
    curves = engine.grade(take_in(ROOT / "submissions/kenji-tanaka")).pictures.ratios
    by_name = {c.name: c.points for c in curves if c.part == "numpy"}
    assert [y for _, y in by_name["dX"]] == pytest.approx([1.0] * 5)
    assert [x * y for x, y in by_name["dW1"]] == pytest.approx([1.0] * 5)


def test_a_softmax_without_its_maximum_stops_being_a_number(engine: Engine, tmp_path: Path) -> None:
    text = (ROOT / "reference/solution.py").read_text()
    line = next(row for row in text.splitlines() if ".max(axis=1" in row)
    head = line.split("=")[0] + "= " + line.split("=", 1)[1].split(" - ")[0].strip()
    (tmp_path / "solution.py").write_text(text.replace(line, head))
    pictures = engine.grade(take_in(tmp_path)).pictures
    own, right = pictures.growth
    assert math.isfinite(own.points[0][1])
    assert not math.isfinite(own.points[-1][1])
    assert all(math.isfinite(y) for _, y in right.points)


def test_the_right_loss_is_the_oracles(engine: Engine) -> None:
    for expected in engine.exam().expected.values():
        right = cross_entropy(expected["Z2"], expected.case.y)
        np.testing.assert_allclose(right, expected["loss"], rtol=1e-6)


def test_what_is_drawn_is_asked_last(engine: Engine) -> None:
    names = [step.name for step in numpy_steps(engine.paper)]
    drawn = [name.startswith(DRAWN) for name in names]
    assert drawn == sorted(drawn)
    assert sum(name.startswith("growth/") for name in names) == len(GROWTH)


def test_ending_badly_where_only_pictures_look_is_no_defect(engine: Engine, tmp_path: Path) -> None:
    text = (ROOT / "reference/solution.py").read_text()
    guard = "    if np.abs(W2).max() > 1e4:\n        raise ValueError('too large')\n"
    head = text.index("def forward(")
    at = text.index('"""', text.index('"""', head) + 3) + 4
    (tmp_path / "solution.py").write_text(text[:at] + guard + text[at:])
    result = engine.grade(take_in(tmp_path))
    assert result.observations["growth/100000"].error == "ValueError: too large"
    assert "runtime-error" not in {d.code for d in result.defects}
    assert result.grade.fraction == 1.0
