"""Layers one after another: what the reusable layers of the follow-up are tried on.

A stack is a linear layer alone, a ReLU alone, the loss alone, or a network of 1 to 6
linear layers with ReLUs between. Weights, widths and inputs are random, and sizes that
must not be mistaken for each other are different primes, unless the purpose says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.random import Generator

from grader.problem.compare import limit
from grader.records import Array, read_only

LINEAR, RELU, LOSS = "linear", "relu", "loss"
DEEPEST = 6
"""Linear layers of the deepest network."""

WIDTHS = (5, 7, 11, 13)
ROWS = (6, 9)
"""Rows of the first and of the second batch: neither a width nor a number of classes."""

CLASSES = 3
HUGE_LOGIT = 1.0e4
"""exp(1e4) overflows in float64, and the cross-entropy of such logits is an ordinary number."""


@dataclass(frozen=True, slots=True)
class Stack:
    """`kinds` of layers in their order, and what they are given.

    `inputs` has `x` [B, in]; `W{i}` [in, out] and `b{i}` [out] for the linear layer at place i;
    `y` [B] where the last layer is the loss, else `upstream` [B, out]. With `x2` and `y2` or
    `upstream2` a second batch, of another number of rows, goes through the same layers.
    """

    name: str
    purpose: str
    kinds: tuple[str, ...]
    inputs: Mapping[str, Array]

    @property
    def second(self) -> Stack | None:
        """Return the same layers on the second batch; None where there is none."""
        if "x2" not in self.inputs:
            return None
        weights = {n: a for n, a in self.inputs.items() if n[0] in "Wb"}
        batch = {n[:-1]: a for n, a in self.inputs.items() if n in ("x2", "y2", "upstream2")}
        return Stack(self.name, self.purpose, self.kinds, {**weights, **batch})


@dataclass(frozen=True, slots=True)
class StackAnswers:
    """The oracle's arrays for a stack: `oracle.stacked` on the first batch, and on the second."""

    stack: Stack
    values: Mapping[str, Array]
    second: Mapping[str, Array]

    def limit(self) -> float:
        """Return the largest relative error of a right answer.

        A value passes through sums of as many terms as there are rows and widths.
        """
        terms = sum(sum(a.shape) for n, a in self.stack.inputs.items() if n[0] in "Wx")
        largest = float(np.abs(self.values["out"]).max())
        return limit(terms, largest, self.stack.inputs["x"].dtype)


def make_stacks(seed: int) -> dict[str, Stack]:
    """Return all stacks of one run, by name; the same for the same seed on any machine."""
    rng = np.random.default_rng([seed, 2])
    stacks = [
        _alone(rng, LINEAR, "a linear layer alone", 7, 5),
        _alone(rng, LINEAR, "a linear layer whose sizes are all equal", 6, 6, "_square"),
        _alone(rng, RELU, "a ReLU alone", 7, 7),
        _loss(rng, "loss", "the loss alone", ROWS, 5),
        _loss(rng, "loss_square", "as many rows as classes", (6, 6), 6),
        _huge(rng),
        _network(rng, "open", "three linear layers without a loss", 3, closed=False),
    ]
    stacks += [
        _network(rng, f"depth{depth}", f"a network of {_count(depth)}", depth, closed=True)
        for depth in range(1, DEEPEST + 1)
    ]
    stacks.append(_single(_network(rng, "single", "float32", 3, closed=True)))
    return {stack.name: stack for stack in stacks}


def _single(stack: Stack) -> Stack:
    """The same numbers in float32."""
    floats = {n: a.astype(np.float32) for n, a in stack.inputs.items() if a.dtype.kind == "f"}
    return _stack(stack.name, stack.purpose, stack.kinds, {**stack.inputs, **floats})


def _count(depth: int) -> str:
    return f"{depth} linear layer{'s' if depth > 1 else ''}"


