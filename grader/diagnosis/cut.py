"""Why a PyTorch part stops at a gradient that is None: the source says what cut the graph.

Nothing came back to compare, so what is said here is likely, never proven.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from grader.checks.view import View
from grader.diagnosis.numeric import make
from grader.diagnosis.sites_torch import without_gradients
from grader.records import Confidence, Defect, Ended, Submission
from grader.source.parsing import parse

NO_LEAF = "differentiated Tensors does not require grad"
NONE = ("'NoneType' object", "not have been used in the graph", NO_LEAF)
"""What Python says of None.numpy() and the like, and autograd.grad of a leaf that it never met
or that is none."""

CUTS = ("detach", "data", "numpy")
GRADIENTS = ("backward", "grad")


def cut_graph(submission: Submission, view: View) -> Iterator[Defect]:
    """The defect behind such an error, at the line that cuts the graph if one does."""
    step = view.observations["torch/primes"]
    if step.ended is not Ended.RAISED or not any(words in step.error for words in NONE):
        return
    texts = {f.path: f.data.decode("utf-8", "replace") for f in submission.files}
    own = [frame for frame in step.frames if frame.file in texts]
    if not own:
        return
    last = own[-1]
    text = texts[last.file]
    try:
        tree = parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    lines = text.splitlines()
    failing = lines[last.line - 1].strip() if 0 < last.line <= len(lines) else ""
    if ".grad" not in failing:
        return
    said = f"torch_forward_backward: {step.error}: a gradient is None"
    for line in () if NO_LEAF in step.error else _cuts(tree, last.line):
        source = lines[line - 1].strip()
        defect = make(
            "torch-graph-detached", f"{said}, for `{source}` cuts the graph.", (), Confidence.LIKELY
        )
        yield _at(defect, last.file, line, source)
        return
    defect = make("torch-leaf-without-grad", f"{said}.", (), Confidence.LIKELY)
    yield _at(defect, last.file, last.line, failing)


def _at(defect: Defect, file: str, line: int, source: str) -> Defect:
    return replace(defect, file=file, line=line, end_line=line, source=source)


def _cuts(tree: ast.Module, failing: int) -> Iterator[int]:
    """Lines that take a value out of the graph on its way to the loss, in the failing function."""
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    around = [f for f in functions if f.lineno <= failing <= (f.end_lineno or f.lineno)]
    if not around:
        return
    function = max(around, key=lambda f: f.lineno)
    end = min(_derived_at(function), default=failing)
    for node in ast.walk(function):
        if isinstance(node, ast.With):
            if node.lineno < end and without_gradients(node):
                yield node.lineno
        elif (
            isinstance(node, ast.Attribute) and node.attr in CUTS and _goes_on(function, node, end)
        ):
            yield node.lineno


def _derived_at(function: ast.FunctionDef) -> Iterator[int]:
    """Lines that call for the gradients."""
    for node in ast.walk(function):
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Attribute) and called.attr in GRADIENTS:
            yield called.lineno


def _goes_on(function: ast.FunctionDef, cut: ast.Attribute, end: int) -> bool:
    """Whether what is cut off is used before the gradients are called for: a copy kept is not."""
    for node in ast.walk(function):
        if not isinstance(node, ast.Assign) or not any(n is cut for n in ast.walk(node.value)):
            continue
        names = {n.id for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name)}
        return any(
            isinstance(n, ast.Name)
            and isinstance(n.ctx, ast.Load)
            and n.id in names
            and (node.end_lineno or node.lineno) < n.lineno < end
            for n in ast.walk(function)
        )
    return False
