"""Traces from real children: every value with its place, and nothing believed that cannot be."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grader.child.instrument import KINDS
from grader.child.tracing import COLUMNS, MAX_EVENTS, MAX_SIZE
from grader.intake import take_in
from grader.observe.observe import Allowance
from grader.observe.trace import Trace, TracedValue, read_trace, take_trace
from grader.problem import set_paper
from grader.records import Ended, SourceFile, Submission
from grader.sandbox.pool import Zygote
from grader.source.parsing import source_lines
from tests.problem.network import answers
from tests.sandbox.confined import linux_only

ROOT = Path(__file__).parents[2]
PAPER = set_paper(3)
CASE = PAPER.cases["primes"]
RIGHT = answers(**CASE.inputs)


def submission(text: str, **others: str) -> Submission:
    texts = {"solution.py": text, **{f"{n}.py": t for n, t in others.items()}}
    files = tuple(SourceFile(n, t.encode()) for n, t in texts.items())
    return Submission("id", "name", "sha256:0", files, "solution.py")


def traced(zygote: Zygote, text: str, side: str = "numpy", **others: str) -> Trace:
    return take_trace(submission(text, **others), PAPER, side, zygote, Allowance())


def at(found: Trace, text: str, phase: str = "") -> TracedValue:
    return next(v for v in found.values if found.text(v) == text and phase in v.phase)


# ── from real children ───────────────────────────────────────────────────────


@linux_only
def test_the_reference(numpy_zygote: Zygote) -> None:
    found = take_trace(take_in(ROOT / "reference"), PAPER, "numpy", numpy_zygote, Allowance())
    assert (found.reason, found.stopped) == ("", "")
    orders = [v.order for v in found.values]
    assert orders == sorted(set(orders))
    for text, name in (("X @ W1 + b1", "Z1"), ("exp / total", "P"), ("dZ2 / len(y)", "dZ2"),
                       ("dH1 * (Z1 > 0)", "dZ1"), ("X.T @ dZ1", "dW1")):  # fmt: skip
        np.testing.assert_allclose(at(found, text).value, RIGHT[name], rtol=1e-12, atol=1e-15)
    gate = at(found, "Z1 > 0")
    assert gate.value.dtype == np.bool_
    assert (gate.kind, gate.function, gate.phase) == ("compare", "backward", "backward")
    assert gate.within(at(found, "dH1 * (Z1 > 0)"))
    changed = at(found, "dZ2[np.arange(len(y)), y] -= 1")
    assert changed.kind == "target"
    np.testing.assert_allclose(changed.value, RIGHT["dZ2"] * CASE.sizes["B"], atol=1e-12)


@linux_only
def test_the_pytorch_part(torch_zygote: Zygote) -> None:
    found = take_trace(take_in(ROOT / "reference"), PAPER, "torch", torch_zygote, Allowance())
    assert (found.reason, found.stopped) == ("", "")
    assert {v.phase for v in found.values} == {"torch"}
    assert any(v.value.shape == RIGHT["Z2"].shape and np.allclose(v.value, RIGHT["Z2"])
               for v in found.values)  # fmt: skip


NETWORK = """
import numpy as np
from layers import linear

print("module level", linear(np.ones((1, 2)), np.ones((2, 1)), 0))

def forward(X, y, W1, b1, W2, b2):
    Z1 = linear(X, W1, b1)
    H1 = np.maximum(Z1, 0)
    return 0.0, (H1, linear(H1, W2, b2))

def backward(cache):
    for i in range(3):
        half = i / 2
    return cache[0] + cache[1]
