"""The `Grade` of findings and defects under a rubric: points are added and capped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from types import MappingProxyType

from grader.checks import Check
from grader.errors import HarnessError
from grader.records import (
    Charge,
    CheckGrade,
    CheckStatus,
    Defect,
    DimensionGrade,
    DimensionGroup,
    Finding,
    Grade,
    GradeStatus,
    ItemGrade,
    MistakeGrade,
    OwnVerdict,
    PartGrade,
)
from grader.rubric import Band, Dimension, Gate, Part, Rubric
from grader.scoring.deductions import BY_CENTRALITY, explanations, soften
from grader.scoring.items import NOTHING, UNDECIDED, ItemScore, Share, exact, score_item
from grader.scoring.mistakes import left_by_mistakes, unjudged_because, unnamed_checks
from grader.scoring.shut import shut

NOT_RUN = "This check was not run: a fault of the grader. Run it again; report it if it stays."
FOR_A_HUMAN = "Open: a human marks this."
MARKED = "A human marked this."
NO_EXPLANATION: Mapping[str, Sequence[str]] = MappingProxyType({})
NO_MARKS: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Declaration:
    """A check's declaration where the check itself is not at hand."""

    id: str
    title: str
    hint: str
    part: str


def grade(
    rubric: Rubric,
    findings: Sequence[Finding],
    checks: Mapping[str, Check | Declaration],
    *,
    defects: Sequence[Defect] = (),
    explained: Mapping[str, Sequence[str]] = NO_EXPLANATION,
    marks: Mapping[str, float] = NO_MARKS,
    own_verdict: OwnVerdict | None = None,
    unjudged: bool = False,
    corrected: Sequence[Charge] = (),
) -> Grade:
    """Return what `findings` are worth under `rubric`; `checks` are all declared checks, by id.

    `explained` gives, by check id, the codes of the proven ones among `defects` that
    fully explain why it did not pass. Each of them is charged once, up to its
    deduction, and the rest of the loss is given back; a defect without a failed
    check costs nothing. With `charge: by_centrality` all of it is given back in the score, what
    is left of that follows from `mistakes`, to which `own_verdict` belongs, and parts and items
    show what their checks earned. Statuses stay as they are, and so do the gates, which look at
    nothing else. Only what a proven defect shuts is failed beforehand, and none of it is given
    back.

    `marks` are points that a human gave, by the id of a manual item: these count, in
    `max_score` too; the other manual items stay open.

    `unjudged`: there is no score and no band, for the answer could not be called or read.
    `corrected` is what slips cost that were corrected in what the findings are of; it comes off
    the score, below the gates.

    What a check leaves to a person is in `max_score` and not earned: they decide it by
    an override. A check without a finding counts as an error. Any error leaves the grade
    undecided and its points out of `max_score`. Raises HarnessError when a
    check was found twice or was never declared, when `explained` names an
    unknown check or a defect that is not proven, or when a mark is of no manual
    item, or not from 0 to its points.
    """
    after = shut(_complete(rubric, findings, checks), defects)
    by_check, explained = after.findings, {**explained, **after.codes}
    if rubric.charge == BY_CENTRALITY:
        explained = {**explained, **unjudged_because(by_check, explained)}
    statuses = {check: finding.status for check, finding in by_check.items()}
    reasons = explanations(statuses, explained, defects)
    found_only = [score_item(i, statuses) for part in rubric.parts for i in part.items]
    charged = reasons
    if rubric.charge == BY_CENTRALITY:  # wrong numbers are charged by a factor, named or not
        unnamed = unnamed_checks(statuses, reasons, defects).values()
        charged = {**reasons, **{check: ("",) for checks in unnamed for check in checks}}
    softened, charges = soften(rubric, found_only, statuses, charged, defects)
    marked = _mark_scores(rubric, marks)
    undecided = CheckStatus.ERROR in statuses.values()
    mistakes: tuple[MistakeGrade, ...] = ()
    if rubric.charge == BY_CENTRALITY:
        left = left_by_mistakes(rubric.factors, defects, statuses, reasons, own_verdict)
        earned, decided = _sum(softened.values())
        automatic = left.score(earned, decided)
        for code, taken in left.shares(earned - automatic).items():
            charges[code] = charges.get(code, NOTHING) + taken
        mistakes = tuple(mistake.graded for mistake in left.mistakes)
        given, of = _sum(marked.values())
        score, max_score = automatic + given, decided + of
        softened = {score.item.id: score for score in found_only}
    else:
        score, max_score = _sum({**softened, **marked}.values())
    shown = {**softened, **marked}
    scored = [(part, [shown[item.id] for item in part.items]) for part in rubric.parts]
    score, gates = _apply_gates(rubric.gates, statuses, score, max_score)
    for charge in corrected:
        score -= min(score, exact(charge.points))
        charges[charge.code] = charges.get(charge.code, NOTHING) + exact(charge.points)
    parts = tuple(_part(part, scores) for part, scores in scored)
    status = GradeStatus.UNJUDGED if unjudged else GradeStatus.GRADED
    status = GradeStatus.UNDECIDED if undecided else status
    return Grade(
        status=status,
        score=float(score),
        max_score=float(max_score),
        open_points=float(sum((_open(scores) for _, scores in scored), NOTHING)),
        band=None if status is not GradeStatus.GRADED else _band(rubric.bands, score, max_score),
        parts=parts,
        checks=_check_grades(scored, by_check, checks, reasons),
        dimensions=tuple(_dimension(each, statuses) for each in rubric.dimensions),
        gates=(*after.sentences, *gates),
        mistakes=mistakes,
        charges=tuple(Charge(code, float(points)) for code, points in charges.items()),
        corrected=tuple(corrected),
    )


