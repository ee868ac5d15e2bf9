"""Runs the statements of an answer in their module, on arrays of ours (child's side)."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from types import CodeType, ModuleType
from typing import Any

from grader.child.binding.language import places
from grader.child.binding.names import WEIGHTS
from grader.child.binding.script.parts import Parts
from grader.child.binding.script.reader import LOSS
from grader.child.binding.script.sizes import Sizes
from grader.child.definitions import Weave

PIN = "__pin__"
"""The name of what puts inputs back after a statement that makes them as well as others."""

NEAR = 1e-5
"""How far a leaf's numbers may be from an input's: single precision rounds by 1e-7."""


@dataclass(frozen=True, eq=False)
class Script:
    """An answer written straight down, called as the contract's functions are."""

    module: ModuleType
    path: str
    parts: Parts
    sizes: Sizes
    weave: Weave
    leaves: Mapping[str, str] = field(default_factory=dict)
    """Tensor → the expression of what autograd fills the gradient of."""

    def forward(self, *arrays: Any) -> tuple[Any, dict[str, Any]]:
        """Return the loss, and what the statements of the backward pass read."""
        pinned = self._pinned(arrays)
        with self._names(pinned) as space:
            exec(self._forward, space)
            kept = {n: pinned.get(n, space.get(n)) for n in self._kept if n in space}
            return space[self.parts.loss], kept

    def backward(self, cache: dict[str, Any]) -> dict[str, Any]:
        """Return the gradients. The cache stays as it is, whatever the statements change."""
        kept = _copied(cache)
        with self._names(kept) as space:
            exec(self._backward, space)
            return {key: space[name] for key, name in self.parts.gradients.items()}

    def autograd(self, *arrays: Any) -> tuple[Any, dict[str, Any]]:
        """Return loss and gradients of a PyTorch part."""
        with self._names(self._pinned(arrays)) as space:
            exec(self._forward, space)
            found = {key: space[name] for key, name in self.parts.gradients.items()}
            for tensor, text in self.leaves.items():
                found[f"d{tensor}"] = eval(text, space)
            return space[self.parts.loss], found

    def filled(self, *arrays: Any) -> dict[str, str]:
        """Return for each tensor the expression of the leaf of which autograd fills `.grad`."""
        pinned = self._pinned(arrays)
        with self._names(pinned) as space:
            exec(self._forward, space)
            given = {self.sizes.roles.get(n, n): pinned[n] for n in self.parts.inputs}
            return dict(_leaves(space, given))

    # ── the surroundings ─────────────────────────────────────────────────────

    def _pinned(self, arrays: Iterable[Any]) -> dict[str, Any]:
        """Return what inputs and sizes are, whatever the script makes of them itself."""
        inputs = dict(zip(self.parts.inputs, map(_own, arrays), strict=True))
        return {**inputs, **self.sizes.of(inputs)}

    @contextmanager
    def _names(self, pinned: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Give the module's names, with those that are `pinned`; leave them as they were."""
        space, before = vars(self.module), dict(vars(self.module))
        space.update(pinned)
        space[PIN] = lambda: self._put_back(space, pinned)
        try:
            yield space
        finally:
            for name in [n for n in space if n not in before]:
                del space[name]
            space.update(before)

    def _put_back(self, space: dict[str, Any], pinned: Mapping[str, Any]) -> None:
        """Give inputs and sizes their values again, and a model the weights."""
        space.update(pinned)
        if hasattr(space.get(self.parts.model), "parameters"):
            _fill(space[self.parts.model], pinned)

    # ── the code ─────────────────────────────────────────────────────────────

    @cached_property
    def _forward(self) -> CodeType:
        return self._code(self.parts.forward)

    @cached_property
    def _backward(self) -> CodeType:
        return self._code(self.parts.backward)

    @cached_property
    def _kept(self) -> frozenset[str]:
        """Return what the backward pass reads of what the forward pass made or was given."""
        block, pinned = self.parts.block, {*self.parts.inputs, *self.sizes.names}
        made = pinned.union(*(block.steps[i].touches for i in self.parts.forward))
        read = {*block.reads(self.parts.backward), *self.parts.gradients.values()}
        return frozenset(made & (read | {*self.sizes.names}))

    def _code(self, indices: Iterable[int]) -> CodeType:
        steps = [self.parts.block.steps[i] for i in indices]
        pinned = {*self.parts.inputs, *self.sizes.names}
        body: list[ast.stmt] = []
        for step in steps:
            if not step.binds or not step.binds <= pinned:
                body += self.sizes.replaced(_with_loss(step.node, self.parts.loss))
            if step.touches & {*pinned, self.parts.model}:
                call = ast.Expr(ast.Call(ast.Name(PIN, ast.Load()), [], []))
                body.append(ast.fix_missing_locations(ast.copy_location(call, step.node)))
        return self.weave(ast.Module(body, []), self.path)


def _fill(model: Any, pinned: Mapping[str, Any]) -> None:
    """Give the layers of a model the weights, as `nn.Linear` has them."""
    import torch

    tensors = [pinned[n] for n in WEIGHTS]
    own = list(model.parameters())
    if [p.dim() for p in own] != [2, 1, 2, 1]:
        return
    for parameter, given in zip(own, tensors, strict=True):
        numbers = places.copied(given).T.copy()
        dtype = given.dtype if places.is_tensor(given) else parameter.dtype
        parameter.data = torch.as_tensor(numbers, dtype=dtype)


def _with_loss(statement: ast.stmt, loss: str) -> list[ast.stmt]:
    """Return `f(…).backward()` with a name for what it is called of; others as they are."""
    call = getattr(statement, "value", None)
    func = getattr(call, "func", None)
    if loss != LOSS or not isinstance(func, ast.Attribute) or func.attr != "backward":
        return [copy.deepcopy(statement)]
    assert isinstance(call, ast.Call)
    name = ast.copy_location(ast.Name(LOSS, ast.Store()), func.value)
    kept = ast.copy_location(ast.Assign([name], copy.deepcopy(func.value)), statement)
    read = ast.copy_location(ast.Name(LOSS, ast.Load()), func.value)
    method = ast.copy_location(ast.Attribute(read, "backward", ast.Load()), func)
    again = ast.copy_location(ast.Call(method, call.args, call.keywords), call)
    return [kept, ast.copy_location(ast.Expr(again), statement)]


def _own(array: Any) -> Any:
    """Return an array of its own: a script may change what it is given. A tensor as it is."""
    return array if places.is_tensor(array) else copy.deepcopy(array)


def _copied(cache: dict[str, Any]) -> dict[str, Any]:
    try:
        return copy.deepcopy(cache)
    except Exception:  # whatever an object of the candidate's does when it is copied
        return dict(cache)


def _leaves(space: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (tensor, expression of its gradient) of the leaves that hold the inputs' numbers."""
    left = {t: places.copied(array) for t, array in given.items() if t != "y"}
    for text, leaf in _tensors(space):
        if not leaf.is_leaf or leaf.grad is None:
            continue
        numbers = places.copied(leaf)
        for tensor, want in list(left.items()):
            form = "" if _equal(numbers, want) else ".T"
            if form == "" or _equal(numbers, want.T):
                del left[tensor]
                yield tensor, f"{text}.grad{form}"


def _tensors(space: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield (expression, tensor) of variables, and of the parameters of models."""
    for name, value in space.items():
        if places.is_tensor(value):
            yield name, value
    for name, value in space.items():
        if hasattr(value, "named_parameters") and not isinstance(value, type):
            for inner, parameter in value.named_parameters():
                yield f"dict({name}.named_parameters())[{inner!r}]", parameter


def _equal(one: Any, other: Any) -> bool:
    one, other = one.squeeze(), other.squeeze()
    return one.shape == other.shape and bool((abs(one - other) <= NEAR).all())
