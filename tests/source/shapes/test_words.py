"""The words in which people write shapes."""

from __future__ import annotations

import pytest

from grader.source.shapes.words import exact_name, shape_of, tensor_name, written


@pytest.mark.parametrize(
    ("word", "exact", "likely"),
    [
        ("dW_1", "dW1", "dW1"),
        ("X", "X", "X"),
        ("x", "", "X"),
        ("grad_logits", "", "dZ2"),
        ("b1_grad", "", "db1"),
        ("probs", "", "P"),
        ("something", "", ""),
    ],
)
def test_the_tensor_that_a_word_stands_for(word: str, exact: str, likely: str) -> None:
    assert (exact_name(word), tensor_name(word)) == (exact, likely)


def test_a_gradient_has_the_shape_of_its_tensor() -> None:
    assert shape_of("dW2") == shape_of("W2") == ("H", "C")
    assert shape_of("loss") == ()
    assert shape_of("Q") is None


def test_shapes_are_written_in_brackets() -> None:
    assert [written(("B", "H")), written(())] == ["[B, H]", "a scalar"]
