"""Each system's export gives every candidate once, under the right name, with the newest work."""

from __future__ import annotations

import io
import re
import tarfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.errors import CallerError
from grader.intake import Cohort, find_cohort, find_submissions
from grader.records import Submission
from tests.intake.archives import SYMLINK, claiming, packed, tarred
from tests.intake.test_find import FORWARD, notebook

Files = dict[str, str | bytes]
Lay = Callable[[Path, Files], Path]


def as_folder(root: Path, files: Files) -> Path:
    for name, content in files.items():
        path = root / "export" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root / "export"


def members(files: Files, prefix: str = "") -> list[tuple[str, bytes]]:
    return [(prefix + n, c if isinstance(c, bytes) else c.encode()) for n, c in files.items()]


def as_zip(root: Path, files: Files) -> Path:
    (root / "export.zip").write_bytes(packed(members(files)))
    return root / "export.zip"


def as_wrapped_zip(root: Path, files: Files) -> Path:
    (root / "export.zip").write_bytes(packed(members(files, "Homework 3/")))
    return root / "export.zip"


def as_tar(root: Path, files: Files) -> Path:
    (root / "export.tar.gz").write_bytes(tarred(members(files, "./")))
    return root / "export.tar.gz"


WAYS: tuple[Lay, ...] = (as_folder, as_zip, as_wrapped_zip, as_tar)


def taken(cohort: Cohort) -> dict[str, Submission]:
    """By name; the ids are safe and differ."""
    ids = [f.id for f in cohort.found]
    assert len({i.lower() for i in ids}) == len(ids)
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}", i) for i in ids)
    read = {f.name: f.read() for f in cohort.found}
    assert [read[f.name].id for f in cohort.found] == ids
    assert len(read) == len(ids)
    return read


def graded(cohort: Cohort) -> dict[str, list[str]]:
    """By name, the paths of the code."""
    return {name: [f.path for f in s.files] for name, s in taken(cohort).items()}


def marked(text: str) -> str:
    """An answer that can be told from others."""
    return f"{FORWARD}# {text}\n"


# ── Gradescope ───────────────────────────────────────────────────────────────

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
    names = [f.name for f in cohort.found]
    assert names == [
        "Ada Lovelace", "Ren\xe9e \"R\" O'Neil, Bob O'Brien", "Ada Lovelace", "submission_100005",
        "submission_100007",
    ]  # fmt: skip
    first, pair, other, zipped, unknown = (f.read() for f in cohort.found)
    assert "first" in first.source
    assert first.passed_over[0].endswith("submission_100003 (an earlier attempt)")
    assert [f.path for f in pair.files] == ["solution.py", "utils.py"]
    assert other.main == "hw.py"
    assert zipped.main == "solution.py"
    assert "unknown" in unknown.source
    assert len({f.id for f in cohort.found}) == 5
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
    assert [f.name for f in cohort.found] == ["Student 7"]


@pytest.mark.parametrize("junk", ["\0\xff: [", "submission_1: &a [*a]", "- :name: x", "!!python/x"])
def test_strange_metadata_are_inert(junk: str, tmp_path: Path) -> None:
    folder = as_folder(tmp_path, {"submission_metadata.yml": junk, "submission_1/a.py": FORWARD})
    assert [f.name for f in find_cohort(folder).found] == ["submission_1"]


# ── Canvas ───────────────────────────────────────────────────────────────────

CANVAS: Files = {
    "lovelaceada_12345_1001_solution.py": marked("old"),
    "lovelaceada_12345_1009_solution-1.py": "from utils import x\n" + marked("new"),
    "lovelaceada_12345_1003_utils.py": "x = 1\n",
    "lovelaceada_12345_1004_answers.md": "## Q1\nyes",
    "obrienbob_LATE_222_1005_work.zip": packed([("hw/solution.py", marked("zip").encode())]),
    "zhangwei_333_1006_hw3-2.ipynb": notebook(FORWARD),
    "nowaktomasz_444_1007_part-1.py": "x = 1\n",
    "nowaktomasz_444_1008_part-2.py": marked("part two"),
    "silvaana_555_1011_hw_v1.py": marked("v1"),
    "silvaana_555_1012_hw_v2.py": marked("v2"),
    "anon_a1B2c_1013_solution.py": marked("anonymous"),
    "lovelaceada_777_1014_solution.py": marked("namesake"),
}


@pytest.mark.parametrize("lay", WAYS)
def test_canvas(lay: Lay, tmp_path: Path) -> None:
    cohort = find_cohort(lay(tmp_path, CANVAS))
    assert cohort.layout == "Canvas"
    assert len(cohort.found) == 7
    assert sum(f.name == "lovelaceada" for f in cohort.found) == 2
    by_id = {f.id: f.read() for f in cohort.found}
    ada = by_id[next(i for i in by_id if i.startswith("lovelaceada-12345"))]
    assert [f.path for f in ada.files] == ["solution.py", "utils.py"]
    assert "new" in ada.source
    assert ada.answers == "## Q1\nyes"
    assert ada.passed_over == ("solution.py (an earlier version of solution-1.py)",)
    assert "zip" in by_id["obrienbob"].source
    assert by_id["zhangwei"].main == "hw3.py"
    assert [f.path for f in by_id["nowaktomasz"].files] == ["part-1.py", "part-2.py"]
    assert "v2" in by_id["silvaana"].source
    assert by_id["silvaana"].passed_over == ("hw_v1.py (an earlier version of hw_v2.py)",)
    assert "namesake" in by_id[next(i for i in by_id if i.startswith("lovelaceada-777"))].source


