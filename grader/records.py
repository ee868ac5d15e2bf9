"""The records that travel down the line, in the order in which they arise.

    path → Submission → Observations → Findings → Defects → Grade → pages

All are frozen and complete at birth; every status is an enum. Arrays inside
them are read-only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]

TENSORS = ("W1", "b1", "W2", "b2", "X")
"""The five tensors whose gradients are asked for; the keys of the contract's mapping."""


# ── what is graded ───────────────────────────────────────────────────────────


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
    names to the candidate's own. `defects` were found while taking it in.
    `contract` is what the course says of how answers are called, as JSON ("" for the
    canonical form); see `grader.rubric.contract`.
    `joined` are the files whose names `main` brings together, last the one whose
    names count; then `main` was written by the intake. `notes` are sentences about
    the taking in that cost nothing. `who` is what an export calls the candidate by:
    a participant's number, an email; "" where one submission was graded by itself.
    `written` are the answers of `answers`, of a notebook's text cells and of the source's
    own text, matched to the questions.
    """

    id: str
    name: str
    digest: str
    files: tuple[SourceFile, ...]
    main: str
    names: Mapping[str, str] = field(default_factory=dict)
    answers: str = ""
    passed_over: tuple[str, ...] = ()
    defects: tuple[Defect, ...] = ()
    joined: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    contract: str = ""
    who: str = ""
    written: tuple[WrittenAnswer, ...] = ()

    @property
    def source(self) -> str:
        """The main file's text ("" when there is none)."""
        return next(
            (f.data.decode("utf-8", "replace") for f in self.files if f.path == self.main), ""
        )


@dataclass(frozen=True, slots=True)
class Case:
    """One set of inputs: X [B, D], y [B], W1 [D, H], b1 [H], W2 [H, C], b2 [C]."""

    name: str
    purpose: str
    X: Array
    y: Array
    W1: Array
    b1: Array
    W2: Array
    b2: Array

    @property
    def inputs(self) -> dict[str, Array]:
        """The six arguments of `forward`, in the contract's order."""
        return {n: getattr(self, n) for n in ("X", "y", "W1", "b1", "W2", "b2")}

    @property
    def sizes(self) -> dict[str, int]:
        """`{"B": …, "D": …, "H": …, "C": …}`."""
        (batch, features), (hidden, classes) = self.X.shape, self.W2.shape
        return {"B": batch, "D": features, "H": hidden, "C": classes}


# ── what was seen ────────────────────────────────────────────────────────────


class Ended(StrEnum):
    """How one request to a child ended. The candidate's doing, except the last two."""

    OK = "ok"
    RAISED = "raised"
    BAD_RETURN = "bad-return"
    MISSING = "missing"  # the function asked for is not defined
    TIMEOUT = "timeout"
    MEMORY_LIMIT = "memory-limit"
    OUTPUT_LIMIT = "output-limit"
    CRASH = "crash"
    VIOLATION = "sandbox-violation"
    FRAMEWORK = "framework"  # the NumPy part touched torch's stand-in
    NOT_RUN = "not-run"  # an earlier request took the process, or the time, away
    HARNESS = "harness"  # our fault: undecided, never a zero


@dataclass(frozen=True, slots=True)
class Frame:
    """One line of a traceback inside the submission's own files."""

    file: str
    line: int
    function: str


@dataclass(frozen=True, slots=True)
class Observation:
    """What one request gave. Everything here is untrusted, but well-formed.

    `arrays` are finite in size and of an allowed dtype, nothing more.
    `error` is one line ("ValueError: shapes …"); `traceback` the whole text.
    `seconds` is the judge's clock, pipe included; `cpu_seconds` what the kernel
    charged to the child for it.
    """

    ended: Ended
    arrays: Mapping[str, Array] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    error: str = ""
    traceback: str = ""
    frames: tuple[Frame, ...] = ()
    seconds: float = 0.0
    cpu_seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether the call came back with something that fits the contract."""
        return self.ended is Ended.OK


@dataclass(frozen=True, slots=True)
class ProcessReport:
    """One child's life: how its submission loaded, what it printed, what confined it."""

    loaded: Observation
    functions: tuple[str, ...] = ()
    output: str = ""
    output_bytes: int = 0
    isolation: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Observations:
    """All that was seen of one submission; `runs` by step, such as `forward/primes`."""

    numpy: ProcessReport
    torch: ProcessReport
    runs: Mapping[str, Observation]

    def __getitem__(self, step: str) -> Observation:
        return self.runs.get(step, Observation(Ended.NOT_RUN))


