"""Checks of the PyTorch part.

A candidate who computes in float32 loses `pytorch.float64` for it, and not every
gradient besides: theirs are compared at float32's precision.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from grader.checks.check import Check, Outcome, check, failed, judge, passed, waits
from grader.checks.retained import needlessly_retained
from grader.checks.view import View, number, same_again, trouble
from grader.records import TENSORS, CheckStatus, Evidence

VALUE_CASES = ("primes", "more_rows", "square", "absent")


def _value(view: View, case: str, name: str, factor: str = "1") -> Evidence:
    single = view.in_single("torch", case, name)
    return view.value(f"torch/{case}", case, name, factor=factor, single=single)


@check(
    "pytorch.runs",
    "torch_forward_backward can be called",
    hint="Define torch_forward_backward(X, y, W1, b1, W2, b2); it gets NumPy arrays and "
    "returns (loss, grads).",
    serves="Part 3: the same network with PyTorch autograd.",
)
def runs(view: View) -> Outcome:
    """`torch_forward_backward` takes NumPy arrays and returns `(loss, grads)`."""
    if not view.observations.torch.loaded.ok:
        why = view.observations.torch.loaded.error
        return failed(f"Importing the file with PyTorch failed: {why}.")
    step = view.step("torch/primes")
    if step.ok:
        return passed("torch_forward_backward returned a loss and gradients.")
    return failed(f"torch_forward_backward: {trouble(step, 'loss')}.")


@check(
    "pytorch.loss",
    "The PyTorch loss is right",
    needs=("pytorch.runs",),
    hint="F.cross_entropy(logits, labels) is softmax, log and mean in one.",
    serves="Part 3: the same network with PyTorch autograd.",
)
def loss(view: View) -> Outcome:
    """The loss equals the oracle's."""
    lines = [_value(view, c, "loss") for c in VALUE_CASES]
    return judge(lines, "The loss is right.")


def _gradient_check(tensor: str) -> Check:
    @check(
        f"pytorch.d{tensor}",
        f"PyTorch's gradient for {tensor} arrives",
        needs=("pytorch.runs",),
        hint=f"Make {tensor} a leaf with requires_grad=True and return its .grad.",
        serves="Part 3: requires_grad on the leaves, X included.",
    )
    def value(view: View) -> Outcome:
        lines = []
        for case in VALUE_CASES:
            line = _value(view, case, tensor)
            got = view.step(f"torch/{case}").arrays.get(tensor)
            want = view.expected(case)[f"d{tensor}"]
            if got is not None and got.shape != want.shape:
                shapes = f"shape {list(want.shape)}", f"shape {list(got.shape)}"
                line = Evidence(f"d{tensor}", *shapes, case)
            lines.append(line)
        return judge(lines, f"d{tensor} is right.")

    return replace(value, asserts=f"`{tensor}`'s gradient has its shape and the oracle's value.")


GRADIENT_CHECKS = tuple(_gradient_check(t) for t in TENSORS)


@check(
    "pytorch.logits",
    "Raw logits go into the loss",
    needs=("pytorch.runs",),
    hint="F.cross_entropy and nn.CrossEntropyLoss take logits and apply log-softmax themselves.",
    serves="All parts: logits against probabilities.",
)
def logits(view: View) -> Outcome:
    """The loss is no softmax of a softmax: on ordinary inputs, and with logits of ±1e4."""
    expected = view.expected("primes")
    P, y = expected["P"], expected.case.y
    twice = np.exp(P) / np.exp(P).sum(axis=1, keepdims=True)
    double = -float(np.log(twice[np.arange(len(y)), y]).mean())
    got = view.step("torch/primes").arrays.get("loss")
    if got is not None and got.size == 1 and abs(float(got.reshape(())) - double) <= 1e-5 * double:
        want = number(float(expected["loss"]))
        line = Evidence("loss", want, f"{number(double)}, that of a double softmax", "primes")
        return failed("Probabilities go into the loss: it applies softmax a second time.", line)
    factor = view.factor("torch", "loss")
    if factor is None:
        return waits("The loss is wrong on ordinary inputs already.", "pytorch.loss")
    return judge([_value(view, "overflow", "loss", factor)], "Raw logits go into the loss.")


