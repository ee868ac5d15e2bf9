"""An unknown format is answered with the known ones."""

from __future__ import annotations

import pytest

from grader.errors import CallerError
from grader.export import FORMATS, export
from grader.review import Folder
from tests.export.conftest import GRADED


def test_a_format_that_is_none_is_answered_with_those_that_are(folder: Folder) -> None:
    with pytest.raises(CallerError, match="csv, json, gradescope, canvas, moodle, junit"):
        export(folder, "xls", None)
    assert len({f.output for f in FORMATS}) == len(FORMATS)
    assert set(GRADED) < set(folder.paths)