# ── what was found ───────────────────────────────────────────────────────────


class CheckStatus(StrEnum):
    """`skipped` waited for something; `error` is the harness's fault; `manual` is a human's."""

    PASS = "pass"
    FAIL = "fail"
    SKIPPED = "skipped"
    ERROR = "error"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One measured line: expected against observed, on which case.

    `verdict` says whether this line speaks for (`pass`) or against (`fail`) the candidate.
    """

    what: str
    expected: str
    observed: str
    case: str = ""
    ratio: str = ""
    verdict: CheckStatus = CheckStatus.FAIL


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check measured. `waited_for` names the checks a `skipped` one waits on."""

    check: str
    status: CheckStatus
    message: str
    evidence: tuple[Evidence, ...] = ()
    waited_for: tuple[str, ...] = ()


class Severity(StrEnum):
    MAJOR = "major"
    MINOR = "minor"
    INFO = "info"


class Confidence(StrEnum):
    PROVEN = "proven"
    LIKELY = "likely"


@dataclass(frozen=True, slots=True)
class Mend:
    """An edit with which checks pass that did not: run through the whole examination.

    `line` is the first that changes, `before` and `after` the lines that go and come,
    `diff` both with their neighbours as a unified diff's hunks. `passes` are the checks won,
    with the other mends in place where `words`, the sentence about them, says so. For
    interviewers only: it is the solution.
    """

    file: str
    line: int
    before: str
    after: str
    diff: str
    passes: tuple[str, ...]
    words: str


@dataclass(frozen=True, slots=True)
class Defect:
    """One bug, by code, with the tensors it reaches and the line it stands on."""

    code: str
    severity: Severity
    message: str
    hint: str
    tensors: tuple[str, ...] = ()
    confidence: Confidence = Confidence.PROVEN
    file: str | None = None
    line: int | None = None
    end_line: int | None = None
    source: str | None = None
    mend: Mend | None = None


# ── what it is worth ─────────────────────────────────────────────────────────


class GradeStatus(StrEnum):
    GRADED = "graded"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class CheckGrade:
    """A finding with the points its rubric gives it; a `manual` item stands here too."""

    id: str
    title: str
    part: str
    status: CheckStatus
    points: float
    max_points: float
    message: str
    hint: str = ""
    evidence: tuple[Evidence, ...] = ()
    explained_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemGrade:
    """One line of the rubric: its points, and the checks it rests on.

    `open` when a human has to mark it and has not; then `points` is 0 and does not count.
    `given_back` is the share of `points` that its checks did not earn: a proven
    defect explains why they did not pass, and is charged once, in `Grade.charges`.
    `question` is the follow-up question whose written answer is shown beside it, 0 for none.
    """

    id: str
    title: str
    points: float
    max_points: float
    checks: tuple[str, ...]
    open: bool = False
    bonus: bool = False
    guidance: tuple[str, ...] = ()
    given_back: float = 0.0
    question: int = 0


@dataclass(frozen=True, slots=True)
class PartGrade:
    """`points` of `max_points` are decided; `open_points` wait for a human."""

    id: str
    title: str
    points: float
    max_points: float
    open_points: float
    items: tuple[ItemGrade, ...]


@dataclass(frozen=True, slots=True)
class DimensionGroup:
    """One row of a dimension: what its checks say together."""

    title: str
    passed: int
    total: int
    checks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DimensionGrade:
    """A cross-cut through all parts: how many of its checks passed, of those that ran.

    `groups` are its rows, where the rubric has it shown row by row.
    """

    id: str
    title: str
    passed: int
    total: int
    checks: tuple[str, ...]
    groups: tuple[DimensionGroup, ...] = ()


@dataclass(frozen=True, slots=True)
class Charge:
    """What the proven defect `code` costs: `points`, once, however many checks it fails."""

    code: str
    points: float


