"""Checks of the hand-written forward pass."""

from __future__ import annotations

import numpy as np

from grader.checks.cache import cache_of, close, dtype_line, tensor_name
from grader.checks.check import Outcome, check, failed, judge, passed, waits
from grader.checks.loss import (
    gather,
    loss,
    mean,
    overflow,
    right_up_to_factor,
    row_max,
    scalar,
    underflow,
)
from grader.checks.view import View, same_again, symbols, trouble
from grader.problem.cases import EDGE
from grader.records import CheckStatus, Ended, Evidence, Mismatch


@check(
    "submission.loads",
    "The file can be imported",
    hint="Run `python -c 'import solution'` in the folder and mend what it reports.",
    serves="The answer is a program that runs.",
)
def loads(view: View) -> Outcome:
    """Importing the submission succeeds, in a process that has NumPy and no framework."""
    loaded = view.observations.numpy.loaded
    if loaded.ended is Ended.HARNESS:
        return Outcome(CheckStatus.ERROR, f"The submission could not be loaded: {loaded.error}.")
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
def runs(view: View) -> Outcome:
    """`forward(X, y, W1, b1, W2, b2)` returns `(loss, cache)` on ordinary input."""
    step = view.step("forward/primes")
    if step.ok:
        return passed("forward returned a loss and a cache.")
    return failed(f"forward: {trouble(step, 'loss')}.")


@check(
    "forward.bias",
    "The biases are added per unit",
    needs=("forward.runs",),
    hint="b1 [H] and b2 [C] broadcast over the rows; add each once, along the last axis.",
    serves="Part 1: the linear layers; awareness of silent broadcasting.",
)
def bias(view: View) -> Outcome:
    """Right where B = H and where B = C: there a bias on the wrong axis raises nothing."""
    cases = ("primes", "batch_is_hidden", "batch_is_classes")
    return right_up_to_factor(view, cases, "Both biases are added per unit.")


@check(
    "forward.shapes",
    "The intermediates have their shapes",
    needs=("forward.runs",),
    hint="Z1 and H1 are [B, H]; the logits and probabilities are [B, C].",
    serves="Part 1: the exact shape of Z1, H1, Z2.",
)
def shapes(view: View) -> Outcome:
    """What the cache holds of Z1, H1, Z2 and the probabilities has two axes: [B, H], [B, C].

    Who computes in columns throughout, and rightly, has them as [H, B] and [C, B].
    """
    expected = view.expected("primes")
    lines = []
    for path, array in cache_of(view, "primes"):
        for name in ("Z1", "H1", "Z2", "P", "logP"):
            want = expected[name]
            if array.size != want.size or array.ndim == 0:
                continue
            flat = np.squeeze(array)
            forms = (flat.reshape(want.shape), flat.T.reshape(want.shape))
            if any(close(form, want) for form in forms):
                right = array.shape in (want.shape, want.T.shape)
                status = CheckStatus.PASS if right else CheckStatus.FAIL
                wanted, got = (symbols(s, expected.case.sizes) for s in (want.shape, array.shape))
                what = f"{name} in {path}"
                lines.append(Evidence(what, wanted, got, "primes", verdict=status))
                break
    if lines:
        return judge(lines, "The intermediates in the cache have their shapes.")
    if view.factor("forward", "loss"):
        return passed("The cache shows none, but the loss is right at distinct sizes.")
    return waits("Neither the cache nor the loss shows the intermediates.", "forward.loss")


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
    needs=("forward.runs",),
    hint="Backward needs X, W1, W2, y, Z1 (or its mask), H1 and the probabilities; nothing more.",
    serves="Part 1: a clean, minimal cache of exactly what backward needs.",
)
def cache(view: View) -> Outcome:
    """The cache, read by value, holds nothing that backward has no use for.

    The biases of a layer or a network that is kept for its backward are its own, and count not.
    """
    named = ((path, tensor_name(view, array)) for path, array in cache_of(view, "primes"))
    names = {path: name for path, name in named if name}
    if not names and view.step("forward/primes").cacheless:
        return passed("There is no cache to judge: backward is given the inputs alone.")
    if not names:
        text = "Open: no array was found in the cache. A human judges what it holds."
        return Outcome(CheckStatus.MANUAL, text)
    lines = []
    many = [name for name in SAME_NEWS if name in names.values()]
    for path, name in names.items():
        why = NEEDLESS.get(name, "")
        if name in many[1:]:
            why = f"{many[0]} is there already"
        status = CheckStatus.FAIL if why else CheckStatus.PASS
        lines.append(Evidence(path, why or "needed", name, "primes", verdict=status))
    extra = [line.observed for line in lines if line.verdict is CheckStatus.FAIL]
    if not extra:
        return passed(f"The cache holds {', '.join(sorted(set(names.values())))}.", *lines)
    listed = ", ".join(extra)
    return failed(f"The cache holds {listed}, which backward has no use for.", *lines)


