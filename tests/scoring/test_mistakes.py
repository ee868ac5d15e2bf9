"""What mistakes leave of the score: by how central they are, and by what the numbers say."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.defects import BY_CODE, KINDS, Centrality
from grader.records import (
    CheckStatus,
    Confidence,
    Defect,
    Finding,
    Grade,
    OwnVerdict,
    Part,
    Severity,
    Where,
)
from grader.rubric import Factors, Item, Rubric
from grader.rubric import Part as RubricPart
from grader.scoring import Declaration, grade
from grader.scoring.mistakes import CORE, OPTIONAL, centrality_of, unjudged_because

PASS, FAIL, SKIPPED = CheckStatus.PASS, CheckStatus.FAIL, CheckStatus.SKIPPED
FORWARD, BACKWARD, TORCH = (CORE[part] for part in CORE)
EXTREME = "forward.overflow"
LAYER = "layers.relu"
EVERY = (*FORWARD, *BACKWARD, *TORCH, EXTREME, LAYER)

FACTORS = Factors(
    exercise_not_done=0.3,
    core_idea=0.4,
    chain_step=0.5,
    factor_on_all=0.6,
    pytorch_side=0.65,
    one_tensor=0.7,
    extremes_or_checks=0.9,
    optional=0.95,
    own_check_differs=0.8,
    further=0.5,
    codes={"loss-sign": 0.75},
)


def rubric(factors: Factors = FACTORS) -> Rubric:
    """A point for each check."""
    items = tuple(Item(id=f"i-{n}", title=c, points=1, checks=(c,)) for n, c in enumerate(EVERY))
    part = RubricPart(id="p", title="P", items=items)
    return Rubric("r", "R", "sha256:0", (part,), charge="by_centrality", factors=factors)


def defect(code: str, *tensors: str, part: Part | None = None, **more: object) -> Defect:
    made = Defect(code, Severity.MAJOR, "", "", tensors, part=part or BY_CODE[code].part)
    return replace(made, **more)  # type: ignore[arg-type]


def graded(
    failed: dict[str, tuple[str, ...]],
    *defects: Defect,
    own: OwnVerdict | None = None,
    waiting: dict[str, tuple[str, ...]] | None = None,
) -> Grade:
    """`failed` by check: the codes that explain it; `waiting` by skipped check: what it waits for."""
    findings = [
        Finding(c, FAIL if c in failed else PASS, "") for c in EVERY if c not in (waiting or {})
    ]
    findings += [Finding(c, SKIPPED, "", (), w) for c, w in (waiting or {}).items()]
    explained = {check: codes for check, codes in failed.items() if codes}
    checks = {c: Declaration(c, c, "", c.partition(".")[0]) for c in EVERY}
    return grade(rubric(), findings, checks, defects=defects, explained=explained, own_verdict=own)


def says(result: Grade) -> tuple[str, ...]:
    return tuple(mistake.says for mistake in result.mistakes)


def share(result: Grade) -> float:
    return round(result.score / result.max_score, 4)


def test_a_right_answer_keeps_everything() -> None:
    assert share(graded({}, own=OwnVerdict.AGREES)) == 1


def test_one_mistake_costs_its_factor_whatever_it_makes_fail() -> None:
    masked = defect("relu-mask-missing", "W1", "b1", "X")
    failed = dict.fromkeys((BACKWARD[0], BACKWARD[1], BACKWARD[4]), ("relu-mask-missing",))
    result = graded(failed, masked)
    assert share(result) == 0.5
    assert [(c.code, round(c.points, 6)) for c in result.charges] == [
        ("relu-mask-missing", len(EVERY) / 2)
    ]
    assert says(result) == (
        "relu-mask-missing: a step of the chain, or a term, is wrong; 50 % of the score is left.",
    )


def test_what_its_own_check_reported_costs_more() -> None:
    failed = dict.fromkeys(BACKWARD, ("grad-sign",))
    sign = defect("grad-sign", "W1", "b1", "W2", "b2", "X")
    assert share(graded(failed, sign, own=OwnVerdict.AGREES)) == 0.6
    assert share(graded(failed, sign, own=OwnVerdict.SILENT)) == 0.6
    assert share(graded(failed, sign, own=OwnVerdict.DIFFERS)) == 0.48
    assert share(graded(failed, sign, own=OwnVerdict.RAISES)) == 0.48
    assert share(graded({}, own=OwnVerdict.DIFFERS)) == 1, "no mistake to report"


def test_a_further_mistake_counts_less_and_the_order_does_not_matter() -> None:
    failed = {**dict.fromkeys(BACKWARD, ("grad-sign",)), **dict.fromkeys(FORWARD, ("loss-sign",))}
    sign, loss = defect("grad-sign", "W1", "b1", "W2", "b2", "X"), defect("loss-sign")
    assert share(graded(failed, sign, loss)) == share(graded(failed, loss, sign))
    assert share(graded(failed, sign, loss)) == round(0.6 * 0.75**0.5, 4)


def test_a_slip_reaches_a_gradient_or_two() -> None:
    statuses = dict.fromkeys(EVERY, PASS) | {BACKWARD[0]: FAIL}
    assert centrality_of(defect("relu-mask-missing", "X"), statuses) is Centrality.ONE_TENSOR
    assert centrality_of(defect("grad-sign", "b1", "b2"), statuses) is Centrality.ONE_TENSOR
    three = defect("relu-mask-missing", "W1", "b1", "X")
    assert centrality_of(three, statuses) is Centrality.CHAIN_STEP


def test_the_loss_alone_is_a_slip() -> None:
    statuses = dict.fromkeys(EVERY, PASS) | {FORWARD[0]: FAIL}
    assert centrality_of(defect("loss-sum-not-mean"), statuses) is Centrality.ONE_TENSOR
    statuses |= dict.fromkeys(BACKWARD, FAIL)
    assert centrality_of(defect("loss-sum-not-mean"), statuses) is Centrality.FACTOR_ON_ALL


def test_right_numbers_on_ordinary_inputs_make_it_an_extreme() -> None:
    statuses = dict.fromkeys(EVERY, PASS) | {EXTREME: FAIL}
    assert centrality_of(defect("loss-sign"), statuses) is Centrality.EXTREMES_OR_CHECKS
    raised = defect("runtime-error", part=Part.FORWARD)
    assert centrality_of(raised, statuses) is Centrality.EXTREMES_OR_CHECKS


def test_right_numbers_that_were_not_derived_are_no_exercise() -> None:
    statuses = dict.fromkeys(EVERY, PASS)
    numeric = defect("numeric-gradient", "W1", "b1", "W2", "b2", "X")
    assert centrality_of(numeric, statuses) is Centrality.EXERCISE_NOT_DONE


def test_wrong_in_pytorch_alone_is_the_pytorch_side() -> None:
    statuses = dict.fromkeys(EVERY, PASS) | dict.fromkeys(TORCH, FAIL)
    wrong = defect("bias-missing", part=Part.PYTORCH)
    assert centrality_of(wrong, statuses) is Centrality.PYTORCH_SIDE
    gone = defect("missing-function", part=Part.PYTORCH)
    assert centrality_of(gone, statuses) is Centrality.CORE_IDEA


def test_layers_are_optional_and_three_of_their_mistakes_count() -> None:
    codes = ("relu-missing", "loss-sign", "bias-missing", "grad-sign")
    wrong = [defect(code, where=Where.LAYERS) for code in codes]
    assert share(graded({LAYER: codes[:1]}, *wrong[:1])) == 0.95
    assert share(graded({LAYER: codes}, *wrong)) == round(0.95**3, 4)


def test_a_failed_layer_without_a_name_is_one_mistake_and_loses_its_points() -> None:
    kept = (len(EVERY) - 1) / len(EVERY)
    assert share(graded({LAYER: ()})) == round(kept * 0.95, 4)
    assert LAYER in OPTIONAL[Where.LAYERS]


def test_wrong_numbers_that_nothing_explains_are_a_mistake() -> None:
    result = graded(dict.fromkeys(BACKWARD, ()))
    assert share(result) == 0.4
    assert says(result) == (
        "Gradients are wrong, and no known mistake explains it; 40 % of the score is left.",
    )
    assert share(graded({BACKWARD[0]: ()})) == 0.7


def test_a_likely_defect_costs_nothing_by_itself() -> None:
    likely = defect("loss-sign", confidence=Confidence.LIKELY)
    assert share(graded({EXTREME: ()}, likely)) == round((len(EVERY) - 1) / len(EVERY), 4)


def test_a_part_that_is_missing_loses_its_points_and_leaves_no_more_than_its_factor() -> None:
    gone = defect("missing-function", part=Part.BACKWARD)
    result = graded(dict.fromkeys(BACKWARD, ()), gone)
    assert share(result) <= 0.3
    assert "the backward pass is not there" in " ".join(says(result))
    parts = [defect("missing-function", part=part) for part in CORE]
    assert share(graded({}, *parts, waiting=dict.fromkeys(EVERY, ("forward.runs",)))) == 0


def test_what_waits_for_an_explained_failure_costs_nothing_more() -> None:
    failed = dict.fromkeys(BACKWARD, ("grad-sign",))
    sign = defect("grad-sign", "W1", "b1", "W2", "b2", "X")
    assert share(graded(failed, sign, waiting={EXTREME: BACKWARD})) == 0.6


def test_what_waits_for_work_that_was_not_done_is_lost() -> None:
    findings = {
        "a": Finding("a", FAIL, ""),
        "b": Finding("b", SKIPPED, "", (), ("a",)),
        "c": Finding("c", SKIPPED, "", (), ("a", "d")),
        "d": Finding("d", PASS, ""),
    }
    assert unjudged_because(findings, {"a": ("grad-sign",)}) == dict.fromkeys("bc", ("grad-sign",))
    assert unjudged_because(findings, {"a": ("missing-function",)}) == {}
    assert unjudged_because(findings, {}) == {}


CODES = st.sampled_from([k.code for k in KINDS if k.part in CORE and k.faults])


@given(st.dictionaries(st.sampled_from(EVERY), CODES, max_size=8), st.sampled_from(EVERY), CODES)
@pytest.mark.parametrize("own", [None, *OwnVerdict])
def test_one_more_explained_failure_never_raises_the_score(
    own: OwnVerdict | None, failed: dict[str, str], check: str, code: str
) -> None:
    def score(of: dict[str, str]) -> float:
        named = [defect(c, "W1", "b1", "W2", "b2", "X") for c in sorted(set(of.values()))]
        return graded({c: (code,) for c, code in of.items()}, *named, own=own).score

    assert score({check: code, **failed}) <= score(failed) + 1e-6
