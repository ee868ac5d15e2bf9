"""The one language for how an answer is called, and what executes it.

    make:     net = TwoLayerNet(D, H, C)        weights:   W1: net.params["W1"], …
    forward:  loss, grads = net.loss(X, y)      gradients: W1: grads["W1"], …

An adapter is a course's own (`contract:` in a rubric), or written by `writer` for an answer
whose style was found. Its lines see the submission's names and, under the contract's names,
its arrays as `layout` lays them out, the sizes B, D, H and C, and the learning rate `lr`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import CodeType, ModuleType
from typing import Any

import numpy as np

from grader.child import coerce
from grader.child.binding.language import places
from grader.child.binding.language.containers import TOOLS
from grader.child.binding.language.layout import CONTRACT, Layout
from grader.child.binding.names import WEIGHTS

Array = np.ndarray[Any, Any]
Inputs = Mapping[str, Array]

LINES_FILE = "<the course's contract>"
"""What the lines are compiled as; a traceback leaves it out."""

RATE = 1.0
"""The learning rate of a step: the weights change by the gradient itself."""


@dataclass
class RunState:
    """What `forward` leaves for `backward`: every name the lines know by then."""

    space: dict[str, Any]
    inputs: dict[str, Array]


@dataclass(frozen=True)
class Adapter:
    """How one part of a submission is called.

    `stepped` says where the weights stand after a step, in place of `gradients`. `fresh`:
    the calls change the weights, so that each backward begins with a forward of its own.
    `attributes` are those of an object that its backward mentions; None where all may be.
    """

    module: ModuleType
    layout: Layout = CONTRACT
    make: Sequence[str] = ()
    weights: Mapping[str, str] = field(default_factory=dict)
    forward_lines: Sequence[str] = ()
    backward_lines: Sequence[str] = ()
    loss: str = ""
    gradients: Mapping[str, str] = field(default_factory=dict)
    stepped: Mapping[str, str] = field(default_factory=dict)
    tensors: bool = False
    fresh: bool = False
    names: Mapping[str, Any] = field(default_factory=dict)
    attributes: frozenset[str] | None = None

    # ── the contract's functions ─────────────────────────────────────────────

    def forward(self, inputs: Inputs, rate: float = RATE) -> tuple[Any, RunState]:
        """Return the loss (NaN when there is none), and what `backward` needs."""
        given = {n: a.copy() for n, a in inputs.items()} if self.fresh else inputs
        kept = RunState(self.begin(given, rate), dict(inputs))
        self.run(self.forward_lines, kept.space)
        return self.value(self.loss, kept.space) if self.loss else np.nan, kept

    def backward(self, kept: RunState) -> dict[str, Any]:
        """Return the gradients by tensor, laid out as the contract's; None for what is no array."""
        return self.gradients_of(self.forward(kept.inputs)[1] if self.fresh else kept)

    def at_once(self, inputs: Inputs) -> dict[str, Any]:
        """Return the gradients, with no call made twice."""
        return self.gradients_of(self.forward(inputs)[1])

    def torch(self, inputs: Inputs) -> tuple[Any, dict[str, Any]]:
        """(loss, gradients) of the PyTorch part."""
        loss, kept = self.forward(inputs)
        return loss, self.gradients_of(kept)

    def gradients_of(self, kept: RunState) -> dict[str, Any]:
        space = self.finish(kept)
        found = {tensor: self._gradient(tensor, space) for tensor in self.gradients}
        before = self.layout.encode(kept.inputs) if self.stepped else {}
        for tensor, text in self.stepped.items():
            found[tensor] = (before[tensor] - np.asarray(self.value(text, space))) / RATE
        return {t: None if g is None else self.layout.decode(t, g) for t, g in found.items()}

    def finish(self, kept: RunState) -> dict[str, Any]:
        """Return the names after the backward's lines."""
        space = dict(kept.space)
        self._restore(space)
        self.run(self.backward_lines, space)
        return space

    def _gradient(self, tensor: str, space: dict[str, Any]) -> Array | None:
        try:
            value = self.value(self.gradients[tensor], space)
            return coerce.as_array(value, f"the gradient of {tensor}")
        except (coerce.BadReturn, LookupError, AttributeError, TypeError):
            return None

    # ── running the lines ────────────────────────────────────────────────────

    def begin(self, inputs: Inputs, rate: float = RATE) -> dict[str, Any]:
        """Return the names that the forward's lines know, with the weights where they are kept."""
        given = self.layout.encode(inputs)
        if self.tensors:
            given = {name: leaf(name, array, self.layout) for name, array in given.items()}
        space = {**TOOLS, "torch": places.torch_here(), **self.names, **vars(self.module)}
        space |= zip("BD", inputs["X"].shape, strict=True)
        space |= zip("HC", inputs["W2"].shape, strict=True)
        space |= given
        space["lr"] = rate
        self.run(self.make, space)
        for name, target in self.weights.items():
            weight = given[name]
            self._put(target, weight if self.tensors else places.copied(weight), space)
        self._restore(space)
        return space

    def _put(self, target: str, value: Any, space: dict[str, Any]) -> None:
        """Put a value where the submission keeps it; a torch parameter gets its numbers."""
        owner, kind, key = _split(target)
        if not owner:
            space[target] = value
            return
        holder = self.value(owner, space)
        step: Any = key if kind == "attribute" else self.value(key, space)
        if isinstance(holder, tuple):
            self._put(owner, places.replaced(holder, step, value), space)
        else:
            places.put(holder, ((kind, step),), value)

    def _own(self) -> Iterator[str]:
        """Yield the module's variables among the places of the weights."""
        return (target for target in self.weights.values() if target.isidentifier())

    def _restore(self, space: dict[str, Any]) -> None:
        """Weights kept at module level stand there during the calls of their own forward."""
        vars(self.module).update({name: space[name] for name in self._own() if name in space})

    def run(self, lines: Iterable[str], space: dict[str, Any]) -> None:
        """Execute lines; a variable of the module may be another array afterwards."""
        own = tuple(self._own())
        for line in lines:
            exec(compiled(line, "exec"), space)
            if own:
                space.update({name: vars(self.module)[name] for name in own if name in space})

    @staticmethod
    def value(text: str, space: dict[str, Any]) -> Any:
        """Return what an expression is."""
        return eval(compiled(text, "eval"), space)

    # ── about it ─────────────────────────────────────────────────────────────

    @property
    def one_call(self) -> bool:
        """Tell whether the forward's lines give the gradients as well."""
        return not self.backward_lines

    @property
    def lines(self) -> tuple[str, ...]:
        """Return all lines in their order."""
        return (*self.make, *self.forward_lines, *self.backward_lines)

    @property
    def lacking(self) -> tuple[str, ...]:
        """Return what the lines call and the submission does not define."""
        made, needed = _names(self.lines), dict.fromkeys(_called(self.lines))
        known = {**TOOLS, **self.names, **vars(self.module)}
        return tuple(n for n in needed if n not in made and n not in known)

    def shown(self, kept: RunState) -> dict[str, Any]:
        """Return what the backward's lines read of what was made before, as a cache holds it."""
        weights = {id(kept.space[name]) for name in WEIGHTS}
        weights |= {id(self.value(text, kept.space)) for text in self.weights.values()}
        objects, results = _names(self.make), _names(self.forward_lines)
        shown: dict[str, Any] = {}
        for text, root in _read(self.backward_lines):
            if root in results:
                shown[text] = self.value(text, kept.space)
            elif root in objects:
                for place, array in places.walk(kept.space[root]):
                    if id(array) not in weights and self._is_read(place):
                        shown[places.text(place, root)] = array
        return shown

    def _is_read(self, place: places.Place) -> bool:
        """Tell whether the backward mentions an attribute, or it lies inside of another object."""
        return self.attributes is None or len(place) > 1 or place[0][1] in self.attributes

    def contract(self, side: str) -> dict[str, Any]:
        """Return it as a rubric's `contract:` has a side, without its empty entries."""
        part: dict[str, Any] = {"arrays": self.layout.arrays, "make": list(self.make)}
        part["weights"] = dict(self.weights)
        if side == "torch":
            part |= {"tensors": self.tensors, "calls": list(self.forward_lines)}
        else:
            part |= {"forward": list(self.forward_lines), "backward": list(self.backward_lines)}
            part["fresh"] = self.fresh and not self.stepped
        part |= {"loss": self.loss, "gradients": dict(self.gradients)}
        part["stepped"] = dict(self.stepped)
        return {name: value for name, value in part.items() if value}


