"""Outcomes lie on disk, come back as they were and in their order, and leave nothing behind."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from grader.cohort.outcomes import Documents, Graded, Outcomes
from grader.errors import CallerError

SEVERAL = [
    Graded("ada", {"status": "graded", "score": 0.1 + 0.2, "band": None, "checks": []}, kept=True),
    Graded(
        "böb", {"status": "undecided", "fault": "a half \ud83d and\n", "score": 0.0}, kept=False
    ),
    Graded("cid", {"status": "graded", "checks": [{"id": "x"}] * 40}, kept=False),
]


def test_they_come_back_in_their_order_as_often_as_one_asks(tmp_path: Path) -> None:
    outcomes = Outcomes(len(SEVERAL), tmp_path)
    for number in (2, 0, 1):
        outcomes.put(number, SEVERAL[number])
    assert list(outcomes) == SEVERAL
    documents = Documents(outcomes)
    assert list(documents) == list(documents) == [one.document for one in SEVERAL]
    assert len(documents) == len(outcomes) == 3
    assert not list(tmp_path.iterdir()), "a run that is killed leaves nothing"


def test_one_that_is_missing_is_not_passed_over(tmp_path: Path) -> None:
    outcomes = Outcomes(2, tmp_path)
    outcomes.put(1, SEVERAL[1])
    with pytest.raises(LookupError):
        list(outcomes)


@contextmanager
def no_room_beyond(size: int) -> Iterator[None]:
    """No file of this process may grow larger, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_said_in_a_sentence(tmp_path: Path) -> None:
    outcomes = Outcomes(len(SEVERAL), tmp_path)
    outcomes.put(0, SEVERAL[0])
    with no_room_beyond(300), pytest.raises(CallerError, match="cannot be written"):
        outcomes.put(2, SEVERAL[2])
    outcomes.put(2, SEVERAL[2])
    outcomes.put(1, SEVERAL[1])
    assert list(outcomes) == SEVERAL


def test_a_place_that_cannot_be_written_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match="cannot be written"):
        Outcomes(1, tmp_path / "gone")
