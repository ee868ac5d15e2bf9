"""What the tests share: the zygotes, the onsite rubric, an engine, and which of them are quick.

`pytest -m quick` runs what needs no process beside the test's own and sweeps over no samples. A
test is quick unless it asks for one of the fixtures `PROCESSES`, is marked `slow`, or stands in
one of the folders `SLOW`. That it is so is no promise: a quick test that starts a process fails.
"""

from __future__ import annotations

import sys
import threading
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

PROCESSES = frozenset(["zygotes", "zygote", "browser", "client", "numpy_side", "together"])
"""Fixtures that start processes: warm ones, browsers, a cluster, a whole run."""
SLOW = ("tests/hostile/", "tests/test_samples.py", "tests/test_cli.py", "tests/test_reference.py")
"""Where every test starts processes of its own."""
STARTS = frozenset(
    ["subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.exec", "os.system"]
)
"""The audit events of a process that begins."""

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


def is_quick(item: pytest.Item) -> bool:
    """Tell whether a test needs no process beside its own, and sweeps over nothing."""
    fixtures = getattr(item, "fixturenames", ())
    slow = item.nodeid.startswith(SLOW) or item.get_closest_marker("slow") is not None
    return not slow and PROCESSES.isdisjoint(fixtures)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is quick. Put the longest files first; otherwise the order stays."""
    for item in items:
        if is_quick(item):
            item.add_marker("quick")
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


_running_quick = threading.local()
"""`test`: the id of the quick test that the thread runs; absent in other threads."""


def _refuse_a_process(event: str, _: object) -> None:
    """Raise where a quick test starts a process: it has to be marked `slow`."""
    test = getattr(_running_quick, "test", "")
    if test and event in STARTS:
        raise RuntimeError(f"{test} is quick and starts a process ({event}): mark it slow")


sys.addaudithook(_refuse_a_process)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Watch a quick test for processes that it starts."""
    _running_quick.test = item.nodeid if item.get_closest_marker("quick") else ""
    try:
        return (yield)
    finally:
        _running_quick.test = ""


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
