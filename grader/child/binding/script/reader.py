"""What each name in a block of statements stands for, and what it depends on (child's side)."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

from grader.child.binding import names
from grader.child.binding.names import WEIGHTS
from grader.child.binding.script.flow import Block, ScriptStatement, pairs
from grader.source.trees import walk

NEEDED = frozenset(("X", "y", "W1", "W2"))
"""Without these a piece of code is no answer."""

HELD = "params"
"""The role of a dictionary that holds the weights."""

LOSS = "__loss__"
"""The variable of a loss that has no name: `F.cross_entropy(…).backward()`."""

CONVERTING = (
    "detach",
    "numpy",
    "cpu",
    "clone",
    "copy",
    "astype",
    "double",
    "float",
    "requires_grad_",
)
MAKING = ("tensor", "from_numpy", "as_tensor", "array", "asarray")
"""Calls that give the same numbers in another form, as methods and as functions."""

LEAVING = ("numpy", "item", "tolist", "array", "asarray")
"""Calls after which a value is no tensor any more."""


@dataclass(frozen=True, eq=False)
class Reader:
    """One block, with what each name in it depends on."""

    block: Block
    torch: frozenset[str]
    """The names by which the file knows torch."""

    @cached_property
    def roles(self) -> dict[str, str]:
        """Return the names that the block binds and that name one of the contract's arrays.

        What is computed from weights is none, whatever it is called.
        """
        bound = dict.fromkeys(n for s in self.block.steps for n in sorted(s.touches))
        roles = names.data_roles(bound)
        for target, value in (p for s in self.block.statements for p in pairs(s)):
            if isinstance(target, ast.Name) and (role := roles.get(_converted(value))):
                roles.setdefault(target.id, role)
        roles = {n: r for n, r in roles.items() if n in self.block.steps[self.first[n]].binds}
        roles |= dict.fromkeys(self.containers, HELD)
        known: dict[str, frozenset[str]] = {}
        for index, step in enumerate(self.block.steps):
            on = frozenset[str]().union(*(known.get(n, ()) for n in step.reads | step.changes))
            mine = {roles.get(name) for name in step.binds}
            for name in step.touches:
                if self.first[name] == index and (on - mine) & {*WEIGHTS, HELD}:
                    roles.pop(name, None)
                more = frozenset() if name in step.binds else known.get(name, frozenset())
                known[name] = frozenset({roles[name]}) if name in roles else on | more
        return roles

    @cached_property
    def containers(self) -> dict[str, dict[str, str]]:
        """Return the dictionaries that hold the weights, with the key of each weight."""
        made = {
            target.id
            for s in self.block.statements for target, value in pairs(s)
            if isinstance(target, ast.Name) and _is_dict(value)
        }  # fmt: skip
        keys: dict[str, list[str]] = {}
        for node in (n for s in self.block.statements for n in walk(s)):
            if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
                name, key = getattr(node.value, "id", ""), getattr(node.slice, "value", None)
                if name in made and isinstance(key, str):
                    keys.setdefault(name, []).append(key)
        found = {name: names.data_roles(own) for name, own in keys.items()}
        by_role = {n: {role: key for key, role in roles.items()} for n, roles in found.items()}
        return {n: roles for n, roles in by_role.items() if {"W1", "W2"} <= set(roles)}

    @cached_property
    def first(self) -> dict[str, int]:
        """Return where each name is bound first."""
        found: dict[str, int] = {}
        for index, step in enumerate(self.block.steps):
            for name in step.touches:
                found.setdefault(name, index)
        return found

    @cached_property
    def tainted(self) -> list[bool]:
        """Tell of each statement whether it uses torch, or a tensor that torch made."""
        tensors, found = set[str](), list[bool]()
        for step in self.block.steps:
            uses = bool(step.reads & (self.torch | tensors))
            found.append(uses)
            leaves = uses and step.binds and _leaves_torch(step) and step.binds <= set(self.roles)
            if uses and not leaves:
                tensors |= step.touches
            else:
                tensors -= step.binds
        return found

    @cached_property
    def tensors(self) -> frozenset[str]:
        """Return the names of the contract's arrays that are torch's when they are bound first."""
        steps = self.block.steps
        return frozenset(
            n for n in self.roles
            if self.tainted[self.first[n]] and not _leaves_torch(steps[self.first[n]])
        )  # fmt: skip

    @cached_property
    def depends(self) -> list[frozenset[str]]:
        """Return of each statement the contract's arrays that its result depends on."""
        known = {n: frozenset(WEIGHTS if r == HELD else {r}) for n, r in self.roles.items()}
        found = []
        for step in self.block.steps:
            on = frozenset[str]().union(*(known.get(n, ()) for n in step.reads | step.changes))
            found.append(on)
            for name in self.block.changed(step) - set(self.roles):
                known[name] = on if name in step.binds else on | known.get(name, frozenset())
        return found

    def last(
        self, is_wanted: Callable[[str], bool], needed: Iterable[str], *, torch: bool
    ) -> tuple[int, str] | None:
        """Return where the first value of a name that is wanted is complete, and the name."""
        steps = self.block.steps
        for index, step in enumerate(steps):
            if self.tainted[index] != torch or not self.depends[index] >= set(needed):
                continue
            for name in sorted(n for n in step.touches if is_wanted(n)):
                for later in range(index + 1, len(steps)):
                    after = steps[later]
                    if name not in after.touches:
                        continue
                    if name in after.binds - after.reads or self.tainted[later] != torch:
                        break
                    index = later
                return index, name
        return None

    def inputs(
        self, slice_of: Callable[[frozenset[str]], list[int]], usable: Iterable[str],
        needed: Iterable[str] = NEEDED,
    ) -> tuple[str, ...]:  # fmt: skip
        """Return the names that the arrays have where a slice begins; () where it has not all.

        Of several for one array the one that is bound first; the others are computed from it.
        """
        given = frozenset(usable)
        while True:
            indices = slice_of(given)
            read = self.block.reads(indices) & given
            by_role: dict[str, list[str]] = {}
            for name in sorted(read, key=lambda n: self.first[n]):
                by_role.setdefault(self.roles[name], []).append(name)
            others = {n for found in by_role.values() for n in found[1:]}
            if not others:
                break
            given -= others
        held = set(WEIGHTS) if HELD in by_role else set()
        if not {*by_role, *held} >= {*needed} or held & set(by_role):
            return ()
        return tuple(by_role[role][0] for role in (*names.DATA, HELD) if role in by_role)


def last_name(node: ast.AST) -> str:
    """Return `sum` of `np.sum`, `x` of `x`; "" for what has no name."""
    return getattr(node, "attr", getattr(node, "id", ""))


def _is_dict(value: ast.expr) -> bool:
    return isinstance(value, ast.Dict) or (
        isinstance(value, ast.Call) and last_name(value.func) == "dict"
    )


def _converted(value: ast.expr) -> str:
    """Return the variable that an expression gives in another form; "" for none."""
    while isinstance(value, ast.Call):
        method = value.func
        if last_name(method) in MAKING and value.args:
            value = value.args[0]
        elif isinstance(method, ast.Attribute) and method.attr in CONVERTING:
            value = method.value
        else:
            return ""
    return value.id if isinstance(value, ast.Name) else ""


def _leaves_torch(step: ScriptStatement) -> bool:
    """Tell whether a statement makes arrays of tensors."""
    calls = (n for n in walk(step.node) if isinstance(n, ast.Call))
    return any(last_name(call.func) in LEAVING for call in calls)
