"""Which line, which mask, where 1/B enters: read off the values of many styles."""

from __future__ import annotations

import builtins
import sys
import textwrap
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from grader.child.instrument import instrument
from grader.child.reports import TraceReport, to_json
from grader.child.tracing import Recorder
from grader.defects.facts import (
    first_wrong,
    mask_source,
    recomputes_forward,
)
from grader.observe.naming import Namer, known_tensors
from grader.observe.reading import NamedTrace, read_names
from grader.observe.trace import Trace, read_trace
from grader.problem import Expected, set_paper
from grader.source.parsing import source_lines
from tests.problem.network import answers

ROOT = Path(__file__).parents[2]
CASE = set_paper(2).cases["primes"]
EXPECTED = Expected(CASE, {n: np.asarray(a) for n, a in answers(**CASE.inputs).items()})
KNOWN = known_tensors(EXPECTED)
SIZES = CASE.sizes
B = SIZES["B"]

FORWARD = """\
import numpy as np

{helper}

def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1
    H1 = np.maximum(Z1, 0)
    Z2 = H1 @ W2 + b2
    S = Z2 - Z2.max(axis=1, keepdims=True)
    logP = S - np.log(np.exp(S).sum(axis=1, keepdims=True))
    {forward}
    loss = -logP[np.arange(len(y)), y].mean()
    cache = dict(X=X, y=y, W1=W1, b1=b1, W2=W2, b2=b2, Z1=Z1, H1=H1, Z2=Z2, P=np.exp(logP), more={more})
    return loss, cache

def backward(cache):
    X, y, W1, W2 = cache["X"], cache["y"], cache["W1"], cache["W2"]
    Z1, H1, P, more = cache["Z1"], cache["H1"], cache["P"], cache["more"]
    dZ2 = P.copy()
    dZ2[np.arange(len(y)), y] -= 1
    dZ2 /= len(y)
    dW2, db2 = {dW2}, dZ2.sum(axis=0)
    dH1 = dZ2 @ W2.T
{gate}
    return dict(W1=X.T @ dZ1, b1=dZ1.sum(axis=0), W2=dW2, b2=db2, X=dZ1 @ W1.T)
"""


def traced(source: str, monkeypatch: pytest.MonkeyPatch) -> Trace:
    """The trace of a source, in this process: what a child would send, read as from a child."""
    data, own = source.encode(), Recorder()
    code, table = instrument(data, "solution.py")
    own.table = [(0, entry) for entry in table]
    for name, reporter in (("see", own.see), ("hold", own.hold), ("held", own.held)):
        monkeypatch.setattr(builtins, f"__{name}__", reporter, raising=False)
    module = ModuleType("solution")
    monkeypatch.setitem(sys.modules, "solution", module)
    exec(code, module.__dict__)
    with own.during("forward"):
        _, cache = module.forward(*(a.copy() for a in CASE.inputs.values()))
    with own.during("backward"):
        module.backward(cache)
    lines = {"solution.py": source_lines(data)}
    report = to_json(TraceReport(tuple(own.functions), ""))
    found = read_trace({**own.packed(), "report": report}, lines, ("forward", "backward"))
    assert found.reason == ""
    return found


def network(
    gate: str = "dZ1 = dH1 * (Z1 > 0)",
    *,
    forward: str = "",
    more: str = "None",
    helper: str = "",
    dW2: str = "H1.T @ dZ2",
) -> str:
    body = textwrap.indent(textwrap.dedent(gate), "    ")
    return FORWARD.format(gate=body, forward=forward or "pass", more=more, helper=helper, dW2=dW2)


def read(source: str, monkeypatch: pytest.MonkeyPatch) -> NamedTrace:
    return read_names(traced(source, monkeypatch), Namer(KNOWN, SIZES))


# ── the gate ─────────────────────────────────────────────────────────────────

CLASS = """
class ReLU:
    def forward(self, x):
        self.mask = {mask}
        return np.maximum(x, 0)
    def backward(self, g):
        return g * self.mask
relu = ReLU()
"""
HELPER = "def relu_grad(z):\n    return np.where(z > 0, 1.0, 0.0)\n"
STEP = "def step(z):\n    return np.heaviside(z, 0)\n"
LOOP = """
dZ1 = np.zeros_like(dH1)
for i in range(dH1.shape[0]):
    for j in range(dH1.shape[1]):
        if {of}[i, j] > 0:
            dZ1[i, j] = dH1[i, j]
"""

