"""Style: functions that read the weights from module level, as notebooks do.

    W1 = np.random.randn(D, H); …
    def forward(X): return …          def backward(X, y): …

The module's variables are given the weights anew before each call, so that every forward and
its backward see the same ones, whatever was called in between.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.child.binding import names, places
from grader.child.binding.environment import Environment
from grader.child.binding.flow import Flow
from grader.child.binding.source import Function, Source
from grader.source.trees import walk


@dataclass(frozen=True)
class VariablesOwner:
    """The module, whose variables hold the weights. `roles` says which variable is what."""

    space: dict[str, Any]
    roles: Mapping[str, str]

    @property
    def title(self) -> str:
        return f"functions on the variables {', '.join(self.roles)}"

    def begin(self, environment: Environment) -> Any:
        """The values of the variables during the calls of one forward and its backward."""
        return {name: environment.given[role] for name, role in self.roles.items()}

    def target(self, subject: Any, function: Function) -> Callable[..., Any]:
        def called(*positional: Any, **keyword: Any) -> Any:
            self.space.update(subject)
            try:
                return function.call(*positional, **keyword)
            finally:  # `W1 -= lr * dW1` under a `global` leaves another array
                subject.update({name: self.space[name] for name in subject})

        return called

    def state(self, subject: Any) -> Any:
        return None

    def weights(self, subject: Any) -> dict[str, Any]:
        return {role: subject[name] for name, role in self.roles.items() if role in names.WEIGHTS}

    def kept(self, subject: Any, backwards: Sequence[Function]) -> Iterator[places.Entry]:
        return iter(())


def owner_of(source: Source) -> VariablesOwner | None:
    """The module's variables, when both weights are among them."""
    space = vars(source.module)
    arrays = [n for n, v in space.items() if places.is_array(v) and not n.startswith("_")]
    roles: dict[str, str] = {}
    for name, role in names.data_roles(arrays).items():
        if role not in roles.values():
            roles[name] = role
    return VariablesOwner(space, roles) if {"W1", "W2"} <= set(roles.values()) else None


def readers(source: Source, owner: VariablesOwner, *, torch: bool) -> list[Function]:
    """The functions that read a weight from module level."""
    weights = {n for n, r in owner.roles.items() if r in ("W1", "W2")}
    return [
        f
        for f in source.functions
        if f.torch == torch and "aside" not in f.kinds and _free_names(f) & weights
    ]


def _free_names(function: Function) -> set[str]:
    nodes = walk(function.node) if function.node else ()
    return {n.id for n in nodes if isinstance(n, ast.Name)} - set(function.names)


def flows(source: Source, *, torch: bool, fixed: Mapping[str, str]) -> Iterator[Flow]:
    """A forward and a backward among the functions that read the weights, or one that is both."""
    owner = owner_of(source)
    if owner is None:
        return
    reading = readers(source, owner, torch=torch)
    usable = [f for f in source.functions if f.torch == torch and "aside" not in f.kinds]
    losses = [f for f in usable if "loss" in f.kinds and f not in reading]
    backwards = [f for f in usable if "backward" in f.kinds and f in reading]
    backwards += [f for f in usable if "backward" in f.kinds and f not in reading]
    for forward in (f for f in reading if f.kinds & {"forward", "loss"} or not f.kinds):
        if fixed.get("forward", forward.name) != forward.name:
            continue
        for backward in backwards:
            for loss in losses:
                yield Flow(owner, (forward, loss, backward), 2)
            yield Flow(owner, (forward, backward), 1)
    for one in (f for f in reading if f.kinds & {"both", "loss", "train"}):
        yield Flow(owner, (one,), 1)
