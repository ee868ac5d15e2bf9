"""A part that the course describes: its skeleton's own calls, so that nothing is searched for.

    make:     net = TwoLayerNet(D, H, C)        weights:   W1: net.params["W1"], …
    forward:  loss, grads = net.loss(X, y)      gradients: W1: grads["W1"], …

The lines are the rubric author's, and were examined before they were sent here: assignments
and calls, nothing else. They see the submission's names and, under the contract's names, its
arrays as the course lays them out, and the sizes B, D, H and C.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import CodeType, ModuleType
from typing import Any

import numpy as np

from grader.child import coerce
from grader.child.binding import places
from grader.child.binding.flow import consistent, same
from grader.child.binding.layout import Layout
from grader.child.binding.names import TENSORS, WEIGHTS
from grader.child.binding.tensors import as_array_or_none, leaf
from grader.child.binding.trial import RAISED, renamed, small_case

Array = np.ndarray[Any, Any]
Inputs = Mapping[str, Array]

LINES_FILE = "<the course's contract>"
"""What the lines are compiled as; a traceback leaves it out."""

NOT_RIGHT = "the loss changes with the numbers of the classes, or a gradient has another shape"


@dataclass
class Kept:
    """What `forward` leaves for `backward`: every name the lines know by then."""

    space: dict[str, Any]
    inputs: dict[str, Array]


@dataclass(frozen=True)
class Described:
    """One part as the course's contract describes it, on one submission's module."""

    module: ModuleType
    layout: Layout
    make: tuple[str, ...]
    weights: Mapping[str, str]
    forward_lines: tuple[str, ...]
    backward_lines: tuple[str, ...]
    loss: str
    gradients: Mapping[str, str]
    tensors: bool

    # ── the contract's functions ─────────────────────────────────────────────

    def forward(self, inputs: Inputs) -> tuple[Any, Kept]:
        """The loss (NaN when the contract has none), and what `backward` needs."""
        kept = Kept(self._begin(inputs), dict(inputs))
        self._run(self.forward_lines, kept.space)
        return self._value(self.loss, kept.space) if self.loss else np.nan, kept

    def backward(self, kept: Kept) -> dict[str, Any]:
        """The gradients by tensor, as the contract lays them out."""
        space = dict(kept.space)
        self._restore(space)
        self._run(self.backward_lines, space)
        found: dict[str, Any] = {}
        for tensor, text in self.gradients.items():
            value = self._value(text, space)
            if self.tensors or places.is_tensor(value):
                value = as_array_or_none(value)
            elif value is not None:
                value = coerce.as_array(value, f"the gradient of {tensor}")
            found[tensor] = None if value is None else self.layout.decode(tensor, value)
        return found

    def at_once(self, inputs: Inputs) -> dict[str, Any]:
        """The gradients, with no call made twice."""
        return self.backward(self.forward(inputs)[1])

    def torch(self, inputs: Inputs) -> tuple[Any, dict[str, Any]]:
        """(loss, gradients) of the PyTorch part."""
        loss, kept = self.forward(inputs)
        return loss, self.backward(kept)

    # ── running the lines ────────────────────────────────────────────────────

    def _begin(self, inputs: Inputs) -> dict[str, Any]:
        sizes = dict(zip("BD", inputs["X"].shape, strict=True))
        sizes |= dict(zip("HC", inputs["W2"].shape, strict=True))
        given = self.layout.encode(inputs)
        if self.tensors:
            given = {name: leaf(name, array, self.layout) for name, array in given.items()}
        space = vars(self.module) | sizes | given
        self._run(self.make, space)
        for name, target in self.weights.items():
            self._put(target, given[name], space)
        return space

    def _put(self, target: str, weight: Any, space: dict[str, Any]) -> None:
        """Put a weight where the skeleton keeps it; a torch parameter gets its numbers."""
        try:
            before = self._value(target, space)
        except (AttributeError, LookupError, NameError):
            before = None
        if places.is_tensor(before):
            import torch

            before.grad = None
            before.data = torch.as_tensor(places.copied(weight))
            return
        space["_weight"] = weight if self.tensors else places.copied(weight)
        self._run((f"{target} = _weight",), space)
        self._restore(space)

    def _restore(self, space: dict[str, Any]) -> None:
        """Weights kept at module level stand there during the calls of their own forward."""
        own = [t for t in self.weights.values() if t.isidentifier()]
        vars(self.module).update({name: space[name] for name in own if name in space})

    @staticmethod
    def _run(lines: Iterable[str], space: dict[str, Any]) -> None:
        for line in lines:
            exec(_compiled(line, "exec"), space)

    @staticmethod
    def _value(text: str, space: dict[str, Any]) -> Any:
        return eval(_compiled(text, "eval"), space)

    # ── about it ─────────────────────────────────────────────────────────────

    @property
    def one_call(self) -> bool:
        return not self.backward_lines

    @property
    def replays(self) -> bool:
        return False

    @property
    def lines(self) -> tuple[str, ...]:
        return (*self.make, *self.forward_lines, *self.backward_lines)

    @property
    def sentence(self) -> str:
        """`as the course's contract has it: loss, grads = net.loss(X, y)`."""
        return "as the course's contract has it: " + "; ".join(self.lines)

    @property
    def lacking(self) -> tuple[str, ...]:
        """What the lines call and the submission does not define."""
        made, needed = _made(self.lines), dict.fromkeys(_called(self.lines))
        known = vars(self.module)
        return tuple(n for n in needed if n not in made and n not in known)

    def shown(self, kept: Kept) -> dict[str, Any]:
        """What the forward's lines made and backward's read: the arrays that a cache would hold."""
        if self.one_call:
            return {}
        weights = {id(kept.space[name]) for name in WEIGHTS}
        weights |= {id(self._value(text, kept.space)) for text in self.weights.values()}
        shown: dict[str, Any] = {}
        for name in _made((*self.make, *self.forward_lines)) & _read(self.backward_lines):
            for place, array in places.walk(kept.space[name]):
                if id(array) not in weights:
                    shown[places.text(place, name)] = array
        return shown

    def unfit(self) -> str:
        """Why it does not run on the small case, or gives nothing of use there; "" if it does."""
        case = small_case()
        try:
            answer, other = self._numbers(case), self._numbers(renamed(case))
        except RAISED as error:
            first = (str(error).splitlines() or [""])[0]
            return f"{type(error).__name__}: {first}"[:200]
        missing = [name for name in WEIGHTS if name not in answer]
        if missing:
            return f"no gradient of {', '.join(missing)} arrives"
        name = "loss" if self.loss else "W1"
        steady = same({name: answer[name]}, {name: other[name]}, within=1e-5)
        return "" if steady and consistent(answer, case) else NOT_RIGHT

    def _numbers(self, case: Inputs) -> dict[str, Array]:
        loss, kept = self.forward({n: a.copy() for n, a in case.items()})
        found = {t: g for t, g in self.backward(kept).items() if g is not None}
        number = as_array_or_none(loss)
        return found if number is None else found | {"loss": number}


def described(contract: Mapping[str, Any], side: str, module: ModuleType) -> Described | None:
    """What a contract says of one side ("numpy" or "torch"); None when it says nothing."""
    part = contract.get(side)
    if part is None:
        return None
    gradients = dict(part["gradients"])
    if part["tensors"] and "X" not in gradients:
        gradients["X"] = "X.grad"
    return Described(
        module, Layout(**part["layout"]), tuple(part["make"]), part["weights"],
        tuple(part["forward"]), tuple(part["backward"]), part["loss"],
        {t: gradients[t] for t in TENSORS if t in gradients}, part["tensors"],
    )  # fmt: skip


def _compiled(text: str, mode: str) -> CodeType:
    return compile(text, LINES_FILE, mode)


def _names(lines: Iterable[str], kind: type[ast.expr_context]) -> set[str]:
    nodes = (node for line in lines for node in ast.walk(ast.parse(line)))
    return {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, kind)}


def _made(lines: Iterable[str]) -> set[str]:
    return _names(lines, ast.Store)


def _read(lines: Iterable[str]) -> set[str]:
    return _names(lines, ast.Load)


def _called(lines: Iterable[str]) -> list[str]:
    """The names at the root of each call: `TwoLayerNet`, `F` of `F.cross_entropy(…)`."""
    found = []
    for node in (n for line in lines for n in ast.walk(ast.parse(line))):
        if isinstance(node, ast.Call):
            root: ast.expr = node.func
            while isinstance(root, ast.Attribute | ast.Subscript):
                root = root.value
            if isinstance(root, ast.Name):
                found.append(root.id)
    return found
