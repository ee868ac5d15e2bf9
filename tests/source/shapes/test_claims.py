"""Shapes in one line of prose."""

from __future__ import annotations

import pytest

from grader.source.shapes.claims import Claim, claims


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Z1: (B, H)", Claim(("Z1",), ("B", "H"), True)),
        ("[B, D] @ [D, H] -> [B, H]", Claim((), ("B", "H"), True)),
        ("N x D", Claim((), ("N", "D"), True)),
        ("a scalar", Claim((), (), True)),
        ("B, H", Claim((), ("B", "H"), False)),
        ("summed over (B, H)", Claim(("over",), ("B", "H"), False)),
    ],
)
def test_one_claim(text: str, expected: Claim) -> None:
    assert claims(text) == [expected]


@pytest.mark.parametrize("text", ["", "see [1]", "f(x)", "max (2)", "x" * 300 + " [B, H]"])
def test_no_claim(text: str) -> None:
    assert claims(text) == []


def test_contradictions_are_not_firm() -> None:
    assert [c.firm for c in claims("Z1 (B, H), Z1 (H, B)")] == [False, False]
