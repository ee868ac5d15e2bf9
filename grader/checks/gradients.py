"""Checks of each gradient by hand: its shape, its value, and how often 1/B is in it."""

from __future__ import annotations

import numpy as np

from grader.checks.check import Check, Outcome, check, failed, judge, passed, waits
from grader.checks.view import View, factor_value, number, proportion, symbols, trouble
from grader.records import TENSORS, Array, CheckStatus, Evidence

FACTOR_WORDS = {
    "1": "it is right at this size; see the other cases",
    "B": "1/B is missing; divide by the batch size once, in dZ2",
    "1/B": "1/B is in it twice; divide by the batch size once, in dZ2",
    "1/C": "it is divided by C; what is averaged is the batch",
    "1/(B·C)": "it is divided by C; what is averaged is the batch, not its entries",
    "-1": "its sign is turned; dZ2 is the probabilities minus the one-hot labels",
    "-B": "1/B is missing, and its sign is turned; dZ2 is (probabilities - one-hot) / B",
}
"""What the candidate reads of a gradient that is one of `FACTORS` too large."""

VALUE_CASES = ("primes", "more_rows", "square")

REQUIREMENTS = {
    "W1": "dW1 [D, H] = X.T @ dZ1",
    "b1": "db1 [H], summed over the batch axis",
    "W2": "dW2 [H, C] = H1.T @ dZ2",
    "b2": "db2 [C], summed over the batch axis",
    "X": "dX [B, D] = dZ1 @ W1.T",
}
SHAPES = {"W1": "D, H", "b1": "H", "W2": "H, C", "b2": "C", "X": "B, D"}


@check(
    "backward.runs",
    "backward can be called",
    needs=("forward.runs",),
    hint="Define backward(cache) and return a mapping with the keys W1, b1, W2, b2, X.",
    serves="Part 2: the backward pass by hand.",
)
def runs(view: View) -> Outcome:
    """`backward(cache)` returns a mapping of gradients on ordinary input."""
    step = view.step("backward/primes")
    if step.ok:
        return passed("backward returned its gradients.")
    return failed(f"backward: {trouble(step, 'gradient')}.")


def _shape_check(tensor: str) -> Check:
    @check(
        f"backward.d{tensor}_shape",
        f"d{tensor} has shape [{SHAPES[tensor]}]",
        needs=("backward.runs",),
        hint=f"A gradient has the shape of its tensor: {tensor} is [{SHAPES[tensor]}].",
        serves=f"Part 2: {REQUIREMENTS[tensor]}.",
    )
    def shape(view: View) -> Outcome:
        lines = []
        for case in VALUE_CASES:
            expected = view.expected(case)
            want, sizes = expected[f"d{tensor}"].shape, expected.case.sizes
            step = view.step(f"backward/{case}")
            got = step.arrays.get(tensor)
            observed = trouble(step, f"d{tensor}") if got is None else symbols(got.shape, sizes)
            ok = got is not None and got.shape == want
            status = CheckStatus.PASS if ok else CheckStatus.FAIL
            wanted = f"[{SHAPES[tensor]}] = {list(want)}"
            line = Evidence(f"shape of d{tensor}", wanted, observed, case, verdict=status)
            lines.append(line)
        return judge(lines, f"d{tensor} has the shape of {tensor}.")

    return shape


def _value_check(tensor: str) -> Check:
    @check(
        f"backward.d{tensor}",
        f"d{tensor} is right",
        needs=("backward.runs",),
        hint=f"Derive it again from dZ2 [B, C] downwards: {REQUIREMENTS[tensor]}.",
        serves=f"Part 2: {REQUIREMENTS[tensor]}.",
    )
    def value(view: View) -> Outcome:
        lines = [view.value(f"backward/{c}", c, tensor) for c in VALUE_CASES]
        outcome = judge(lines, f"d{tensor} equals autograd's.")
        factor = view.factor("backward", tensor)
        if outcome.status is CheckStatus.FAIL and factor is not None:
            sizes = view.expected("primes").case.sizes
            times = number(factor_value(factor, sizes))
            text = f"d{tensor} is {times} × the expected gradient at B={sizes['B']}"
            return failed(f"{text}: {FACTOR_WORDS[factor]}.", *outcome.evidence)
        return outcome

    return value


def _describe_generated(item: Check, text: str) -> Check:
    """The check with its docstring, which a closure cannot format itself."""
    from dataclasses import replace

    return replace(item, asserts=text)


