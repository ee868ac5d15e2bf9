"""Checks of the hand-derived backward pass."""

from __future__ import annotations

import numpy as np

from grader.checks.cache import dtype_line
from grader.checks.check import Check, Outcome, check, failed, judge, passed, waits
from grader.checks.seen import Seen, factor_value, number, proportion, same_again, symbols, trouble
from grader.problem.cases import EDGE, HUGE, LABEL_TYPES
from grader.problem.tolerances import FINITE_DIFFERENCE, STEP
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

SLOWEST = 12.0
"""Ratio of processor times above which the work goes entry by entry. Measured at the realistic
size: vectorised answers 0.6 to 1.1, `einsum` without BLAS 2.2, a loop over examples with vectors
inside 3.5 (too near to be told apart fairly, so it passes), a loop over entries 36."""

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
def runs(seen: Seen) -> Outcome:
    """`backward(cache)` returns a mapping of gradients on ordinary input."""
    step = seen.step("backward/primes")
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
    def shape(seen: Seen) -> Outcome:
        lines = []
        for case in VALUE_CASES:
            expected = seen.expected(case)
            want, sizes = expected[f"d{tensor}"].shape, expected.case.sizes
            step = seen.step(f"backward/{case}")
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
    def value(seen: Seen) -> Outcome:
        lines = [seen.value(f"backward/{c}", c, tensor) for c in VALUE_CASES]
        outcome = judge(lines, f"d{tensor} equals autograd's.")
        factor = seen.factor("backward", tensor)
        if outcome.status is CheckStatus.FAIL and factor is not None:
            sizes = seen.expected("primes").case.sizes
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
def batch_mean(seen: Seen) -> Outcome:
    """No gradient's ratio to the expected one is a size: not at B = 5, not at B = 17."""
    lines = []
    for tensor in TENSORS:
        factor = seen.factor("backward", tensor)
        per_case = []
        for case in ("primes", "more_rows"):
            got = seen.step(f"backward/{case}").arrays.get(tensor)
            want = seen.expected(case)[f"d{tensor}"]
            fits = got is not None and got.size == want.size
            ratio = proportion(got.reshape(want.shape), want) if fits and got is not None else None
            per_case.append("no constant ratio" if ratio is None else number(ratio))
        sizes = " and ".join(str(seen.expected(c).case.sizes["B"]) for c in ("primes", "more_rows"))
        what = f"d{tensor} over the expected, at B = {sizes}"
        bad = factor not in (None, "1", "-1") or (factor is None and _scales_wrongly(seen, tensor))
        status = CheckStatus.FAIL if bad else CheckStatus.PASS
        observed = " and ".join(dict.fromkeys(per_case))
        lines.append(Evidence(what, "1", observed, verdict=status))
    return judge(lines, "1/B enters every gradient exactly once.")


def _scales_wrongly(seen: Seen, tensor: str) -> bool:
    """For a gradient wrong in another way: whether doubling the batch shows a missing 1/B."""
    line = _duplicated(seen, tensor)
    return line is not None and line.verdict is not CheckStatus.PASS


def _duplicated(seen: Seen, tensor: str) -> Evidence | None:
    """The gradient of the doubled batch against the single one; None when it cannot be told."""
    once = seen.step("backward/primes").arrays.get(tensor)
    twice = seen.step("backward/duplicated").arrays.get(tensor)
    if once is None or twice is None or _is_nothing(seen, once):
        return None
    wanted = 1.0
    if tensor == "X":
        rows = seen.expected("primes").case.sizes["B"]
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


def _is_nothing(seen: Seen, gradient: Array) -> bool:
    """Whether a gradient on `primes` is zero but for rounding, and so has no ratio to any other.

    The sum of all of dZ2 is: what is left of it differs from seed to seed, and says nothing.
    """
    expected = seen.expected("primes")
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
def duplicate(seen: Seen) -> Outcome:
    """Doubling the batch leaves the parameters' gradients alone and halves the rows of dX."""
    lines = [line for t in TENSORS if (line := _duplicated(seen, t)) is not None]
    if not lines:
        return waits("The gradients of the batch and its double cannot be compared.", *_SHAPE_IDS)
    return judge(lines, "Parameter gradients stay, the rows of dX halve.")


