"""Files are written whole, and a result is reused only when nothing it rests on changed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.cohort import Settings
from grader.cohort.store import (
    REUSE_KEY,
    holds_result,
    read_result,
    remember_rubric,
    remember_seed,
    remember_submissions,
    result_files,
    reusable,
    reuse_key,
    sweep,
    write_whole,
)
from grader.errors import CallerError
from grader.observe.observe import Allowance
from grader.report.document import SCHEMA_VERSION
from grader.rubric import Rubric, load_contract
from grader.rubric.load import parse_contract


def test_a_file_is_replaced_whole_and_no_temporary_stays(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "result.json"
    write_whole(path, "one")
    write_whole(path, "two")
    assert path.read_text() == "two"
    assert [p.name for p in path.parent.iterdir()] == ["result.json"]


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "result.json").symlink_to(victim)
    write_whole(tmp_path / "result.json", "new")
    assert victim.read_text() == "precious"
    assert (tmp_path / "result.json").read_text() == "new"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_the_callers_fault(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(CallerError, match="cannot be written"):
        write_whole(tmp_path / "x.json", "x")


def test_a_folder_in_the_files_place_is_the_callers_fault(tmp_path: Path) -> None:
    (tmp_path / "x.json").mkdir()
    with pytest.raises(CallerError, match="cannot be written"):
        write_whole(tmp_path / "x.json", "x")
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]


def test_the_key_changes_with_everything_a_result_rests_on() -> None:
    settings = Settings(seed=1)
    base = reuse_key("sub", "rub", settings)
    others = [
        reuse_key("other", "rub", settings),
        reuse_key("sub", "rub", settings, "contract"),
        reuse_key("sub", "other", settings),
        reuse_key("sub", "rub", replace(settings, unconfined=True)),
        reuse_key("sub", "rub", replace(settings, mends=True)),
        reuse_key("sub", "rub", replace(settings, allowance=Allowance(3.0))),
    ]
    assert base not in others
    assert len(set(others)) == len(others)
    assert base == reuse_key("sub", "rub", Settings(seed=2)), "each result has a seed of its own"


WHOLE: dict[str, Any] = {
    "submission": {"id": "ada"}, "rubric": {}, "status": "graded", "parts": [], "checks": [],
    "defects": [], "isolation": {},
}  # fmt: skip


@pytest.mark.parametrize("name", WHOLE)
def test_a_result_that_lacks_something_is_none(name: str) -> None:
    assert holds_result(WHOLE)
    assert not holds_result({k: v for k, v in WHOLE.items() if k != name})
    assert not holds_result(WHOLE | {name: 3})


def test_only_a_graded_result_with_the_same_key_is_reused() -> None:
    document = {**WHOLE, REUSE_KEY: "k", "status": "graded", "schema_version": SCHEMA_VERSION}
    assert reusable(document, "k")
    assert not reusable(document, "other")
    assert not reusable({**document, "status": "undecided"}, "k")
    assert not reusable({**document, "schema_version": 1}, "k")
    assert not reusable(None, "k")


@pytest.mark.parametrize(("reason", "kept"), [("uncalled", True), ("unended", False)])
def test_an_unjudged_result_is_kept_unless_it_ran_out_of_time(reason: str, kept: bool) -> None:
    document = {**WHOLE, REUSE_KEY: "k", "status": "unjudged", "schema_version": SCHEMA_VERSION}
    assert reusable({**document, "unjudged": {"reason": reason}}, "k") is kept


def test_to_repeat_a_run_only_its_own_seed_will_do() -> None:
    document = {
        **WHOLE,
        REUSE_KEY: "k",
        "status": "graded",
        "schema_version": SCHEMA_VERSION,
        "seed": 7,
    }
    assert reusable(document, "k", 7)
    assert not reusable(document, "k", 8)
    assert not reusable({**document, "seed": None}, "k", 7)


@pytest.mark.parametrize("data", [b"", b"{", b"[1]", b"\xff\xfe", b"null", b"[" * 100_000])
def test_a_damaged_result_is_no_result(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes(data)
    assert read_result(tmp_path / "run.json") is None


@pytest.mark.slow
def test_a_full_disk_leaves_the_old_file_and_no_half_of_the_new_one(tmp_path: Path) -> None:
    """In a process that may write no more than 4 kB to a file, as on a disk with no more room."""
    write_whole(tmp_path / "result.json", "old")
    words = f"""
import resource
from pathlib import Path
from grader.cohort.store import write_whole
from grader.errors import CallerError
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    write_whole(Path({str(tmp_path / "result.json")!r}), "x" * 100_000)
except CallerError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert "result.json cannot be written: File too large" in done.stdout
    assert (tmp_path / "result.json").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["result.json"]


def test_file_and_folders_have_reached_the_disk_before_it_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[str] = []

    def noted(descriptor: int) -> None:
        flushed.append(os.readlink(f"/proc/self/fd/{descriptor}"))

    monkeypatch.setattr(os, "fsync", noted)
    write_whole(tmp_path / "new" / "result.json", "x")
    temporary = flushed.pop(1)
    assert flushed == [str(tmp_path), str(tmp_path / "new")]
    assert temporary.startswith(str(tmp_path / "new" / ".result.json."))


def test_only_what_a_run_itself_left_is_swept_away(tmp_path: Path) -> None:
    for name in (".result.json.0123abcd.tmp", ".mine.tmp", ".marks.sqlite-wal", "x.0123abcd.tmp"):
        (tmp_path / name).touch()
    sweep(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        ".marks.sqlite-wal", ".mine.tmp", "x.0123abcd.tmp"
    ]  # fmt: skip


def test_the_rubric_and_its_contract_are_kept_as_they_can_be_read_again(
    onsite: Rubric, tmp_path: Path
) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    found = re.search(r"```yaml\n(contract:.*?)```", readme, re.DOTALL)
    assert found is not None
    contract = parse_contract(found[1].encode(), "README.md")
    remember_rubric(tmp_path, replace(onsite, contract=contract))
    assert (tmp_path / "rubric.yaml").read_bytes() == onsite.text
    assert load_contract(tmp_path / "contract.yaml") == contract
    remember_rubric(tmp_path, onsite)
    assert not (tmp_path / "contract.yaml").exists(), "the next run may have none"


def test_the_results_of_a_run_are_its_own_not_what_an_earlier_one_left(tmp_path: Path) -> None:
    for id in ("ada", "bob", "gone"):
        write_whole(tmp_path / "submissions" / id / "result.json", "{}")
    assert list(result_files(tmp_path)) == ["ada", "bob", "gone"], "cut short: all that is there"
    remember_seed(tmp_path, 7)
    remember_submissions(tmp_path, ["bob", "ada", "never-written"])
    assert list(result_files(tmp_path)) == ["bob", "ada"]
    assert (read_result(tmp_path / "run.json") or {})["seed"] == 7
