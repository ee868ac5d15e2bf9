"""How kinds of the PyTorch part show: gradients that are None, errors, and second calls.

Where nothing came back to compare, what is said is likely, never proven: anybody can raise an
error with any words.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from grader.defects.clues import Clues
from grader.defects.kind import Sighting
from grader.defects.signs.network import names_of
from grader.defects.sites.pytorch import cut
from grader.observe.error_words import ErrorWord, error_words
from grader.records import Confidence, Ended, Finding, Part
from grader.source.program import Spot

Findings = Sequence[Finding]


def added_to_grad(_clues: Clues, _findings: Findings) -> Iterator[Sighting]:
    """Tell that a second call gives the sum of both."""
    yield Sighting("A second call adds to the first one's gradients.")


def without_engine(_clues: Clues, findings: Findings) -> Iterator[Sighting]:
    """Tell which gradients stay as they are whatever autograd's engine gives."""
    tensors = tuple(e.tensor for e in findings[0].bad)
    text = f"{names_of(tensors)}: the same whatever autograd's engine gives, so written by hand."
    yield Sighting(text, tensors)


def beside_the_loss(_clues: Clues, findings: Findings) -> Iterator[Sighting]:
    """Tell that what autograd differentiates is not seen to be the loss."""
    tensors = tuple(e.tensor for e in findings[0].bad)
    yield Sighting(findings[0].message, tensors, part=Part.PYTORCH)


def single_arithmetic(_clues: Clues, _findings: Findings) -> Iterator[Sighting]:
    """Tell that the numbers are those of float32."""
    yield Sighting("float64 goes in, and float32 arithmetic comes out.")


def _missing(clues: Clues) -> tuple[tuple[str, ...], bool]:
    """The tensors without a gradient, and whether they are all that lies below dZ1."""
    missing = clues.torch.missing if clues.torch else ()
    return missing, {"W1", "b1", "X"} <= set(missing)


def no_gradient_of_a_leaf(clues: Clues, _findings: Findings) -> Iterator[Sighting]:
    """Tell that some gradients never arrive, and others do."""
    missing, below = _missing(clues)
    if missing and not below:
        yield Sighting(f"{', '.join(missing)}: no gradient arrives from autograd.", missing)


def no_gradient_below(clues: Clues, _findings: Findings) -> Iterator[Sighting]:
    """Tell that none of the first layer's gradients arrives."""
    missing, below = _missing(clues)
    if below:
        yield Sighting(f"{', '.join(missing)}: no gradient arrives from autograd.", missing)


def _error(clues: Clues) -> tuple[str, frozenset[ErrorWord]]:
    """The error on ordinary input, and what it says; nothing where none was raised."""
    step = clues.view.observations["torch/primes"]
    error = step.error if step.ended is Ended.RAISED else ""
    return f"torch_forward_backward: {error}", error_words(error)


def refused_in_place(clues: Clues, _findings: Findings) -> Iterator[Sighting]:
    """Tell that a tensor was changed that backward needs, or a leaf refuses to be changed."""
    error, said = _error(clues)
    if ErrorWord.IN_PLACE in said:
        yield Sighting(f"{error}.", confidence=Confidence.LIKELY)


def refused_by_autograd(clues: Clues, _findings: Findings) -> Iterator[Sighting]:
    """Tell that what is to be differentiated has no history."""
    error, said = _error(clues)
    if ErrorWord.NO_HISTORY in said and not said & {ErrorWord.IN_PLACE, ErrorWord.NO_LEAF}:
        yield Sighting(f"{error}.", confidence=Confidence.LIKELY)


def none_behind_a_cut(clues: Clues, _findings: Findings) -> Iterator[Sighting]:
    """Tell that a gradient is None, for a line takes a value out of the graph."""
    error, _ = _error(clues)
    _, spot = _none(clues)
    if spot is not None:
        text = f"{error}: a gradient is None, for `{clues.line(spot)}` cuts the graph."
        yield Sighting(text, (), Confidence.LIKELY, spot=spot)


def none_of_a_leaf(clues: Clues, _findings: Findings) -> Iterator[Sighting]:
    """Tell that a gradient is None, and nothing cuts the graph."""
    error, _ = _error(clues)
    failing, spot = _none(clues)
    if failing is not None and spot is None:
        yield Sighting(f"{error}: a gradient is None.", (), Confidence.LIKELY, spot=failing)


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
    if ErrorWord.NO_LEAF in said:
        return failing, None
    spot = cut(clues)
    goes_on = spot is not None and _goes_on(clues.program.trees[file], spot.line, line)
    return failing, spot if goes_on else None


def _goes_on(tree: ast.Module, cut_at: int, end: int) -> bool:
    """Whether what is cut off in a line is used before another line: a copy kept is not."""
    made, used = set[str](), set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and node.lineno == cut_at:
            made |= {n.id for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name)}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            used |= {node.id} if cut_at < node.lineno < end else set()
    return cut_at < end and (not made or bool(made & used))
