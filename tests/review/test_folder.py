"""A folder of results: what is missing in it is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from grader.errors import CallerError
from grader.review import Folder, open_folder
from tests.review.changes import say
from tests.review.conftest import OTHER
from tests.review.serving import ITEM, mark


@pytest.fixture
def folder(out: Path) -> Folder:
    return open_folder(out)


def test_a_result_whose_rubric_is_not_here_is_said_to_be_so(folder: Folder) -> None:
    lonely = replace(folder, rubrics={})
    assert lonely.reviewed(OTHER).document["status"] == "graded", "nothing was said: nothing needed"
    with pytest.raises(CallerError, match="--rubric"):
        say(lonely, OTHER, ITEM, mark(1))


def test_a_folder_without_results_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match="no result here"):
        open_folder(tmp_path)