@dataclass(frozen=True, slots=True)
class Grade:
    """`score` of `max_score` decided points; `open_points` more wait for a human's marks.

    `band` is None when undecided or when the rubric has none. `gates` are the
    sentences of the gates that capped the score; `charges` what each defect costs
    that explains a check which did not pass.
    """

    status: GradeStatus
    score: float
    max_score: float
    open_points: float
    band: str | None
    parts: tuple[PartGrade, ...]
    checks: tuple[CheckGrade, ...]
    dimensions: tuple[DimensionGrade, ...]
    gates: tuple[str, ...] = ()
    charges: tuple[Charge, ...] = ()

    @property
    def fraction(self) -> float:
        """Score as a share of the decided points, in [0, 1]; 0 when nothing is decided."""
        return min(1.0, max(0.0, self.score / self.max_score)) if self.max_score > 0 else 0.0


# ── what explains it ─────────────────────────────────────────────────────────


class Standing(StrEnum):
    """How a tensor or an expression stands; never by itself a ground for points."""

    RIGHT = "right"
    WRONG = "wrong"  # right inputs and a wrong value: here
    FOLLOWS = "follows"  # wrong only because of what came before it
    UNSEEN = "unseen"  # nothing can be said
    GIVEN = "given"  # an input


@dataclass(frozen=True, slots=True)
class Annotation:
    """What one expression was on the case `primes`: a tensor of the problem, or only a shape.

    Lines count from 1, columns in UTF-8 bytes from 0. `phase` is "forward", "backward" or
    "torch". `tensor` reads `dH1`, `B·dZ2` or `mask(Z1)`, "" where it is no known tensor;
    `shape` stands in the problem's letters. `because` are the defect codes that `right`
    rests on where the value is wrong.
    """

    file: str
    line: int
    col: int
    end_line: int
    end_col: int
    phase: str
    tensor: str
    shape: str
    right: Standing
    because: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GraphNode:
    """One tensor of the network in one part ("numpy" or "torch"), and how it stands.

    `because` are the codes of the defects that make it wrong. `measured` where the judge
    compared its numbers; otherwise the trace of the submission's own run says so. `note`
    narrows the status ("on huge logits") or says in which form the tensor was seen.
    `file` and `line` are where the source computes it, if the trace shows it.
    """

    part: str
    name: str
    status: Standing
    because: tuple[str, ...]
    shape: str
    measured: bool = False
    note: str = ""
    file: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class ErrorMap:
    """|candidate - autograd| of the gradient of `tensor` in one part, on one case.

    `levels` stand row by row in `shape`: 0 within tolerance, then 1 to 5, each ten times
    the one before and 5 as large as the gradient itself, 9 for what is not finite. They are
    empty where the shape is wrong. `pattern` says what the wrong entries have in common.
    """

    part: str
    tensor: str
    case: str
    shape: tuple[int, ...]
    levels: tuple[int, ...]
    pattern: str
    wrong: bool


@dataclass(frozen=True, slots=True)
class Curve:
    """Points (x, y) of one quantity of one part; a y need not be finite."""

    part: str
    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Pictures:
    """What the judge's comparisons look like; nothing here is a ground for points.

    `ratios` are of the loss and the gradients to autograd's over the batch size, `growth` the
    loss and the right one over the largest logit, `steps` how far the gradient is from the
    central difference of the own loss, over its step.
    """

    maps: tuple[ErrorMap, ...] = ()
    ratios: tuple[Curve, ...] = ()
    growth: tuple[Curve, ...] = ()
    steps: tuple[Curve, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """Everything a report shows about one submission."""

    submission: Submission
    rubric_id: str
    rubric_title: str
    rubric_digest: str
    seed: int
    grade: Grade
    defects: tuple[Defect, ...]
    observations: Observations
    timing: Mapping[str, float] = field(default_factory=dict)
    fault: str = ""  # the harness's own, when undecided
    annotations: tuple[Annotation, ...] = ()
    graph: tuple[GraphNode, ...] = ()
    pictures: Pictures = Pictures()
    contract: tuple[str, str] = ("", "")  # title and digest of the course's own, if it has one


def read_only(array: Array) -> Array:
    """`array`, contiguous and not writeable: records share it without fear."""
    frozen = np.ascontiguousarray(array) if array.ndim else array.copy()
    frozen.flags.writeable = False
    return frozen
