"""Who wants a human, and why."""

from __future__ import annotations

from typing import Any

import pytest

from grader.report.review_reasons import REASONS, review_reasons


def _document(**changes: Any) -> dict[str, Any]:
    proven = {"code": "grad-sign", "severity": "major", "confidence": "proven"}
    failed = {"id": "backward.dW1", "status": "fail", "explained_by": ["grad-sign"]}
    document = {"status": "graded", "defects": [proven], "checks": [failed], "binding": {}}
    return document | {"submission": {}} | changes


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, []),
        ({"status": "undecided"}, ["undecided"]),
        ({"submission": {"left_out": ["a.py is not read"]}}, ["unread"]),
        ({"checks": [{"id": "x", "status": "fail", "explained_by": []}]}, ["unexplained"]),
        ({"binding": {"numpy": "ambiguous: f(X) | g(X)", "torch": ""}}, ["bindings"]),
        (
            {"defects": [{"code": "x", "severity": "minor", "confidence": "likely"}]},
            ["likely"],
        ),
        (
            {"defects": [{"code": "sandbox-violation", "severity": "major", "confidence": "proven"}]},
            ["rules"],
        ),
        ({"defects": [{"code": "x", "severity": "info", "confidence": "likely"}]}, []),
        (
            {"defects": [
                {"code": "gradient-method-unclear", "severity": "info", "confidence": "proven"}
            ]},
            ["method"],
        ),
    ],
)  # fmt: skip
def test_who_wants_a_human(changes: dict[str, Any], said: list[str]) -> None:
    document = _document(**changes)
    assert review_reasons(document) == said
    assert all(key in REASONS for key in said)
