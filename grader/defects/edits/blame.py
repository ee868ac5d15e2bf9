"""What an edit is made of: the blamed statements, their expressions and what is in scope."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from grader.defects.edits.scope import Scope, Scopes
from grader.source.edits import Edit, Site, Text, atomic

ARRAYS = (
    *(ast.BinOp, ast.UnaryOp, ast.Call, ast.Subscript, ast.Attribute, ast.Name, ast.IfExp),
    *(ast.Compare, ast.Dict),
)
"""What may have a tensor as its value, or hold the gradients that are returned."""


@dataclass(frozen=True, eq=False)
class Blame:
    """The statements that touch the lines blamed. `torch`: whether they are of that part."""

    text: Text
    scopes: Scopes
    statements: tuple[ast.stmt, ...]
    torch: bool

    @cached_property
    def sites(self) -> list[Site]:
        """Return the expressions with a value, those that are no known tensor first."""
        found: list[Site] = []
        for statement in self.statements:
            own = [s for s in self.text.sites(statement) if isinstance(s.node, ARRAYS)]
            seen = [s for s in own if self.scopes.reading(s) is not None]
            dicts = [s for s in own if isinstance(s.node, ast.Dict)]
            found += [*seen, *dicts] if seen else own  # nothing was seen of what was never reached
        return sorted(found, key=lambda site: not self.scopes.suspect(site))

    @cached_property
    def suspects(self) -> list[Site]:
        """Return the expressions that may be wrong themselves; all, where none is suspect."""
        return [s for s in self.sites if self.scopes.suspect(s)] or self.sites

    def scope(self, site: Site | ast.stmt) -> Scope:
        """Return what is in scope."""
        return self.scopes.of(site if isinstance(site, ast.stmt) else site.statement)

    def source(self, node: ast.AST) -> str:
        return self.text.text(node)

    def operand(self, node: ast.AST) -> str:
        """Return a node's source, fit to stand beside any operator."""
        written = self.text.text(node)
        return written if atomic(written) else f"({written})"

    @cached_property
    def numpy(self) -> str:
        """Return the name of NumPy, or of torch in its part."""
        wanted = "torch" if self.torch else "numpy"
        for node in ast.walk(self.text.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.name == wanted:
                        return alias.asname or alias.name
        return "torch" if self.torch else "np"


Operator = Callable[[Blame], Iterator[Edit]]
"""Gives edits that may repair what is blamed, the likeliest first."""
