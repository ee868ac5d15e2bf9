"""A backward pass that evaluates the loss again and again, where a derivation was asked for."""

from __future__ import annotations

from collections.abc import Iterator

from grader.checks.view import View, number
from grader.diagnosis.numeric import make
from grader.diagnosis.sources import at
from grader.observe.trace import TracedValue
from grader.records import TENSORS, Defect

NEAR = 1e-3
"""Relative error up to which a gradient counts as the right one, differenced: a step of 1e-3 on
one side errs by about as much, and a wrong formula by far more."""


def numeric_gradient(view: View) -> Iterator[Defect]:
    """The defect, at the division by the step, when the gradients are near and the trace shows it.

    A loop over entries is no sign: it computes one number at a time. Here whole
    layers, [B, H] or [B, C], are evaluated at least once for every entry of W1.
    """
    came = view.observations["backward/primes"].arrays
    expected = view.expected("primes")
    errors = [
        expected.error(f"d{t}", came[t])
        for t in TENSORS
        if t in came and came[t].shape == expected[f"d{t}"].shape
    ]
    if not errors or not all(error <= NEAR for error in errors):
        return
    B, D, H, C = (expected.case.sizes[s] for s in "BDHC")
    repeated = [v for v in view.trace.values if v.phase == "backward" and v.count >= D * H]
    layers = [v for v in repeated if v.value.shape in ((B, H), (B, C))]
    if not layers:
        return
    times = max(v.count for v in layers)
    text = (
        f"backward evaluates the network {times} times, once or twice for each entry: its "
        f"gradients are differences (off by {number(max(errors))} of their size), not derived."
    )
    defect = make("numeric-gradient", text, tuple(t for t in TENSORS if t in came))
    quotients = (v for v in repeated if _is_quotient(view, v))
    place = next(quotients, layers[0])
    yield at(defect, place, view.trace)


def _is_quotient(view: View, value: TracedValue) -> bool:
    return value.value.size == 1 and "/" in view.trace.text(value)
