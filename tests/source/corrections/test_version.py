from __future__ import annotations

import pytest

from grader.source.corrections.version import LineEdit, SlipKind, version_of


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_stay(end: str) -> None:
    data = end.join(["a = 1", "b = (", ""]).encode()
    version = version_of(data)
    assert version is not None
    after = version.edited(LineEdit(2, "b = ()", SlipKind.PUNCTUATION))
    assert after.data(data) == end.join(["a = 1", "b = ()", ""]).encode()
    assert after.size == 1
    assert version.data(data) == data


def test_other_encodings_are_not_read() -> None:
    assert version_of("x = 'é'".encode("latin-1")) is None
