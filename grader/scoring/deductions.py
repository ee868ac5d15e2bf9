"""One bug is charged once: what its checks lost, and never more than its deduction.

So it is where the rubric asks for it (`charge: once_per_bug`); with `charge: by_centrality` all
of it is given back, and `mistakes` charges it. Else each check costs what it is worth, and
nothing is given back.

Numbers decide, diagnosis can only soften. The points that explained checks lost
are summed for each set of defects that explains them; what goes beyond the
deductions of these defects is given back, over those checks, in proportion to
what they lost. Statuses stay as they are, and gates look at statuses. A check
that nothing explains keeps its full loss, a defect that fails no check costs
nothing, and a bonus, which nobody loses, is never given back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from grader.defects import KINDS
from grader.errors import HarnessError
from grader.records import CheckStatus, Confidence, Defect, Part, Severity
from grader.rubric import Rubric
from grader.scoring.charges import Codes, allocate
from grader.scoring.items import NOTHING, UNDECIDED, ItemScore, Share, exact, score_item

UNMEASURED = frozenset(kind.code for kind in KINDS if kind.unmeasured)
SHUTTING = frozenset(kind.code for kind in KINDS if kind.shuts)
"""Codes that cost all that their checks lost, unless the rubric names them: the work was
not done, or could not be measured, and what was not shown is not earned. What a kind shuts costs
all of it, whatever the rubric says."""

NOT_ASKED = frozenset(k.code for k in KINDS if k.shuts and k.part is Part.PYTORCH)
"""Codes of a PyTorch part that does not ask autograd: a factor charges that, and no points."""

ONCE, BY_CENTRALITY = "once_per_bug", "by_centrality"
"""The ways to charge under which anything is given back."""

BY_SEVERITY = {
    Severity.MAJOR: Fraction(1, 10),
    Severity.MINOR: Fraction(1, 80),
    Severity.INFO: NOTHING,
}
"""Of the points that checks decide, when the rubric does not say."""


@dataclass(frozen=True, slots=True)
class LostPoints:
    """Points that `explained` checks of one item lost, and the defects that explain it.

    `receivers` are the checks that get back what is given back.
    """

    item: str
    explained: tuple[str, ...]
    receivers: tuple[str, ...]
    codes: Codes
    lost: Fraction


def explanations(
    statuses: Mapping[str, CheckStatus],
    explained: Mapping[str, Sequence[str]],
    defects: Sequence[Defect],
) -> dict[str, tuple[str, ...]]:
    """Return `explained`, for the checks that did not pass.

    Raises HarnessError when it names a check that was not run or a code without a
    proven defect: then the diagnosis, not the candidate, is wrong.
    """
    proven = {d.code for d in defects if d.confidence is Confidence.PROVEN}
    for check, codes in explained.items():
        if check not in statuses:
            raise HarnessError(f"{check} is explained, but is no check; mend the diagnosis")
        for code in codes:
            if code not in proven:
                raise HarnessError(f"{code} explains {check} without proof; mend the diagnosis")
    against = (CheckStatus.FAIL, CheckStatus.SKIPPED)
    return {c: tuple(codes) for c, codes in explained.items() if codes and statuses[c] in against}


def soften(
    rubric: Rubric,
    scores: Sequence[ItemScore],
    statuses: Mapping[str, CheckStatus],
    explained: Mapping[str, Sequence[str]],
    defects: Sequence[Defect],
) -> tuple[dict[str, ItemScore], dict[str, Fraction]]:
    """Return the scores by item id with what was given back, and what each defect is charged.

    The charges stand in the order of the defects. `explained` is that of `explanations`.
    """
    claims = [claim for score in scores for claim in _claims(score, statuses, explained)]
    losses: dict[Codes, Fraction] = {}
    for claim in claims:
        losses[claim.codes] = losses.get(claim.codes, NOTHING) + claim.lost
    limits = _limits(rubric, defects, sum(losses.values(), NOTHING))
    flow = allocate(losses, limits)
    back = dict(losses)
    explaining = {code for codes in losses for code in codes}
    charges = {d.code: NOTHING for d in defects if d.code in explaining}
    for (codes, code), points in flow.items():
        back[codes] -= points
        charges[code] += points
    softened = {score.item.id: score for score in scores}
    for claim in claims:
        share = claim.lost * back[claim.codes] / losses[claim.codes]
        softened[claim.item] = _give_back(softened[claim.item], claim, share)
    return softened, charges


def _limits(rubric: Rubric, defects: Sequence[Defect], whole: Fraction) -> dict[str, Fraction]:
    """Return the deduction of each code in points; `whole` where all that was lost stays lost."""
    deductions = rubric.deductions
    items = [item for part in rubric.parts for item in part.items]
    decided = sum((exact(i.points) for i in items if not (i.manual or i.bonus)), NOTHING)
    stated = {
        Severity.MAJOR: deductions.major,
        Severity.MINOR: deductions.minor,
        Severity.INFO: deductions.info,
    }
    limits: dict[str, Fraction] = {}
    for defect in defects:
        points = deductions.codes.get(defect.code, stated[defect.severity])
        unmeasured = defect.code in UNMEASURED and defect.code not in deductions.codes
        by_factor = rubric.charge == BY_CENTRALITY
        if by_factor and defect.code in NOT_ASKED:
            limit = NOTHING
        elif unmeasured or defect.code in SHUTTING or rubric.charge not in (ONCE, BY_CENTRALITY):
            limit = whole
        elif by_factor:
            limit = NOTHING
        elif points is None:
            limit = decided * BY_SEVERITY[defect.severity]
        else:
            limit = exact(points)
        limits[defect.code] = max(limit, limits.get(defect.code, NOTHING))
    return limits


def _claims(
    score: ItemScore,
    statuses: Mapping[str, CheckStatus],
    explained: Mapping[str, Sequence[str]],
) -> Iterator[LostPoints]:
    """Yield what `score` lost to explained checks: what it would gain if they had passed.

    Where each check has its own share, each is a claim; `all` and `tiers` look at
    the checks together, so they are one claim, of all their defects.
    """
    item = score.item
    explained_checks = tuple(check for check in item.checks if check in explained)
    if item.bonus or not explained_checks:
        return
    alone = item.credit == "share"
    for checks in [(check,) for check in explained_checks] if alone else [explained_checks]:
        passed = {**statuses, **dict.fromkeys(checks, CheckStatus.PASS)}
        lost = score_item(item, passed).points - score.points
        codes = frozenset(code for check in checks for code in explained[check])
        receivers = checks if alone else _receivers(item.checks, statuses, explained_checks)
        if lost > 0:
            yield LostPoints(item.id, checks, receivers, codes, lost)


def _receivers(
    checks: Sequence[str], statuses: Mapping[str, CheckStatus], explained_checks: Collection[str]
) -> tuple[str, ...]:
    """Checks that pass, or would: under `all`, a passing one loses by another's failure."""
    decided = [check for check in checks if statuses[check] not in UNDECIDED]
    return tuple(c for c in decided if c in explained_checks or statuses[c] is CheckStatus.PASS)


def _give_back(score: ItemScore, claim: LostPoints, amount: Fraction) -> ItemScore:
    """Return `score` with `amount` given back, in proportion to what each of the receivers lost.

    A generous tier can earn more than the receivers lost by their shares; then the
    explained checks are worth more of the item, and the others less.
    """
    shares = dict(score.shares)
    room = {c: shares[c].max_points - shares[c].points for c in claim.receivers}
    lost = sum(room.values(), NOTHING)
    within = min(amount, lost)
    for check in claim.receivers if lost else ():
        share = shares[check]
        shares[check] = replace(share, points=share.points + within * room[check] / lost)
    if extra := amount - within:
        others = [c for c in shares if c not in claim.receivers]
        spare = sum((shares[c].max_points for c in others), NOTHING)
        for check in others:
            left = shares[check].max_points * (1 - extra / spare)
            shares[check] = replace(shares[check], max_points=left)
        each = extra / len(claim.explained)
        for check in claim.explained:
            share = shares[check]
            shares[check] = Share(share.points + each, share.max_points + each)
    return replace(
        score, points=score.points + amount, given_back=score.given_back + amount, shares=shares
    )
