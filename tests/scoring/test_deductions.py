"""One bug is charged once: diagnosis softens, and never does anything else."""

from dataclasses import dataclass, replace
from math import fsum

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from grader.defects import KINDS
from grader.errors import HarnessError
from grader.records import CheckStatus, Confidence, Defect, Finding, Severity
from grader.rubric import Deductions, Gate, Item, Part, Rubric, Tier
from grader.scoring import grade
from grader.scoring.deductions import UNMEASURED

PASS, FAIL = CheckStatus.PASS, CheckStatus.FAIL
SKIPPED, ERROR = CheckStatus.SKIPPED, CheckStatus.ERROR


@dataclass(frozen=True)
class Declared:
    id: str
    title: str = ""
    hint: str = ""
    part: str = "p"


def item(name, points, checks, **more):
    return Item(id=name, title=name, points=points, checks=tuple(checks.split()), **more)


def rubric(*items, gates=(), **said):
    """A rubric with a part for each item; `said` are its deductions."""
    parts = tuple(Part(id=f"part-{i.id}", title=i.id, items=(i,)) for i in items)
    return Rubric(
        *("r", "R", "sha256:0", parts),
        gates=gates,
        charge=said.pop("charge", "once_per_bug"),
        deductions=Deductions(**said),
    )


def defect(code, severity=Severity.MAJOR, confidence=Confidence.PROVEN):
    return Defect(code, severity, "", "", (), confidence)


def graded(a_rubric, statuses, explained=None, defects=()):
    """`explained` by check: codes, as words; each code is a major defect unless given."""
    findings = [Finding(check, status, "") for check, status in statuses.items()]
    why = {check: tuple(codes.split()) for check, codes in (explained or {}).items()}
    named = {code for codes in why.values() for code in codes} - {d.code for d in defects}
    return grade(
        a_rubric,
        findings,
        {check: Declared(check) for check in statuses},
        defects=[*defects, *(defect(code) for code in sorted(named))],
        explained=why,
    )


def points(result):
    return {check.id: check.points for check in result.checks}


def charges(result):
    return {charge.code: charge.points for charge in result.charges}


FOUR = rubric(item("i", 12, "a b"), item("j", 8, "c d"), codes={"bug": 5, "tiny": 1})
ALL_FAIL = dict.fromkeys("abcd", FAIL)


# ── one bug, charged once ────────────────────────────────────────────────────


def test_a_bug_costs_its_deduction_in_whatever_parts_it_fails_checks():
    result = graded(FOUR, ALL_FAIL | {"d": PASS}, {"a": "bug", "b": "bug", "c": "bug"})
    assert (result.score, result.max_score) == (15, 20)
    assert charges(result) == {"bug": 5}
    # 16 points are lost and 11 given back, to each check 11/16 of what it lost
    assert points(result) == {"a": 6 * 11 / 16, "b": 6 * 11 / 16, "c": 4 * 11 / 16, "d": 4}
    assert [part.items[0].given_back for part in result.parts] == [12 * 11 / 16, 4 * 11 / 16]
    assert [part.points for part in result.parts] == [12 * 11 / 16, 4 * 11 / 16 + 4]


def test_statuses_stay_and_reasons_are_given():
    result = graded(
        FOUR, {"a": FAIL, "b": SKIPPED, "c": PASS, "d": FAIL}, {"a": "bug", "b": "bug", "c": "bug"}
    )
    shown = {check.id: (check.status, check.explained_by) for check in result.checks}
    assert shown == {
        "a": (FAIL, ("bug",)),
        "b": (SKIPPED, ("bug",)),
        "c": (PASS, ()),
        "d": (FAIL, ()),
    }


def test_what_nothing_explains_keeps_its_full_loss():
    result = graded(FOUR, ALL_FAIL, {"a": "tiny"})
    assert result.score == 5
    assert points(result) == {"a": 5, "b": 0, "c": 0, "d": 0}


def test_nothing_is_given_back_unless_the_rubric_asks_for_it():
    plain = replace(FOUR, charge="every_check")
    result = graded(plain, ALL_FAIL, dict.fromkeys("abcd", "bug"))
    assert (result.score, charges(result)) == (0, {"bug": 20})


def test_a_bug_never_costs_more_than_its_checks():
    result = graded(FOUR, {"a": PASS, "b": PASS, "c": FAIL, "d": PASS}, {"c": "bug"})
    assert (result.score, charges(result)) == (16, {"bug": 4})
    assert result.parts[1].items[0].given_back == 0


def test_a_bug_that_fails_no_check_costs_nothing():
    result = graded(FOUR, dict.fromkeys("abcd", PASS), defects=[defect("bug")])
    assert (result.score, result.charges) == (20, ())


def test_two_bugs_are_two_charges_also_where_they_share_a_check():
    result = graded(FOUR, ALL_FAIL, {"a": "bug", "b": "bug tiny", "c": "tiny", "d": "bug"})
    assert (result.score, charges(result)) == (14, {"bug": 5, "tiny": 1})


