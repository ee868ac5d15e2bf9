"""The lines of the reusable layers: the statement that makes an array of theirs."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from grader.checks.layers import layer_run
from grader.checks.view import View
from grader.source.program import (
    Function,
    Program,
    Spot,
    first_name,
    in_order,
    last_name,
    pairs,
    target_name,
)

PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "dW0": ("w", "weight", "weights", "kernel"),
    "db0": ("b", "bias", "biases"),
}


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer as the child named it: its class ("" for a function) and its two methods."""

    name: str
    forward: str
    backward: str


def layers_of(view: View) -> dict[str, Layer]:
    """Find the layers by kind. The names are the child's words, and only lead to lines."""
    found: dict[str, Layer] = {}
    named = (layer_run(view, stack).layers for stack in view.exam.stacks)
    for layer in next((layers for layers in named if layers), ()):
        found[layer.kind] = Layer(layer.name, layer.forward, layer.backward)
    return found


@dataclass(frozen=True, slots=True)
class LayerSite:
    """Where a kind stands in a layer, if not at the statement that makes the wrong array.

    `backward_only`: not in the forward. `falls_back`: at that statement where this finds none.
    """

    statements: Callable[[Function], Iterator[Spot]]
    backward_only: bool = False
    falls_back: bool = False


def layer_spot(program: Program, layer: Layer, site: LayerSite | None, array: str) -> Spot | None:
    """Find the statement of a layer by which an array is wrong; None where it is not found."""
    if site is not None:
        both = (layer.backward,) if site.backward_only else (layer.forward, layer.backward)
        found = [s for n in both for f in _methods(program, layer, n) for s in site.statements(f)]
        if found or not site.falls_back:
            return found[0] if found else None
    forward = array in ("out", "loss")
    for function in _methods(program, layer, layer.forward if forward else layer.backward):
        made = list(_makers(function, array))
        return made[-1] if made else function.spot(function.node)
    return None


def _methods(program: Program, layer: Layer, name: str) -> Iterator[Function]:
    """The method of that class, or of one that it may inherit from; a function without a class."""
    own = [f for f in program.functions if f.name == name and not f.nested]
    yield from (f for f in reversed(own) if f.owner == layer.name)


def _makers(function: Function, array: str) -> Iterator[Spot]:
    """The statements that make an array, in the order of the source."""
    if array in PARAMETERS:
        yield from (function.spot(n) for n in _assigning(function, PARAMETERS[array]))
        return
    for node in in_order(ast.walk(function.node)):
        if isinstance(node, ast.Return) and node.value is not None:
            value = node.value.elts[0] if isinstance(node.value, ast.Tuple) else node.value
            yield function.spot(_maker(function, value, node))


def _maker(function: Function, value: ast.expr, given: ast.Return) -> ast.AST:
    """The last statement before a return that changes the variable returned."""
    if not isinstance(value, ast.Name):
        return given
    made = [
        n for n in _statements(function)
        if n.lineno <= given.lineno and value.id in _changed(n)
    ]  # fmt: skip
    return made[-1] if made else given


def _statements(function: Function) -> Iterator[ast.Assign | ast.AugAssign]:
    for node in in_order(ast.walk(function.node)):
        if isinstance(node, ast.Assign | ast.AugAssign):
            yield node


def _changed(node: ast.Assign | ast.AugAssign) -> set[str]:
    """The variables that an assignment binds or writes into."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    bound = {name for target in targets for name, _ in pairs(target, None)}
    return bound | {first_name(t) for t in targets if isinstance(t, ast.Subscript)}


def _assigning(function: Function, words: tuple[str, ...]) -> Iterator[ast.stmt]:
    """Assignments to what is called the gradient of a weight or of a bias."""
    for node in _statements(function):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        flat = [t for target in targets for t in getattr(target, "elts", [target])]
        if any(_is_gradient(t, words) for t in flat):
            yield node


def _is_gradient(target: ast.expr, words: tuple[str, ...]) -> bool:
    """`self.dW`, `self.grad_b`, `self.grads["W"]`, `W_grad`."""
    name = target_name(target).lower().replace("_", "")
    short = name.removesuffix("gradient").removesuffix("grad")
    for start in ("gradient", "grad", "d"):
        if short == name and short.startswith(start):
            short = short.removeprefix(start)
            break
    within = ast.unparse(target).lower() if isinstance(target, ast.Subscript) else ""
    return short in words and (short != name or "grad" in within)


def writes(function: Function) -> Iterator[Spot]:
    """Statements that write into an argument."""
    own = set(function.parameters)
    for node in in_order(ast.walk(function.node)):
        if isinstance(node, ast.AugAssign) and first_name(node.target) in own:
            yield function.spot(node)
        elif isinstance(node, ast.Assign):
            into = [t for t in node.targets if isinstance(t, ast.Subscript)]
            if any(first_name(t) in own for t in into):
                yield function.spot(node)
        elif isinstance(node, ast.Call):
            outs = [k.value for k in node.keywords if k.arg == "out"]
            if any(first_name(value) in own for value in outs):
                yield function.spot(node)


def shares(function: Function) -> Iterator[Spot]:
    """Statements that keep something on the class, or in the module, for all its objects."""
    outside = {n for node in ast.walk(function.node) if isinstance(node, ast.Global)
               for n in node.names}  # fmt: skip
    for node in _statements(function):
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            base = ast.unparse(target.value) if isinstance(target, ast.Attribute) else ""
            on_class = base in (function.owner, "self.__class__", "type(self)")
            if on_class or (isinstance(target, ast.Name) and target.id in outside):
                yield function.spot(node)


def spoils(function: Function) -> Iterator[Spot]:
    """Statements that write into an array; in a backward, into one that forward kept."""
    for node in _statements(function):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if isinstance(node, ast.AugAssign) or any(isinstance(t, ast.Subscript) for t in targets):
            yield function.spot(node)


def calls(*names: str) -> Callable[[Function], Iterator[Spot]]:
    """Statements that call a function or a method of one of these names."""

    def statements(function: Function) -> Iterator[Spot]:
        for node in in_order(ast.walk(function.node)):
            if isinstance(node, ast.Assign | ast.AugAssign | ast.Return):
                called = (n.func for n in ast.walk(node) if isinstance(n, ast.Call))
                if any(last_name(f) in names for f in called):
                    yield function.spot(node)

    return statements
