from math import fsum

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from grader.errors import HarnessError
from grader.records import Evidence, Finding, GradeStatus
from grader.rubric import Band, Dimension, Gate, Tier
from grader.scoring import grade
from tests.scoring.graded import ERROR, FAIL, PASS, SKIPPED, Declared, graded, item, points, rubric


def test_an_error_is_undecided_and_leaves_the_maximum():
    bands = (Band(at_least=0, name="any"),)
    result = graded(rubric(item("i", 6, "a b c"), bands=bands), a=PASS, b=ERROR, c=FAIL)
    assert (result.status, result.band) == (GradeStatus.UNDECIDED, None)
    assert (result.score, result.max_score) == (2, 4)
    assert points(result)["b"] == (0, 0)


def test_a_check_without_a_finding_is_an_error():
    result = graded(rubric(item("i", 6, "a b")), declared=["a", "b"], a=PASS)
    (missing,) = (check for check in result.checks if check.id == "b")
    assert missing.status is ERROR
    assert "was not run" in missing.message
    assert (result.status, result.score, result.max_score) == (GradeStatus.UNDECIDED, 3, 3)


def test_a_check_no_item_uses_and_nobody_ran_is_an_error_too():
    result = graded(rubric(item("i", 6, "a")), declared=["b"], a=PASS)
    assert [check.status for check in result.checks] == [PASS, ERROR]
    assert (result.status, result.score, result.max_score) == (GradeStatus.UNDECIDED, 6, 6)


def test_a_check_the_rubric_names_and_nobody_declared_is_an_error():
    result = graded(rubric(item("i", 6, "a x.y")), a=PASS)
    (missing,) = (check for check in result.checks if check.id == "x.y")
    assert (missing.status, missing.title, missing.part) == (ERROR, "x.y", "part-i")


def test_findings_that_fit_no_declaration_are_the_graders_fault():
    with pytest.raises(HarnessError, match="two findings for a"):
        grade(rubric(), [Finding("a", PASS, ""), Finding("a", FAIL, "")], {"a": Declared("a")})
    with pytest.raises(HarnessError, match="no check declares"):
        grade(rubric(), [Finding("a", PASS, "")], {})


@pytest.mark.parametrize("a", [PASS, FAIL])
def test_a_bonus_adds_but_never_exceeds_the_maximum(a):
    result = graded(
        rubric(item("i", 6, "a b c"), item("x", 3, "d", bonus=True)), a=a, b=PASS, c=PASS, d=PASS
    )
    assert (result.score, result.max_score) == (6, 6)
    assert result.parts[1].items[0].bonus
    assert (result.parts[1].points, result.parts[1].max_points) == (3, 0)


def test_a_small_bonus_adds_what_it_is_worth():
    result = graded(
        rubric(item("i", 6, "a b"), item("x", 1, "c", bonus=True)), a=PASS, b=FAIL, c=PASS
    )
    assert (result.score, result.max_score) == (4, 6)


GATES = (
    Gate(unless=("a", "b"), cap=0.5, because="half"),
    Gate(unless=("c",), cap=0.9, because="most"),
)


@pytest.mark.parametrize(
    ("a", "c", "score", "gates"),
    [
        (PASS, PASS, 100, ()),
        (FAIL, PASS, 50, ("half",)),
        (SKIPPED, PASS, 50, ("half",)),
        (PASS, FAIL, 90, ("most",)),
        (FAIL, FAIL, 50, ("half", "most")),
    ],
)
def test_gates_cap_and_say_why(a, c, score, gates):
    result = graded(rubric(item("i", 100, "z"), gates=GATES), z=PASS, a=a, b=PASS, c=c)
    assert (result.score, result.gates) == (score, gates)


def test_a_gate_that_takes_nothing_is_not_named():
    result = graded(
        rubric(item("i", 100, "y z"), gates=GATES), z=PASS, y=FAIL, a=FAIL, b=PASS, c=PASS
    )
    assert (result.score, result.gates) == (50, ())


def test_an_error_shuts_no_gate():
    result = graded(rubric(item("i", 100, "z"), gates=GATES), z=PASS, a=ERROR, b=PASS, c=PASS)
    assert (result.score, result.gates) == (100, ())


BANDS = (Band(at_least=70, name="A"), Band(at_least=33.3, name="B"), Band(at_least=0, name="F"))


@pytest.mark.parametrize(
    ("statuses", "band"),
    [("ppp", "A"), ("ppf", "B"), ("pff", "B"), ("fff", "F"), ("fss", "F")],
)
def test_bands_by_per_cent_of_the_decided_points(statuses, band):
    by_letter = {"p": PASS, "f": FAIL, "s": SKIPPED}
    result = graded(
        rubric(item("i", 6, "a b c"), item("m", 50, manual=True), bands=BANDS),
        **{check: by_letter[s] for check, s in zip("abc", statuses, strict=True)},
    )
    assert result.band == band


