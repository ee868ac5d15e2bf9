"""Hidden characters are seen, and nothing else changes."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.report.escape import HIDDEN, clip, prose, storable, visible

BIDI = [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", "\\x1b[31m"),
        ("\x00", "\\x00"),
        ("a\rb", "a\\x0db"),
        ("a\r\nb", "a\nb"),
        ("\x7f", "\\x7f"),
        ("\x9b", "\\x9b"),
        ("\u202eabc", "\\u202eabc"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("a\tb\nc", "a\tb\nc"),
        ("naïve 数学 👩\u200d🔬 می\u200cخواهم", "naïve 数学 👩\u200d🔬 می\u200cخواهم"),
    ],
)
def test_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize("code", BIDI)
def test_no_bidi_control_survives(code: int) -> None:
    assert visible(chr(code)) == f"\\u{code:04x}"


def test_a_single_line_stays_one() -> None:
    assert visible("a\tb\nc", multiline=False) == r"a\tb\nc"


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=60))
def test_no_control_survives_and_the_rest_encodes(text: str) -> None:
    shown = visible(text)
    shown.encode("utf-8")
    assert visible(shown) == shown
    assert not HIDDEN.search(shown)
    assert not {c for c in shown if unicodedata.category(c) == "Cc"} - {"\n", "\t"}


def test_storable_keeps_all_but_surrogates() -> None:
    assert storable("\x1b\u202e\ud800é") == "\x1b\u202e\\ud800é"


def test_prose_escapes_and_sets_code() -> None:
    assert prose("use `a < b` <b>\x1b") == "use <code>a &lt; b</code> &lt;b&gt;\\x1b"


def test_clip_says_what_is_missing() -> None:
    assert clip("abc", 3) == "abc"
    assert clip("a" * 2000, 2) == "aa… (1,998 more characters not shown)"
