"""How kinds of the two passes show otherwise than by a wrong formula."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from grader.defects.clues import Clues, spot_of
from grader.defects.facts import mask_source, recomputes_forward
from grader.defects.kind import Sighting
from grader.defects.sites.network import closes_the_mask, divides_by_probabilities
from grader.records import TENSORS, Confidence, Finding, Mismatch, Part

Findings = Sequence[Finding]


def names_of(tensors: Sequence[str]) -> str:
    """Return the gradients' names for a sentence: `dW1, db1`."""
    return ", ".join(f"d{t}" for t in tensors)


def not_returned(clues: Clues, _findings: Findings) -> Iterator[Sighting]:
    """Tell that some gradients come back, and others never."""
    if clues.numpy and clues.numpy.missing:
        missing = clues.numpy.missing
        yield Sighting(f"{names_of(missing)}: not returned.", missing)


def no_subgradient(clues: Clues, findings: Findings) -> Iterator[Sighting]:
    """Tell that at exact zeros of Z1 the gradient is that of no slope in [0, 1]."""
    spot = closes_the_mask(clues)
    yield Sighting(findings[0].message, ("W1", "b1", "X"), Confidence.LIKELY, spot=spot)


def other_slope(_clues: Clues, findings: Findings) -> Iterator[Sighting]:
    """Tell that at exact zeros of Z1 the gradient passes with a slope that is not PyTorch's."""
    if any(abs(slope) >= 5e-7 for line in findings[0].evidence for slope in line.numbers):
        yield Sighting(findings[0].message)


def broken_by_huge_logits(clues: Clues, findings: Findings) -> Iterator[Sighting]:
    """Tell that only huge logits break gradients, though the loss is right there."""
    account = clues.numpy
    if account is None or account.explanation.forward or account.explanation.unexplained:
        return
    if any(culprit.fault.step == "P_used" for culprit in account.explanation.backward):
        return
    bad = [line for line in findings[0].evidence if not line.good]
    if not all(line.mismatch is Mismatch.NOT_FINITE for line in bad):
        return
    tensors = tuple(t for t in TENSORS if any(line.tensor == t for line in bad))
    text = f"{names_of(tensors)}: not finite on huge logits, and right on ordinary ones"
    text = f"{text}: a probability may be rounded to zero."
    spot = divides_by_probabilities(clues)
    yield Sighting(text, tensors, Confidence.LIKELY, spot=spot)


def gate_from_activation(clues: Clues, _findings: Findings) -> Iterator[Sighting]:
    """Tell that the mask is read off H1: the same numbers."""
    if not _is_explained(clues):
        return
    gate = mask_source(clues.named)
    if gate is not None and "H1" in gate.source:
        text = "The gate is read off H1, not off the cached pre-activation Z1 (the same numbers)."
        yield Sighting(text, spot=spot_of(gate.at))


def forward_again(clues: Clues, _findings: Findings) -> Iterator[Sighting]:
    """Tell that backward computes what the forward has computed: the same numbers."""
    if _is_explained(clues) and (again := recomputes_forward(clues.named)):
        text = "backward computes again what the forward has computed."
        yield Sighting(text, part=Part.BACKWARD, spot=spot_of(again[0]))


def _is_explained(clues: Clues) -> bool:
    """Whether the trace shows habits: nothing is unexplained there, and the gate is right."""
    account = clues.numpy
    if account is None or not clues.view.trace.values or account.explanation.unexplained:
        return False
    return not any(c.fault.code.startswith("relu-") for c in account.culprits)