_SHAPE_IDS = tuple(f"backward.d{t}_shape" for t in TENSORS)


def _recovered(seen: Seen, case: str) -> Array | None:
    """dZ1 [B, H] from the candidate's dW1 = X.T @ dZ1: unique, for D > B and X has full rank."""
    got = seen.step(f"backward/{case}").arrays.get("W1")
    expected = seen.expected(case)
    if got is None or got.shape != expected["dW1"].shape or not np.isfinite(got).all():
        return None
    dZ1, *_ = np.linalg.lstsq(expected.case.X.T, got.astype(np.float64), rcond=None)
    consistent = np.abs(expected.case.X.T @ dZ1 - got).max() <= 1e-9 * np.abs(got).max()
    return np.asarray(dZ1) if consistent else None


@check(
    "backward.relu_mask",
    "The gradient passes where Z1 > 0, and only there",
    needs=("backward.runs",),
    hint="dZ1 = dH1 * (Z1 > 0), with the Z1 that forward put into the cache.",
    serves="Part 2: ReLU gated by the cached pre-activation.",
)
def relu_mask(seen: Seen) -> Outcome:
    """The dZ1 recovered from dW1 is zero exactly where the pre-activation is not positive."""
    dZ1 = _recovered(seen, "primes")
    expected = seen.expected("primes")
    if dZ1 is None:
        return waits("dW1 is no X.T @ dZ1, so its mask cannot be read.", "backward.dW1")
    tiny = 1e-9 * max(float(np.abs(dZ1).max()), 1e-300)
    passes = np.abs(dZ1) > tiny
    wrong = passes & (expected["Z1"] <= 0)
    blocked = ~passes & (np.abs(expected["dZ1"]) > 1e-9)
    inactive, active = int((expected["Z1"] <= 0).sum()), int((expected["Z1"] > 0).sum())
    lines = [
        Evidence(
            "inactive entries (Z1 ≤ 0) that pass a gradient",
            "0",
            f"{int(wrong.sum())} of {inactive}",
            "primes",
            verdict=CheckStatus.FAIL if wrong.any() else CheckStatus.PASS,
        ),
        Evidence(
            "active entries (Z1 > 0) that pass none",
            "0",
            f"{int(blocked.sum())} of {active}",
            "primes",
            verdict=CheckStatus.FAIL if blocked.any() else CheckStatus.PASS,
        ),
    ]
    return judge(lines, "The gradient passes exactly where Z1 > 0.")


@check(
    "backward.relu_zero",
    "The convention at z = 0 is a subgradient",
    needs=("backward.runs",),
    hint="At exactly z = 0 any slope in [0, 1] is right; PyTorch takes 0. Say which you take.",
    serves="Part 2: the convention at z = 0.",
)
def relu_zero(seen: Seen) -> Outcome:
    """At exact zeros of Z1 the gradient is passed with a slope in [0, 1]; which one is reported."""
    dZ1, expected = _recovered(seen, "zeros"), seen.expected("zeros")
    dH1, Z1 = expected["dH1"], expected["Z1"]
    large = np.abs(dH1) > 1e-6 * np.abs(dH1).max()
    at_zero, active = (Z1 == 0) & large, (Z1 > 0) & large
    if _only_zeros_break(seen):
        line = Evidence("dW1 with zeros in Z1", "finite", "not finite", "zeros")
        return failed("At z = 0 the gradient is not finite.", line)
    if dZ1 is None:
        return waits("dW1 is no X.T @ dZ1, so the slope at zero cannot be read.", "backward.dW1")
    factor = proportion(dZ1[active], dH1[active])
    if factor is None:
        return waits("dZ1 is wrong away from zero already.", "backward.dW1")
    slopes = dZ1[at_zero] / (factor * dH1[at_zero])
    low, high = float(slopes.min()), float(slopes.max())
    ok = low >= -1e-6 and high <= 1 + 1e-6
    words = number(round(low, 6) + 0.0) if high - low < 1e-6 else f"{number(low)} to {number(high)}"
    status = CheckStatus.PASS if ok else CheckStatus.FAIL
    line = Evidence("slope at z = 0", "within [0, 1]", words, "zeros", verdict=status)
    same = "as in PyTorch" if abs(high) < 1e-6 else "PyTorch takes 0; both are subgradients"
    return judge([line], f"The slope at z = 0 is {words} ({same}).")


