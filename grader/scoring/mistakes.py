"""What is left of the score after each mistake, by how central it is to the exercise.

The rubric's `factors` say what one mistake leaves. The heaviest counts in full, each further
one to the power `further`; what is optional counts by itself. Three markers of forty answers
charged like that: see `rubrics/onsite.yaml`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain

from grader.checks.differences import DIFFERENCES
from grader.checks.layers import LAYERS
from grader.checks.tensors import COMPARED, LAYER_ALONE
from grader.checks.trials import TRIALS
from grader.checks.verification import accepts
from grader.defects import BY_CODE, KINDS, Centrality, Repeat
from grader.records import (
    TENSORS,
    CheckStatus,
    Confidence,
    Defect,
    Finding,
    MistakeGrade,
    OwnVerdict,
    Part,
    Where,
)
from grader.rubric import Factors
from grader.scoring.deductions import NOT_ASKED, SHUTTING, UNMEASURED
from grader.scoring.words import NOT_DONE, NOT_RUN, OWN_CHECK, TITLES, WRONG


def _core(part: str, tensors: Sequence[str]) -> tuple[str, ...]:
    """Return the checks that compare these tensors on ordinary inputs."""
    return tuple(check for tensor in tensors for check in COMPARED[part][tensor][:1])


_GRADIENTS = tuple(f"d{t}" for t in TENSORS)

CORE: Mapping[Part, tuple[str, ...]] = {
    Part.FORWARD: _core("numpy", ("loss",)),
    Part.BACKWARD: _core("numpy", _GRADIENTS),
    Part.PYTORCH: _core("torch", ("loss", *_GRADIENTS)),
}
"""The checks of the numbers that the exercise is about, on ordinary inputs."""

VERIFYING = tuple(c.id for c in (accepts, *TRIALS))
"""The checks of a verification that is there."""

AGAINST = (CheckStatus.FAIL, CheckStatus.SKIPPED)

SLIP = 2
"""Most gradients of the five that a slip reaches: the others show that the idea is known."""

OPTIONAL_COUNTED = 3
"""Mistakes in optional work that count; the markers never went below "hire" for more."""

OPTIONAL: Mapping[Where, frozenset[str]] = {
    Where.LAYERS: frozenset(check.id for check in LAYERS),
    Where.NETWORK: frozenset(check.id for check in DIFFERENCES),
}
"""The checks of what nobody has to write: layers, and finite differences beside the network."""

LOST = (UNMEASURED | SHUTTING) - NOT_ASKED
"""Codes of which the points are lost."""

UNSTEADY = frozenset(kind.code for kind in KINDS if kind.repeat is Repeat.UNSTEADY)
"""Codes of which no single answer is explained."""

WIDE = (Centrality.CORE_IDEA, Centrality.CHAIN_STEP, Centrality.FACTOR_ON_ALL)

NONE_OF_IT = Centrality.EXERCISE_NOT_DONE
NOT_THERE = (NONE_OF_IT, Centrality.CORE_IDEA, Centrality.FACTOR_ON_ALL)
"""What a part weighs of which nothing could be measured: the derivation most, a PyTorch part that
was written and stops less than one that is not there."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One root error: what it leaves of the score, and why.

    `code` is "" where no defect explains the wrong numbers. `name` is the rubric's factor,
    `whole` what it leaves alone. `kept`: what its checks lost is lost in points, so its factor is
    only the most that may be left.
    """

    code: str
    why: str
    name: str
    whole: float
    power: float = 1.0
    kept: bool = False

    @property
    def factor(self) -> float:
        """Return what it leaves beside heavier ones."""
        return float(self.whole**self.power)

    @property
    def graded(self) -> MistakeGrade:
        """Return it as a record, with what the reader of a report is told."""
        what = f"{self.code}: {self.why}" if self.code else self.why
        says = f"{what}; {100 * self.factor:.3g} % of the score is left."
        return MistakeGrade(self.code, self.name, self.power, self.factor, says)


@dataclass(frozen=True, slots=True)
class Left:
    """What all mistakes leave: of the points, and at most of the maximum."""

    mistakes: tuple[Mistake, ...]
    of_points: float
    at_most: float

    def score(self, points: Fraction, max_score: Fraction) -> Fraction:
        """Return the points that are left of `points`."""
        of_points = points * Fraction(repr(round(self.of_points, 6)))
        return min(of_points, max_score * Fraction(repr(round(self.at_most, 6))))

    def shares(self, lost: Fraction) -> dict[str, Fraction]:
        """Return what each code took of the `lost` points, in proportion to its factor's log."""
        weights = {m.code: Fraction(0) for m in self.mistakes if m.code}
        for mistake in self.mistakes:
            if mistake.code and mistake.factor > 0:
                weights[mistake.code] += Fraction(repr(-math.log(mistake.factor)))
        total = sum((Fraction(repr(-math.log(m.factor))) for m in self.mistakes), Fraction(0))
        return {code: lost * weight / total for code, weight in weights.items() if total}


