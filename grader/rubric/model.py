"""What a rubric file may say, as pydantic models; `Rubric` is the loaded result.

The descriptions are the manual and the JSON Schema; the examples are what an
error message tells the author to write. Unknown keys are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from grader.rubric.contract import Contract

FORMAT = 1
"""The format version a file states in `rubric: 1`."""
MOST_POINTS = 10_000
MOST_ENTRIES = 200

Id: TypeAlias = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*(\.[a-z0-9_-]+)*$", max_length=64)
]
CheckId: TypeAlias = Annotated[str, StringConstraints(min_length=1)]
Text: TypeAlias = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)
]
Points: TypeAlias = Annotated[float, Field(ge=0, le=MOST_POINTS, allow_inf_nan=False)]

Charging: TypeAlias = Literal["every_check", "once_per_bug", "by_centrality"]

Entry = TypeVar("Entry")
Many: TypeAlias = Annotated[tuple[Entry, ...], Field(max_length=MOST_ENTRIES, strict=False)]
"""A list that may be empty. YAML gives lists, so a tuple must not be literal."""
Some: TypeAlias = Annotated[
    tuple[Entry, ...], Field(min_length=1, max_length=MOST_ENTRIES, strict=False)
]


class _Section(BaseModel):
    """Frozen, and literal: "4" is no number, `yes` is no text, an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Tier(_Section):
    """One step of `credit: tiers`."""

    passed: int = Field(
        ge=1, le=MOST_ENTRIES, description="how many checks must pass", examples=[3]
    )
    points: Points = Field(description="the points this many passes earn", examples=[2.5])


class Item(_Section):
    """One line of the rubric: points, and the checks they rest on, or a human's mark."""

    id: Id = Field(description="unique in the rubric", examples=["loss-value"])
    title: Text = Field(
        description="what the reader of a report sees", examples=["The loss is right"]
    )
    points: Points = Field(description="what the whole item is worth", examples=[4])
    checks: Many[CheckId] = Field(
        default=(),
        description="ids of the checks it rests on; each check may be in one item only",
        examples=[["forward.loss"]],
    )
    credit: Literal["share", "all", "tiers"] = Field(
        default="share",
        description="share: each check an equal share; all: all or nothing; tiers: as `tiers` says",
        examples=["share"],
    )
    tiers: Many[Tier] = Field(
        default=(),
        description="with `credit: tiers`: rising steps, the last worth the item's points",
        examples=[[{"passed": 2, "points": 1}, {"passed": 3, "points": 4}]],
    )
    bonus: bool = Field(
        default=False,
        description="adds to the score, but not to the maximum, which is never exceeded",
        examples=[True],
    )
    manual: bool = Field(
        default=False,
        description="marked by a human; its points stay open and count in no score",
        examples=[True],
    )
    guidance: Many[Text] = Field(
        default=(),
        description="manual items only: the points a good answer makes",
        examples=[["names the gradient at 0 as a convention"]],
    )
    question: int = Field(
        default=0,
        ge=0,
        le=5,
        description="manual items only: the follow-up question, 1 to 5, whose written answer "
        "is shown beside it; 0 for none",
        examples=[1],
    )


class Part(_Section):
    """A group of items, a heading of the report."""

    id: Id = Field(description="unique among the parts", examples=["forward"])
    title: Text = Field(description="the heading", examples=["Forward pass"])
    items: Some[Item] = Field(
        description="the lines of this part",
        examples=[
            [{"id": "loss", "title": "The loss is right", "points": 4, "checks": ["forward.loss"]}]
        ],
    )


class Gate(_Section):
    """Caps the score unless all its checks pass.

    A gate looks at numbers only: it holds also where a defect explains the check. So
    choose caps that take no more than the deduction of a single defect.
    """

    unless: Some[CheckId] = Field(
        description="ids of the checks that all have to pass", examples=[["backward.dW1"]]
    )
    cap: float = Field(
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="the most the score can be, as a fraction of the maximum",
        examples=[0.85],
    )
    because: Text = Field(
        description="the sentence a report gives as the reason",
        examples=["A gradient is wrong, so the score stays below 85 %."],
    )


class Group(_Section):
    """One row of a dimension that is shown row by row."""

    title: Text = Field(description="what the row is about", examples=["Silent broadcasting"])
    checks: Some[CheckId] = Field(
        description="ids of the checks that speak of it", examples=[["forward.bias"]]
    )


class Dimension(_Section):
    """A cross-cut through all parts: counted, never scored."""

    id: Id = Field(description="unique among the dimensions", examples=["shapes"])
    title: Text = Field(description="its name in reports", examples=["Shapes"])
    checks: Many[CheckId] = Field(
        default=(),
        description="ids of the checks it counts; also checks no item uses",
        examples=[["forward.shapes"]],
    )
    groups: Many[Group] = Field(
        default=(),
        description="in place of `checks`: rows, each with its title and checks",
        examples=[[{"title": "Silent broadcasting", "checks": ["forward.bias"]}]],
    )

    @property
    def counted(self) -> tuple[str, ...]:
        """Return every check that it counts, once."""
        grouped = (check for group in self.groups for check in group.checks)
        return tuple(dict.fromkeys((*self.checks, *grouped)))


class Band(_Section):
    """A name for the scores from `at_least` per cent up to the next band."""

    at_least: float = Field(
        ge=0,
        le=100,
        allow_inf_nan=False,
        description="per cent of the maximum; the bands descend, the last is 0",
        examples=[75],
    )
    name: Text = Field(description="what the report calls it", examples=["hire"])


