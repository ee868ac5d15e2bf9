"""Checks of the hand-written loss: its value, its mean over the batch, its stability."""

from __future__ import annotations

from grader.checks.check import Outcome, check, failed, judge, passed, waits
from grader.checks.view import BREAKS, View, number, symbols
from grader.problem.cases import LABEL_TYPES
from grader.records import CheckStatus, Evidence

VALUE_CASES = ("primes", "more_rows", "square")


def right_up_to_factor(view: View, cases: tuple[str, ...], good: str) -> Outcome:
    """The loss on `cases`, past a constant factor that `forward.loss` reports already."""
    factor = view.factor("forward", "loss")
    lines = [view.value(f"forward/{c}", c, "loss", factor=factor or "1") for c in cases]
    if factor is not None:
        return judge(lines, good)
    broken = [line for line in lines if line.mismatch in BREAKS]
    if broken:
        return judge(broken, good)
    return waits("The loss is wrong on ordinary inputs already; mend that first.", "forward.loss")


@check(
    "forward.loss",
    "The loss is right",
    needs=("forward.runs",),
    hint="Compute one example by hand: softmax of its logits, then minus the log of the "
    "true class's probability, then the mean over the batch.",
    serves="Part 1: softmax and cross-entropy, reduced by mean.",
)
def loss(view: View) -> Outcome:
    """The loss equals autograd's on ordinary float64 inputs of several sizes."""
    lines = [view.value(f"forward/{c}", c, "loss") for c in VALUE_CASES]
    return judge(lines, "The loss equals autograd's.")


@check(
    "forward.scalar",
    "The loss is a scalar",
    needs=("forward.runs",),
    hint="Reduce over the batch; return a number, not an array of one.",
    serves="Part 1: the exact shape of the scalar loss.",
)
def scalar(view: View) -> Outcome:
    """The loss has no axes: neither one value per example nor an array of shape (1,)."""
    got = view.step("forward/primes").arrays["loss"]
    if got.ndim == 0:
        return passed("The loss is a scalar.")
    shape = symbols(got.shape, view.expected("primes").case.sizes)
    line = Evidence("loss", "a scalar", f"shape {shape}", "primes")
    return failed(f"The loss has shape {shape}; a scalar is wanted.", line)


@check(
    "forward.mean",
    "The loss is the mean over the batch",
    needs=("forward.runs",),
    hint="Sum over the classes within an example, then take the mean over the B examples.",
    serves="All parts: 1/B consistent between the loss, every gradient and reduction='mean'.",
)
def mean(view: View) -> Outcome:
    """A batch and the same batch twice have one loss, and it is no B × autograd's."""
    once, twice = (view.step(f"forward/{c}").arrays.get("loss") for c in ("primes", "duplicated"))
    lines = [view.value(f"forward/{c}", c, "loss") for c in ("primes", "more_rows")]
    factor = view.factor("forward", "loss")
    if factor not in (None, "1", "-1"):
        return failed(f"The loss is {factor} × the mean cross-entropy.", *lines)
    if once is None or twice is None or once.size != 1 or twice.size != 1:
        return waits("The loss is no single number.", "forward.scalar")
    a, b = float(once.reshape(())), float(twice.reshape(()))
    same = abs(a - b) <= 1e-9 * abs(a)
    line = Evidence(
        "loss of the batch twice over the loss of the batch",
        "1",
        number(b / a if a else float("nan")),
        "duplicated",
        verdict=CheckStatus.PASS if same else CheckStatus.FAIL,
    )
    return judge([line], "The loss is a mean over the batch.")


@check(
    "forward.overflow",
    "Huge logits do not overflow",
    needs=("forward.runs",),
    hint="Subtract each row's maximum from its logits before the exponential.",
    serves="Part 1: softmax with the per-row maximum subtracted.",
)
def overflow(view: View) -> Outcome:
    """With logits of ±1e4 the loss is finite and right."""
    return right_up_to_factor(view, ("overflow",), "The loss is right at logits of ±1e4.")


@check(
    "forward.underflow",
    "A hopeless true class does not underflow",
    needs=("forward.runs",),
    hint="log(softmax) is -inf when the probability underflows; use "
    "log p = z - max - log(sum(exp(z - max))) instead.",
    serves="Part 1: numerically stable cross-entropy.",
)
def underflow(view: View) -> Outcome:
    """With the true class 1e4 below the maximum the loss is about 1e4, not infinite."""
    return right_up_to_factor(view, ("underflow",), "The loss is right where p underflows.")


@check(
    "forward.row_max",
    "Each row has its own maximum",
    needs=("forward.runs",),
    hint="Take the maximum along the class axis with keepdims, not over the whole batch.",
    serves="Part 1: softmax with the per-row maximum subtracted.",
)
def row_max(view: View) -> Outcome:
    """Rows whose logits differ by offsets of 0 to 3000 give the right loss."""
    return right_up_to_factor(view, ("offsets",), "The loss is right with very different rows.")


@check(
    "forward.gather",
    "The true class's entry is picked per row",
    needs=("forward.runs",),
    hint="Index with p[np.arange(B), y]; take C from the logits' shape, not from y.",
    serves="Part 1: cross-entropy gathered at the true class.",
)
def gather(view: View) -> Outcome:
    """Right with B = C, with absent classes, and with labels as int32, int64 and uint8."""
    expected = view.expected("primes")
    crossed = -float(expected["logP"][:, expected.case.y].mean())
    got = view.step("forward/primes").arrays["loss"]
    if got.size == 1 and abs(float(got.reshape(())) - crossed) <= 1e-9 * abs(crossed):
        want = number(float(expected["loss"]))
        line = Evidence("loss", want, f"{number(crossed)}, that of p[:, y]", "primes")
        return failed("Every row is paired with every label: p[:, y] is [B, B].", line)
    cases = ("batch_is_classes", "square", "absent", *LABEL_TYPES)
    return right_up_to_factor(view, cases, "The labels are gathered per row.")