def test_the_edge_of_a_band_is_inside_it():
    names = [f"a{n}" for n in range(10)]
    statuses = {name: PASS if n < 7 else FAIL for n, name in enumerate(names)}
    bands = (Band(at_least=70, name="A"), Band(at_least=0, name="F"))
    assert graded(rubric(item("i", 0.3, " ".join(names)), bands=bands), **statuses).band == "A"


def test_no_bands_and_nothing_decided_give_no_band():
    assert graded(rubric(item("i", 6, "a")), a=PASS).band is None
    assert graded(rubric(item("m", 6, manual=True), bands=BANDS)).band is None


def test_dimensions_count_what_ran():
    dimension = Dimension(id="d", title="D", checks=("a", "b", "c", "e"))
    result = graded(
        rubric(item("i", 6, "a b"), dimensions=(dimension,)), a=PASS, b=SKIPPED, c=FAIL, e=ERROR
    )
    (found,) = result.dimensions
    assert (found.id, found.passed, found.total) == ("d", 1, 3)
    assert found.checks == ("a", "b", "c", "e")


def test_checks_carry_their_finding_and_their_declaration():
    evidence = (Evidence("dW1", "1.0", "2.0"),)
    finding = Finding("a", FAIL, "dW1 is twice too large", evidence)
    result = grade(rubric(item("i", 6, "a")), [finding], {"a": Declared("a")})
    (check,) = result.checks
    assert (check.title, check.hint, check.part) == ("Title of a", "Mend a", "part-i")
    assert (check.message, check.evidence) == ("dW1 is twice too large", evidence)


def test_checks_no_item_uses_come_last_and_are_worth_nothing():
    result = graded(rubric(item("i", 6, "b")), a=FAIL, b=PASS)
    assert [check.id for check in result.checks] == ["b", "a"]
    assert points(result)["a"] == (0, 0)
    assert result.checks[1].part == "a", "its own part"


@st.composite
def rubrics_with_statuses(draw, *, capped=True, statuses=(PASS, FAIL, SKIPPED)):
    items, names = [], []
    for n in range(draw(st.integers(1, 4))):
        checks = [f"c{n}_{k}" for k in range(draw(st.integers(1, 4)))]
        names += checks
        worth = draw(st.integers(0, 1000)) / 100
        credit = draw(st.sampled_from(["share", "all", "tiers"]))
        tiers = ()
        if credit == "tiers":
            steps = sorted(draw(st.sets(st.integers(1, len(checks)), min_size=1)))
            earned = sorted(draw(st.integers(0, 100)) for _ in steps[1:])
            shares = [worth * share / 100 for share in earned]
            tiers = [Tier(passed=s, points=p) for s, p in zip(steps, [*shares, worth], strict=True)]
        bonus = capped and draw(st.booleans())
        items.append(
            item(f"i{n}", worth, " ".join(checks), credit=credit, tiers=tiers, bonus=bonus)
        )
    gates = ()
    if capped:
        unless = draw(st.lists(st.sampled_from(names), max_size=2, unique=True))
        cap = draw(st.integers(0, 100)) / 100
        gates = (Gate(unless=tuple(unless), cap=cap, because="so"),) if unless else ()
    found = {name: draw(st.sampled_from(statuses)) for name in names}
    return rubric(*items, gates=gates), found


ANY = (PASS, FAIL, SKIPPED, ERROR)


@given(rubrics_with_statuses(statuses=ANY))
def test_the_score_is_between_nothing_and_the_maximum(drawn):
    result = graded(drawn[0], **drawn[1])
    assert 0 <= result.score <= result.max_score
    assert 0 <= result.fraction <= 1
    assert all(0 <= check.points <= check.max_points for check in result.checks)


@given(rubrics_with_statuses(statuses=ANY), st.data())
def test_passing_one_more_check_never_lowers_the_score(drawn, data):
    a_rubric, statuses = drawn
    failed = sorted(check for check, status in statuses.items() if status in (FAIL, SKIPPED))
    assume(failed)
    better = statuses | {data.draw(st.sampled_from(failed)): PASS}
    before, after = graded(a_rubric, **statuses), graded(a_rubric, **better)
    assert after.score >= before.score
    assert after.max_score == before.max_score


@given(rubrics_with_statuses(capped=False, statuses=ANY))
def test_without_caps_parts_items_and_checks_sum_to_the_score(drawn):
    result = graded(drawn[0], **drawn[1])
    items = [item for part in result.parts for item in part.items]
    for parts in (result.parts, items, result.checks):
        assert fsum(each.points for each in parts) == pytest.approx(result.score, abs=1e-9)
        assert fsum(each.max_points for each in parts) == pytest.approx(result.max_score, abs=1e-9)


@given(rubrics_with_statuses(statuses=(PASS, ERROR)))
def test_passing_all_that_ran_is_exactly_the_maximum(drawn):
    a_rubric, statuses = drawn
    result = graded(a_rubric, **statuses)
    assert result.score == result.max_score


@given(rubrics_with_statuses(statuses=ANY))
def test_an_error_and_only_an_error_is_undecided(drawn):
    result = graded(drawn[0], **drawn[1])
    assert (result.status is GradeStatus.UNDECIDED) == (ERROR in drawn[1].values())
