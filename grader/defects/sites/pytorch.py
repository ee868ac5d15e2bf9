"""Finders for the PyTorch part: leaves, cuts of the graph, writes in place, single precision."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

import numpy as np

from grader.defects.clues import Clues, spot_of
from grader.defects.sites.entries import returns
from grader.observe.error_words import ErrorWord, error_words, shape_named
from grader.observe.reading import Reading
from grader.records import TENSORS, Defect
from grader.source.program import Function, Spot, last_name, span

PART = "torch_forward_backward"
MAKERS = frozenset(
    ("tensor", "from_numpy", "as_tensor", "Tensor", "Parameter", "DoubleTensor", "FloatTensor")
)
CUTS = ("detach", "data", "numpy", "detach_", "tolist", "item", "argmax", "from_numpy", "tensor")
"""Attributes and calls that give a value without its history."""

INPUTS = (*TENSORS, "y", "B", "rows", "onehot", *(f"d{t}" for t in TENSORS))
"""Tensors that have no history, or whose history nobody needs."""


def backward_call(clues: Clues, _defect: Defect) -> Spot | None:
    """Find the call that adds to what `.grad` holds already."""
    for function, node in clues.nodes(PART):
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Attribute) and called.attr == "backward":
            return function.spot(node)
    for function, node in clues.nodes(PART):
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add):
            return function.spot(node)
    return None


# ── leaves ───────────────────────────────────────────────────────────────────


def leaf(clues: Clues, defect: Defect) -> Spot | None:
    """Find where the tensor without a gradient is made, without requires_grad."""
    makers = [(f, n) for f, n in clues.nodes(PART) if _makes(n)]
    plain = [(f, n) for f, n in makers if not _asks_gradient(f, n)]
    own = clues.program.contract(PART)
    names = dict(zip(TENSOR_ARGUMENTS, own.parameters, strict=False)) if own else {}
    for candidates in (plain, makers):
        for tensor in defect.tensors:
            wanted = names.get(tensor, tensor)
            for function, node in candidates:
                if any(isinstance(n, ast.Name) and n.id == wanted for n in ast.walk(node)):
                    return function.spot(node)
    for function, node in plain:
        if not _is_label(node):
            return function.spot(node)
    return None


TENSOR_ARGUMENTS = ("X", "y", "W1", "b1", "W2", "b2")


def _makes(node: ast.AST) -> bool:
    return _calls(node, MAKERS)


def _is_label(node: ast.AST) -> bool:
    return any(
        isinstance(n, ast.Name) and n.id in ("y", "labels", "target") for n in ast.walk(node)
    )


def _asks_gradient(function: Function, node: ast.AST) -> bool:
    """Whether the statement around a new tensor says that it wants a gradient."""
    line = getattr(node, "lineno", 0)
    around = [
        n
        for n in ast.walk(function.node)
        if isinstance(n, ast.Assign | ast.Return | ast.Expr | ast.AnnAssign)
        and n.lineno <= line <= (n.end_lineno or n.lineno)
    ]
    words = ("requires_grad", "requires_grad_", "Parameter")
    for statement in around:
        inside = [getattr(n, "arg", None) or last_name(n) for n in ast.walk(statement)]
        if any(word in words for word in inside):
            one = len([n for n in ast.walk(statement) if _makes(n)]) == 1
            own = [getattr(n, "arg", None) or last_name(n) for n in ast.walk(node)]
            if one or any(word in words for word in own):
                return True
    return False


# ── cuts ─────────────────────────────────────────────────────────────────────


def cut(clues: Clues, _defect: Defect | None = None) -> Spot | None:
    """Find what first takes a value out of the graph, else the block without gradients."""
    own = clues.program.contract(PART)
    ends = {n for r in returns(own) for n in ast.walk(r)} if own else set()
    cuts = [(f, n) for f, n in _cuts(clues) if n not in ends]  # what is handed out cuts nothing
    places = {(f.file, span(n)) for f, n in cuts}
    for reading in clues.torch_named.readings:
        (line, col), (end_line, end_col) = reading.at.span
        if (reading.at.file, (line, col, end_line, end_col)) in places and _has_history(reading):
            return spot_of(reading.at)
    for function, node in clues.nodes(PART):
        if isinstance(node, ast.With) and without_gradients(node):
            return function.spot(node)
    given = {n for f in clues.reached(PART) for r in returns(f) for n in ast.walk(r)}
    return next((f.spot(n) for f, n in cuts if not _makes(n) and n not in given), None)


def _cuts(clues: Clues) -> Iterator[tuple[Function, ast.expr]]:
    for function, node in clues.nodes(PART):
        data = isinstance(node, ast.Attribute) and node.attr == "data"
        if isinstance(node, ast.expr) and (data or _calls(node, CUTS)):
            yield function, node


def _calls(node: ast.AST, names: Collection[str]) -> bool:
    return isinstance(node, ast.Call) and last_name(node.func) in names


def _has_history(reading: Reading) -> bool:
    """Whether a value was computed from the parameters on the way to the loss."""
    whole = reading.value.size > 1 and reading.value.dtype.kind == "f"
    return whole and reading.base not in INPUTS


def without_gradients(node: ast.With) -> bool:
    """Return whether a block computes something new under no_grad; filling parameters is no cut."""
    words = {last_name(n) for item in node.items for n in ast.walk(item.context_expr)}
    computes = any(isinstance(n, ast.Assign) for n in ast.walk(node))
    return computes and bool(words & {"no_grad", "inference_mode", "set_grad_enabled"})


# ── in place ─────────────────────────────────────────────────────────────────


def written_in_place(clues: Clues, _defect: Defect) -> Spot | None:
    """Find the statement that a leaf refuses, or that writes into a tensor of the error's shape."""
    step = clues.view.observations["torch/primes"]
    own = [f for f in step.frames if f.file in clues.program.lines]
    if ErrorWord.LEAF_IN_PLACE in error_words(step.error) and own:  # refused where it stands
        return Spot(own[-1].file, own[-1].line, own[-1].line)
    found = [(f, n) for f, n in clues.nodes(PART) if isinstance(n, ast.stmt) and _writes(n)]
    if (shape := shape_named(step.error)) is not None:
        for function, node in found:
            if any(s in (shape, shape[::-1]) for s in _shapes(clues, function, node)):
                return function.spot(node)
    return next((f.spot(n) for f, n in found), None)


