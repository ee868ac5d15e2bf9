"""The words of other programs' errors are read in one place."""

from __future__ import annotations

import pytest

from grader.observe.error_words import (
    ErrorWord,
    error_words,
    import_named,
    place_named,
    shape_named,
)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("SyntaxError: invalid syntax", {ErrorWord.SYNTAX}),
        ("ValueError: source code string cannot contain null bytes", {ErrorWord.SYNTAX}),
        ("ModuleNotFoundError: No module named 'x'", {ErrorWord.NO_MODULE}),
        ("NotImplementedError: ", {ErrorWord.UNFINISHED}),
        ("it returned None", {ErrorWord.UNFINISHED}),
        (
            "RuntimeError: One of the differentiated Tensors does not require grad",
            {ErrorWord.NO_HISTORY, ErrorWord.NO_LEAF, ErrorWord.NONE},
        ),
        ("TypeError: 'NoneType' object is not iterable", {ErrorWord.ARGUMENTS, ErrorWord.NONE}),
        ("the function fwd, which is a stub", {ErrorWord.STUB}),
        ("ValueError: shapes differ", set()),
    ],
)
def test_what_an_error_says(error: str, words: set[ErrorWord]) -> None:
    assert error_words(error) == words


def test_places_and_shapes_that_an_error_names() -> None:
    assert place_named("a class Net (a.py, line 7)") == ("a.py", 7)
    assert import_named("line 3 of a.py imports `utils`") == ("a.py", 3)
    assert shape_named("[torch.DoubleTensor [5, 7]] is at version 2") == (5, 7)
    assert place_named("") is import_named("") is shape_named("") is None
