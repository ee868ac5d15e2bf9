"""What counts of an object in the cache: all but the biases of one that works."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from grader.child.binding import works
from grader.child.coerce import cache_arrays

BIAS = np.array([1.0, 2.0])


class Affine:
    def __init__(self) -> None:
        self.W, self.b, self.x, self.out = np.eye(2), BIAS.copy(), np.ones((3, 2)), np.zeros(1)

    def forward(self, x: Any) -> Any:
        return x @ self.W + self.b

    def back(self, d: Any) -> Any:
        self.dW = self._weights(d)
        return [row @ self.W.T for row in d]

    def _weights(self, d: Any) -> Any:
        return self.x.T @ d


class Kept(Affine):
    def __init__(self) -> None:
        super().__init__()
        self.params = {"W": self.W, "b": BIAS.reshape(1, 2)}

    def back(self, d: Any) -> Any:
        return d @ self.params["W"].T


class OnlyForward:
    def __init__(self) -> None:
        self.W, self.bias, self.x = np.eye(2), BIAS, np.ones((3, 2))

    def __call__(self, x: Any) -> Any:
        return x @ self.W + self.bias


class Holder:
    def __init__(self) -> None:
        self.W, self.b = np.eye(2), BIAS

    def __repr__(self) -> str:
        return "Holder"


@dataclass(slots=True)
class Slotted:
    x: Any
    b: Any

    def forward(self, x: Any) -> Any:
        return x + self.b


@pytest.mark.parametrize(
    ("cache", "paths"),
    [
        ((Affine(), 1), ["cache[0].W", "cache[0].out", "cache[0].x"]),
        (
            {"one": Kept()},
            ["cache['one'].W", "cache['one'].out", "cache['one'].params['W']", "cache['one'].x"],
        ),
        (SimpleNamespace(layers=[OnlyForward()]), ["cache.layers[0].W", "cache.layers[0].x"]),
        ([Slotted(np.ones(3), BIAS)], ["cache[0].x"]),
        (Holder(), ["cache.W", "cache.b"]),
        ((Affine(), BIAS), ["cache[0].W", "cache[0].out", "cache[0].x", "cache[1]"]),
    ],
)
def test_what_counts(cache: Any, paths: list[str]) -> None:
    found = cache_arrays(cache, works, [np.zeros(2), BIAS])
    assert sorted(path for path, _ in found) == paths


def test_what_an_object_may_be_is_no_trouble() -> None:
    for value in (np.random.default_rng(), object(), Exception("?"), lambda: 0):
        assert not works(value) or callable(value)
