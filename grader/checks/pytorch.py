"""Checks of the PyTorch part.

A candidate who computes in float32 loses `pytorch.float64` for it, and not every
gradient besides: theirs are compared at float32's precision.
"""

from __future__ import annotations

import numpy as np

from grader.checks.check import (
    Check,
    Conclusion,
    check,
    failed,
    judge,
    left_open,
    line,
    passed,
    waits,
)
from grader.checks.sides import no_ratio, returned, scaled, values
from grader.checks.view import View, absent, number
from grader.observe.plan import REWEIGHTED, SCALED
from grader.problem.compare import SOFTMAX_TWICE, error, proportion
from grader.records import TENSORS, CheckStatus, Ended, Evidence, Mismatch
from grader.source.retention import needlessly_retained

VALUE_CASES = ("primes", "more_rows", "square", "absent")


@check(
    "pytorch.runs",
    "torch_forward_backward can be called",
    needs=(),
    hint="Define torch_forward_backward(X, y, W1, b1, W2, b2); it gets NumPy arrays and "
    "returns (loss, grads).",
    serves="Part 3: the same network with PyTorch autograd.",
)
def runs(view: View) -> Conclusion:
    """`torch_forward_backward` takes NumPy arrays and returns `(loss, grads)`."""
    if not view.observations.torch.loaded.ok:
        why = view.observations.torch.loaded.error
        return failed(f"Importing the file with PyTorch failed: {why}.")
    good = "torch_forward_backward returned a loss and gradients."
    return returned(view, "torch", "torch_forward_backward", "loss", good)


@check(
    "pytorch.loss",
    "The PyTorch loss is right",
    hint="F.cross_entropy(logits, labels) is softmax, log and mean in one.",
    serves="Part 3: the same network with PyTorch autograd.",
    tensor="loss",
)
def loss(view: View) -> Conclusion:
    """The loss equals the oracle's."""
    return judge(values(view, "torch", "loss", VALUE_CASES), "The loss is right.")


def _gradient_check(tensor: str) -> Check:
    @check(
        f"pytorch.d{tensor}",
        f"PyTorch's gradient for {tensor} arrives",
        hint=f"Make {tensor} a leaf with requires_grad=True and return its .grad.",
        serves="Part 3: requires_grad on the leaves, X included.",
        asserts=f"`{tensor}`'s gradient has its shape and the oracle's value.",
        tensor=f"d{tensor}",
    )
    def value(view: View) -> Conclusion:
        return judge([_gradient(view, c, tensor) for c in VALUE_CASES], f"d{tensor} is right.")

    return value


def _gradient(view: View, case: str, tensor: str) -> Evidence:
    """Whether a gradient is right, its axes of length one too."""
    got = view.step(f"torch/{case}").arrays.get(tensor)
    want = view.expected(case)[f"d{tensor}"]
    if got is None or got.shape == want.shape:
        return view.value("torch", case, tensor)
    shapes = f"shape {list(want.shape)}", f"shape {list(got.shape)}"
    return Evidence(f"d{tensor}", *shapes, case, tensor=tensor, mismatch=Mismatch.SHAPE)


GRADIENT_CHECKS = tuple(map(_gradient_check, TENSORS))


@check(
    "pytorch.logits",
    "Raw logits go into the loss",
    hint="F.cross_entropy and nn.CrossEntropyLoss take logits and apply log-softmax themselves.",
    serves="All parts: logits against probabilities.",
)
def logits(view: View) -> Conclusion:
    """The loss is no softmax of a softmax: on ordinary inputs, and with logits of ±1e4."""
    expected = view.expected("primes")
    P, y = expected["P"], expected.case.y
    twice = np.exp(P) / np.exp(P).sum(axis=1, keepdims=True)
    double = -np.log(twice[np.arange(len(y)), y]).mean()
    got = view.step("torch/primes").arrays.get("loss")
    if got is not None and got.size == 1 and error(got.reshape(()), double) <= SOFTMAX_TWICE:
        want = number(float(expected["loss"]))
        words = f"{number(float(double))}, that of a double softmax"
        line = Evidence("loss", want, words, "primes", tensor="loss")
        return failed("Probabilities go into the loss: it applies softmax a second time.", line)
    factor = view.factor("torch", "loss")
    if factor is None:
        return waits("The loss is wrong on ordinary inputs already.", loss.id)
    return judge([view.value("torch", "overflow", "loss", factor)], "Raw logits go into the loss.")


