"""A layout is a view: encoded and decoded again, everything is where it was."""

from __future__ import annotations

import numpy as np
import pytest

from grader.child.binding.language.layout import CONTRACT, Layout, layouts
from tests.child.binding.loaded import inputs

EVERY = list(layouts(one_hot=False))


def test_the_contracts_own_comes_first() -> None:
    assert EVERY[0] == CONTRACT
    assert CONTRACT.words == ()
    assert len(EVERY) == len(set(EVERY)) <= 40


@pytest.mark.parametrize("layout", EVERY, ids=str)
def test_a_gradient_in_the_shape_of_its_encoded_tensor_is_decoded_to_the_tensors(
    layout: Layout,
) -> None:
    given = inputs()
    encoded = layout.encode(given)
    for tensor in ("W1", "b1", "W2", "b2", "X"):
        np.testing.assert_array_equal(layout.decode(tensor, encoded[tensor]), given[tensor])


@pytest.mark.parametrize("layout", EVERY, ids=str)
def test_encoding_shares_memory_so_that_changes_are_seen(layout: Layout) -> None:
    given = inputs()
    encoded = layout.encode(given)
    for tensor in ("W1", "b1", "W2", "b2", "X"):
        assert np.shares_memory(encoded[tensor], given[tensor])


def test_labels() -> None:
    given = inputs()
    hot = Layout(columns=True, labels="onehot").encode(given)["y"]
    assert hot.shape == (3, 5)
    np.testing.assert_array_equal(hot.argmax(axis=0), given["y"])
    assert (
        Layout(labels="onehot").encode({**given, "X": given["X"].astype(np.float32)})["y"].dtype
        == np.float32
    )
    assert Layout(labels="column").encode(given)["y"].shape == (5, 1)


def test_a_bias_gradient_of_another_shape_keeps_it() -> None:
    row = Layout(bias="row")
    assert row.decode("b1", np.zeros((1, 11))).shape == (11,)
    assert row.decode("b1", np.zeros((5, 11))).shape == (5, 11)
    assert CONTRACT.decode("b1", np.zeros((1, 11))).shape == (1, 11)
