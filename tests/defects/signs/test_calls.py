"""How a call ended names its defect, with the part that it is of."""

from __future__ import annotations

import pytest

from grader.defects.signs.calls import counts, process_defects
from grader.records import (
    Defect,
    Ended,
    Frame,
    FunctionOutline,
    Observation,
    Observations,
    Part,
    ProcessReport,
    SourceFile,
    Submission,
)

SOURCE = b"def forward(X, y):\n    pass\n\n\ndef backward(cache):\n    return cache @ 1\n"


def defects(step: str, run: Observation, *functions: FunctionOutline) -> list[Defect]:
    report = ProcessReport(Observation(Ended.OK), functions)
    one = Submission("id", "name", "sha256:0", (SourceFile("a.py", SOURCE),), "a.py")
    return list(process_defects(one, Observations(report, report, {step: run})))


@pytest.mark.parametrize(
    ("step", "run", "code", "part"),
    [
        ("forward/primes", Observation(Ended.TIMEOUT), "timeout", Part.FORWARD),
        ("backward/primes", Observation(Ended.MEMORY_LIMIT), "memory-limit", Part.BACKWARD),
        ("torch/primes", Observation(Ended.CRASH), "crash", Part.PYTORCH),
        ("verify/primes", Observation(Ended.MISSING), "verify-missing", Part.VERIFICATION),
        ("backward/primes", Observation(Ended.MISSING), "missing-function", Part.BACKWARD),
        (
            "backward/primes",
            Observation(Ended.BAD_RETURN, error="it returned None"),
            "incomplete",
            Part.BACKWARD,
        ),
    ],
)
def test_an_ending_is_a_kind(step: str, run: Observation, code: str, part: Part) -> None:
    assert [(d.code, d.part) for d in defects(step, run)] == [(code, part)]


def test_an_error_stands_where_it_was_raised() -> None:
    run = Observation(Ended.RAISED, error="ValueError: no", frames=(Frame("a.py", 6, "backward"),))
    [defect] = defects("backward/primes", run)
    assert (defect.code, defect.line, defect.source) == ("runtime-error", 6, "return cache @ 1")


def test_a_call_that_cannot_be_bound_stands_at_the_definition() -> None:
    run = Observation(
        Ended.RAISED, error="TypeError: takes 2 positional arguments but 6 were given"
    )
    [defect] = defects("forward/primes", run, FunctionOutline("forward", 1, False))
    assert (defect.code, defect.line) == ("wrong-signature", 1)


def test_a_stub_is_incomplete() -> None:
    run = Observation(Ended.BAD_RETURN, error="it returned None")
    [defect] = defects("forward/primes", run, FunctionOutline("forward", 1, True))
    assert (defect.code, defect.line, defect.message) == ("incomplete", 1, "forward is a stub.")


def test_what_is_expected_to_fail_says_nothing() -> None:
    assert counts("forward/primes")
    assert not counts("torch/blocked")