def test_the_same_code_found_twice_is_charged_once():
    twice = [defect("bug"), replace(defect("bug"), line=7)]
    assert graded(FOUR, ALL_FAIL, dict.fromkeys("abcd", "bug"), twice).score == 15


@pytest.mark.parametrize(
    ("severity", "cost"), [(Severity.MAJOR, 8), (Severity.MINOR, 1), (Severity.INFO, 0)]
)
def test_a_rubric_without_deductions_goes_by_severity(severity, cost):
    by_hand = Item(id="m", title="m", points=20, manual=True)
    extra = item("x", 10, "c", bonus=True)
    plain = rubric(item("i", 80, "a b"), extra, by_hand)
    statuses = {"a": FAIL, "b": PASS, "c": FAIL}
    assert graded(plain, statuses, {"a": "x"}, [defect("x", severity)]).score == 80 - cost


def test_a_rubric_can_say_what_a_severity_costs():
    said = rubric(item("i", 80, "a b"), major=3, info=2)
    defects = [defect("x"), defect("y", Severity.INFO)]
    assert graded(said, {"a": FAIL, "b": FAIL}, {"a": "x", "b": "y"}, defects).score == 75


def test_work_not_shown_is_not_earned_unless_the_rubric_says_otherwise():
    statuses = {"a": FAIL, "b": SKIPPED}
    explained = dict.fromkeys("ab", "missing-function")
    assert graded(rubric(item("i", 80, "a b")), statuses, explained).score == 0
    lenient = rubric(item("i", 80, "a b"), codes={"missing-function": 30})
    assert graded(lenient, statuses, explained).score == 50
    assert set(UNMEASURED) <= {code.code for code in KINDS}


# ── credit, bonus, gates, errors ─────────────────────────────────────────────


def test_all_or_nothing_is_lost_by_the_explained_checks_only():
    whole = rubric(item("i", 9, "a b c", credit="all"), codes={"bug": 3})
    result = graded(whole, {"a": FAIL, "b": PASS, "c": PASS}, {"a": "bug"})
    assert (result.score, points(result)) == (6, {"a": 2, "b": 2, "c": 2})
    other = graded(whole, {"a": FAIL, "b": PASS, "c": FAIL}, {"a": "bug"})
    assert (other.score, other.charges) == (0, ()), "without the bug it would fail too"


TIERS = (Tier(passed=1, points=1), Tier(passed=2, points=8), Tier(passed=3, points=9))


def test_tiers_give_back_what_the_explained_checks_would_have_reached():
    steep = rubric(item("i", 9, "a b c", credit="tiers", tiers=TIERS), codes={"bug": 3})
    result = graded(steep, {"a": FAIL, "b": PASS, "c": FAIL}, {"a": "bug"})
    assert (result.score, charges(result)) == (5, {"bug": 3})
    free = graded(
        rubric(item("i", 9, "a b c", credit="tiers", tiers=TIERS), codes={"bug": 0}),
        {"a": FAIL, "b": PASS, "c": FAIL},
        {"a": "bug"},
    )
    assert free.score == 8
    assert points(free)["c"] == 0, "what nothing explains gets nothing back"
    assert {c.id: c.max_points for c in free.checks}["c"] == pytest.approx(1)


def test_a_bonus_is_not_lost_and_not_given_back():
    extra = rubric(item("i", 9, "a"), item("x", 3, "b", bonus=True), codes={"bug": 0})
    result = graded(extra, {"a": FAIL, "b": FAIL}, dict.fromkeys("ab", "bug"))
    assert result.score == 9
    assert [check.explained_by for check in result.checks] == [("bug",), ("bug",)]
    assert points(result)["b"] == 0


def test_a_gate_looks_at_numbers_only():
    gates = (Gate(unless=("a",), cap=0.5, because="half"),)
    capped = rubric(item("i", 12, "a b"), gates=gates, codes={"bug": 1})
    result = graded(capped, {"a": FAIL, "b": PASS}, {"a": "bug"})
    assert (result.score, result.gates) == (6, ("half",))


def test_an_error_is_explained_by_nothing():
    result = graded(FOUR, ALL_FAIL | {"b": ERROR}, dict.fromkeys("abcd", "bug"))
    assert (result.score, result.max_score) == (9, 14)
    (error,) = (check for check in result.checks if check.id == "b")
    assert (error.points, error.max_points, error.explained_by) == (0, 0, ())


@pytest.mark.parametrize(
    ("check", "code", "said"),
    [
        ("z", "bug", "is no check"),
        ("a", "likely", "without proof"),
        ("a", "nobody", "without proof"),
    ],
)
def test_an_explanation_that_is_none_is_the_graders_fault(check, code, said):
    defects = [defect("bug"), defect("likely", confidence=Confidence.LIKELY)]
    with pytest.raises(HarnessError, match=said):
        grade(
            FOUR,
            [Finding("a", FAIL, "")],
            {"a": Declared("a")},
            defects=defects,
            explained={check: (code,)},
        )


