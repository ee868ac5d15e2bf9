"""Every code that shows in numbers or in the trace is named in two submissions of different hands.

One is shipped in `submissions/`; the other is a correct solution of `tests/diagnosis/styles`
with the mistake planted by the mutator, or one of the few written out below.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from grader.cohort import Engine
from grader.defects import KINDS
from grader.intake.files import Read
from grader.intake.find import assemble
from grader.records import Part, SourceFile
from tests.benchmarks.mutation.make import Mutant, Workshop
from tests.defects.derivations import ENGINES
from tests.diagnosis.test_layers import SLIPS
from tests.sample_tables import expectations, wrong_in_layers

ROOT = Path(__file__).parents[2]
STYLES = ROOT / "tests" / "diagnosis" / "styles"

CODES = [
    "nondeterministic",
    "mutates-input",
    "hidden-state",
    "mutates-cache",
    "class-count-from-labels",
    "hard-coded-size",
    "numeric-gradient",
    "gradient-method-unclear",
    "bias-missing",
    "bias-wrong-axis",
    "relu-missing",
    "relu-replaced",
    "relu-clipped",
    "softmax-no-max-shift",
    "softmax-global-max",
    "softmax-wrong-axis",
    "softmax-wrong-broadcast",
    "double-softmax",
    "relu-on-logits",
    "loss-log-underflow",
    "loss-log-epsilon",
    "loss-sum-not-mean",
    "loss-mean-over-elements",
    "loss-wrong-gather",
    "loss-sign",
    "loss-log-base",
    "loss-not-scalar",
    "loss-extra-term",
    "grad-missing-batch-mean",
    "grad-double-batch-mean",
    "grad-mean-over-classes",
    "grad-sign",
    "grad-onehot-missing",
    "grad-softmax-derivative",
    "grad-from-logits",
    "relu-mask-missing",
    "relu-mask-from-activation",
    "relu-mask-from-gradient",
    "relu-mask-inverted",
    "relu-mask-is-activation",
    "relu-zero-convention",
    "dw2-from-preactivation",
    "grad-transposed",
    "bias-grad-not-summed",
    "bias-grad-mean",
    "bias-grad-wrong-axis",
    "bias-grad-over-everything",
    "bias-grad-keepdims",
    "grad-missing",
    "grad-extra-term",
    "weights-updated-early",
    "grad-accumulates",
    "grad-inconsistent-with-loss",
    "grad-unexplained",
    "loss-unexplained",
    "recomputes-forward",
    "torch-double-softmax",
    "torch-reduction-sum",
    "torch-grad-accumulates",
    "torch-leaf-without-grad",
    "torch-graph-detached",
    "torch-inplace",
    "torch-manual-gradient",
    "torch-precision-lost",
    "fd-one-sided",
    "fd-step-too-large",
    "fd-step-too-small",
    "fd-always-passes",
]
"""Defects of the forward, backward and PyTorch parts, and of conduct: all that needs no error."""

TORCH = """
import torch
import torch.nn.functional as F


def torch_forward_backward(X, y, W1, b1, W2, b2):
    leaves = [torch.tensor(a, requires_grad=True) for a in (W1, b1, W2, b2, X)]
    u, c, v, d, x = leaves
    loss = F.cross_entropy(F.relu(x @ u + c) @ v + d, torch.tensor(y).long())
    return loss.item(), dict(zip(("W1", "b1", "W2", "b2", "X"), torch.autograd.grad(loss, leaves)))


def verify(X, y, W1, b1, W2, b2):
    ours = backward(forward(X, y, W1, b1, W2, b2)[1])
    theirs = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    return all(np.allclose(ours[k], theirs[k], rtol=1e-6, atol=1e-9) for k in ours)
"""

FORWARD = """
import numpy as np


def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1
    Z2 = np.maximum(Z1, 0) @ W2 + b2
    shifted = Z2 - Z2.max(axis=1, keepdims=True)
    logP = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -logP[np.arange(len(y)), y].mean(), (X, y, W1, b1, W2, b2, Z1, logP)
"""

BACKWARD = """

def backward(cache):
    X, y, W1, b1, W2, b2, Z1, logP = cache
    dZ2 = np.exp(logP)
    dZ2[np.arange(len(y)), y] -= 1
    dZ2 /= len(y)
    dZ1 = dZ2 @ W2.T * (Z1 > 0)
    H1 = np.maximum(Z1, 0)
    return {"W1": X.T @ dZ1, "b1": dZ1.sum(0), "W2": H1.T @ dZ2, "b2": dZ2.sum(0), "X": dZ1 @ W1.T}
"""

DIFFERENCES = """

