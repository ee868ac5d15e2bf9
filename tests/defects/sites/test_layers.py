"""The lines of the reusable layers: what makes an array, what writes, shares and calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from grader.defects.sites.layers import (
    Layer,
    LayerSite,
    calls,
    layer_spot,
    layers_of,
    shares,
    spoils,
    writes,
)
from grader.records import LayerNames, Observation
from grader.source.program import Function, Program, Spot
from tests.checks.simulation import simulated
from tests.defects.planted_clues import clues_of

SOURCE = """\
class Linear:
    kept = None
    def forward(self, x):
        self.x = x
        out = x @ self.W
        out += self.b
        return out
    def backward(self, upstream):
        self.dW = self.x.T @ upstream
        self.grads["b"] = upstream.sum(0)
        self.dW /= 2
        return upstream @ self.W.T, self.dW


class Other:
    def backward(self, upstream):
        self.dW = upstream
"""
LINEAR = Layer("Linear", "forward", "backward")


def program(source: str = SOURCE) -> Program:
    return clues_of(source).program


def line(layer: Layer, site: LayerSite | None, array: str, source: str = SOURCE) -> int | None:
    spot = layer_spot(program(source), layer, site, array)
    return spot and spot.line


@pytest.mark.parametrize(
    ("array", "at"), [("out", 6), ("loss", 6), ("dW0", 11), ("db0", 10), ("dx0", 12)]
)
def test_the_statement_that_makes_an_array(array: str, at: int) -> None:
    assert line(LINEAR, None, array) == at


@pytest.mark.parametrize(
    ("target", "is_one"),
    [
        ("self.dW", True), ("self.grad_W", True), ("self.W_grad", True), ("dweight", True),
        ("self.grads['W']", True), ("self.gradient_weights", True), ("d_kernel", True),
        ("self.W", False), ("self.params['W']", False), ("self.db", False), ("d", False),
    ],
)  # fmt: skip
def test_what_is_called_the_gradient_of_a_weight(target: str, is_one: bool) -> None:
    source = f"class Linear:\n    def backward(self, g):\n        {target} = g\n        return g\n"
    assert line(LINEAR, None, "dW0", source) == (3 if is_one else 2)


def test_a_layer_may_be_two_functions_and_may_be_none() -> None:
    source = "def relu(x):\n    return x\ndef relu_back(g):\n    return g\n"
    plain = Layer("", "relu", "relu_back")
    assert (line(plain, None, "out", source), line(plain, None, "dx0", source)) == (2, 4)
    assert line(Layer("Absent", "forward", "backward"), None, "out") is None


def spots(line_of_it: int) -> Callable[[Function], Iterator[Spot]]:
    return lambda f: iter([Spot("a.py", line_of_it, line_of_it)] if f.name == "forward" else [])


def test_where_a_kind_stands_elsewhere() -> None:
    assert line(LINEAR, LayerSite(spots(4)), "dW0") == 4
    assert line(LINEAR, LayerSite(spots(4), backward_only=True), "dW0") is None
    assert line(LINEAR, LayerSite(spots(4), backward_only=True, falls_back=True), "dW0") == 11


# ── statements ───────────────────────────────────────────────────────────────

METHOD = """\
class Linear:
    def forward(self, x, y):
        {}
"""


def found(statements: Callable[[Function], Iterator[Spot]], body: str) -> bool:
    (function,) = program(METHOD.format(body)).functions
    lines = [spot.line for spot in statements(function)]
    assert lines in ([], [3])
    return bool(lines)


@pytest.mark.parametrize(
    ("body", "does"),
    [
        ("x += 1", True), ("x[0] = 1", True), ("np.exp(x, out=x)", True), ("y.T[0] = 1", True),
        ("x = 1", False), ("z += 1", False), ("self.x[0] = 1", False), ("f(x, out=z)", False),
    ],
)  # fmt: skip
def test_what_writes_into_an_argument(body: str, does: bool) -> None:
    assert found(writes, body) is does


@pytest.mark.parametrize(
    ("body", "does"),
    [
        ("Linear.mask = x", True), ("self.__class__.mask = x", True), ("type(self).m = x", True),
        ("global m; m = x", True), ("self.mask = x", False), ("m = x", False),
    ],
)  # fmt: skip
def test_what_is_kept_for_all_objects(body: str, does: bool) -> None:
    assert found(shares, body) is does


@pytest.mark.parametrize(
    ("body", "does"),
    [("self.P -= 1", True), ("p[0] = 1", True), ("self.P = 1", False), ("f(x)", False)],
)
def test_what_writes_into_an_array(body: str, does: bool) -> None:
    assert found(spoils, body) is does


@pytest.mark.parametrize(
    ("body", "does"),
    [
        ("a = np.log(x)", True), ("return 1 + x.log()", True), ("a -= max(x)", True),
        ("a = np.exp(x)", False), ("log = x", False), ("np.log(x)", False),
    ],
)  # fmt: skip
def test_what_calls_a_function_by_name(body: str, does: bool) -> None:
    assert found(calls("log", "max"), body) is does


# ── names ────────────────────────────────────────────────────────────────────


def test_the_layers_have_the_names_that_the_child_gave() -> None:
    names = (
        LayerNames("linear", "Dense", "fwd", "bwd"),
        LayerNames("relu", "", "relu", "relu_back"),
    )

    def renamed(runs: dict[str, Observation]) -> None:
        for step in runs:
            if runs[step].layers:
                runs[step] = replace(runs[step], layers=names)

    assert layers_of(simulated(renamed)) == {
        "linear": Layer("Dense", "fwd", "bwd"),
        "relu": Layer("", "relu", "relu_back"),
    }


def test_no_layers_were_handed_in() -> None:
    def none(runs: dict[str, Observation]) -> None:
        for step in runs:
            runs[step] = replace(runs[step], layers=())

    assert layers_of(simulated(none)) == {}