@check(
    "pytorch.mean",
    "The reduction is the mean",
    hint="Leave reduction at 'mean', and divide no gradient by B yourself.",
    serves="All parts: 1/B consistent with reduction='mean'.",
)
def mean(view: View) -> Conclusion:
    """Loss and gradients differ from the expected ones by no factor of the batch's size."""
    lines = []
    for name in ("loss", *TENSORS):
        factor = view.factor("torch", name)
        label = name if name == "loss" else f"d{name}"
        words = no_ratio(factor and f"{factor} ×")
        status = CheckStatus.of(not scaled(factor))
        line = Evidence(f"{label} over the expected", "1 ×", words, verdict=status, tensor=name)
        lines.append(line)
    return judge(lines, "The reduction is the mean.")


@check(
    "pytorch.repeatable",
    "A second call gives the same",
    hint="Gradients add up in .grad: make fresh leaves in each call, or zero the old ones.",
    serves="Part 3: why zero_grad matters.",
)
def repeatable(view: View) -> Conclusion:
    """Loss and gradients of a second call on the same inputs equal those of the first.

    A graph that is kept with `retain_graph` and used once is mentioned; it costs nothing.
    """
    returned = view.step("torch/primes").arrays
    lines = view.again("torch/primes", *(t for t in ("loss", *TENSORS) if t in returned))
    retained = sorted({line for _, line in needlessly_retained(view.trace.sources)})
    where = ", ".join(map(str, retained))
    aside = f" retain_graph=True in line {where} is not needed: that graph is used once."
    return judge(lines, f"The second call gives the same.{aside if retained else ''}")


@check(
    "pytorch.pure",
    "PyTorch leaves the arguments as they were",
    hint="torch.from_numpy shares memory with the array: use torch.tensor, which copies, before an "
    "optimizer steps.",
    serves="All parts: awareness of in-place operations.",
)
def pure(view: View) -> Conclusion:
    """No argument's array is changed in place, not through memory that a tensor shares with it."""
    case, after = view.expected("primes").case, view.step("torch/primes").arrays
    lines = [
        line(name, same, "unchanged", "changed", "primes", name, Mismatch.CHANGED)
        for name, before in case.inputs.items()
        for same in [np.array_equal(after.get(f"after_{name}", ()), before)]
    ]
    return judge(lines, "The arguments are unchanged.")


@check(
    "pytorch.float64",
    "float64 is kept",
    hint="torch.from_numpy keeps float64; dtype=torch.float32 and .float() do not.",
    serves="Part 3: compared within a tight tolerance.",
)
def float64(view: View) -> Conclusion:
    """float64 inputs give float64 gradients with float64's accuracy."""
    step, lines = view.step("torch/primes"), []
    for tensor in TENSORS:
        got = step.arrays.get(tensor)
        if got is None:
            continue
        factor = view.factor("torch", tensor)
        exact = not factor or view.compared("torch/primes", "primes", tensor, factor).good
        wide = got.dtype == np.float64
        words = "accurate to float32 only" if wide and not exact else str(got.dtype)
        lines.append(Evidence(f"d{tensor}", "float64", words, "primes", tensor=tensor,
                              verdict=CheckStatus.of(wide and exact)))  # fmt: skip
    if not lines:
        return waits("No gradient arrived.", graph.id)
    return judge(lines, "float64 is kept.")