SHAPE_CHECKS = tuple(
    _describe_generated(_shape_check(t), f"`d{t}` has the shape [{SHAPES[t]}] of `{t}`.")
    for t in TENSORS
)
VALUE_CHECKS = tuple(
    _describe_generated(_value_check(t), f"`d{t}` equals autograd's on float64 inputs.")
    for t in TENSORS
)


@check(
    "backward.batch_mean",
    "1/B enters exactly once",
    needs=("backward.runs",),
    hint="Divide dZ2 by B, once; everything below inherits it.",
    serves="Part 2: 1/B flows from dZ2 and is not applied again.",
)
def batch_mean(view: View) -> Outcome:
    """No gradient's ratio to the expected one is a size: not at B = 5, not at B = 17."""
    lines = []
    for tensor in TENSORS:
        factor = view.factor("backward", tensor)
        per_case = []
        for case in ("primes", "more_rows"):
            got = view.step(f"backward/{case}").arrays.get(tensor)
            want = view.expected(case)[f"d{tensor}"]
            fits = got is not None and got.size == want.size
            ratio = proportion(got.reshape(want.shape), want) if fits and got is not None else None
            per_case.append("no constant ratio" if ratio is None else number(ratio))
        sizes = " and ".join(str(view.expected(c).case.sizes["B"]) for c in ("primes", "more_rows"))
        what = f"d{tensor} over the expected, at B = {sizes}"
        bad = factor not in (None, "1", "-1") or (factor is None and _scales_wrongly(view, tensor))
        status = CheckStatus.FAIL if bad else CheckStatus.PASS
        observed = " and ".join(dict.fromkeys(per_case))
        lines.append(Evidence(what, "1", observed, verdict=status))
    return judge(lines, "1/B enters every gradient exactly once.")


def _scales_wrongly(view: View, tensor: str) -> bool:
    """For a gradient wrong in another way: whether doubling the batch shows a missing 1/B."""
    line = _duplicated(view, tensor)
    return line is not None and line.verdict is not CheckStatus.PASS


def _duplicated(view: View, tensor: str) -> Evidence | None:
    """The gradient of the doubled batch against the single one; None when it cannot be told."""
    once = view.step("backward/primes").arrays.get(tensor)
    twice = view.step("backward/duplicated").arrays.get(tensor)
    if once is None or twice is None or _is_nothing(view, once):
        return None
    wanted = 1.0
    if tensor == "X":
        rows = view.expected("primes").case.sizes["B"]
        if twice.shape[:1] != (2 * rows,):
            return None
        once, twice, wanted = once, twice[:rows], 0.5
    if once.shape != twice.shape:
        return None
    ratio = proportion(twice, once)
    ok = ratio is not None and abs(ratio - wanted) <= 1e-6
    words = "no constant ratio" if ratio is None else number(ratio)
    what = f"d{tensor} of the batch twice over d{tensor}"
    status = CheckStatus.PASS if ok else CheckStatus.FAIL
    return Evidence(what, number(wanted), words, "duplicated", verdict=status)


def _is_nothing(view: View, gradient: Array) -> bool:
    """Whether a gradient on `primes` is zero but for rounding, and so has no ratio to any other.

    The sum of all of dZ2 is: what is left of it differs from seed to seed, and says nothing.
    """
    expected = view.expected("primes")
    with np.errstate(all="ignore"):
        size = float(np.abs(gradient).max(initial=0.0))
    return size <= expected.limit() / expected.case.sizes["B"]


@check(
    "backward.duplicate",
    "The batch twice gives the same gradients",
    needs=("backward.runs",),
    hint="A mean over the batch does not change when every example occurs twice; "
    "each row of dX then counts half.",
    serves="Part 2: 1/B consistent between the loss and every gradient.",
)
def duplicate(view: View) -> Outcome:
    """Doubling the batch leaves the parameters' gradients alone and halves the rows of dX."""
    lines = [line for t in TENSORS if (line := _duplicated(view, t)) is not None]
    if not lines:
        return waits("The gradients of the batch and its double cannot be compared.", *_SHAPE_IDS)
    return judge(lines, "Parameter gradients stay, the rows of dX halve.")


_SHAPE_IDS = tuple(f"backward.d{t}_shape" for t in TENSORS)


GRADIENTS = (runs, *SHAPE_CHECKS, *VALUE_CHECKS, batch_mean, duplicate)
