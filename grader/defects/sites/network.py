"""Finders for the NumPy part: sizes and logarithms, gates, and what is given back."""

from __future__ import annotations

import ast
from collections.abc import Sequence

import numpy as np

from grader.defects.clues import Clues, spot_of
from grader.defects.facts import mask_source
from grader.defects.sites.entries import GradientEntry, entries, maker, returns
from grader.defects.witness import Witness, first_match
from grader.records import TENSORS, Defect, Part
from grader.source.program import Function, Spot, last_name, span, target_name

FUNCTION = {
    Part.FORWARD: "forward",
    Part.BACKWARD: "backward",
    Part.PYTORCH: "torch_forward_backward",
    Part.VERIFICATION: "verify",
}
"""The contract's function of a part."""

# ── sizes and logarithms ─────────────────────────────────────────────────────


def class_count(clues: Clues, _defect: Defect) -> Spot | None:
    """Find the expression that counts the classes by the labels at hand."""
    for function, node in clues.nodes("forward", "backward"):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            sides = (node.left, node.right)
            largest = any(_calls(side, "max", "amax") for side in sides)
            if largest and any(isinstance(s, ast.Constant) and s.value == 1 for s in sides):
                return function.spot(node)
        if isinstance(node, ast.Call | ast.Attribute) and _counts_different(node):
            return function.spot(node)
    spots = (
        function.spot(node)
        for function, node in clues.nodes("forward", "backward")
        if _calls(node, "unique", "bincount", "set", "get_dummies")
    )
    return next(spots, None)


def _calls(node: ast.AST, *names: str) -> bool:
    """Whether a node is a call of one of these, perhaps within `int(…)`."""
    while isinstance(node, ast.Call) and last_name(node.func) == "int" and node.args:
        node = node.args[0]
    return isinstance(node, ast.Call) and last_name(node.func) in names


def _counts_different(node: ast.Call | ast.Attribute) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr in ("size", "shape") and _calls(node.value, "unique", "bincount")
    inside = node.args[0] if node.args else None
    counts = last_name(node.func) == "len" and inside is not None
    return counts and _calls(inside, "unique", "set", "bincount", "Counter")  # type: ignore[arg-type]


def constant_size(clues: Clues, _defect: Defect) -> Spot | None:
    """Find the first whole number above 2 that is a divisor, an argument or a size."""
    for function, node in clues.nodes("forward", "backward"):
        parts: list[ast.expr] = []
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.Mult):
            parts = [node.right, node.left]
        elif isinstance(node, ast.AugAssign):
            parts = [node.value]
        elif isinstance(node, ast.Call):
            tuples = [a.elts for a in node.args if isinstance(a, ast.Tuple)]
            parts = [*node.args, *(e for elts in tuples for e in elts)]
        elif isinstance(node, ast.Assign):
            parts = [node.value]
        if any(_is_size(part) for part in parts):
            return function.spot(node)
    return None


def _is_size(node: ast.expr) -> bool:
    value = node.value if isinstance(node, ast.Constant) else None
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return whole and value > 2  # type: ignore[operator]


def log_base(clues: Clues, defect: Defect) -> Spot | None:
    """Find the logarithm to another base: log2, log10, or a division by a constant's log."""
    side = FUNCTION[Part.PYTORCH] if defect.part is Part.PYTORCH else "forward"
    for function, node in clues.nodes(side):
        if _calls(node, "log2", "log10"):
            return function.spot(node)
        divisor = node.right if isinstance(node, ast.BinOp) else None
        given = divisor.args if isinstance(divisor, ast.Call) and _calls(divisor, "log") else []
        if any(isinstance(a, ast.Constant) for a in given):
            return function.spot(node)
    return None


# ── what the trace tells with a word of the source ───────────────────────────


def closes_the_mask(clues: Clues, _defect: Defect | None = None) -> Spot | None:
    """Find the comparison that decides at z = 0, else the first one in backward."""
    gate = mask_source(clues.named) if clues.view.trace.values else None
    if gate is not None:
        return spot_of(gate.at)
    for function, node in clues.nodes("backward", "forward"):
        if isinstance(node, ast.Compare) and isinstance(node.comparators[0], ast.Constant):
            return function.spot(node)
    return None


def unexplained_gradient(clues: Clues, defect: Defect) -> Spot | None:
    """Find where a gradient takes its wrong value, or where mixed-up ones get names."""
    torch = defect.part is Part.PYTORCH
    name = FUNCTION[Part.PYTORCH if torch else Part.BACKWARD]
    if interchanged(clues, defect.tensors, torch=torch):
        return _end(clues, name)
    expected = clues.view.expected("primes")
    came = clues.view.observations["torch/primes" if torch else "backward/primes"].arrays
    for tensor in (t for t in defect.tensors if t in came):
        array = np.asarray(came[tensor], np.float64)
        alike = array.shape == expected[f"d{tensor}"].shape
        if alike and expected.error(f"d{tensor}", array) <= expected.limit():
            continue  # right on ordinary input: the value tells nothing
        found = first_match(Witness((array,), backward=True), clues.trace(torch=torch))
        if found is not None:
            return spot_of(found)
    return None


