"""A wrong value tells the line on which it is made, whatever way the candidate takes."""

from __future__ import annotations

import pytest

from grader.cohort import Engine
from tests.diagnosis.marked import Change, changed, diagnosed, marked

LATE: list[Change] = [
    ("dZ2 = G / len(y)", "dZ2 = G\n    n = len(y)"),
    ("dW2 = H1.T @ dZ2", "dW2 = H1.T @ dZ2 / n"),
    ("db2 = dZ2.sum(axis=0)", "db2 = dZ2.sum(axis=0) / n"),
    ("dW1 = X.T @ dZ1", "dW1 = X.T @ dZ1 / n"),
    ("db1 = dZ1.sum(axis=0)", "db1 = dZ1.sum(axis=0) / n"),
    ("dX = dZ1 @ W1.T", "dX = dZ1 @ W1.T / n"),
]
"""The mean is taken of each gradient by itself: everything before is B times as large."""

LOOP = """dZ1 = np.zeros_like(dH1)
    for i in range(len(X)):
        gate = {gate}
        dZ1[i] = dH1[i] * gate  # here"""

CASES: dict[str, tuple[str, list[Change]]] = {
    "made on the way to dZ1": (
        "grad-sign",
        [("dH1 = dZ2 @ W2.T", "dH1 = -(dZ2 @ W2.T)  # here")],
    ),
    "a stepped weight": (
        "weights-updated-early",
        [("dH1 = dZ2 @ W2.T", "stepped = W2 - 0.1 * dW2  # here\n    dH1 = dZ2 @ stepped.T")],
    ),
    "a sum along the wrong axis": (
        "softmax-wrong-axis",
        [("total = np.exp(S).sum(axis=1,", "total = np.exp(S).sum(axis=0,"),
         ("keepdims=True)\n    logP", "keepdims=True)  # here\n    logP")],
    ),
    "another base": (
        "loss-log-base",
        [("logP = S - np.log(total)", "lg = np.log2(total)  # here\n    logP = S - lg")],
    ),
    "what is picked": (
        "loss-wrong-gather",
        [("picked = logP[np.arange(len(y)), y]", "picked = logP[:, y]  # here")],
    ),
    "handed on as dZ1": (
        "relu-mask-missing",
        [("dZ1 = dH1 * (Z1 > 0)", "dZ1 = dH1  # here")],
    ),
    "handed on as H1": ("relu-missing", [("H1 = np.maximum(Z1, 0)", "H1 = Z1  # here")]),
    "handed on by a function": (
        "relu-missing",
        [("H1 = np.maximum(Z1, 0)", "H1 = relu(Z1)"),
         ("def backward(", "def relu(z):\n    return z  # here\n\n\ndef backward(")],
    ),
    "handed on as a bias's gradient": (
        "bias-grad-not-summed",
        [("db2 = dZ2.sum(axis=0)", "db2 = dZ2  # here")],
    ),
    "not divided under the name it should have": (
        "grad-missing-batch-mean",
        [("dZ2 = G / len(y)", "dZ2 = G  # here")],
    ),
    "not averaged": ("loss-not-scalar", [("loss = -picked.mean()", "loss = -picked  # here")]),
    "before a late mean": (
        "relu-mask-inverted",
        [*LATE, ("dZ1 = dH1 * (Z1 > 0)", "dZ1 = dH1 * (Z1 <= 0)  # here")],
    ),
    "along the wrong axis, before a late mean": (
        "bias-grad-wrong-axis",
        [*LATE[:2], ("db2 = dZ2.sum(axis=0)", "db2 = dZ2.sum(axis=1) / n  # here"), *LATE[3:]],
    ),
    "a sum that is nothing but rounding": (
        "bias-grad-over-everything",
        [("db2 = dZ2.sum(axis=0)", "db2 = dZ2.sum()  # here")],
    ),
    "row by row": (
        "relu-mask-inverted",
        [("dZ1 = dH1 * (Z1 > 0)", LOOP.format(gate="Z1[i] <= 0"))],
    ),
    "nothing taken off": (
        "grad-onehot-missing",
        [("    G[np.arange(len(y)), y] -= 1\n", ""),
         ('G = cache["P"].copy()', 'G = cache["P"].copy()  # here')],
    ),
    "logits in the place of P": (
        "grad-from-logits",
        [('"P": np.exp(logP)', '"P": Z2'),
         ('G = cache["P"].copy()', 'G = cache["P"].copy()  # here')],
    ),
    "a constant": ("hard-coded-size", [("dZ2 = G / len(y)", "dZ2 = G / 64  # here")]),
    "in the PyTorch part": (
        "bias-missing",
        [("logits = hidden @ w2 + c2", "logits = hidden @ w2  # here")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_line_is_where_the_wrong_value_is_made(engine: Engine, case: str) -> None:
    code, changes = CASES[case]
    source = changed(changes)
    defect = diagnosed(engine, source, code)
    assert [defect.line] == marked(source)
    assert defect.file == "solution.py"
    assert defect.source == source.splitlines()[marked(source)[0] - 1].strip()


def test_a_value_that_is_wrong_for_other_sizes_only_tells_no_line(engine: Engine) -> None:
    """On the traced sizes this sum is right: the branch that they never come to is the site."""
    changes = [
        ("Z1 = X @ W1 + b1", "Z1 = plus(X @ W1, b1)"),
        (
            "def backward(",
            "def plus(Z, b):\n"
            "    if len(Z) == len(b):\n"
            "        return Z + b[:, None]  # here\n"
            "    return Z + b\n\n\n"
            "def backward(",
        ),
    ]
    source = changed(changes)
    assert [diagnosed(engine, source, "bias-wrong-axis").line] == marked(source)
