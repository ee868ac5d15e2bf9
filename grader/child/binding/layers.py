"""Style: layers with forward and backward, and nothing that puts them together.

    Linear(n_in, n_out) or Linear(W, b), ReLU(), SoftmaxCrossEntropy() or Softmax() and a loss
    affine_forward(x, w, b) → out, cache; affine_backward(dout, cache) → dx, dw, db;
    softmax_loss(x, y) → loss, dx

They are composed as the contract's network: linear, ReLU, linear, loss.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from grader.child.binding import places
from grader.child.binding.environment import Environment
from grader.child.binding.flow import Flow
from grader.child.binding.held import weight_at
from grader.child.binding.kit import LINEAR, RELU, criterion_of_functions, kit_of
from grader.child.binding.names import plain
from grader.child.binding.pieces import (
    FunctionPiece,
    Piece,
    backward_of,
    forward_of,
    gradients_of,
)
from grader.child.binding.source import Function, Source


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
        return None  # all that a network of pieces gives is in its results

    def kept(self, subject: Any, backwards: Sequence[Function]) -> Iterator[places.Entry]:
        """What each layer keeps for its own backward."""
        for piece in (subject.first, subject.relu, subject.second, subject.criterion):
            yield from piece.kept_arrays()

    def weights(self, subject: Any) -> dict[str, Any]:
        """The arrays that the layers hold, so that they do not count as cached."""
        held: dict[str, Any] = {}
        for number, piece in ((1, subject.first), (2, subject.second)):
            for place, value in places.walk(piece.holder):
                if which := weight_at(place, value):
                    held[f"{which}{number}"] = value
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
    kit = kit_of(source, torch=torch)
    linear, relu, loss = kit.linear, kit.relu, kit.loss
    if linear is None or relu is None or loss is None:
        return None

    def build(given: Mapping[str, Any], _sizes: Mapping[str, int]) -> Network:
        first = kit.made("linear", given["W1"], given["b1"])
        second = kit.made("linear", given["W2"], given["b2"])
        between, last = kit.made("relu"), kit.made("loss")
        assert first and second and between and last
        return Network(first, between, second, last)

    owner = LayerOwner(build, (linear.name, relu.name, kit.loss_name or "the loss"))
    ahead, back = forward_of(linear), backward_of(linear)
    return owner, ahead and ahead.node, back and back.node


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
    criterion = criterion_of_functions(source, torch=torch)
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
