"""The declared mistakes of a finite-difference check: each shows alone, at checks that exist."""

from __future__ import annotations

import textwrap

import pytest

from grader.checks import run_checks
from grader.checks.differences import fd_accurate, fd_catches
from grader.child.reports import CorruptionKind
from grader.defects import BY_CODE
from grader.defects.differences import DIFFERENCES
from grader.defects.make import make
from grader.observe.difference_check import DifferenceCheck
from grader.records import TENSORS, CheckStatus, Part
from tests.checks.simulation import central, simulated
from tests.defects.planted_clues import clues_of

BLIND = dict.fromkeys(TENSORS, (CorruptionKind.SCALE, CorruptionKind.ENTRY))
RECORDS = {
    "fd-one-sided": central(sides=(1,)),
    "fd-step-too-large": central(step=0.1),
    "fd-step-too-small": central(step=1e-12),
    "fd-always-passes": central(**BLIND),
}


def shown(record: DifferenceCheck) -> list[str]:
    clues = clues_of("", view=simulated(differences=record))
    return [k.code for k in DIFFERENCES for sign in k.signs for _ in sign.sights(clues)]


def test_all_are_of_the_verification_and_in_the_table() -> None:
    assert {k.code for k in DIFFERENCES} == {*RECORDS}
    assert all(BY_CODE[k.code] is k for k in DIFFERENCES)
    assert {k.part for k in DIFFERENCES} == {Part.VERIFICATION}


@pytest.mark.parametrize("code", RECORDS)
def test_each_shows_alone(code: str) -> None:
    assert shown(RECORDS[code]) == [code]


def test_a_sensible_check_has_none() -> None:
    assert shown(central()) == shown(DifferenceCheck()) == []


@pytest.mark.parametrize("code", RECORDS)
def test_it_loses_a_check(code: str) -> None:
    outcome = run_checks([fd_accurate, fd_catches], simulated(differences=RECORDS[code]))
    assert any(f.status is CheckStatus.FAIL for f in outcome)


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("fd-one-sided", "slope = (f(x + h) - f(x)) / h"),
        ("fd-step-too-large", "h = 1e-1"),
        ("fd-step-too-small", "h = 1e-12"),
        ("fd-always-passes", "return passed"),
    ],
)
def test_the_line_of_its_own_example_is_found(code: str, line: str) -> None:
    kind = BY_CODE[code]
    body = textwrap.indent(kind.wrong, "    ")
    source = f"def gradient_check(x):\n{body}\n    return passed\n"
    clues = clues_of(source, view=simulated(differences=RECORDS[code]))
    assert kind.placed is not None
    spot = kind.placed(clues, make(code, "Shown.", TENSORS))
    assert spot is not None
    assert clues.line(spot) == line
