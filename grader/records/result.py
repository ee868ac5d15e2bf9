"""What explains it, for the pages: notes beside the source, the drawn network, the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from grader.records.correction import Correction
from grader.records.defect import Defect
from grader.records.grade import Grade, OwnVerdict
from grader.records.observation import Observations
from grader.records.submission import Submission
from grader.records.unjudged import Unjudged


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
    """Everything a report shows about one submission.

    `seed` is None where whoever reads it must not repeat the run. `submission` is the answer as it
    was handed in; it was graded with `corrections` made, the first slips of which are `defects`.
    `uncorrected` says why slips were left, "" where there are none. `own_verdict` is None where
    the submission's verification could not be asked; `own_mismatch` are the gradients in which
    its two sides differ.
    """

    submission: Submission
    rubric_id: str
    rubric_title: str
    rubric_digest: str
    seed: int | None
    grade: Grade
    defects: tuple[Defect, ...]
    observations: Observations
    timing: Mapping[str, float] = field(default_factory=dict)
    fault: str = ""  # the harness's own, when undecided
    annotations: tuple[Annotation, ...] = ()
    graph: tuple[GraphNode, ...] = ()
    pictures: Pictures = Pictures()
    corrections: tuple[Correction, ...] = ()
    uncorrected: str = ""
    contract: tuple[str, str] = ("", "")  # title and digest of the course's own, if it has one
    own_verdict: OwnVerdict | None = None
    own_mismatch: tuple[str, ...] = ()
    unjudged: Unjudged | None = None  # why there is no score, where the status says so
