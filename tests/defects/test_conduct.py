"""What differs between calls is repaired first, and only that."""

from __future__ import annotations

from grader.defects import KINDS, Repeat


def test_kinds_that_a_second_call_shows() -> None:
    shown = {r: {k.code for k in KINDS if k.repeat is r} for r in Repeat}
    assert shown[Repeat.SPOILT] == {"mutates-cache", "mutates-input"}
    assert shown[Repeat.UNSTEADY] == {
        "grad-accumulates",
        "torch-grad-accumulates",
        "hidden-state",
        "nondeterministic",
    }
