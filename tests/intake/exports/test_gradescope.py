"""Gradescope's export: who submitted, and when, is read as lines."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from grader.intake import find_cohort
from tests.intake.archives import packed
from tests.intake.exports.layouts import WAYS, Files, Lay, as_folder, marked
from tests.intake.test_find import FORWARD, notebook

METADATA = r"""---
submission_100001:
  :submitters:
  - :name: Ada Lovelace
    :sid: '100'
    :email: ada@example.edu
  :created_at: 2026-04-28 17:34:00.861687000 Z
  :score: 2.0
  :graders:
  - :name: A Grader
    :email: grader@example.edu
  :results:
    output: |-
      submission_999999:
        :submitters:
        - :name: Nobody
  :history:
  - :id: 5
    :submitters:
    - :name: Somebody Else
submission_100002:
  :submitters:
  - :name: "Ren\xE9e \"R\" O'Neil"
    :sid:
    :email: renee@example.edu
  - :name: 'Bob O''Brien'
    :email: bob@example.edu
  :created_at: 2026-04-26 10:00:00.000000000 Z
submission_100003:
  :submitters:
  - :name: Ada Lovelace
    :email: ada@example.edu
  :created_at: 2026-04-27 08:00:00.000000000 Z
submission_100004:
  :submitters:
  - :name: Ada Lovelace
    :email: another.ada@example.edu
submission_100005:
  :submitters: []
submission_100006:
  :submitters:
  - :name: Left Early
"""
GRADESCOPE: Files = {
    "submission_metadata.yml": METADATA,
    "submission_100001/solution.py": marked("first"),
    "submission_100002/hw3/solution.py": marked("pair"),
    "submission_100002/hw3/utils.py": "x = 1\n",
    "submission_100003/solution.py": marked("second"),
    "submission_100004/hw.ipynb": notebook(FORWARD),
    "submission_100005/code.zip": packed([("solution.py", FORWARD.encode())]),
    "submission_100007/solution.py": marked("unknown"),
}


@pytest.mark.parametrize("lay", WAYS)
def test_gradescope(lay: Lay, tmp_path: Path) -> None:
    cohort = find_cohort(lay(tmp_path, GRADESCOPE))
    assert cohort.layout == "Gradescope"
    names = [f.name for f in cohort.entries]
    assert names == [
        "Ada Lovelace", "Ren\xe9e \"R\" O'Neil, Bob O'Brien", "Ada Lovelace", "submission_100005",
        "submission_100007",
    ]  # fmt: skip
    first, pair, other, zipped, unknown = (f.read() for f in cohort.entries)
    assert "first" in first.source
    assert first.passed_over[0].endswith("submission_100003 (an earlier attempt)")
    assert [f.path for f in pair.files] == ["solution.py", "utils.py"]
    assert other.main == "hw.py"
    assert zipped.main == "solution.py"
    assert "unknown" in unknown.source
    assert len({f.id for f in cohort.entries}) == 5
    assert (
        "submission_100006 (in submission_metadata.yml, but not in the export)" in cohort.left_out
    )
    assert any(
        row.endswith("submission_100003 (an earlier attempt of Ada Lovelace)")
        for row in cohort.left_out
    )


def test_long_metadata_take_no_longer_than_their_lines(tmp_path: Path) -> None:
    rows = [
        f"submission_{n}:\n  :submitters:\n  - :name: Student {n}\n    :email: s{n}@x.edu\n"
        f"  :results:\n    output: |-\n      {'x' * 900}\n"
        for n in range(10_000)
    ]
    folder = as_folder(
        tmp_path, {"submission_metadata.yml": "".join(rows), "submission_7/a.py": "x"}
    )
    started = time.process_time()
    cohort = find_cohort(folder)
    assert time.process_time() - started < 2
    assert [f.name for f in cohort.entries] == ["Student 7"]


@pytest.mark.parametrize("junk", ["\0\xff: [", "submission_1: &a [*a]", "- :name: x", "!!python/x"])
def test_strange_metadata_are_inert(junk: str, tmp_path: Path) -> None:
    folder = as_folder(tmp_path, {"submission_metadata.yml": junk, "submission_1/a.py": FORWARD})
    assert [f.name for f in find_cohort(folder).entries] == ["submission_1"]


def test_metadata_beside_other_folders_are_no_export(tmp_path: Path) -> None:
    files: Files = {f"{name}/solution.py": FORWARD for name in ("alice", "bob", "submission_1")}
    cohort = find_cohort(
        as_folder(tmp_path, {**files, "submission_metadata.yml": "submission_1:\n"})
    )
    assert cohort.layout == "plain"
    assert {entry.name for entry in cohort.entries} == {"alice", "bob", "submission_1"}
