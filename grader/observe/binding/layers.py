"""Style: layers with forward and backward, and nothing that puts them together.

    Linear(n_in, n_out) or Linear(W, b), ReLU(), SoftmaxCrossEntropy() or Softmax() and a loss
    affine_forward(x, w, b) → out, cache; affine_backward(dout, cache) → dx, dw, db;
    softmax_loss(x, y) → loss, dx

They are composed as the contract's network: linear, ReLU, linear, loss.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from grader.observe.binding import places
from grader.observe.binding.environment import Environment
from grader.observe.binding.flow import Flow
from grader.observe.binding.names import plain
from grader.observe.binding.pieces import (
    BIAS,
    WEIGHT,
    FunctionPiece,
    LossOnProbabilities,
    ObjectPiece,
    Piece,
    gradients_of,
)
from grader.observe.binding.source import Class, Function, Source

LINEAR = re.compile(r"linear|affine|dense|fullyconnected|^fc")
RELU = re.compile(r"relu")
LOSS = re.compile(r"softmax|crossentropy|loss")


@dataclass
class Network:
    """The four pieces of one forward; what they keep is the cache."""

    first: Piece
    relu: Piece
    second: Piece
    criterion: Piece

    def forward(self, X: Any, y: Any) -> Any:
        hidden = self.relu.forward(self.first.forward(X))
        return self.criterion.forward(self.second.forward(hidden), y)

    def backward(self) -> dict[str, Any]:
        upstream = self.second.backward(self.criterion.backward(None))
        gradients = {"dX": self.first.backward(self.relu.backward(upstream))}
        for number, piece in ((1, self.first), (2, self.second)):
            for kind, gradient in gradients_of(piece).items():
                gradients[f"d{kind}{number}"] = gradient
        return gradients


@dataclass(frozen=True)
class LayerOwner:
    """Builds the network anew for each forward."""

    build: Callable[[Mapping[str, Any], Mapping[str, int]], Network]
    parts: tuple[str, ...]
    constructor: None = field(default=None, init=False)

    @property
    def title(self) -> str:
        return "layers " + ", ".join(dict.fromkeys(self.parts)) + ", composed"

    def begin(self, environment: Environment) -> Any:
        return self.build(environment.given, environment.sizes)

    def target(self, subject: Any, function: Function) -> Callable[..., Any]:
        target: Callable[..., Any] = getattr(subject, function.name)
        return target

    def state(self, subject: Any) -> Any:
        return subject

    def kept(self, subject: Any, backwards: Sequence[Function]) -> Iterator[places.Entry]:
        """What each layer keeps for its own backward."""
        for piece in (subject.first, subject.relu, subject.second, subject.criterion):
            yield from piece.kept_arrays()

    def weights(self, subject: Any) -> dict[str, Any]:
        """The arrays that the layers hold, so that they do not count as cached."""
        held: dict[str, Any] = {}
        for number, piece in ((1, subject.first), (2, subject.second)):
            for place, value in places.walk(piece):
                last = plain(places.last_name(place))
                if any("grad" in str(key) for _, key in place):
                    continue
                if last in WEIGHT or last in BIAS:
                    held[f"{'b' if last in BIAS else 'W'}{number}"] = value
        return held


def flows(source: Source, *, torch: bool, fixed: Mapping[str, str]) -> Iterator[Flow]:
    """The network composed of the candidate's layers, where there are all that it takes.

    Nothing, where a function of the network is `fixed`: then it is not made of layers alone.
    """
    if fixed:
        return
    for build in (_of_classes, _of_functions):
        found = build(source, torch)
        if found is not None:
            owner, forward, backward = found
            X, y = (inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in "Xy")
            first = Function("forward", None, forward, (X, y))
            yield Flow(owner, (first, Function("backward", None, backward, ())), 1)


def _of_classes(source: Source, torch: bool) -> tuple[LayerOwner, Any, Any] | None:
    usable = [
        c for c in source.classes
        if c.torch == torch and "backward" in c.methods
        and {"forward", "__call__"} & set(c.methods) and not c.methods["backward"].stub
    ]  # fmt: skip
    linear = next((c for c in usable if LINEAR.search(plain(c.name))), None)
    relu = next(
        (c for c in usable if RELU.search(plain(c.name)) and "leaky" not in plain(c.name)), None
    )
    if linear is None or relu is None:
        return None
    loss, criterion = _criterion_of_classes(usable)
    criterion = criterion or _criterion(source, torch)
    if criterion is None:
        return None

    def build(given: Mapping[str, Any], sizes: Mapping[str, int]) -> Network:
        first = _linear(linear, given["W1"], given["b1"], sizes["D"], sizes["H"])
        second = _linear(linear, given["W2"], given["b2"], sizes["H"], sizes["C"])
        return Network(first, ObjectPiece(relu.type(), relu), second, criterion())

    owner = LayerOwner(build, (linear.name, relu.name, loss.name if loss else "the loss"))
    return (
        owner,
        linear.methods.get("forward", linear.methods["backward"]).node,
        linear.methods["backward"].node,
    )


def _takes_labels(kind: Class) -> bool:
    forward = kind.methods.get("forward") or kind.methods["__call__"]
    return len(forward.parameters) >= 2


def _criterion_of_classes(usable: list[Class]) -> tuple[Class | None, Callable[[], Piece] | None]:
    """A loss of the logits; or one of probabilities with the softmax that makes them."""
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
    """Whether a loss has the softmax in it, by its name and by what its text calls."""
    nodes = ast.walk(kind.node) if kind.node else ()
    words = {plain(getattr(n, "id", "") or getattr(n, "attr", "")) for n in nodes}
    return "softmax" in plain(kind.name) or any(w == "exp" or "softmax" in w for w in words)


def _criterion(source: Source, torch: bool) -> Callable[[], Piece] | None:
    own = [f for f in source.functions if f.torch == torch and len(f.parameters) == 2]
    whole = next((f for f in own if LOSS.search(plain(f.name)) and _returns_two(f)), None)
    if whole is not None:
        function = whole
        return lambda: FunctionPiece(function, None, ())
    return None


def _returns_two(function: Function) -> bool:
    return any(len(labels) == 2 for labels in function.returns)


def _linear(kind: Class, W: Any, b: Any, size_in: int, size_out: int) -> ObjectPiece:
    """A linear layer with these weights: its constructor's, or put where it keeps its own."""
    parameters = kind.constructor.parameters if kind.constructor else ()
    weights = {p.name: W for p in parameters if plain(p.name) in WEIGHT}
    if weights:
        biases = {p.name: b for p in parameters if plain(p.name) in BIAS}
        return ObjectPiece(kind.type(**weights, **biases), kind)
    positional: list[Any] = [size_in, size_out]
    keyword: dict[str, Any] = {}
    if kind.constructor and sum(p.default is inspect.Parameter.empty for p in parameters) != 2:
        sizes = {"D": size_in, "H": size_out, "C": size_out}
        environment = Environment({"X": W}, sizes, constructing=True)
        positional, keyword = environment.arguments(kind.constructor)
    layer = kind.type(*positional, **keyword)
    for place, value in list(places.walk(layer)):
        last = plain(places.last_name(place))
        if last in WEIGHT or last in BIAS:
            weight = b.reshape(places.shape(value)) if last in BIAS else W
            if last in WEIGHT and places.shape(value) != places.shape(W):
                weight = W.T  # a layer that keeps [out, in]
            places.put(layer, place, np.array(weight))
    return ObjectPiece(layer, kind)


def _of_functions(source: Source, torch: bool) -> tuple[LayerOwner, Any, Any] | None:
    usable = [f for f in source.functions if f.torch == torch]

    def pair(pattern: re.Pattern[str]) -> tuple[Function, Function] | None:
        own = [f for f in usable if pattern.search(plain(f.name))]
        forward = next(
            (f for f in own if "backward" not in f.kinds and "both" not in f.kinds), None
        )
        backward = next(
            (f for f in own if f.kinds & {"backward", "both"} and len(f.names) == 2), None
        )
        return (forward, backward) if forward and backward else None

    linear, relu = pair(LINEAR), pair(RELU)
    criterion = _criterion(source, torch)
    if linear is None or relu is None or criterion is None or len(linear[0].parameters) != 3:
        return None

    def build(given: Mapping[str, Any], _sizes: Mapping[str, int]) -> Network:
        first = FunctionPiece(*linear, (given["W1"], given["b1"]))
        second = FunctionPiece(*linear, (given["W2"], given["b2"]))
        return Network(first, FunctionPiece(*relu, ()), second, criterion())

    return (
        LayerOwner(build, (linear[0].name, relu[0].name, "the loss")),
        linear[0].node,
        linear[1].node,
    )