"""
LAYERS = "def linear(x, W, b):\n    return x @ W + b\n"


@linux_only
def test_other_files_phases_first_and_last(numpy_zygote: Zygote) -> None:
    found = traced(numpy_zygote, NETWORK, layers=LAYERS)
    inner = at(found, "x @ W + b")
    assert (inner.file, inner.line, inner.function, inner.count) == ("layers.py", 2, "linear", 2)
    np.testing.assert_allclose(inner.value, RIGHT["Z1"])
    assert inner.last is not None
    np.testing.assert_allclose(inner.last, RIGHT["Z2"])
    assert inner.order < inner.last_order
    half = at(found, "i / 2")
    assert (half.count, float(half.value), half.phase) == (3, 0.0, "backward")
    assert half.last is not None
    assert float(half.last) == 1.0
    assert all(v.line != 5 for v in found.values if v.file == "solution.py")
    assert found.stopped.startswith("ValueError: operands could not be broadcast")


@linux_only
@pytest.mark.parametrize(
    ("text", "stopped"),
    [
        ("def forward(:", "SyntaxError"), ("def forward(*a): raise SystemExit(3)", "SystemExit"),
        ("x = 1", "Missing"), ("def forward(*a): return 1", "BadReturn"),
        ("import torch\ndef forward(X, *a): return torch.tensor(X), 0", "FrameworkUsed"),
    ],
)  # fmt: skip
def test_what_stops_a_run_is_said(text: str, stopped: str, numpy_zygote: Zygote) -> None:
    found = traced(numpy_zygote, text)
    assert stopped in found.stopped
    assert found.reason == ""


@linux_only
@pytest.mark.parametrize(
    "body", ["import os; os._exit(0)", "import os; os.write(4, b'x' * 99)", "b = [0] * 10**10",
             "while True: pass", "import builtins; builtins.__see__ = None"],
)  # fmt: skip
def test_a_child_that_dies_leaves_no_error(body: str, numpy_zygote: Zygote) -> None:
    text = f"def forward(X, *a):\n    {body}\n    return X.sum(), 0\n"
    started = time.perf_counter()
    found = take_trace(submission(text), PAPER, "numpy", numpy_zygote, Allowance(0.5))
    assert time.perf_counter() - started < 30, "it would last for ever"
    assert found.reason or found.stopped
    assert not found.reason.startswith(Ended.HARNESS), "by then the child has come up"


@linux_only
def test_a_demo_that_raises_leaves_the_definitions(numpy_zygote: Zygote) -> None:
    text = (
        "from __future__ import annotations\ndef forward(X: no, *a):\n    return X.sum() * 2, 0\n"
    )
    found = traced(numpy_zygote, f"{text}open('data.csv')\n")
    assert float(at(found, "X.sum() * 2").value) == pytest.approx(2 * CASE.X.sum())


@linux_only
def test_loops_and_large_arrays_stay_within_bounds(numpy_zygote: Zygote) -> None:
    text = """
import numpy as np
def forward(X, *a):
    big = np.ones(10**6)
    small = np.ones(9)
    for i in range(10**5):
        t = i * 2.0
    return small.sum(), 0
