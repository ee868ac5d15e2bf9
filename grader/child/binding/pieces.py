"""Single layers as they are called: what they return, or leave on themselves, is handed on."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from grader.child.binding import names
from grader.child.binding.language import places
from grader.child.binding.names import plain
from grader.child.binding.parameters import gradient_at
from grader.child.binding.source import Callee, Class, mentioned

FORWARDS = ("calculate", "forward", "call", "fprop", "fwd", "forwardpass", "feedforward", "apply")
BACKWARDS = (
    *("backward", "back", "backprop", "backpropagate", "backpropagation"),
    *("bprop", "bwd", "backwardpass"),
)
"""What the methods of a layer are called, the likeliest first."""

OUTPUTS = ("output", "outputs", "out", "activations", "value", "result")
INPUT_GRADIENTS = ("dinputs", "dinput", "dx", "gradinput", "inputgrad", "inputgradient")
"""Where a layer leaves what it does not return, the likeliest first."""


def forward_of(kind: Class) -> Callee | None:
    """Return the method that goes forwards; None for none."""
    return _method(kind, FORWARDS)


def backward_of(kind: Class) -> Callee | None:
    """Return the method that goes backwards; None for none."""
    return _method(kind, BACKWARDS)


def _method(kind: Class, wanted: Sequence[str]) -> Callee | None:
    own = {plain(name): method for name, method in kind.methods.items()}
    return next((own[name] for name in wanted if name in own), None)


def works(value: Any) -> bool:
    """Tell whether an object goes forwards or backwards: a layer or a network with its own biases.

    Any other only holds what it is given.
    """
    methods = {n for owner in type(value).__mro__ for n, v in vars(owner).items() if callable(v)}
    named = any({"forward", "backward"} & set(names.kinds(n)) for n in methods)
    return "__call__" in methods or named


def needed_by(function: Callee) -> list[inspect.Parameter]:
    """Return the parameters that have no default."""
    return [p for p in function.parameters if p.default is inspect.Parameter.empty]


class Piece:
    """One layer as it is called: `forward(x)`, `backward(upstream)`, and dW and db afterwards."""

    def forward(self, *arguments: Any) -> Any:
        raise NotImplementedError

    def backward(self, upstream: Any) -> Any:
        raise NotImplementedError

    def kept_arrays(self) -> Iterator[places.Entry]:
        """Yield the arrays that it keeps for its own backward."""
        raise NotImplementedError

    @property
    def holder(self) -> Any:
        """Return what its weights are found on, under their names."""
        return None


class ObjectPiece(Piece):
    """A layer that is an object."""

    def __init__(self, layer: Any, kind: Class) -> None:
        self.layer, self.kind = layer, kind
        self.ways = forward_of(kind), backward_of(kind)
        self.kept: tuple[Any, ...] = ()
        self.given: tuple[Any, ...] = ()

    def forward(self, *arguments: Any) -> Any:
        """Return what the layer returns, else what it leaves as its output."""
        method, self.given = self.ways[0], arguments
        assert method is not None
        out = getattr(self.layer, method.name)(*arguments, *_settings(method, len(arguments)))
        if isinstance(out, tuple) and len(out) > 1:
            out, *kept = out
            self.kept = tuple(kept)
        return self._left(OUTPUTS) if out is None else out

    def backward(self, upstream: Any) -> Any:
        """Return the gradient of the input; `upstream` is None for a loss."""
        method = self.ways[1]
        assert method is not None
        needed = needed_by(method)
        offered = ([] if upstream is None else [upstream]) + list(self.kept)
        if upstream is None and not self.kept:
            offered = self._of_the_loss([p.name for p in needed])
        count = len(needed) or int(upstream is not None and bool(method.parameters))
        self.result = getattr(self.layer, method.name)(*offered[:count])
        gradient = self.result[0] if isinstance(self.result, tuple) else self.result
        return self._left(INPUT_GRADIENTS) if gradient is None else gradient

    def kept_arrays(self) -> Iterator[places.Entry]:
        """Yield the attributes that its backward mentions, and what its forward gave for it."""
        read = mentioned([method for method in self.ways[1:] if method is not None])
        for place, array in places.walk(self.layer):
            if places.last_name(place[:1]) in read:
                yield place, array
        yield from places.walk({self.kind.name: self.kept})

    @property
    def holder(self) -> Any:
        return self.layer

    @property
    def rate(self) -> str:
        """Return the learning rate that its backward asks for, to step the weights; "" for none."""
        asked = needed_by(self.ways[1])[1:] if self.ways[1] is not None else []
        rates = (p.name for p in asked if "lr" in names.SETTING_ROLES.get(plain(p.name), ()))
        return next(rates, "")

    def _of_the_loss(self, needed: list[str]) -> list[Any]:
        """Return what a loss's backward asks for: the labels and what it was a loss of, or 1."""
        if len(needed) == 1:
            return [1.0]
        predicted = self._left(OUTPUTS)
        if predicted is None and self.given:
            predicted = self.given[0]
        roles = names.data_roles(needed)
        return [self.given[-1] if roles.get(n) == "y" else predicted for n in needed]

    def _left(self, wanted: tuple[str, ...]) -> Any:
        """Return an attribute of the layer under one of these names; None for none."""
        held = {plain(n): v for n, v in getattr(self.layer, "__dict__", {}).items()}
        return next((held[name] for name in wanted if name in held), None)