class Deductions(_Section):
    """What a proven defect costs at most, in points, however many checks it fails.

    Numbers decide, diagnosis can only soften: what the failed checks cost is the
    upper limit, so a defect that fails no check costs nothing, whatever stands here.
    """

    major: Points | None = Field(
        default=None,
        description="for a major defect; default: 10 % of the points that checks decide",
        examples=[8],
    )
    minor: Points | None = Field(
        default=None,
        description="for a minor defect; default: 1.25 % of the points that checks decide",
        examples=[1],
    )
    info: Points = Field(
        default=0, description="for a defect that is only worth knowing", examples=[0]
    )
    codes: Mapping[str, Points] = Field(
        default_factory=dict,
        max_length=MOST_ENTRIES,
        description="by defect code, in place of what its severity costs",
        examples=[{"grad-missing-batch-mean": 6}],
    )


Factor: TypeAlias = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Factors(_Section):
    """With `charge: by_centrality`: what one mistake leaves of the score, from 0 to 1.

    The heaviest mistake counts in full, each further one to the power `further`. 1 costs nothing.
    """

    exercise_not_done: Factor = Field(
        default=1.0, description="the exercise is not done", examples=[0.36]
    )
    core_idea: Factor = Field(default=1.0, description="a central idea is missing", examples=[0.45])
    chain_step: Factor = Field(
        default=1.0, description="a step of the chain, or a term, is wrong", examples=[0.56]
    )
    factor_on_all: Factor = Field(
        default=1.0, description="a constant factor or a sign on most gradients", examples=[0.6]
    )
    pytorch_side: Factor = Field(
        default=1.0, description="the PyTorch part is wrong beside right NumPy", examples=[0.65]
    )
    one_tensor: Factor = Field(
        default=1.0, description="a gradient or two, or the loss alone", examples=[0.7]
    )
    extremes_or_checks: Factor = Field(
        default=1.0, description="extreme input, a second call, a loose check", examples=[0.88]
    )
    optional: Factor = Field(
        default=1.0, description="optional layers or finite differences", examples=[0.955]
    )
    own_check_differs: Factor = Field(
        default=1.0,
        description="beside a mistake: the answer's own check reports it",
        examples=[0.9],
    )
    further: Factor = Field(
        default=1.0, description="the power to which each further mistake counts", examples=[0.5]
    )
    codes: Mapping[str, Factor] = Field(
        default_factory=dict,
        max_length=MOST_ENTRIES,
        description="by defect code, in place of what its kind leaves",
        examples=[{"verify-loose-tolerance": 0.84}],
    )

    def of(self, centrality: str) -> float:
        """Return what a mistake of this centrality leaves; 1 for a choice or a habit."""
        return float(getattr(self, centrality, 1.0))


class RubricFile(_Section):
    """A grading rubric: parts with items worth points, gates, dimensions and bands."""

    rubric: Literal[1] = Field(description="version of this format", examples=[FORMAT])
    id: Id = Field(description="short name, recorded in every result", examples=["onsite"])
    title: Text = Field(description="what reports call it", examples=["Onsite interview"])
    parts: Some[Part] = Field(
        description="the parts, in the order of the report",
        examples=[[{"id": "forward", "title": "Forward pass", "items": ["…"]}]],
    )
    gates: Many[Gate] = Field(
        default=(),
        description="caps on the score",
        examples=[[{"unless": ["backward.dW1"], "cap": 0.85, "because": "dW1 is wrong."}]],
    )
    charge: Charging = Field(
        default="every_check",
        description="every_check: points are lost where checks fail, and nothing is given back; "
        "once_per_bug: what a proven defect costs beyond its deduction is given back; "
        "by_centrality: a proven defect gives all of it back, and takes its factor of the score",
        examples=["once_per_bug"],
    )
    deductions: Deductions = Field(
        default=Deductions(),
        description="with `charge: once_per_bug`: what a proven defect costs at most, whatever "
        "its checks are worth",
        examples=[{"major": 8, "minor": 1, "info": 0}],
    )
    factors: Factors = Field(
        default=Factors(),
        description="with `charge: by_centrality`: what one mistake leaves of the score",
        examples=[{"core_idea": 0.45, "one_tensor": 0.7}],
    )
    dimensions: Many[Dimension] = Field(
        default=(),
        description="cross-cuts through all parts",
        examples=[[{"id": "shapes", "title": "Shapes", "checks": ["forward.shapes"]}]],
    )
    bands: Many[Band] = Field(
        default=(),
        description="names for scores, from the highest to 0",
        examples=[[{"at_least": 50, "name": "pass"}, {"at_least": 0, "name": "fail"}]],
    )
    contract: Contract | None = Field(
        default=None,
        description="the course's own skeleton; without it the canonical contract",
        examples=[{"title": "Assignment 1", "names": {"forward": "forward_pass"}}],
    )


class ContractFile(_Section):
    """A contract in a file of its own, as a rubric would hold it."""

    contract: Contract = Field(
        description="the course's own skeleton",
        examples=[{"title": "Assignment 1", "names": {"forward": "forward_pass"}}],
    )


@dataclass(frozen=True, slots=True)
class Rubric:
    """A valid rubric. `text` holds the file's bytes, `digest` ("sha256:…") is theirs.

    `contract` is the rubric's own, or that of the file given beside it.
    """

    id: str
    title: str
    digest: str
    parts: tuple[Part, ...]
    gates: tuple[Gate, ...] = ()
    dimensions: tuple[Dimension, ...] = ()
    bands: tuple[Band, ...] = ()
    charge: str = "every_check"
    deductions: Deductions = field(default_factory=Deductions)
    factors: Factors = field(default_factory=Factors)
    contract: Contract | None = None
    text: bytes = b""
