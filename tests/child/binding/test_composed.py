"""Whatever the style, a right core is right and a planted fault is named for what it is."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings

from grader.cohort import Engine
from grader.intake.files import Read
from grader.intake.find import assemble
from grader.records import CheckStatus, SourceFile
from tests.child.binding.composed import (
    FAULTS,
    LABELS,
    NAMES,
    ORDERS,
    PACKAGES,
    RETURNS,
    Style,
    styles,
)
from tests.child.binding.loaded import answers, binding_of, inputs

RIGHT = Style(False, NAMES[0], ORDERS[0], "arguments", "dW1", "index", "")
EVERY = list(itertools.product((False, True), NAMES, PACKAGES, RETURNS, LABELS))


def oracle() -> dict[str, np.ndarray]:
    return answers(binding_of(RIGHT.text), inputs())[1]


@pytest.mark.parametrize("number", range(0, len(EVERY), 5))
def test_every_fifth_combination_gives_the_same_numbers(number: int) -> None:
    columns, names, package, returns, labels = EVERY[number]
    style = Style(columns, names, ORDERS[number % len(ORDERS)], package, returns, labels, "")
    loss, gradients = answers(binding_of(style.text), inputs())
    assert loss == pytest.approx(answers(binding_of(RIGHT.text), inputs())[0])
    for tensor, want in oracle().items():
        np.testing.assert_allclose(gradients[tensor], want, atol=1e-14, err_msg=tensor)


@settings(max_examples=8, derandomize=True)
@given(style=styles)
def test_the_diagnosis_names_the_planted_fault_in_any_style(engine: Engine, style: Style) -> None:
    read = Read((SourceFile("net.py", style.text.encode()),), ())
    result = engine.grade(assemble("drawn", "drawn", read))
    by_hand = {
        d.code
        for d in result.defects
        if d.severity.value == "major" and d.code not in ("missing-function", "verify-missing")
    }
    lost = {
        c.id
        for c in result.grade.checks
        if c.id.startswith(("forward.", "backward.")) and c.status is CheckStatus.FAIL
    }
    assert by_hand == ({FAULTS[style.fault]} if style.fault else set())
    assert bool(lost) == bool(style.fault)