def test_a_few_odd_files_make_it_no_other_layout(tmp_path: Path) -> None:
    cohort = find_cohort(as_folder(tmp_path, {**CANVAS, "roster.csv": "a,b"}))
    assert cohort.layout == "Canvas"
    assert "roster.csv (not called like a submission)" in cohort.left_out


# ── Moodle ───────────────────────────────────────────────────────────────────

MOODLE: Files = {
    "Ada Lovelace_12_assignsubmission_file_/solution.py": FORWARD,
    "Ada Lovelace_12_assignsubmission_file_/utils.py": "x = 1\n",
    "Ada Lovelace_12_assignsubmission_onlinetext_/onlinetext.html": "<p>hi</p>",
    "Jos\xe9 O'Neil_13_assignsubmission_file_solution.py": marked("flat"),
    "Jos\xe9 O'Neil_13_assignsubmission_file_answers.md": "## Q1",
    "Wei Zhang_14_assignsubmission_file/hw.zip": packed([("solution.py", FORWARD.encode())]),
    "Participant_15_assignsubmission_onlinetext_onlinetext.html": "<p>I did it</p>",
}


@pytest.mark.parametrize("lay", WAYS)
def test_moodle(lay: Lay, tmp_path: Path) -> None:
    cohort = find_cohort(lay(tmp_path, MOODLE))
    assert cohort.layout == "Moodle"
    read = taken(cohort)
    assert set(read) == {"Ada Lovelace", "Jos\xe9 O'Neil", "Wei Zhang", "Participant"}
    assert [f.path for f in read["Ada Lovelace"].files] == ["solution.py", "utils.py"]
    assert any("online text" in p for p in read["Ada Lovelace"].passed_over)
    assert "flat" in read["Jos\xe9 O'Neil"].source
    assert read["Jos\xe9 O'Neil"].answers == "## Q1"
    assert read["Wei Zhang"].main == "solution.py"
    assert read["Participant"].main == ""
    assert "no Python file" in read["Participant"].defects[0].message


# ── nbgrader, GitHub Classroom ───────────────────────────────────────────────

NBGRADER: Files = {
    "submitted/bitdiddle/ps1/problem1.ipynb": notebook(FORWARD),
    "submitted/bitdiddle/ps1/timestamp.txt": "2026-02-02 15:58:23.948203 America/Los_Angeles",
    "submitted/hacker/ps1/problem1.ipynb": notebook(FORWARD),
    "submitted/hacker/ps1/timestamp.txt": "2026-02-02 15:58:23.948203 UTC",
    "source/ps1/problem1.ipynb": notebook(FORWARD),
    "gradebook.db": b"SQLite",
}


@pytest.mark.parametrize("lay", WAYS)
def test_nbgrader(lay: Lay, tmp_path: Path) -> None:
    assert graded(find_cohort(lay(tmp_path, NBGRADER))) == {
        "bitdiddle": ["problem1.py"], "hacker": ["problem1.py"],
    }  # fmt: skip


def test_nbgrader_by_the_folder_alone_and_with_two_assignments(tmp_path: Path) -> None:
    files = {**NBGRADER, "submitted/hacker/ps2/a.ipynb": notebook(FORWARD)}
    cohort = find_cohort(as_folder(tmp_path, files) / "submitted")
    assert cohort.layout == "nbgrader"
    assert list(graded(cohort)) == ["bitdiddle ps1", "hacker ps1", "hacker ps2"]


CLASSROOM: Files = {
    "backprop-ada-l/.git/HEAD": "ref: refs/heads/main\n",
    "backprop-ada-l/src/solution.py": FORWARD,
    "backprop-bob/.github/classroom/autograding.json": "{}",
    "backprop-bob/solution.py": FORWARD,
}


@pytest.mark.parametrize("lay", WAYS)
def test_github_classroom(lay: Lay, tmp_path: Path) -> None:
    cohort = find_cohort(lay(tmp_path, CLASSROOM))
    assert cohort.layout == "GitHub Classroom"
    assert set(graded(cohort)) == {"ada-l", "bob"}


def test_folders_that_merely_share_a_word_keep_their_names(tmp_path: Path) -> None:
    files: Files = {"group-a/solution.py": FORWARD, "group-b/solution.py": FORWARD}
    cohort = find_cohort(as_folder(tmp_path, files))
    assert (cohort.layout, set(graded(cohort))) == ("plain", {"group-a", "group-b"})


# ── plain ────────────────────────────────────────────────────────────────────

