"""How kinds of the PyTorch part show: gradients that are None, errors, and second calls.

Where nothing came back to compare, what is said is likely, never proven.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from grader.defects.clues import Clues
from grader.defects.kind import Sight
from grader.defects.sites.pytorch import without_gradients
from grader.observe.error_words import ErrorWord, error_words
from grader.records import Confidence, Ended, Finding
from grader.source.program import Spot

Findings = Sequence[Finding]

CUTS = ("detach", "data", "numpy")
GRADIENTS = ("backward", "grad")


def added_to_grad(_clues: Clues, _findings: Findings) -> Iterator[Sight]:
    """Tell that a second call gives the sum of both."""
    yield Sight("A second call adds to the first one's gradients.")


def without_engine(_clues: Clues, _findings: Findings) -> Iterator[Sight]:
    """Tell that gradients arrive though autograd's engine is barred."""
    yield Sight("Gradients arrive with autograd's engine switched off: they are written by hand.")


def single_arithmetic(_clues: Clues, _findings: Findings) -> Iterator[Sight]:
    """Tell that the numbers are those of float32."""
    yield Sight("float64 goes in, and float32 arithmetic comes out.")


def _missing(clues: Clues) -> tuple[tuple[str, ...], bool]:
    """The tensors without a gradient, and whether they are all that lies below dZ1."""
    missing = clues.torch.missing if clues.torch else ()
    return missing, {"W1", "b1", "X"} <= set(missing)


def no_gradient_of_a_leaf(clues: Clues, _findings: Findings) -> Iterator[Sight]:
    """Tell that some gradients never arrive, and others do."""
    missing, below = _missing(clues)
    if missing and not below:
        yield Sight(f"{', '.join(missing)}: no gradient arrives from autograd.", missing)


def no_gradient_below(clues: Clues, _findings: Findings) -> Iterator[Sight]:
    """Tell that none of the first layer's gradients arrives."""
    missing, below = _missing(clues)
    if below:
        yield Sight(f"{', '.join(missing)}: no gradient arrives from autograd.", missing)


def _error(clues: Clues) -> tuple[str, frozenset[ErrorWord]]:
    """The error on ordinary input, and what it says; nothing where none was raised."""
    step = clues.view.observations["torch/primes"]
    error = step.error if step.ended is Ended.RAISED else ""
    return f"torch_forward_backward: {error}", error_words(error)


def refused_in_place(clues: Clues, _findings: Findings) -> Iterator[Sight]:
    """Tell that a tensor was changed that backward needs, or a leaf refuses to be changed."""
    error, said = _error(clues)
    if ErrorWord.IN_PLACE in said:
        yield Sight(f"{error}.")


def refused_by_autograd(clues: Clues, _findings: Findings) -> Iterator[Sight]:
    """Tell that what is to be differentiated has no history."""
    error, said = _error(clues)
    if ErrorWord.NO_HISTORY in said and not said & {ErrorWord.IN_PLACE, ErrorWord.NO_LEAF}:
        yield Sight(f"{error}.")


def none_behind_a_cut(clues: Clues, _findings: Findings) -> Iterator[Sight]:
    """Tell that a gradient is None, for a line takes a value out of the graph."""
    error, _ = _error(clues)
    _, cut = _none(clues)
    if cut is not None:
        text = f"{error}: a gradient is None, for `{clues.line(cut)}` cuts the graph."
        yield Sight(text, (), Confidence.LIKELY, spot=cut)


def none_of_a_leaf(clues: Clues, _findings: Findings) -> Iterator[Sight]:
    """Tell that a gradient is None, and nothing cuts the graph."""
    error, _ = _error(clues)
    failing, cut = _none(clues)
    if failing is not None and cut is None:
        yield Sight(f"{error}: a gradient is None.", (), Confidence.LIKELY, spot=failing)


def _none(clues: Clues) -> tuple[Spot | None, Spot | None]:
    """The line that asks for a gradient which is None, and the line that cuts the graph."""
    _, said = _error(clues)
    frames = clues.view.observations["torch/primes"].frames
    own = [frame for frame in frames if frame.file in clues.program.trees]
    if ErrorWord.NONE not in said or not own:
        return None, None
    file, line = own[-1].file, own[-1].line
    failing = Spot(file, line, line)
    if ".grad" not in (clues.line(failing) or ""):
        return None, None
    cuts = () if ErrorWord.NO_LEAF in said else _cuts(clues.program.trees[file], line)
    return failing, next((Spot(file, at, at) for at in cuts), None)


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
