"""What keeps a file from being imported is said with its line and what to do about it."""

from __future__ import annotations

import pytest

from grader.defects import KINDS
from grader.defects.signs.imports import import_defects, missing_module
from grader.records import (
    Defect,
    Ended,
    Frame,
    LoadNote,
    Observation,
    Observations,
    ProcessReport,
    SourceFile,
    Submission,
)
from grader.source.program import Program


def submission(data: bytes, **others: bytes) -> Submission:
    files = {"a.py": data, **{f"{n}.py": d for n, d in others.items()}}
    rows = tuple(SourceFile(n, d) for n, d in files.items())
    return Submission("id", "name", "sha256:0", rows, "a.py")


def _with_lines(one: Submission, seen):
    return one, seen, Program(one).lines


def failed(data: bytes, error: str, line: int = 0) -> list[Defect]:
    frames = (Frame("a.py", line, "<module>"),) if line else ()
    report = ProcessReport(Observation(Ended.RAISED, error=error, frames=frames))
    one = submission(data)
    seen = Observations(report, report, {})
    return list(import_defects(one, seen, Program(one).lines))[:2]


def found(defects: list[Defect]) -> dict[str, tuple[int | None, str]]:
    return {d.code: (d.line, d.message) for d in defects}


PYTHON2 = [
    "print 'loss'", "print loss", "print 'a %d' % 3", "    print >>f, x", "except ValueError, e:",
    "raise ValueError, 'no'", "exec 'x = 1'", "if a <> b:", "x = `y`", "mask = 0777", "n = 10L",
    "s = ur'x'", "def f(a, (b, c)):",
]  # fmt: skip


@pytest.mark.parametrize("row", PYTHON2)
def test_python_2_is_known_by_the_line_that_python_3_stops_at(row: str) -> None:
    one = found(failed(f"import numpy\n{row}\n".encode(), "SyntaxError: invalid syntax", 2))
    assert one["syntax-error"][0] == one["python2-source"][0] == 2
    assert "is written for Python 2 (line 2: " in one["python2-source"][1]


@pytest.mark.parametrize(
    "row",
    [
        "x = (",
        "print(x",
        "def f(:",
        "    x = 1",
        "for i in range(3)",
        "a = b c",
        "'print x'",
        "else:",
    ],
)
def test_another_syntax_error_is_no_python_2(row: str) -> None:
    data = f'"""A docstring: we\nprint the loss here\n"""\n{row}\n'.encode()
    assert set(found(failed(data, "SyntaxError: invalid syntax", 4))) == {"syntax-error"}


def test_tabs_that_python_2_took_beside_its_prints() -> None:
    data = b"def f():\n\tx = 1\n        y = 2\n\tprint 'x', y\n"
    one = found(failed(data, "TabError: inconsistent use of tabs and spaces in indentation", 3))
    assert one["python2-source"][0] == 3


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        (b"x = 1\n# caf\xe9\n", 2, "byte 0xe9 is not UTF-8; save the file as UTF-8"),
        ("x = 1\n".encode("utf-16"), 1, "UTF-16"), (b"x = 1\ny = '\0'\n", 2, "null byte"),
    ],
)  # fmt: skip
def test_bytes_that_are_no_text_are_told_with_their_line(
    data: bytes, line: int, words: str
) -> None:
    (one,) = failed(data, "SyntaxError: source code string cannot contain null bytes")[:1]
    assert (one.code, one.line) == ("syntax-error", line)
    assert words in one.message


def test_an_encoding_that_the_file_declares_is_left_to_python() -> None:
    one = found(failed(b"# coding: klingon\n# \xe9\n", "SyntaxError: unknown encoding: klingon", 1))
    assert "unknown encoding: klingon" in one["syntax-error"][1]


def test_what_is_no_syntax_error_is_an_import_error_where_it_was_raised() -> None:
    one = found(failed(b"x = 1\n1 / 0\n", "ZeroDivisionError: division by zero", 2))
    assert one == {
        "import-error": (2, "Importing the file failed: ZeroDivisionError: division by zero.")
    }


NOTES = (
    LoadNote("b.py", 2, "SyntaxError", "'(' was never closed"),
    LoadNote("a.py", 1, "ImportError", "no"),
    LoadNote("a.py", 9, "ValueError", "demo"),
    LoadNote("evil.py", 1, "SyntaxError", "x"),
)


@pytest.mark.parametrize(
    ("ended", "lines"), [(Ended.MISSING, {("b.py", 2), ("a.py", 1)}), (Ended.RAISED, set())]
)
def test_what_was_left_out_explains_a_function_that_is_not_there(
    ended: Ended, lines: set[tuple[str, int]]
) -> None:
    report = ProcessReport(Observation(Ended.OK), notes=NOTES)
    seen = Observations(report, report, {"forward/primes": Observation(ended)})
    defects = import_defects(*_with_lines(submission(b"import b\n", b=b"x = 1\ny = (\n"), seen))
    assert {(d.file, d.line) for d in defects} == lines


def test_a_module_left_at_home_is_told_where_it_is_imported() -> None:
    error = "ModuleNotFoundError: line 1 of b.py imports `utils`, which was not handed in; x"
    seen = Observation(Ended.RAISED, error=error, frames=(Frame("a.py", 2, "forward"),))
    one = missing_module(*_with_lines(submission(b"import b\nb.f()\n", b=b"import utils\n"), seen))
    assert one is not None
    assert (one.code, one.file, one.line, one.source) == ("import-error", "b.py", 1, "import utils")
    assert one.message.startswith("Line 1 of b.py imports `utils`, which was not handed in")


@pytest.mark.parametrize(
    "seen",
    [
        Observation(Ended.RAISED, error="ValueError: x"),
        Observation(Ended.OK),
        Observation(Ended.MISSING, error="ImportError"),
    ],
)
def test_any_other_call_lacks_no_module(seen: Observation) -> None:
    assert missing_module(*_with_lines(submission(b""), seen)) is None


def test_every_code_here_is_declared() -> None:
    assert {"syntax-error", "import-error", "python2-source"} <= {c.code for c in KINDS}
