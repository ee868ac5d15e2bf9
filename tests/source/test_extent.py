"""What is large is left out by itself; all else is read."""

from __future__ import annotations

import pytest

from grader.limits import SOURCE_BYTES, SOURCE_FUNCTIONS, SOURCE_LINES, SOURCE_TOKENS
from grader.records import SourceFile
from grader.source.extent import extent, unread


def file(path: str, text: str) -> SourceFile:
    return SourceFile(path, text.encode())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("#" * (SOURCE_BYTES + 1), "kB"),
        ("\n" * SOURCE_LINES, "lines"),
        ("x," * (SOURCE_TOKENS // 2 + 1), "names"),
        ("def f(): 0\n" * 900 + "lambda: 0\n" * (SOURCE_FUNCTIONS - 899), "functions"),
    ],
)
def test_each_measure_has_its_limit(text: str, why: str) -> None:
    assert why in unread([file("a.py", text)], "a.py")["a.py"]


def test_an_honest_file_with_long_comments_is_read() -> None:
    assert unread([file("a.py", "# some words of explanation\n" * 5000 + "x = 1\n")], "a.py") == {}


def test_a_large_file_leaves_out_itself_alone() -> None:
    files = [file("data.py", "x," * SOURCE_TOKENS), file("solution.py", "x = 1"), file("b.py", "")]
    assert set(unread(files, "solution.py")) == {"data.py"}


def test_the_main_file_comes_first_and_then_the_smaller_ones() -> None:
    text = "x = 1\n"
    half = text * (SOURCE_TOKENS // 7)
    files = [file("small.py", text * 9000), file("main.py", half), file("tiny.py", text)]
    assert set(unread(files, "main.py")) == {"small.py"}
    assert "with the others" in unread(files, "main.py")["small.py"]


def test_comments_are_no_tokens() -> None:
    assert extent(b"x = 1  # a b c d\n").tokens == 3
