"""What a kind of mistake is: one declaration with all that is known about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from grader.defects.clues import Clues, Finder
from grader.defects.edits.blame import Operator
from grader.defects.names import HandedOn
from grader.defects.simulations import Simulation
from grader.defects.sites.layers import LayerSite
from grader.problem.network import Fault
from grader.records import CheckStatus, Confidence, Ended, Finding, Part, Severity
from grader.source.program import Spot


class Centrality(Enum):
    """How central a mistake is to the exercise; scoring weighs it, from the heaviest on."""

    EXERCISE_NOT_DONE = "the exercise is not done"
    CORE_IDEA = "a central idea is missing"
    CHAIN_STEP = "a step of the chain, or a term, is wrong"
    FACTOR_ON_ALL = "a constant factor or a sign is wrong on most gradients"
    PYTORCH_SIDE = "the PyTorch part is wrong"
    ONE_TENSOR = "a gradient or two, or the loss alone, is wrong"
    EXTREMES_OR_CHECKS = "extreme input, a second call or a check goes wrong"
    OPTIONAL = "optional work is wrong"
    NONE = "a choice or a habit"


class Within(Enum):
    """Where a cause has its consequences."""

    PART = "the cause's own part"
    SIDE = "the cause's own side: the NumPy part or the PyTorch part"
    BEYOND = "everywhere; of the PyTorch part, not in the NumPy part"


@dataclass(frozen=True, slots=True)
class Cover:
    """Defects that only follow from this one, and are not named beside it.

    `tensors`: only those that concern no other tensor. `late`: only where the time was up
    before the calls that are compared. `lends_line`: a cause without a line takes theirs.
    """

    codes: tuple[str, ...]
    within: Within = Within.BEYOND
    tensors: tuple[str, ...] = ()
    late: bool = False
    lends_line: bool = False


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was seen of a kind in behaviour: a message for the candidate, and where it shows.

    `part` where it is another than the kind's own; `spot` where the line is known at once.
    """

    message: str
    tensors: tuple[str, ...] = ()
    confidence: Confidence = Confidence.PROVEN
    part: Part | None = None
    spot: Spot | None = None


Telling = Callable[[Clues, Sequence[Finding]], Iterator[Sighting]]


@dataclass(frozen=True, slots=True)
class Sign:
    """How a kind shows in behaviour. `tell` is asked where one of `checks` ended with `status`,
    and of each that did; always where there are none.

    `unless` names a check that must not have failed; `beside` one that must have passed.
    """

    tell: Telling
    checks: tuple[str, ...] = ()
    status: CheckStatus = CheckStatus.FAIL
    unless: str = ""
    beside: str = ""

    def sights(self, clues: Clues) -> Iterator[Sighting]:
        """Return what is to be seen of the kind."""
        findings = clues.findings
        met = [f for c in self.checks if (f := findings[c]).status is self.status]
        failed = self.unless and findings[self.unless].status is CheckStatus.FAIL
        passed = not self.beside or findings[self.beside].status is CheckStatus.PASS
        if (met or not self.checks) and passed and not failed:
            yield from self.tell(clues, met)


class Repeat(Enum):
    """What a second call shows of a kind."""

    SAME = "the same answer"
    SPOILT = "what the call has changed for others"
    UNSTEADY = "another answer: no single one of them is explained"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of mistake. `code` is published, so it keeps its meaning for good.

    `what` is one sentence. `shows` says how the checks' numbers give it away, `why` derives
    in at most two lines what is wrong with it. `hint` is the candidate's next step and leaves
    the last bit to them; `ask` is a question for the interview. `wrong` and `right` are the
    same few lines of code, before and after.

    How it is recognised: by `faults`, wrong formulas; by `signs` in behaviour; by `ending`, how a
    call ended. `in_pytorch`: the code that its faults go by in the PyTorch part.

    What follows from it: the checks that its formulas lose, or the reference with its `simulation`
    in it; the defects that it `covers`; `refuted_by` a check that passes; in `yields_in` it gives
    way to any other defect.

    Where it stands: `placed` finds the line where no value tells it, and before the value does
    if `sharper`; `handed_on` names the variables of a value that is right under one name and
    wrong under the next; `in_layer` finds the statement of a reusable layer. `scales`: wrong by
    a power of a size, so that a multiple of the wrong value may be right.

    Its repair: `repairs` are the likeliest edits; `beyond_edits`: no single edit repairs it;
    `from_cache`: it may come of a wrong tensor in the cache.
    `unexplained`: what no formula predicts; `not_returned`: gradients that do not come back.
    `unmeasured`: the work was not done or could not be measured, so it costs all that its checks
    are worth. `stops_import`: nothing in the
    file may have been looked at. `breaks_rules`: a person has to look. `needs_review`: so do they,
    at what is no mistake and costs nothing.
    `corrected_cost`: where it is a slip without which the answer runs, the answer is graded without
    it, and this share of what that wins is its cost; 0 where nothing is corrected.
    `shuts` are checks that are not earned whatever their numbers say, for what they measure was
    not done: `"backward.*"` for all of a part, `"pytorch.d{tensor}"` for the defect's own tensors.
    """

    code: str
    part: Part
    centrality: Centrality
    severity: Severity = Severity.MAJOR
    what: str
    shows: str
    why: str
    hint: str
    ask: str
    wrong: str
    right: str
    faults: tuple[Fault, ...] = ()
    signs: tuple[Sign, ...] = ()
    ending: Ended | None = None
    in_pytorch: str = ""
    simulation: Simulation | None = None
    covers: tuple[Cover, ...] = ()
    refuted_by: str = ""
    yields_in: tuple[Part, ...] = ()
    placed: Finder | None = None
    sharper: bool = False
    handed_on: HandedOn | None = None
    in_layer: LayerSite | None = None
    scales: bool = False
    repairs: tuple[Operator, ...] = ()
    beyond_edits: bool = False
    from_cache: bool = False
    repeat: Repeat = Repeat.SAME
    unexplained: bool = False
    not_returned: bool = False
    unmeasured: bool = False
    stops_import: bool = False
    breaks_rules: bool = False
    needs_review: bool = False
    corrected_cost: float = 0.0
    shuts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Give the faults their code."""
        faults = tuple(replace(fault, code=self.code) for fault in self.faults)
        object.__setattr__(self, "faults", faults)

    def shut_checks(self, tensors: Sequence[str], checks: Iterable[str]) -> Iterator[str]:
        """Return which of `checks` are not earned where a defect of this kind has `tensors`."""
        patterns = {p.format(tensor=t) for p in self.shuts for t in tensors or ("",)}
        for check in checks:
            if check in patterns or f"{check.partition('.')[0]}.*" in patterns:
                yield check