def _sum(scores: Iterable[ItemScore]) -> tuple[Fraction, Fraction]:
    """Return the points and the maximum, which a bonus fills up and never raises."""
    every = list(scores)
    most = sum((s.max_points for s in every if not s.item.bonus), NOTHING)
    return min(sum((s.points for s in every), NOTHING), most), most


def with_score(rubric: Rubric, judged: Grade, points: float) -> Grade:
    """Return a grade with the score that a human gave for all of it, up to its maximum."""
    score = min(exact(points), exact(judged.max_score))
    band = _band(rubric.bands, score, exact(judged.max_score))
    return replace(judged, status=GradeStatus.GRADED, score=float(score), band=band)


def without_score(judged: Grade) -> Grade:
    """Return a grade as that of an answer that could not be called or read."""
    return replace(judged, status=GradeStatus.UNJUDGED, band=None)


def _complete(
    rubric: Rubric, findings: Sequence[Finding], checks: Mapping[str, Check | Declaration]
) -> dict[str, Finding]:
    """Return one finding for every check that is declared or named by the rubric."""
    by_check: dict[str, Finding] = {}
    for finding in findings:
        if finding.check in by_check:
            raise HarnessError(f"two findings for {finding.check}; a check reports once")
        if finding.check not in checks:
            raise HarnessError(f"a finding for {finding.check}, which no check declares; add it")
        by_check[finding.check] = finding
    named = [check for part in rubric.parts for item in part.items for check in item.checks]
    named += [check for gate in rubric.gates for check in gate.unless]
    named += [check for dimension in rubric.dimensions for check in dimension.counted]
    for check in (*named, *checks):
        by_check.setdefault(check, Finding(check, CheckStatus.ERROR, NOT_RUN))
    return by_check


def _mark_scores(rubric: Rubric, marks: Mapping[str, float]) -> dict[str, ItemScore]:
    """Return the scores of the manual items that a human has marked, by id."""
    manual = {item.id: item for part in rubric.parts for item in part.items if item.manual}
    scores: dict[str, ItemScore] = {}
    for id, points in marks.items():
        if id not in manual:
            raise HarnessError(f"a mark for {id}, which is no manual item of this rubric")
        if not 0 <= points <= manual[id].points:
            raise HarnessError(f"a mark of {points} for {id}, which is worth {manual[id].points}")
        whole = exact(manual[id].points)
        scores[id] = ItemScore(manual[id], exact(points), whole, {})
    return scores


def _apply_gates(
    gates: Sequence[Gate],
    statuses: Mapping[str, CheckStatus],
    score: Fraction,
    max_score: Fraction,
) -> tuple[Fraction, tuple[str, ...]]:
    """Return the score under all gates, and the reasons of those that took something away."""
    against = (CheckStatus.FAIL, CheckStatus.SKIPPED)

    def closes(check: str) -> bool:
        """Tell whether a check failed or waits; so does one whose part could not be called."""
        runs = statuses.get(f"{check.partition('.')[0]}.runs")
        uncalled = statuses[check] is CheckStatus.MANUAL and runs is CheckStatus.MANUAL
        return uncalled or statuses[check] in against

    closed = [gate for gate in gates if any(map(closes, gate.unless))]
    effective = [gate for gate in closed if score > exact(gate.cap) * max_score]
    lowest = min((exact(gate.cap) * max_score for gate in effective), default=score)
    return lowest, tuple(gate.because for gate in effective)


