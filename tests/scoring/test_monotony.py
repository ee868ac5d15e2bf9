"""More bugs never score higher: in the arithmetic, and over some mutants of one solution.

`python -m tests.benchmarks.monotony` does the same over thousands of mutants of many styles.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.cohort import Engine
from grader.records import CheckStatus, Grade
from tests.benchmarks.monotony import STYLES, Marker, Relation, doubled, lesser
from tests.benchmarks.mutation.make import Workshop
from tests.scoring.test_deductions import FAIL, PASS, SKIPPED, graded, item, rubric

MANUAL = CheckStatus.MANUAL
THREE = rubric(
    item("i", 6, "a b c"),
    item("j", 4, "d e", credit="all"),
    item("x", 2, "f", bonus=True),
    codes={"bug": 3, "tiny": 1},
)
REASONS = st.sampled_from(("", "bug", "tiny", "bug tiny"))


def scored(statuses: dict[str, CheckStatus], reasons: dict[str, str]) -> Grade:
    lost = {c: reasons[c] for c, s in statuses.items() if s in (FAIL, SKIPPED) and reasons[c]}
    grade: Grade = graded(THREE, statuses, lost)
    return grade


@given(
    st.fixed_dictionaries({c: st.sampled_from((PASS, FAIL, SKIPPED, MANUAL)) for c in "abcdef"}),
    st.fixed_dictionaries(dict.fromkeys("abcdef", REASONS)),
    st.sampled_from("abcdef"),
    st.sampled_from((FAIL, SKIPPED, MANUAL)),
)
def test_one_more_lost_check_never_raises_the_score(
    statuses: dict[str, CheckStatus], reasons: dict[str, str], check: str, worse: CheckStatus
) -> None:
    before = scored(statuses | {check: PASS}, reasons)
    after = scored(statuses | {check: worse}, reasons)
    assert after.score <= before.score + 1e-9
    assert after.max_score == before.max_score == 10


@pytest.fixture(scope="module")
def relations() -> list[Relation]:
    """Some mistakes of one solution, alone and two at a time, and what is less than an answer."""
    workshop = Workshop({"tuple_cache": (STYLES / "tuple_cache.py").read_text()})
    singles = workshop.singles(1)
    bases = [*workshop.styles.items(), *((m.name, m.source) for m in singles)]
    return [*doubled(workshop, singles, 6), *list(lesser(bases, 9))[1:]]  # the first one hangs


def test_a_mistake_more_never_scores_higher(engine: Engine, relations: list[Relation]) -> None:
    marker = Marker(engine)
    marker.grade_all([s for r in relations for s in (r.base, r.worse)])
    rises = [(r.name, rise) for r in relations if (rise := marker.rises(r)) is not None]
    assert not [name for name, (base, worse) in rises if not worse.passing - base.passing]
    assert {outcome.of for outcome in marker.known.values()} == {80.0}