"""
    found = traced(numpy_zygote, text)
    assert found.reason == ""
    assert max(v.value.size for v in found.values) <= MAX_SIZE
    assert max(v.last_order for v in found.values) <= MAX_EVENTS
    assert at(found, "np.ones(9)").value.size == 9


@linux_only
def test_deep_nesting_is_run_as_it_is(numpy_zygote: Zygote) -> None:
    text = f"def forward(X, *a):\n    return {'+'.join(['X'] * 400)}, 0\n"
    found = traced(numpy_zygote, text)
    assert found.reason == ""


@pytest.mark.slow
@linux_only
def test_a_zygote_that_is_gone_gives_a_reason() -> None:
    zygote = Zygote("grader.child.driver", ("numpy",))
    zygote.facts()
    zygote.close()
    found = take_trace(submission("x = 1"), PAPER, "numpy", zygote, Allowance())
    assert found.values == ()
    assert "closed" in found.reason


# ── what a child may say ─────────────────────────────────────────────────────

SOURCES = {"a.py": ("x = y + é", "z")}
GOOD = {
    "file": 0, "line": 1, "col": 4, "end_line": 1, "end_col": 10, "kind": 4, "function": 0,
    "phase": 0, "count": 2, "order": 3, "dtype": 0, "ndim": 1, "dim0": 2, "dim1": 0, "dim2": 0,
    "dim3": 0, "offset": 0, "last_order": 5, "last_dtype": 2, "last_ndim": 0, "last_dim0": 0,
    "last_dim1": 0, "last_dim2": 0, "last_dim3": 0, "last_offset": 2,
}  # fmt: skip


def functions(*names: str) -> str:
    return json.dumps({"functions": names, "stopped": ""})


def reply(**changed: Any) -> dict[str, Any]:
    row = {**GOOD, **{k: v for k, v in changed.items() if k in GOOD}}
    items: dict[str, Any] = {
        "index": np.array([[row[c] for c in COLUMNS]], np.int64),
        "values": np.array([1.5, 2.5, 7.0]),
        "report": functions("forward", "Linear.backward"),
    }
    return items | {k: v for k, v in changed.items() if k not in GOOD}


def test_a_good_reply_is_read() -> None:
    found = read_trace(reply(), SOURCES, ("forward", "backward"))
    (value,) = found.values
    assert found.text(value) == "y + é"
    assert (value.kind, value.function, value.count) == (KINDS[4], "forward", 2)
    assert value.value.tolist() == [1.5, 2.5]
    assert not value.value.flags.writeable
    assert value.last is not None
    assert (value.last.dtype, int(value.last)) == (np.int64, 7)


@pytest.mark.parametrize(
    "changed",
    [
        {"file": 1}, {"file": -1}, {"line": 0}, {"line": 3}, {"end_line": 3}, {"col": 11},
        {"end_col": 11}, {"end_col": 4}, {"col": -1}, {"kind": 99}, {"function": 2},
        {"function": -1}, {"phase": 2}, {"phase": 9}, {"order": 0}, {"count": 0}, {"dtype": 9},
        {"ndim": 5}, {"ndim": -1}, {"dim0": -2}, {"dim0": 4}, {"dim0": 1 << 60}, {"offset": 2},
        {"offset": -1}, {"offset": -2}, {"last_offset": 3}, {"dim0": 3, "last_ndim": 0},
        {"dtype": 2, "values": np.array([np.nan, 1.0, 1.0])},
        {"dtype": 2, "values": np.array([1e300, 1.0, 1.0])},
        {"index": np.zeros((1, 3), np.int64)}, {"index": np.zeros(25, np.int64)},
        {"index": "no"}, {"values": np.zeros((3, 1))}, {"values": np.zeros(3, np.float32)},
        {"report": functions("<script>")}, {"report": functions("x" * 999)},
        {"report": np.zeros(3)}, {"report": "{"}, {"report": '{"functions": 3}'},
        {"index": np.ones((4097, len(COLUMNS)), np.int64)},
    ],
)  # fmt: skip
def test_a_reply_that_does_not_fit_is_no_trace(changed: dict[str, Any]) -> None:
    found = read_trace(reply(**changed), SOURCES, ("forward", "backward"))
    assert found.values == ()
    assert found.reason


def test_missing_items_and_overlapping_values() -> None:
    assert read_trace({}, SOURCES, ("forward",)).reason
    items = reply()
    items["index"] = np.repeat(items["index"], 2, axis=0)
    assert read_trace(items, SOURCES, ("forward",)).reason


@pytest.mark.parametrize(
    ("data", "count"),
    [(b"a\nb", 2), (b"a\r\nb\rc\n", 4), (b"a\x0cb\x1cc", 1), ("é\u2028x".encode(), 1),
     (b"# coding: latin-1\n\xe9", 2), (b"# coding: nonsense\n\xe9", 2), (b"\xff\xfe", 1)],
)  # fmt: skip
def test_lines_are_those_of_the_parser(data: bytes, count: int) -> None:
    assert len(source_lines(data)) == count
