"""Runs the submission's reusable layers, one stack after another (child's side).

Which layers, and on which numbers, is the judge's to say. Every stack is made of fresh
layers; each is handed what the one before it returned, as a network would.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from grader.child import coerce
from grader.child.binding.kit import Kit, LinearPiece, has_layers, kit_of, method_of
from grader.child.binding.pieces import (
    FunctionPiece,
    ObjectPiece,
    OneHotLoss,
    Piece,
    backward_of,
    gradients_of,
)
from grader.child.binding.source import Class
from grader.child.binding.trial import RAISED
from grader.child.fields import NAME_CHARS
from grader.child.reports import CallReport, LayerName, to_json
from grader.sandbox.child import describe

if TYPE_CHECKING:
    from grader.child.driver import Driver

CLEARS = re.compile(r"(?:zero|reset|clear)_?(?:the_)?(?:grads?|gradients?)")
"""A method that empties what backward adds to: to add is no mistake where it is called."""

NO_LAYERS = "no class with forward and backward is a linear layer"
MESSAGE_CHARS = 300


class NoLayer(Exception):
    """A layer of the stack is not there, or cannot be made; the text says which and why."""


def examine(driver: Driver, items: dict[str, Any]) -> dict[str, Any]:
    """Return what the layers give on a stack, in `problem.stacks`' names.

    `again.…` is a second backward, `second.…` the second batch through the same layers,
    `overwritten.…` a backward after the ReLU's output was written over, `container.…` the
    candidate's own container in place of one call after another. `x_after`, `upstream_after`
    and `W0_after`, … are the arguments after the first pass.
    """
    kit = submitted_kit(driver)
    if kit is None or kit.linear is None:
        return {"ended": "missing", "error": NO_LAYERS}
    kinds = items["kinds"].split()
    try:
        chain = Chain(kit, kinds, items)
    except NoLayer as why:
        layers = to_json(CallReport(layers=_names(kit)))
        return {"ended": "missing", "error": str(why)[:MESSAGE_CHARS], "report": layers}
    answer = StackAnswer({}, _names(kit))
    try:
        _first(chain, items, answer)
    except RAISED as error:
        return driver.raised(error) | {"report": to_json(CallReport(layers=answer.layers))}
    if "x2" in items:
        answer.attempt("again", lambda: chain.again(_last(items)))
        answer.attempt("second", lambda: chain.further_pass(items["x2"].copy(), _last(items, "2")))
    if kinds == ["relu"]:
        answer.attempt("overwritten", lambda: _overwritten(Chain(kit, kinds, items), items))
    if kit.container is not None and len(kinds) > 2:
        container = kit.container
        answer.attempt("container", lambda: _contained(container, Chain(kit, kinds, items), items))
    report = CallReport(problems=answer.problems, failures=answer.failures, layers=answer.layers)
    return answer.items | {"report": to_json(report)}


def _first(chain: Chain, items: dict[str, Any], answer: StackAnswer) -> None:
    """Run the first pass, forward and backward, and take what it did to its arguments."""
    x, last = items["x"].copy(), _last(items)
    answer.add("", chain.forward(x, last))
    answer.add("", chain.backward(last))
    answer.take("x_after", x)
    answer.take("upstream_after" if "upstream" in items else "y_after", last)
    for name, array in chain.weights.items():
        answer.take(f"{name}_after", array)


def submitted_kit(driver: Driver) -> Kit | None:
    """Return the submission's layers; looked for once, and only where something looks like one."""
    module = driver.module
    if module is None or not has_layers(module):
        return None
    if driver.kit is None:
        kit = kit_of(driver.bind().source, torch=False)
        driver.kit = _with_labels_as_rows(kit) or kit
    return driver.kit


def _with_labels_as_rows(kit: Kit) -> Kit | None:
    """Return the kit whose loss is given one-hot labels, if it runs on these and on no indices."""

    def made() -> Piece:
        plain = kit.made("loss")
        return OneHotLoss(plain.layer, plain.kind) if isinstance(plain, ObjectPiece) else Piece()

    own = kit.loss
    if own is None or _runs(own) or not _runs(made):
        return None
    return replace(kit, loss=made)


