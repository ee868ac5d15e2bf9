"""Gradescope: what its own package writes, ours writes too; and the autograder grades."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import sys
import unittest
import zipfile
from pathlib import Path
from typing import Any

import pytest
from gradescope_utils.autograder_utils.decorators import number, visibility, weight
from gradescope_utils.autograder_utils.json_test_runner import JSONTestRunner

from grader.export import export
from grader.export.gradescope import pinned
from grader.review import Folder

ROOT = Path(__file__).parents[2]
FORMATS = {"text", "html", "simple_format", "md", "ansi"}
VISIBILITIES = {"hidden", "after_due_date", "after_published", "visible"}
TOP = {
    "score": float, "execution_time": int, "output": str, "output_format": FORMATS,
    "test_output_format": FORMATS, "test_name_format": FORMATS, "visibility": VISIBILITIES,
    "stdout_visibility": VISIBILITIES, "extra_data": dict, "tests": list, "leaderboard": list,
}  # fmt: skip
TEST = {
    "score": float, "max_score": float, "status": {"passed", "failed"}, "name": str,
    "name_format": FORMATS, "number": str, "output": str, "output_format": FORMATS,
    "tags": list, "visibility": VISIBILITIES, "extra_data": dict,
}  # fmt: skip
"""The specification's keys: their types, or the words that they may be."""


def fits(document: dict[str, Any], form: dict[str, Any]) -> bool:
    return all(
        key in form
        and (value in form[key] if isinstance(form[key], set) else isinstance(value, form[key]))
        for key, value in document.items()
    )


def theirs() -> dict[str, Any]:
    """What Gradescope's own package writes for a test that passes and one that fails."""

    class Tests(unittest.TestCase):
        @weight(2.0)
        @number("1")
        @visibility("visible")
        def test_passes(self) -> None:
            """passes"""

        @weight(1.0)
        @number("2")
        def test_fails(self) -> None:
            """fails"""
            self.fail("no")

    stream = io.StringIO()
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(Tests)
    JSONTestRunner(stream=stream, visibility="visible", stdout_visibility="hidden").run(suite)
    return dict(json.loads(stream.getvalue()))


def test_our_form_is_the_specifications_and_their_own_packages(
    folder: Folder, tmp_path: Path
) -> None:
    reference = theirs()
    reference["execution_time"] = int(float(reference["execution_time"]))
    reference["score"] = float(reference.get("score", 0.0))
    assert fits(reference, TOP), "the form is not stricter than what they write"
    assert all(fits(test, TEST) for test in reference["tests"])
    export(folder, "gradescope", tmp_path / "g")
    for id in ("ada", "bob", "eve"):
        ours = json.loads((tmp_path / "g" / id / "results.json").read_text("utf-8"))
        assert fits(ours, TOP), id
        assert all(fits(test, TEST) for test in ours["tests"])
        assert set(reference) - {"leaderboard"} <= set(ours)
        assert set(reference["tests"][0]) <= {key for test in ours["tests"] for key in test}
        assert ours["score"] == folder.reviewed(id).document["score"]


def test_points_are_those_of_the_checks_and_a_mark_counts(folder: Folder, tmp_path: Path) -> None:
    done = export(folder, "gradescope", tmp_path / "g")
    assert done.left_out == ("una is undecided",)
    assert not (tmp_path / "g" / "una").exists(), "no results, so no zero"
    ada = json.loads((tmp_path / "g" / "ada" / "results.json").read_text("utf-8"))
    assert sum(t.get("score", 0) for t in ada["tests"]) == ada["score"] == 81.5
    open_tests = [t for t in ada["tests"] if "score" not in t]
    assert open_tests
    assert all("status" not in t for t in open_tests)
    eve = (tmp_path / "g" / "eve" / "results.json").read_text("utf-8")
    assert json.loads(eve)["output_format"] == "text"
    assert "\\u001b" not in eve, "no escape sequence is left"
    assert "Reviewer" not in eve


@pytest.mark.slow
def test_the_autograder_that_is_packed_grades_a_submission_by_itself(
    folder: Folder, tmp_path: Path
) -> None:
    export(folder, "gradescope", tmp_path / "g")
    root = tmp_path / "autograder"
    with zipfile.ZipFile(tmp_path / "g" / "autograder.zip") as archive:
        modes = {i.filename: i.external_attr >> 16 for i in archive.infolist()}
        archive.extractall(root / "source")
    for script in ("run_autograder", "setup.sh"):
        assert modes[script] & stat.S_IXUSR, "Gradescope executes it"
        assert subprocess.run(["bash", "-n", root / "source" / script], check=False).returncode == 0
    assert {line.partition("==")[0] for line in pinned()} >= {"numpy", "torch", "pydantic"}
    (root / "submission").mkdir()
    (root / "submission" / "solution.py").write_bytes(
        (ROOT / "submissions/ada-okafor/solution.py").read_bytes()
    )
    env = {"AUTOGRADER_ROOT": str(root), "AUTOGRADER_PYTHON": sys.executable}
    done = subprocess.run(
        ["bash", root / "source" / "run_autograder"],
        env={**os.environ, **env}, cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    results = json.loads((root / "results" / "results.json").read_text("utf-8"))
    assert fits(results, TOP)
    assert results["score"] == results["extra_data"]["max_score"] > 0
    assert results["extra_data"]["rubric"] == folder.result("ada")["rubric"]["digest"]
