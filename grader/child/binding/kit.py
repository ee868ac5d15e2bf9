"""The reusable layers of a submission, each as it is called (child's side).

A layer is an object with `forward` and `backward`, or a pair of functions. Which class is
which is told by its name, as people name them; how it wants its weights, by its constructor.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from grader.child.binding import names
from grader.child.binding.environment import Environment
from grader.child.binding.language import places
from grader.child.binding.names import plain
from grader.child.binding.parameters import BIAS, WEIGHT, weight_at
from grader.child.binding.pieces import (
    BACKWARDS,
    FunctionPiece,
    LossOnProbabilities,
    ObjectPiece,
    Piece,
    backward_of,
    forward_of,
    needed_by,
)
from grader.child.binding.source import Callee, Class, Source
from grader.source.trees import walk

LINEAR = re.compile(r"linear|affine|dense|fullyconnected|^fc")
RELU = re.compile(r"relu")
LOSS = re.compile(r"softmax|crossentropy|loss")
WHOLE = re.compile(r"net(work)?$|net\d|model|mlp|classifier|sequential|container")
"""Names of what is made of layers; `LinearClassifier` is no linear layer."""

CONTAINER = re.compile(r"sequential|network|container|net$|model|mlp|stack|chain|pipeline")
HOLDS = re.compile(r"layer|module|block|stage|arg")
"""What a container's constructor calls the layers that it is given."""


class LinearPiece(ObjectPiece):
    """A linear layer.

    `turned` when it keeps its weights as [out, in]; `bias_shape` is that of a bias it made itself.
    """

    def __init__(self, layer: Any, kind: Class, *, turned: bool, bias_shape: Any) -> None:
        super().__init__(layer, kind)
        self.turned, self.bias_shape = turned, bias_shape


@dataclass(frozen=True)
class Kit:
    """What was found of each kind; None where there is none.

    `loss_name` is "" where the loss is a function that gives its gradient along.
    """

    linear: Class | None
    relu: Class | None
    loss: Callable[[], Piece] | None
    loss_name: str
    container: Class | None

    def made(self, kind: str, W: Any = None, b: Any = None) -> Piece | None:
        """Return a fresh layer ("linear" with its weights, "relu", "loss"); None for none."""
        if kind == "linear":
            return linear_piece(self.linear, W, b) if self.linear else None
        if kind == "relu":
            return ObjectPiece(self.relu.type(), self.relu) if self.relu else None
        return self.loss() if self.loss else None


def has_layers(module: ModuleType) -> bool:
    """Tell whether some class there has a backward; a look at names alone, which costs nothing."""
    kinds = [value for value in list(vars(module).values()) if isinstance(value, type)]
    return any(plain(name) in BACKWARDS for kind in kinds for name in dir(kind))


def kit_of(source: Source, *, torch: bool) -> Kit:
    """Return the layers among the classes; for the loss also a function that gives its gradient."""
    usable = [c for c in source.classes if c.torch == torch and is_layer(c)]
    plainly = [c for c in usable if _named(c, LINEAR) and not _named(c, RELU)]
    linear = next((c for c in plainly if _takes_one(c)), None)
    relu = next((c for c in usable if _named(c, RELU) and _is_plain_relu(c)), None)
    kind, loss = criterion_of_classes([c for c in usable if WHOLE.search(plain(c.name)) is None])
    whole = [
        c for c in usable
        if CONTAINER.search(plain(c.name)) and c not in (linear, relu, kind) and _holds_layers(c)
    ]  # fmt: skip
    loss = loss or criterion_of_functions(source, torch=torch)
    return Kit(linear, relu, loss, kind.name if kind else "", next(iter(whole), None))


def is_layer(kind: Class) -> bool:
    """Tell whether a class has a forward, and a backward with something in it."""
    back = backward_of(kind)
    return bool(method_of(kind)) and back is not None and not back.stub


def method_of(kind: Class) -> str:
    """Return the method that goes forwards, "" for none."""
    method = forward_of(kind)
    return "" if method is None else method.name


def _named(kind: Class, pattern: re.Pattern[str]) -> bool:
    name = plain(kind.name)
    return pattern.search(name) is not None and WHOLE.search(name) is None


def _is_plain_relu(kind: Class) -> bool:
    """`LeakyReLU` is another layer, and `LinearReLU` is two."""
    name = plain(kind.name)
    return "leaky" not in name and not LINEAR.search(name) and _takes_one(kind)


