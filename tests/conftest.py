"""What the tests of whole submissions share: the zygotes, the onsite rubric, an engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from grader.bundled import bundled
from grader.checks import ALL_CHECKS
from grader.cohort import Engine, Settings
from grader.defects import KINDS
from grader.observe.zygotes import Zygotes
from grader.rubric import Rubric, load_rubric

# How fast a shared machine draws examples says nothing about the code under test.
settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")

LONGEST = (
    "tests/test_samples.py",
    "tests/cohort/",
    "tests/hostile/test_cohort.py",
    "tests/test_reference.py",
    "tests/test_cli.py",
)
"""What would keep one worker busy when the other has long finished: it goes first."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--every-seed",
        action="store_true",
        help="grade the reference with 200 seeds and each sample with 20, not with 20 and 4",
    )


@pytest.fixture(scope="session")
def every_seed(request: pytest.FixtureRequest) -> bool:
    """Whether the long sweep over the seeds was asked for (`.ci/run` does)."""
    return bool(request.config.getoption("--every-seed"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; within a file, and among the others, the order stays."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


@pytest.fixture(scope="session")
def zygotes() -> Iterator[Zygotes]:
    """Both warm processes, started once for all tests."""
    with Zygotes() as both:
        yield both


@pytest.fixture(scope="session")
def onsite() -> Rubric:
    """The bundled default rubric."""
    return load_rubric(
        bundled("rubrics") / "onsite.yaml", [c.id for c in ALL_CHECKS], [c.code for c in KINDS]
    )


@pytest.fixture(scope="session")
def engine(onsite: Rubric, zygotes: Zygotes) -> Engine:
    """An engine with a fixed seed."""
    return Engine(onsite, Settings(seed=1), zygotes)
