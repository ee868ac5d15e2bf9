"""The types of what a child reports beside arrays, as JSON (child's side; the judge validates).

A report is a frozen dataclass of numbers, enums, texts and further reports. `metadata` of a
field holds the limits that `observe.replies` enforces: `max_length` in characters or entries.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from grader.child.fields import NAME_CHARS, limited, limited_map
from grader.source.cells import Note

MAX_TRIALS = 600


def type_name(value: Any) -> str:
    """Return the name of a value's type, as long as a report has room for."""
    return type(value).__name__[:NAME_CHARS]


def to_json(report: Any) -> str:
    """Return a report as JSON; a number that JSON lacks is `NaN` or `Infinity`.

    Half a surrogate pair, which no reader of UTF-8 takes, becomes a question mark.
    """
    text = json.dumps(dataclasses.asdict(report), ensure_ascii=False)
    return text.encode("utf-8", "replace").decode()


# ── loading and calls ────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class DefinitionReport:
    """A function or class at module level; `line` is 0 where it was imported."""

    name: str
    line: int
    is_stub: bool


@dataclass(frozen=True, slots=True)
class AttemptReport:
    """The way of calling one part that went furthest, of those `tried`; as in the records.

    `ended`: looking for a way took too long.
    """

    part: str = limited("", NAME_CHARS)
    call: str = limited("")
    error: str = limited("")
    file: str = limited("")
    line: int = 0
    tried: int = 0
    ended: bool = False


@dataclass(frozen=True)
class LoadReport:
    """What an import defined and left out, and how the code is called.

    `notes` say what of module level was not executed; `stand_ins` name the modules that were
    not there. `binding` says in which style the code is called, `deviations` where it strays
    from the course's contract, `alternatives` which further ways fit as well. `contract` is how
    it is called, as JSON that a rubric takes. `attempts` say how far the search for a way came
    where it found none.
    """

    functions: tuple[DefinitionReport, ...] = limited((), 5000)
    notes: tuple[Note, ...] = limited((), 100)
    stand_ins: tuple[str, ...] = limited((), 5000)
    binding: str = ""
    deviations: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    contract: str = ""
    attempts: tuple[AttemptReport, ...] = limited((), 4)


@dataclass(frozen=True, slots=True)
class LayerName:
    """A reusable layer: its kind, its class ("" for a function), and its two methods."""

    kind: str = limited("", NAME_CHARS)
    name: str = limited("", NAME_CHARS)
    forward: str = limited("", NAME_CHARS)
    backward: str = limited("", NAME_CHARS)


@dataclass(frozen=True)
class CallReport:
    """What a call gave beside arrays.

    `loss_type` is the type of the loss. `lossless` where no function gives a loss, `cacheless`
    where the style need not keep anything for backward. `paths` say where in the cache each
    `cache{i}` stands. `problems` say by name why an array is not there; `failures` what was
    raised in a later pass of a stack. `layers` are those that were handed in.
    """

    loss_type: str = limited("", NAME_CHARS)
    lossless: bool = False
    cacheless: bool = False
    paths: tuple[str, ...] = limited((), 64)
    problems: Mapping[str, str] = limited_map(64)
    failures: Mapping[str, str] = limited_map(8)
    layers: tuple[LayerName, ...] = limited((), 8)


@dataclass(frozen=True)
class TraceReport:
    """The names of functions that a trace refers to by number, and what ended the run early."""

    functions: tuple[str, ...] = ()
    stopped: str = limited("")


@dataclass(frozen=True)
class HarnessReport:
    """Names of what was changed in the code that runs beside the candidate's."""

    changed: tuple[str, ...] = limited((), 64)


# ── trials of the candidate's own checks ─────────────────────────────────────


class CorruptionKind(StrEnum):
    """How a gradient is made wrong."""

    SCALE = "scale"
    ENTRY = "entry"
    TRANSPOSE = "transpose"
    MASK = "mask"


class Refusal(StrEnum):
    """How a check says no."""

    RETURN = "return"
    RAISE = "raise"
    PRINT = "print"
    NUMBER = "number"
    COMPARISON = "comparison"


class TrialOutcome(StrEnum):
    """What a check made of one wrong gradient."""

    REFUSED = "refused"
    ACCEPTED = "accepted"
    ABSENT = "absent"  # the gradient never occurs in a run: no error in it can be noticed
    NOT_APPLICABLE = "not applicable"  # a bias has no transpose, or it could not be made wrong


MISSED = (TrialOutcome.ACCEPTED, TrialOutcome.ABSENT)


class CheckForm(StrEnum):
    """How the candidate wrote the verification: a function, or statements of the file itself."""

    NONE = ""
    FUNCTION = "function"
    SCRIPT = "script"


class DifferenceForm(StrEnum):
    """What a finite-difference check does.

    `CHECK` is given the network's inputs, `HELPER` differentiates a function, `COMPARING`
    compares that with a gradient as well.
    """

    NONE = ""
    CHECK = "check"
    HELPER = "helper"
    COMPARING = "comparing"


@dataclass(frozen=True, slots=True)
class Corruption:
    """One way to make a gradient wrong.

    `scale`: times `amount`. `entry`: the entry at that share of the size is changed by the
    largest magnitude. `transpose`, where that keeps the shape. `mask`: as if the ReLU let
    everything pass.
    """

    kind: CorruptionKind
    amount: float