def numeric(f, x, h=1e-5):
    out = np.zeros_like(x)
    for i in range(x.size):
        e = np.zeros(x.size)
        e[i] = h
        e = e.reshape(x.shape)
        out.reshape(-1)[i] = (f(x + e) - f(x - e)) / (2 * h)
    return out


def numerical_check(X, y, W1, b1, W2, b2):
    args = [X, y, W1, b1, W2, b2]
    grads = backward(forward(*args)[1])
    good = True
    for n, at in (("X", 0), ("W1", 2), ("b1", 3), ("W2", 4), ("b2", 5)):
        f = lambda v: forward(*args[:at], v, *args[at + 1:])[0]
        good = good and np.allclose(grads[n], numeric(f, args[at]), rtol=1e-3, atol=1e-5)
    return good
"""

WRITTEN = {
    "gradient-method-unclear": "import numpy as np\n" + ENGINES["tape"],
    "fd-one-sided": FORWARD
    + BACKWARD
    + DIFFERENCES.replace("f(x - e)", "f(x)").replace("(2 * h)", "h"),
    "fd-step-too-large": FORWARD + BACKWARD + DIFFERENCES.replace("h=1e-5", "h=10 ** -2"),
    "fd-step-too-small": FORWARD + BACKWARD + DIFFERENCES.replace("h=1e-5", "h=1e-11"),
    "fd-always-passes": FORWARD
    + BACKWARD
    + DIFFERENCES.replace("good and np", "np").replace("-5)\n", "-5) or good\n"),
    "mutates-input": FORWARD.replace("    Z1 =", "    X -= 0.0\n    X += 1e-3\n    Z1 =")
    + BACKWARD,
    "recomputes-forward": FORWARD
    + BACKWARD.replace("    dZ1 =", "    Z1 = np.dot(X, W1) + b1\n    dZ1 ="),
    "grad-inconsistent-with-loss": FORWARD.replace("b2, Z1, logP)", "b2, Z1, Z2)")
    + BACKWARD.replace("Z1, logP = cache", "Z1, Z2 = cache").replace(
        "np.exp(logP)", "1.0 / (1.0 + np.exp(-Z2))"
    ),
    "numeric-gradient": FORWARD
    + textwrap.dedent("""

    def numeric(f, array, eps=1e-6):
        out = np.empty_like(array)
        for index in np.ndindex(array.shape):
            kept = array[index]
            array[index] = kept + eps
            right = f()
            array[index] = kept - eps
            out[index] = (right - f()) / (2.0 * eps)
            array[index] = kept
        return out


    def backward(cache):
        values = [np.array(v) for v in cache[:6]]
        names = ("X", "y", "W1", "b1", "W2", "b2")
        loss = lambda: forward(*values)[0]
        return {n: numeric(loss, v) for n, v in zip(names, values) if n != "y"}
    """),
}
"""Mistakes that the mutator does not plant."""


@cache
def shipped() -> tuple[dict[str, Any], ...]:
    return tuple(expectations().values())


@cache
def planted() -> tuple[Mutant, ...]:
    styles = {p.stem: p.read_text() for p in sorted(STYLES.glob("*.py"))}
    return tuple(Workshop(styles).singles(5))


def second(code: str) -> Iterator[tuple[str, str]]:
    """(name, source) of submissions with the mistake `code`."""
    if code in WRITTEN:
        yield f"written:{code}", WRITTEN[code] + TORCH
    for mutant in planted():
        if code == mutant.labels[0].codes[0]:
            yield mutant.name, mutant.source


@pytest.mark.parametrize("code", CODES)
def test_a_shipped_sample_shows_it(code: str) -> None:
    assert any(code in one["defects"] for one in shipped())


@pytest.mark.parametrize(
    "code", [c.code for c in KINDS if c.part in (Part.PYTORCH, Part.VERIFICATION)]
)
def test_a_shipped_sample_shows_each_of_autograd_and_of_verification(code: str) -> None:
    assert any(code in one["defects"] for one in shipped())


@pytest.mark.parametrize("code", sorted({code for code, *_ in SLIPS}))
def test_a_shipped_sample_shows_each_of_the_layers(code: str) -> None:
    """There, and not in the network: all that such a sample fails is about layers."""
    layered = [one for one in shipped() if wrong_in_layers(one)]
    assert any(code in one["defects"] for one in layered)


@pytest.mark.parametrize("code", CODES)
def test_another_hand_s_mistake_is_named_too(code: str, engine: Engine) -> None:
    said = {}
    for name, source in second(code):
        file = SourceFile("solution.py", source.encode())
        result = engine.grade(assemble("other", "other", Read((file,), ())))
        said[name] = {d.code for d in result.defects}
        if code in said[name]:
            return
    raise AssertionError(f"{code} is named in none of {said}")