def course_adapter(contract: Mapping[str, Any], side: str, module: ModuleType) -> Adapter | None:
    """Return what a contract says of one side ("numpy" or "torch"); None when it says nothing."""
    if (part := contract.get(side)) is None:
        return None
    tensors, stepped = part.get("tensors", False), part.get("stepped", {})
    gradients = ({"X": "X.grad"} if tensors else {}) | part.get("gradients", {})
    return Adapter(
        module, Layout(**part["layout"]), part["make"], part.get("weights", {}),
        part.get("forward") or part["calls"], part.get("backward", ()), part.get("loss", ""),
        gradients, stepped, tensors, part.get("fresh", False) or bool(stepped),
    )  # fmt: skip


def leaf(name: str, array: Array, layout: Layout) -> Any:
    """Return an argument as a tensor of its own, of which autograd fills `.grad`; y as indices."""
    import torch

    if name == "y":
        tensor = torch.as_tensor(np.array(array))
        return tensor if layout.labels == "onehot" else tensor.long()
    return torch.tensor(np.array(array), requires_grad=True)


# ── the text of the lines ────────────────────────────────────────────────────


@lru_cache(maxsize=1024)
def compiled(text: str, mode: str) -> CodeType:
    """Return the code of a line ("exec") or an expression ("eval")."""
    return compile(text, LINES_FILE, mode)