@check(
    "forward.pure",
    "The arguments stay as they were",
    needs=("forward.runs",),
    hint="Avoid in-place operations (+=, out=, x[...] = …) on what was passed in; copy first.",
    serves="All parts: awareness of in-place operations.",
)
def pure(view: View) -> Outcome:
    """No argument's array is changed in place."""
    case, after = view.expected("primes").case, view.step("forward/primes").arrays
    lines = []
    for name, before in case.inputs.items():
        now = after.get(f"after_{name}")
        same = now is not None and now.shape == before.shape and np.array_equal(now, before)
        words = "unchanged" if same else "changed"
        line = Evidence(name, "unchanged", words, "primes", verdict=CheckStatus.of(same),
                        tensor=name, mismatch=Mismatch.CHANGED)  # fmt: skip
        lines.append(line)
    return judge(lines, "The arguments are unchanged.")


@check(
    "forward.repeatable",
    "The same call gives the same loss",
    needs=("forward.runs",),
    hint="Keep no state between calls and draw no random numbers (no dropout).",
    serves="All parts: verification on the same inputs and weights.",
)
def repeatable(view: View) -> Outcome:
    """A second call on the same input gives the same loss, after other calls in between."""
    first, again = (view.step(f"forward/primes{s}") for s in ("", "/again"))
    return judge([same_again("loss", first, again)], "The second call gives the same loss.")


@check(
    "forward.float32",
    "float32 stays float32",
    needs=("forward.runs",),
    hint="Create arrays with the dtype of X (np.zeros_like, dtype=X.dtype); avoid astype(float).",
    serves="The problem statement: float64 and float32.",
)
def float32(view: View) -> Outcome:
    """With float32 inputs, loss and intermediates are float32, and right in its precision."""
    step = view.step("forward/float32")
    factor = view.factor("forward", "loss") or "1"
    of_loss = [view.value("forward/float32", "float32", "loss", factor=factor)]
    got = step.arrays.get("loss")
    if step.ok and got is not None and step.loss_type != "float":
        of_loss.append(dtype_line("loss", got))
    of_cache = []
    for path, array in cache_of(view, "float32"):
        if (name := tensor_name(view, array, "float32", 1e-4)) in ("Z1", "H1", "Z2", "P", "logP"):
            of_cache.append(dtype_line(f"{name} in {path}", array))
    if view.factor("forward", "loss") is not None:
        return judge(of_loss + of_cache, "float32 stays float32.")
    if not of_cache:
        return waits("The loss is wrong on ordinary inputs already.", "forward.loss")
    return judge(of_loss[1:] + of_cache, "float32 stays float32.")


@check(
    "forward.edge_sizes",
    "B = 1, H = 1 and C = 2 work",
    needs=("forward.runs",),
    hint="Reduce along named axes with keepdims; never squeeze() and never test sizes.",
    serves="All parts: correct shapes throughout.",
)
def edge_sizes(view: View) -> Outcome:
    """The loss is right for a single example, a single hidden unit, and two classes."""
    return right_up_to_factor(view, EDGE, "The smallest sizes work.")


@check(
    "forward.numpy_only",
    "The NumPy part is NumPy only",
    needs=("submission.loads",),
    hint="Use torch in torch_forward_backward and verify only.",
    serves="Part 1 and 2: by hand in NumPy.",
)
def numpy_only(view: View) -> Outcome:
    """Forward and backward run in a process where no framework can be reached."""
    runs = view.observations.runs
    steps = [n for n in runs if n.startswith(("forward/", "backward/"))]
    used = [n for n in steps if runs[n].ended is Ended.FRAMEWORK]
    if used:
        line = Evidence(used[0], "NumPy only", runs[used[0]].error)
        return failed(f"The NumPy part called a framework: {runs[used[0]].error}.", line)
    if not any(runs[n].ok for n in steps):
        return waits("Nothing of the NumPy part ran.", "forward.runs")
    return passed("The NumPy part ran where there is no framework.")


FORWARD = (
    runs,
    loss,
    scalar,
    mean,
    overflow,
    underflow,
    row_max,
    gather,
    bias,
    shapes,
    cache,
    pure,
    repeatable,
    float32,
    edge_sizes,
    numpy_only,
)