@check(
    "pytorch.graph",
    "The graph reaches all five tensors",
    hint=".detach(), .data, .numpy() and torch.no_grad() cut the graph; a tensor made from "
    "another by an operation is no leaf and has no .grad.",
    serves="Part 3: leaf and non-leaf tensors.",
)
def graph(view: View) -> Conclusion:
    """None of the five gradients is missing, None, or zero throughout."""
    step, lines = view.step("torch/primes"), []
    for tensor in TENSORS:
        got = step.arrays.get(tensor)
        if got is None:
            lines.append(absent(step, f"d{tensor}", "a gradient", "primes", tensor))
            continue
        alive = bool(np.any(got))
        words, status = "arrived" if alive else "zero throughout", CheckStatus.of(alive)
        lines.append(Evidence(f"d{tensor}", "a gradient", words, "primes", "", status, tensor))
    return judge(lines, "All five gradients arrive.")


@check(
    "pytorch.autograd",
    "The gradients come from autograd",
    hint="Call loss.backward() or torch.autograd.grad on the loss, and return what they computed.",
    serves="Part 3: reverse-mode accumulation by autograd.",
    beyond_numbers=True,
)
def autograd(view: View) -> Conclusion:
    """With the engine's gradients altered by secret numbers, those that are returned change too.

    In one call the engine scales all gradients: one that stays as it was is written by hand. In
    another it alters what comes through the loss: gradients that do not take part in that come
    from another function, or from a backward of the candidate's own, and a person decides.
    """
    steps = view.step(SCALED), view.step(REWEIGHTED)
    if steps[0].ended in (Ended.NOT_RUN, Ended.TIMEOUT):
        return waits("The process had ended before this could be tried.", runs.id)
    arrived = [t for t in TENSORS if view.step("torch/primes").arrays.get(t, NOTHING).any()]
    if not arrived:
        return waits("No gradient arrived.", graph.id)
    if by_hand := [line for t in arrived if not (line := _follows(view, SCALED, t)).good]:
        names = ", ".join(line.what for line in by_hand)
        text = f"{names}: the same whatever autograd's engine gives, so written by hand."
        return failed(text, *by_hand)
    if raised := next((step for step in steps if not step.ok), None):
        why = raised.error or raised.ended
        return left_open(f"It ends otherwise when autograd's engine gives other numbers: {why}.")
    if gone := [t for t in arrived if any(t not in step.arrays for step in steps)]:
        names = ", ".join(f"d{tensor}" for tensor in gone)
        return left_open(f"{names}: not returned when autograd's engine gives other numbers.")
    lines = [_follows(view, REWEIGHTED, tensor) for tensor in arrived]
    if apart := [line for line in lines if not line.good]:
        names = ", ".join(line.what for line in apart)
        text = f"{names}: what autograd differentiates is not the cross-entropy of the network."
        return left_open(f"{text} A person decides.", *apart)
    return passed("All gradients change with what autograd's engine gives.")


NOTHING = np.zeros(1)
UNCHANGED = 0.01
"""Of a gradient's size: the engine's factor changes it by half at least."""


def _follows(view: View, step: str, tensor: str) -> Evidence:
    """Whether a gradient changes with the engine, compared with what the same call gave before.

    Under the secret factor it must not stay as it was; under the random weights it must not
    stay a multiple of what it was. One that does not come back then is not told against.
    """
    before, now = view.step("torch/primes").arrays[tensor], view.step(step).arrays.get(tensor)
    if now is None or now.shape != before.shape:
        stays = False
    elif step == SCALED:
        stays = error(now, before.astype(np.float64)) <= UNCHANGED
    else:
        stays = bool(before.size > 1 and proportion(now, before, ROUNDED) is not None)
    words = "as without it" if stays else "changed"
    verdict, how = CheckStatus.of(not stays), Mismatch.VALUE
    return Evidence(f"d{tensor}", "changed", words, "primes", "", verdict, tensor, how)


ROUNDED = 1e-4
"""Closeness of a multiple, in float32 too; the random weights lie between 0.5 and 2."""


PYTORCH = (runs, loss, *GRADIENT_CHECKS, logits, mean, repeatable, pure, float64, graph, autograd)
