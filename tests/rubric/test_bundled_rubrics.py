import re
from itertools import takewhile
from math import fsum

import pytest

from grader.defects import BY_CODE, KINDS, Centrality
from grader.rubric import load_rubric
from grader.scoring.deductions import UNMEASURED


def automatic(rubric):
    return [item for part in rubric.parts for item in part.items if not item.manual]


@pytest.fixture
def onsite(rubrics, known):
    return load_rubric(rubrics / "onsite.yaml", known, [code.code for code in KINDS])


@pytest.fixture
def course(rubrics, known):
    return load_rubric(rubrics / "course.yaml", known, [code.code for code in KINDS])


def test_onsite_is_a_hundred_points_twenty_of_them_a_humans(onsite):
    counted = {part.id: [i for i in part.items if not i.bonus] for part in onsite.parts}
    points = {id: fsum(item.points for item in items) for id, items in counted.items()}
    assert points == {
        "forward": 22.0,
        "backward": 34.0,
        "pytorch": 16,
        "verification": 8,
        "explanations": 10,
        "followups": 10,
    }
    bonus = [item.id for part in onsite.parts for item in part.items if item.bonus]
    assert bonus == ["verification-differences", "followup-layers"], (
        "only what the problem does not ask for"
    )


def test_every_check_but_loading_rests_in_an_item_of_onsite(onsite, known):
    used = {check for item in automatic(onsite) for check in item.checks}
    said = {"explanations.forward_shapes", "explanations.backward_shapes"}
    assert used == known - said - {"submission.loads"}, "what was stated, a person marks"


def test_items_hold_the_checks_of_their_part(onsite):
    for part in onsite.parts:
        for item in part.items:
            room = "layers" if part.id == "followups" else part.id
            assert all(check.startswith(f"{room}.") for check in item.checks)


def test_every_question_for_a_human_has_a_checklist(onsite, course):
    manual = [i for r in (onsite, course) for p in r.parts for i in p.items if i.manual]
    assert all(len(item.guidance) >= 2 for item in manual)
    assert {f"followup-q{n}" for n in range(1, 6)} <= {item.id for item in manual}


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ("explain-shapes", ["[B, H]", "[B, C]", "scalar"]),
        ("explain-dz2", ["[B, C]", "1/B", "reduction='mean'"]),
        ("explain-relu", ["at 0", "convention|choice", "pre-activation"]),
        ("explain-autograd", ["graph", "Leaf", "Reverse", "requires_grad"]),
        ("explain-zero-grad", ["adds to .grad"]),
        ("explain-verification", ["seeded", "tolerance", "Small sizes", "finite differences"]),
        ("explain-pitfalls", ["broadcasting", "transposes", "In-place", "probabilities"]),
        ("followup-q1", ["forward(x)", "backward(upstream)"]),
        ("followup-q2", ["cancels", "overflow"]),
        ("followup-q3", ["add up", "doubled"]),
        ("followup-q4", ["version counter"]),
        ("followup-q5", ["Central", "h of about", "Relative error"]),
    ],
)
def test_the_guidance_covers_what_the_interview_asks(onsite, item, words):
    (found,) = (i for part in onsite.parts for i in part.items if i.id == item)
    said = "\n".join(found.guidance)
    for word in words:
        assert any(option in said for option in word.split("|")), word


def test_the_dimensions_and_bands_of_onsite(onsite):
    assert [d.id for d in onsite.dimensions] == [
        "shapes",
        "batch_mean",
        "stability",
        "verification",
        "pitfalls",
    ]
    names = [band.name for band in onsite.bands]
    assert names == ["strong hire", "hire", "lean hire", "lean no hire", "no hire"]


def test_onsite_has_a_factor_for_every_centrality_and_each_weighs_as_it_is_ordered(onsite):
    core = [c for c in Centrality if c not in (Centrality.OPTIONAL, Centrality.NONE)]
    factors = [getattr(onsite.factors, c.name.lower()) for c in core]
    assert factors == sorted(factors)
    assert all(0 < factor < 1 for factor in factors)
    assert onsite.factors.extremes_or_checks < onsite.factors.optional < 1
    assert onsite.factors.of(Centrality.NONE.name.lower()) == 1


def test_a_named_code_of_onsite_costs_more_than_its_kind_and_names_a_check(onsite):
    for code, factor in onsite.factors.codes.items():
        assert factor < onsite.factors.of(BY_CODE[code].centrality.name.lower())


def test_a_single_mistake_leaves_the_band_that_the_markers_gave(onsite):
    def band(factor):
        return next(b.name for b in onsite.bands if 100 * factor >= b.at_least)

    factors = onsite.factors
    differs = factors.own_check_differs
    assert band(factors.optional) == "strong hire"
    assert band(factors.one_tensor) == "lean hire"
    assert band(factors.chain_step * differs) == "lean no hire"
    assert band(factors.core_idea * differs) == "lean no hire"
    assert band(factors.exercise_not_done) == "no hire"


def test_a_named_code_of_course_costs_what_a_major_bug_does_or_less(course):
    said = course.deductions
    assert (said.minor, said.info) == (1, 0)
    assert all(0 < points <= said.major for points in said.codes.values())
    assert not set(said.codes) & set(UNMEASURED), "what is not shown is not earned"


def test_every_deduction_and_factor_says_why(rubrics):
    for name, section, least in (("onsite", "factors:", 10), ("course", "deductions:", 50)):
        lines = (rubrics / f"{name}.yaml").read_text().splitlines()
        rest = lines[lines.index(section) + 1 :]
        numbers = list(takewhile(lambda line: line.startswith("  "), rest))
        named = [line for line in numbers if re.match(r" +[\w-]+: [\d.]", line)]
        assert len(named) > least
        assert [line for line in named if "  # " not in line] in ([], ["  info: 0"])


def test_course_shows_tiers_and_a_bonus(course):
    items = automatic(course)
    assert any(item.credit == "tiers" for item in items)
    assert any(item.credit == "all" for item in items)
    assert any(item.bonus for item in items)
    assert [band.name for band in course.bands] == list("ABCDF")
    counted = fsum(i.points for p in course.parts for i in p.items if not i.bonus)
    assert counted == 100
