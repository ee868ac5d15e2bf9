"""The shipped answers are graded as their `expected.yaml` says."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from grader.cohort import Engine, Settings
from grader.intake import take_in
from grader.observe.zygotes import Zygotes
from grader.records import CheckStatus, Result
from grader.report import result_json
from grader.report.document import grade_json
from grader.review.totals import regrade
from grader.rubric import Rubric
from tests.sample_tables import README, expectations, readme, wrong_in_layers

ROOT = Path(__file__).parent.parent
SAMPLES = sorted(p.parent for p in (ROOT / "submissions").glob("*/expected.yaml"))
SEEDS, OTHER_SEEDS = (3000,), range(3001, 3008)
"""Beside the session's own seed: those of the suite, and those of `--every-seed` in their place."""


@pytest.fixture(scope="module")
def engines(engine: Engine, zygotes: Zygotes, onsite: Rubric, every_seed: bool) -> list[Engine]:
    """One engine a seed; the zygotes are shared, and the session's engine shares its results."""
    first = [] if every_seed else [engine]
    seeds = OTHER_SEEDS if every_seed else SEEDS
    return [*first, *(Engine(onsite, Settings(seed=seed), zygotes) for seed in seeds)]


def ids_of(result: Result, status: CheckStatus) -> list[str]:
    return sorted(c.id for c in result.grade.checks if c.status is status)


def test_there_are_enough_samples() -> None:
    assert len(SAMPLES) >= 16


@pytest.mark.parametrize("folder", SAMPLES, ids=lambda p: p.name)
def test_sample_is_graded_as_expected_with_every_seed(
    folder: Path, engines: list[Engine], every_seed: bool
) -> None:
    expected = yaml.safe_load((folder / "expected.yaml").read_text())
    if wrong_in_layers(expected):  # one set of numbers a seed, and no cases
        engines = engines[: 1 + every_seed]
    submission = take_in(folder)
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda engine: engine.grade(submission), engines))
    for result in results:
        where = f"seed {result.seed}"
        assert ids_of(result, CheckStatus.ERROR) == [], where
        assert ids_of(result, CheckStatus.FAIL) == sorted(expected["fails"]), where
        assert ids_of(result, CheckStatus.SKIPPED) == sorted(expected["skipped"]), where
        assert {d.code for d in result.defects} == set(expected["defects"]), where
        lines = {(d.code, d.line) for d in result.defects}
        assert set(expected["lines"].items()) <= lines, where
        corrected = {c.line: c.after for c in result.corrections}
        assert corrected == expected.get("corrected", {}), where
        assert result.grade.score == pytest.approx(expected["score"], abs=1e-3), where
        assert result.grade.max_score == expected["of"], where
    written = result_json(results[0])
    again = grade_json(regrade(written, engines[0].rubric))
    for check in again["checks"]:
        check["evidence"] = next(c for c in written["checks"] if c["id"] == check["id"])["evidence"]
    assert again == {key: written[key] for key in again}, "a reviewer's totals start from these"


def test_every_wrong_sample_loses_and_every_right_one_does_not() -> None:
    expected = [yaml.safe_load((folder / "expected.yaml").read_text()) for folder in SAMPLES]
    assert all(
        (e["score"] == e["of"]) == (not e["fails"] and "corrected" not in e) for e in expected
    )
    assert {e["of"] for e in expected} == {80.0}, "the maximum never shrinks"
    assert sum(not e["fails"] for e in expected) >= 5


def test_the_readme_lists_what_the_expectations_say() -> None:
    text = README.read_text("utf-8")
    assert text == readme(text, expectations()), "python -m tests.sample_tables writes it anew"
