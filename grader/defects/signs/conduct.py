"""How kinds show in what an answer does between calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from grader.checks.view import number
from grader.defects.clues import Clues, spot_of
from grader.defects.kind import Sighting
from grader.observe.trace import TracedValue
from grader.problem.compare import proportion
from grader.records import TENSORS, Ended, Finding, Mismatch, Part
from grader.source.program import Spot
from grader.source.reaching import reaching

Findings = Sequence[Finding]

NEAR = 1e-3
"""Relative error up to which a gradient counts as the right one, differenced: a step of 1e-3 on
one side errs by about as much, and a wrong formula by far more."""


def changed_argument(_clues: Clues, findings: Findings) -> Iterator[Sighting]:
    """Tell that an argument has other numbers after the call."""
    changed = [e.tensor for e in findings[0].evidence if e.mismatch is Mismatch.CHANGED]
    tensors = tuple(t for t in TENSORS if t in changed)
    text = f"{', '.join(changed)}: changed in place by the call."
    yield Sighting(text, tensors, part=Part.FORWARD)


def another_loss(clues: Clues, _findings: Findings) -> Iterator[Sighting]:
    """Tell that the second call of forward gives another loss."""
    if clues.ended("forward/primes/again"):
        yield Sighting("The same forward gives another loss the second time.", part=Part.FORWARD)


def other_gradients(clues: Clues, _findings: Findings) -> Iterator[Sighting]:
    """Tell that after a second forward, the first cache gives other gradients."""
    if clues.ended("backward/first", "backward/second"):
        text = "After a second forward, backward(first cache) gives other gradients."
        yield Sighting(text, part=Part.BACKWARD)


def added_gradients(clues: Clues, _findings: Findings) -> Iterator[Sighting]:
    """Tell that a second backward gives a multiple of the first one's gradients."""
    if clues.ended("backward/primes/again"):
        changed, times = _second_call(clues)
        if times is not None:
            text = f"A second backward gives {number(times)} × what the first gave"
            yield Sighting(f"{text}: it adds to that.", changed, part=Part.BACKWARD)


def spoilt_cache(clues: Clues, _findings: Findings) -> Iterator[Sighting]:
    """Tell that a second backward gives other gradients, and no multiple of the first one's."""
    if clues.ended("backward/primes/again"):
        changed, times = _second_call(clues)
        if times is None:
            text = "A second backward with the same cache gives others."
            yield Sighting(text, changed, part=Part.BACKWARD)


def _second_call(clues: Clues) -> tuple[tuple[str, ...], float | None]:
    """The tensors whose gradient changes, and the factor above one by which all of them do."""
    runs = clues.view.observations
    first, again = (runs[f"backward/primes{s}"].arrays for s in ("", "/again"))
    both = [t for t in TENSORS if t in first and t in again and first[t].shape == again[t].shape]
    changed = tuple(t for t in both if not np.allclose(first[t], again[t], rtol=1e-9))
    ratios = [proportion(again[t], first[t]) for t in changed]
    times = ratios[0] if ratios else None
    adds = times is not None and times > 1 and all(r and abs(r - times) <= 1e-6 for r in ratios)
    return changed, times if adds else None


def fewer_classes(clues: Clues, _findings: Findings) -> Iterator[Sighting]:
    """Tell that right with every class in the batch; raising without the last."""
    runs = clues.view.observations
    ends = {runs[f"{side}/absent"].ended for side in ("forward", "backward")}
    ordinary = runs["forward/primes"].ok and runs["backward/primes"].ok
    if ordinary and ends & {Ended.RAISED, Ended.BAD_RETURN}:
        text = "It goes wrong when the last class is absent from the batch: C is taken from y."
        yield Sighting(text, part=Part.FORWARD)


def reaches_in(clues: Clues, _findings: Findings) -> Iterator[Sighting]:
    """Tell that the source names the grader's own code, or that this was found changed."""
    if changed := clues.view.verification.changed:
        text = f"Code of the grader was changed in the submission's process: {changed[0]}."
        yield Sighting(text)
        return
    for path, tree in clues.program.trees.items():
        for node in reaching(tree):
            line = getattr(node, "lineno", 0)
            spot = Spot(path, line, line)
            text = "It reaches into the grader's own code"
            yield Sighting(f"{text}: {(clues.line(spot) or '').strip()[:80]}", spot=spot)
            return


def differenced(clues: Clues, _findings: Findings) -> Iterator[Sighting]:
    """Tell that backward evaluates the network for every entry of W1, and comes near.

    A loop over entries is no sign: it computes one number at a time. Here whole layers, [B, H]
    or [B, C], are evaluated again and again. The line is that of the division by the step.
    """
    view = clues.view
    came, expected = view.observations["backward/primes"].arrays, view.expected("primes")
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
    text = (
        f"backward evaluates the network {max(v.count for v in layers)} times, once or twice for "
        f"each entry: its gradients are differences (off by {number(max(errors))} of their size), "
        f"not derived."
    )
    place = next((v for v in repeated if _is_quotient(clues, v)), layers[0])
    tensors = tuple(t for t in TENSORS if t in came)
    yield Sighting(text, tensors, part=Part.BACKWARD, spot=spot_of(place))


def _is_quotient(clues: Clues, value: TracedValue) -> bool:
    return value.value.size == 1 and "/" in clues.view.trace.text(value)
