"""What it costs to find out how an answer is called: the contract's own, and strange ones.

    python -m tests.benchmarks.binding

Milliseconds of processor time in this process, the median of some runs. Trials call the
candidate's code, which a canonical answer is spared.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import numpy as np

from grader.bundled import bundled
from grader.child import loading
from grader.child.binding import Binding, bind

STYLES = Path(__file__).parents[1] / "child" / "binding" / "styles"
RUNS = 5
CALLS = 200


@contextmanager
def _restored() -> Iterator[None]:
    path, modules = list(sys.meta_path), set(sys.modules)
    yield
    sys.meta_path[:] = path
    for name in set(sys.modules) - modules:
        if getattr(sys.modules[name], "__file__", None) in ("answer.py", "solution.py"):
            del sys.modules[name]


def _bound(module: ModuleType, data: bytes, parts: tuple[str, ...]) -> tuple[Binding, float]:
    binding = bind(module, {"answer.py": data}, {})
    started = time.process_time()
    for part in parts:
        binding.part(part)
    return binding, 1e3 * (time.process_time() - started)


def measured(path: Path) -> tuple[float, float, float]:
    """(first, median) milliseconds to bind the hand-written part, and the median for PyTorch's."""
    data = path.read_bytes()
    with _restored():
        module, _ = loading.load({"answer.py": data}, "answer.py")
        numpy = [_bound(module, data, ("numpy",))[1] for _ in range(RUNS)]
        torch = [_bound(module, data, ("torch",))[1] for _ in range(RUNS)]
    return numpy[0], statistics.median(numpy), statistics.median(torch)


def overhead() -> float:
    """Microseconds that a bound call adds to forward and backward on a tiny case."""
    data = (STYLES / "tuple_everything.py").read_bytes()
    given = {"X": np.ones((1, 2)), "y": np.array([0]), "W1": np.ones((2, 3)), "b1": np.ones(3)}
    given |= {"W2": np.ones((3, 2)), "b2": np.ones(2)}
    with _restored():
        module, _ = loading.load({"answer.py": data}, "answer.py")
        binding = bind(module, {"answer.py": data}, {})
        forward, backward = binding.find("forward"), binding.find("backward")
    X, y, W1, b1, W2, b2 = given.values()
    taken = {}
    for name in ("bound", "direct"):
        started = time.process_time()
        for _ in range(CALLS):
            if name == "bound":
                backward(forward(X, y, W1, b1, W2, b2)[1])
            else:
                logits, probs, h1, z1 = module.forward(X, W1, b1, W2, b2)
                module.cross_entropy_loss(logits, y)
                module.backward(probs, y, h1, z1, X, W1, W2)
        taken[name] = time.process_time() - started
    return 1e6 * (taken["bound"] - taken["direct"]) / CALLS


def main() -> None:
    """Print the table."""
    import torch

    torch.set_num_threads(1)  # as in a child
    torch.ones(2, requires_grad=True).sum().backward()  # its own first time is no part of this
    rows = [("the reference", *measured(bundled("reference") / "solution.py"))]
    strange = [(path.stem, *measured(path)) for path in sorted(STYLES.glob("*.py"))]
    print(f"{'':28}{'NumPy first':>13}{'again':>9}{'PyTorch':>9}   (ms)")
    for name, first, again, theirs in (*rows, *strange):
        print(f"{name:28}{first:13.1f}{again:9.1f}{theirs:9.1f}")
    medians = [
        statistics.median(column) for column in zip(*(row[1:] for row in strange), strict=True)
    ]
    print(f"{'median of the strange':28}{medians[0]:13.1f}{medians[1]:9.1f}{medians[2]:9.1f}")
    print(f"a bound forward and backward: {overhead():.0f} µs more than the calls themselves")


if __name__ == "__main__":
    main()
