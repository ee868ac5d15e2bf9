"""What makes no sense is refused in words and not kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from grader.errors import CallerError
from grader.review import Folder, open_folder
from tests.review.changes import WRONG, override, say
from tests.review.conftest import ANSWERED
from tests.review.serving import ITEM, mark


@pytest.fixture
def folder(out: Path) -> Folder:
    return open_folder(out)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        (ITEM, mark(2.5), "more than the 2"),
        (ITEM, mark(-1), "points"),
        (ITEM, mark(float("nan")), "points"),
        (ITEM, {"points": "2"}, "points"),
        (ITEM, {"points": 1.0, "extra": 1}, "extra"),
        ("mark/no-such", mark(1), "no 'mark/no-such'"),
        (f"check/{WRONG}", {"status": "pass", "reason": " "}, "reason"),
        (f"check/{WRONG}", {"status": "manual", "reason": "x"}, "status"),
        ("check/followup-q1", override("pass"), "no 'check/followup-q1'"),
        ("comment/1", {"file": "solution.py", "line": 10_000, "text": "x"}, "no line 10000"),
        ("comment/1", {"file": "/etc/passwd", "line": 1, "text": "x"}, "no line 1"),
        ("comment/../x", {"file": "solution.py", "line": 1, "text": "x"}, "no 'comment"),
        ("whatever", {}, "no 'whatever'"),
    ],
)
def test_what_makes_no_sense_is_refused_and_not_kept(
    folder: Folder, field: str, value: Any, words: str
) -> None:
    with pytest.raises(CallerError, match=words):
        say(folder, ANSWERED, field, value)
    assert folder.store.history(ANSWERED) == ()
