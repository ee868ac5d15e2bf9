"""Checks of the hand-written forward pass."""

from __future__ import annotations

import numpy as np

from grader.checks import loss as losses
from grader.checks.cache import arrays_in, dtype_line, tensor_of
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
from grader.checks.sides import returned
from grader.checks.view import View, symbols
from grader.problem.compare import FLOAT64, NAMED, close
from grader.records import CheckStatus, Ended, Evidence, Mismatch

INTERMEDIATES = ("Z1", "H1", "Z2", "P", "logP")


@check(
    "submission.loads",
    "The file can be imported",
    hint="Run `python -c 'import solution'` in the folder and mend what it reports.",
    serves="The answer is a program that runs.",
)
def loads(view: View) -> Conclusion:
    """Importing the submission succeeds, in a process that has NumPy and no framework."""
    loaded = view.observations.numpy.loaded
    if loaded.ended is Ended.HARNESS:
        return Conclusion(CheckStatus.ERROR, f"The submission could not be loaded: {loaded.error}.")
    if loaded.ok:
        return passed("The file was imported.")
    return failed(f"Importing the file failed: {loaded.error or loaded.ended}.")


@check(
    "forward.runs",
    "forward can be called",
    needs=("submission.loads",),
    hint="Define forward(X, y, W1, b1, W2, b2) and return the pair (loss, cache).",
    serves="Part 1: the forward pass, returning the loss and a cache.",
)
def runs(view: View) -> Conclusion:
    """`forward(X, y, W1, b1, W2, b2)` returns `(loss, cache)` on ordinary input."""
    return returned(view, "forward", "forward", "loss", "forward returned a loss and a cache.")


@check(
    "forward.shapes",
    "The intermediates have their shapes",
    hint="Z1 and H1 are [B, H]; the logits and probabilities are [B, C].",
    serves="Part 1: the exact shape of Z1, H1, Z2.",
    beyond_numbers=True,
)
def shapes(view: View) -> Conclusion:
    """What the cache holds of Z1, H1, Z2 and the probabilities has two axes: [B, H], [B, C].

    Who computes in columns throughout, and rightly, has them as [H, B] and [C, B].
    """
    expected = view.expected("primes")
    lines = []
    for path, array in arrays_in(view, "primes"):
        for name in INTERMEDIATES:
            want = expected[name]
            if array.size != want.size or array.ndim == 0:
                continue
            flat = np.squeeze(array)
            forms = (flat.reshape(want.shape), flat.T.reshape(want.shape))
            if any(close(form, want, NAMED[FLOAT64]) for form in forms):
                right = array.shape in (want.shape, want.T.shape)
                wanted, got = (symbols(s, expected.case.sizes) for s in (want.shape, array.shape))
                what, misshapen = f"{name} in {path}", Mismatch.SHAPE
                lines.append(Evidence(what, wanted, got, "primes", "",
                                      CheckStatus.of(right), "", misshapen))  # fmt: skip
                break
    if lines:
        return judge(lines, "The intermediates in the cache have their shapes.")
    if view.factor("forward", "loss"):
        return passed("The cache shows none, but the loss is right at distinct sizes.")
    return waits("Neither the cache nor the loss shows the intermediates.", losses.loss.id)


NEEDLESS = {
    "b1": "no gradient depends on b1",
    "b2": "no gradient depends on b2",
    "loss": "no gradient depends on the loss's value",
    "exp(Z2)": "the probabilities are enough",
    "Z2 - max": "the probabilities are enough",
}
SAME_NEWS = ("P", "logP", "Z2", "dZ2")
"""One of these is enough: each gives dZ2."""


