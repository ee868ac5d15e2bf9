"""What the tests share: the zygotes, the onsite rubric, an engine, and which of them are quick.

`pytest -m quick` runs what needs no process beside the test's own and sweeps over no samples. A
test is quick unless it asks for one of the fixtures `PROCESSES`, is marked `slow`, or stands in
one of the folders `SLOW`. That it is so is no promise: a quick test that starts a process fails.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from grader.bundled import bundled
from grader.checks import ALL_CHECKS
from grader.cohort import Engine, Settings
from grader.defects import KINDS
from grader.observe.zygotes import Zygotes
from grader.rubric import Rubric, load_rubric
from tests.sharing import SharingEngine

# Else each of the processes that tests start compiles the whole house anew.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# How fast a shared machine draws examples says nothing about the code under test.
settings.register_profile(
    "steady", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60
)
settings.register_profile("quick", settings.get_profile("steady"), max_examples=20)
settings.load_profile("steady")

PROCESSES = frozenset(["zygotes", "zygote", "browser", "client", "numpy_side", "together"])
"""Fixtures that start processes: warm ones, browsers, a cluster, a whole run."""
SLOW = (
    # every test starts processes of its own
    "tests/hostile/",
    "tests/test_samples.py",
    "tests/test_cli.py",
    "tests/test_reference.py",
    # sweeps over samples, styles or seeds
    "tests/child/binding/test_composed.py::test_every_fifth",
    "tests/child/test_instrument.py::test_a_submission_gives_the_same_bits",
    "tests/diagnosis/test_match.py::test_the_gradient_of_a_wrong_loss",
    "tests/diagnosis/test_variants.py::test_it_is_right_by_autograd",
    "tests/problem/test_cases.py::test_central_differences",
    "tests/problem/test_cases.py::test_every_seed",
    "tests/problem/test_compare.py::",
    "tests/problem/test_oracle.py::test_gradients_are_those",
    "tests/problem/test_stacks.py::test_limits",
    "tests/problem/test_stacks.py::test_every_layer",
    "tests/defects/edits/test_edits.py::test_an_edit_parses",
    "tests/report/test_pages.py::test_page_is_whole",
    # archives, sources and loops that are as large as may be
    "tests/source/shapes/test_statements.py::test_a_hostile_source",
    "tests/child/binding/test_binder.py::test_what_a_trial_does",
    "tests/child/test_loading.py::test_a_module_level_that_does_not_end",
    "tests/cohort/test_similarity.py::test_a_large_cohort",
    "tests/cohort/test_cluster.py::",
    "tests/intake/test_archives.py::test_a_bomb",
    "tests/intake/test_archives.py::test_a_header",
    "tests/intake/test_archives.py::test_members_that_add_up",
    "tests/intake/test_archives.py::test_too_many_members",
    "tests/intake/test_encoding.py::test_every_other_codec",
    "tests/intake/exports/test_container.py::test_thousands",
    "tests/intake/test_files.py::test_a_bomb",
    "tests/intake/test_files.py::test_many_members",
    "tests/intake/test_files.py::test_members_that_add_up",
    "tests/intake/test_files.py::test_what_a_zip_claims",
    "tests/report/test_render_report.py::test_floods",
    "tests/sandbox/test_fuzz_wire.py::",
    "tests/sandbox/test_large_pages.py::",
    "tests/sandbox/test_wire.py::test_a_changed_frame",
    "tests/source/test_parsing.py::test_threads",
)
"""Beginnings of the tests that are not quick, though they ask for no fixture of `PROCESSES`.

`tests/test_architecture.py` says when nothing begins so any more.
"""
STARTS = frozenset(
    ["subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.exec", "os.system"]
)
"""The audit events of a process that begins."""

LONGEST = (
    "tests/hostile/test_cohort.py",
    "tests/test_cli.py",
    "tests/test_samples.py",
    "tests/cohort/",
    "tests/hostile/",
    "tests/diagnosis/test_variants.py",
    "tests/report/test_in_browser.py",
    "tests/review/",
    "tests/test_reference.py",
)
"""What would keep one worker busy when the others have long finished goes first, in this order."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--every-seed",
        action="store_true",
        help="grade the reference and each sample with the seeds that the suite leaves out",
    )


@pytest.fixture(scope="session")
def every_seed(request: pytest.FixtureRequest) -> bool:
    """Whether the sweep over the seeds that the suite leaves out was asked for (`.ci/run` does)."""
    return bool(request.config.getoption("--every-seed"))


def pytest_configure(config: pytest.Config) -> None:
    """Draw fewer examples where quick answers are asked for."""
    if config.getoption("markexpr") == "quick":
        settings.load_profile("quick")


def is_quick(item: pytest.Item) -> bool:
    """Tell whether a test needs no process beside its own, and sweeps over nothing."""
    fixtures = getattr(item, "fixturenames", ())
    slow = item.nodeid.startswith(SLOW) or item.get_closest_marker("slow") is not None
    return not slow and PROCESSES.isdisjoint(fixtures)


def rank(item: pytest.Item) -> int:
    """Return the place of a test's file in `LONGEST`; all others share the last one."""
    ranks = (place for place, start in enumerate(LONGEST) if item.nodeid.startswith(start))
    return next(ranks, len(LONGEST))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is quick. Put the longest files first; otherwise the order stays."""
    for item in items:
        if is_quick(item):
            item.add_marker("quick")
    items.sort(key=rank)


_running_quick = threading.local()
"""`test`: the id of the quick test that the thread runs; absent in other threads."""


def _refuse_a_process(event: str, _: object) -> None:
    """Raise where a quick test starts a process: it has to be marked `slow`."""
    if event in STARTS and (test := getattr(_running_quick, "test", "")):
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
def shelf(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this session share."""
    base = tmp_path_factory.getbasetemp()
    is_worker = hasattr(request.config, "workerinput")
    folder = (base.parent if is_worker else base) / "shelf"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def engine(onsite: Rubric, zygotes: Zygotes, shelf: Path) -> Engine:
    """An engine with a fixed seed; the shipped samples are graded once a session."""
    return SharingEngine(onsite, Settings(seed=1), zygotes, shelf)
