"""Which files of a submission the judge reads, within its limits; what is beyond them only runs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from grader.limits import SOURCE_BYTES, SOURCE_FUNCTIONS, SOURCE_LINES, SOURCE_TOKENS
from grader.records import SourceFile, Submission
from grader.source.parsing import source_lines

COMMENT = re.compile(rb"#[^\r\n]*")
TOKEN = re.compile(rb"[\w\x80-\xff]+|[^\s\w\x80-\xff]")
FUNCTION = re.compile(rb"\b(?:def|class|lambda)\b")


@dataclass(frozen=True, slots=True)
class Extent:
    """How much there is to read: bytes, lines, tokens, functions."""

    bytes: int = 0
    lines: int = 0
    tokens: int = 0
    functions: int = 0

    def __add__(self, other: Extent) -> Extent:
        return Extent(
            self.bytes + other.bytes,
            self.lines + other.lines,
            self.tokens + other.tokens,
            self.functions + other.functions,
        )

    @property
    def excess(self) -> str:
        """Return in words what is more than the judge reads, "" where nothing is."""
        if self.bytes > SOURCE_BYTES:
            return f"more than {SOURCE_BYTES >> 10} kB"
        if self.lines > SOURCE_LINES:
            return f"more than {SOURCE_LINES:,} lines"
        if self.functions > SOURCE_FUNCTIONS:
            return f"more than {SOURCE_FUNCTIONS:,} functions"
        return f"more than {SOURCE_TOKENS:,} names and signs" if self.tokens > SOURCE_TOKENS else ""


def extent(data: bytes) -> Extent:
    """Return the extent of a file, counted without reading it as Python."""
    lines = data.count(b"\n") + data.count(b"\r") + 1
    if len(data) > SOURCE_BYTES or lines > SOURCE_LINES:
        return Extent(len(data), lines)
    code = COMMENT.sub(b"", data)
    return Extent(len(data), lines, len(TOKEN.findall(code)), len(FUNCTION.findall(code)))


def unread(files: Iterable[SourceFile], main: str) -> dict[str, str]:
    """Return the files that the judge does not read, by path, each with the reason.

    The main file is read first and then the smaller ones, as long as all of them together keep
    within the limits: what is large leaves itself out, and nothing else.
    """
    left_out, total = dict[str, str](), Extent()
    for file in sorted(files, key=lambda f: (f.path != main, len(f.data), f.path)):
        alone = extent(file.data)
        if why := alone.excess:
            left_out[file.path] = why
        elif why := (total + alone).excess:
            left_out[file.path] = f"with the others {why}"
        else:
            total += alone
    return left_out


def sources_of(submission: Submission) -> dict[str, tuple[str, ...]]:
    """Return the lines of each file as the parser counts them; none of what is not read."""
    return {f.path: () if f.path in submission.unread else source_lines(f.data)
            for f in submission.files}  # fmt: skip
