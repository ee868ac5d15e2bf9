"""Where a source computes, and what is none of it."""

from __future__ import annotations

import pytest

from grader.records import SourceFile, Submission
from grader.source.program import Program
from grader.source.work import WorkPlace, work_places


def places(source: str) -> tuple[WorkPlace, ...]:
    files = (SourceFile("solution.py", source.encode()),)
    return work_places(Program(Submission("ada", "Ada", "", files, "solution.py")))


@pytest.mark.parametrize(
    "source",
    [
        "def forward(X, W):\n    pass",
        "def forward(X, W):\n    raise NotImplementedError",
        "import numpy as np\nW = np.random.randn(3, 4) * 0.01",
        "import numpy as np\nd = 3\nW = np.random.randn(d, d) / np.sqrt(d)",
        "def quotient(f, x, df, h):\n    return ((f(x + h) - f(x)) * df).sum() / (2 * h)",
        "import torch\ntorch.manual_seed(0)\nX = torch.randn(3, 4)",
        "print('Hello')",
    ],
)
def test_a_starter_does_not_compute(source: str) -> None:
    assert places(source) == ()


@pytest.mark.parametrize(
    ("source", "heading", "line"),
    [
        ("def g(a, w):\n    return a @ w", "g(a, w)", 1),
        ("class N:\n    def vor(self, x):\n        return x.dot(self.w)", "N.vor(x)", 2),
        ("def g(s):\n    for i in s:\n        s.z += s.x[i] * s.w[i]", "g(s)", 1),
        ("x = 1\nif x:\n    y = x @ x", "statements outside of any function", 2),
    ],
)
def test_a_product_is_work(source: str, heading: str, line: int) -> None:
    (place,) = places(source)
    assert (place.heading, place.spot.line, place.torch) == (heading, line, False)
    assert place.holds("solution.py", line)


def test_autograd_is_work_of_the_pytorch_part() -> None:
    source = "import torch.nn.functional as F\ndef train(net, x, t):\n"
    (place,) = places(source + "    F.cross_entropy(net.out, t).backward()\n")
    assert place.torch


def test_a_backward_pass_transposes() -> None:
    forward, backward = places("def f(a, w):\n    return a @ w\ndef b(a, g):\n    return a.T @ g")
    assert (forward.transposes, backward.transposes) == (False, True)
