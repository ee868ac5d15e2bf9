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
    """Tell that the gradients are differences of the loss, or its tangents, and not derived."""
    derivation, errors = clues.derivation, _errors(clues)
    if not errors or not all(error <= NEAR for error in errors.values()):
        return
    tensors, off = tuple(errors), number(max(errors.values()))
    again = derivation.evaluations
    if again is not None and not _checks_itself(clues):
        step = "an imaginary step" if again.complex_step else "a step"
        text = (
            f"backward evaluates the network {again.count} times with {step} in its inputs: its "
            f"gradients are differences (off by {off} of their size), not derived."
        )
        quotients = (v for v in derivation.near(again.at) if _is_quotient(clues, v))
        spot = spot_of(next(quotients, again.at))
        yield Sighting(text, tensors, part=Part.BACKWARD, spot=spot)
    elif again is None and derivation.tangents is not None and not derivation.has_whole:
        text = (
            "backward carries the derivatives of Z2 by each entry of a leaf forwards through the "
            "network (dual numbers): nothing is derived backwards."
        )
        spot = spot_of(derivation.tangents)
        yield Sighting(text, tensors, part=Part.BACKWARD, spot=spot)


def unclear(clues: Clues, _findings: Findings) -> Iterator[Sighting]:
    """Tell that right gradients come in a way that a person has to look at."""
    derivation, limit = clues.derivation, clues.view.expected("primes").limit()
    errors = _errors(clues)
    if not any(error <= limit for error in errors.values()):
        return
    spot, text = derivation.engine, ""
    if spot is not None:
        text = (
            "The gradients come out of an engine that differentiates any network, written by the "
            "candidate: no derivation for this one is there to be seen."
        )
    elif derivation.evaluations is not None and _checks_itself(clues):
        spot = spot_of(derivation.evaluations.at)
        text = (
            f"backward evaluates the network {derivation.evaluations.count} times at moved inputs, "
            f"beside a derivation: which of the two gives the gradients is not clear."
        )
    elif derivation.evaluations is None and derivation.is_hidden:
        text = "The gradients are right, and no expression of the file is seen to compute them."
    if text:
        tensors = tuple(errors) if derivation.is_hidden else ()
        yield Sighting(text, tensors, part=Part.BACKWARD, spot=spot)


def _errors(clues: Clues) -> dict[str, float]:
    """The relative errors of the gradients of `primes` that have their shape, by tensor."""
    came, expected = (
        clues.view.observations["backward/primes"].arrays,
        clues.view.expected("primes"),
    )
    return {
        t: expected.error(f"d{t}", came[t])
        for t in TENSORS
        if t in came and came[t].shape == expected[f"d{t}"].shape
    }


def _checks_itself(clues: Clues) -> bool:
    """Whether beside the differences there is a derivation, and the gradients are exact."""
    limit = clues.view.expected("primes").limit()
    return clues.derivation.is_derived and all(e <= limit for e in _errors(clues).values())


def _is_quotient(clues: Clues, value: TracedValue) -> bool:
    return value.value.size == 1 and "/" in clues.view.trace.text(value)