def _runs(made: Callable[[], Piece]) -> bool:
    """Return whether a loss gives one number for three rows of four logits, and goes back."""
    try:
        loss = made()
        values = loss.forward(np.arange(12.0).reshape(3, 4) / 10.0, np.array([2, 0, 3]))
        loss.backward(None)
    except RAISED:
        return False
    return np.size(values) == 1


def _names(kit: Kit) -> tuple[LayerName, ...]:
    """Return the names of the layers and of their methods."""
    classes = (("linear", kit.linear), ("relu", kit.relu))
    names = [_class_name(kind, own) for kind, own in classes if own is not None]
    try:
        loss = kit.made("loss")
    except RAISED:
        loss = None  # the stacks with a loss say why
    if isinstance(loss, ObjectPiece):
        names.append(_class_name("loss", loss.kind))
    elif isinstance(loss, FunctionPiece):
        name = loss.pair[0].name[:NAME_CHARS]
        names.append(LayerName("loss", "", name, name))
    if kit.container is not None:
        names.append(LayerName("container", kit.container.name[:NAME_CHARS]))
    return tuple(names)


def _class_name(kind: str, layer: Class) -> LayerName:
    backward = backward_of(layer)
    names = (layer.name, str(method_of(layer)), backward.name if backward is not None else "")
    return LayerName(kind, *(name[:NAME_CHARS] for name in names))


def _last(items: dict[str, Any], end: str = "") -> Any:
    """Return what the last layer is given besides: the labels, or the upstream gradient."""
    return items[f"y{end}" if f"y{end}" in items else f"upstream{end}"].copy()


class Chain:
    """Fresh layers of a submission, one after another."""

    def __init__(self, kit: Kit, kinds: Sequence[str], items: dict[str, Any]) -> None:
        """Make the layers. Raises `NoLayer`."""
        self.kinds = kinds
        self.weights = {n: a.copy() for n, a in items.items() if re.fullmatch(r"[Wb]\d+", n)}
        self.pieces = [self._made(kit, place, kind) for place, kind in enumerate(kinds)]

    def _made(self, kit: Kit, place: int, kind: str) -> Piece:
        try:
            piece = kit.made(kind, self.weights.get(f"W{place}"), self.weights.get(f"b{place}"))
        except RAISED as error:
            raise NoLayer(f"the {kind} layer could not be made: {error!r}") from error
        if piece is None:
            raise NoLayer(f"no {kind} layer was found")
        if isinstance(piece, ObjectPiece) and piece.rate:
            raise NoLayer(
                f"the {kind} layer's backward asks for {piece.rate}: it steps the weights"
            )
        return piece

    @property
    def closed(self) -> bool:
        return self.kinds[-1] == "loss"

    def forward(self, x: Any, last: Any) -> dict[str, Any]:
        """Return `out`, and `loss` where the last layer is one."""
        *others, end = self.pieces if self.closed else [*self.pieces, None]
        for piece in others:
            assert piece is not None
            x = piece.forward(x)
        values = {"out": _copied(x)}
        return values if end is None else values | {"loss": end.forward(x, last)}

    def backward(self, last: Any) -> dict[str, Any]:
        """Return `dx{i}`, and `dW{i}` and `db{i}` of linear layers."""
        values: dict[str, Any] = {}
        upstream = None if self.closed else last
        for place in reversed(range(len(self.pieces))):
            upstream = self.pieces[place].backward(upstream)
            values[f"dx{place}"] = _copied(upstream)
        return values | self.parameters()

    def parameters(self) -> dict[str, Any]:
        """Return the gradients that the linear layers keep, each as [in, out] and [out]."""
        values: dict[str, Any] = {}
        for place, kind in enumerate(self.kinds):
            if kind == "linear":
                gradients = gradients_of(self.pieces[place])
                values[f"dW{place}"] = _weight_gradient(self.pieces[place], gradients.get("W"))
                values[f"db{place}"] = _bias_gradient(self.pieces[place], gradients.get("b"))
        return values

    def further_pass(self, x: Any, last: Any) -> dict[str, Any]:
        """Return a further pass, forward and backward, after the old gradients were cleared."""
        self._clear()
        return self.forward(x, last) | self.backward(last)

    def again(self, last: Any) -> dict[str, Any]:
        """Return a further backward, without another forward."""
        self._clear()
        return self.backward(last)

    def _clear(self) -> None:
        for piece in self.pieces:
            if isinstance(piece, ObjectPiece):
                name = next((n for n in piece.kind.methods if CLEARS.fullmatch(n)), "")
                if name:
                    getattr(piece.layer, name)()


