"""Where a stranger's source reaches into the grader's own code, by its text.

Whoever logs with `inspect.stack()` or `sys._getframe()` is left alone: what counts is to name
modules or reporters of the grader, to look through all objects, to open closures, or to walk
up the frames for their variables.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from grader.source.trees import walk

PACKAGE = "grader"
NAMES = frozenset(
    (
        *("__see__", "__hold__", "__held__"),
        *("get_objects", "get_referrers", "get_referents", "cell_contents"),
    )
)
"""The reporters in a traced run, and what opens what is not handed over."""
MODULE = re.compile(r"grader\.(?:[a-z_]+(?:\.[a-z_]+){0,9}\.?)?")
"""A module of the grader's, or the beginning of some; no sentence."""

VARIABLES = ("f_locals", "f_globals", "f_builtins")


def reaching(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that reach into the grader's own code."""
    nodes = list(ast.walk(tree))
    named = {_names(node) for node in nodes}
    climbs = "f_back" in named and not named.isdisjoint(VARIABLES)
    for node in nodes:
        if _reaches(node) or (climbs and isinstance(node, ast.While | ast.For) and _climbs(node)):
            yield node


def _reaches(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        text = node.value
        return isinstance(text, str) and bool(text in NAMES or MODULE.fullmatch(text))
    return _names(node) in NAMES or _names_a_module(node)


def _names_a_module(node: ast.AST) -> bool:
    if isinstance(node, ast.Import):
        return any(_is_ours(alias.name) for alias in node.names)
    return isinstance(node, ast.ImportFrom) and node.level == 0 and _is_ours(node.module or "")


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] == PACKAGE


def _names(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


def _climbs(loop: ast.AST) -> bool:
    """Return whether a loop goes from frame to frame, and looks at their variables."""
    names = {_names(node) for node in walk(loop)}
    return "f_back" in names and not names.isdisjoint(VARIABLES)
