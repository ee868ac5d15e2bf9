"""Checks of each gradient by hand: its shape, its value, and how often 1/B is in it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from grader.checks.check import Check, Conclusion, check, judge, waits
from grader.checks.sides import SHAPES, no_ratio, returned, scaled, values, with_real_size
from grader.checks.view import View, absent, number, symbols
from grader.problem.compare import PROPORTIONAL, factor_value, proportion
from grader.records import TENSORS, Array, CheckStatus, Evidence, Mismatch

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


@check(
    "backward.runs",
    "backward can be called",
    needs=("forward.runs",),
    hint="Define backward(cache) and return a mapping with the keys W1, b1, W2, b2, X.",
    serves="Part 2: the backward pass by hand.",
)
def runs(view: View) -> Conclusion:
    """`backward(cache)` returns a mapping of gradients on ordinary input."""
    return returned(view, "backward", "backward", "gradient", "backward returned its gradients.")


def _shape_check(tensor: str) -> Check:
    @check(
        f"backward.d{tensor}_shape",
        f"d{tensor} has shape [{SHAPES[tensor]}]",
        hint=f"A gradient has the shape of its tensor: {tensor} is [{SHAPES[tensor]}].",
        serves=f"Part 2: {REQUIREMENTS[tensor]}.",
        asserts=f"`d{tensor}` has the shape [{SHAPES[tensor]}] of `{tensor}`.",
        tensor=f"d{tensor}",
    )
    def shape(view: View) -> Conclusion:
        lines = [_shape_of(view, case, tensor) for case in VALUE_CASES]
        return judge(lines, f"d{tensor} has the shape of {tensor}.")

    return shape


def _shape_of(view: View, case: str, tensor: str) -> Evidence:
    expected, step = view.expected(case), view.step(f"backward/{case}")
    what, want = f"shape of d{tensor}", expected[f"d{tensor}"].shape
    wanted, got = f"[{SHAPES[tensor]}] = {list(want)}", step.arrays.get(tensor)
    if got is None:
        return replace(absent(step, f"d{tensor}", wanted, case, tensor), what=what)
    status = CheckStatus.of(got.shape == want)
    words = symbols(got.shape, expected.case.sizes)
    return Evidence(what, wanted, words, case, "", status, tensor, Mismatch.SHAPE)


def _value_check(tensor: str) -> Check:
    @check(
        f"backward.d{tensor}",
        f"d{tensor} is right",
        hint=f"Derive it again from dZ2 [B, C] downwards: {REQUIREMENTS[tensor]}.",
        serves=f"Part 2: {REQUIREMENTS[tensor]}.",
        asserts=f"`d{tensor}` equals autograd's on float64 inputs.",
        tensor=f"d{tensor}",
    )
    def value(view: View) -> Conclusion:
        lines, bad = values(view, "backward", tensor, VALUE_CASES), ""
        lines = with_real_size(view, "backward", tensor, lines)
        factor = view.factor("backward", tensor)
        if factor is not None:
            sizes = view.expected("primes").case.sizes
            times = number(factor_value(factor, sizes))
            bad = f"d{tensor} is {times} × the expected gradient at B={sizes['B']}"
            bad += f": {FACTOR_WORDS[factor]}."
        return judge(lines, f"d{tensor} equals autograd's.", bad)

    return value


SHAPE_CHECKS = tuple(map(_shape_check, TENSORS))
VALUE_CHECKS = tuple(map(_value_check, TENSORS))
LAYERS = (("W2", "b2"), ("W1", "b1", "X"))
"""The gradients of the second layer, and those below it."""


@check(
    "backward.batch_mean",
    "1/B enters exactly once",
    hint="Divide dZ2 by B, once; everything below inherits it.",
    serves="Part 2: 1/B flows from dZ2 and is not applied again.",
)
def batch_mean(view: View) -> Conclusion:
    """No gradient's ratio to the expected one is a size: not at B = 5, not at B = 17.

    It takes a gradient of either layer to tell.
    """
    if absent_layers := _layers_without_gradient(view):
        return waits("Not assessed: a layer's gradients did not come.", *absent_layers)
    lines = [_mean_of(view, tensor) for tensor in TENSORS]
    return judge(lines, "1/B enters every gradient exactly once.")


def _layers_without_gradient(view: View) -> tuple[str, ...]:
    """The value checks of the layers none of whose gradients came."""
    came = view.step("backward/primes").arrays
    gone = [layer for layer in LAYERS if not any(t in came for t in layer)]
    return tuple(
        c.id for layer in gone for c in VALUE_CHECKS if c.tensor.removeprefix("d") in layer
    )


def _mean_of(view: View, tensor: str) -> Evidence:
    ratios, sizes = [], []
    for case in ("primes", "more_rows"):
        expected = view.expected(case)
        got = view.step(f"backward/{case}").arrays.get(tensor)
        ratio = None if got is None else proportion(got, expected[f"d{tensor}"])
        ratios.append(no_ratio(None if ratio is None else number(ratio)))
        sizes.append(str(expected.case.sizes["B"]))
    factor, words = view.factor("backward", tensor), " and ".join(dict.fromkeys(ratios))
    bad = _scales_wrongly(view, tensor) if factor is None else scaled(factor)
    what = f"d{tensor} over the expected, at B = {' and '.join(sizes)}"
    return Evidence(what, "1", words, verdict=CheckStatus.of(not bad), tensor=tensor)


def _scales_wrongly(view: View, tensor: str) -> bool:
    """For a gradient wrong in another way: whether doubling the batch shows a missing 1/B."""
    line = _duplicated(view, tensor)
    return line is not None and not line.good


def _duplicated(view: View, tensor: str) -> Evidence | None:
    """The gradient of the doubled batch against the single one; None when it cannot be told."""
    once = view.step("backward/primes").arrays.get(tensor)
    twice = view.step("backward/duplicated").arrays.get(tensor)
    if once is None or twice is None or _is_rounding(view, once):
        return None
    wanted = 1.0
    if tensor == "X":
        rows = view.expected("primes").case.sizes["B"]
        if twice.shape[:1] != (2 * rows,):
            return None
        twice, wanted = twice[:rows], 0.5
    if once.shape != twice.shape:
        return None
    ratio = proportion(twice, once)
    status = CheckStatus.of(ratio is not None and abs(ratio - wanted) <= PROPORTIONAL)
    words = no_ratio(None if ratio is None else number(ratio))
    what = f"d{tensor} of the batch twice over d{tensor}"
    return Evidence(what, number(wanted), words, "duplicated", "", status, tensor)


def _is_rounding(view: View, gradient: Array) -> bool:
    """Whether a gradient on `primes` is zero but for rounding, and so has no ratio to any other.

    The sum of all of dZ2 is: what is left of it differs from seed to seed, and says nothing.
    """
    expected = view.expected("primes")
    with np.errstate(all="ignore"):
        size = float(np.abs(gradient).max(initial=0.0))
    return size <= expected.limit() * expected.natural_size("dX")


@check(
    "backward.duplicate",
    "The batch twice gives the same gradients",
    hint="A mean over the batch does not change when every example occurs twice; "
    "each row of dX then counts half.",
    serves="Part 2: 1/B consistent between the loss and every gradient.",
)
def duplicate(view: View) -> Conclusion:
    """Doubling the batch leaves the parameters' gradients alone and halves the rows of dX."""
    if absent_layers := _layers_without_gradient(view):
        return waits("Not assessed: a layer's gradients did not come.", *absent_layers)
    lines = [line for t in TENSORS if (line := _duplicated(view, t)) is not None]
    if not lines:
        text = "The gradients of the batch and its double cannot be compared."
        return waits(text, *(check.id for check in SHAPE_CHECKS))
    return judge(lines, "Parameter gradients stay, the rows of dX halve.")


GRADIENTS = (runs, *SHAPE_CHECKS, *VALUE_CHECKS, batch_mean, duplicate)
