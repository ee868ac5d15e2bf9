"""Cohorts laid down as folders, zips and tars, and what is read of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from grader.intake import Cohort
from grader.records import Submission
from tests.intake.archives import packed, tarred
from tests.intake.test_find import FORWARD

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


def marked(text: str) -> str:
    """An answer that can be told from others."""
    return f"{FORWARD}# {text}\n"


def taken(cohort: Cohort) -> dict[str, Submission]:
    """By name; the ids are safe and differ."""
    ids = [f.id for f in cohort.entries]
    assert len({i.lower() for i in ids}) == len(ids)
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}", i) for i in ids)
    read = {f.name: f.read() for f in cohort.entries}
    assert [read[f.name].id for f in cohort.entries] == ids
    assert len(read) == len(ids)
    return read


def graded(cohort: Cohort) -> dict[str, list[str]]:
    """By name, the paths of the code."""
    return {name: [f.path for f in s.files] for name, s in taken(cohort).items()}
