"""A submission's source as numbered, highlighted lines with notes where something is known."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters import HtmlFormatter

from grader.limits import PAGE_CHARACTERS, PAGE_LINES, PAGE_SOURCE
from grader.records import Defect, Frame, SourceFile, Submission
from grader.report.escape import visible
from grader.report.lexer import QuickPythonLexer

MAX_CHARACTERS = PAGE_CHARACTERS
MAX_FILES = 20

BLANK = re.compile(r"^[^\S\n]+$", re.MULTILINE)
"""A line of blanks alone, on which Pygments' lexer looks ahead to the end of them all."""

PLAIN = re.compile(r'<span class="(?:n|w|nb|nn)">([^<]*)</span>')
"""Names and space, which the style sheet leaves as they are: half of a line's elements."""


@dataclass(frozen=True, slots=True)
class LineNote:
    """What is known about a line. `tone` is a severity, or `trace` for a traceback's frame."""

    tone: str
    label: str
    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Value:
    """What stands beside a line: a tensor with its shape, and why it is wrong if it is.

    `standing` is one of `records.Standing`; `why` links to `href`, "" where nothing is to say.
    """

    standing: str
    tensor: str
    shape: str
    why: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One line; `tone` is that of its gravest note, "" without any."""

    number: int
    anchor: str
    html: Markup
    tone: str
    notes: tuple[LineNote, ...]
    values: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """One file; `left_out` counts characters beyond the limits."""

    path: str
    anchor: str
    lines: tuple[SourceLine, ...]
    open: bool
    left_out: int

    @property
    def annotated(self) -> bool:
        """Return whether anything stands beside its lines."""
        return any(line.values for line in self.lines)


@dataclass(frozen=True, slots=True)
class LineMark:
    """A run of lines with one note, which stands under its last line."""

    file: str
    first: int
    last: int
    note: LineNote


def source_text(file: SourceFile) -> str:
    """Return the file as Python counts its lines: universal newlines, no byte order mark."""
    text = file.data.decode("utf-8", "replace").removeprefix("\ufeff")
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")


Beside = Mapping[tuple[str, int], tuple[Value, ...]]
"""What stands beside the lines, by file and line."""


def listings(
    submission: Submission, marks: Sequence[LineMark], beside: Beside
) -> tuple[Listing, ...]:
    """Return the main file first, then the other Python files; marked ones stand open."""
    files = shown_files(submission)
    prefixes = line_prefixes(submission)
    marked = {mark.file for mark in marks}
    found, characters, lines = list[Listing](), PAGE_SOURCE, PAGE_LINES
    for file in files:
        whole = source_text(file)
        text = _up_to(whole, min(MAX_CHARACTERS, characters), lines)
        characters, lines = characters - len(text), lines - text.count("\n") - 1
        found.append(
            _listing(
                file,
                text,
                left_out=len(whole) - len(text),
                coloured=file.path not in submission.unread,
                prefix=prefixes[file.path],
                marks=[mark for mark in marks if mark.file == file.path],
                beside=beside,
                open_=file.path == submission.main or file.path in marked,
            )
        )
    return tuple(found)


def _up_to(text: str, characters: int, lines: int) -> str:
    """Return the beginning of a text, of at most so many characters and lines."""
    text = text[: max(0, characters)]
    return text if text.count("\n") < lines else "\n".join(text.split("\n", lines)[:lines])


def shown_files(submission: Submission) -> tuple[SourceFile, ...]:
    """Return the files whose text the report shows."""
    main = [file for file in submission.files if file.path == submission.main]
    others = [f for f in submission.files if f.path != submission.main and f.path.endswith(".py")]
    return tuple((main + others)[:MAX_FILES])


def line_prefixes(submission: Submission) -> dict[str, str]:
    """Return by path what stands before a line's number in its id: `L` in the main file."""
    return {
        file.path: "L" if file.path == submission.main else f"F{index}-L"
        for index, file in enumerate(shown_files(submission), start=1)
    }


def line_href(prefixes: Mapping[str, str], file: str | None, line: int | None) -> str:
    """Return the link to a line, "" when it is not on the page."""
    known = file is not None and line is not None and file in prefixes
    return f"#{prefixes[file]}{line}" if known and file is not None else ""


def defect_mark(defect: Defect, anchor: str) -> LineMark | None:
    """Return the lines a defect stands on, when it is known where."""
    if defect.file is None or defect.line is None:
        return None
    note = LineNote(defect.severity.value, defect.code, defect.message, f"#{anchor}")
    return LineMark(defect.file, defect.line, max(defect.line, defect.end_line or 0), note)


def frame_mark(frame: Frame, error: str, anchor: str) -> LineMark:
    """Return the line a traceback passes through."""
    note = LineNote("trace", f"in {frame.function}", error, f"#{anchor}")
    return LineMark(frame.file, frame.line, frame.line, note)


def highlighted(text: str) -> list[Markup]:
    """Return `text` as highlighted HTML, line by line; classes only, no inline style."""
    visible_text = BLANK.sub("", visible(text)).rstrip("\n")
    html = highlight(visible_text, *_highlighter())
    lines = PLAIN.sub(r"\1", html).removesuffix("\n").split("\n")
    plain = visible_text.split("\n")
    if len(lines) != len(plain):
        return [escape(line) for line in plain]
    return [Markup(line) for line in lines]  # escaped by HtmlFormatter


@cache
def _highlighter() -> tuple[QuickPythonLexer, HtmlFormatter[str]]:
    """Return what reads and what writes the colours; a diff needs them for each of its lines."""
    return QuickPythonLexer(stripnl=False), HtmlFormatter(nowrap=True)


def _listing(
    file: SourceFile,
    text: str,
    *,
    left_out: int,
    coloured: bool,
    prefix: str,
    marks: Sequence[LineMark],
    beside: Beside,
    open_: bool,
) -> Listing:
    rows = highlighted(text) if coloured else [escape(row) for row in visible(text).split("\n")]
    lines = tuple(
        _line(number, html, prefix, marks, beside.get((file.path, number), ()))
        for number, html in enumerate(rows, start=1)
    )
    return Listing(file.path, prefix.lower() + "file", lines, open_, left_out)


def _line(
    number: int, html: Markup, prefix: str, marks: Sequence[LineMark], values: tuple[Value, ...]
) -> SourceLine:
    tones = [mark.note.tone for mark in marks if mark.first <= number <= mark.last]
    notes = tuple(dict.fromkeys(mark.note for mark in marks if mark.last == number))
    gravest = min(tones, key=("major", "minor", "trace", "info").index, default="")
    return SourceLine(number, f"{prefix}{number}", html, gravest, notes, values)
