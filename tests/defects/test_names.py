"""Variables are told apart by what they are called."""

from __future__ import annotations

import pytest

from grader.defects.names import ACTIVATION, PRE_ACTIVATION, plain


@pytest.mark.parametrize(
    ("name", "wanted"), [("dZ1", "Z1"), ("grad_h", "h"), ("kept z", "z"), ("d", "d")]
)
def test_what_marks_a_gradient_is_taken_off(name: str, wanted: str) -> None:
    assert plain(name) == wanted


def test_an_activation_is_told_from_what_goes_into_it() -> None:
    assert ACTIVATION.search("hidden")
    assert PRE_ACTIVATION.search("z1")
    assert not PRE_ACTIVATION.search("h1")
