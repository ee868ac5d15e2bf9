"""The quick lexer colours every text as Pygments' own does."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pygments.lexers import PythonLexer
from pygments.token import Name, Text, _TokenType

from grader.bundled import PACKAGE, bundled
from grader.report.lexer import SPECIAL, QuickPythonLexer

PIECES = st.sampled_from(
    [
        *(
            "\n",
            " ",
            "    ",
            "\t",
            "\f",
            "\\",
            "\\\n",
            ".",
            ",",
            ":",
            "=",
            ":=",
            "->",
            "**",
            "@",
            "#",
        ),
        *("(", ")", "[", "]", "{", "}", "{{", "!r", "'", '"', "'''", '"""', "\\n", "%s", "%", "$"),
        *("x", "dZ1", "_", "__", "__init__", "self", "cls", "print", "range", "None", "ValueError"),
        *("def", "class", "from", "import", "as", "is", "not", "match", "case", "lazy", "yield"),
        *("for", "lambda", "await", "f", "rb", "u", "t", "0x1F", "1.", ".5", "1e-6", "2j", "10_0"),
        *("é", "²", "·", "名", "\u200d", "\u0301", "\r", "\x00", "<", ">", "&", "|", "~", "!="),
    ]
)


def same(text: str) -> bool:
    quick, slow = QuickPythonLexer(stripnl=False), PythonLexer(stripnl=False)
    return plain(quick.get_tokens(text)) == plain(slow.get_tokens(text))


def plain(tokens: Iterable[tuple[_TokenType, str]]) -> list[tuple[_TokenType, str]]:
    """The tokens with names as text, which the page shows alike."""
    return [(Text if kind is Name else kind, text) for kind, text in tokens]


@example("(a:=1)")
@example("lazy from a import b")
@example("match x:\n  case _ :")
@given(st.lists(PIECES, max_size=24).map("".join))
def test_any_text_has_the_same_tokens(text: str) -> None:
    assert same(text)


@pytest.mark.parametrize("end", [" x", "(x)", "1", "'s'", "\\\n x", ".x", ": x"])
def test_each_word_has_the_same_colour_wherever_it_stands(end: str) -> None:
    words = sorted(SPECIAL)
    text = "".join(f"{word}{end}\n  a = {word}{end}\n.{word}{end}\n" for word in words)
    assert same(text)


@pytest.mark.parametrize(
    "file",
    [
        bundled("reference") / "solution.py",
        *sorted((PACKAGE / "report").glob("p*.py")),
        PACKAGE / "rubric" / "model.py",
        Path(__file__),
    ],
    ids=lambda file: file.name,
)
def test_a_file_has_the_same_tokens(file: Path) -> None:
    assert same(file.read_text("utf-8"))