def _takes_one(kind: Class) -> bool:
    """Tell whether its forward takes the input, and settings such as whether it is training."""
    needed = needed_by(kind.methods[method_of(kind)])
    return len([p for p in needed if plain(p.name) not in names.SETTING_ROLES]) == 1


def _takes_labels(kind: Class) -> bool:
    return len(kind.methods[method_of(kind)].parameters) >= 2


def criterion_of_classes(usable: list[Class]) -> tuple[Class | None, Callable[[], Piece] | None]:
    """Return a loss of the logits; or one of probabilities with the softmax that makes them."""
    losses = [c for c in usable if LOSS.search(plain(c.name)) and _takes_labels(c)]
    losses.sort(key=lambda c: not _makes_probabilities(c))
    if not losses:
        return None, None
    kind = losses[0]
    softmax = next((c for c in usable if "softmax" in plain(c.name) and not _takes_labels(c)), None)
    if softmax is None or _makes_probabilities(kind):
        return kind, lambda: ObjectPiece(kind.type(), kind)
    return kind, lambda: LossOnProbabilities(
        ObjectPiece(softmax.type(), softmax), ObjectPiece(kind.type(), kind)
    )


def _makes_probabilities(kind: Class) -> bool:
    """Tell whether a loss has the softmax in it, by its name and by what its text calls."""
    nodes = walk(kind.node) if kind.node else ()
    words = {plain(getattr(n, "id", "") or getattr(n, "attr", "")) for n in nodes}
    return "softmax" in plain(kind.name) or any(w == "exp" or "softmax" in w for w in words)


def criterion_of_functions(source: Source, *, torch: bool) -> Callable[[], Piece] | None:
    """Return a function of logits and labels that returns the loss, and the gradient with it."""
    own = [f for f in source.functions if f.torch == torch and len(f.parameters) == 2]
    whole = next((f for f in own if LOSS.search(plain(f.name)) and _returns_two(f)), None)
    if whole is not None:
        function = whole
        return lambda: FunctionPiece(function, None, ())
    return None


def _returns_two(function: Callee) -> bool:
    return any(len(labels) == 2 for labels in function.returns)


def _holds_layers(kind: Class) -> bool:
    constructor = kind.constructor
    if constructor is None or not _takes_one(kind):
        return False
    if constructor.star and not constructor.parameters:
        return True
    needed = needed_by(constructor)
    return len(needed) == 1 and HOLDS.search(plain(needed[0].name)) is not None


# ── weights ──────────────────────────────────────────────────────────────────


def linear_piece(kind: Class, W: Any, b: Any) -> LinearPiece:
    """Return a linear layer with these weights: given to it, or put where it keeps its own."""
    parameters = kind.constructor.parameters if kind.constructor else ()
    weights = {p.name: W for p in parameters if plain(p.name) in WEIGHT}
    if weights:
        biases = {p.name: b for p in parameters if plain(p.name) in BIAS}
        layer = kind.type(**weights, **biases)
        return LinearPiece(layer, kind, turned=False, bias_shape=None)
    layer, turned, bias_shape = _sized(kind, *W.shape), _keeps_turned(kind), b.shape
    for place, value in list(places.walk(layer)):
        which = weight_at(place, value)
        if which == "W":
            places.put(layer, place, np.array(W.T if turned else W))
        elif which == "b":
            bias_shape = places.shape(value)
            places.put(layer, place, np.array(b.reshape(bias_shape)))
    return LinearPiece(layer, kind, turned=turned, bias_shape=bias_shape)


def _sized(kind: Class, size_in: int, size_out: int) -> Any:
    """Return a layer of this size, with weights of its own."""
    if not kind.constructor or len(needed_by(kind.constructor)) == 2:
        return kind.type(size_in, size_out)
    space = {"X": np.zeros((size_in, size_out)), "D": size_in, "H": size_out, "C": size_out}
    environment = Environment({**space, "lr": 1.0}, constructing=True, given=("X",))
    return environment.call(kind.constructor, kind.type)


def _keeps_turned(kind: Class) -> bool:
    """Tell whether the weights are kept as [out, in], which a square layer does not show."""
    held = places.walk(_sized(kind, 3, 2))
    return any(places.shape(v) == (2, 3) for p, v in held if weight_at(p, v) == "W")
