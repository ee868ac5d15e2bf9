"""Mistakes as a hurried human makes them: what is said of each, where, and how sure it is.

Each is one plain solution with a line or two written otherwise. The mistakes are of kinds that
the mutator of the benchmark does not make.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from grader.cohort import Engine
from grader.intake.files import Read
from grader.intake.find import assemble
from grader.records import CheckStatus, Confidence, Defect, Result, SourceFile

PLAIN = """
import numpy as np
import torch
import torch.nn.functional as F


def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1
    H1 = np.maximum(Z1, 0)
    Z2 = H1 @ W2 + b2
    S = Z2 - Z2.max(1, keepdims=True)
    logP = S - np.log(np.exp(S).sum(1, keepdims=True))
    loss = -logP[np.arange(len(y)), y].mean()
    return loss, (X, y, W1, W2, Z1, H1, logP)


def backward(cache):
    X, y, W1, W2, Z1, H1, logP = cache
    dZ2 = np.exp(logP)
    dZ2[np.arange(len(y)), y] -= 1
    dZ2 /= len(y)
    dW2 = H1.T @ dZ2
    db2 = dZ2.sum(0)
    dH1 = dZ2 @ W2.T
    dZ1 = dH1 * (Z1 > 0)
    dW1 = X.T @ dZ1
    db1 = dZ1.sum(0)
    dX = dZ1 @ W1.T
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    leaves = [torch.tensor(a, requires_grad=True) for a in (W1, b1, W2, b2, X)]
    w1, c1, w2, c2, x = leaves
    h = torch.relu(x @ w1 + c1)
    loss = F.cross_entropy(h @ w2 + c2, torch.tensor(y).long())
    loss.backward()
    grads = [torch.zeros_like(t) if t.grad is None else t.grad for t in leaves]
    return loss.item(), dict(zip(("W1", "b1", "W2", "b2", "X"), grads))


def verify(*given):
    mine, theirs = backward(forward(*given)[1]), torch_forward_backward(*given)[1]
    return all(np.allclose(mine[k], theirs[k]) for k in mine)