# ── properties ───────────────────────────────────────────────────────────────

BUGS = ("p", "q", "r")


@st.composite
def diagnosed(
    draw, *, capped=True, credits=("share", "all", "tiers"), statuses=(PASS, FAIL, SKIPPED, ERROR)
):
    """A rubric, statuses, explanations."""
    items, names = [], []
    for n in range(draw(st.integers(1, 4))):
        checks = [f"c{n}_{k}" for k in range(draw(st.integers(1, 4)))]
        names += checks
        worth = draw(st.integers(0, 1000)) / 100
        credit = draw(st.sampled_from(credits))
        tiers = ()
        if credit == "tiers":
            steps = sorted(draw(st.sets(st.integers(1, len(checks)), min_size=1)))
            shares = sorted(draw(st.integers(0, 100)) for _ in steps[1:])
            earned = [*(worth * share / 100 for share in shares), worth]
            tiers = tuple(Tier(passed=s, points=p) for s, p in zip(steps, earned, strict=True))
        bonus = capped and draw(st.booleans())
        items.append(
            item(f"i{n}", worth, " ".join(checks), credit=credit, tiers=tiers, bonus=bonus)
        )
    unless = draw(st.lists(st.sampled_from(names), max_size=2, unique=True)) if capped else ()
    cap = draw(st.integers(0, 100)) / 100
    gates = (Gate(unless=tuple(unless), cap=cap, because="so"),) if unless else ()
    limits = {code: draw(st.integers(0, 800)) / 100 for code in BUGS}
    found = {name: draw(st.sampled_from(statuses)) for name in names}
    why = draw(st.dictionaries(st.sampled_from(names), st.sets(st.sampled_from(BUGS), min_size=1)))
    explained = {check: " ".join(sorted(codes)) for check, codes in why.items()}
    return rubric(*items, gates=gates, codes=limits), found, explained


@given(diagnosed())
def test_diagnosis_only_softens_and_stays_in_bounds(drawn):
    a_rubric, statuses, explained = drawn
    bare, softened = graded(a_rubric, statuses), graded(a_rubric, statuses, explained)
    assert 0 <= bare.score <= softened.score <= softened.max_score == bare.max_score
    assert [c.status for c in bare.checks] == [c.status for c in softened.checks]
    assert all(0 <= check.points <= check.max_points for check in softened.checks)
    charged = charges(softened)
    assert all(0 <= p <= a_rubric.deductions.codes[code] for code, p in charged.items())


@given(diagnosed(capped=False))
def test_parts_items_and_checks_still_sum_to_the_score(drawn):
    result = graded(*drawn)
    items = [item for part in result.parts for item in part.items]
    for parts in (result.parts, items, result.checks):
        assert fsum(each.points for each in parts) == pytest.approx(result.score, abs=1e-9)
        assert fsum(each.max_points for each in parts) == pytest.approx(result.max_score, abs=1e-9)
    bare = graded(*drawn[:2])
    back = fsum(item.given_back for item in items)
    assert back == pytest.approx(result.score - bare.score, abs=1e-9)


@given(diagnosed(capped=False))
def test_a_check_that_nothing_explains_gets_nothing_back(drawn):
    result = graded(*drawn)
    failed = [c for c in result.checks if c.status in (FAIL, SKIPPED) and not c.explained_by]
    assert all(check.points == 0 for check in failed)


@given(diagnosed(capped=False, credits=("share",), statuses=(PASS, FAIL, SKIPPED)))
def test_the_score_is_the_maximum_less_the_charges_and_what_nothing_explains(drawn):
    a_rubric, statuses, explained = drawn
    result = graded(a_rubric, statuses, explained)
    unexplained = fsum(
        check.max_points - check.points
        for check in graded(a_rubric, statuses).checks
        if check.id not in explained
    )
    paid = fsum(charges(result).values())
    assert result.score == pytest.approx(result.max_score - unexplained - paid, abs=1e-9)


@given(diagnosed(), st.data())
def test_passing_one_more_check_never_lowers_the_score(drawn, data):
    a_rubric, statuses, explained = drawn
    failed = sorted(check for check, status in statuses.items() if status in (FAIL, SKIPPED))
    assume(failed)
    better = statuses | {data.draw(st.sampled_from(failed)): PASS}
    assert graded(a_rubric, better, explained).score >= graded(a_rubric, statuses, explained).score


@given(diagnosed(), st.sampled_from(BUGS), st.integers(0, 800))
def test_a_smaller_deduction_never_lowers_the_score(drawn, code, cents):
    a_rubric, statuses, explained = drawn
    limits = dict(a_rubric.deductions.codes)
    low, high = sorted((limits[code], cents / 100))
    scores = [
        graded(
            replace(a_rubric, deductions=Deductions(codes={**limits, code: points})),
            statuses,
            explained,
        ).score
        for points in (low, high)
    ]
    assert scores[0] >= scores[1]
