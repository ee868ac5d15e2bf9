"""A child that forges its own replies gets a verdict: never an abort, never "undecided".

Whatever the wire's format can say, a submission can say: it lives in the process that
answers. `forger.py` says it, from a fixed list of seeds; the judge must grade on.
"""

from __future__ import annotations

import json
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from grader.cohort import Engine
from grader.intake import take_in
from grader.records import GradeStatus
from grader.report import render_report, result_json

HERE = Path(__file__).parent
SEEDS = range(12, 36)
"""Two of those before take the judge seconds to explain, and show nothing more."""
MARK = "SEED = 0\n"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs confined children")


def forged(seed: int, folder: Path) -> Path:
    """The right twin with the forger at its end, as a submission."""
    honest = (HERE / "fixtures" / "honest" / "right" / "solution.py").read_text()
    forger = (HERE / "forger.py").read_text()
    assert forger.count(MARK) == 1
    target = folder / f"forged-{seed}"
    target.mkdir()
    text = f"{honest}\n\n{forger.replace(MARK, f'SEED = {seed}' + chr(10))}"
    (target / "solution.py").write_text(text, encoding="utf-8")
    return target


def verdict(engine: Engine, path: Path) -> float | str:
    """The score, or in words what went wrong in the judge."""
    try:
        result = engine.grade(take_in(path))
        if result.grade.status is not GradeStatus.GRADED or result.fault:
            return f"{path.name}: undecided: {result.fault}"
        json.dumps(result_json(result), allow_nan=False)
        for audience in ("interviewer", "candidate"):
            render_report(result, audience=audience)
    except Exception as error:
        return f"{path.name}: {type(error).__name__}: {error}"
    return result.grade.score


@pytest.fixture(scope="module")
def verdicts(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> list[float | str]:
    """One for each seed."""
    folder = tmp_path_factory.mktemp("forged")
    paths = [forged(seed, folder) for seed in SEEDS]
    with ThreadPoolExecutor(2) as pool, warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return list(pool.map(lambda path: verdict(engine, path), paths))


def test_forged_replies_are_graded(verdicts: list[float | str]) -> None:
    assert [said for said in verdicts if isinstance(said, str)] == []


def test_forged_replies_gain_nothing(verdicts: list[float | str]) -> None:
    """Also the control: the forgeries reach the checks, and cost their points."""
    scores = [score for score in verdicts if not isinstance(score, str)]
    assert max(scores) <= 80.0
    assert len(set(scores)) > len(SEEDS) / 4
