"""A cohort in a folder or an archive: nothing hostile in it costs the others anything."""

from __future__ import annotations

import io
import tarfile
import time
import tracemalloc
from pathlib import Path

import pytest

from grader.errors import CallerError
from grader.intake import find_cohort
from tests.intake.archives import SYMLINK, claiming, packed, tarred
from tests.intake.exports.layouts import as_folder
from tests.intake.test_find import FORWARD


def test_links_are_left_out_and_it_is_said(tmp_path: Path) -> None:
    folder = as_folder(tmp_path, {"ada.py": FORWARD})
    (folder / "link.py").symlink_to("/etc/passwd")
    (folder / "eve").symlink_to(tmp_path, target_is_directory=True)
    cohort = find_cohort(folder)
    assert [f.name for f in cohort.entries] == ["ada"]
    assert set(cohort.left_out) == {"link.py (a link)", "eve (a link)"}


def test_a_link_in_an_archive_is_left_out_too(tmp_path: Path) -> None:
    data = packed([("ada.py", b"/etc/passwd")], mode=SYMLINK)
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(CallerError, match="no submissions"):
        find_cohort(tmp_path / "a.zip")


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", "a.tgz", "a.tar", "a.pdf", "none.zip"])
def test_what_is_no_cohort_is_the_callers_fault(name: str, tmp_path: Path) -> None:
    if name != "none.zip":
        (tmp_path / name).write_bytes(b"rubbish")
    with pytest.raises(CallerError):
        find_cohort(tmp_path / name)


def test_one_damaged_member_is_one_candidates_trouble(tmp_path: Path) -> None:
    data = claiming(packed([("ada.py", b"\0" * (50 << 20))]), 10)
    (tmp_path / "a.zip").write_bytes(data)
    (found,) = find_cohort(tmp_path / "a.zip").entries
    assert found.read().main == ""


def test_a_bomb_in_a_cohort_costs_nothing(tmp_path: Path) -> None:
    bomb = packed([("solution.py", b"\0" * (40 << 20))])
    (tmp_path / "a.zip").write_bytes(
        packed([("ada.zip", bomb), ("bob/solution.py", FORWARD.encode())])
    )
    tracemalloc.start()
    read = {f.name: f.read() for f in find_cohort(tmp_path / "a.zip").entries}
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 << 20
    assert read["bob"].main == "solution.py"
    assert "larger than 2 MiB" in read["ada"].unusable[0]


def test_names_that_climb_are_nobodys(tmp_path: Path) -> None:
    rows = [("../evil.py", b"x"), ("/etc/evil.py", b"x"), ("ada.py", FORWARD.encode())]
    for data in (packed(rows),):
        (tmp_path / "a.zip").write_bytes(data)
        assert [f.name for f in find_cohort(tmp_path / "a.zip").entries] == ["ada"]
    (tmp_path / "a.tar").write_bytes(tarred(rows, zipped=False))
    assert [f.name for f in find_cohort(tmp_path / "a.tar").entries] == ["ada"]


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
    assert len(cohort.entries) == 5000
    assert held < 5000 * 4000
    assert seconds < 10
    assert cohort.entries[4321].read().source.startswith("x = 1")
