"""Which statements of a block are the hand-written answer, and which the PyTorch part.

By the names of what goes in and what comes out, and by what depends on what (child's side).
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from grader.child.binding import names
from grader.child.binding.names import TENSORS, WEIGHTS, plain
from grader.child.binding.script.flow import Block, ScriptStatement
from grader.child.binding.script.reader import LOSS, NEEDED, Reader
from grader.source.trees import walk


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
