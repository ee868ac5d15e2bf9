"""Where the source keeps a graph that is used once: an observation, which costs nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from grader.source.parsing import parsed
from grader.source.program import Def
from grader.source.shapes.statements import MAX_CHARACTERS

WORD = "retain_graph"
DERIVES = ("backward", "grad")


def needlessly_retained(sources: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, int]]:
    """Yield (file, line) of each `retain_graph=True` in a function that derives only once."""
    for path, lines in sources.items():
        text = "\n".join(lines)
        if WORD not in text or len(text) > MAX_CHARACTERS:
            continue
        tree = parsed(text)
        for function in ast.walk(tree) if tree else ():
            if isinstance(function, Def):
                yield from ((path, line) for line in _once(function))


def _once(function: ast.AST) -> Iterator[int]:
    inside = list(ast.walk(function))
    loops = [n for n in inside if isinstance(n, ast.For | ast.While | ast.comprehension)]
    repeated = {id(n) for loop in loops for n in ast.walk(loop)}
    calls = [n for n in inside if isinstance(n, ast.Call) and _derives(n.func)]
    if len(calls) == 1 and id(calls[0]) not in repeated and _keeps(calls[0]):
        yield calls[0].lineno


def _derives(called: ast.expr) -> bool:
    """`loss.backward(…)` or `torch.autograd.grad(…)`."""
    return isinstance(called, ast.Attribute) and called.attr in DERIVES


def _keeps(call: ast.Call) -> bool:
    return any(
        k.arg == WORD and isinstance(k.value, ast.Constant) and k.value.value is True
        for k in call.keywords
    )
