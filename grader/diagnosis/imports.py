"""What keeps a file from being imported, in words that its author can act on.

The child says what was raised and where; the file's own bytes, which are here,
say what it is about: another Python, another encoding, a file left at home.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from grader.defects.codes import CODES
from grader.records import (
    Confidence,
    Defect,
    Ended,
    Observation,
    Observations,
    ProcessReport,
    Severity,
    Submission,
)

HINTS = {entry.code: entry.hint for entry in CODES}
SYNTAX = ("SyntaxError", "IndentationError", "TabError")
MISSING = ("ModuleNotFoundError", "ImportError")
NO_VALUE = "gives no value"
"""Of a stand-in: data that is not there explains no missing function."""

IMPORTING = re.compile(r"line (?P<line>\d{1,7}) of (?P<file>.+) imports `(?P<module>[\w.]+)`")
PRINT = re.compile(r"\s*print(?:\s*>>|\s+(?:[rub]?[\"']|[\w.\[\]]+\s*(?:[,%#]|$)))")
PYTHON2 = (
    (
        re.compile(r"\s*print\s+[^\s(=.,:\[]|\s*print\s*>>"),
        "print is a statement there and a function now",
    ),
    (re.compile(r"\s*except\s+[\w.()]+\s*,\s*\w+\s*:"), "it is `except E as e` now"),
    (re.compile(r"\s*raise\s+[\w.]+\s*,"), "it is `raise E(…)` now"),
    (re.compile(r"\s*exec\s+[\"'\w]"), "exec is a function now"),
    (re.compile(r"[^'\"#]*<>"), "`<>` is `!=` now"),
    (re.compile(r"[^'\"#]*`[^`]+`"), "backticks are `repr(…)` now"),
    (re.compile(r"[^'\"#]*\b0\d+\b"), "octal numbers begin with 0o now"),
    (re.compile(r"[^'\"#]*\b(?:\d+[lL]\b|[uU][rR][\"'])"), "such literals are gone"),
    (re.compile(r"\s*def\s+\w+\s*\([^)]*\(\s*\w+\s*,"), "parameters cannot be unpacked now"),
)
"""Lines that Python 2 reads and Python 3 does not, and what became of them."""

LINES_LOOKED_AT = 20_000


def import_defects(submission: Submission, observations: Observations) -> Iterator[Defect]:
    """A defect for each file that could not be imported, and for what it lacks."""
    for report in (observations.numpy, observations.torch):
        if report.loaded.ended is Ended.RAISED and submission.main:
            yield from _of_error(submission, report.loaded)
    missing = any(seen.ended is Ended.MISSING for seen in observations.runs.values())
    if missing:  # else nothing came of it
        for report in (observations.numpy, observations.torch):
            yield from _of_notes(submission, report)


def _of_error(submission: Submission, loaded: Observation) -> Iterator[Defect]:
    kind = loaded.error.partition(":")[0]
    own = [f for f in loaded.frames if any(f.file == file.path for file in submission.files)]
    file, line = (own[-1].file, own[-1].line) if own else (submission.main, 0)
    said = loaded.error or str(loaded.ended)
    if kind in SYNTAX or "null bytes" in said or "unknown encoding" in said:
        yield from _of_syntax(submission, file, line, said)
    else:
        yield _defect(submission, "import-error", f"Importing the file failed: {said}.", file, line)


def _of_notes(submission: Submission, report: ProcessReport) -> Iterator[Defect]:
    """Of what was left out at module level, what explains that a function is not there."""
    known = {f.path for f in submission.files}
    for note in report.notes:
        if note.file not in known:
            continue
        said = f"{note.kind}: {note.text}"
        if note.kind in SYNTAX:
            yield from _of_syntax(submission, note.file, note.line, said)
        elif note.kind in MISSING and NO_VALUE not in note.text:
            words = f"Importing the file failed: {said}."
            yield _defect(submission, "import-error", words, note.file, note.line)


def _of_syntax(submission: Submission, file: str, line: int, said: str) -> Iterator[Defect]:
    """A file that Python cannot read: the line, and why, where the bytes say more than Python."""
    data = next((f.data for f in submission.files if f.path == file), b"")
    if encoding := _undecodable(data):
        line, words = encoding
        yield _defect(submission, "syntax-error", f"{file}, line {line}: {words}.", file, line)
        return
    yield _defect(submission, "syntax-error", f"Importing the file failed: {said}.", file, line)
    lines = _lines(data)
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    why = next((words for pattern, words in PYTHON2 if pattern.match(text)), "")
    if not why and any(PRINT.match(t) for t in lines[:LINES_LOOKED_AT]):
        why = PYTHON2[0][1]
    if why:
        words = f"{file} is written for Python 2 (line {line}: {why})."
        yield _defect(submission, "python2-source", words, file, line)


def _undecodable(data: bytes) -> tuple[int, str] | None:
    """The line at which bytes are no text, and what to do; None where that is not the trouble."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return 1, "the file is saved as UTF-16, which Python does not read; save it as UTF-8"
    if (at := data.find(b"\0")) >= 0:
        line = data.count(b"\n", 0, at) + 1
        return line, "there is a null byte, so this is no text; save the file as UTF-8 text"
    if re.search(rb"coding[:=]", data[:400].partition(b"\n\n")[0]):
        return None  # it says itself what it is; Python's own words tell whether it is right
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        words = f"byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8, or declare "
        return line, words + "its encoding in the first line"
    return None


def missing_module(submission: Submission, seen: Observation) -> Defect | None:
    """The defect of a call that needed a module which was not there; None for any other call."""
    if seen.ended is not Ended.RAISED or not seen.error.startswith(MISSING):
        return None
    found = IMPORTING.search(seen.error)
    own = [f for f in seen.frames if any(f.file == file.path for file in submission.files)]
    file, line = (own[-1].file, own[-1].line) if own else (submission.main, 0)
    if found and any(found["file"] == f.path for f in submission.files):
        file, line = found["file"], int(found["line"])
    words = f"{seen.error.partition(': ')[2] or seen.error}."
    return _defect(submission, "import-error", words[0].upper() + words[1:], file, line)


def _lines(data: bytes) -> list[str]:
    return re.split(r"\r\n|\r|\n", data.decode("utf-8", "replace"))


def _defect(submission: Submission, code: str, words: str, file: str, line: int) -> Defect:
    data = next((f.data for f in submission.files if f.path == file), b"")
    lines = _lines(data)
    known = 0 < line <= len(lines)
    place = line if known else None
    source = lines[line - 1].strip() if known else None
    return Defect(
        code, Severity.MAJOR, words, HINTS[code], (), Confidence.PROVEN, file or None, place, place,
        source,
    )  # fmt: skip