def _shapes(clues: Clues, function: Function, node: ast.stmt) -> Iterator[tuple[int, ...]]:
    """The shapes of what a statement has changed, as far as the trace saw it."""
    start = (node.lineno, node.col_offset)
    end = (node.end_lineno or node.lineno, node.end_col_offset or 0)
    for value in clues.torch_trace.values:
        if value.file == function.file and start <= value.span[0] and value.span[1] <= end:
            yield value.value.shape


def _writes(node: ast.stmt) -> bool:
    if isinstance(node, ast.AugAssign):
        return not isinstance(node.value, ast.Constant) or not isinstance(node.value.value, int)
    if isinstance(node, ast.Assign):
        return any(isinstance(t, ast.Subscript) for t in node.targets)
    call = node.value if isinstance(node, ast.Expr | ast.Return) else None
    if not isinstance(node, ast.stmt) or call is None:
        return False
    names = {last_name(n.func) for n in ast.walk(call) if isinstance(n, ast.Call)}
    return any(n.endswith("_") and not n.startswith("_") and n != "requires_grad_" for n in names)


# ── by hand, and in single precision ─────────────────────────────────────────


def by_hand(clues: Clues, _defect: Defect) -> Spot | None:
    """Find where the gradients that nobody derived are given back."""
    function = clues.program.contract(PART)
    return function.spot(next(returns(function), function.node)) if function else None


def single(clues: Clues, _defect: Defect) -> Spot | None:
    """Find the first value in single precision; else the words that ask for it."""
    for value in clues.torch_trace.values:
        if value.value.dtype == np.float32 and value.kind not in ("name", "attribute"):
            return spot_of(value)
    for function, node in clues.nodes(PART):
        word = last_name(getattr(node, "func", node))
        if word in ("float", "float32", "Tensor", "FloatTensor", "half", "float16", "bfloat16"):
            return function.spot(node)
    for function, node in clues.nodes(PART):
        if isinstance(node, ast.Call) and last_name(node.func) in ("Linear", "Parameter"):
            return function.spot(node)
    return None
