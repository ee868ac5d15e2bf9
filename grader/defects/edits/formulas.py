"""Edits that bring in a tensor by the name that it has in scope: ` / B`, ` * (Z1 > 0)`, ` + b1`."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from grader.defects.edits.blame import Blame
from grader.records import TENSORS
from grader.source.edits import Edit

DERIVED = ("X", "P", "H1", "Z1", "dH1", "dZ1", "dZ2", "Z2", "W1", "W2", "y")


def divide_by_B(b: Blame) -> Iterator[Edit]:
    """Divide by B, or replace another divisor by it."""
    for site in b.sites:
        node = site.node
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            for size in b.scope(site).size():
                start, end = b.text.span(node.right)
                if b.source(node.right) != size:
                    yield Edit(start, end, size)
    for statement in b.statements:
        if isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Div):
            for size in b.scope(statement).size():
                start, end = b.text.span(statement.value)
                if b.source(statement.value) != size:
                    yield Edit(start, end, size)
    for site in b.suspects:
        for size in b.scope(site).size():
            yield b.text.replaced(site, f"{b.operand(site.node)} / {size}")
    yield from _divided_after(b)


def _divided_after(b: Blame) -> Iterator[Edit]:
    """A statement of its own that divides what the one before it has made."""
    for statement in b.statements:
        target = _target(statement)
        if target is not None:
            for size in b.scope(statement).size():
                yield b.text.followed(statement, f"{target} = {target} / {size}")


def _target(statement: ast.stmt) -> str | None:
    """The variable that a statement makes or changes."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AugAssign(target=ast.Name(id=name)):
            return name
        case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name))]):
            return name
        case ast.AugAssign(target=ast.Subscript(value=ast.Name(id=name))):
            return name
    return None


def apply_gate(b: Blame) -> Iterator[Edit]:
    """Let pass only where Z1 is positive."""
    for site in b.suspects:
        gates = _gates(b, site.statement)
        if isinstance(site.node, ast.BinOp) and isinstance(site.node.op, ast.Mult):
            for side in (site.node.right, site.node.left):
                start, end = b.text.span(side)
                around = b.text.data[:start].rstrip()[-1:] + b.text.data[end:].lstrip()[:1]
                yield from (
                    Edit(start, end, gate.strip("()") if around == b"()" else gate)
                    for gate in gates
                )
    for site in b.sites:
        if isinstance(site.node, ast.Compare):
            yield from (b.text.replaced(site, g.strip("()")) for g in _gates(b, site.statement))
    for site in b.suspects:
        for gate in _gates(b, site.statement):
            yield b.text.replaced(site, f"{b.operand(site.node)} * {gate}")
        for d in b.scope(site).texts("dH1")[:2]:
            for gate in _gates(b, site.statement)[:2]:
                yield b.text.replaced(site, f"{d} * {gate}")
    for statement in b.statements:
        target = _target(statement)
        if target is not None:
            for gate in _gates(b, statement):
                yield b.text.followed(statement, f"{target} = {target} * {gate}")


def _gates(b: Blame, statement: ast.stmt) -> list[str]:
    scope = b.scope(statement)
    return [*scope.texts("mask")[:1], *(f"({z} > 0)" for z in scope.texts("Z1"))][:4]


def add_bias(b: Blame) -> Iterator[Edit]:
    """Add a bias."""
    products = ("X @ W1", "H1 @ W2")
    for site in sorted(b.sites, key=lambda site: b.scopes.base(site) not in products):
        if not isinstance(site.node, ast.Name | ast.Attribute):
            for bias in b.scope(site).texts("b1", "b2"):
                yield b.text.replaced(site, f"{b.source(site.node)} + {bias}")


def activate(b: Blame) -> Iterator[Edit]:
    """Put the ReLU in the place of nothing or of another activation."""
    relu = f"{b.numpy}.relu({{}})" if b.torch else f"{b.numpy}.maximum({{}}, 0)"
    for site in b.suspects:
        for z in b.scope(site).by_role.get("Z1", ()):
            yield b.text.replaced(site, relu.format(z))
    for site in b.suspects:
        for inner in ast.walk(site.node):
            inside = inner is not site.node and isinstance(
                inner, ast.Name | ast.BinOp | ast.Attribute
            )
            if inside and b.source(inner) not in b.text.modules:
                yield b.text.replaced(site, relu.format(b.source(inner)))
    for site in b.sites:
        yield b.text.replaced(site, relu.format(b.source(site.node)))


def shift_by_max(b: Blame) -> Iterator[Edit]:
    """Take off the maximum of each row."""
    for site in b.sites:
        z = b.operand(site.node)
        axis = "dim" if b.torch else "axis"
        yield b.text.replaced(site, f"{z} - {z}.max({axis}=1, keepdims=True)")