def interchanged(clues: Clues, tensors: Sequence[str], *, torch: bool) -> list[tuple[str, str]]:
    """Find the wrong gradients that are right ones under another's name: (name, tensor)."""
    expected = clues.view.expected("primes")
    came = clues.view.observations["torch/primes" if torch else "backward/primes"].arrays
    return [
        (t, other)
        for t in tensors
        for other in TENSORS
        if other != t
        and t in came
        and came[t].shape == expected[f"d{other}"].shape
        and expected.error(f"d{other}", came[t]) <= expected.limit()
    ]


def divides_by_probabilities(clues: Clues) -> Spot | None:
    """Find the first division of backward by P, or by those of the labels."""
    P, y = clues.named.known["P"], clues.view.expected("primes").case.y.astype(int)
    for reading in clues.named.during("backward"):
        for part in reading.parts if reading.at.kind == "divide" else ():
            flat = np.squeeze(part.value)
            for wanted in (P, P[np.arange(len(y)), y]):
                if flat.shape == wanted.shape and np.allclose(flat, wanted, 1e-9):
                    return spot_of(reading.at)
    return None


def other_branch(clues: Clues, _defect: Defect) -> Spot | None:
    """Find the sum that the ordinary sizes never come to: the wrong one."""
    met = {(v.file, v.span) for v in clues.view.trace.values}
    for function, node in clues.nodes("forward"):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            line, col, end_line, end_col = span(node)
            if (function.file, ((line, col), (end_line, end_col))) not in met:
                return function.spot(node)
    return None


def returned_loss(clues: Clues, defect: Defect) -> Spot | None:
    """Find where the loss that came back was first computed."""
    torch = defect.part is Part.PYTORCH
    step = "torch/primes" if torch else "forward/primes"
    loss = clues.view.observations[step].arrays.get("loss")
    if loss is None:
        return None
    found = first_match(Witness((np.asarray(loss, np.float64),)), clues.trace(torch=torch))
    return spot_of(found) if found else None


def loses_dimension(clues: Clues, _defect: Defect) -> Spot | None:
    """Find where a number per row loses its column, else the failing line."""
    step = clues.view.observations["forward/primes"]
    failing = step.frames[-1] if step.frames else None
    if failing is None:
        return None
    B = clues.view.expected("primes").case.sizes["B"]
    flat = {
        clues.view.trace.text(v)
        for v in clues.view.trace.values
        if v.kind == "name" and (v.file, v.line) == (failing.file, failing.line)
        if v.value.shape in ((B,), (B, B))
    }
    for function, node in clues.nodes("forward"):
        if isinstance(node, ast.Assign) and node.lineno < failing.line:
            names = {target_name(t) for t in node.targets} & flat
            if any(_lines_using(function, n) == {failing.line} for n in names):
                return function.spot(node)
    return None


def _lines_using(function: Function, name: str) -> set[int]:
    found = (n for n in ast.walk(function.node) if isinstance(n, ast.Name) and n.id == name)
    return {n.lineno for n in found if isinstance(n.ctx, ast.Load)}


# ── what backward gives back ─────────────────────────────────────────────────


def missing_gradient(clues: Clues, defect: Defect) -> Spot | None:
    """Find the None under the gradient's key, else the mapping that lacks it."""
    missing = defect.tensors[0] if defect.tensors else ""
    sibling = {"W1": "b1", "b1": "W1", "W2": "b2", "b2": "W2"}.get(missing, "")
    found = list(entries(clues, "backward"))
    own = [e for e in found if e.key == missing]
    if own:
        return own[-1].spot
    return _lacking(found, sibling) or _end(clues, "backward")


def _lacking(found: Sequence[GradientEntry], sibling: str) -> Spot | None:
    """The mapping that is written out without it; else where its sibling, or any, is stored."""
    displays = [e.display for e in found if e.display is not None]
    near = [e.spot for e in found if e.key == sibling]
    spots = displays or near or [e.spot for e in found]
    return spots[-1] if spots else None


def _end(clues: Clues, name: str) -> Spot | None:
    function = clues.program.contract(name)
    return function.spot(next(returns(function), function.node)) if function else None


def in_backward(clues: Clues, defect: Defect) -> Spot | None:
    """Find the statement that makes the gradient which is returned under the tensor's key."""
    for tensor in defect.tensors:
        for entry in entries(clues, "backward"):
            if entry.key == tensor and (spot := maker(clues, entry)) is not None:
                return spot
    return None


def stub(clues: Clues, defect: Defect) -> Spot | None:
    """Find the definition of the function that has no body."""
    function = clues.program.contract(FUNCTION[defect.part]) if defect.part in FUNCTION else None
    return Spot(function.file, function.node.lineno, function.node.lineno) if function else None
