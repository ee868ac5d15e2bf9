"""Only regular files below the folder are read, and never more than the limits allow."""

from __future__ import annotations

import os
import time
import tracemalloc
import zipfile
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import CallerError, SubmissionError
from grader.intake import files as room
from grader.intake.archives import clean_member, read_zip
from grader.intake.files import (
    JUNK_FOLDERS,
    MAX_FILE,
    MAX_FILES,
    MAX_TOTAL,
    MAX_WALKED,
    Read,
    is_relevant,
    read_folder,
    read_regular,
)
from tests.intake.archives import FIFO, SYMLINK, claiming, flagged, packed

HOSTILE_NAMES = [
    "/etc/passwd.py", "../a.py", "a/../../b.py", "..\\a.py", "C:\\a.py", "c:/a.py", "\\\\host\\a.py",
    "a" * 400 + ".py", "//a.py", "a/b/../../../c.py",
]  # fmt: skip
PARTS = st.sampled_from(["..", ".", "", "a", "b.py", "C:", "é.py", "\n.py", "-rf.py"])
MEMBER_NAMES = st.lists(PARTS, min_size=1, max_size=5).flatmap(
    lambda parts: st.sampled_from(["/", "\\"]).map(lambda s: s.join(parts))
)


def paths(read: Read) -> list[str]:
    return [f.path for f in read.files]


def peak(action: object) -> int:
    """Bytes that `action()` had allocated at its worst; a `SubmissionError` is no matter."""
    tracemalloc.start()
    try:
        action()  # type: ignore[operator]
    except SubmissionError:
        pass
    finally:
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return top


# ── names ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_member_that_climbs_or_is_absolute_has_no_path(name: str) -> None:
    assert clean_member(name) is None


@given(st.one_of(st.text(max_size=60), MEMBER_NAMES))
def test_a_member_has_a_relative_path_that_stays_inside_or_none(name: str) -> None:
    path = clean_member(name)
    if path is not None:
        pure = PurePosixPath(path)
        assert not pure.is_absolute()
        assert ".." not in pure.parts
        assert "\\" not in path
        assert "\0" not in path
        assert pure.as_posix() == path != "."


@pytest.mark.parametrize("path", ["a.py", "x/a.ipynb", "Answers.MD", "a b/c.py", "s.yaml", "A.PY"])
def test_source_and_text_can_matter(path: str) -> None:
    assert is_relevant(path)


@pytest.mark.parametrize(
    "path",
    ["a.pyc", "a", "a.so", ".hidden.py", ".git/a.py", "a.npz", "py", "x/.y/z.py",
     *(f"{folder}/a.py" for folder in sorted(JUNK_FOLDERS))],
)  # fmt: skip
def test_anything_else_cannot(path: str) -> None:
    assert not is_relevant(path)


# ── folders ──────────────────────────────────────────────────────────────────