GATES = {
    "product of Z1": (network("dZ1 = dH1 * (Z1 > 0)"), "Z1", "Z1 > 0"),
    "product of H1": (network("dZ1 = dH1 * (H1 > 0)"), "H1", "H1 > 0"),
    "turned round": (network("dZ1 = (0 < Z1) * dH1"), "Z1", "0 < Z1"),
    "where of Z1": (network("dZ1 = np.where(Z1 > 0, dH1, 0)"), "Z1", "Z1 > 0"),
    "where of H1, inverted": (network("dZ1 = np.where(H1 == 0, 0.0, dH1)"), "H1", "H1 == 0"),
    "assignment by Z1": (network("dZ1 = dH1.copy()\ndZ1[Z1 <= 0] = 0"), "Z1", "Z1 <= 0"),
    "assignment by H1": (network("dZ1 = np.array(dH1)\ndZ1[H1 <= 0] = 0"), "H1", "H1 <= 0"),
    "assignment, not": (network("dZ1 = dH1.copy()\ndZ1[~(Z1 > 0)] = 0"), "Z1", "Z1 > 0"),
    "in place": (network("dH1 *= (cache['Z1'] > 0)\ndZ1 = dH1"), "Z1", "cache['Z1'] > 0"),
    "heaviside": (network("dZ1 = dH1 * np.heaviside(Z1, 0)"), "Z1", "np.heaviside(Z1, 0)"),
    "sign of H1": (network("dZ1 = dH1 * np.sign(H1)"), "H1", "np.sign(H1)"),
    "sign of Z1": (network("dZ1 = dH1 * np.clip(np.sign(Z1), 0, 1)"), "Z1",
                   "np.clip(np.sign(Z1), 0, 1)"),
    "greater": (network("dZ1 = np.multiply(dH1, np.greater(Z1, 0))"), "Z1", "np.greater(Z1, 0)"),
    "as bool": (network("dZ1 = dH1 * H1.astype(bool)"), "H1", "H1.astype(bool)"),
    "as type": (network("m = (Z1 > 0).astype(X.dtype)\ndZ1 = m * dH1"), "Z1", "Z1 > 0"),
    "gradient": (network("dZ1 = dH1 * (dH1 > 0)"), "gradient", "dH1 > 0"),
    "gradient in place": (network("dZ1 = dH1.copy()\ndZ1[dZ1 < 0] = 0"), "gradient", "dZ1 < 0"),
    "gradient by maximum": (network("dZ1 = np.where(2 * dH1 > 0, dH1, 0)"), "gradient", "2 * dH1 > 0"),
    "helper": (network("dZ1 = dH1 * relu_grad(Z1)", helper=HELPER), "Z1", "z > 0"),
    "helper of H1": (network("dZ1 = dH1 * relu_grad(H1)", helper=HELPER), "H1", "z > 0"),
    "helper, heaviside": (network("dZ1 = dH1 * step(Z1)", helper=STEP), "Z1", "np.heaviside(z, 0)"),
    "cached Z1": (network("dZ1 = dH1 * more", forward="mask = Z1 > 0", more="mask"),
                  "cached mask from Z1", "Z1 > 0"),
    "cached H1": (network("dZ1 = dH1 * more", more="H1 > 0"), "cached mask from H1", "H1 > 0"),
    "cached, another compare": (
        network("dZ1 = dH1 * more", forward="mask, again = H1 > 0, np.where(Z1 > 0, Z1, 0)", more="mask"),
        "cached mask from H1", "H1 > 0"),
    "cached, assignment": (network("dZ1 = dH1.copy()\ndZ1[more] = 0", more="Z1 <= 0"),
                           "cached mask from Z1", "Z1 <= 0"),
    "attribute of Z1": (
        network("dZ1 = relu.backward(dH1)", forward="relu.forward(Z1)", helper=CLASS.format(mask="x > 0")),
        "cached mask from Z1", "x > 0"),
    "attribute of H1": (
        network("dZ1 = relu.backward(dH1)", forward="relu.forward(H1)", helper=CLASS.format(mask="x > 0")),
        "cached mask from H1", "x > 0"),
    "loop over Z1": (network(LOOP.format(of="Z1")), "Z1", "Z1[i, j] > 0"),
    "loop over H1": (network(LOOP.format(of="H1")), "H1", "H1[i, j] > 0"),
    "rows of Z1": (network("dZ1 = np.array([g * (z > 0) for g, z in zip(dH1, Z1)])"), None, ""),
    "row by row": (network("dZ1 = dH1 * 0\nfor i in range(len(Z1)):\n    dZ1[i] = dH1[i] * (Z1[i] > 0)"),
                   "Z1", "Z1[i] > 0"),
    "none": (network("dZ1 = dH1"), None, ""),
    "recomputed": (network("dZ1 = dH1 * (X @ W1 + cache['b1'] > 0)"), "Z1", "X @ W1 + cache['b1'] > 0"),
    "transposed": (network("dZ1 = (dH1.T * (Z1.T > 0)).T"), "Z1", "Z1.T > 0"),
}  # fmt: skip


