"""The model answer scores 100 %, whatever the seed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from grader.cohort import Engine, Settings
from grader.intake import take_in
from grader.observe.zygotes import Zygotes
from grader.records import CheckStatus
from grader.rubric import Rubric

ROOT = Path(__file__).parent.parent
SEEDS, OTHER_SEEDS = range(10), range(10, 80)
"""Those of the suite, and those of `--every-seed`."""


def test_reference_scores_100_percent_with_every_seed(
    zygotes: Zygotes, onsite: Rubric, every_seed: bool
) -> None:
    reference = take_in(ROOT / "reference")

    def missed(seed: int) -> list[str]:
        result = Engine(onsite, Settings(seed=seed), zygotes).grade(reference)
        assert result.grade.score == result.grade.max_score == 80.0, (seed, result.fault)
        return [
            f"seed {seed}: {c.id}: {c.message}"
            for c in result.grade.checks
            if c.status not in (CheckStatus.PASS, CheckStatus.MANUAL)
        ]

    seeds = OTHER_SEEDS if every_seed else SEEDS
    with ThreadPoolExecutor(2) as pool:
        assert [line for lines in pool.map(missed, seeds) for line in lines] == []
