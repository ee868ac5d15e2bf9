"""Sizes that are written as numbers follow the inputs."""

from __future__ import annotations

import ast

import numpy as np

from grader.child.binding.script.flow import blocks
from grader.child.binding.script.sizes import Sizes, sizes_of

ROLES = {name: name for name in ("X", "y", "W1", "b1", "W2", "b2")}


def sizes(text: str) -> Sizes:
    return sizes_of(next(blocks(ast.parse(text))), ROLES, ROLES, {})


def given() -> dict[str, np.ndarray]:
    return {
        "X": np.zeros((5, 7)),
        "y": np.zeros(5),
        "W1": np.zeros((7, 11)),
        "W2": np.zeros((11, 3)),
    }


def test_variables_by_the_arrays_that_they_make() -> None:
    found = sizes(
        "k, l, o, q = 64, 64, 8, 5\nX = rng.normal(size=(k, l))\n"
        "W1 = np.random.randn(l, o)\nW2 = np.zeros((o, q))\n"
    )
    assert {n: found.of(given())[n] for n in "kloq"} == {"k": 5, "l": 7, "o": 11, "q": 3}


def test_variables_by_name_where_nothing_is_made_of_them() -> None:
    found = sizes("batch_size, num_classes, lr = 16, 4, 2\nX, y = load()\n")
    assert found.of(given()) == {"batch_size": 5, "num_classes": 3}


def test_literal_numbers_where_one_size_alone_is_that_number() -> None:
    found = sizes("X = rng.normal(size=(32, 9))\nW1 = rng.normal(size=(9, 9))\n")
    assert found.of(given()) == {"__size_32__": 5}
    statement = ast.parse("d = f(32, axis=1) + np.arange(32) / 32 * 32").body[0]
    (changed,) = found.replaced([statement])
    assert ast.unparse(changed) == "d = f(32, axis=1) + np.arange(__size_32__) / __size_32__ * 32"
