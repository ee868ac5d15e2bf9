"""What no single value tells has its line from the source: calls that leave traces, cuts, verify."""

from __future__ import annotations

import pytest

from grader.cohort import Engine
from tests.diagnosis.marked import SOURCE, Change, changed, diagnosed, marked

BEFORE = "def torch_forward_backward("
COUNT = "def onehot(y):\n    return np.eye({count})[y]  # here\n\n\n"
ONEHOT: list[Change] = [("G[np.arange(len(y)), y] -= 1", "G -= onehot(y)")]

CASES: dict[str, tuple[str, list[Change]]] = {
    "an argument, in place": ("mutates-input", [("Z1 = X @", "X -= X.mean()  # here\n    Z1 = X @")]),
    "an argument, in a helper": (
        "mutates-input",
        [("Z1 = X @ W1", "centre(W2)\n    Z1 = X @ W1"),
         ("def backward(", "def centre(a):\n    np.add(a, 1, out=a)  # here\n\n\ndef backward(")],
    ),
    "an argument, under another name": (
        "mutates-input",
        [("Z1 = X @ W1", "b = b1.reshape(-1)  # here\n    b += 1\n    Z1 = X @ W1")],
    ),
    "the cache, a copy missing": (
        "mutates-cache",
        [('G = cache["P"].copy()', 'G = cache["P"]  # here')],
    ),
    "the cache, by add.at": (
        "mutates-cache",
        [('G = cache["P"].copy()', 'P = cache["P"]'),
         ("G[np.arange(len(y)), y] -= 1", "np.add.at(P, (np.arange(len(y)), y), -1)  # here"),
         ("dZ2 = G", "dZ2 = P")],
    ),
    "totals": (
        "grad-accumulates",
        [(BEFORE, "TOTAL = {}\n\n\n" + BEFORE),
         ("dX = dZ1 @ W1.T\n", "dX = dZ1 @ W1.T\n    for n, g in ((X.shape, dX), (W1.shape, dW1), "
          "(W2.shape, dW2), (1, db1), (2, db2)):\n        TOTAL[n] = TOTAL.get(n, 0) + g  # here\n"
          "    dX, dW1, dW2, db1, db2 = TOTAL[X.shape], TOTAL[W1.shape], TOTAL[W2.shape], TOTAL[1],"
          " TOTAL[2]\n")],
    ),
    "the last forward's cache": (
        "hidden-state",
        [("def forward(", "LAST = {}\n\n\ndef forward("),
         ("    Z1 = X @ W1 + b1\n", "    Z1 = X @ W1 + b1\n    LAST['Z1'] = Z1\n"),
         ('Z1, H1 = cache["Z1"], cache["H1"]', 'Z1, H1 = LAST["Z1"], cache["H1"]  # here')],
    ),
    "chance": (
        "nondeterministic",
        [("loss = -picked.mean()", "loss = -picked.mean() + 1e-3 * np.random.rand()  # here")],
    ),
    "a count of calls": (
        "nondeterministic",
        [("def forward(", "CALLS = []\n\n\ndef forward("),
         ("loss = -picked.mean()", "CALLS.append(1)  # here\n    loss = -picked.mean() * len(CALLS)")],
    ),
    "no entry in the mapping": (
        "grad-missing",
        [('return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}',
          'return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}  # here')],
    ),
    "None in the mapping": (
        "grad-missing",
        [('"b2": db2, "X": dX}', '"b2": db2,\n        "X": None,  # here\n    }')],
    ),
    "the largest label": (
        "class-count-from-labels",
        [*ONEHOT, ("def backward(", COUNT.format(count="y.max() + 1") + "def backward(")],
    ),
    "different labels": (
        "class-count-from-labels",
        [*ONEHOT, ("def backward(", COUNT.format(count="len(np.unique(y))") + "def backward(")],
    ),
    "zero passes": ("relu-zero-convention", [("dZ1 = dH1 * (Z1 > 0)", "dZ1 = dH1 * (Z1 >= 0)  # here")]),
    "a loss like no other": (
        "loss-unexplained",
        [("loss = -picked.mean()", "loss = -picked.mean()\n    loss = loss**0.5  # here")],
    ),
    "leaves that stay": (
        "torch-grad-accumulates",
        [("x = torch.tensor(X, requires_grad=True)",
          "x = LEAVES.setdefault(X.tobytes(), torch.tensor(X, requires_grad=True))"),
         (BEFORE, "LEAVES = {}\n\n\n" + BEFORE),
         ("    loss.backward()", "    loss.backward()  # here")],
    ),
    "no requires_grad": (
        "torch-leaf-without-grad",
        [("c1 = torch.tensor(b1, requires_grad=True)", "c1 = torch.tensor(b1)  # here"),
         ("theirs[name].numpy()", "np.asarray(theirs[name])")],
    ),
    "cut by detach": (
        "torch-graph-detached",
        [("hidden = torch.relu(x @ w1 + c1)", "hidden = torch.relu(x @ w1 + c1).detach()  # here"),
         ("theirs[name].numpy()", "np.asarray(theirs[name])")],
    ),
    "cut by no_grad": (
        "torch-graph-detached",
        [("hidden = torch.relu(x @ w1 + c1)",
          "with torch.no_grad():  # here\n        hidden = torch.relu(x @ w1 + c1)"),
         ("theirs[name].numpy()", "np.asarray(theirs[name])")],
    ),
    "written in place": (
        "torch-inplace",
        [("    loss = F.cross", "    hidden *= 0.5  # here\n    loss = F.cross")],
    ),
    "written in place into a leaf": (
        "torch-inplace",
        [("    loss = F.cross", "    hidden = hidden * 1.0\n    w1 *= 0.5  # here\n    loss = F.cross")],
    ),
    "written in place by a method": (
        "torch-inplace",
        [("    loss = F.cross", "    hidden.mul_(0.5)  # here\n    loss = F.cross")],
    ),
    "by hand": (
        "torch-manual-gradient",
        [("    loss.backward()\n", "    with torch.no_grad():\n        grads = backward(forward(X, y, W1, b1, W2, b2)[1])\n"),
         ('return loss.item(), {"W1": w1.grad, "b1": c1.grad, "W2": w2.grad, "b2": c2.grad, "X": x.grad}',
          "return loss.item(), {n: torch.tensor(g) for n, g in grads.items()}  # here")],
    ),
    "single precision": (
        "torch-precision-lost",
        [("logits = hidden @ w2 + c2", "logits = (hidden @ w2 + c2).float()  # here")],
    ),
    "no tolerance": (
        "verify-rejects-correct",
        [("tol = 1e-9 if X.dtype == np.float64 else 1e-4", "tol = 0.0  # here")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_line_is_found(engine: Engine, case: str) -> None:
    code, changes = CASES[case]
    source = changed(changes)
    assert [diagnosed(engine, source, code).line] == marked(source)


def test_what_is_right_has_no_line_to_find(engine: Engine) -> None:
    from tests.diagnosis.marked import submission

    assert engine.grade(submission(SOURCE)).defects == ()