def _only_zeros_break(seen: Seen) -> bool:
    """Whether dW1 is finite on ordinary input, and not where Z1 has zeros."""
    plain, zeros = (seen.step(f"backward/{c}").arrays.get("W1") for c in ("primes", "zeros"))
    if plain is None or zeros is None:
        return False
    return bool(np.isfinite(plain).all() and not np.isfinite(zeros).all())


def _past_factor(seen: Seen, cases: tuple[str, ...], good: str) -> Outcome:
    """All gradients on `cases`, past constant factors that other checks report already."""
    lines: list[Evidence] = []
    hidden = []
    for tensor in TENSORS:
        factor = seen.factor("backward", tensor)
        values = [
            seen.value(f"backward/{c}", c, tensor, factor=factor or "1", single=c == "float32")
            for c in cases
        ]
        if factor is None:
            broken = [v for v in values if "not finite" in v.observed or "raised" in v.observed]
            lines += broken
            hidden += [] if broken else [f"backward.d{tensor}"]
        else:
            lines += values
    if any(line.verdict is not CheckStatus.PASS for line in lines) or not hidden:
        return judge(lines, good)
    return waits("Some gradients are wrong on ordinary inputs already.", *hidden)


@check(
    "backward.stable",
    "Huge logits give finite, right gradients",
    needs=("backward.runs",),
    hint="Use the probabilities of the shifted softmax; never divide by them.",
    serves="Part 2: softmax and cross-entropy composed into one compact dZ2.",
)
def stable(seen: Seen) -> Outcome:
    """All gradients are right with logits of ±1e4, hopeless classes, very different rows."""
    return _past_factor(seen, HUGE, "The gradients are finite and right on huge logits.")


@check(
    "backward.edge_sizes",
    "Small sizes, absent classes and any label type work backwards",
    needs=("backward.runs",),
    hint="Reduce along named axes; take C from the logits' shape; never squeeze().",
    serves="All parts: correct shapes throughout.",
)
def edge_sizes(seen: Seen) -> Outcome:
    """Right for B = 1, H = 1, C = 2, absent classes, and labels as int32 and uint8."""
    cases = (*EDGE, "absent", *LABEL_TYPES)
    return _past_factor(seen, cases, "Small sizes, absent classes and label types work.")


@check(
    "backward.own_loss",
    "The gradients are those of the candidate's own loss",
    needs=("backward.runs",),
    hint="Compare with (loss(w + h) - loss(w - h)) / 2h on a few entries.",
    serves="Part 3: ideally finite differences too.",
)
def own_loss(seen: Seen) -> Outcome:
    """Along one direction per tensor, the gradient equals a central difference of the own loss."""
    lines = [_difference(seen, tensor) for tensor in TENSORS]
    return judge(lines, "The gradients are those of the loss that forward returns.")


def _difference(seen: Seen, tensor: str) -> Evidence:
    plus, minus = (
        seen.step(f"difference/{tensor}/{s}").arrays.get("loss") for s in ("plus", "minus")
    )
    got = seen.step("backward/primes").arrays.get(tensor)
    what = f"d{tensor} along a random direction"
    direction = seen.exam.paper.directions[tensor]
    if plus is None or minus is None or plus.size != 1 or minus.size != 1:
        return Evidence(what, "a central difference", "the loss is no single number", "primes")
    if got is None or got.size != direction.size:
        shape = "nothing" if got is None else f"shape {list(got.shape)}"
        return Evidence(what, f"shape [{SHAPES[tensor]}]", shape, "primes")
    with np.errstate(all="ignore"):
        want = float((plus - minus).reshape(())) / (2 * STEP)
        mine = float((got.reshape(direction.shape) * direction).sum())
    floor = 1e-3 * float(np.abs(got).max(initial=0.0) * np.abs(direction).max())
    error = abs(mine - want) / max(abs(want), floor, 1e-300)
    status = CheckStatus.PASS if error <= FINITE_DIFFERENCE * 10 else CheckStatus.FAIL
    ratio = number(mine / want) if want else ""
    return Evidence(what, number(want), number(mine), "primes", ratio, status)


