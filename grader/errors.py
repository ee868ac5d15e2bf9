"""The exception tree: *whose* fault it is, is the type.

    GraderError
    ├── CallerError            the command line or the path is wrong       exit 2
    │   └── RubricError        the rubric is wrong (all problems at once)  exit 2
    ├── SubmissionError        the candidate's files cannot be taken in    graded, with a defect
    └── HarnessError           ours, or the machine's: never a zero        exit 3
        ├── SandboxError       a zygote or a pipe failed
        └── IsolationError     this machine cannot isolate; refusing

What a submission does *while it runs* is no exception here: it is data
(`records.Ended`), because it is the normal course of grading.
"""

from __future__ import annotations


class GraderError(Exception):
    """Base of everything this package raises on purpose; `str()` is a full sentence."""


class CallerError(GraderError):
    """The call cannot be carried out as asked. The message says what to do instead."""


class RubricError(CallerError):
    """A rubric file is not usable.

    `problems` holds one line each, as ``file:line: what is wrong; what to write``.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class SubmissionError(GraderError):
    """A candidate's files cannot be taken in (a bomb, an unreadable archive, no Python)."""


class HarnessError(GraderError):
    """The grader or the machine failed; the submission stays `undecided`."""


class SandboxError(HarnessError):
    """A zygote died, did not start in time, or broke the control protocol."""


class IsolationError(HarnessError):
    """This machine cannot confine a stranger's code as required."""
