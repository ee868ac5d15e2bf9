from math import fsum

import pytest

from grader.defects import KINDS
from grader.records import Part, Severity
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


def test_the_gates_of_onsite_are_gentle(onsite):
    assert all(0.5 <= gate.cap <= 0.95 for gate in onsite.gates)
    assert all(f"{round(100 * gate.cap)} %" in gate.because for gate in onsite.gates)


UNGATED = {"loss-log-underflow", "bias-grad-keepdims"}
"""Forward and backward codes that shut no gate: one loses at the underflow only, the other's
values are right."""


def test_no_gate_is_harder_than_the_deduction_of_a_single_bug(onsite):
    """But for leaning on a framework, which is no bug, and whose deduction is all it loses."""
    gentle = [gate for gate in onsite.gates if gate.unless != ("forward.numpy_only",)]
    taken = max(1 - gate.cap for gate in gentle) * 80
    said = onsite.deductions
    for code in KINDS:
        if code.part in (Part.PYTORCH, Part.VERIFICATION) or code.severity is not Severity.MAJOR:
            continue
        if code.code not in UNMEASURED and code.code not in UNGATED:
            assert said.codes.get(code.code, said.major) >= taken - 1e-9, code.code
    assert "framework-in-numpy-part" in UNMEASURED


def test_the_gates_of_onsite_keep_a_wrong_gradient_from_the_highest_band(onsite):
    assert all(100 * gate.cap < onsite.bands[0].at_least for gate in onsite.gates)


@pytest.mark.parametrize(
    ("code", "least", "most"),
    [
        ("grad-missing-batch-mean", 5, 6),
        ("relu-mask-missing", 6, 8),
        ("loss-log-underflow", 2, 3),
        ("grad-transposed", 3, 4),
        ("bias-grad-not-summed", 3, 4),
        ("bias-grad-keepdims", 1, 3),
    ],
)
def test_the_deductions_of_onsite_are_an_interviewers(onsite, code, least, most):
    assert least <= onsite.deductions.codes[code] <= most


def test_a_named_code_costs_what_a_major_bug_does_or_less(onsite, course):
    for rubric in (onsite, course):
        said = rubric.deductions
        assert (said.minor, said.info) == (1, 0)
        assert all(0 < points <= said.major for points in said.codes.values())
        assert not set(said.codes) & set(UNMEASURED), "what is not shown is not earned"
    assert onsite.deductions.codes.keys() == course.deductions.codes.keys()


def test_every_deduction_says_why(rubrics):
    for name in ("onsite.yaml", "course.yaml"):
        lines = (rubrics / name).read_text().splitlines()
        section = lines[lines.index("deductions:") :]
        named = [line for line in section if any(f" {code.code}: " in line for code in KINDS)]
        assert len(named) > 50
        assert all("  # " in line for line in named)


def test_course_shows_tiers_and_a_bonus(course):
    items = automatic(course)
    assert any(item.credit == "tiers" for item in items)
    assert any(item.credit == "all" for item in items)
    assert any(item.bonus for item in items)
    assert [band.name for band in course.bands] == list("ABCDF")
    counted = fsum(i.points for p in course.parts for i in p.items if not i.bonus)
    assert counted == 100