def test_a_folder_gives_its_source_in_order_and_names_the_rest(tmp_path: Path) -> None:
    for name in ("b.py", "a.py", "sub/c.py", "data.bin", "__pycache__/a.py", ".x/y.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    read = read_folder(tmp_path)
    assert [(f.path, f.data) for f in read.files] == [
        ("a.py", b"a.py"), ("b.py", b"b.py"), ("sub/c.py", b"sub/c.py"),
    ]  # fmt: skip
    assert set(read.passed_over) == {"data.bin", ".x/y.py"}


def test_links_pipes_and_sockets_are_never_opened(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key.py").write_text("secret")
    folder = tmp_path / "ada"
    folder.mkdir()
    (folder / "link.py").symlink_to(secret / "key.py")
    (folder / "dangling.py").symlink_to("nowhere")
    (folder / "inside").symlink_to(secret, target_is_directory=True)
    (folder / "zero.py").symlink_to("/dev/zero")
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    os.mkfifo(folder / "pipe.py")
    read = read_folder(folder)
    assert read.files == ()
    assert {"link.py", "dangling.py", "zero.py", "pipe.py"} <= set(read.passed_over)


def test_a_pipe_does_not_hold_the_judge_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    assert read_regular(tmp_path / "pipe.py") is None, "who opens a pipe waits for its writer"


@pytest.mark.parametrize(("size", "kept"), [(0, True), (MAX_FILE, True), (MAX_FILE + 1, False)])
def test_a_file_is_read_up_to_the_limit_and_not_beyond(
    tmp_path: Path, size: int, kept: bool
) -> None:
    (tmp_path / "a.py").write_bytes(b"#" * size)
    data = read_regular(tmp_path / "a.py")
    assert (data is not None) is kept
    assert len(read_folder(tmp_path).files) == kept


def test_too_much_source_is_refused_before_it_is_all_in_memory(tmp_path: Path) -> None:
    blob = b"#" * MAX_FILE
    for number in range(40):
        (tmp_path / f"{number}.py").write_bytes(blob)
    with pytest.raises(SubmissionError, match="source"):
        read_folder(tmp_path)
    assert peak(lambda: read_folder(tmp_path)) < MAX_TOTAL + 3 * MAX_FILE


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    for number in range(MAX_FILES + 1):
        (tmp_path / f"{number}.py").touch()
    with pytest.raises(SubmissionError, match=str(MAX_FILES)):
        read_folder(tmp_path)


def test_a_folder_of_data_is_not_walked_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MAX_WALKED", 5)
    for number in range(6):
        (tmp_path / f"{number}.png").touch()
    with pytest.raises(SubmissionError, match="more than 5"):
        read_folder(tmp_path)


def test_no_list_of_passed_over_files_is_endless(tmp_path: Path) -> None:
    for number in range(MAX_FILES + 50):
        (tmp_path / f"{number}.png").touch()
    assert len(read_folder(tmp_path).passed_over) == MAX_FILES


# ── archives ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_gives_its_source(compression: int) -> None:
    data = packed([("x/a.py", b"a"), ("x/b.png", b"b"), ("x/", b"")], compression=compression)
    read = read_zip(data)
    assert [(f.path, f.data) for f in read.files] == [("x/a.py", b"a")]
    assert read.passed_over == ("x/b.png",)


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_member_with_a_hostile_name_is_passed_over(name: str) -> None:
    read = read_zip(packed([(name, b"evil"), ("good.py", b"good")]))
    assert paths(read) == ["good.py"]
    assert read.passed_over == (name.replace("\0", "")[:200],)


@pytest.mark.parametrize("mode", [SYMLINK, FIFO])
def test_a_link_or_a_pipe_in_a_zip_is_passed_over(mode: int) -> None:
    read = read_zip(packed([("a.py", b"/etc/passwd")], mode=mode))
    assert read.files == ()
    assert read.passed_over == ("a.py",)


def test_an_encrypted_member_is_passed_over() -> None:
    read = read_zip(flagged(packed([("a.py", b"x")]), 1))
    assert (read.files, read.passed_over) == ((), ("a.py",))


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_bomb_is_not_unpacked(compression: int) -> None:
    data = packed([("a.py", b"\0" * (60 << 20))], compression=compression)
    assert len(data) < MAX_FILE
    assert peak(lambda: read_zip(data)) < 12 << 20
    assert read_zip(data).files == ()


def test_many_members_that_are_too_large_cost_little() -> None:
    member = b"\0" * (MAX_FILE + 1)
    data = packed([(f"{n}.py", member) for n in range(150)])
    started = time.process_time()
    read = read_zip(data)
    assert read.files == ()
    assert time.process_time() - started < 0.25


def test_members_that_add_up_are_refused_before_they_are_all_in_memory() -> None:
    data = packed([(f"{n}.py", b"\0" * MAX_FILE) for n in range(100)])
    with pytest.raises(SubmissionError, match="source"):
        read_zip(data)
    assert peak(lambda: read_zip(data)) < MAX_TOTAL + 4 * MAX_FILE


@pytest.mark.parametrize("claim", [0, 1, 10, 2**31])
def test_what_a_zip_claims_about_its_size_is_not_believed(claim: int) -> None:
    data = claiming(packed([("a.py", b"\0" * (50 << 20))]), claim)

    def attempt() -> None:
        assert sum(len(f.data) for f in read_zip(data).files) <= MAX_FILE

    assert peak(attempt) < 12 << 20


def test_of_two_members_with_one_name_one_is_kept() -> None:
    read = read_zip(packed([("a.py", b"1"), ("a.py", b"2"), ("./a.py", b"3"), (".\\a.py", b"4")]))
    assert paths(read) == ["a.py"]


def test_too_many_members_are_refused() -> None:
    data = packed([(f"{n}.png", b"") for n in range(MAX_WALKED + 1)], compression=0)
    with pytest.raises(SubmissionError, match="members"):
        read_zip(data)


def test_too_many_files_in_a_zip_are_refused() -> None:
    with pytest.raises(SubmissionError, match=str(MAX_FILES)):
        read_zip(packed([(f"{n}.py", b"") for n in range(MAX_FILES + 1)]))


@given(st.binary(max_size=300))
def test_garbage_is_a_submission_error(data: bytes) -> None:
    with pytest.raises(SubmissionError):
        read_zip(data)


@given(st.data())
def test_a_damaged_zip_gives_files_within_limits_or_a_submission_error(data: st.DataObject) -> None:
    compression = data.draw(st.sampled_from([0, 8, 12, 14]))
    whole = packed([("a.py", b"x = 1\n" * 50), ("b/c.py", b"y")], compression=compression)
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    damaged = (
        damaged[: data.draw(st.integers(0, len(damaged)))] if data.draw(st.booleans()) else damaged
    )
    try:
        read = read_zip(bytes(damaged))
    except SubmissionError:
        return
    assert sum(len(f.data) for f in read.files) <= MAX_TOTAL
    assert all(clean_member(f.path) == f.path for f in read.files)


@given(st.lists(st.tuples(MEMBER_NAMES, st.binary(max_size=8)), max_size=6))
def test_whatever_its_members_are_called_what_is_read_stays_inside(
    members: list[tuple[str, bytes]],
) -> None:
    read = read_zip(packed((name or "?", data) for name, data in members))
    assert all(clean_member(p) == p and is_relevant(p) for p in paths(read))
    assert len(set(paths(read))) == len(read.files)


# ── folders ──────────────────────────────────────────────────────────────────


def test_folders_that_nest_deeply_are_passed_over_by_name(tmp_path: Path) -> None:
    (tmp_path / "solution.py").write_text("x = 1\n")
    places = [os.open(tmp_path, os.O_RDONLY)]
    for _ in range(1200):  # by descriptors: the whole path is longer than the system takes
        os.mkdir("d", dir_fd=places[-1])
        places.append(os.open("d", os.O_RDONLY, dir_fd=places[-1]))
    try:
        read = read_folder(tmp_path)
    finally:  # pytest cannot remove folders as deep as these
        while len(places) > 1:
            os.close(places.pop())
            os.rmdir("d", dir_fd=places[-1])
        os.close(places.pop())
    assert paths(read) == ["solution.py"]
    assert any("folders in each other" in row for row in read.explained)


def test_too_many_folders_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MAX_WALKED", 10)
    for number in range(11):
        (tmp_path / f"{number}").mkdir()
    with pytest.raises(SubmissionError, match="more than 10"):
        read_folder(tmp_path)


@pytest.mark.parametrize("closed", ["folder", "file"])
def test_what_is_closed_to_us_is_no_fault_of_the_candidate(
    closed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "solution.py").write_text("x = 1\n")

    def refuse(path: object, *_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(room.os, "scandir" if closed == "folder" else "open", refuse)
    with pytest.raises(CallerError, match="cannot be read: Permission denied"):
        read_folder(tmp_path)
