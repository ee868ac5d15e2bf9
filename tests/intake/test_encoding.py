"""No encoding in which a source may be written takes ages to decode."""

from __future__ import annotations

import codecs
import contextlib
import encodings
import pkgutil
import time

import pytest

from grader.intake.encoding import SLOW, impossible_encoding, slow_encoding
from grader.intake.files import Read
from grader.intake.find import assemble
from grader.records import SourceFile

FORWARD = b"def forward(X, y, W1, b1, W2, b2):\n    return 0.0, None\n"
SIZE = 1 << 16
LONG = tuple(
    piece * (SIZE // len(piece)) for piece in (b"b", b"-b", b"a.", b"+AAo-", b"\\u0041", b"\xff")
)
SECONDS = 0.1
"""Of processor time; linear decoders take less than 0.01, the slow one more than 0.2 for one."""


def text_codecs() -> list[str]:
    """Every codec of Python's own that a source may name."""
    found = set()
    for module in pkgutil.iter_modules(encodings.__path__):
        try:
            known = codecs.lookup(module.name)
        except LookupError:
            continue
        if known._is_text_encoding:
            found.add(known.name)
    return sorted(found)


def seconds(name: str, data: bytes) -> float:
    started = time.process_time()
    with contextlib.suppress(UnicodeError, LookupError):
        data.decode(name, "replace")
    return time.process_time() - started


def test_every_other_codec_is_fast() -> None:
    worst = {name: max(seconds(name, data) for data in LONG) for name in text_codecs()}
    slow = {name for name, taken in worst.items() if taken > SECONDS}
    assert len(worst) > 80
    assert "punycode" in slow, "the control: what is refused is slow"
    assert slow <= set(SLOW)


@pytest.mark.parametrize(
    "first",
    [
        b"# -*- coding: punycode -*-\n",
        b"#coding=Punycode\n",
        b"#!/usr/bin/python\n# vim: fileencoding=punycode\n",
        b"#\r# coding: idna\r",
        b"# encoding: utf-8, coding: punycode\n",
    ],
)
def test_what_names_a_slow_one_is_left_out_with_its_reason(first: bytes) -> None:
    files = (SourceFile("solution.py", FORWARD), SourceFile("helper.py", first + FORWARD))
    taken = assemble("id", "name", Read(files, ()))
    assert [f.path for f in taken.files] == ["solution.py"]
    assert any(row.startswith("helper.py (its encoding is ") for row in taken.passed_over)


@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"# -*- coding: utf-7 -*-\n",
        b"# coding: latin-1\n",
        b"\n\n# coding: punycode\n",
        b"# coding: none-such\n",
    ],
)
def test_other_encodings_are_python_s_business(first: bytes) -> None:
    assert slow_encoding(first + FORWARD) == ""


def test_a_cell_of_a_notebook_names_none_either() -> None:
    text = b'{"cells": [{"cell_type": "code", "source": "# coding: punycode\\nx = 1"}]}'
    taken = assemble("id", "name", Read((SourceFile("a.ipynb", text),), ()))
    assert taken.main == ""
    assert taken.unusable


@pytest.mark.parametrize(
    "first",
    [
        b"# coding: undefined\n",
        b"# -*- coding: hex -*-\n",
        b"\xef\xbb\xbf# coding: none-such\n",
        b"\n# vim: fileencoding=zlib\n",
    ],
)
def test_a_helper_that_nobody_can_decode_is_passed_over(first: bytes) -> None:
    files = (SourceFile("solution.py", FORWARD), SourceFile("helper.py", first + FORWARD))
    taken = assemble("id", "name", Read(files, ()))
    assert [f.path for f in taken.files] == ["solution.py"]
    assert any(row.startswith("helper.py (its encoding is ") for row in taken.passed_over)


def test_an_answer_that_nobody_can_decode_is_refused_by_name() -> None:
    files = (SourceFile("solution.py", b"# coding: undefined\n" + FORWARD),)
    taken = assemble("id", "name", Read(files, ()))
    assert taken.unusable == (
        "no Python file can be read, only solution.py (its encoding is undefined)",
    )


@pytest.mark.parametrize(
    "first",
    [b'"""My coding: none-such"""\n', b"x = 1\n# coding: hex\n", b"# coding: cp1252\n"],
)
def test_words_about_coding_are_no_encoding(first: bytes) -> None:
    assert impossible_encoding(first + FORWARD) == ""
