"""Of a tar, as of a zip: regular files only, inside, under limits counted while reading."""

from __future__ import annotations

import gzip
import tarfile
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import SubmissionError
from grader.intake import archives
from grader.intake.archives import clean_member, member_name, read_archive, read_tar, read_zip
from grader.intake.files import MAX_FILE, MAX_FILES, MAX_TOTAL, MAX_WALKED
from tests.intake.archives import flagged, packed, tarred
from tests.intake.test_files import HOSTILE_NAMES, MEMBER_NAMES, peak


@pytest.mark.parametrize("zipped", [True, False])
def test_a_tar_gives_its_source(zipped: bool) -> None:
    data = tarred([("./x/a.py", b"a"), ("./x/b.png", b"b"), ("x/c.ipynb", b"c")], zipped=zipped)
    read = read_archive("x.tgz", data)
    assert [(f.path, f.data) for f in read.files] == [("x/a.py", b"a"), ("x/c.ipynb", b"c")]
    assert read.passed_over == ("./x/b.png",)


def test_a_zip_that_is_called_a_tar_is_read_all_the_same() -> None:
    assert [f.path for f in read_archive("a.tar.gz", packed([("a.py", b"x")])).files] == ["a.py"]


@pytest.mark.parametrize("name", [n for n in HOSTILE_NAMES if len(n) < 300])
def test_a_member_with_a_hostile_name_is_passed_over(name: str) -> None:
    read = read_tar(tarred([(name, b"evil"), ("good.py", b"good")]))
    assert [f.path for f in read.files] == ["good.py"]
    assert list(read.reasons.values()) == ["its path leads out of the archive"]


@pytest.mark.parametrize(
    ("kind", "why"),
    [(tarfile.SYMTYPE, "a link"), (tarfile.LNKTYPE, "a link"), (tarfile.FIFOTYPE, "no regular file"),
     (tarfile.CHRTYPE, "no regular file"), (tarfile.BLKTYPE, "no regular file")],
)  # fmt: skip
def test_what_is_no_regular_file_is_never_read(kind: bytes, why: str) -> None:
    read = read_tar(tarred([("a.py", b"")], type=kind, linkname="/etc/passwd"))
    assert read.files == ()
    assert read.reasons == {"a.py": why}


@pytest.mark.parametrize("packing", ["zip", "tar"])
def test_junk_is_named_once_and_explained(packing: str) -> None:
    rows = [
        ("hw/a.py", b"a"), ("hw/venv/lib/x.py", b"x"), ("hw/venv/bin/y.py", b"y"),
        ("hw/__MACOSX/._a.py", b"z"), ("hw/__pycache__/a.pyc", b"z"), ("hw/weights.npz", b"z"),
        ("hw/big.py", b"#" * (MAX_FILE + 1)),
    ]  # fmt: skip
    read = read_zip(packed(rows)) if packing == "zip" else read_tar(tarred(rows))
    assert [f.path for f in read.files] == ["hw/a.py"]
    assert read.explained == (
        "hw/venv/ (not your own source)", "hw/__MACOSX/ (not your own source)", "hw/weights.npz",
        "hw/big.py (larger than 2 MiB)",
    )  # fmt: skip


def test_a_virtual_environment_is_known_whatever_it_is_called() -> None:
    read = read_zip(packed([("my-torch/pyvenv.cfg", b""), ("my-torch/x.py", b"x"), ("a.py", b"a")]))
    assert [f.path for f in read.files] == ["a.py"]


# ── limits ───────────────────────────────────────────────────────────────────


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    data = tarred([("a.py", b"\0" * (60 << 20))])
    assert peak(lambda: read_tar(data)) < 12 << 20
    assert read_tar(data).files == ()
    monkeypatch.setattr(archives, "MAX_UNPACKED", 10 << 20)
    monkeypatch.setattr(archives.LimitedStream.__init__, "__defaults__", (10 << 20,))
    with pytest.raises(SubmissionError, match="more than 10 MiB"):
        read_tar(data)


def test_a_bomb_as_large_as_may_be_gone_through_ends_soon() -> None:
    info = tarfile.TarInfo("data.bin")
    info.size = 300 << 20
    data = gzip.compress(info.tobuf() + b"\0" * info.size, 1)
    started = time.process_time()
    with pytest.raises(SubmissionError, match="more than 256 MiB"):
        read_tar(data)
    assert time.process_time() - started < 5


@pytest.mark.parametrize("kind", archives.LONG_HEADERS)
def test_a_header_that_would_be_read_as_a_whole_is_refused(kind: bytes) -> None:
    info = tarfile.TarInfo("a.py")
    info.type, info.size = kind, 100 << 20
    data = info.tobuf(tarfile.USTAR_FORMAT) + b"\0" * (100 << 20)
    assert peak(lambda: read_tar(data)) < 8 << 20
    with pytest.raises(SubmissionError, match="header"):
        read_tar(data)


def test_members_that_add_up_are_refused_before_they_are_all_in_memory() -> None:
    data = tarred([(f"{n}.py", b"\0" * MAX_FILE) for n in range(40)])
    with pytest.raises(SubmissionError, match="source"):
        read_tar(data)
    assert peak(lambda: read_tar(data)) < MAX_TOTAL + 4 * MAX_FILE


@pytest.mark.parametrize(("suffix", "count"), [("png", MAX_WALKED), ("py", MAX_FILES)])
def test_too_many_members_are_refused(suffix: str, count: int) -> None:
    with pytest.raises(SubmissionError):
        read_tar(tarred([(f"{n}.{suffix}", b"") for n in range(count + 1)]))


@given(st.binary(max_size=600))
def test_garbage_is_a_submission_error(data: bytes) -> None:
    with pytest.raises(SubmissionError):
        read_tar(b"\1" + data)


@given(st.data())
def test_a_damaged_tar_gives_files_within_limits_or_a_submission_error(data: st.DataObject) -> None:
    whole = tarred([("a.py", b"x = 1\n" * 50), ("b/c.py", b"y")], zipped=data.draw(st.booleans()))
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        read = read_tar(bytes(damaged))
    except SubmissionError:
        return
    assert sum(len(f.data) for f in read.files) <= MAX_TOTAL
    assert all(clean_member(f.path) == f.path for f in read.files)


@given(st.lists(st.tuples(MEMBER_NAMES, st.binary(max_size=8)), max_size=6))
def test_whatever_its_members_are_called_what_is_read_stays_inside(
    members: list[tuple[str, bytes]],
) -> None:
    read = read_tar(tarred((name or "?", data) for name, data in members))
    assert all(clean_member(f.path) == f.path for f in read.files)


# ── names ────────────────────────────────────────────────────────────────────


def test_a_name_in_utf8_that_does_not_say_so_is_read_as_such() -> None:
    import zipfile

    member = zipfile.ZipInfo("placeholder")
    member.filename = "Ren\xe9e.py".encode().decode("cp437")
    assert member_name(member) == "Ren\xe9e.py"
    member.filename = "\xe9.py"
    assert member_name(member) == "\xe9.py"


def test_an_encrypted_member_says_so() -> None:
    assert read_zip(flagged(packed([("a.py", b"x")]), 1)).explained == ("a.py (encrypted)",)
