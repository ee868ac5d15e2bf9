"""Checks of the hand-written loss: its value, its mean over the batch, its stability."""

from __future__ import annotations

from collections.abc import Sequence

from grader.checks.check import Conclusion, check, failed, judge, passed, waits
from grader.checks.sides import beyond_factors, scaled, values, with_real_size
from grader.checks.view import View, number, symbols
from grader.problem.cases import EDGE, LABEL_TYPES
from grader.problem.compare import DERIVED, error
from grader.records import CheckStatus, Evidence, Mismatch
from grader.records.finding import UNANSWERED

VALUE_CASES = ("primes", "more_rows", "square")
BREAKS = (Mismatch.NOT_FINITE, Mismatch.NOTHING, *UNANSWERED)


def _beyond_factor(view: View, cases: Sequence[str], good: str) -> Conclusion:
    """The loss on `cases`, past a constant factor that `forward.loss` reports already."""
    bad = "The loss is wrong on ordinary inputs already; mend that first."
    return beyond_factors(view, "forward", {"loss": loss.id}, cases, good, bad, BREAKS)


@check(
    "forward.loss",
    "The loss is right",
    hint="Compute one example by hand: softmax of its logits, then minus the log of the "
    "true class's probability, then the mean over the batch.",
    serves="Part 1: softmax and cross-entropy, reduced by mean.",
    tensor="loss",
    of_loss=True,
)
def loss(view: View) -> Conclusion:
    """The loss equals autograd's on ordinary float64 inputs of several sizes."""
    lines = with_real_size(view, "forward", "loss", values(view, "forward", "loss", VALUE_CASES))
    return judge(lines, "The loss equals autograd's.")


@check(
    "forward.scalar",
    "The loss is a scalar",
    hint="Reduce over the batch; return a number, not an array of one.",
    serves="Part 1: the exact shape of the scalar loss.",
    tensor="loss",
    of_loss=True,
    beyond_numbers=True,
)
def scalar(view: View) -> Conclusion:
    """The loss has no axes: neither one value per example nor an array of shape (1,)."""
    got = view.step("forward/primes").arrays["loss"]
    if got.ndim == 0:
        return passed("The loss is a scalar.")
    shape = symbols(got.shape, view.expected("primes").case.sizes)
    line = Evidence(
        "loss", "a scalar", f"shape {shape}", "primes", tensor="loss", mismatch=Mismatch.SHAPE
    )
    return failed(f"The loss has shape {shape}; a scalar is wanted.", line)


@check(
    "forward.mean",
    "The loss is the mean over the batch",
    hint="Sum over the classes within an example, then take the mean over the B examples.",
    serves="All parts: 1/B consistent between the loss, every gradient and reduction='mean'.",
    of_loss=True,
)
def mean(view: View) -> Conclusion:
    """A batch and the same batch twice have one loss, and it is no B × autograd's."""
    once, twice = (view.step(f"forward/{c}").arrays.get("loss") for c in ("primes", "duplicated"))
    factor = view.factor("forward", "loss")
    if scaled(factor):
        lines = values(view, "forward", "loss", ("primes", "more_rows"))
        return failed(f"The loss is {factor} × the mean cross-entropy.", *lines)
    if once is None or twice is None or once.size != 1 or twice.size != 1:
        return waits("The loss is no single number.", scalar.id)
    same = error(twice.reshape(()), once.reshape(())) <= DERIVED
    a, b = float(once.reshape(())), float(twice.reshape(()))
    what = "loss of the batch twice over the loss of the batch"
    ratio = number(b / a if a else float("nan"))
    line = Evidence(what, "1", ratio, "duplicated", verdict=CheckStatus.of(same), tensor="loss")
    return judge([line], "The loss is a mean over the batch.")


@check(
    "forward.overflow",
    "Huge logits do not overflow",
    hint="Subtract each row's maximum from its logits before the exponential.",
    serves="Part 1: softmax with the per-row maximum subtracted.",
    tensor="P",
    condition="on huge logits",
    of_loss=True,
)
def overflow(view: View) -> Conclusion:
    """With logits of ±1e4 the loss is finite and right."""
    return _beyond_factor(view, ("overflow",), "The loss is right at logits of ±1e4.")


@check(
    "forward.underflow",
    "A hopeless true class does not underflow",
    hint="log(softmax) is -inf when the probability underflows; use "
    "log p = z - max - log(sum(exp(z - max))) instead.",
    serves="Part 1: numerically stable cross-entropy.",
    tensor="loss",
    condition="where p underflows",
    of_loss=True,
)
def underflow(view: View) -> Conclusion:
    """With the true class 1e4 below the maximum the loss is about 1e4, not infinite."""
    return _beyond_factor(view, ("underflow",), "The loss is right where p underflows.")


@check(
    "forward.row_max",
    "Each row has its own maximum",
    hint="Take the maximum along the class axis with keepdims, not over the whole batch.",
    serves="Part 1: softmax with the per-row maximum subtracted.",
    tensor="P",
    condition="on widely spread logits",
    of_loss=True,
)
def row_max(view: View) -> Conclusion:
    """Rows whose logits differ by offsets of 0 to 3000 give the right loss."""
    return _beyond_factor(view, ("offsets",), "The loss is right with very different rows.")


@check(
    "forward.gather",
    "The true class's entry is picked per row",
    hint="Index with p[np.arange(B), y]; take C from the logits' shape, not from y.",
    serves="Part 1: cross-entropy gathered at the true class.",
    tensor="loss",
    condition="where a class is absent",
    of_loss=True,
)
def gather(view: View) -> Conclusion:
    """Right with B = C, with absent classes, and with labels as int32, int64 and uint8."""
    expected = view.expected("primes")
    crossed = -expected["logP"][:, expected.case.y].mean()
    got = view.step("forward/primes").arrays["loss"]
    if got.size == 1 and error(got.reshape(()), crossed) <= DERIVED:
        want = number(float(expected["loss"]))
        words = f"{number(float(crossed))}, that of p[:, y]"
        line = Evidence("loss", want, words, "primes", tensor="loss")
        return failed("Every row is paired with every label: p[:, y] is [B, B].", line)
    cases = ("batch_is_classes", "square", "absent", *LABEL_TYPES)
    return _beyond_factor(view, cases, "The labels are gathered per row.")


@check(
    "forward.bias",
    "The biases are added per unit",
    hint="b1 [H] and b2 [C] broadcast over the rows; add each once, along the last axis.",
    serves="Part 1: the linear layers; awareness of silent broadcasting.",
    of_loss=True,
)
def bias(view: View) -> Conclusion:
    """Right where B = H and where B = C: there a bias on the wrong axis raises nothing."""
    cases = ("primes", "batch_is_hidden", "batch_is_classes")
    return _beyond_factor(view, cases, "Both biases are added per unit.")


@check(
    "forward.edge_sizes",
    "B = 1, H = 1 and C = 2 work",
    hint="Reduce along named axes with keepdims; never squeeze() and never test sizes.",
    serves="All parts: correct shapes throughout.",
    tensor="loss",
    condition="at sizes of 1",
    of_loss=True,
)
def edge_sizes(view: View) -> Conclusion:
    """The loss is right for a single example, a single hidden unit, and two classes."""
    return _beyond_factor(view, EDGE, "The smallest sizes work.")