def _settings(method: Callee, given: int) -> list[Any]:
    """For what a layer's forward wants besides, such as whether it is training."""
    needed = [p for p in method.parameters[given:] if p.default is inspect.Parameter.empty]
    return [
        "yes" in names.SETTING_ROLES.get(plain(p.name), ())
        for p in needed if p.kind is not inspect.Parameter.KEYWORD_ONLY
    ]  # fmt: skip


class OneHotLoss(ObjectPiece):
    """A loss that is given each label as a row of zeros and a one."""

    def forward(self, *arguments: Any) -> Any:
        logits, y = arguments
        onehot = np.arange(logits.shape[1]) == np.reshape(y, (-1, 1))
        return super().forward(logits, onehot.astype(logits.dtype))


class LossOnProbabilities(Piece):
    """A softmax, and a loss of the probabilities that it makes."""

    def __init__(self, softmax: ObjectPiece, loss: ObjectPiece) -> None:
        self.softmax, self.loss = softmax, loss

    def forward(self, *arguments: Any) -> Any:
        logits, y = arguments
        return self.loss.forward(self.softmax.forward(logits), y)

    def backward(self, upstream: Any) -> Any:
        return self.softmax.backward(self.loss.backward(None))

    def kept_arrays(self) -> Iterator[places.Entry]:
        yield from self.softmax.kept_arrays()
        yield from self.loss.kept_arrays()


class FunctionPiece(Piece):
    """A layer that is a pair of functions; what the first returns besides is for the second."""

    def __init__(self, forward: Callee, backward: Callee | None, weights: tuple[Any, ...]) -> None:
        self.pair, self.weights = (forward, backward), weights
        self.kept: Any = None

    def forward(self, *arguments: Any) -> Any:
        out = self.pair[0].call(*arguments, *self.weights)
        if isinstance(out, tuple) and len(out) == 2:
            out, self.kept = out
        else:
            self.kept = arguments[0]
        return out

    @property
    def holder(self) -> Any:
        return dict(zip(("W", "b"), self.weights, strict=False))

    def kept_arrays(self) -> Iterator[places.Entry]:
        yield from places.walk({self.pair[0].name: self.kept})

    def backward(self, upstream: Any) -> Any:
        if self.pair[1] is None:
            return self.kept  # a loss that gives its gradient along
        order = [upstream, self.kept]
        roles = names.PASSED_ROLES.get(plain(self.pair[1].names[0]), ())
        self.result = self.pair[1].call(*(order[::-1] if "cache" in roles else order))
        return self.result[0] if isinstance(self.result, tuple) else self.result


def gradients_of(piece: Piece) -> dict[str, Any]:
    """dW and db: attributes of the layer, entries of a dictionary, or parts of the result."""
    found: dict[str, Any] = {}
    if isinstance(piece, ObjectPiece):
        for place, value in places.walk(piece.layer, numbers=True):
            if which := gradient_at(place, value):
                found[which] = value
    result = getattr(piece, "result", None)
    if isinstance(result, tuple) and len(result) == 3:
        found.setdefault("W", result[1])
        found.setdefault("b", result[2])
    return found