def _stack(name: str, purpose: str, kinds: Sequence[str], inputs: Mapping[str, Any]) -> Stack:
    arrays = {n: read_only(np.asarray(a)) for n, a in inputs.items()}
    return Stack(name, purpose, tuple(kinds), arrays)


def _away_from_zero(rng: Generator, shape: tuple[int, ...]) -> Array:
    """Entries of either sign between 0.1 and 2: none is near the kink of the ReLU."""
    return np.asarray(rng.uniform(0.1, 2.0, size=shape) * rng.choice([-1.0, 1.0], size=shape))


def _alone(
    rng: Generator, kind: str, purpose: str, width: int, out: int, suffix: str = ""
) -> Stack:
    rows = (width, ROWS[1]) if suffix else ROWS
    inputs: dict[str, Array] = {}
    if kind == LINEAR:
        inputs = {"W0": rng.normal(size=(width, out)), "b0": rng.normal(size=out)}
    for number, end in zip(rows, ("", "2"), strict=True):
        inputs[f"x{end}"] = _away_from_zero(rng, (number, width))
        inputs[f"upstream{end}"] = _away_from_zero(rng, (number, out))
    return _stack(kind + suffix, purpose, [kind], inputs)


def _loss(rng: Generator, name: str, purpose: str, rows: tuple[int, int], classes: int) -> Stack:
    inputs: dict[str, Array] = {}
    for number, end in zip(rows, ("", "2"), strict=True):
        logits = rng.normal(size=(number, classes)) * 2.0
        inputs |= {f"x{end}": logits, f"y{end}": _labels(rng, number, classes)}
    return _stack(name, purpose, [LOSS], inputs)


def _huge(rng: Generator) -> Stack:
    """In even rows one class is far above and the label's far below; odd rows are ordinary.

    So which rows are not finite tells a missing maximum from one for the whole batch.
    """
    stack = _loss(rng, "loss_huge", "logits of ±1e4 in every other row", ROWS, 5)
    inputs = {name: array.copy() for name, array in stack.inputs.items()}
    for end in ("", "2"):
        logits, labels = inputs[f"x{end}"], inputs[f"y{end}"]
        even = np.arange(0, len(labels), 2)
        logits[even, labels[even]] -= HUGE_LOGIT
        logits[even, (labels[even] + 1) % 5] += HUGE_LOGIT
    return _stack(stack.name, stack.purpose, stack.kinds, inputs)


def _labels(rng: Generator, rows: int, classes: int) -> Array:
    """Every class occurs, as far as there are rows."""
    first = np.arange(rows) % classes
    return rng.permutation(first).astype(np.int64)


def _network(rng: Generator, name: str, purpose: str, depth: int, *, closed: bool) -> Stack:
    """Linear layers with ReLUs between; `closed` by the loss, or else with a second batch.

    A small positive bias keeps some units of every layer alive, however deep it lies.
    """
    widths = [int(n) for n in rng.choice(WIDTHS, size=depth)] + [CLASSES]
    kinds: list[str] = []
    inputs: dict[str, Array] = {}
    for before, after in pairwise(widths):
        kinds += [RELU] if kinds else []
        weights = rng.normal(size=(before, after)) * np.sqrt(2.0 / before)
        inputs |= {f"W{len(kinds)}": weights, f"b{len(kinds)}": rng.uniform(0.1, 0.5, size=after)}
        kinds.append(LINEAR)
    if closed:
        inputs["x"] = _away_from_zero(rng, (ROWS[0], widths[0]))
        inputs["y"] = _labels(rng, ROWS[0], CLASSES)
    for rows, end in zip(() if closed else ROWS, ("", "2"), strict=False):
        inputs[f"x{end}"] = _away_from_zero(rng, (rows, widths[0]))
        inputs[f"upstream{end}"] = _away_from_zero(rng, (rows, CLASSES))
    return _stack(name, purpose, [*kinds, *([LOSS] if closed else [])], inputs)
