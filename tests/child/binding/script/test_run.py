"""Statements run on other arrays, and leave no trace."""

from __future__ import annotations

import numpy as np
import pytest

from tests.child.binding.loaded import PATH, answers, binding_of, inputs
from tests.child.binding.script.test_against_functions import (
    BACKWARD,
    FORWARD,
    as_script,
)


def test_the_module_is_as_it_was() -> None:
    binding = binding_of(as_script(FORWARD, BACKWARD))
    before = {n: v for n, v in vars(binding.module).items() if not n.startswith("__")}
    answers(binding, inputs())
    after = {n: v for n, v in vars(binding.module).items() if not n.startswith("__")}
    assert all(after[n] is v for n, v in before.items()) and after.keys() == before.keys()


def test_the_arguments_are_as_they_were() -> None:
    given = inputs()
    kept = {n: a.copy() for n, a in given.items()}
    answers(binding_of(as_script("X -= 0.0\n" + FORWARD, BACKWARD + "W1 *= 2\n")), given)
    assert all(np.array_equal(given[n], kept[n]) for n in kept)


def test_a_failure_stands_on_the_line_of_the_statement() -> None:
    binding = binding_of(as_script(FORWARD, BACKWARD))
    small = inputs()
    small["W1"] = small["W1"][1:]
    with pytest.raises(ValueError, match="matmul") as caught:
        binding.find("forward")(*small.values())
    text = as_script(FORWARD, BACKWARD).splitlines()
    own = [e.lineno for e in caught.traceback if str(e.path).endswith(PATH)]
    assert [text[line] for line in own] == ["Z1 = X @ W1 + b1"]