PLAIN: Files = {
    "ada/solution.py": FORWARD, "ada/venv/x.py": "y = 1\n", "bob.py": FORWARD,
    "carl.ipynb": notebook(FORWARD), "dora.zip": packed([("solution.py", FORWARD.encode())]),
    "eve.tar.gz": tarred([("eve/solution.py", FORWARD.encode())]), "fay_v2.py": FORWARD,
    "fay_v1.py": FORWARD, "notes.txt": "hello", "__MACOSX/._bob.py": b"\0", ".DS_Store": b"\0",
}  # fmt: skip


@pytest.mark.parametrize("lay", WAYS[:2] + WAYS[3:])
def test_a_plain_one(lay: Lay, tmp_path: Path) -> None:
    cohort = find_cohort(lay(tmp_path, PLAIN))
    assert cohort.layout == "plain"
    assert graded(cohort) == {
        "ada": ["solution.py"], "bob": ["bob.py"], "carl": ["carl.py"], "dora": ["solution.py"],
        "eve": ["solution.py"], "fay_v1": ["fay_v1.py"], "fay_v2": ["fay_v2.py"],
    }  # fmt: skip
    assert cohort.left_out == ("notes.txt",)
    assert next(f for f in cohort.found if f.name == "ada").read().passed_over == (
        "venv/ (not your own source)",
    )


def test_an_archive_of_one_folder_of_folders_is_a_cohort_and_not_a_candidate(
    tmp_path: Path,
) -> None:
    files: Files = {"ada/solution.py": FORWARD, "bob/solution.py": FORWARD}
    assert set(graded(find_cohort(as_wrapped_zip(tmp_path, files)))) == {"ada", "bob"}
    (tmp_path / "one.zip").write_bytes(packed([("ada/solution.py", b"x"), ("ada/lib/b.py", b"y")]))
    assert graded(find_cohort(tmp_path / "one.zip")) == {"ada": ["lib/b.py", "solution.py"]}


def test_links_are_left_out_and_it_is_said(tmp_path: Path) -> None:
    folder = as_folder(tmp_path, {"ada.py": FORWARD})
    (folder / "link.py").symlink_to("/etc/passwd")
    (folder / "eve").symlink_to(tmp_path, target_is_directory=True)
    cohort = find_cohort(folder)
    assert [f.name for f in cohort.found] == ["ada"]
    assert set(cohort.left_out) == {"link.py (a link)", "eve (a link)"}


def test_a_link_in_an_archive_is_left_out_too(tmp_path: Path) -> None:
    data = packed([("ada.py", b"/etc/passwd")], mode=SYMLINK)
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(CallerError, match="no submissions"):
        find_cohort(tmp_path / "a.zip")


# ── hostile and large ────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", "a.tgz", "a.tar", "a.pdf", "none.zip"])
def test_what_is_no_cohort_is_the_callers_fault(name: str, tmp_path: Path) -> None:
    if name != "none.zip":
        (tmp_path / name).write_bytes(b"rubbish")
    with pytest.raises(CallerError):
        find_cohort(tmp_path / name)


def test_one_damaged_member_is_one_candidates_trouble(tmp_path: Path) -> None:
    data = claiming(packed([("ada.py", b"\0" * (50 << 20))]), 10)
    (tmp_path / "a.zip").write_bytes(data)
    (found,) = find_submissions(tmp_path / "a.zip")
    assert found.read().main == ""


def test_a_bomb_in_a_cohort_costs_nothing(tmp_path: Path) -> None:
    bomb = packed([("solution.py", b"\0" * (40 << 20))])
    (tmp_path / "a.zip").write_bytes(
        packed([("ada.zip", bomb), ("bob/solution.py", FORWARD.encode())])
    )
    tracemalloc.start()
    read = {f.name: f.read() for f in find_submissions(tmp_path / "a.zip")}
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 << 20
    assert read["bob"].main == "solution.py"
    assert "larger than 2 MiB" in read["ada"].defects[0].message


def test_names_that_climb_are_nobodys(tmp_path: Path) -> None:
    rows = [("../evil.py", b"x"), ("/etc/evil.py", b"x"), ("ada.py", FORWARD.encode())]
    for data in (packed(rows),):
        (tmp_path / "a.zip").write_bytes(data)
        assert [f.name for f in find_submissions(tmp_path / "a.zip")] == ["ada"]
    (tmp_path / "a.tar").write_bytes(tarred(rows, zipped=False))
    assert [f.name for f in find_submissions(tmp_path / "a.tar")] == ["ada"]


def test_thousands_are_found_without_being_read(tmp_path: Path) -> None:
    """Names only: a cohort's bytes are read one submission at a time."""
    stream = io.BytesIO()
    blob = b"x = 1  # " + b"x" * 2000
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for number in range(5000):
            info = tarfile.TarInfo(f"student{number:05}.py")
            info.size = len(blob)
            archive.addfile(info, io.BytesIO(blob))
    (tmp_path / "a.tar").write_bytes(stream.getvalue())
    del stream
    tracemalloc.start()
    started = time.process_time()
    cohort = find_cohort(tmp_path / "a.tar")
    seconds = time.process_time() - started
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(cohort.found) == 5000
    assert held < 5000 * 4000
    assert seconds < 10
    assert cohort.found[4321].read().source.startswith("x = 1")
