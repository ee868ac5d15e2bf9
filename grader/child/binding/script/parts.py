"""Which statements of a block are the hand-written answer, and which the PyTorch part.

By the names of what goes in and what comes out, and by what depends on what (child's side).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from grader.child.binding import names
from grader.child.binding.names import TENSORS, WEIGHTS, plain
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


@dataclass(frozen=True)
class Parts:
    """The statements of an answer, by their numbers in the block; `forward` come first.

    `inputs` are the script's own names of the contract's arrays.
    """

    block: Block
    inputs: tuple[str, ...]
    forward: tuple[int, ...]
    backward: tuple[int, ...]
    loss: str
    gradients: Mapping[str, str] = field(default_factory=dict)
    """Gradients by the name under which they are returned (`dW1`, or `grads` for all)."""
    model: str = ""
    """The variable of a model that holds the weights, where nothing else does."""


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


# ── by hand ──────────────────────────────────────────────────────────────────


def by_hand(reader: Reader) -> Parts | None:
    """Return the hand-written part of a block; None where it is none, or needs torch."""
    block = reader.block
    loss = _loss(reader)
    if loss is None:
        return None
    ends = {k: e for k, e in _gradients(reader) if not _needs_torch(reader, e)}
    if len(ends) < 2:
        container = reader.last(_holds_gradients, ("X", "y"), torch=False)
        ends = {"grads": container} if container else {}

    def union(given: frozenset[str]) -> list[int]:
        slices = (block.slice(end, [name], given) for end, name in (loss, *ends.values()))
        return sorted(set().union(*slices))

    inputs = reader.inputs(union, set(reader.roles) - reader.tensors)
    given = frozenset(inputs)
    every, forward = union(given), block.slice(loss[0], [loss[1]], given)
    if not inputs or any(reader.tainted[i] for i in every):
        return None
    if _disturbs(block, forward, [i for i in every if i not in forward]):
        forward = [i for i in every if i <= loss[0]]
    backward = tuple(i for i in every if i not in forward)
    gradients = {key: name for key, (_, name) in ends.items()}
    return Parts(block, inputs, tuple(forward), backward, loss[1], gradients)


# ── by autograd ──────────────────────────────────────────────────────────────


def by_autograd(reader: Reader) -> Parts | None:
    """Return the PyTorch part of a block: up to where autograd goes back; None where it does not.

    It is given the arrays where it makes tensors of them, else the tensors themselves.
    """
    block = reader.block
    for end, step in enumerate(block.steps):
        loss, gradients = _goes_back(step.node)
        if not loss or not reader.tainted[end]:
            continue

        def slice_of(given: frozenset[str], end: int = end) -> list[int]:
            return [*block.slice(end - 1, block.steps[end].reads, given), end]

        arrays = set(reader.roles) - reader.tensors
        inputs = reader.inputs(slice_of, arrays) or reader.inputs(slice_of, reader.roles)
        if inputs:
            forward = tuple(slice_of(frozenset(inputs)))
            return Parts(block, inputs, forward, (), loss, gradients)
        data = reader.inputs(slice_of, reader.roles, needed=("X", "y"))
        forward = tuple(slice_of(frozenset(data)))
        models = sorted(_called(block, forward) & {n for s in block.steps for n in s.binds})
        if data and len(models) == 1:
            inputs = (*(n for n in data if reader.roles[n] not in WEIGHTS), *WEIGHTS)
            return Parts(block, inputs, forward, (), loss, gradients, models[0])
    return None


def _called(block: Block, indices: Iterable[int]) -> set[str]:
    """Return the variables that are called with something that the arrays are in."""
    calls = (n for i in indices for n in walk(block.statements[i]) if isinstance(n, ast.Call))
    return {c.func.id for c in calls if isinstance(c.func, ast.Name) and c.args}


def _goes_back(statement: ast.stmt) -> tuple[str, dict[str, str]]:
    """Return the loss of which autograd is asked for gradients, and the names that they get."""
    call = getattr(statement, "value", None)
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return "", {}
    if call.func.attr == "backward" and isinstance(statement, ast.Expr):
        of = call.func.value
        return of.id if isinstance(of, ast.Name) else LOSS, {}
    target = statement.targets[0] if isinstance(statement, ast.Assign) else None
    if call.func.attr == "grad" and call.args and isinstance(call.args[0], ast.Name):
        parts = target.elts if isinstance(target, ast.Tuple) else [target]
        bound = {n.id: names.gradient_of(n.id)[0] for n in parts if isinstance(n, ast.Name)}
        return call.args[0].id, {f"d{t}": n for n, t in bound.items() if t}
    return "", {}


# ── what both ask ────────────────────────────────────────────────────────────


def _loss(reader: Reader) -> tuple[int, str] | None:
    """Return where the loss is complete, and its name: of `mean = total / N` the latter."""
    found = reader.last(names.is_loss, NEEDED, torch=False)
    steps = reader.block.steps
    while found is not None:
        end, name = found
        later = (
            (index, other)
            for index in range(end + 1, len(steps)) if not reader.tainted[index]
            for other in steps[index].binds
            if names.is_loss(other) and other != name and _goes_on(steps[index], name)
        )  # fmt: skip
        if (more := next(later, None)) is None:
            return found
        found = more
    return None


def _goes_on(step: ScriptStatement, name: str) -> bool:
    """Tell whether a statement makes a loss of another: its mean, a part of it, or a sum."""
    value = step.node.value if isinstance(step.node, ast.Assign) else None
    if isinstance(value, ast.Call):
        value = next(iter(value.args), value.func)
        value = value.value if isinstance(value, ast.Attribute) else value
    parts = [value.left, value.right] if isinstance(value, ast.BinOp) else [value]
    parts += [p.operand for p in parts if isinstance(p, ast.UnaryOp)]
    return any(isinstance(p, ast.Name) and p.id == name for p in parts)


def _needs_torch(reader: Reader, end: tuple[int, str]) -> bool:
    given = frozenset(set(reader.roles) - reader.tensors)
    return any(reader.tainted[i] for i in reader.block.slice(end[0], [end[1]], given))


def _gradients(reader: Reader) -> Iterator[tuple[str, tuple[int, str]]]:
    zero = names.from_zero(n for s in reader.block.steps for n in s.touches)
    for tensor in TENSORS:

        def says(name: str, tensor: str = tensor) -> bool:
            return names.gradient_of(name, zero=zero) == (tensor, True)

        if (end := reader.last(says, ("X", "y"), torch=False)) is not None:
            yield f"d{tensor}", end


def _holds_gradients(name: str) -> bool:
    return "grads" in names.PASSED_ROLES.get(plain(name), ())


def _disturbs(block: Block, first: Iterable[int], then: Iterable[int]) -> bool:
    """Tell whether statements that are moved behind others would find other values."""
    late = [(i, block.steps[i]) for i in first]
    for index in then:
        step = block.steps[index]
        uses = step.reads | block.changed(step)
        if any(i > index and block.changed(s) & uses for i, s in late):
            return True
    return False