@pytest.mark.parametrize(("source", "origin", "text"), GATES.values(), ids=GATES.keys())
def test_the_source_of_the_mask(
    source: str, origin: str | None, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = read(source, monkeypatch)
    gate = mask_source(named)
    if origin is None:
        assert gate is None
        return
    assert gate is not None
    assert (gate.source, named.trace.text(gate.at)) == (origin, text)


def test_a_mask_in_a_submission_whose_gradient_lacks_the_mean(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = network("dZ1 = dH1 * (dH1 > 0)").replace("    dZ2 /= len(y)\n", "")
    gate = mask_source(read(source, monkeypatch))
    assert gate is not None
    assert gate.source == "gradient"


# ── lines ────────────────────────────────────────────────────────────────────


# ── the first wrong expression ───────────────────────────────────────────────

WRONG = {
    "gradient mask": (network("dZ1 = dH1 * (dH1 > 0)"), "dH1 * (dH1 > 0)"),
    "activation as mask": (network("dZ1 = dH1 * H1"), "dH1 * H1"),
    "no mask": (network("dZ1 = dH1"), "X.T @ dZ1"),
    "pre-activation": (network(dW2="Z1.T @ dZ2"), "Z1.T @ dZ2"),
    "extra term": (network(dW2="H1.T @ dZ2 + 0.1 * W2"), "0.1 * W2"),
    "softmax derivative": (network("dZ2 = dZ2 * P * (1 - P)\ndZ1 = dZ2 @ W2.T * (Z1 > 0)"), "dZ2 * P"),
    "reshaped": (network(dW2="H1.reshape(H1.shape[1], -1) @ dZ2"), "H1.reshape(H1.shape[1], -1)"),
    "in a helper": (
        network("dZ1 = act(dH1, Z1)", helper="def act(g, z):\n    return g * (z > 0.5)"), "z > 0.5"),
    "in place": (network("dH1[Z1 > 0] += 1\ndZ1 = dH1"), "dH1[Z1 > 0] += 1"),
    "in a loop": (
        network("dZ1 = np.zeros_like(dH1)\nfor i in range(len(dH1)):\n    dZ1[i] = dH1[i] * H1[i]"),
        "dZ1[i] = dH1[i] * H1[i]"),
    "in the forward": (network(forward="logP = S - np.log(np.exp(S).mean(axis=1, keepdims=True))"),
                       "np.log(np.exp(S).mean(axis=1, keepdims=True))"),
}  # fmt: skip


@pytest.mark.parametrize(("source", "text"), WRONG.values(), ids=WRONG.keys())
def test_the_first_wrong_expression(
    source: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = read(source, monkeypatch)
    wrong = first_wrong(named)
    assert wrong is not None
    assert named.trace.text(wrong) == text


UNUSUAL = (
    "dZ1 = (dH1 * 3.7) * (Z1 > 0) / 3.7",
    "t = np.exp(dH1)\nu = np.log(t)\ndZ1 = u * (Z1 > 0)",
    "dZ1 = np.array([g * (z > 0) for g, z in zip(dH1, Z1)])",
    LOOP.format(of="Z1"),
    "dZ1 = np.stack([dH1[:, j] * (Z1[:, j] > 0) for j in range(dH1.shape[1])], axis=1)",
    "dZ1 = (dH1 + np.abs(np.sign(Z1)) * np.sign(Z1) * dH1) / 2",
    "dZ1 = 0.5 * dH1 + 0.5 * dH1 * np.sign(Z1)",
    "dZ1 = np.empty(dH1.shape, X.dtype)\nfor i in range(len(X)):\n    dZ1[i] = dH1[i] * (Z1[i] > 0)",
    "dZ1 = np.einsum('bh,bh->bh', dH1, Z1 > 0)",
)


@pytest.mark.parametrize("gate", UNUSUAL)
def test_unusual_ways_to_what_is_right_are_excused(
    gate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = read(network(gate), monkeypatch)
    wrong = first_wrong(named)
    assert wrong is None, named.trace.text(wrong)


# ── the batch, and the cache ─────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("gate", "again"),
    [
        ("dZ1 = dH1 * (Z1 > 0)", []),
        ("Z1 = X @ W1 + cache['b1']\ndZ1 = dH1 * (Z1 > 0)", ["X @ W1 + cache['b1']"]),
        ("loss, c = forward(*(cache[k] for k in ('X', 'y', 'W1', 'b1', 'W2', 'b2')))\ndZ1 = dH1 * (c['Z1'] > 0)",
         ["X @ W1 + b1", "H1 @ W2 + b2", "np.exp(logP)"]),
        ("Z = Z1.copy()\nQ = np.array(P)\ndZ1 = dH1 * (np.maximum(Z, 0) > 0)", []),
    ],
)  # fmt: skip
def test_a_forward_computed_again(
    gate: str, again: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    named = read(network(gate), monkeypatch)
    assert [named.trace.text(at) for at in recomputes_forward(named)] == again


# ── nothing to read ──────────────────────────────────────────────────────────


def test_an_empty_trace_has_no_facts() -> None:
    named = read_names(Trace(reason="it failed"), Namer(KNOWN, SIZES))
    assert named.readings == ()
    assert first_wrong(named) is None
    assert mask_source(named) is None
    assert recomputes_forward(named) == ()
