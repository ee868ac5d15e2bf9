"""A mistake as edits of source text: no line is moved, helpers are added at the end."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .values import Site, Solution

Edit = tuple[int, int, str]
"""Start, end and the new text."""


@dataclass(frozen=True)
class Mistake:
    """Edits of one solution. `codes` are the names it may get, the best one first.

    `near` are lines that are as good an answer as `lines`. `shows` is False where
    numbers do not tell; `raises` where an exception is what it does; `ordinary` is
    False where only special inputs tell.
    """

    style: str
    codes: tuple[str, ...]
    edits: tuple[Edit, ...]
    lines: tuple[int, ...]
    near: tuple[int, ...] = ()
    shows: bool = True
    raises: bool = False
    ordinary: bool = True

    @property
    def code(self) -> str:
        return self.codes[0]


Operator = Callable[[Solution], Iterator[Mistake]]


def applied(source: str, *mistakes: Mistake) -> str:
    """The source with all edits of the mistakes made, from the back."""
    edits = sorted((e for m in mistakes for e in m.edits), key=lambda e: e[:2], reverse=True)
    for start, end, text in edits:
        source = source[:start] + text + source[end:]
    return source


def mistake(
    solution: Solution,
    code: str | tuple[str, ...],
    *changes: tuple[Site, str],
    tail: str = "",
    near: tuple[int, ...] = (),
    shows: bool = True,
    raises: bool = False,
    ordinary: bool = True,
) -> Mistake:
    """A mistake that puts new text in the place of some sites."""
    for site, text in changes:
        if text == "pass":  # where nothing is, its neighbours are as good an answer
            near = (*near, *solution.beside(site.node))
    edits = [(*solution.span(site.node), _fitting(site, text)) for site, text in changes]
    lines = {n for site, _ in changes for n in range(site.node.lineno, site.node.end_lineno + 1)}
    if tail:
        end = len(solution.source)
        edits.append((end, end, tail))
    codes = (code,) if isinstance(code, str) else code
    ordered = tuple(sorted(lines))
    return Mistake(solution.style, codes, tuple(edits), ordered, near, shows, raises, ordinary)


def _fitting(site: Site, text: str) -> str:
    """`text`, in parentheses where its neighbours would tear it apart."""
    inner = (ast.BinOp, ast.UnaryOp, ast.Attribute, ast.Compare)
    tight = isinstance(site.parent, inner) or (
        isinstance(site.parent, ast.Subscript) and site.parent.value is site.node
    )
    return f"({text})" if tight and not is_atom(text) else text


def is_atom(text: str) -> bool:
    """Whether text needs no parentheses: a name, a call, a subscript, a number."""
    try:
        node = ast.parse(text, mode="eval").body
    except SyntaxError:
        return True  # a statement: it stands by itself
    if node.col_offset > 0:
        return True  # it has its parentheses already
    return isinstance(node, (ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.Constant))


def atom(text: str) -> str:
    return text if is_atom(text) else f"({text})"


def called(site: Site) -> str:
    """The last name of what a call calls, such as `sum` in `np.sum(…)` and `E.sum(…)`."""
    func = site.node.func if isinstance(site.node, ast.Call) else None
    return getattr(func, "attr", getattr(func, "id", ""))


def with_axis(text: str, axis: str) -> str:
    """A reduction along another axis; `axis` "" for none, which drops keepdims too."""
    if axis:
        text, found = re.subn(r"axis=-?\d", f"axis={axis}", text)
        return text if found else re.sub(r"([(,]\s*)1(?=\s*[,)])", rf"\g<1>{axis}", text)
    text = re.sub(r",?\s*keepdims=True", "", text)
    text, found = re.subn(r",?\s*(axis|dim)=-?\d", "", text)
    return text if found else re.sub(r"(\()1\)|(, )1\)", r"\1)", text)


def batch_size(site: Site) -> str:
    """An expression for B where the site is; "" when there is none at hand."""
    if name := site.known("B"):
        return name
    if name := site.known("X", "P", "dZ2", "B*dZ2", "dH1", "y"):
        return f"{name}.shape[0]"
    return ""
