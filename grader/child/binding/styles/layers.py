"""Style: layers with forward and backward, and nothing that puts them together.

    Linear(n_in, n_out) or Linear(W, b), ReLU(), SoftmaxCrossEntropy() or Softmax() and a loss
    affine_forward(x, w, b) → out, cache; affine_backward(dout, cache) → dx, dw, db;
    softmax_loss(x, y) → loss, dx

They are composed as the contract's network: linear, ReLU, linear, loss. What hands one layer's
output to the next is `pieces`, so an adapter's lines see the composed network alone.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from grader.child.binding.kit import LINEAR, RELU, criterion_of_functions, kit_of
from grader.child.binding.language import places
from grader.child.binding.names import plain
from grader.child.binding.parameters import weight_at
from grader.child.binding.pieces import (
    FunctionPiece,
    Piece,
    backward_of,
    forward_of,
    gradients_of,
)
from grader.child.binding.source import Callee, Source
from grader.child.binding.writer import Draft


class Network(Mapping[str, Any]):
    """The four pieces of one forward; its items are the arrays that they keep for backward."""

    def __init__(self, first: Piece, relu: Piece, second: Piece, criterion: Piece) -> None:
        self.first, self.relu, self.second, self.criterion = first, relu, second, criterion

    def forward(self, X: Any, y: Any) -> Any:
        """Return the loss, or one for each example."""
        hidden = self.relu.forward(self.first.forward(X))
        return self.criterion.forward(self.second.forward(hidden), y)

    def backward(self) -> dict[str, Any]:
        """Return the gradients of the input and of both layers' weights."""
        upstream = self.second.backward(self.criterion.backward(None))
        gradients = {"dX": self.first.backward(self.relu.backward(upstream))}
        for number, piece in ((1, self.first), (2, self.second)):
            for kind, gradient in gradients_of(piece).items():
                gradients[f"d{kind}{number}"] = gradient
        return gradients

    def _kept(self) -> dict[str, Any]:
        holders = (self.first.holder, self.second.holder)
        weights = {id(v) for h in holders for p, v in places.walk(h) if weight_at(p, v)}
        pieces = enumerate((self.first, self.relu, self.second, self.criterion), 1)
        kept = {places.text(p, f"layer{n}"): a for n, k in pieces for p, a in k.kept_arrays()}
        return {name: array for name, array in kept.items() if id(array) not in weights}

    def __getitem__(self, name: str) -> Any:
        return self._kept()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._kept())

    def __len__(self) -> int:
        return len(self._kept())


Build = Callable[[Any, Any, Any, Any], Network]
"""Makes a network of W1, b1, W2 and b2."""

Composition = tuple[Build, list[str], Any, Any]
"""How a network is made, the names of its layers, and the definitions of a linear layer's two
functions."""


def drafts(source: Source, fixed: Mapping[str, str]) -> Iterator[Draft]:
    """Yield the network composed of the candidate's layers, where there are all that it takes.

    Nothing, where a function of the network is `fixed`: then it is not made of layers alone.
    """
    for compose in () if fixed else (_of_classes, _of_functions):
        if (found := compose(source)) is not None:
            build, parts, forward, backward = found
            X, y = (inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in "Xy")
            stages = (
                Callee("forward", None, forward, (X, y), owner="layers"),
                Callee("backward", None, backward, (), owner="layers"),
            )
            title = "layers " + ", ".join(dict.fromkeys(parts)) + ", composed"
            make = ("layers = composed(W1, b1, W2, b2)",)
            yield Draft(stages, 1, title, make=make, names={"composed": build}, attributes=None)


def _of_classes(source: Source) -> Composition | None:
    kit = kit_of(source, torch=False)
    linear, relu, loss = kit.linear, kit.relu, kit.loss
    if linear is None or relu is None or loss is None:
        return None

    def build(W1: Any, b1: Any, W2: Any, b2: Any) -> Network:
        first, second = kit.made("linear", W1, b1), kit.made("linear", W2, b2)
        between, last = kit.made("relu"), kit.made("loss")
        assert first and second and between and last
        return Network(first, between, second, last)

    ahead, back = forward_of(linear), backward_of(linear)
    parts = [linear.name, relu.name, kit.loss_name or "the loss"]
    return build, parts, ahead and ahead.node, back and back.node


def _of_functions(source: Source) -> Composition | None:
    usable = [f for f in source.functions if not f.torch]

    def pair(pattern: re.Pattern[str]) -> tuple[Callee, Callee] | None:
        own = [f for f in usable if pattern.search(plain(f.name))]
        forward = next((f for f in own if not f.kinds & {"backward", "both"}), None)
        backward = next(
            (f for f in own if f.kinds & {"backward", "both"} and len(f.names) == 2), None
        )
        return (forward, backward) if forward and backward else None

    linear, relu = pair(LINEAR), pair(RELU)
    criterion = criterion_of_functions(source, torch=False)
    if linear is None or relu is None or criterion is None or len(linear[0].parameters) != 3:
        return None

    def build(W1: Any, b1: Any, W2: Any, b2: Any) -> Network:
        first, second = (FunctionPiece(*linear, weights) for weights in ((W1, b1), (W2, b2)))
        return Network(first, FunctionPiece(*relu, ()), second, criterion())

    return build, [linear[0].name, relu[0].name, "the loss"], linear[0].node, linear[1].node
