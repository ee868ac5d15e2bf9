"""What keeps a file from being imported, in words that its author can act on.

The child says what was raised and where; the file's own bytes, which are here,
say what it is about: another Python, another encoding, a file left at home.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from grader.defects.clues import Lines
from grader.defects.make import at, make
from grader.observe.error_words import ErrorWord, error_words, import_named
from grader.records import Defect, Ended, Observation, Observations, ProcessReport, Submission
from grader.source.program import Spot

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


def import_defects(
    submission: Submission, observations: Observations, lines: Lines
) -> Iterator[Defect]:
    """Yield a defect for each file that could not be imported, and for what it lacks."""
    for report in (observations.numpy, observations.torch):
        if report.loaded.ended is Ended.RAISED and submission.main:
            yield from _of_error(submission, report.loaded, lines)
    if any(run.ended is Ended.MISSING for run in observations.runs.values()):
        for report in (observations.numpy, observations.torch):  # else nothing came of it
            yield from _of_notes(submission, report, lines)


def own_place(run: Observation, lines: Lines) -> Spot | None:
    """Return the innermost of the traceback's lines that is the candidate's own."""
    own = [f for f in run.frames if f.file in lines and f.line <= len(lines[f.file])]
    return Spot(own[-1].file, own[-1].line, own[-1].line) if own else None


def _of_error(submission: Submission, loaded: Observation, lines: Lines) -> Iterator[Defect]:
    own = [f for f in loaded.frames if f.file in lines]
    file, line = (own[-1].file, own[-1].line) if own else (submission.main, 0)
    said = loaded.error or str(loaded.ended)
    if ErrorWord.SYNTAX in error_words(said):
        yield from _of_syntax(submission, file, line, said, lines)
    else:
        yield _defect("import-error", f"Importing the file failed: {said}.", file, line, lines)


def _of_notes(submission: Submission, report: ProcessReport, lines: Lines) -> Iterator[Defect]:
    """Of what was left out at module level, what explains that a function is not there.

    Data that is not there explains no missing function.
    """
    for note in report.notes:
        if note.file not in lines:
            continue
        error = f"{note.kind}: {note.text}"
        said = error_words(error)
        if ErrorWord.SYNTAX in said:
            yield from _of_syntax(submission, note.file, note.line, error, lines)
        elif ErrorWord.NO_MODULE in said and ErrorWord.NO_VALUE not in said:
            words = f"Importing the file failed: {error}."
            yield _defect("import-error", words, note.file, note.line, lines)


def _of_syntax(
    submission: Submission, file: str, line: int, said: str, lines: Lines
) -> Iterator[Defect]:
    """A file that Python cannot read: the line, and why, where the bytes say more than Python."""
    data = next((f.data for f in submission.files if f.path == file), b"")
    if encoding := _undecodable(data):
        line, words = encoding
        yield _defect("syntax-error", f"{file}, line {line}: {words}.", file, line, lines)
        return
    yield _defect("syntax-error", f"Importing the file failed: {said}.", file, line, lines)
    rows = lines.get(file, ())
    text = rows[line - 1] if 0 < line <= len(rows) else ""
    why = next((words for pattern, words in PYTHON2 if pattern.match(text)), "")
    if not why and any(PRINT.match(t) for t in rows[:LINES_LOOKED_AT]):
        why = PYTHON2[0][1]
    if why:
        words = f"{file} is written for Python 2 (line {line}: {why})."
        yield _defect("python2-source", words, file, line, lines)


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


def missing_module(submission: Submission, run: Observation, lines: Lines) -> Defect | None:
    """Return the defect of a call that needed an absent module; None for any other call."""
    if run.ended is not Ended.RAISED or ErrorWord.NO_MODULE not in error_words(run.error):
        return None
    own = [f for f in run.frames if f.file in lines]
    file, line = (own[-1].file, own[-1].line) if own else (submission.main, 0)
    named = import_named(run.error)
    if named is not None and named[0] in lines:
        file, line = named
    words = f"{run.error.partition(': ')[2] or run.error}."
    return _defect("import-error", words[0].upper() + words[1:], file, line, lines)


def _defect(code: str, words: str, file: str, line: int, lines: Lines) -> Defect:
    """A defect in a file; without a line where the file has no such one."""
    defect = make(code, words)
    if 0 < line <= len(lines.get(file, ())):
        return at(defect, Spot(file, line, line), lines)
    return replace(defect, file=file or None)