@lru_cache(maxsize=256)
def _split(target: str) -> tuple[str, str, str]:
    """(what holds a place, how, under which name or expression); "" for a variable."""
    node = ast.parse(target, mode="eval").body
    if isinstance(node, ast.Attribute):
        return ast.unparse(node.value), "attribute", node.attr
    if isinstance(node, ast.Subscript):
        return ast.unparse(node.value), "index", ast.unparse(node.slice)
    return "", "", ""


def _nodes(lines: Iterable[str]) -> Iterator[ast.AST]:
    return (node for line in lines for node in ast.walk(ast.parse(line)))


def _names(lines: Iterable[str]) -> set[str]:
    """Return the names that lines assign."""
    names = (n for n in _nodes(lines) if isinstance(n, ast.Name))
    return {n.id for n in names if isinstance(n.ctx, ast.Store)}


def _root(node: ast.AST) -> str:
    """Return the name at which an expression begins; "" for none."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _called(lines: Iterable[str]) -> list[str]:
    """Return the names at the root of each call: `TwoLayerNet`, `F` of `F.cross_entropy(…)`."""
    roots = (_root(node.func) for node in _nodes(lines) if isinstance(node, ast.Call))
    return [root for root in roots if root]


def _read(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(expression, name at its root) of what is read, the object of a method among it."""
    inner: set[ast.AST] = set()
    methods: set[ast.AST] = set()
    for node in _nodes(lines):  # the outer ones come first
        if isinstance(node, ast.Call):
            methods.add(node.func)
        elif isinstance(node, ast.Attribute | ast.Subscript | ast.Name):
            if isinstance(node, ast.Attribute | ast.Subscript) and node not in methods:
                inner.add(node.value)
            outer = isinstance(node.ctx, ast.Load) and node not in inner and node not in methods
            if outer and (root := _root(node)):
                yield ast.unparse(node), root
