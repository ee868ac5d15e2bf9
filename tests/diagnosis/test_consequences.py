"""What only follows from another defect is not named beside it."""

from __future__ import annotations

from dataclasses import replace

from grader.defects.make import make
from grader.diagnosis.consequences import without_consequences
from grader.records import Defect, Part


def codes(*defects: Defect, late: bool = False) -> list[str]:
    return [d.code for d in without_consequences(defects, late=late)]


def error(part: Part, line: int = 3) -> Defect:
    return replace(make("runtime-error", "", part=part), file="a.py", line=line)


def test_one_defect_a_code_and_place_is_left() -> None:
    assert codes(error(Part.FORWARD), error(Part.BACKWARD), error(Part.FORWARD, 4)) == [
        "runtime-error",
        "runtime-error",
    ]


def test_a_cause_takes_the_line_of_the_error_that_it_raises() -> None:
    cause = make("softmax-wrong-broadcast", "")
    [left] = without_consequences([error(Part.FORWARD), cause], late=False)
    assert (left.code, left.line) == ("softmax-wrong-broadcast", 3)


def test_a_cause_in_pytorch_explains_no_error_in_numpy() -> None:
    cut = make("torch-graph-detached", "")
    assert codes(cut, error(Part.PYTORCH)) == ["torch-graph-detached"]
    assert codes(cut, error(Part.FORWARD)) == ["torch-graph-detached", "runtime-error"]


def test_who_answers_differently_each_time_has_nothing_unexplained() -> None:
    unexplained = make("grad-unexplained", "")
    assert codes(make("hidden-state", "", part=Part.BACKWARD), unexplained) == ["hidden-state"]
    torch = make("torch-grad-accumulates", "")
    assert codes(torch, unexplained) == ["torch-grad-accumulates", "grad-unexplained"]


def test_an_error_in_verify_gives_way_to_whatever_else_is_wrong() -> None:
    assert codes(error(Part.VERIFICATION)) == ["runtime-error"]
    assert codes(error(Part.VERIFICATION), make("loss-sign", "")) == ["loss-sign"]


def test_a_timeout_covers_what_is_unexplained_only_where_the_time_was_up() -> None:
    both = make("timeout", "", part=Part.FORWARD), make("grad-unexplained", "")
    assert codes(*both) == ["timeout", "grad-unexplained"]
    assert codes(*both, late=True) == ["timeout"]


def test_a_bias_that_is_not_added_explains_that_it_has_no_gradient() -> None:
    missing = make("bias-missing", "", part=Part.PYTORCH)
    assert codes(missing, make("torch-leaf-without-grad", "", ("b1",))) == ["bias-missing"]
    both = codes(missing, make("torch-leaf-without-grad", "", ("b1", "X")))
    assert both == ["bias-missing", "torch-leaf-without-grad"]