def subtract_labels(b: Blame) -> Iterator[Edit]:
    """Subtract the labels from the probabilities."""
    for site in b.suspects + [s for s in b.sites if s not in b.suspects]:
        scope = b.scope(site)
        for y in scope.texts("y"):
            columns = [f"{b.numpy}.arange({p}.shape[1])" for p in scope.texts("P")]
            made = [f"({y}[:, None] == {c})" for c in columns]  # keeps float32, as np.eye does not
            for hot in [*scope.by_role.get("onehot", ()), *made]:
                yield b.text.replaced(site, f"{b.operand(site.node)} - {hot}")
    for statement in b.statements:
        target, scope = _target(statement), b.scope(statement)
        if target is not None:
            for y in scope.texts("y"):
                rows = f"{b.numpy}.arange(len({y}))"
                yield b.text.followed(statement, f"{target}[{rows}, {y}] -= 1")
                yield b.text.followed(statement, f"{target}[{y}] -= 1")


def pick_labels(b: Blame) -> Iterator[Edit]:
    """Pick the entry of each row at its label."""
    for site in b.sites:
        if isinstance(site.node, ast.Subscript):
            for y in b.scope(site).texts("y"):
                rows = f"{b.numpy}.arange(len({y}))"
                yield b.text.replaced(site, f"{b.operand(site.node.value)}[{rows}, {y}]")
    for site in b.sites:
        for y in b.scope(site).texts("y")[:2]:
            rows = f"{b.numpy}.arange(len({y}))"
            yield b.text.replaced(site, f"{b.operand(site.node)}[{rows}, {y}]")


def use_log_softmax(b: Blame) -> Iterator[Edit]:
    """Take the log of the true class's probability from the logits."""
    for site in b.sites:
        scope = b.scope(site)
        for y in scope.texts("y")[:2]:
            rows = f"{b.numpy}.arange(len({y})), {y}"
            for logs in scope.by_role.get("logP", ()):
                yield b.text.replaced(site, f"{logs}[{rows}]")
            for z in (*scope.by_role.get("Z2 - max", ()), *scope.by_role.get("Z2", ())):
                total = f"{b.numpy}.logaddexp.reduce({z}, axis=1)"
                yield b.text.replaced(site, f"({z}[{rows}] - {total})")
                yield b.text.replaced(site, f"({z} - {total}[:, None])")


def return_gradient(b: Blame) -> Iterator[Edit]:
    """Return a gradient that is missing among those returned."""
    for site in b.sites:
        if not isinstance(site.node, ast.Dict):
            continue
        keys = [k.value for k in site.node.keys if isinstance(k, ast.Constant)]
        _, end = b.text.span(site.node)
        comma = "" if b.text.data[: end - 1].rstrip()[-1:] in (b",", b"{") else ", "
        for tensor in (t for t in TENSORS if t not in keys and "W1" in (*keys, t)):
            for text in b.scope(site).texts(f"d{tensor}"):
                yield Edit(end - 1, end - 1, f'{comma}"{tensor}": {text}')
        for key, value in zip(site.node.keys, site.node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(value, ast.Constant):
                for text in b.scope(site).texts(f"d{key.value!s}"):
                    yield Edit(*b.text.span(value), text)


def read_class_count(b: Blame) -> Iterator[Edit]:
    """Read C off a tensor, not off the labels."""
    for site in b.sites:
        for text in b.scope(site).texts("P", "W2", "Z2", "b2", "dZ2"):
            yield b.text.replaced(site, f"{text}.shape[-1]")


def swap_in(*roles: str) -> Callable[[Blame], Iterator[Edit]]:
    """Yield the operator that puts a tensor of one of the roles in an operand's place."""

    def operands(b: Blame) -> Iterator[Edit]:
        for role in roles:
            for site in reversed(b.sites):
                if isinstance(site.node, ast.Name | ast.Attribute | ast.Subscript):
                    for text in b.scope(site).texts(role):
                        if text != b.source(site.node):
                            yield b.text.replaced(site, text)

    return operands


def exchange(b: Blame) -> Iterator[Edit]:
    """Replace an operand by another of its shape, or by one of the likely tensors."""
    for site in reversed(b.sites):
        if isinstance(site.node, ast.Name | ast.Attribute | ast.Subscript):
            scope = b.scope(site)
            for text in [*scope.alike(b.source(site.node)), *scope.texts(*DERIVED)]:
                if text != b.source(site.node):
                    yield b.text.replaced(site, text)


def write(formula: str, *roles: str) -> Callable[[Blame], Iterator[Edit]]:
    """Return the operator that writes a formula for an operand; `{0}` is the first role's name."""

    def rewritten(b: Blame) -> Iterator[Edit]:
        for site in b.sites:
            found = [b.scope(site).by_role.get(role, ())[:1] for role in roles]
            if all(found) and isinstance(site.node, ast.Name | ast.Attribute | ast.Subscript):
                names = [texts[0] for texts in found]
                yield b.text.replaced(site, formula.format(*names, np=b.numpy))

    return rewritten