"""

ALL = ("W1", "b1", "W2", "b2", "X")
LOWER = ("W1", "b1", "X")
SURE, LIKELY = Confidence.PROVEN, Confidence.LIKELY


@dataclass(frozen=True)
class Slip:
    """Replacements in `PLAIN`; what must be said: code, tensors, text of the line, confidence.

    `words` stand in the message; `also` are further defects (code, text of the line).
    """

    edits: tuple[tuple[str, str], ...]
    code: str
    tensors: tuple[str, ...]
    line: str
    confidence: Confidence = SURE
    words: str = ""
    also: tuple[tuple[str, str], ...] = ()


SLIPS = {
    "the cached Z1 was rectified in place": Slip(
        (("H1 = np.maximum(Z1, 0)", "H1 = Z1\n    H1[H1 < 0] = 0"), ("Z1 > 0", "Z1 >= 0")),
        *("relu-mask-missing", LOWER, "dZ1 = dH1 * (Z1 >= 0)"),
    ),
    "the gradient's own sign as well": Slip(
        (("(Z1 > 0)", "(Z1 > 0) * (dH1 > 0)"),),
        *("relu-mask-from-gradient", LOWER, "dZ1 = dH1 * (Z1 > 0) * (dH1 > 0)"),
    ),
    "the logits are gated too": Slip(
        (("(X, y, W1, W2, Z1, H1, logP)", "(X, y, W1, W2, Z1, H1, logP, Z2)"),
         ("H1, logP = cache", "H1, logP, Z2 = cache"),
         ("    dW2 = H1", "    dZ2 = dZ2 * (Z2 > 0)\n    dW2 = H1")),
        *("relu-on-logits", ALL, "dZ2 = dZ2 * (Z2 > 0)"),
    ),
    "one less than B, in the cache's own array": Slip(
        (("H1, logP)", "H1, np.exp(logP))"), ("np.exp(logP)\n    dZ2[", "logP\n    dZ2["),
         ("dZ2 /= len(y)", "dZ2 = dZ2 / max(len(y) - 1, 1)")),
        *("grad-unexplained", ALL, "dZ2 = dZ2 / max(len(y) - 1, 1)", LIKELY, "what is expected at B="),
        also=(("mutates-cache", "dZ2 = logP"),),
    ),
    "two names changed places": Slip(
        (('"b1": db1, "W2": dW2', '"b1": dW2, "W2": db1'),),
        *("grad-unexplained", ("b1", "W2"), "return {", LIKELY, "what comes back as db1 is dW2"),
    ),
    "the last example only": Slip(
        (("dW2 = H1.T @ dZ2", "for h, d in zip(H1, dZ2):\n        dW2 = np.outer(h, d)"),),
        *("grad-unexplained", ("W2",), "dW2 = np.outer(h, d)", LIKELY),
    ),
    "a second 1/B above a gradient that is wrong besides": Slip(
        (("dW1 = X.T @ dZ1", "dZ1 = dZ1 / len(y)\n    dW1 = X.T @ dZ1"),
         ("dZ1 @ W1.T", "dZ1 @ np.abs(W1).T")),
        *("grad-double-batch-mean", ("W1", "b1"), "dZ1 = dZ1 / len(y)"),
        also=(("grad-unexplained", "dX = dZ1 @ np.abs(W1).T"),),
    ),
    "labels that count from one": Slip(
        (("[np.arange(len(y)), y].mean", "[np.arange(len(y)), y.astype(int) - 1].mean"),
         ("dZ2[np.arange(len(y)), y] -=", "dZ2[np.arange(len(y)), y.astype(int) - 1] -=")),
        *("loss-wrong-gather", (), "loss = -logP", SURE, "the class before"),
    ),
    "each example weighted": Slip(
        (("loss = -logP[np.arange(len(y)), y].mean()",
          "w = 1.0 + (y % 2)\n    loss = -(w / w.sum() * logP[np.arange(len(y)), y]).sum()"),
         ("dZ2 /= len(y)", "w = 1.0 + (y % 2)\n    dZ2 *= (w / w.sum())[:, None]")),
        *("loss-unexplained", ALL, "loss = -(w", LIKELY, "The gradients are those of this loss."),
    ),
    "divided by a probability": Slip(
        (("    dZ2[np.arange(len(y)), y] -= 1\n    dZ2 /= len(y)",
          "    dP = np.zeros_like(dZ2)\n    picked = dZ2[np.arange(len(y)), y]\n"
          "    dP[np.arange(len(y)), y] = -1 / (len(y) * picked)\n"
          "    dP[np.arange(len(y)), y] = -1 / picked / len(y)\n"
          "    dZ2 = dZ2 * (dP - (dP * dZ2).sum(1, keepdims=True))"),),
        *("grad-unexplained", ALL, "= -1 / picked / len(y)", LIKELY, "not finite on huge logits"),
    ),
    "momentum from call to call": Slip(
        (('    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}',
          '    now = {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}\n'
          "    for k, g in now.items():\n"
          "        last = SPEED.get(k)\n"
          "        SPEED[k] = g if np.shape(last) != g.shape else 0.9 * last + g\n"
          "    return dict(SPEED)\n\n\nSPEED = {}"),),
        *("grad-accumulates", ALL, "SPEED[k] =", SURE, "1.9 × what the first gave"),
    ),
    "torch: a mean that is divided by B": Slip(
        (("torch.tensor(y).long())", "torch.tensor(y).long()) / len(y)"),),
        *("torch-reduction-sum", (), "loss = F.cross_entropy", SURE, "divided by B once more"),
    ),
    "torch: the sum is differentiated, and the mean returned": Slip(
        (("torch.tensor(y).long())", 'torch.tensor(y).long(), reduction="sum")'),
         ("loss.item()", "loss.item() / len(y)")),
        *("grad-missing-batch-mean", ALL, "loss = F.cross_entropy"),
    ),
    "torch: softmax over the batch": Slip(
        (("F.cross_entropy(h @ w2 + c2, ", "F.nll_loss(F.log_softmax(h @ w2 + c2, dim=0), "),),
        *("softmax-wrong-axis", (), "F.log_softmax(h @ w2 + c2, dim=0)"),
    ),
    "torch: the hidden layer without gradients": Slip(
        (("    h = torch.relu(x @ w1 + c1)",
          "    with torch.no_grad():\n        h = torch.relu(x @ w1 + c1)"),),
        *("torch-graph-detached", LOWER, "with torch.no_grad():"),
    ),
}  # fmt: skip


def source_of(slip: Slip) -> str:
    text = PLAIN
    for before, after in slip.edits:
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    return text


@pytest.fixture(scope="module")
def results(engine: Engine) -> Callable[[str], Result]:
    """Verdicts by slip; all are graded at once, by two threads."""

    def grade(name: str) -> Result:
        file = SourceFile("solution.py", source_of(SLIPS[name]).encode())
        return engine.grade(assemble("sloppy", "sloppy", Read((file,), ())))

    with ThreadPoolExecutor(2) as pool:
        graded = dict(zip(SLIPS, pool.map(grade, SLIPS), strict=True))
    return graded.__getitem__


def named(result: Result, code: str) -> Defect:
    found = [d for d in result.defects if d.code == code]
    assert len(found) == 1, [(d.code, d.line, d.message) for d in result.defects]
    return found[0]


@pytest.mark.parametrize("name", SLIPS)
def test_a_slip_is_named_with_its_line_and_no_more_is_said_than_is_known(
    name: str, results: Callable[[str], Result]
) -> None:
    slip, result = SLIPS[name], results(name)
    lines = source_of(slip).splitlines()
    defect = named(result, slip.code)
    assert defect.tensors == slip.tensors and slip.words in defect.message
    assert defect.confidence is slip.confidence
    for code, text in ((slip.code, slip.line), *slip.also):
        place = named(result, code).line
        assert place is not None and text in lines[place - 1], (place, lines[place - 1])
    above = {d.code for d in result.defects if d.severity.value != "info"}
    apart = {"verify-partial"}  # of a gradient that is zero, no multiple is another
    assert above - apart == {slip.code, *(code for code, _ in slip.also)}


def test_a_fault_beside_one_that_is_not_explained_is_charged_apart_from_it(
    results: Callable[[str], Result],
) -> None:
    grade = results("a second 1/B above a gradient that is wrong besides").grade
    by = {c.id: c for c in grade.checks}
    for check in ("backward.dW1", "backward.db1"):
        assert by[check].explained_by == ("grad-double-batch-mean",)
    assert by["backward.dX"].explained_by == () and by["backward.dX"].points == 0


@pytest.mark.parametrize(
    "name", [n for n in SLIPS if n.startswith("torch: ") and "hidden" not in n]
)
def test_the_pytorch_part_s_checks_are_explained_by_its_fault(
    name: str, results: Callable[[str], Result]
) -> None:
    code = SLIPS[name].code
    mine = [c for c in results(name).grade.checks if c.id.startswith("pytorch.")]
    lost = [c for c in mine if c.status is not CheckStatus.PASS]
    assert lost and all(c.explained_by == (code,) for c in lost)
