"""The defects that show in how calls ended, not yet in what they returned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from grader.defects import KINDS
from grader.defects.clues import Lines
from grader.defects.make import at, make
from grader.defects.signs.imports import import_defects, missing_module, own_place
from grader.observe.error_words import ErrorWord, error_words, place_named
from grader.observe.plan import DRAWN, LAYERED
from grader.records import (
    Defect,
    Ended,
    FunctionOutline,
    Observation,
    Observations,
    Part,
    Submission,
)
from grader.source.program import Program, Spot

BY_ENDING = {kind.ending: kind.code for kind in KINDS if kind.ending is not None}

FUNCTIONS = {
    "forward": ("forward", Part.FORWARD),
    "difference": ("forward", Part.FORWARD),
    "backward": ("backward", Part.BACKWARD),
    "torch": ("torch_forward_backward", Part.PYTORCH),
    "verify": ("verify", Part.VERIFICATION),
}
"""By the first word of a step: the contract's function, and the part that it is of."""

EXPECTED_TO_FAIL = ("torch/blocked",)


def counts(step: str) -> bool:
    """Return whether a step that ends badly says something about the candidate."""
    return step not in EXPECTED_TO_FAIL and not step.startswith((*DRAWN, LAYERED))


def process_defects(submission: Submission, observations: Observations) -> tuple[Defect, ...]:
    """Return one defect for each distinct way in which the submission's calls went wrong."""
    lines = Program(submission).lines
    found: dict[tuple[str, str | None, int | None], Defect] = {}
    for defect in (
        *map(_unusable, submission.unusable),
        *import_defects(submission, observations, lines),
        *_loading(submission, observations, lines),
        *_calls(submission, observations, lines),
    ):
        found.setdefault((defect.code, defect.file, defect.line), defect)
    return tuple(found.values())


def _unusable(why: str) -> Defect:
    """Return the defect of a submission of which nothing could be graded."""
    hint = "Hand in a folder with solution.py, or that file alone."
    return replace(make("missing-function", f"Nothing could be graded: {why}."), hint=hint)


def _loading(submission: Submission, observations: Observations, lines: Lines) -> Iterator[Defect]:
    for report in (observations.numpy, observations.torch):
        loaded = report.loaded
        if loaded.ok or loaded.ended in (Ended.HARNESS, Ended.RAISED) or not submission.main:
            continue  # of what is raised, see `imports`
        code = BY_ENDING.get(loaded.ended, "import-error")
        words = f"Importing the file failed: {loaded.error or loaded.ended}."
        yield at(make(code, words), own_place(loaded, lines), lines)


def _calls(submission: Submission, observations: Observations, lines: Lines) -> Iterator[Defect]:
    if observations["forward/primes"].lossless:
        words = f"No function gives the loss; the functions found are: {_names(observations)}."
        yield make("missing-function", words, part=Part.FORWARD)
    for step, run in observations.runs.items():
        if run.ok or run.ended in (Ended.NOT_RUN, Ended.HARNESS) or not counts(step):
            continue
        function, part = FUNCTIONS[step.partition("/")[0]]
        if absent := missing_module(submission, run, lines):
            yield replace(absent, part=part)
        elif run.ended is Ended.MISSING:
            yield _absent(function, part, run, observations, lines)
        else:
            code, words, spot = _failed(function, step, run, submission, observations)
            spot = spot or own_place(run, lines)
            yield at(make(code, words, part=part), spot, lines)


def _absent(
    function: str, part: Part, run: Observation, observations: Observations, lines: Lines
) -> Defect:
    """A function that is not there, or is a stub by another name."""
    code = "verify-missing" if part is Part.VERIFICATION else "missing-function"
    names = _names(observations)
    words = f"There is no function {function}; the functions found are: {names}."
    words += f" Instead: {run.error}." if run.error else ""
    if ErrorWord.STUB in error_words(run.error):
        code, words = "incomplete", f"There is no {function} yet: {run.error}."
    named = place_named(run.error)
    spot = own_place(run, lines)
    if named is not None and named[0] in lines:
        spot = Spot(named[0], named[1], named[1])
    return at(make(code, words, part=part), spot, lines)


def _failed(
    function: str, step: str, run: Observation, submission: Submission, observations: Observations
) -> tuple[str, str, Spot | None]:
    """The code and the words of a call that failed, and its line where no traceback has it."""
    said, stubs = error_words(run.error), _stubs(observations)
    words = f"{function}: {run.error or run.ended} (step {step})."
    if function in stubs and run.ended in (Ended.RAISED, Ended.BAD_RETURN):
        spot = None if run.frames else _in_main(submission, stubs[function])
        return "incomplete", f"{function} is a stub.", spot
    if ErrorWord.UNFINISHED in said:
        return "incomplete", f"{function} is not finished: {run.error}.", None
    if run.ended is Ended.RAISED and not run.frames and ErrorWord.ARGUMENTS in said:
        line = _definition(submission, observations, function)
        return "wrong-signature", words, _in_main(submission, line)
    return BY_ENDING[run.ended], words, None


def _in_main(submission: Submission, line: int | None) -> Spot | None:
    return Spot(submission.main, line, line) if line and submission.main else None


def _functions(observations: Observations) -> Iterator[FunctionOutline]:
    """The functions that either child found."""
    for report in (observations.numpy, observations.torch):
        yield from report.functions


def _definition(submission: Submission, observations: Observations, function: str) -> int | None:
    """The line of a function's own definition in the main file; None where it has none there."""
    name = submission.names.get(function, function)
    functions = _functions(observations)
    return next((f.line for f in functions if f.name == name and f.line > 0), None)


def _stubs(observations: Observations) -> dict[str, int]:
    """Name and line of the functions whose body does nothing."""
    return {f.name: f.line for f in _functions(observations) if f.is_stub}


def _names(observations: Observations) -> str:
    return ", ".join(sorted({f.name for f in _functions(observations)})) or "none"
