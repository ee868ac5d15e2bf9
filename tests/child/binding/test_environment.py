"""What a parameter is given is an expression, found by the parameter's name."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from grader.child.binding.environment import Environment, Output, Unbindable
from grader.child.binding.source import Callee
from grader.child.binding.trial import SIZES, small_case
from tests.child.binding.loaded import binding_of

P = np.ones((SIZES["B"], SIZES["C"]))


def function(heading: str) -> Callee:
    """The function with this heading, read from a module's text."""
    return binding_of(f"def {heading}: ...").source.functions[0]


def environment() -> Environment:
    return Environment.of(small_case(), ModuleType("answer"))


@pytest.mark.parametrize(
    ("heading", "line"),
    [
        ("forward(x, w_1, bias1, W2, b2)", "forward(X, W1, b1, W2, b2)"),
        ("loss(inputs, labels, reg, lr=0.1, *, std)", "loss(X, y, 0.0, lr, std=0.01)"),
        ("loss(X, verbose=True, y=None)", "loss(X, y=y)"),
        ("net(quux, W1, W2)", "net(X, W1, W2)"),
        ("cast(X, dtype)", "cast(X, X.dtype)"),
    ],
)
def test_arguments_are_expressions(heading: str, line: str) -> None:
    assert environment().line(function(heading)) == line


def test_a_constructor_is_given_sizes() -> None:
    made = Environment(dict(SIZES), constructing=True, given=())
    assert made.line(function("Net(n_in, n_hidden, n_out)")) == "Net(D, H, C)"
    assert made.line(function("Net(layer_sizes, lr)")) == "Net([D, H, C], lr)"


def test_what_a_call_returned_is_known_by_its_names_and_shapes() -> None:
    known = environment()
    forward = binding_of("def forward(X):\n    return probs, {'Z1': 1}").source.functions[0]
    known.keep(forward, Output("out", (P, {"Z1": 1})))
    assert known.line(function("backward(probs, Z1, y)")) == "backward(out[0], out[1]['Z1'], y)"
    assert known.line(function("backward(cache, logits)")) == "backward(out[1], out[0])"


def test_what_is_offered_goes_before_all_else() -> None:
    known = environment()
    known.offer("W1", "mine")
    assert known.call(function("f(W1, b1)"), lambda W1, b1: (W1, b1.shape)) == ("mine", (31,))


def test_a_parameter_for_which_there_is_nothing_is_named() -> None:
    with pytest.raises(Unbindable, match=r"f\(X, strange, other\) needs `strange`"):
        environment().line(function("f(X, strange, other)"))