def _band(bands: Sequence[Band], score: Fraction, max_score: Fraction) -> str | None:
    """Return the highest band reached; None when there are no bands, or nothing was decided."""
    if max_score <= 0:
        return None
    percent = 100 * score / max_score
    return next((band.name for band in bands if percent >= exact(band.at_least)), None)


def _open(scores: Sequence[ItemScore]) -> Fraction:
    """Return points that wait for a human, not for a repair of the grader."""
    return sum((s.open for s in scores), NOTHING)


def _part(part: Part, scores: Sequence[ItemScore]) -> PartGrade:
    """Return a part's decided points. Those of a bonus are added, and may exceed the maximum."""
    return PartGrade(
        id=part.id,
        title=part.title,
        points=float(sum((s.points for s in scores), NOTHING)),
        max_points=float(sum((s.max_points for s in scores if not s.item.bonus), NOTHING)),
        open_points=float(_open(scores)),
        items=tuple(_item(s) for s in scores),
    )


def _item(score: ItemScore) -> ItemGrade:
    """Return one line; open when a human has to mark all of it."""
    item = score.item
    still_open = score.max_points == 0 and item.manual
    return ItemGrade(
        id=item.id,
        title=item.title,
        points=float(score.points),
        max_points=float(score.open if still_open else score.max_points),
        checks=item.checks,
        open=still_open,
        bonus=item.bonus,
        guidance=item.guidance,
        given_back=float(score.given_back),
        question=item.question,
    )


def _dimension(dimension: Dimension, statuses: Mapping[str, CheckStatus]) -> DimensionGrade:
    """Counts what has a verdict; a skipped check has not passed."""
    groups = [
        DimensionGroup(group.title, *_counted(group.checks, statuses), group.checks)
        for group in dimension.groups
    ]
    passed, total = _counted(dimension.counted, statuses)
    title, checks = dimension.title, dimension.counted
    return DimensionGrade(dimension.id, title, passed, total, checks, tuple(groups))


def _counted(checks: Sequence[str], statuses: Mapping[str, CheckStatus]) -> tuple[int, int]:
    """Return how many passed, and how many have a verdict."""
    ran = [statuses[c] for c in checks if statuses[c] not in UNDECIDED]
    return ran.count(CheckStatus.PASS), len(ran)


# ── the checks, one by one ───────────────────────────────────────────────────


def _check_grades(
    scored: Sequence[tuple[Part, Sequence[ItemScore]]],
    by_check: Mapping[str, Finding],
    checks: Mapping[str, Check | Declaration],
    reasons: Mapping[str, tuple[str, ...]],
) -> tuple[CheckGrade, ...]:
    """Return all checks and manual items in the rubric's order, then those it does not use."""
    grades: list[CheckGrade] = []
    used: set[str] = set()

    def declared(check: str) -> Check | Declaration:
        unlisted = Declaration(check, check, "", check.partition(".")[0])
        return checks.get(check, unlisted)

    for part, scores in scored:
        for score in scores:
            if score.item.manual:
                grades.append(_manual(score, part.id))
            for check, share in score.shares.items():
                grades.append(_check(declared(check), part.id, by_check[check], share, reasons))
                used.add(check)
    for check, finding in by_check.items():
        if check not in used:
            known, nothing = declared(check), Share(NOTHING, NOTHING)
            grades.append(_check(known, known.part, finding, nothing, reasons))
    return tuple(grades)


def _check(
    declared: Check | Declaration,
    part: str,
    finding: Finding,
    share: Share,
    reasons: Mapping[str, tuple[str, ...]],
) -> CheckGrade:
    return CheckGrade(
        id=finding.check,
        title=declared.title,
        part=part,
        status=finding.status,
        points=float(share.points),
        max_points=float(share.max_points),
        message=finding.message,
        hint=declared.hint,
        evidence=finding.evidence,
        explained_by=reasons.get(finding.check, ()),
    )


def _manual(score: ItemScore, part: str) -> CheckGrade:
    marked = score.max_points > 0
    return CheckGrade(
        id=score.item.id,
        title=score.item.title,
        part=part,
        status=CheckStatus.MANUAL,
        points=float(score.points),
        max_points=float(score.item.points),
        message=MARKED if marked else FOR_A_HUMAN,
    )
