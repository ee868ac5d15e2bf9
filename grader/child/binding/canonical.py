"""Whether a function is the contract's own, as far as its signature and returns show.

Then it is called directly, and nothing is tried: what it does wrong is its own mistake.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from types import FunctionType
from typing import Any

from grader.child.binding import names
from grader.child.binding.source import Callee, assigned
from grader.source.cells import Parser

ARGUMENTS = ("X", "y", "W1", "b1", "W2", "b2")
TAKES = {
    "forward": ARGUMENTS,
    "backward": ("cache",),
    "torch_forward_backward": ARGUMENTS,
    "verify": ARGUMENTS,
}
PAIRS = ("forward", "torch_forward_backward")


def own_definition(
    value: FunctionType, files: Mapping[str, bytes], parser: Parser
) -> ast.FunctionDef | None:
    """Return the definition of a function at module level; None where its file shows none."""
    code = value.__code__
    try:
        tree = parser.tree(files.get(code.co_filename, b""), code.co_filename)
    except (SyntaxError, ValueError, RecursionError):
        return None
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == code.co_name:
            lines = [node.lineno, *(decorator.lineno for decorator in node.decorator_list)]
            if min(lines) == code.co_firstlineno:
                return node
    return None


def takes_arguments(value: Any, name: str) -> bool:
    """Tell whether the contract's positional arguments fit, none of them under another's name."""
    wanted = TAKES[name]
    try:
        signature = inspect.signature(value)
        signature.bind(*wanted)
    except (TypeError, ValueError):
        return not inspect.isroutine(value) and not inspect.isclass(value)
    own = [
        p.name
        for p in signature.parameters.values()
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    if name == "backward":
        return len(own) != 1 or names.data_roles(own).get(own[0]) != "X"
    roles = names.data_roles(own)
    strange = sum(n not in roles for n in own)
    return all(
        roles.get(n, role) == role or strange >= 3 for n, role in zip(own, wanted, strict=False)
    )


def returns_so(function: Callee, name: str) -> bool:
    """Tell whether no `return` says plainly that something else comes back."""
    return not any(_is_other(node, name, function) for node in function.returned_nodes)


def _is_other(node: ast.expr | None, name: str, function: Callee) -> bool:
    if name == "backward":
        return _is_sequence(node, function)
    if name not in PAIRS:
        return False
    if isinstance(node, ast.Dict):
        return True
    if not isinstance(node, ast.Tuple | ast.List) or any(
        isinstance(part, ast.Starred) for part in node.elts
    ):
        return False
    if len(node.elts) != 2:
        return True
    first, second = node.elts
    label = first.id if isinstance(first, ast.Name) else ""
    roles = names.PASSED_ROLES.get(names.plain(label), ())
    no_loss = bool({"P", "Z2", "H1", "cache"} & set(roles)) and "loss" not in roles
    return no_loss or (name != "forward" and _is_sequence(second, function))


def _is_sequence(node: ast.expr | None, function: Callee) -> bool:
    """Tell whether gradients come in a row, and so under no names."""
    if isinstance(node, ast.Name):
        node = assigned(function.node, node.id) if function.node else node
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr == "grad"  # autograd's, a tuple
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in ("tuple", "list")
    return isinstance(node, ast.Tuple | ast.List | ast.ListComp)
