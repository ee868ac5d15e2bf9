"""Checks of the hand-derived backward pass as a whole: on hard inputs, and from call to call."""

from __future__ import annotations

import numpy as np

from grader.checks.cache import dtype_line
from grader.checks.check import Conclusion, check, failed, judge, waits
from grader.checks.gradients import GRADIENTS
from grader.checks.gradients import runs as backward_runs
from grader.checks.relu import RELU
from grader.checks.sides import SHAPES, beyond_factors, with_real_size
from grader.checks.view import View, absent, number, trouble
from grader.problem.cases import EDGE, HUGE, LABEL_TYPES
from grader.problem.compare import CANCELLED, DIRECTIONAL, STEP, TINY
from grader.records import TENSORS, CheckStatus, Evidence, Mismatch

SLOWEST = 12.0
"""Ratio of processor times above which the work goes entry by entry. Measured at the realistic
size: vectorised answers 0.6 to 1.1, `einsum` without BLAS 2.2, a loop over examples with vectors
inside 3.5 (too near to be told apart fairly, so it passes), a loop over entries 36."""


def _beyond_factor(view: View, cases: tuple[str, ...], good: str) -> Conclusion:
    """All gradients on `cases`, past constant factors that other checks report already."""
    wrong = {tensor: f"backward.d{tensor}" for tensor in TENSORS}
    bad = "Some gradients are wrong on ordinary inputs already."
    breaks = (Mismatch.NOT_FINITE, Mismatch.RAISED)
    return beyond_factors(view, "backward", wrong, cases, good, bad, breaks)


@check(
    "backward.stable",
    "Huge logits give finite, right gradients",
    hint="Use the probabilities of the shifted softmax; never divide by them.",
    serves="Part 2: softmax and cross-entropy composed into one compact dZ2.",
    tensor="dZ2",
    condition="on huge logits",
)
def stable(view: View) -> Conclusion:
    """All gradients are right with logits of ±1e4, hopeless classes, very different rows."""
    return _beyond_factor(view, HUGE, "The gradients are finite and right on huge logits.")


@check(
    "backward.edge_sizes",
    "Small sizes, absent classes and any label type work backwards",
    hint="Reduce along named axes; take C from the logits' shape; never squeeze().",
    serves="All parts: correct shapes throughout.",
)
def edge_sizes(view: View) -> Conclusion:
    """Right for B = 1, H = 1, C = 2, absent classes, and labels as int32 and uint8."""
    cases = (*EDGE, "absent", *LABEL_TYPES)
    return _beyond_factor(view, cases, "Small sizes, absent classes and label types work.")


@check(
    "backward.own_loss",
    "The gradients are those of the candidate's own loss",
    hint="Compare with (loss(w + h) - loss(w - h)) / 2h on a few entries.",
    serves="Part 3: ideally finite differences too.",
    of_loss=True,
)
def own_loss(view: View) -> Conclusion:
    """Along one direction per tensor, the gradient equals a central difference of the own loss."""
    lines = [_difference(view, tensor) for tensor in TENSORS]
    return judge(lines, "The gradients are those of the loss that forward returns.")


def _difference(view: View, tensor: str) -> Evidence:
    plus, minus = (
        view.step(f"difference/{tensor}/{s}").arrays.get("loss") for s in ("plus", "minus")
    )
    got = view.step("backward/primes").arrays.get(tensor)
    what = f"d{tensor} along a random direction"
    direction = view.exam.paper.directions[tensor]
    if plus is None or minus is None or plus.size != 1 or minus.size != 1:
        return Evidence(
            what, "a central difference", "the loss is no single number", "primes", tensor=tensor
        )
    if got is None or got.size != direction.size:
        shape = "nothing" if got is None else f"shape {list(got.shape)}"
        return Evidence(what, f"shape [{SHAPES[tensor]}]", shape, "primes", tensor=tensor)
    with np.errstate(all="ignore"):
        want = float((plus - minus).reshape(())) / (2 * STEP)
        mine = float((got.reshape(direction.shape) * direction).sum())
    floor = CANCELLED * float(np.abs(got).max(initial=0.0) * np.abs(direction).max())
    error = abs(mine - want) / max(abs(want), floor, TINY)
    status, ratio = CheckStatus.of(error <= DIRECTIONAL), number(mine / want) if want else ""
    return Evidence(what, number(want), number(mine), "primes", ratio, status, tensor)