@check(
    "pytorch.mean",
    "The reduction is the mean",
    needs=("pytorch.runs",),
    hint="Leave reduction at 'mean', and divide no gradient by B yourself.",
    serves="All parts: 1/B consistent with reduction='mean'.",
)
def mean(view: View) -> Outcome:
    """Loss and gradients differ from the expected ones by no factor of the batch's size."""
    lines = []
    for name in ("loss", *TENSORS):
        factor = view.factor("torch", name)
        label = name if name == "loss" else f"d{name}"
        words = "no constant ratio" if factor is None else f"{factor} ×"
        bad = factor not in (None, "1", "-1")
        status = CheckStatus.FAIL if bad else CheckStatus.PASS
        lines.append(Evidence(f"{label} over the expected", "1 ×", words, verdict=status))
    return judge(lines, "The reduction is the mean.")


@check(
    "pytorch.repeatable",
    "A second call gives the same",
    needs=("pytorch.runs",),
    hint="Gradients add up in .grad: make fresh leaves in each call, or zero the old ones.",
    serves="Part 3: why zero_grad matters.",
)
def repeatable(view: View) -> Outcome:
    """Loss and gradients of a second call on the same inputs equal those of the first.

    A graph that is kept with `retain_graph` and used once is mentioned; it costs nothing.
    """
    first, again = (view.step(f"torch/primes{s}") for s in ("", "/again"))
    lines = [same_again(t, first, again) for t in ("loss", *TENSORS) if t in first.arrays]
    kept = sorted({line for _, line in needlessly_retained(view.trace.sources)})
    where = ", ".join(map(str, kept))
    aside = f" retain_graph=True in line {where} is not needed: that graph is used once."
    return judge(lines, f"The second call gives the same.{aside if kept else ''}")


@check(
    "pytorch.float64",
    "float64 is kept",
    needs=("pytorch.runs",),
    hint="torch.from_numpy keeps float64; dtype=torch.float32 and .float() do not.",
    serves="Part 3: compared within a tight tolerance.",
)
def float64(view: View) -> Outcome:
    """float64 inputs give float64 gradients with float64's accuracy."""
    step, lines = view.step("torch/primes"), []
    for tensor in TENSORS:
        got = step.arrays.get(tensor)
        if got is None:
            continue
        factor = view.factor("torch", tensor)
        exact = factor and view.value("torch/primes", "primes", tensor, factor=factor)
        ok = got.dtype == np.float64 and (not exact or exact.verdict is CheckStatus.PASS)
        words = str(got.dtype) if got.dtype != np.float64 or ok else "accurate to float32 only"
        status = CheckStatus.PASS if ok else CheckStatus.FAIL
        lines.append(Evidence(f"d{tensor}", "float64", words, "primes", verdict=status))
    if not lines:
        return waits("No gradient arrived.", "pytorch.graph")
    return judge(lines, "float64 is kept.")


@check(
    "pytorch.graph",
    "The graph reaches all five tensors",
    needs=("pytorch.runs",),
    hint=".detach(), .data, .numpy() and torch.no_grad() cut the graph; a tensor made from "
    "another by an operation is no leaf and has no .grad.",
    serves="Part 3: leaf and non-leaf tensors.",
)
def graph(view: View) -> Outcome:
    """None of the five gradients is missing, None, or zero throughout."""
    step, lines = view.step("torch/primes"), []
    for tensor in TENSORS:
        got = step.arrays.get(tensor)
        alive = got is not None and bool(np.any(got))
        words = "arrived" if alive else "zero throughout"
        words = trouble(step, f"d{tensor}") if got is None else words
        status = CheckStatus.PASS if alive else CheckStatus.FAIL
        lines.append(Evidence(f"d{tensor}", "a gradient", words, "primes", verdict=status))
    return judge(lines, "All five gradients arrive.")


@check(
    "pytorch.autograd",
    "The gradients come from autograd",
    needs=("pytorch.runs",),
    hint="Call loss.backward() or torch.autograd.grad, and return what they computed.",
    serves="Part 3: reverse-mode accumulation by autograd.",
)
def autograd(view: View) -> Outcome:
    """With autograd's engine switched off for one call, no right gradient arrives."""
    step = view.observations["torch/blocked"]
    if step.ended in ("not-run", "timeout"):
        return waits("The process had ended before this could be tried.", "pytorch.runs")
    by_hand = [
        line
        for tensor in TENSORS
        if (line := view.value("torch/blocked", "primes", tensor, single=True)).verdict
        is CheckStatus.PASS
    ]
    if not step.ok or not by_hand:
        return passed("Without autograd's engine no gradient arrives.")
    lines = [replace(line, verdict=CheckStatus.FAIL, expected="none") for line in by_hand]
    names = ", ".join(line.what for line in lines)
    return failed(f"{names} arrived with autograd switched off: written by hand.", *lines)


PYTORCH = (runs, loss, *GRADIENT_CHECKS, logits, mean, repeatable, float64, graph, autograd)