@check(
    "forward.cache",
    "The cache is minimal",
    hint="Backward needs X, W1, W2, y, Z1 (or its mask), H1 and the probabilities; nothing more.",
    serves="Part 1: a clean, minimal cache of exactly what backward needs.",
    beyond_numbers=True,
)
def cache(view: View) -> Conclusion:
    """The cache, read by value, holds nothing that backward has no use for.

    The biases of a layer or a network that is kept for its backward are its own, and count not.
    """
    known = ((path, tensor_of(view, array)) for path, array in arrays_in(view, "primes"))
    names = {path: name for path, name in known if name}
    if view.step("forward/primes").cacheless:
        return passed("There is no cache to judge: forward hands none to backward.")
    if not names:
        return left_open("Open: no array was found in the cache. A human judges what it holds.")
    lines, extra = [], []
    news = [name for name in SAME_NEWS if name in names.values()]
    for path, name in names.items():
        why = f"{news[0]} is there already" if name in news[1:] else NEEDLESS.get(name, "")
        extra += [name] if why else []
        status = CheckStatus.of(not why)
        lines.append(Evidence(path, why or "needed", name, "primes", verdict=status))
    if not extra:
        return passed(f"The cache holds {', '.join(sorted(set(names.values())))}.", *lines)
    text = f"The cache holds {', '.join(extra)}, which backward has no use for."
    return failed(text, *lines)


@check(
    "forward.pure",
    "The arguments stay as they were",
    hint="Avoid in-place operations (+=, out=, x[...] = …) on what was passed in; copy first.",
    serves="All parts: awareness of in-place operations.",
)
def pure(view: View) -> Conclusion:
    """No argument's array is changed in place."""
    case, after = view.expected("primes").case, view.step("forward/primes").arrays
    lines = []
    for name, before in case.inputs.items():
        same = np.array_equal(after.get(f"after_{name}", ()), before)
        changed = Mismatch.CHANGED
        lines.append(line(name, same, "unchanged", "changed", "primes", name, changed))
    return judge(lines, "The arguments are unchanged.")


@check(
    "forward.repeatable",
    "The same call gives the same loss",
    hint="Keep no state between calls and draw no random numbers (no dropout).",
    serves="All parts: verification on the same inputs and weights.",
    of_loss=True,
)
def repeatable(view: View) -> Conclusion:
    """A second call on the same input gives the same loss, after other calls in between."""
    return judge(view.again("forward/primes", "loss"), "The second call gives the same loss.")


@check(
    "forward.float32",
    "float32 stays float32",
    hint="Create arrays with the dtype of X (np.zeros_like, dtype=X.dtype); avoid astype(float).",
    serves="The problem statement: float64 and float32.",
)
def float32(view: View) -> Conclusion:
    """With float32 inputs, loss and intermediates are float32, and right in its precision."""
    step, factor = view.step("forward/float32"), view.factor("forward", "loss")
    got = step.arrays.get("loss")
    lines = [] if factor is None else [view.value("forward", "float32", "loss", factor)]
    if step.ok and got is not None and step.loss_type != "float":
        lines.append(dtype_line("loss", got))
    of_cache = [
        dtype_line(f"{name} in {path}", array)
        for path, array in arrays_in(view, "float32")
        if (name := tensor_of(view, array, "float32")) in INTERMEDIATES
    ]
    if factor is None and not of_cache:
        return waits("The loss is wrong on ordinary inputs already.", losses.loss.id)
    return judge(lines + of_cache, "float32 stays float32.")


@check(
    "forward.numpy_only",
    "The NumPy part is NumPy only",
    needs=("submission.loads",),
    hint="Use torch in torch_forward_backward and verify only.",
    serves="Part 1 and 2: by hand in NumPy.",
    beyond_numbers=True,
)
def numpy_only(view: View) -> Conclusion:
    """Forward and backward run in a process where no framework can be reached."""
    steps = {
        name: run
        for name, run in view.observations.runs.items()
        if name.startswith(("forward/", "backward/"))
    }
    for name, run in steps.items():
        if run.ended is Ended.FRAMEWORK:
            used = Evidence(name, "NumPy only", run.error)
            return failed(f"The NumPy part called a framework: {run.error}.", used)
    if not any(run.ok for run in steps.values()):
        return waits("Nothing of the NumPy part ran.", runs.id)
    return passed("The NumPy part ran where there is no framework.")


FORWARD: tuple[Check, ...] = (
    *(runs, losses.loss, losses.scalar, losses.mean, losses.overflow, losses.underflow),
    *(losses.row_max, losses.gather, losses.bias, shapes, cache, pure, repeatable, float32),
    *(losses.edge_sizes, numpy_only),
)