@check(
    "backward.uses_cache",
    "backward uses the cache it is given",
    needs=("backward.runs",),
    hint="Read everything from the cache; keep nothing of the last forward in globals.",
    serves="Part 1: the cache is exactly what backward needs.",
)
def uses_cache(seen: Seen) -> Outcome:
    """After two forwards, the first one's cache still gives the first one's gradients."""
    lines = []
    for name, case in (("first", "primes"), ("second", "square")):
        plain, mixed = seen.step(f"backward/{case}"), seen.step(f"backward/{name}")
        for tensor in TENSORS:
            if tensor in plain.arrays or tensor in mixed.arrays:
                lines.append(same_again(tensor, plain, mixed))
    if not lines:
        return waits("There are no gradients to compare.", "backward.runs")
    return judge(lines, "Each cache gives its own gradients.")


@check(
    "backward.repeatable",
    "A second backward gives the same",
    needs=("backward.runs",),
    hint="Write into fresh arrays: no in-place operation on what the cache holds, no +=.",
    serves="All parts: awareness of in-place operations.",
)
def repeatable(seen: Seen) -> Outcome:
    """`backward(cache)` a second time, with the same cache, gives the same gradients."""
    first, again = (seen.step(f"backward/primes{s}") for s in ("", "/again"))
    lines = [same_again(t, first, again) for t in TENSORS if t in first.arrays]
    return judge(lines, "The second call gives the same gradients.")


@check(
    "backward.float32",
    "float32 gradients for float32 inputs",
    needs=("backward.runs",),
    hint="A float64 one-hot matrix or np.zeros(…) without dtype turns everything into float64.",
    serves="The problem statement: float64 and float32.",
)
def float32(seen: Seen) -> Outcome:
    """With float32 inputs every gradient is float32."""
    step = seen.step("backward/float32")
    if not step.ok:
        line = Evidence("gradients", "float32", trouble(step, "gradients"), "float32")
        return failed(f"backward on float32 inputs: {trouble(step, 'gradients')}.", line)
    lines = [dtype_line(f"d{t}", step.arrays[t]) for t in TENSORS if t in step.arrays]
    return judge(lines, "The gradients are float32.")


@check(
    "backward.vectorised",
    "The work is vectorised",
    needs=("forward.runs", "backward.runs"),
    hint="Replace loops over examples or entries by matrix products.",
    serves="All parts: NumPy as it is meant to be used.",
)
def vectorised(seen: Seen) -> Outcome:
    """At B=64, D=128, H=256, C=10 it takes at most 12 times the reference's processor time."""
    best = []
    for kind in ("forward", "backward"):
        steps = [n for n in seen.observations.runs if n.startswith(f"{kind}/realistic/")]
        taken = [seen.step(n).cpu_seconds for n in steps if seen.step(n).ok]
        if not taken:
            words = trouble(seen.step(f"{kind}/realistic/0"), kind)
            line = Evidence(f"{kind} at the realistic size", "an answer", words, "realistic")
            return failed(f"{kind} at the realistic size: {words}.", line)
        best.append(min(taken))
    ratio = sum(best) / sum(seen.exam.reference_seconds)
    ok = ratio <= SLOWEST
    line = Evidence(
        "processor time over the reference's",
        f"at most {number(SLOWEST)}",
        f"{ratio:.1f}",
        "realistic",
        verdict=CheckStatus.PASS if ok else CheckStatus.FAIL,
    )
    return judge([line], f"It takes {ratio:.1f} times the reference's time.")


BACKWARD = (
    runs,
    *SHAPE_CHECKS,
    *VALUE_CHECKS,
    batch_mean,
    duplicate,
    relu_mask,
    relu_zero,
    stable,
    own_loss,
    uses_cache,
    repeatable,
    float32,
    edge_sizes,
    vectorised,
)
