"""From whatever a candidate returns, arrays of the allow-list or one sentence on what came."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType, SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from grader.child import coerce
from grader.child.coerce import (
    MAX_CACHE_ARRAYS,
    NARROW,
    TENSORS,
    BadReturn,
    as_array,
    cache_arrays,
    gradients,
    pair,
    plain_name,
    verdict,
)

FIVE = {t: np.ones(2) for t in TENSORS}


class Tensor:
    """What a tensor offers: `detach().cpu().numpy()`."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def detach(self) -> Tensor:
        return self

    def cpu(self) -> Tensor:
        return self

    def numpy(self) -> Any:
        if isinstance(self.value, Exception):
            raise self.value
        return np.asarray(self.value)


class Lying(np.ndarray):
    """An array that says it equals everything."""

    def __eq__(self, other: object) -> Any:
        return True

    __hash__ = None


# ── one array ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("value", "dtype", "shape"),
    [
        (1.5, np.float64, ()), (2, np.int64, ()), (np.float32(1), np.float32, ()),
        ([1.0, 2.0], np.float64, (2,)), ([[1, 2]], np.int64, (1, 2)), ((1.0,), np.float64, (1,)),
        (np.ones((2, 3)), np.float64, (2, 3)), (np.ones(2, np.float16), np.float64, (2,)),
        (np.ones(2, np.longdouble), np.float64, (2,)), (np.ones(2, ">f8"), np.float64, (2,)),
        (np.ones(2, np.int8), np.int64, (2,)), (np.ones(2, np.uint8), np.uint8, (2,)),
        (np.array(1.5, object), np.float64, ()), (np.array([1, 2.5, Fraction(1, 2)], object), np.float64, (3,)),
        (Decimal("0.5"), np.float64, ()), (complex(2), np.float64, ()), (np.ones(2, np.complex64), np.float64, (2,)),
        (np.ma.masked_array([1.0, 2.0]), np.float64, (2,)),
        (np.empty((0, 3)), np.float64, (0, 3)), (Tensor([1.0]), np.float64, (1,)), ([], np.float64, (0,)),
    ],
)  # fmt: skip
def test_numbers_lists_arrays_and_tensors_become_arrays(
    value: Any, dtype: type, shape: tuple[int, ...]
) -> None:
    array = as_array(value, "the loss")
    assert type(array) is np.ndarray
    assert (array.dtype, array.shape) == (np.dtype(dtype), shape)


@pytest.mark.parametrize(
    "value",
    [
        None, object(), "1.0", b"1", 1j, [1, None], [[1], [1, 2]], {"a": 1}, np.array([object()]),
        np.ones((1,) * 5), np.array(["x"]), np.datetime64("now"), Tensor(np.array([1j])),
        True, np.bool_(True), np.ones(2, bool), [True], Tensor([True]), np.array([True], object), np.array(True, object),
        np.ma.masked_array([1.0, 2.0], mask=[True, False]), np.ma.masked, np.ones(2, "V8"), np.array([10**400], object),
        np.array([Decimal("sNaN")], object), np.array(["1"], object), np.array([1 + 2j]), lambda: 1.0,
        Tensor(TypeError("Got unsupported ScalarType BFloat16")), [object()], {1, 2},
    ],
)  # fmt: skip
def test_anything_else_is_a_bad_return_that_names_what_came(value: Any) -> None:
    with pytest.raises(BadReturn, match="the loss"):
        as_array(value, "the loss")


def test_a_subclass_loses_what_it_is() -> None:
    for value in (
        np.ones(2).view(Lying),
        np.ma.masked_array([1.0, 2.0], [0, 0]),
    ):
        assert type(as_array(value, "x")) is np.ndarray


def test_the_copy_is_the_candidates_no_longer() -> None:
    value = np.ones(3)
    array = as_array(value, "x")
    value[:] = 7
    assert (array == 1).all()


@given(hnp.arrays(hnp.scalar_dtypes(), hnp.array_shapes(min_dims=0, max_dims=5, max_side=3)))
def test_any_array_can_be_sent_or_is_a_bad_return(value: Any) -> None:
    try:
        array = as_array(value, "x")
    except BadReturn:
        return
    assert array.dtype in NARROW
    assert array.shape == value.shape


# ── the mapping of gradients ─────────────────────────────────────────────────


@pytest.mark.parametrize("tensor", TENSORS)
@pytest.mark.parametrize("form", ["{}", "d{}", "d_{}", "grad_{}", "{}_grad", "{}.grad", "grad{}"])
def test_the_usual_names_of_a_gradient_are_understood(tensor: str, form: str) -> None:
    assert plain_name(form.format(tensor)) == tensor
    assert plain_name(form.format(tensor.lower())) == tensor


@pytest.mark.parametrize(
    "key", ["", "d", "grad", "W", "W3", "b", "y", "loss", "dZ1", "dy", None, 1, ()]
)
def test_no_other_name_is_taken_for_one(key: Any) -> None:
    assert plain_name(key) == ""


@given(st.text(max_size=12))
def test_a_name_is_a_tensors_or_nobodys(key: str) -> None:
    assert plain_name(key) in (*TENSORS, "")


