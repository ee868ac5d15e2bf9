"""The smallest edits after which a text parses."""

from __future__ import annotations

import pytest

from grader.source.corrections.syntax import SyntaxSearch, error_line, meaning
from grader.source.corrections.version import SlipKind, Version, version_of
from grader.source.parsing import parse
from tests.benchmarks.breakages import BREAKAGES, Breakage
from tests.benchmarks.repairs import answer

FUNCTION = "import numpy as np\n\n\ndef f(a, b):\n    c = np.dot(a, b)\n    return c\n"


def found(text: str) -> list[Version]:
    version = version_of(text.encode())
    assert version is not None
    search = SyntaxSearch()
    search.run(version)
    return search.found


def texts(text: str) -> list[str]:
    return [version.text for version in found(text)]


@pytest.mark.parametrize(
    ("written", "broken"),
    [
        ("def f(a, b):", "def f(a, b)"),
        ("def f(a, b):", "def f(a, b:"),
        ("def f(a, b):", "dfe f(a, b):"),
        ("def f(a, b):", "def f(a, b):)"),
        ("np.dot(a, b)", "np.dot(a b)"),
        ("np.dot(a, b)", "np.dot(a， b)"),
        ("np.dot(a, b)", "np.dot(a, b]"),
        ("    return c", "     return c"),
        ("    return c", "   return c"),
        ("    return c", "\treturn c"),
        ("    return c", "    retrun c"),
        ("    return c", "    return c$"),
        ("import numpy", "imprt numpy"),
    ],
)
def test_one_slip_leads_back(written: str, broken: str) -> None:
    text = FUNCTION.replace(written, broken, 1)
    assert text != FUNCTION
    assert error_line(text) is not None
    versions = found(text)
    assert meaning(parse(FUNCTION)) in [meaning(parse(v.text)) for v in versions]
    assert all(len(v.lines) == text.count("\n") + 1 for v in versions), "lines keep their numbers"


def test_two_slips_lead_back() -> None:
    assert FUNCTION in texts(FUNCTION.replace("b):", "b)").replace("import numpy", "imprt numpy"))


def test_an_operator_is_a_reading_and_no_correction() -> None:
    versions = found("def f(X, W):\n    return X W\n")
    slips = {v.edits[-1].slip for v in versions}
    assert slips == {SlipKind.OPERATOR, SlipKind.PUNCTUATION}, "a comma, or what the author meant"


@pytest.mark.parametrize("lost", ["y, z", "y: z"])
def test_no_edit_makes_a_statement_that_does_nothing(lost: str) -> None:
    assert texts("def f(z):\n    y  z\n    return y\n") == ["def f(z):\n    y  =z\n    return y\n"]


def test_no_edit_takes_a_definition_into_a_text() -> None:
    text = 'def f():\n    """One.""\n    return 1\n\n\ndef g():\n    """Two."""\n    return 2\n'
    for version in found(text):
        assert "def g():" in version.text
        assert [n.name for n in parse(version.text).body] == ["f", "g"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "(" * 9000,
        "a\n" * 9000 + "(",
        "print x,\n" * 3000 + "((",
        "(" * 90 + "1",
        "，" * 9000,
    ],
)
def test_the_time_for_a_text_is_bounded(text: str) -> None:
    version = version_of(text.encode())
    assert version is not None
    search = SyntaxSearch(0.2)
    search.run(version)
    assert search.left >= 0.0


def test_what_is_nothing_like_python_is_left() -> None:
    assert (
        found("Dear grader, this is not code at all, sorry!\nI ran out of time; see above.\n") == []
    )


def broken(breakage: Breakage) -> str:
    whole = answer(breakage.answer)
    text = next(f.data for f in whole.files if f.path == whole.main).decode()
    return text.replace(breakage.written, breakage.broken, 1)


def test_the_breakages_are_as_many_as_is_said() -> None:
    assert len(BREAKAGES) >= 60
    assert len({b.answer for b in BREAKAGES}) >= 10


@pytest.mark.parametrize("name", sorted({b.answer for b in BREAKAGES}))
def test_what_was_written_is_among_the_readings(name: str) -> None:
    """Of what does not parse: all but a slip with a second one behind it."""
    whole = answer(name)
    right = meaning(parse(next(f.data for f in whole.files if f.path == whole.main)))
    for breakage in (b for b in BREAKAGES if b.answer == name and b.leads_back):
        text = broken(breakage)
        if error_line(text) is not None and "1e4 * ep" not in breakage.broken:
            assert right in [meaning(parse(v.text)) for v in found(text)], breakage
