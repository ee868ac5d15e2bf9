"""The faster walk and rewriter go by the same nodes as `ast`'s own."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from grader.source.trees import LEAVES, Rewriter, walk

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "tests" / "child" / "binding" / "styles").glob("*.py"))


@pytest.mark.parametrize("path", FILES[::4], ids=lambda p: p.stem)
def test_every_node_in_the_order_of_ast(path: Path) -> None:
    tree = ast.parse(path.read_bytes())
    assert walk(tree) == [node for node in ast.walk(tree) if type(node) not in LEAVES]


TEXTS = (
    "match x:\n    case None | True | 1 | {'k': a, **rest} | [a, *others]:\n        pass",
    "async def f(*a: int, **k) -> int:\n    return [b async for b in a if not b]",
    "x: int = f'{x!r:>{w}}'\nfrom . import a as b\nnonlocal_ = (y := -1) ** 2",
    "try:\n    raise E from None\nexcept* E as e:\n    del e.x[1:2, ...]",
)


@pytest.mark.parametrize("text", TEXTS)
def test_every_form_of_syntax(text: str) -> None:
    tree = ast.parse(text)
    assert walk(tree) == [node for node in ast.walk(tree) if type(node) not in LEAVES]
    assert ast.unparse(Rewriter(frozenset()).visit(tree)) == ast.unparse(ast.parse(text))


class _Doubling(Rewriter):
    """Puts each expression statement down twice, and one name for another."""

    def visit_Expr(self, node: ast.Expr) -> list[ast.stmt]:
        self.generic_visit(node)
        return [node, node]

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name("b" if node.id == "a" else node.id, node.ctx)


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("f(a)\nx = a", "f(b)\nf(b)\nx = b"),
        (
            "if a:\n    f(a, *a, k=a)\nelse:\n    x = -a @ {a: a, **a}",
            "if b:\n    f(b, *b, k=b)\n    f(b, *b, k=b)\nelse:\n    x = -b @ {b: b, **b}",
        ),
        (
            "def g(x=a):\n    global y\n    return [a for a in a if not a < a]",
            "def g(x=b):\n    global y\n    return [b for b in b if not b < b]",
        ),
        ("del a\nassert f'{a}'", "del b\nassert f'{a}'"),
    ],
)
def test_what_is_visited_is_replaced(text: str, becomes: str) -> None:
    rewriter = _Doubling(frozenset(["JoinedStr"]))
    tree = rewriter.visit(ast.parse(text))
    assert ast.unparse(tree) == ast.unparse(ast.parse(becomes))