def unjudged_because(
    findings: Mapping[str, Finding], explained: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    """Return, by check that could not be judged, the codes of what it waits for.

    It waits for checks that failed, and each of them is explained by a mistake that is charged: so
    it costs nothing more. Work that was not done explains nothing that waits for it.
    """
    because: dict[str, tuple[str, ...]] = {}
    for check, finding in findings.items():
        if finding.status is not CheckStatus.SKIPPED or explained.get(check):
            continue
        failed = [
            waited
            for waited in finding.waited_for
            if waited in findings and findings[waited].status is not CheckStatus.PASS
        ]
        codes = dict.fromkeys(code for waited in failed for code in explained.get(waited, ()))
        if failed and all(explained.get(waited) for waited in failed) and not codes.keys() & LOST:
            because[check] = tuple(codes)
    return because


def left_by_mistakes(
    factors: Factors,
    defects: Sequence[Defect],
    statuses: Mapping[str, CheckStatus],
    explained: Mapping[str, Sequence[str]],
    own_verdict: OwnVerdict | None,
) -> Left:
    """Return what the mistakes leave of the score.

    A proven defect counts where it explains a check that did not pass, or stands in optional
    work that failed; wrong numbers that nothing explains count as a mistake by themselves.
    """
    every = [*_proven(factors, defects, statuses, explained)]
    every += _unnamed(factors, unnamed_checks(statuses, explained, defects))
    core = sorted(every, key=lambda m: m.whole)
    optional = [*_optional(factors, defects, statuses)][:OPTIONAL_COUNTED]
    counted = [*core[:1], *(replace(m, power=factors.further) for m in core[1:])]
    if core and own_verdict is not None and own_verdict in OWN_CHECK:
        left = factors.own_check_differs
        counted.append(Mistake("", OWN_CHECK[own_verdict], "own_check_differs", left))
    counted += optional
    of_points = math.prod(m.factor for m in counted if not m.kept)
    return Left(tuple(counted), of_points, math.prod(m.factor for m in counted))


def _proven(
    factors: Factors,
    defects: Sequence[Defect],
    statuses: Mapping[str, CheckStatus],
    explained: Mapping[str, Sequence[str]],
) -> Iterator[Mistake]:
    """Yield each proven defect that costs something, once for each part it arises in."""
    open_checks = [check for check in explained if statuses[check] in AGAINST]
    explaining = {code for check in open_checks for code in explained[check]}
    proven = [
        d
        for d in defects
        if d.confidence is Confidence.PROVEN
        and (d.code in explaining or (d.code in UNMEASURED and _is_felt(d.part, statuses)))
    ]
    no_torch = any(d.part is Part.PYTORCH and _is_undone(d, statuses) for d in proven)
    for defect in {(d.code, d.part): d for d in reversed(proven)}.values():
        centrality = centrality_of(defect, statuses)
        if defect.part is Part.VERIFICATION and no_torch:
            continue  # there is nothing to compare
        name = centrality.name.lower()
        factor = factors.of(name)
        if centrality is _kind(defect.code) and defect.code in factors.codes:
            name, factor = f"codes.{defect.code}", factors.codes[defect.code]
        if factor < 1.0 and centrality is not Centrality.OPTIONAL:
            undone = _is_undone(defect, statuses)
            why = NOT_DONE.format(TITLES[defect.part]) if undone else centrality.value
            yield Mistake(defect.code, why, name, factor, kept=defect.code in LOST)


def _is_felt(part: Part, statuses: Mapping[str, CheckStatus]) -> bool:
    """Return whether a part lost a check that it is about, or any part where it stops all of it.

    What could not be called is left to a person, and not lost.
    """
    every = (*chain.from_iterable(CORE.values()), *VERIFYING)
    checks = VERIFYING if part is Part.VERIFICATION else CORE.get(part, every)
    left = any(statuses.get(check) is CheckStatus.MANUAL for check in CORE.get(part, ()))
    return _lost(checks, statuses) > 0 and not left


def _is_undone(defect: Defect, statuses: Mapping[str, CheckStatus]) -> bool:
    """Return whether a part of the network is not there, does not run or was not derived."""
    lost = defect.code in LOST and defect.part in CORE
    return lost and centrality_of(defect, statuses) in NOT_THERE


def _kind(code: str) -> Centrality:
    """Return how central a kind is; a code of an older result may be gone."""
    kind = BY_CODE.get(code)
    return Centrality.ONE_TENSOR if kind is None else kind.centrality


def centrality_of(defect: Defect, statuses: Mapping[str, CheckStatus]) -> Centrality:
    """Return how central a defect is where it stands, and by what its numbers say.

    In optional work nothing is central. Right numbers that were not derived are no exercise. Where
    a part's numbers are right on ordinary inputs, only extremes are wrong. A part that does not
    run is not done. The PyTorch part alone being wrong leaves the derivation. What reaches the
    loss alone, or a gradient or two, is a slip.
    """
    kind, part = _kind(defect.code), defect.part
    if kind is Centrality.NONE:
        return kind
    if defect.where is Where.LAYERS or kind is Centrality.OPTIONAL:
        return Centrality.OPTIONAL
    core, torch = CORE.get(part, ()), part is Part.PYTORCH
    if not core or (kind is NONE_OF_IT and defect.code in SHUTTING):
        return kind
    lost = _lost(core, statuses)
    if not lost:
        return Centrality.EXTREMES_OR_CHECKS
    if part is Part.FORWARD:
        lost += _lost(CORE[Part.BACKWARD], statuses)
    lacking = len(defect.tensors) or len(TENSORS)
    if defect.code in UNMEASURED and min(lost, lacking) > SLIP:
        written = Centrality.FACTOR_ON_ALL if kind is not NONE_OF_IT else Centrality.CORE_IDEA
        return written if torch else NONE_OF_IT
    if torch:
        return kind if kind is Centrality.EXTREMES_OR_CHECKS else Centrality.PYTORCH_SIDE
    reached = lacking if part is Part.BACKWARD else lost
    return Centrality.ONE_TENSOR if kind in WIDE and reached <= SLIP else kind


def _lost(checks: Sequence[str], statuses: Mapping[str, CheckStatus]) -> int:
    """Return how many did not pass; what is left to a person is not lost."""
    return sum(statuses.get(check) in AGAINST for check in checks)


def unnamed_checks(
    statuses: Mapping[str, CheckStatus],
    explained: Mapping[str, Sequence[str]],
    defects: Sequence[Defect],
) -> dict[Part, tuple[str, ...]]:
    """Return by part the checks of ordinary numbers that failed for no known reason.

    None of a part that does not run; what waits for a part that is not there is left out.
    """
    proven = [d for d in defects if d.confidence is Confidence.PROVEN]
    named = {code for codes in explained.values() for code in codes}
    undone = {d.part for d in proven if d.code in LOST | (UNSTEADY & named)}
    unnamed: dict[Part, tuple[str, ...]] = {}
    for part, checks in CORE.items():
        open_checks = [c for c in checks if not explained.get(c)]
        wrong = tuple(c for c in open_checks if statuses.get(c) is CheckStatus.FAIL)
        waiting = [c for c in open_checks if statuses.get(c) is CheckStatus.SKIPPED]
        follows = part is Part.BACKWARD and Part.FORWARD in undone
        if part not in undone and (wrong or (len(waiting) == len(checks) and not follows)):
            unnamed[part] = wrong
    verifying = [c for c in VERIFYING if statuses.get(c) in AGAINST and not explained.get(c)]
    runs = not undone & CORE.keys() and all(unnamed.values())
    if verifying and runs and not any(d.part is Part.VERIFICATION for d in proven):
        unnamed[Part.VERIFICATION] = ()
    return unnamed


def _unnamed(factors: Factors, unnamed: Mapping[Part, Sequence[str]]) -> Iterator[Mistake]:
    """Yield one mistake for each part that is wrong, or does not run, for no known reason."""
    for part, wrong in unnamed.items():
        centrality = Centrality.CORE_IDEA
        if wrong and len(wrong) <= SLIP:
            centrality = Centrality.ONE_TENSOR
        if part is Part.PYTORCH and wrong:
            centrality = Centrality.PYTORCH_SIDE
        if part is Part.VERIFICATION:
            centrality = Centrality.EXTREMES_OR_CHECKS
        what = WRONG[part] if wrong else NOT_RUN[part]
        why = f"{what}, and no known mistake explains it"
        name = centrality.name.lower()
        kept = not wrong and part is not Part.VERIFICATION
        yield Mistake("", why, name, factors.of(name), kept=kept)


def _optional(
    factors: Factors, defects: Sequence[Defect], statuses: Mapping[str, CheckStatus]
) -> Iterator[Mistake]:
    """Yield what is wrong in optional work that failed: its proven defects, or its checks."""
    failed = {check for check, status in statuses.items() if status is CheckStatus.FAIL}
    for where, checks in OPTIONAL.items():
        if not failed & checks:
            continue
        codes = {
            d.code: None
            for d in defects
            if centrality_of(d, statuses) is Centrality.OPTIONAL
            and (d.confidence, d.where) == (Confidence.PROVEN, where)
        }
        alone = checks & failed & set(LAYER_ALONE.values())
        names = [*codes, *[""] * (max(len(alone), 1) - len(codes))]
        why, left = Centrality.OPTIONAL.value, factors.optional
        yield from (Mistake(code, why, "optional", left) for code in names)
