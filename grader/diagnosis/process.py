"""The defects that show in how calls ended, not yet in what they returned."""

from __future__ import annotations

import re
from collections.abc import Iterator

from grader.defects.codes import CODES
from grader.diagnosis.imports import import_defects, missing_module
from grader.observe.plan import DRAWN, LAYERED
from grader.records import (
    Confidence,
    Defect,
    Ended,
    Frame,
    Observation,
    Observations,
    ProcessReport,
    Severity,
    Submission,
)

HINTS = {entry.code: entry.hint for entry in CODES}
BY_ENDING = {
    Ended.MISSING: "missing-function",
    Ended.RAISED: "runtime-error",
    Ended.BAD_RETURN: "wrong-return",
    Ended.TIMEOUT: "timeout",
    Ended.MEMORY_LIMIT: "memory-limit",
    Ended.OUTPUT_LIMIT: "output-limit",
    Ended.CRASH: "crash",
    Ended.VIOLATION: "sandbox-violation",
    Ended.FRAMEWORK: "framework-in-numpy-part",
}
FUNCTIONS = {
    "forward": "forward",
    "difference": "forward",
    "backward": "backward",
    "torch": "torch_forward_backward",
    "verify": "verify",
}
EXPECTED_TO_FAIL = ("torch/blocked",)


def counts(step: str) -> bool:
    """Whether a step that ends badly says something about the candidate."""
    return step not in EXPECTED_TO_FAIL and not step.startswith((*DRAWN, LAYERED))


def process_defects(submission: Submission, observations: Observations) -> tuple[Defect, ...]:
    """One defect for each distinct way in which the submission's calls went wrong."""
    found: dict[tuple[str, str | None, int | None], Defect] = {}
    for defect in (
        *map(_unusable, submission.unusable),
        *import_defects(submission, observations),
        *_loading(submission, observations),
        *_calls(submission, observations),
    ):
        found.setdefault((defect.code, defect.file, defect.line), defect)
    return tuple(found.values())


def _unusable(why: str) -> Defect:
    """Return the defect of a submission of which nothing could be graded."""
    hint = "Hand in a folder with solution.py, or that file alone."
    return Defect("missing-function", Severity.MAJOR, f"Nothing could be graded: {why}.", hint)


def _loading(submission: Submission, observations: Observations) -> Iterator[Defect]:
    for report in (observations.numpy, observations.torch):
        if report.loaded.ok or report.loaded.ended is Ended.HARNESS or not submission.main:
            continue
        if report.loaded.ended is Ended.RAISED:
            continue  # see `imports`
        code = BY_ENDING.get(report.loaded.ended, "import-error")
        words = f"Importing the file failed: {report.loaded.error or report.loaded.ended}."
        yield _defect(code, words, submission, report.loaded)


STUB = "which is a stub"
NO_LOSS = "No function gives the loss"


def _calls(submission: Submission, observations: Observations) -> Iterator[Defect]:
    stubs = _stubs(observations.numpy) | _stubs(observations.torch)
    if (seen := observations["forward/primes"]).lossless:
        names = ", ".join(sorted(_defined(observations))) or "none"
        words = f"{NO_LOSS}; the functions found are: {names}."
        yield _defect("missing-function", words, submission, seen)
    for step, seen in observations.runs.items():
        if seen.ok or seen.ended in (Ended.NOT_RUN, Ended.HARNESS) or not counts(step):
            continue
        function = FUNCTIONS[step.partition("/")[0]]
        if absent := missing_module(submission, seen):
            yield absent
            continue
        code = BY_ENDING[seen.ended]
        line = None
        words = f"{function}: {seen.error or seen.ended} (step {step})."
        if code == "missing-function":
            code = "verify-missing" if function == "verify" else code
            names = ", ".join(sorted(_defined(observations))) or "none"
            words = f"There is no function {function}; the functions found are: {names}."
            words += f" Instead: {seen.error}." if seen.error else ""
            if seen.error.endswith(STUB):
                code, words = "incomplete", f"There is no {function} yet: {seen.error}."
            if at := _said_place(submission, seen.error):
                yield _placed(code, words, submission, *at)
                continue
        elif function in stubs and seen.ended in (Ended.RAISED, Ended.BAD_RETURN):
            code, line = "incomplete", None if seen.frames else stubs[function]
            words = f"{function} is a stub."
        elif "NotImplementedError" in seen.error or seen.error.startswith("it returned None"):
            code, words = "incomplete", f"{function} is not finished: {seen.error}."
        elif seen.ended is Ended.RAISED and not seen.frames and seen.error.startswith("TypeError"):
            code, line = "wrong-signature", _defined_at(submission, observations, function)
        yield _defect(code, words, submission, seen, line)


def _defined_at(submission: Submission, observations: Observations, function: str) -> int | None:
    """The line of a function's own definition in the main file; None where it has none there."""
    own = submission.names.get(function, function)
    reports = (observations.numpy, observations.torch)
    functions = (f for report in reports for f in report.functions)
    return next((f.line for f in functions if f.name == own and f.line > 0), None)


PLACE = re.compile(r"\((?P<file>[^()]{1,200}), line (?P<line>\d{1,7})\)")


def _said_place(submission: Submission, error: str) -> tuple[str, int] | None:
    """The place that the child names for what it found instead."""
    found = PLACE.search(error)
    known = found is not None and any(f.path == found["file"] for f in submission.files)
    return (found["file"], int(found["line"])) if found and known else None


def _placed(code: str, words: str, submission: Submission, file: str, line: int) -> Defect:
    frame = Frame(file, line, "")
    return _defect(code, words, submission, Observation(Ended.MISSING, frames=(frame,)))


def _stubs(report: ProcessReport) -> dict[str, int]:
    """Name and line of the functions whose body does nothing."""
    return {f.name: f.line for f in report.functions if f.is_stub}


def _defined(observations: Observations) -> set[str]:
    reports = (observations.numpy, observations.torch)
    return {f.name for report in reports for f in report.functions}


def _defect(
    code: str, words: str, submission: Submission, seen: Observation, line: int | None = None
) -> Defect:
    """A defect at the innermost of the traceback's lines that is the candidate's own."""
    files = {f.path: f.data.decode("utf-8", "replace").splitlines() for f in submission.files}
    own = [f for f in seen.frames if f.file in files and f.line <= len(files[f.file])]
    file = own[-1].file if own else (submission.main or None) if line else None
    line = line or (own[-1].line if own else None)
    known = file in files and line is not None and 0 < line <= len(files[file])
    source = files[file][line - 1].strip() if known and file and line else None
    return Defect(
        code, Severity.MAJOR, words, HINTS[code], (), Confidence.PROVEN, file, line, line, source
    )