class GradientSide(StrEnum):
    """Which of the two sides gives a gradient."""

    HAND = "hand"
    AUTO = "auto"


@dataclass(frozen=True)
class SayingReport:
    """What one run of a check said, taken apart; what it means only the judge can tell.

    `booleans` and `numbers` are what it returned, `texts` how many texts that held; `good` and
    `bad` count words. `true` and `false` are the places of comparisons that came out so at
    least once. `placed` are the gradients, as `hand W1`, in whose place the judge's stood.
    """

    refuses: bool = False
    booleans: tuple[bool, ...] = limited((), 64)
    numbers: tuple[float, ...] = limited((), 64)
    texts: int = 0
    good: int = 0
    bad: int = 0
    true: tuple[int, ...] = limited((), 5000)
    false: tuple[int, ...] = limited((), 5000)
    placed: tuple[str, ...] = limited((), 10)


@dataclass(frozen=True)
class BlindReport:
    """What a check said in each blind trial, in order; `stopped` is what ended them early."""

    sayings: tuple[SayingReport, ...] = limited((), 64)
    stopped: str = limited("")


@dataclass(frozen=True)
class TrialPlan:
    """What the judge asks for: the corruptions by stage, and the time.

    `ladder` holds relative errors, rising, among which the largest that passes is sought;
    `cases` the names of the sets of inputs that come with the request; `seconds` the time
    after which no trial begins. `thorough` tries everything on every tensor.
    """

    stages: Mapping[str, tuple[Corruption, ...]]
    ladder: tuple[float, ...]
    cases: tuple[str, ...]
    seconds: float
    thorough: bool = False

    @classmethod
    def from_json(cls, text: str) -> TrialPlan:
        """Return the plan in a request, which is the judge's and so well-formed."""
        plan = json.loads(text)
        stages = {
            name: tuple(Corruption(CorruptionKind(c["kind"]), c["amount"]) for c in corruptions)
            for name, corruptions in plan["stages"].items()
        }
        return cls(
            stages, tuple(plan["ladder"]), tuple(plan["cases"]), plan["seconds"], plan["thorough"]
        )


OWN_NUMBERS = "its own numbers"
"""The case of a check that is handed no numbers."""

Place = tuple[str, int]
NOWHERE: Place = ("", 0)
"""File and line; the judge keeps a place that the submission has."""


@dataclass(frozen=True, slots=True)
class TrialReport:
    """One trial: how the gradient of `tensor` was made wrong, and how a check took that.

    `amount` is the factor of `scale`. `side` is the one whose wrong gradient was let through,
    where the other's was not. `by` says how it was refused, `file` and `line` where
    a comparison turned out otherwise ("" and 0: not known).
    """

    case: str = limited("", 40)
    kind: CorruptionKind = CorruptionKind.SCALE
    amount: float = 1.0
    tensor: str = limited("", 4)
    outcome: TrialOutcome = TrialOutcome.NOT_APPLICABLE
    by: Refusal | None = None
    file: str = limited("")
    line: int = 0
    side: GradientSide | None = None


@dataclass(frozen=True)
class VerificationReport:
    """What the trials tell of a verification.

    `accepts` and `accepts_as_is` say whether it accepts a pair that agrees (made to agree
    if need be), and the pair as the submission computes it; None where that is not known.
    `by_as_is` says how the latter was refused. `equalised` where the two sides had to be made
    to agree, `equal` whether that could be done; `sides` whether it computes anything at all.
    `autograd` whether it comes past autograd, `given` whether it is handed inputs; `different`
    are inputs that do not reach both sides alike. Places: `verdict` is the last return,
    `refusal` what turned out badly on an equal pair, `divergence` the line by which the first
    of the `different` came. `stopped` is the error that ended the trials early.
    """

    form: CheckForm = CheckForm.NONE
    accepts: bool | None = None
    accepts_as_is: bool | None = None
    by_as_is: Refusal | None = None
    equalised: bool = False
    equal: bool = True
    sides: bool = True
    autograd: bool = True
    given: bool = True
    different: tuple[str, ...] = limited((), 5)
    verdict: Place = NOWHERE
    refusal: Place = NOWHERE
    divergence: Place = NOWHERE
    trials: tuple[TrialReport, ...] = limited((), MAX_TRIALS)
    stopped: str = limited("")


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far one gradient may be off: the relative error `passes` (0: none tried), `stops` not.

    The next error on the ladder lies between them only; inf where nothing is refused.
    """

    tensor: str = limited("", 4)
    passes: float = 0.0
    stops: float = 0.0


@dataclass(frozen=True)
class DifferenceReport:
    """What the trials tell of a finite-difference check, beside the arrays of its points.

    `asks_step`: the step is the caller's to give. `case` is the set of inputs it was called
    on. `number` is the largest that it returns on right gradients; `tolerance` where its own
    limit lies. `accepts`, `equalised`, `equal` and `stopped` are as in `VerificationReport`.
    """

    kind: DifferenceForm = DifferenceForm.NONE
    name: str = limited("", NAME_CHARS)
    asks_step: bool = False
    case: str = limited("", 40)
    place: Place = NOWHERE
    accepts: bool | None = None
    equalised: bool = False
    equal: bool = True
    number: float | None = None
    tolerance: Tolerance | None = None
    trials: tuple[TrialReport, ...] = limited((), MAX_TRIALS)
    stopped: str = limited("")