def _copied(value: Any) -> Any:
    """Return a copy of an array: the next layer may write into it, which harms nobody there."""
    return value.copy() if isinstance(value, np.ndarray) else value


def _weight_gradient(piece: Piece, value: Any) -> Any:
    """Return the weight's gradient as [in, out], also where the layer keeps [out, in]."""
    turned = isinstance(piece, LinearPiece) and piece.turned and np.ndim(value) == 2
    return np.asarray(value).T if turned else value


def _bias_gradient(piece: Piece, value: Any) -> Any:
    """Return the bias's gradient as [out], where the layer keeps its bias as [1, out]."""
    own = getattr(piece, "bias_shape", None)
    return np.reshape(value, -1) if own is not None and own == np.shape(value) else value


def _overwritten(chain: Chain, items: dict[str, Any]) -> dict[str, Any]:
    """Return the ReLU's gradient after its output was changed, as by a layer in place."""
    x = items["x"].copy()
    out = chain.pieces[0].forward(x)  # the very array, where `forward` gives a copy
    if not isinstance(out, np.ndarray) or np.shares_memory(out, x) or not out.flags.writeable:
        return {}
    out[...] = out == 0.0  # whoever reads the gate off it now finds it the other way round
    return chain.backward(items["upstream"].copy())


def _contained(container: Class, chain: Chain, items: dict[str, Any]) -> dict[str, Any]:
    """Return the same layers in the candidate's container; the loss stays outside."""
    pieces = chain.pieces[:-1] if chain.closed else chain.pieces
    layers = [p.layer for p in pieces if isinstance(p, ObjectPiece)]
    if len(layers) != len(pieces):
        return {}
    constructor = container.constructor
    star = constructor is not None and constructor.star and not constructor.parameters
    network = ObjectPiece(container.type(*layers) if star else container.type(layers), container)
    x, last = items["x"].copy(), _last(items)
    out = network.forward(x)
    upstream = last
    if chain.closed:
        chain.pieces[-1].forward(out, last)
        upstream = chain.pieces[-1].backward(None)
    return {"out": out, "dx0": network.backward(upstream)} | chain.parameters()


@dataclass
class StackAnswer:
    """What is sent back, why other arrays are not there, and which passes raised what."""

    items: dict[str, Any]
    layers: tuple[LayerName, ...]
    problems: dict[str, str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def add(self, prefix: str, values: dict[str, Any]) -> None:
        for name, value in values.items():
            self.take(f"{prefix}.{name}" if prefix else name, value)

    def take(self, name: str, value: Any) -> None:
        try:
            self.items[name] = coerce.as_array(value, name)
        except coerce.BadReturn as error:
            self.problems[name] = str(error)[:MESSAGE_CHARS].replace("\n", " ")

    def attempt(self, prefix: str, make: Callable[[], dict[str, Any]]) -> None:
        """Take what `make` gives, or why it raised: the first pass stands all the same."""
        try:
            self.add(prefix, make())
        except RAISED as error:
            self.failures[prefix] = str(describe(error)["error"])[:MESSAGE_CHARS]
