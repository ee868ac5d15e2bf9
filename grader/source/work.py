"""Which code of a submission computes: what a blank starter does not do.

Told by structure alone. A product of two values that are no constants is work, and so is a call
of autograd. Data that are drawn at random are none, nor is a function that calls what it is
given: finite differences are handed out with many a starter.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grader.source.program import Def, Program, Spot, last_name, without_definitions

PRODUCTS = frozenset(
    ("dot", "matmul", "einsum", "tensordot", "vdot", "inner", "outer", "multi_dot", "mm", "bmm")
)
"""Functions and methods that multiply arrays."""

AUTOGRAD = frozenset(("backward", "cross_entropy", "nll_loss", "CrossEntropyLoss", "NLLLoss"))
"""What differentiates a loss in PyTorch, and the loss that is differentiated."""

RANDOM = frozenset(
    ("random", "randn", "rand", "normal", "standard_normal", "uniform", "randint", "integers")
)
FRAMEWORK = "torch"
BASES = frozenset(("Module", "Function"))


@dataclass(frozen=True, slots=True)
class WorkPlace:
    """A function, or statements outside of any, that compute; `name` is "" for statements.

    `parameters` are those of the function, without `self`; `owner` is its class. `torch`: it
    uses PyTorch. `transposes`: it has a transposed array, as a backward pass does. `nested`: it
    stands in a function, where no name reaches it.
    """

    spot: Spot
    name: str = ""
    owner: str = ""
    parameters: tuple[str, ...] = ()
    torch: bool = False
    transposes: bool = False
    nested: bool = False

    def holds(self, file: str, line: int) -> bool:
        """Return whether a line stands in it."""
        return file == self.spot.file and self.spot.line <= line <= self.spot.end_line

    @property
    def path(self) -> str:
        """Return `forward`, or `Network.forward` for a method."""
        return f"{self.owner}.{self.name}" if self.owner else self.name

    @property
    def heading(self) -> str:
        """Return `forward(X, y)`, or what statements are called."""
        outside = "statements outside of any function"
        return f"{self.path}({', '.join(self.parameters)})" if self.name else outside


def work_places(program: Program) -> tuple[WorkPlace, ...]:
    """Return where the submission computes, in the order of its files."""
    return tuple(place for path, tree in program.trees.items() for place in _of_file(path, tree))


def _of_file(path: str, tree: ast.Module) -> Iterator[WorkPlace]:
    """Yield the places of a file: its own statements, and all the definitions in it."""
    torch = _framework_names(tree)
    if found := _statements(path, _own(tree.body), torch):
        yield found
    blocks: list[_Block] = [_Block(tree)]
    for block in blocks:
        if isinstance(block.node, Def) and (found := _function(path, block, torch)):
            yield found
        for inner in without_definitions(block.node.body):
            if isinstance(inner, ast.ClassDef | Def):
                blocks.append(block.inner(inner))


@dataclass(frozen=True, slots=True)
class _Block:
    """A definition, the class that it is a method of, and where it stands."""

    node: ast.Module | ast.ClassDef | Def
    owner: str = ""
    module: bool = False
    nested: bool = False

    def inner(self, node: ast.ClassDef | Def) -> _Block:
        """Return a definition in this one; `module`: in a class of PyTorch's."""
        nested = self.nested or isinstance(self.node, Def)
        if isinstance(node, ast.ClassDef):
            bases = {last_name(base) for base in node.bases}
            return _Block(node, node.name, bool(BASES & bases), nested)
        owner = self.owner if isinstance(self.node, ast.ClassDef) else ""
        return _Block(node, owner, self.module, nested)


def _own(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Return the statements of a block that define nothing."""
    return [s for s in without_definitions(body) if not isinstance(s, Def | ast.ClassDef)]


def _function(path: str, block: _Block, torch: frozenset[str]) -> WorkPlace | None:
    node = block.node
    assert isinstance(node, Def)
    rows = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    names = [row.arg for row in rows][1 if block.owner and rows else 0 :]
    parts = [n for s in _own(node.body) for n in ast.walk(s)]
    called = {n.func.id for n in parts if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    if called & set(names) or not _computes(parts, torch):
        return None
    uses = block.module or _uses(parts, torch)
    spot = Spot(path, node.lineno, node.end_lineno or node.lineno)
    facts = uses, _transposes(parts), block.nested
    return WorkPlace(spot, node.name, block.owner, tuple(names), *facts)


def _statements(
    path: str, statements: Sequence[ast.stmt], torch: frozenset[str]
) -> WorkPlace | None:
    """Return the statements outside of any function that multiply arrays; None without one."""
    busy = [s for s in statements if _multiplies([*ast.walk(s)]) or _differentiates([*ast.walk(s)])]
    if not busy:
        return None
    parts = [n for s in busy for n in ast.walk(s)]
    last = max(s.end_lineno or s.lineno for s in busy)
    spot = Spot(path, min(s.lineno for s in busy), last)
    return WorkPlace(spot, torch=_uses(parts, torch), transposes=_transposes(parts))


def _computes(parts: Sequence[ast.AST], torch: frozenset[str]) -> bool:
    """Whether nodes hold a product of two values, or, in PyTorch, a loss and its gradient."""
    if _multiplies(parts) or (_uses(parts, torch) and _differentiates(parts)):
        return True
    return any(
        isinstance(n, ast.BinOp)
        and isinstance(n.op, ast.Mult)
        and _varies(n.left)
        and _varies(n.right)
        for n in parts
    )


def _multiplies(parts: Sequence[ast.AST]) -> bool:
    return any(
        (isinstance(n, ast.BinOp | ast.AugAssign) and isinstance(n.op, ast.MatMult))
        or (isinstance(n, ast.Call) and last_name(n.func) in PRODUCTS)
        for n in parts
    )


def _differentiates(parts: Sequence[ast.AST]) -> bool:
    return any(isinstance(n, ast.Call) and last_name(n.func) in AUTOGRAD for n in parts)


def _transposes(parts: Sequence[ast.AST]) -> bool:
    return any(
        isinstance(n, ast.Attribute) and n.attr in ("T", "mT", "transpose", "swapaxes", "t")
        for n in parts
    )


def _varies(value: ast.expr) -> bool:
    """Whether a value is neither made of constants alone nor drawn at random."""
    named = False
    for node in ast.walk(value):
        if isinstance(node, ast.Call) and last_name(node.func) in RANDOM:
            return False
        named = named or isinstance(node, ast.Name)
    return named


def _uses(parts: Sequence[ast.AST], names: frozenset[str]) -> bool:
    return any(isinstance(n, ast.Name) and n.id in names for n in parts)


def _framework_names(tree: ast.Module) -> frozenset[str]:
    """Return the names under which a file knows PyTorch and its parts."""
    names = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            rows = [a for a in node.names if a.name.partition(".")[0] == FRAMEWORK]
            names |= {a.asname or FRAMEWORK for a in rows}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(FRAMEWORK):
            names |= {a.asname or a.name for a in node.names}
    return frozenset(names)
