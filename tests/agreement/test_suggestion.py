"""A suggestion is made only where it predicts left-out marks better; its diff applies."""

from __future__ import annotations

import math
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from grader.agreement.comparison import Compared, Comparison, compare
from grader.agreement.suggestion import Scores, Suggestion, case_of, suggest
from grader.agreement.weights import RubricWeights, rubric_weights
from grader.checks import ALL_CHECKS
from grader.errors import CallerError
from grader.review import Folder
from grader.rubric import load_rubric
from tests.agreement.conftest import Panel, kind_band


def suggested(folder: Folder, file: Path) -> tuple[Comparison, Suggestion]:
    got = compare(folder, file)
    return got, suggest(got, folder.rubrics[got.rubric.digest])


def test_a_kinder_panel_moves_the_thresholds(
    folder: Folder, panel: Panel, percents: dict[str, float]
) -> None:
    file = panel({id: ([None], [kind_band(p)]) for id, p in percents.items()})
    _, got = suggested(folder, file)
    assert got.count == 14
    assert got.gain.low > 0
    assert got.after.kappa - got.before.kappa == pytest.approx(got.gain.value)
    assert got.diff.startswith(f"--- {folder.out / 'rubric.yaml'}\n+++ ")
    assert "-  - {at_least: 60, name: lean hire}" in got.diff


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("patch"), reason="NO PATCH: the diff is not applied")
def test_the_diff_applies_and_gives_a_valid_rubric(
    folder: Folder, panel: Panel, percents: dict[str, float]
) -> None:
    file = panel({id: ([None], [kind_band(p)]) for id, p in percents.items()})
    _, got = suggested(folder, file)
    changed = folder.out / "rubric.yaml"
    subprocess.run(["patch", str(changed)], input=got.diff, text=True, check=True)
    loaded = load_rubric(changed, [check.id for check in ALL_CHECKS])
    thresholds = [band.at_least for band in loaded.bands]
    assert thresholds == sorted(thresholds, reverse=True)
    for percent in percents.values():
        assert sum(percent >= t for t in thresholds[:-1]) == kind_band(percent)


@pytest.mark.slow
def test_the_same_bands_suggest_nothing(
    folder: Folder, panel: Panel, percents: dict[str, float]
) -> None:
    thresholds = rubric_weights((folder.out / "rubric.yaml").read_text()).thresholds
    same = {id: ([p], [sum(p >= t for t in thresholds)]) for id, p in percents.items()}
    _, got = suggested(folder, panel(same))
    assert got.before.kappa == pytest.approx(1.0)
    assert got.diff == ""


@pytest.mark.slow
def test_marks_without_sense_suggest_nothing(
    folder: Folder, panel: Panel, percents: dict[str, float]
) -> None:
    noise = {id: ([None], [(7 * at) % 5]) for at, id in enumerate(percents)}
    _, got = suggested(folder, panel(noise))
    assert not got.gain.low > 0
    assert got.diff == ""


def test_too_few_bands(folder: Folder, panel: Panel, percents: dict[str, float]) -> None:
    with pytest.raises(CallerError, match="bands for at least 10 scored submissions, and has 3"):
        suggested(folder, panel({id: ([p], [1]) for id, p in list(percents.items())[:3]}))


def test_a_rubric_without_numbers(folder: Folder, panel: Panel) -> None:
    got = compare(folder, panel({"s01": ([1], [1])}))
    bare = replace(got, rubric=replace(got.rubric, text=b"rubric: 1\n"))
    with pytest.raises(CallerError, match="no bands and no factors"):
        suggest(bare, Path("rubric.yaml"))


@pytest.mark.parametrize(
    ("after", "worse"),
    [
        (Scores(0.6, 0.8, 20.0), False),
        (Scores(0.495, 0.795, 20.5), False),
        (Scores(0.6, 0.7, 20.0), True),
        (Scores(0.4, 0.8, 20.0), True),
        (Scores(0.6, 0.8, 30.0), True),
        (Scores(0.6, math.nan, math.nan), False),
    ],
)
def test_worse_in_one_is_worse(after: Scores, worse: bool) -> None:
    assert after.is_worse(Scores(0.5, 0.8, 20.0)) is worse


def compared(percent: float, *mistakes: tuple[str, float]) -> Compared:
    found = [{"factor": factor, "power": power} for factor, power in mistakes]
    return Compared("a", "A", "", percent, 1, {}, {"mistakes": found})


IDEA, SIGN = ("factors", "core_idea"), ("factors", "codes", "loss-sign")
WEIGHTS = RubricWeights((50.0,), {IDEA: 0.5, SIGN: 0.81})


def test_a_recorded_result_gives_what_is_needed_to_score_it_anew() -> None:
    case = case_of(compared(45.0, ("core_idea", 1.0), ("codes.loss-sign", 0.5)), WEIGHTS)
    assert case.base == pytest.approx(100.0)
    assert case.factors == {IDEA: 1.0, SIGN: 0.5}


def test_equal_factors_add_up_and_a_zero_stays() -> None:
    twice = case_of(compared(25.0, ("core_idea", 1.0), ("core_idea", 1.0)), WEIGHTS)
    assert (twice.base, twice.factors) == (100.0, {IDEA: 2.0})
    assert case_of(compared(0.0, ("core_idea", 1.0)), WEIGHTS).factors == {}
    assert case_of(compared(40.0, ("gone", 1.0)), WEIGHTS).factors == {}
