"""A folder of folders and files, without an export's layout."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.intake import find_cohort
from tests.intake.archives import packed, tarred
from tests.intake.exports.layouts import WAYS, Files, Lay, as_folder, as_wrapped_zip, graded
from tests.intake.test_find import FORWARD, notebook

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
    assert next(f for f in cohort.entries if f.name == "ada").read().passed_over == (
        "venv/ (not your own source)",
    )


def test_an_archive_of_one_folder_of_folders_is_a_cohort_and_not_a_candidate(
    tmp_path: Path,
) -> None:
    files: Files = {"ada/solution.py": FORWARD, "bob/solution.py": FORWARD}
    assert set(graded(find_cohort(as_wrapped_zip(tmp_path, files)))) == {"ada", "bob"}
    (tmp_path / "one.zip").write_bytes(packed([("ada/solution.py", b"x"), ("ada/lib/b.py", b"y")]))
    assert graded(find_cohort(tmp_path / "one.zip")) == {"ada": ["lib/b.py", "solution.py"]}


@pytest.mark.parametrize("first", ["alice.py", "alice/solution.py"])
def test_an_id_stays_when_something_of_the_same_name_comes_beside_it(
    first: str, tmp_path: Path
) -> None:
    before = {e.path.name: e.id for e in find_cohort(as_folder(tmp_path, {first: FORWARD})).entries}
    both: Files = {
        "alice.py": FORWARD,
        "alice/solution.py": FORWARD,
        "Alice.zip": b"PK",
        "ALICE.py": "",
    }
    cohort = find_cohort(as_folder(tmp_path, both))
    after = {e.path.name: e.id for e in cohort.entries}
    assert after.items() >= before.items()
    assert len({id.lower() for id in after.values()}) == 4
    assert len(cohort.alike[0]) == 4


def test_results_of_an_earlier_run_are_no_submission(tmp_path: Path) -> None:
    root = as_folder(
        tmp_path, {"ada/solution.py": FORWARD, "out/submissions/ada/result.json": "{}"}
    )
    cohort = find_cohort(root, leave_out=root / "out")
    assert [e.id for e in cohort.entries] == ["ada"]
    assert cohort.left_out == ("out (the results of an earlier run)",)