@pytest.mark.parametrize("kind", [dict, OrderedDict, MappingProxyType])
def test_any_mapping_will_do(kind: Any) -> None:
    found, problems = gradients(kind(FIVE))
    assert list(found) == list(TENSORS)
    assert problems == {}


def test_what_is_missing_or_no_array_is_told_by_tensor() -> None:
    found, problems = gradients({"dW1": np.ones(2), "b1": None, "b2": object(), "extra": 1})
    assert list(found) == ["W1"]
    assert list(problems) == ["b1", "W2", "b2", "X"]
    assert "None" in problems["b1"]
    assert problems["W2"] == "not returned"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "returned None"), ((1, 2, 3, 4, 5), "a tuple of 5"), ([], "a list of 0"),
        (np.ones(3), "ndarray"), (3, "an int"), ({}, "no keys"), ({"a": 1}, "'a'"), (object(), "object"),
    ],
)  # fmt: skip
def test_no_mapping_is_a_bad_return_that_says_what_came(value: Any, words: str) -> None:
    with pytest.raises(BadReturn, match=words):
        gradients(value)


# ── pairs and verdicts ───────────────────────────────────────────────────────


def test_a_pair_is_a_tuple_or_list_of_two() -> None:
    assert pair((1, 2), "loss, cache") == pair([1, 2], "loss, cache") == (1, 2)


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "None"), ((1,), "a tuple of 1"), ((1, 2, 3), "a tuple of 3"), ("ab", "str"), (1.0, "float"),
     ({"a": 1, "b": 2}, "dict"), (np.ones(2), "ndarray")],
)  # fmt: skip
def test_no_pair_is_a_bad_return(value: Any, words: str) -> None:
    with pytest.raises(BadReturn, match=rf"{words}.*wanted is \(loss, cache\)"):
        pair(value, "loss, cache")


@pytest.mark.parametrize(
    "value",
    [None, True, np.True_, 1, "agree", {"W1": True}, [True, True], np.array([True]), Tensor(True),
     {"a": {"b": True}}, (True, "all agree"), (True, 0.0), {"max_error": 0.0}, 0.0, 3e-16],
)  # fmt: skip
def test_these_say_yes(value: Any) -> None:
    assert verdict(value) is True


@pytest.mark.parametrize(
    "value",
    [False, np.False_, 0, "", {"W1": True, "b1": False}, [True, False], np.array([True, False]),
     Tensor(False), {"a": {"b": False}}, (False, "W1 differs")],
)  # fmt: skip
def test_these_say_no(value: Any) -> None:
    assert verdict(value) is False


# ── caches ───────────────────────────────────────────────────────────────────


class Named(NamedTuple):
    Z1: Any


@dataclass
class Kept:
    Z1: Any


@dataclass(slots=True)
class Slotted:
    Z1: Any


ONE = np.arange(3.0)


@pytest.mark.parametrize(
    ("cache", "path"),
    [
        (ONE, "cache"), ({"Z1": ONE}, "cache['Z1']"), ((1, ONE), "cache[1]"), (Named(ONE), "cache[0]"),
        (Kept(ONE), "cache.Z1"), (Slotted(ONE), "cache.Z1"), (SimpleNamespace(Z1=ONE), "cache.Z1"),
        ({"a": [{"b": ONE}]}, "cache['a'][0]['b']"),
    ],
)  # fmt: skip
def test_an_array_is_found_in_whatever_holds_it(cache: Any, path: str) -> None:
    ((found, array),) = [(p, a) for p, a in cache_arrays(cache) if a.shape == (3,)]
    assert found == path
    np.testing.assert_array_equal(array, ONE)


@pytest.mark.parametrize("cache", [None, 1, "text", b"bytes", Kept, lambda: 1, {}, object()])
def test_a_cache_without_arrays_is_no_trouble(cache: Any) -> None:
    assert cache_arrays(cache) == []


def test_a_cache_that_contains_itself_ends() -> None:
    endless: dict[str, Any] = {"Z1": ONE}
    endless["self"] = endless
    assert 1 <= len(cache_arrays(endless)) <= MAX_CACHE_ARRAYS


def test_a_cache_of_very_many_arrays_is_cut() -> None:
    assert len(cache_arrays([ONE] * 1000)) == MAX_CACHE_ARRAYS


def test_arrays_that_cannot_be_sent_are_left_out() -> None:
    cache = {"o": np.array([object()]), "n": np.ones((1,) * 5), "c": np.ones(1, complex), "Z1": ONE}
    assert [path for path, _ in cache_arrays(cache)] == ["cache['Z1']"]


def test_what_is_found_is_a_plain_copy() -> None:
    value = np.ones(2).view(Lying)
    ((_, array),) = cache_arrays([value])
    value[:] = 5
    assert type(array) is np.ndarray
    assert (array == 1).all()


def test_it_names_the_same_tensors_as_the_judge() -> None:
    """The child's side imports nothing of the judge's, so the list stands twice."""
    from grader import records

    assert coerce.TENSORS == records.TENSORS


def test_a_cache_with_slots_is_looked_into() -> None:
    class Parent:
        __slots__ = ("X",)

    class Cache(Parent):
        __slots__ = ("b1", "unset")

    cache = Cache()
    cache.X, cache.b1 = np.ones(2), np.zeros(3)
    assert sorted(path for path, _ in coerce.cache_arrays(cache)) == ["cache.X", "cache.b1"]
