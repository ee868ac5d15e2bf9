"""A submission examined in this process, without a sandbox: quick, and easy to look into."""

from __future__ import annotations

import builtins
import json
import linecache
import random
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from grader.child import instrument, reports
from grader.child.driver import Driver
from grader.child.reports import Corruption, CorruptionKind, TrialPlan, to_json
from tests.child.trials.test_inputs import six

SCALED = Corruption(CorruptionKind.SCALE, 1.01)
ENTRY = Corruption(CorruptionKind.ENTRY, 0.37)
NETWORK = """
import numpy as np

def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1
    H1 = np.maximum(Z1, 0)
    Z2 = H1 @ W2 + b2
    E = np.exp(Z2 - Z2.max(1, keepdims=True))
    P = E / E.sum(1, keepdims=True)
    return -np.log(P[np.arange(len(y)), y]).mean(), (X, y, W1, W2, Z1, H1, P)

def backward(cache):
    X, y, W1, W2, Z1, H1, P = cache
    dZ2 = P.copy()
    dZ2[np.arange(len(y)), y] -= 1
    dZ2 /= len(y)
    dZ1 = dZ2 @ W2.T * (Z1 > 0)
    return {"W1": X.T @ dZ1, "b1": dZ1.sum(0), "W2": H1.T @ dZ2, "b2": dZ2.sum(0), "X": dZ1 @ W1.T}

def torch_forward_backward(X, y, W1, b1, W2, b2):
    loss, (_, _, _, _, Z1, H1, P) = forward(X, y, W1, b1, W2, b2)
    last = (P - np.eye(P.shape[1])[y]) / len(y)
    middle = np.where(Z1 > 0, last @ W2.T, 0.0)
    by_layer = {"W1": X.T @ middle, "b1": np.sum(middle, 0), "X": middle @ W1.T}
    return loss, by_layer | {"W2": H1.T @ last, "b2": np.sum(last, 0)}
"""
"""The second side is no torch: what is tried here is how two sides are compared."""

Examine = Callable[[str, str], dict[str, Any]]


@pytest.fixture
def driver() -> Iterator[Driver]:
    """A driver in this process, which it leaves as it was."""
    path, modules, lines = list(sys.meta_path), set(sys.modules), dict(linecache.cache)
    generators = random.getstate(), np.random.get_state()
    autograd = sys.modules.get("torch.autograd")
    grad = getattr(autograd, "grad", None)
    yield Driver()
    sys.meta_path[:] = path
    for name in set(sys.modules) - modules:
        if name.partition(".")[0] not in ("numpy", "torch"):
            del sys.modules[name]
    for name in (instrument.SEE, instrument.HOLD, instrument.HELD):
        vars(builtins).pop(name, None)
    if autograd is not None:
        autograd.grad = grad  # type: ignore[attr-defined]
    linecache.cache.clear()
    linecache.cache.update(lines)
    random.setstate(generators[0])
    np.random.set_state(generators[1])


@pytest.fixture
def examine(driver: Driver) -> Examine:
    """Examine the network with a text after it; `kind` is that of the request."""

    def examined(kind: str, text: str) -> dict[str, Any]:
        stages = {"first": (SCALED, ENTRY), "transposed": (), "more": ()}
        plan = TrialPlan(stages, (0.001, 0.01, 0.1), ("small", "middle"), 20.0)
        inputs = six()
        items: dict[str, Any] = {f"{n}{i}": a for i in (0, 1) for n, a in inputs.items()}
        items |= {f"phase_{n}": np.full(a.shape, 0.5) - a for n, a in inputs.items()}
        items |= {"side": "torch", "noise": "1", "main": "a.py", "names": "{}", "files": "1"}
        items |= {"path0": "a.py", "data0": (NETWORK + text).encode(), "plan": to_json(plan)}
        answer = driver.handle(kind, items | {"max_bytes": str(1 << 24)})
        report: dict[str, Any] = json.loads(answer["report"])
        assert len(report["trials"]) <= reports.MAX_TRIALS
        return answer | report

    return examined
