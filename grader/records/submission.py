"""What is graded: one candidate's answer, as it was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

NUMPY_FUNCTIONS = ("forward", "backward")
TORCH_FUNCTION = "torch_forward_backward"
CONTRACT_FUNCTIONS = (*NUMPY_FUNCTIONS, TORCH_FUNCTION, "verify")
"""The functions that the contract asks for."""

OPTIONAL_NAMES = ("gradient_check", "Linear", "ReLU", "SoftmaxCrossEntropy")
"""What the contract names, and an answer need not have."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a submission; `path` is relative, POSIX, without `..`."""

    path: str
    data: bytes


@dataclass(frozen=True, slots=True)
class WrittenAnswer:
    """What was written on a follow-up question, 1 to 5; 0 where it is not clear on which.

    `where` says in words where it stands.
    """

    question: int
    heading: str
    text: str
    where: str


@dataclass(frozen=True, slots=True)
class Submission:
    """A candidate's answer, read once: these bytes are hashed, executed and shown.

    `id` is safe as a file name and in HTML, CSV and a shell. `main` names the
    file that defines the contract's functions. `names` maps the contract's
    names to the candidate's own. `unusable` says what could not be graded, and why.
    `contract` is what the course says of how answers are called, as JSON ("" for the
    canonical form); see `grader.rubric.contract`.
    `joined` are the files whose names `main` brings together, last the one whose
    names count; then `main` was written by the intake. `notes` are sentences about
    the taking in that cost nothing. `who` is what an export calls the candidate by:
    a participant's number, an email; "" where one submission was graded by itself.
    `written` are the answers of `answers`, of a notebook's text cells and of the source's
    own text, matched to the questions. `unread` are the files that the judge does not read: they
    run, and are not analysed. `left_out` says what was too much to be read or looked at: it is
    shown to a person. `numbers_only`: the judge had no time for more than the numbers. `blank`:
    its Python files hold no statement at all.
    """

    id: str
    name: str
    digest: str
    files: tuple[SourceFile, ...]
    main: str
    names: Mapping[str, str] = field(default_factory=dict)
    answers: str = ""
    passed_over: tuple[str, ...] = ()
    unusable: tuple[str, ...] = ()
    joined: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    contract: str = ""
    who: str = ""
    written: tuple[WrittenAnswer, ...] = ()
    unread: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    numbers_only: bool = False
    blank: bool = False

    @property
    def read(self) -> tuple[SourceFile, ...]:
        """Return the files that the judge reads."""
        return tuple(f for f in self.files if f.path not in self.unread)

    @property
    def source(self) -> str:
        """Return the main file's text ("" when there is none)."""
        return next(
            (f.data.decode("utf-8", "replace") for f in self.files if f.path == self.main), ""
        )
