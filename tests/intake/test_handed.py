"""Bytes are read first, and looked at later, elsewhere."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from grader.intake import Handed, find_cohort
from grader.records import SourceFile


@pytest.fixture
def handed(tmp_path: Path) -> Handed:
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "solution.py").write_text("def forward(): pass\n")
    (tmp_path / "ada" / "answers.md").write_text("# Q1\nbecause\n")
    [entry] = find_cohort(tmp_path).entries
    return entry.collect()


def test_it_travels_and_gives_the_same_submission(handed: Handed) -> None:
    there = pickle.loads(pickle.dumps(handed))
    assert there.take_in() == handed.take_in()
    assert there.digest == handed.digest
    assert there.take_in().main == "solution.py"


def test_every_byte_and_every_reason_is_in_the_digest(handed: Handed) -> None:
    first, *others = handed.read.files
    changed = SourceFile(first.path, first.data + b" ")
    moved = SourceFile(first.path + "x", first.data)
    reads = [replace(handed.read, files=(one, *others)) for one in (changed, moved)]
    reads.append(replace(handed.read, inner=SourceFile("a.zip", b"")))
    reads.append(replace(handed.read, passed_over=("more",)))
    digests = {handed.digest, replace(handed, refused="too many").digest}
    digests |= {replace(handed, read=read).digest for read in reads}
    assert len(digests) == 6


def test_what_was_refused_says_why(handed: Handed) -> None:
    assert replace(handed, refused="more than 400 files").take_in().unusable == (
        "more than 400 files",
    )
