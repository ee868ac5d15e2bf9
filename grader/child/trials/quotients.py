"""Where a verification or a script takes differences itself, by its text (child's side).

What is looked for is a division by a step: `(up - down) / (2 * h)`. A script takes differences
if a statement of its module level does, or calls a function that does.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

STEP_SIZED = re.compile(
    r"2(?:\.0)? \* \w+|\w+ \* 2(?:\.0)?|h|\w*eps(?:ilon)?|\w*delta|step\w*|\d(?:\.\d+)?e-\d+",
    re.IGNORECASE,
)
"""What a difference is divided by, as `ast.unparse` writes it."""

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def quotients(tree: ast.AST) -> Iterator[ast.BinOp]:
    """Yield the divisions by a step, or by two of them."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Div):
            continue
        if STEP_SIZED.fullmatch(ast.unparse(node.right)):
            yield node


def line_in_script(tree: ast.Module) -> int:
    """Return the line of module level on which differences are taken; 0 where they are not."""
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    stepping = {f.name for f in functions if any(quotients(f))}
    while more := {f.name for f in functions if _calls(f, stepping)} - stepping:
        stepping |= more
    for statement in tree.body:
        if isinstance(statement, DEFINITIONS):
            continue
        if own := next(quotients(statement), None):
            return own.lineno
        if called := _calls(statement, stepping):
            return called
    return 0


def _calls(tree: ast.AST, names: set[str]) -> int:
    """Return the line of the first call of one of these, 0 for none."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = getattr(node.func, "id", "") or getattr(node.func, "attr", "")
            if called in names:
                return node.lineno
    return 0
