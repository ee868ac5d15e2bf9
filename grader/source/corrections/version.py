"""A text with some of its lines edited."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from grader.source.parsing import source_lines

ENDS = re.compile(r"\r\n|\r|\n")


class SlipKind(StrEnum):
    """What an edit touches."""

    PUNCTUATION = "punctuation"
    INDENT = "indent"
    KEYWORD = "keyword"
    CHARACTERS = "characters"
    PYTHON2 = "python2"
    NAME = "name"
    OPERATOR = "operator"
    """What the candidate may have written, and nobody else may write: such a version is no
    correction, but a reading that speaks against others."""


@dataclass(frozen=True, slots=True)
class LineEdit:
    """The line `line`, from 1, becomes `text`."""

    line: int
    text: str
    slip: SlipKind


@dataclass(frozen=True, slots=True)
class Version:
    """The lines of a text; `edits` led here, and `size` of them are more than mechanical."""

    lines: tuple[str, ...]
    edits: tuple[LineEdit, ...] = ()
    size: int = 0

    def edited(self, *edits: LineEdit, size: int = 1) -> Version:
        """Return the version after further edits of different lines, together of `size`."""
        lines = list(self.lines)
        for edit in edits:
            lines[edit.line - 1] = edit.text
        return replace(self, lines=tuple(lines), edits=(*self.edits, *edits), size=self.size + size)

    @property
    def text(self) -> str:
        """Return the text with `\\n` between the lines."""
        return "\n".join(self.lines)

    def data(self, original: bytes) -> bytes:
        """Return the bytes of the file: `original` with the edits, its line ends as they were."""
        ends = [*ENDS.findall(original.decode("utf-8")), ""]
        pairs = zip(self.lines, ends, strict=True)
        return "".join(line + end for line, end in pairs).encode()


def version_of(data: bytes) -> Version | None:
    """Return a file as it is; None where it is not UTF-8."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    lines = source_lines(data)
    return Version(lines) if len(lines) == len(ENDS.findall(data.decode("utf-8"))) + 1 else None