@check(
    "backward.uses_cache",
    "backward uses the cache it is given",
    hint="Read everything from the cache; keep nothing of the last forward in globals.",
    serves="Part 1: the cache is exactly what backward needs.",
)
def uses_cache(view: View) -> Conclusion:
    """After two forwards, the first one's cache still gives the first one's gradients."""
    lines = view.again("backward/primes", other="backward/first")
    lines += view.again("backward/square", other="backward/second")
    if not lines:
        return waits("There are no gradients to compare.", backward_runs.id)
    return judge(lines, "Each cache gives its own gradients.")


@check(
    "backward.repeatable",
    "A second backward gives the same",
    hint="Write into fresh arrays: no in-place operation on what the cache holds, no +=.",
    serves="All parts: awareness of in-place operations.",
)
def repeatable(view: View) -> Conclusion:
    """`backward(cache)` a second time, with the same cache, gives the same gradients."""
    returned = view.step("backward/primes").arrays
    lines = view.again("backward/primes", *(t for t in TENSORS if t in returned))
    return judge(lines, "The second call gives the same gradients.")


@check(
    "backward.float32",
    "float32 gradients for float32 inputs",
    hint="A float64 one-hot matrix or np.zeros(…) without dtype turns everything into float64.",
    serves="The problem statement: float64 and float32.",
)
def float32(view: View) -> Conclusion:
    """With float32 inputs every gradient is float32."""
    step = view.step("backward/float32")
    if not step.ok:
        line = absent(step, "gradients", "float32", "float32")
        return failed(f"backward on float32 inputs: {trouble(step, 'gradients')}.", line)
    lines = [dtype_line(f"d{t}", step.arrays[t]) for t in TENSORS if t in step.arrays]
    return judge(lines, "The gradients are float32.")


@check(
    "backward.vectorised",
    "The work is vectorised",
    needs=("forward.runs", "backward.runs"),
    hint="Replace loops over examples or entries by matrix products.",
    serves="All parts: NumPy as it is meant to be used.",
    beyond_numbers=True,
)
def vectorised(view: View) -> Conclusion:
    """At B=64, D=128, H=256, C=10 it takes at most 12 times the reference's processor time.

    What is right at small sizes has to be right there as well.
    """
    best = []
    for kind in ("forward", "backward"):
        steps = [n for n in view.observations.runs if n.startswith(f"{kind}/realistic/")]
        taken = [view.step(n).cpu_seconds for n in steps if view.step(n).ok]
        if not taken:
            words = trouble(view.step(f"{kind}/realistic/0"), kind)
            line = Evidence(f"{kind} at the realistic size", "an answer", words, "realistic")
            return failed(f"{kind} at the realistic size: {words}.", line)
        best.append(min(taken))
    ratio = sum(best) / sum(view.exam.reference_seconds)
    what, limit = "processor time over the reference's", f"at most {number(SLOWEST)}"
    status = CheckStatus.of(ratio <= SLOWEST)
    line = Evidence(what, limit, f"{ratio:.1f}", "realistic", verdict=status, numbers=(ratio,))
    given = (("forward", "loss"), *(("backward", tensor) for tensor in TENSORS))
    wrong = [bad for part, name in given for bad in _wrong_at_real_size(view, part, name)]
    return judge([line, *wrong], f"It takes {ratio:.1f} times the reference's time.")


def _wrong_at_real_size(view: View, part: str, name: str) -> list[Evidence]:
    """What is wrong in the calls that are timed, of a value that is right at a small size."""
    return with_real_size(view, part, name, [view.value(part, "primes", name)])[1:]


BACKWARD = (
    *(*GRADIENTS, *RELU, stable, own_loss, uses_cache),
    *(repeatable, float32, edge_sizes, vectorised),
)
