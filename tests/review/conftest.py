"""A graded cohort of two, as it lies on the disk, and a server over it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.cohort import Engine
from grader.cohort.outcomes import Graded
from grader.cohort.run import Order, grade_one, write_cohort
from grader.cohort.store import read_result, remember_rubric
from grader.intake import take_in
from grader.report.overview import outline
from tests.review.serving import Served, served

SAMPLES = Path(__file__).parents[2] / "submissions"
ANSWERED, OTHER = "ines-marques", "ada-okafor"
"""One with a defect and written answers, and one that is right."""


def graded_into(out: Path, engine: Engine, *folders: Path) -> Path:
    """Grade `folders` and lay their results down as `grader cohort` does."""
    rows = []
    for folder in folders:
        grade_one(engine, take_in(folder), out / "submissions" / folder.name, "interviewer")
        document = read_result(out / "submissions" / folder.name / "result.json")
        assert document is not None
        rows.append(Graded(folder.name, outline(document), kept=False))
    remember_rubric(out, engine.rubric)
    write_cohort(Order(engine.rubric, engine.settings, "interviewer"), "two", rows, out)
    return out


@pytest.fixture(scope="session")
def graded_once(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("graded") / "out"
    return graded_into(out, engine, SAMPLES / ANSWERED, SAMPLES / OTHER)


@pytest.fixture
def out(graded_once: Path, tmp_path: Path) -> Path:
    """A copy of its own for each test."""
    return shutil.copytree(graded_once, tmp_path / "out")


@pytest.fixture(scope="module")
def server(graded_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all tests of a file: each of them changes fields of its own."""
    with served(shutil.copytree(graded_once, tmp_path_factory.mktemp("served") / "out")) as running:
        yield running
